"""Recurrent layers on packed sequences, packing itself, and what attention and transformers do with causal masks."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
from autograd import ShapeError, float64, gradcheck, no_grad, tensor
from autograd.backends import tensor as xp
from autograd.ops import numpy_recurrent
from nn.utils.rnn import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)

LENGTHS = [2, 4, 1, 4]


def sequences(size=3, lengths=LENGTHS):
    rng = np.random.default_rng(0)
    return [tensor(rng.standard_normal((n, size)), requires_grad=True) for n in lengths]


MODELS = {
    "RNN": lambda lib: lib.RNN(3, 4, num_layers=2, bidirectional=True),
    "GRU": lambda lib: lib.GRU(3, 4, num_layers=2, bidirectional=True),
    "LSTM": lambda lib: lib.LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2),
}


def states(last):
    return list(last) if isinstance(last, tuple) else [last]


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("given", [False, True])
def test_a_packed_sequence_gives_what_each_sequence_gives_alone(kind, given):
    autograd.manual_seed(0)
    model = MODELS[kind](nn).double()
    parts = sequences()
    widths = [2, 4] if kind == "LSTM" else [4]
    first = [autograd.randn(4, len(parts), n, dtype=float64, requires_grad=True) for n in widths]
    hx = (tuple(first) if kind == "LSTM" else first[0]) if given else None
    out, last = model(pack_sequence(parts, enforce_sorted=False), hx)
    outs, total = unpack_sequence(out), 0
    gradient_of = [*parts, *model.parameters(), *(first if given else [])]
    for i, part in enumerate(parts):
        alone = None
        if given:
            alone = tuple(s[:, i] for s in first) if kind == "LSTM" else first[0][:, i]
        y, end = model(part, alone)
        np.testing.assert_allclose(outs[i].detach(), y.detach(), rtol=1e-12)
        for a, b in zip(states(last), states(end), strict=True):
            np.testing.assert_allclose(a[:, i].detach(), b.detach(), rtol=1e-12)
        total = total + (y**2).sum() + sum((b**3).sum() for b in states(end))
    packed_total = sum((y**2).sum() for y in outs) + sum((a**3).sum() for a in states(last))
    for a, b in zip(autograd.grad(packed_total, gradient_of), autograd.grad(total, gradient_of), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.reference
@pytest.mark.parametrize("kind", MODELS)
def test_a_packed_sequence_gives_what_it_gives_in_pytorch(kind):
    import torch

    theirs, ours = MODELS[kind](torch.nn).double(), MODELS[kind](nn).double()
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    parts = sequences()
    packed = pack_sequence(parts, enforce_sorted=False)
    reference = torch.nn.utils.rnn.pack_sequence([torch.tensor(p.detach().numpy()) for p in parts], False)
    np.testing.assert_array_equal(packed.batch_sizes, reference.batch_sizes)
    (out, last), (out2, last2) = ours(packed), theirs(reference)
    padded, lengths = pad_packed_sequence(out, padding_value=-1.0, total_length=6)
    padded2, lengths2 = torch.nn.utils.rnn.pad_packed_sequence(out2, padding_value=-1.0, total_length=6)
    np.testing.assert_allclose(padded.detach(), padded2.detach(), rtol=1e-12)
    np.testing.assert_array_equal(lengths, lengths2)
    for a, b in zip(states(last), states(last2), strict=True):
        np.testing.assert_allclose(a.detach(), b.detach(), rtol=1e-12)


@pytest.mark.parametrize("kind", MODELS)
def test_without_a_graph_the_values_are_the_same(kind):
    model = MODELS[kind](nn)
    x = autograd.randn(5, 2, 3)
    with no_grad():
        out, last = model(x)
    assert not out.requires_grad
    assert not any(s.requires_grad for s in states(last))
    np.testing.assert_array_equal(out, model(x)[0].detach())


@pytest.mark.parametrize("kind", MODELS)
def test_an_empty_batch_gives_an_empty_result(kind):
    model = MODELS[kind](nn)
    out, last = model(autograd.ones(5, 0, 3))
    assert out.shape == (5, 0, 4 if kind == "LSTM" else 8)
    assert states(last)[-1].shape == (4, 0, 4)
    out.sum().backward()
    assert all((p.grad == 0).all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("kind", MODELS)
def test_second_order_gradients_of_layers(kind):
    autograd.manual_seed(0)
    model = MODELS[kind](nn).double()
    x = autograd.randn(3, 2, 3, dtype=float64, requires_grad=True)
    assert autograd.gradgradcheck(lambda x: model(x)[0], [x], fast_mode=True)


def test_one_step_does_not_share_memory_between_results():
    cell = nn.LSTM(2, 3)
    out, (h, c) = cell(autograd.ones(1, 2, 2))
    before = out.detach().numpy().copy()
    with no_grad():
        h.zero_()
        c.zero_()
    np.testing.assert_array_equal(out.detach(), before)


def test_backward_twice_gives_the_same_twice():
    model = nn.GRU(2, 3).double()
    x = autograd.ones(4, 1, 2, dtype=float64)
    out, h = model(x)
    first = autograd.grad(out.sum(), list(model.parameters()), retain_graph=True)
    other = autograd.grad((2 * out).sum() + 0 * h.sum(), list(model.parameters()), retain_graph=True)
    for a, b in zip(first, other, strict=True):
        np.testing.assert_allclose(2 * a, b, rtol=1e-13)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: nn.LSTM(3, 0), ValueError, "LSTM: hidden_size must be at least 1"),
        (lambda: nn.LSTM(3, 2, proj_size=2), ValueError, "LSTM: proj_size must be less than hidden_size=2"),
        (lambda: nn.GRU(3, 2, num_layers=0), ValueError, "GRU: num_layers must be at least 1"),
        (lambda: nn.GRU(3, 2, 2, dropout=1.5), ValueError, "GRU: dropout must be a probability"),
        (lambda: nn.RNN(3, 2, nonlinearity="sigmoid"), ValueError, "RNN: nonlinearity must be 'tanh' or 'relu'"),
        (lambda: nn.RNNCell(3, 2, nonlinearity="gelu"), ValueError, "RNNCell: nonlinearity must be"),
        (lambda: nn.RNN(3.0, 2), TypeError, "RNN: input_size must be an int"),
        (lambda: nn.MultiheadAttention(5, 2), ValueError, "num_heads must divide embed_dim=5, got 2"),
        (lambda: nn.MultiheadAttention(4, 2, dropout=2.0), ValueError, "dropout must be within 0 and 1"),
        (lambda: nn.TransformerEncoderLayer(4, 2, activation="swish"), ValueError, "activation must be 'relu'"),
    ],
)
def test_bad_arguments_of_constructors_are_refused(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


def test_dropout_in_one_layer_warns():
    with pytest.warns(UserWarning, match="no effect"):
        nn.RNN(3, 2, dropout=0.5)


# Padding and packing


def test_padding_and_unpadding_on_either_side():
    parts = sequences(2, [1, 3])
    right, left = pad_sequence(parts, padding_value=7.0), pad_sequence(parts, True, 7.0, "left")
    assert right.shape == (3, 2, 2)
    np.testing.assert_array_equal(right[1:, 0].detach(), np.full((2, 2), 7.0))
    np.testing.assert_array_equal(left[0, :2].detach(), np.full((2, 2), 7.0))
    np.testing.assert_array_equal(left[0, 2:].detach(), parts[0].detach())
    for a, b in zip(unpad_sequence(right, [1, 3]), parts, strict=True):
        np.testing.assert_array_equal(a.detach(), b.detach())
    assert gradcheck(lambda *s: pad_sequence(list(s), padding_side="left"), parts)
    assert gradcheck(lambda *s: tuple(unpad_sequence(pad_sequence(list(s)), tensor([1, 3]))), parts)


def test_packing_and_unpacking_are_opposites_with_gradients():
    parts = sequences()
    packed = pack_sequence(parts, enforce_sorted=False)
    assert packed.data.shape == (sum(LENGTHS), 3)
    assert packed.batch_sizes.tolist() == [4, 3, 2, 2]
    for a, b in zip(unpack_sequence(packed), parts, strict=True):
        np.testing.assert_array_equal(a.detach(), b.detach())
    assert gradcheck(lambda *s: tuple(unpack_sequence(pack_sequence(list(s), enforce_sorted=False))), parts)
    padded, lengths = pad_packed_sequence(packed, batch_first=True)
    assert lengths.tolist() == LENGTHS
    again = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
    np.testing.assert_array_equal(again.data.detach(), packed.data.detach())


def test_packed_sequences_are_copied_and_converted():
    packed = pack_sequence([tensor([1.0, 2.0]), tensor([3.0])])
    for twin in (copy.deepcopy(packed), pickle.loads(pickle.dumps(packed))):
        assert type(twin) is PackedSequence
        np.testing.assert_array_equal(twin.data, packed.data)
    assert packed.double().data.dtype == float64
    assert packed.long().data.tolist() == [1, 3, 2]
    assert packed.cpu() is packed
    assert packed.float() is packed
    assert packed.sorted_indices is None
    assert invert_permutation(None) is None


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: pack_padded_sequence(autograd.ones(3, 2), [1, 2]), ValueError, "enforce_sorted=False sorts them"),
        (lambda: pack_padded_sequence(autograd.ones(3, 2), [4, 2]), ValueError, "within 1 and 3"),
        (lambda: pack_padded_sequence(autograd.ones(3, 2), [2, 0]), ValueError, "within 1 and 3"),
        (lambda: pack_padded_sequence(autograd.ones(3, 2), [2]), ShapeError, "each of the 2 sequences, got 1"),
        (lambda: pack_padded_sequence(autograd.ones(3, 2), [1.5, 1.0]), TypeError, "must be a list or 1-d Tensor"),
        (lambda: pack_padded_sequence(autograd.ones(3), [1]), ShapeError, "at least 2 dimensions"),
        (lambda: pack_sequence([]), ValueError, "at least one sequence"),
        (lambda: pack_sequence(3.0), TypeError, "must be a list of Tensors"),
        (lambda: pad_sequence([autograd.ones(2, 3), autograd.ones(2, 2)]), ShapeError, "sizes after the first agree"),
        (lambda: pad_sequence([autograd.ones(2)], padding_side="top"), ValueError, "padding_side must be"),
        (lambda: unpad_sequence(autograd.ones(2, 3), [1]), ShapeError, "must be as many"),
        (lambda: pad_packed_sequence(autograd.ones(3)), TypeError, "must be a PackedSequence"),
        (lambda: pad_packed_sequence(pack_sequence([autograd.ones(3)]), total_length=2), ValueError, "at least 3"),
        (lambda: PackedSequence(autograd.ones(3)), TypeError, "batch_sizes is missing"),
        (lambda: nn.RNN(3, 2)(pack_sequence([autograd.ones(3, 2)])), ShapeError, "input's data must have shape"),
    ],
)
def test_bad_sequences_are_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


# Causal masks


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("padding", [None, [[False, False, True], [False, False, False]]])
@pytest.mark.parametrize("extra", [False, True])
def test_is_causal_equals_the_mask_that_says_the_same(need_weights, padding, extra):
    autograd.manual_seed(0)
    layer = nn.MultiheadAttention(4, 2, add_bias_kv=extra, add_zero_attn=extra)
    x = autograd.randn(3, 2, 4)
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    how = {"need_weights": need_weights, "key_padding_mask": None if padding is None else tensor(padding)}
    wanted, weights = layer(x, x, x, attn_mask=mask, **how)
    for given in ({"is_causal": True}, {"is_causal": True, "attn_mask": mask}, {"attn_mask": mask < 0}):
        out, shares = layer(x, x, x, **given, **how)
        np.testing.assert_allclose(out.detach(), wanted.detach(), rtol=1e-5, atol=1e-6)
        assert (shares is None) == (not need_weights)
        if shares is not None:
            np.testing.assert_allclose(shares.detach(), weights.detach(), rtol=1e-5, atol=1e-6)


def test_a_causal_encoder_does_not_look_ahead():
    autograd.manual_seed(0)
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2).eval()
    x = autograd.randn(5, 1, 4, requires_grad=True)
    for how in ({"is_causal": True}, {"mask": nn.Transformer.generate_square_subsequent_mask(5)}):
        out = model(x, **how)
        # Sums and sums of squares of what a norm gives are constants; cubes are not.
        (g,) = autograd.grad((out[1:3] ** 3).sum(), [x])
        assert np.abs(g[:3]).min() > 1e-4
        np.testing.assert_array_equal(g[3:], 0)


def test_a_mask_that_is_learned_gets_its_gradient_though_it_starts_as_a_causal_one():
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1).eval()
    mask = nn.Transformer.generate_square_subsequent_mask(3).requires_grad_()
    model(autograd.randn(3, 2, 4), mask).square().sum().backward()
    assert mask.grad is not None
    assert np.abs(mask.grad.numpy()[np.tril_indices(3)][1:]).max() > 0


def test_a_copied_layer_has_parameters_of_its_own():
    layer = nn.TransformerDecoderLayer(4, 2, 8)
    model = nn.TransformerDecoder(layer, 2)
    ids = {id(p) for part in (layer, *model.layers) for p in part.parameters()}
    assert len(ids) == 3 * len(list(layer.parameters()))


def test_a_query_that_may_look_nowhere_gets_no_nan():
    layer = nn.MultiheadAttention(4, 2)
    x = autograd.randn(3, 1, 4)
    out, weights = layer(x, x, x, attn_mask=tensor([[False] * 3, [True] * 3, [False] * 3]))
    assert not np.isnan(out.detach().numpy()).any()
    np.testing.assert_array_equal(weights[0, 1].detach(), np.zeros(3))


@pytest.mark.reference
def test_heads_as_given_equal_pytorchs():
    import torch

    autograd.manual_seed(0)
    rng = np.random.default_rng(0)
    x, w, o = rng.standard_normal((3, 2, 4)), rng.standard_normal((12, 4)), rng.standard_normal((4, 4))
    static = rng.standard_normal((2, 4, 5, 2))

    def call(lib, f):
        x_, w_, o_, k, v = (lib.tensor(a) for a in (x, w, o, *static))
        return f(x_, x_, x_, 4, 2, w_, None, None, None, True, 0.0, o_, None, static_k=k, static_v=v)

    ours = call(autograd, nn.functional.multi_head_attention_forward)
    theirs = call(torch, torch.nn.functional.multi_head_attention_forward)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


# The quick forms of the loops, and the plain ones that are recorded


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("batch_sizes", [(3, 3, 3, 3), (4, 2, 2, 1)])
@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_that_are_recorded_equal_those_that_are_not(kind, batch_sizes, reverse):
    rng = np.random.default_rng(0)
    rows, batch = sum(batch_sizes), batch_sizes[0]
    shapes = {
        "RNN": [(rows, 3), (3, 3), (batch, 3)],
        "GRU": [(rows, 9), (9, 3), (batch, 3), (9,)],
        "LSTM": [(rows, 12), (12, 2), (batch, 2), (batch, 3), (2, 3)],
    }[kind]
    scan = {"RNN": autograd.rnn_scan, "GRU": autograd.gru_scan, "LSTM": autograd.lstm_scan}[kind]
    given = [tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes]
    outs = scan(*given, batch_sizes=batch_sizes, reverse=reverse)
    for chosen in (outs, outs[:1], outs[1:]):
        g = [tensor(rng.standard_normal(y.shape)) for y in chosen]
        quick = autograd.grad(chosen, given, g, retain_graph=True)
        plain = autograd.grad(chosen, given, g, create_graph=True)
        for a, b in zip(quick, plain, strict=True):
            np.testing.assert_allclose(a, b.detach(), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("batch_sizes", [(5,) * 7, (4, 4, 4, 3, 3, 1, 1, 1), (1,) * 5, (3,), (3, 2, 1)])
@pytest.mark.parametrize("kind", ["RNN", "relu", "GRU", "biased", "LSTM", "projected"])
@pytest.mark.parametrize("in_pieces", [False, True])
def test_loops_in_place_give_what_the_recorded_ones_give(kind, batch_sizes, reverse, dtype, in_pieces, monkeypatch):
    """Values and gradients: steps in several runs, arrays that are not in order in memory, every input on its own."""
    monkeypatch.setattr(numpy_recurrent, "_CACHED", 100)
    packed = []
    if in_pieces:  # of two columns
        for name, value in {
            "_PIECE": 2 * np.dtype(dtype).itemsize, "_FORTH": (0, 1 << 30), "_BACK": (0, 1 << 30), "_SHORT": 0,
            "_packed": lambda *of, way=numpy_recurrent._packed: packed.append(of) or way(*of),
        }.items():  # fmt: skip
            monkeypatch.setattr(numpy_recurrent, name, value)
    rng = np.random.default_rng(0)
    rows, batch, size, width = sum(batch_sizes), batch_sizes[0], *((8, 6) if in_pieces else (3, 2))
    scan, gates, others, how = {
        "RNN": (autograd.rnn_scan, 1, [], {}), "relu": (autograd.rnn_scan, 1, [], {"nonlinearity": "relu"}),
        "GRU": (autograd.gru_scan, 3, [], {}), "biased": (autograd.gru_scan, 3, [(3 * size,)], {}),
        "LSTM": (autograd.lstm_scan, 4, [(batch, size)], {}),
        "projected": (autograd.lstm_scan, 4, [(batch, size), (width, size)], {}),
    }[kind]  # fmt: skip
    width = width if kind == "projected" else size
    shapes = [(rows, gates * size), (gates * size, width), (batch, width), *others]
    arrays = [np.asfortranarray(rng.standard_normal(shape).astype(dtype)) for shape in shapes]
    kept = [a.copy() for a in arrays]
    given = [tensor(a, requires_grad=True) for a in arrays]
    how |= {"batch_sizes": batch_sizes, "reverse": reverse}
    outs = scan(*given, **how)
    with autograd.no_grad():
        plain_outs = scan.forward(xp, *given, **how)[0]
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if dtype == "f4" else {"rtol": 1e-10, "atol": 1e-12}
    for a, b in zip(outs, plain_outs, strict=True):
        assert a.dtype == dtype
        np.testing.assert_allclose(a.detach(), b.detach(), **tolerance)
    g = [tensor(np.asfortranarray(rng.standard_normal(y.shape).astype(dtype))) for y in outs]
    quick = autograd.grad(outs, given, g, retain_graph=True)
    plain = autograd.grad(outs, given, g, create_graph=True)
    for i, (a, b) in enumerate(zip(quick, plain, strict=True)):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, b.detach(), **tolerance)
        np.testing.assert_array_equal(autograd.grad(outs, given[i], g, retain_graph=True)[0], a)
    for a, b in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (len(packed) > 1) == (in_pieces and batch > 1 and len(batch_sizes) > 3)  # forward and backward


def test_large_steps_are_made_in_pieces_from_the_start_of_a_line_of_the_cache(monkeypatch):
    starts = []
    packed = numpy_recurrent._packed

    def kept(*of):
        found = packed(*of)
        starts.append(found.ctypes.data % 64)
        return found

    monkeypatch.setattr(numpy_recurrent, "_packed", kept)
    for layer in (nn.RNN(128, 128), nn.GRU(128, 128), nn.LSTM(128, 128)):
        out, _ = layer(autograd.randn(4, 64, 128))
        out.sum().backward()
    assert starts == [0] * 6
    nn.LSTM(8, 8)(autograd.randn(4, 64, 8))
    assert len(starts) == 6


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (((4, 12), (12, 3), (2, 3), (2, 3)), ShapeError, "x must have shape .6, 12., got .4, 12."),
        (((6, 12), (12, 3), (1, 3), (2, 3)), ShapeError, "h must have shape .2, 3., got .1, 3."),
        (((6, 12), (12, 2), (2, 3), (2, 3)), ShapeError, "weight must have shape"),
        (((6, 12), (12, 3), (2, 3), (2, 3), (3, 2)), ShapeError, "projection must have shape"),
    ],
)
def test_loops_refuse_what_does_not_fit(arguments, kind, message):
    with pytest.raises(kind, match=message):
        autograd.lstm_scan(*(autograd.ones(shape) for shape in arguments), batch_sizes=(2, 2, 2))


def test_loops_refuse_steps_that_grow_and_mixed_dtypes():
    x, w, h = autograd.ones(3, 1), autograd.ones(1, 1), autograd.ones(1, 1)
    with pytest.raises(ShapeError, match="none larger than that before it"):
        autograd.rnn_scan(x, w, h, batch_sizes=(1, 2))
    with pytest.raises(ShapeError, match="a number for each step"):
        autograd.rnn_scan(x[:0], w, h[:0], batch_sizes=())
    with pytest.raises(autograd.DTypeError, match="one dtype"):
        autograd.rnn_scan(x, w, h.double(), batch_sizes=(1, 1, 1))
    with pytest.raises(ValueError, match="nonlinearity must be"):
        autograd.rnn_scan(x, w, h, batch_sizes=(1, 1, 1), nonlinearity="gelu")


@pytest.mark.parametrize("kind", MODELS)
def test_first_states_of_another_dtype_are_refused(kind):
    model = MODELS[kind](nn)
    hx = [autograd.zeros(4, 2, n, dtype=float64) for n in ([2, 4] if kind == "LSTM" else [4])]
    with pytest.raises(autograd.DTypeError, match="h_0 is float64 and input float32"):
        model(autograd.ones(5, 2, 3), tuple(hx) if kind == "LSTM" else hx[0])


@pytest.mark.reference
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("bias", [True, False])
def test_the_names_of_all_weights_are_pytorchs(kind, bias):
    import torch

    ours, theirs = (getattr(lib, kind)(3, 4, num_layers=2, bias=bias, bidirectional=True) for lib in (nn, torch.nn))
    assert ours._all_weights == theirs._all_weights
    shapes = [[tuple(w.shape) for w in weights] for weights in ours.all_weights]
    assert shapes == [[tuple(w.shape) for w in weights] for weights in theirs.all_weights]
