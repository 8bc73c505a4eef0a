"""Sequences: inputs and targets, an unrolled network, temperature, Jacobians through time, gates, causal attention."""

from __future__ import annotations

import math

import numpy as np

import autograd
import nn

from .exercises import Answer, exercise, wrong

_LETTERS = ".abcdefghijklmnopqrstuvwxyz"


def _numbers(word: str) -> list[int]:
    return [_LETTERS.index(letter) for letter in word]


def _generator(seed: int) -> autograd.Generator:
    return autograd.Generator().manual_seed(seed)


def _randn(*shape: int, seed: int) -> autograd.Tensor:
    return autograd.randn(*shape, generator=_generator(seed))


def _alike(one: autograd.Tensor, other: autograd.Tensor) -> bool:
    a, b = np.asarray(one.detach()), np.asarray(other.detach())
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-4, atol=1e-6))


def _tensor(answer: Answer) -> autograd.Tensor:
    if not isinstance(answer.value, autograd.Tensor):
        wrong(f"{answer.label} is a {type(answer.value).__name__}; a Tensor is wanted, so that gradients flow.")
    return answer.value


@exercise("12.1")
def question_and_answer(question_and_answer: Answer) -> str:
    """The input is the dot and the name, the target the name and the dot; both are cut from one list, `.name.`."""
    for word in ("ada", "bo", "zoe", "maximilian"):
        pair = question_and_answer(word)
        if not isinstance(pair.value, tuple | list) or len(pair.value) != 2:
            wrong(f"{pair.label} is to be two lists, the input and the target.")
        inputs, targets = (list(part) for part in pair.value)
        whole = _numbers(f".{word}.")
        shown = f"question_and_answer({word!r})"
        if targets == whole[:-1] and inputs == whole[1:]:
            wrong(f"{shown} has the two the wrong way round: the input comes first, and the target is ahead of it.")
        if inputs == targets:
            wrong(f"{shown} asks for each letter where it has just been read; the target is one place further on.")
        if inputs == whole[1:-1]:
            wrong(
                f"{shown}: the input begins with the first letter; a dot comes before it, to ask for that letter too."
            )
        if targets == whole[1:-1]:
            wrong(f"{shown}: the target ends with the last letter; the dot behind it says that the name ends.")
        Answer(inputs, f"the input of {word!r}").gives(whole[:-1])
        Answer(targets, f"the target of {word!r}").gives(whole[1:])
    return "One list, read twice, one place apart."


@exercise("12.2")
def states(states: Answer) -> str:
    """tanh of three terms: W @ item, U @ h with the state of the step before, and b."""
    for steps, inputs, size, seed in ((4, 3, 2, 1), (1, 2, 3, 0), (6, 2, 5, 2)):
        x, w, b = _randn(steps, inputs, seed=seed), _randn(size, inputs, seed=seed + 10), _randn(size, seed=seed + 20)
        u = (_randn(size, size, seed=seed + 30) / 2).requires_grad_()
        layer = nn.RNN(inputs, size, batch_first=True)
        with autograd.no_grad():
            for parameter, value in zip(layer.parameters(), (w, u, b, autograd.zeros(size)), strict=True):
                parameter.copy_(value)
        wanted = layer(x[None])[0][0]
        got = Answer(states(x, w, u, b).value, f"states of {steps} items")
        found = _tensor(got)
        if found.shape == (size,) and steps > 1:
            wrong(f"{got.label} is one state; all {steps} of them are wanted, one row for each item.")
        if found.shape == wanted.shape and not _alike(found, wanted):
            got.holds(np.abs(np.asarray(found.detach())).max() <= 1, "has entries beyond ±1: where is tanh?")
            got.holds(
                not _alike(found, autograd.tanh(x @ w.T + b)),
                "depends on the items alone: U @ h, with the state of the step before, is missing.",
            )
            with autograd.no_grad():
                layer.weight_hh_l0.copy_(u.T)
            got.holds(not _alike(found, layer(x[None])[0][0]), "uses U the other way round: U @ h is wanted.")
            got.holds(
                not _alike(found[0], wanted[0]), "is right in its first row only: does the new state go into the next?"
            )
            got.holds(not _alike(found[0], autograd.tanh(w @ x[0])), "has no b in it: tanh of three terms is wanted.")
        got.gives(wanted, rtol=1e-4, atol=1e-6)
        if steps > 1:
            got.holds(found.requires_grad, "is cut off from U: keep to Tensors, without detach() and numpy().")
            gradient = autograd.grad(found[-1].sum(), [u])[0]
            layer(x[None])[0][0, -1].sum().backward()
            got.holds(
                _alike(gradient, layer.weight_hh_l0.grad),
                "has the right values, and the gradient of its last row for U is not right: was the state detached?",
            )
    return "It agrees with nn.RNN, and so does its gradient."


