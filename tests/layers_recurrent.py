"""Rows of the recurrent layers and cells."""

from __future__ import annotations

import numpy as np
from layers import Row, floats

import autograd
from autograd import DTypeError, ShapeError


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def hidden_and_input(module, x, h, suffix):
    """W_ih x + b_ih and W_hh h + b_hh."""
    parameters = {n: p.detach().numpy() for n, p in module.named_parameters()}
    given, kept = x @ parameters["weight_ih" + suffix].T, h @ parameters["weight_hh" + suffix].T
    if module.bias:
        given, kept = given + parameters["bias_ih" + suffix], kept + parameters["bias_hh" + suffix]
    return given, kept


def rnn_step(module, x, h, suffix):
    z = sum(hidden_and_input(module, x, h, suffix))
    return np.tanh(z) if module.nonlinearity == "tanh" else np.maximum(z, 0)


def gru_step(module, x, h, suffix):
    given, kept = (np.split(part, 3, -1) for part in hidden_and_input(module, x, h, suffix))
    r, z = sigmoid(given[0] + kept[0]), sigmoid(given[1] + kept[1])
    return (1 - z) * np.tanh(given[2] + r * kept[2]) + z * h


def lstm_step(module, x, states, suffix):
    h, c = states
    i, f, u, o = np.split(sum(hidden_and_input(module, x, h, suffix)), 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
    h = sigmoid(o) * np.tanh(c)
    projection = getattr(module, "weight_hr" + suffix, None)
    return (h if projection is None else h @ projection.detach().numpy().T), c


def layered(step, first):
    """The outputs of all layers and directions, step by step."""

    def formula(module, x, *states):
        x = x.swapaxes(0, 1) if module.batch_first and x.ndim == 3 else x
        for layer in range(module.num_layers):
            outs = []
            for k, suffix in enumerate([f"_l{layer}", f"_l{layer}_reverse"][: 1 + module.bidirectional]):
                number = layer * (1 + module.bidirectional) + k
                state = states[0][number] if states else first(module, x.shape[1:-1])
                results = []
                for row in x[:: -1 if k else 1]:
                    state = step(module, row, state, suffix)
                    results.append(state[0] if isinstance(state, tuple) else state)
                outs.append(np.stack(results[:: -1 if k else 1]))
            x = np.concatenate(outs, -1)
        return x.swapaxes(0, 1) if module.batch_first and x.ndim == 3 else x

    return formula


def zeros(module, batch):
    return np.zeros((*batch, module.hidden_size))


def zero_pair(module, batch):
    return np.zeros((*batch, module.proj_size or module.hidden_size)), zeros(module, batch)


rnn, gru, lstm = layered(rnn_step, zeros), layered(gru_step, zeros), layered(lstm_step, zero_pair)


def stepped(step):
    """One step, from zeros if there is no state."""
    return lambda module, x, h=None: step(module, x, zeros(module, x.shape[:-1]) if h is None else h, "")


def lstm_cell(module, x):
    return lstm_step(module, x, (zeros(module, x.shape[:-1]),) * 2, "")[0]


def ones(*shape, dtype=autograd.float32):
    return autograd.ones(*shape, dtype=dtype)


def layer_refusals(states):
    """Bad inputs of a layer of sizes 3 and 4; ``states(batch)`` are its states for a batch."""
    return (
        (lambda: (ones(5, 2, 2),), ShapeError, "input must have shape"),
        (lambda: (ones(3),), ShapeError, "input must have shape"),
        (lambda: (ones(0, 2, 3),), ShapeError, "at least one step"),
        (lambda: (np.ones((5, 2, 3)),), ShapeError, "input must have shape"),
        (lambda: (ones(5, 2, 3, dtype=autograd.float64),), DTypeError, "input is float64"),
        (lambda: (ones(5, 2, 3), states(1)), ShapeError, "h_0 must have shape"),
    )


CELL_REFUSALS = (
    (lambda: (ones(2, 2),), ShapeError, "input must have shape"),
    (lambda: (ones(1, 2, 3),), ShapeError, "input must have shape"),
    (lambda: (ones(2, 3, dtype=autograd.float64),), DTypeError, "input is float64"),
)
STATE_REFUSALS = (
    (lambda: (ones(2, 3), ones(1, 4)), ShapeError, "hx must have shape"),
    (lambda: (ones(3), ones(1, 4)), ShapeError, "hx must have shape"),
)

LAYERS = {
    "RNN": [
        Row(lambda lib: lib.nn.RNN(3, 4), floats((5, 2, 3)), rnn, layer_refusals(lambda b: ones(1, b, 4))),
        Row(lambda lib: lib.nn.RNN(3, 4, nonlinearity="relu", bias=False), floats((5, 2, 3), (1, 2, 4)), rnn),
        Row(lambda lib: lib.nn.RNN(3, 4, 2, "relu", batch_first=True, bidirectional=True), floats((2, 5, 3)), rnn),
        Row(lambda lib: lib.nn.RNN(3, 2, 2, bidirectional=True), floats((4, 3), (4, 2))),
        Row(lambda lib: lib.nn.RNN(3, 2, 3, dropout=0.5), floats((3, 2, 3)), random=True),
        Row(lambda lib: lib.nn.RNN(3, 2), floats((1, 1, 3)), rnn),
    ],
    "GRU": [
        Row(lambda lib: lib.nn.GRU(3, 4), floats((5, 2, 3)), gru, layer_refusals(lambda b: ones(1, b, 4))),
        Row(lambda lib: lib.nn.GRU(3, 4, bias=False), floats((5, 2, 3), (1, 2, 4)), gru),
        Row(lambda lib: lib.nn.GRU(3, 2, 2, batch_first=True, bidirectional=True), floats((2, 5, 3)), gru),
        Row(lambda lib: lib.nn.GRU(3, 2, 2, bidirectional=True), floats((4, 3), (4, 2))),
        Row(lambda lib: lib.nn.GRU(3, 2, 2, dropout=0.5), floats((3, 2, 3)), random=True),
        Row(lambda lib: lib.nn.GRU(3, 2), floats((1, 2, 3)), gru),
    ],
    "LSTM": [
        Row(
            lambda lib: lib.nn.LSTM(3, 4), floats((5, 2, 3)), lstm,
            (
                *layer_refusals(lambda b: (ones(1, b, 4), ones(1, b, 4))),
                (lambda: (ones(5, 2, 3), ones(1, 2, 4)), TypeError, "must be a pair"),
                (lambda: (ones(5, 2, 3), (ones(1, 2, 4), ones(1, 4))), ShapeError, "c_0 must have shape"),
            ),
        ),
        Row(lambda lib: lib.nn.LSTM(3, 4, bias=False, proj_size=2), floats((5, 2, 3)), lstm),
        Row(lambda lib: lib.nn.LSTM(3, 2, 2, batch_first=True, bidirectional=True), floats((2, 5, 3)), lstm),
        Row(lambda lib: lib.nn.LSTM(3, 3, 2, bidirectional=True, proj_size=2), floats((4, 3)), lstm),
        Row(lambda lib: lib.nn.LSTM(3, 2, 2, dropout=0.5), floats((3, 2, 3)), random=True),
        Row(lambda lib: lib.nn.LSTM(3, 2), floats((1, 2, 3)), lstm),
    ],
    "RNNCell": [
        Row(lambda lib: lib.nn.RNNCell(3, 4), floats((2, 3)), stepped(rnn_step), CELL_REFUSALS + STATE_REFUSALS),
        Row(lambda lib: lib.nn.RNNCell(3, 4, False, "relu"), floats((2, 3), (2, 4)), stepped(rnn_step)),
        Row(lambda lib: lib.nn.RNNCell(3, 4), floats((3,), (4,)), stepped(rnn_step)),
    ],
    "GRUCell": [
        Row(lambda lib: lib.nn.GRUCell(3, 4), floats((2, 3)), stepped(gru_step), CELL_REFUSALS + STATE_REFUSALS),
        Row(lambda lib: lib.nn.GRUCell(3, 4, bias=False), floats((2, 3), (2, 4)), stepped(gru_step)),
        Row(lambda lib: lib.nn.GRUCell(3, 4), floats((3,), (4,)), stepped(gru_step)),
    ],
    "LSTMCell": [
        Row(
            lambda lib: lib.nn.LSTMCell(3, 4), floats((2, 3)), lstm_cell,
            (
                *CELL_REFUSALS,
                (lambda: (ones(2, 3), ones(2, 4)), TypeError, "must be a pair"),
                (lambda: (ones(2, 3), (ones(2, 4), ones(1, 4))), ShapeError, "hx must have shape"),
            ),
        ),
        Row(lambda lib: lib.nn.LSTMCell(3, 4, bias=False), floats((2, 3)), lstm_cell),
        Row(lambda lib: lib.nn.LSTMCell(3, 4), floats((3,)), lstm_cell),
    ],
}  # fmt: skip