@exercise("12.3")
def probabilities(probabilities: Answer) -> str:
    """Divide the logits by the temperature, then take autograd.softmax over the last dimension."""
    for rows, seed in ((1, 0), (4, 1)):
        logits = 2 * _randn(rows, 27, seed=seed)
        for temperature in (1.0, 0.5, 3.0):
            got = probabilities(logits, temperature)
            found = _tensor(got)
            p = autograd.softmax(logits, dim=-1)
            got.holds(found.shape == (rows, 27), f"has shape {found.shape}; ({rows}, 27) is wanted.")
            if rows > 1:
                got.holds(
                    not _alike(found, autograd.softmax(logits / temperature, dim=0)),
                    "sums to 1 down its columns; softmax is to go along the last dimension.",
                )
            if temperature != 1:
                got.holds(not _alike(found, p), "does not depend on the temperature.")
                got.holds(
                    not _alike(found, autograd.softmax(logits * temperature, dim=-1)),
                    "goes the wrong way, daring where it should be careful: divide by the temperature.",
                )
                got.holds(
                    not _alike(found, p / temperature) and not _alike(found, autograd.softmax(p / temperature, dim=-1)),
                    "divides the probabilities; it is the logits that are divided, before the softmax.",
                )
            got.holds(
                np.allclose(found.numpy().sum(-1), 1, atol=1e-4), "has rows that do not sum to 1; softmax does that."
            )
            got.gives(autograd.softmax(logits / temperature, dim=-1), rtol=1e-4, atol=1e-6)
    large = autograd.tensor([[0.0] * 25 + [900.0, 890.0]])
    with np.errstate(all="ignore"):
        got = probabilities(large, 0.5)
    got.holds(
        np.isfinite(np.asarray(_tensor(got).detach())).all(),
        "is not finite for a logit of 900, since e^z overflows; autograd.softmax does not.",
    )
    got.gives(autograd.softmax(large / 0.5, dim=-1))
    return "Towards 0 the likeliest letter gets all; towards ∞ all letters are equally likely."


@exercise("12.4")
def step_jacobian(step_jacobian: Answer) -> str:
    """Row i of U belongs to entry i of h, so each row is multiplied by its own 1 − h²: use a column, (H, 1)."""
    for size, seed in ((2, 0), (3, 1), (5, 2)):
        u, before, rest = _randn(size, size, seed=seed), _randn(size, seed=seed + 10), _randn(size, seed=seed + 20)
        wanted = autograd.jacobian(lambda h, u=u, rest=rest: autograd.tanh(u @ h + rest))(before)
        h = autograd.tanh(u @ before + rest)
        slope = 1 - h**2
        got = step_jacobian(h, u)
        found = got.value
        if isinstance(found, autograd.Tensor) and found.shape == wanted.shape:
            got.holds(not _alike(found, u), "is U alone: the slope of tanh is missing.")
            got.holds(
                not _alike(found, u * slope),
                "has the slopes on the columns of U. Entry i of h has row i of U, so its slope belongs to that row.",
            )
            got.holds(not _alike(found, (1 - h).reshape(-1, 1) * u), "uses 1 − h; the slope of tanh is 1 − h².")
            slope_of_h = (1 - autograd.tanh(h) ** 2).reshape(-1, 1)
            got.holds(
                not _alike(found, slope_of_h * u), "takes tanh of h once more; h is a tanh already, so 1 − h² is it."
            )
        if isinstance(found, autograd.Tensor) and found.shape == (size,):
            wrong(f"{got.label} is a vector; a matrix is wanted, one derivative for each pair of entries.")
        got.gives(wanted, rtol=1e-4, atol=1e-6)
    return "autograd.jacobian finds the same matrix."


@exercise("12.5")
def opened(opened: Answer) -> str:
    """The forget gates have the second quarter, H to 2 H; set it to `bias` in one vector and to 0 in the other."""
    for size, bias, seed in ((3, 3.0, 0), (5, 1.0, 1), (4, -2.0, 2)):
        autograd.manual_seed(seed)
        lstm = nn.LSTM(2, size, batch_first=True)
        before = {name: p.detach().clone() for name, p in lstm.named_parameters()}
        got = opened(lstm, bias)
        name = f"opened(an LSTM of {size} units, {bias:g})"
        if not isinstance(got.value, nn.LSTM):
            wrong(f"{name} returned a {type(got.value).__name__}; return the layer.")
        both = (got.value.bias_ih_l0 + got.value.bias_hh_l0).detach()
        old = before["bias_ih_l0"] + before["bias_hh_l0"]
        quarters = {gate: slice(i * size, (i + 1) * size) for i, gate in enumerate("ifgo")}
        changed = [gate for gate, part in quarters.items() if not _alike(both[part], old[part])]
        if not changed:
            wrong(f"{name} changed no bias.")
        for gate in changed:
            if gate != "f":
                wrong(f"{name} changed the biases of {gate}; the quarters are those of i, f, g, o.")
        forget = both[quarters["f"]]
        if _alike(forget, autograd.full((size,), 2 * bias)):
            wrong(f"{name}: the two vectors are added, so together the biases are {2 * bias:g} now.")
        if _alike(forget, old[quarters["f"]] + bias) or _alike(forget, old[quarters["f"]] + 2 * bias):
            wrong(f"{name} added to what was there; together the biases are to be {bias:g}, so set them.")
        partly = [before[v][quarters["f"]] + bias for v in ("bias_ih_l0", "bias_hh_l0")]
        if any(_alike(forget, p) for p in partly):
            wrong(f"{name} set one of the two vectors; what the other holds is still added to it.")
        Answer(forget, f"the forget gates' biases after {name}").gives(np.full(size, bias), rtol=1e-4, atol=1e-5)
        for weights in ("weight_ih_l0", "weight_hh_l0"):
            if not _alike(getattr(got.value, weights), before[weights]):
                wrong(f"{name} changed {weights} too; only biases are to change.")
        if not all(p.requires_grad and p.is_leaf for p in got.value.parameters()):
            wrong(f"{name} put something else in place of the parameters; write into them with [...] = .")
        kept = 1 / (1 + math.exp(-bias))
        with autograd.no_grad():
            for parameter in (*got.value.parameters(),):
                parameter[:size] = 0 if parameter.ndim == 1 else parameter[:size]
            got.value.weight_ih_l0.zero_()
            got.value.weight_hh_l0.zero_()
            for vector in (got.value.bias_ih_l0, got.value.bias_hh_l0):
                vector[2 * size : 3 * size] = 0  # nothing new is written
            start = autograd.ones(1, 1, size)
            _, (_, cell) = got.value(autograd.zeros(1, 4, 2), (start, start))
        Answer(cell[0, 0], f"the cell after 4 steps of keeping σ({bias:g}) = {kept:.2f} of it").gives(
            np.full(size, kept**4), rtol=1e-3
        )
    return "With bias 3 a gate keeps 0.95 of the cell per step, with bias 0 it keeps half."


@exercise("12.6")
def attention(attention: Answer) -> str:
    """scores = q @ k.T / √d; fill what lies above the diagonal with −∞; then softmax along the last dimension."""
    for steps, size, seed in ((3, 4, 1), (1, 2, 0), (6, 8, 2)):
        q, k, v = (2 * _randn(steps, size, seed=seed + 10 * i) for i in range(3))
        with np.errstate(invalid="ignore"):
            got = Answer(attention(q, k, v).value, f"attention of {steps} positions")
        found = _tensor(got)
        if steps > 1 and found.shape == (steps, size):
            hidden = autograd.ones(steps, steps).triu(1).bool()
            scores = q @ k.T / math.sqrt(size)
            masked = scores.masked_fill(hidden, -math.inf)
            beyond = autograd.ones(steps, steps).triu(2).bool()
            past = autograd.ones(steps, steps).tril(-1).bool()
            unscaled = (q @ k.T).masked_fill(hidden, -math.inf)
            typical = {
                "looks ahead: nothing is masked.": autograd.softmax(scores, dim=-1) @ v,
                "looks one position ahead: the mask begins right above the diagonal, triu(1).":
                    autograd.softmax(scores.masked_fill(beyond, -math.inf), dim=-1) @ v,
                "masks the past and sees what is to come: the mask belongs above the diagonal.":
                    autograd.softmax(scores.masked_fill(past, -math.inf), dim=-1) @ v,
                "does not divide the scores by √d.": autograd.softmax(unscaled, dim=-1) @ v,
                "sees neither the mask nor the division by √d.": autograd.softmax(q @ k.T, dim=-1) @ v,
                "masks behind the softmax, so that the weights of a row do not sum to 1 any more; mask the scores.":
                    autograd.softmax(scores, dim=-1).masked_fill(hidden, 0) @ v,
                "gives masked scores the value 0, and e⁰ is 1: they still count. Fill in −∞.":
                    autograd.softmax(scores.masked_fill(hidden, 0), dim=-1) @ v,
                "divides by d; the square root of d is wanted.":
                    autograd.softmax((q @ k.T / size).masked_fill(hidden, -math.inf), dim=-1) @ v,
                "has keys and queries exchanged: position t asks with q, in row t.":
                    autograd.softmax(scores.T.masked_fill(hidden, -math.inf), dim=-1) @ v,
                "takes softmax down the columns; each row is to sum to 1.":
                    autograd.softmax(masked, dim=0) @ v,
            }  # fmt: skip
            for sentence, mistake in typical.items():
                got.holds(not _alike(found, mistake), sentence)
            got.holds(
                not np.isnan(np.asarray(found.detach())).any(),
                "has NaN in it: is a whole row masked, perhaps the triangle on the wrong side?",
            )
        got.gives(
            nn.functional.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True)[0],
            rtol=1e-4, atol=1e-5,
        )  # fmt: skip
    changed = v.clone()
    changed[-1] = 100.0
    Answer(attention(q, k, changed).value[:-1], "what comes out before the last position, when only that is changed,")\
        .gives(found[:-1], rtol=1e-4, atol=1e-5)  # fmt: skip
    return "It is nn.functional.scaled_dot_product_attention(…, is_causal=True)."
