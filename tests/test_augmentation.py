"""Random changes of images: what they do to pixels, how they are drawn, and as part of a data set."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import scipy.ndimage

import autograd
from nn.data import (
    Augmented,
    Compose,
    DataLoader,
    GaussianNoise,
    RandomAffine,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomShift,
    TensorDataset,
)


def seeded(seed=0):
    return autograd.Generator().manual_seed(seed)


def images(n=3, *shape):
    return np.random.default_rng(0).random((n, *(shape or (2, 6, 9))))


CHANGES = {
    "affine": lambda: RandomAffine(30, (1.5, 2), (0.8, 1.2)),
    "nearest": lambda: RandomAffine(30, 1, (0.8, 1.2), "nearest", "border"),
    "rotation": lambda: RandomRotation(30, padding_mode="reflection"),
    "shift": lambda: RandomShift(2),
    "crop": lambda: RandomCrop((6, 9), padding=2),
    "smaller": lambda: RandomCrop(4),
    "flip": lambda: RandomFlip(),
    "vertical": lambda: RandomFlip(0.5, "vertical"),
    "noise": lambda: GaussianNoise(0.3),
    "all": lambda: Compose([RandomRotation(30), RandomFlip(), RandomShift(1), GaussianNoise(0.1)]),
}


@pytest.mark.parametrize("make", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("shape", [(6, 9), (1, 6, 9), (2, 6, 9), (2, 2, 6, 9)])
def test_seeds_kinds_and_shapes(make, shape):
    x = images(40, *shape)
    change = make()
    out = change(x, seeded())
    assert type(out) is np.ndarray and out.dtype == np.float64 and out.shape[:-2] == x.shape[:-2]
    np.testing.assert_array_equal(change(x, seeded()), out)
    np.testing.assert_array_equal(copy.deepcopy(change)(autograd.tensor(x), seeded()).numpy(), out)
    assert not np.array_equal(change(x, seeded(1)), out)
    assert change(x.astype("f"), seeded()).dtype == np.float32
    autograd.manual_seed(2)
    common = change(x)
    autograd.manual_seed(2)
    np.testing.assert_array_equal(change(x), common)
    np.testing.assert_array_equal(x, images(40, *shape))
    assert change(x[:0], seeded()).shape == (0, *out.shape[1:])
    # Items are changed each in their own way.
    same = change(np.broadcast_to(x[:1], x.shape).copy(), seeded())
    assert len({item.tobytes() for item in same}) > 1


def test_the_generator_of_the_constructor():
    a, b = (RandomShift(2, generator=seeded(3)) for _ in range(2))
    x = images()
    for _ in range(2):
        np.testing.assert_array_equal(a(x), b(x))
    np.testing.assert_array_equal(RandomShift(2, generator=seeded(3))(x, seeded()), RandomShift(2)(x, seeded()))


@pytest.mark.parametrize("shape", [(9, 9), (7, 12)])
def test_turns_and_scales_as_scipy_does(shape, monkeypatch):
    """Inside, where no border matters, the pixels are those of scipy.ndimage.affine_transform."""
    rng = np.random.default_rng(1)
    smooth = scipy.ndimage.gaussian_filter(rng.random(shape), 1)
    h, w = shape
    for seed in range(8):
        generator = seeded(seed)
        out = RandomAffine(40, (2, 1), (0.7, 1.4))(smooth[None], generator)[0]
        again = seeded(seed)
        u = [autograd.rand(1, generator=again, dtype=autograd.float64).item() for _ in range(4)]
        angle, scale, down, right = np.deg2rad(-40 + 80 * u[0]), 0.7 + 0.7 * u[1], -2 + 4 * u[2], -1 + 2 * u[3]
        # (row, column): seen with rows running down, an angle against the clock.
        forward = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        back = np.linalg.inv(forward)
        middle = np.array([(h - 1) / 2, (w - 1) / 2])
        offset = middle - back @ (middle + np.array([down, right]))
        expected = scipy.ndimage.affine_transform(smooth, back, offset, order=1, mode="constant", cval=np.nan)
        inside = np.isfinite(expected)
        assert inside.sum() > 15
        np.testing.assert_allclose(out[inside], expected[inside], rtol=1e-9, atol=1e-12)


def test_an_angle_is_against_the_clock():
    x = np.zeros((200, 21, 21))
    x[:, 10, 18] = 1.0  # right of the middle
    out = RandomRotation(89)(x, seeded())
    angles = np.deg2rad(-89 + 178 * autograd.rand(200, generator=seeded(), dtype=autograd.float64).numpy())
    rows = (out.sum(axis=2) * np.arange(21)).sum(axis=1) / out.sum(axis=(1, 2))
    # Turned against the clock it moves up, to smaller rows.
    np.testing.assert_allclose(rows, 10 - 8 * np.sin(angles), atol=0.6)


def test_shifts_are_of_whole_pixels_and_equally_likely():
    x = np.zeros((4000, 7, 7), "f")
    x[:, 3, 3] = 0.1
    out = RandomShift((1, 2))(x, seeded())
    places = np.argwhere(out == np.float32(0.1))
    assert len(places) == 4000 and set(np.unique(out)) == {np.float32(0), np.float32(0.1)}
    counts = np.zeros((7, 7))
    np.add.at(counts, (places[:, 1], places[:, 2]), 1)
    assert (counts[2:5, 1:6] > 0).all() and counts[2:5, 1:6].sum() == 4000
    np.testing.assert_allclose(counts[2:5, 1:6] / 4000, 1 / 15, atol=0.02)


def test_crops_are_parts():
    x = np.arange(2 * 5 * 6).reshape(1, 2, 5, 6).repeat(200, axis=0)
    out = RandomCrop((3, 4))(x, seeded())
    assert out.dtype == x.dtype and out.shape == (200, 2, 3, 4)
    seen = set()
    for item in out:
        top, left = divmod(int(item[0, 0, 0]), 6)
        np.testing.assert_array_equal(item, x[0, :, top : top + 3, left : left + 4])
        seen.add((top, left))
    assert seen == {(i, j) for i in range(3) for j in range(3)}
    padded = RandomCrop((5, 6), padding=1)(x + 1, seeded())
    assert padded.shape == x.shape and (padded == 0).any() and (padded[:, 0, 2, 2] != 0).all()


@pytest.mark.parametrize(("direction", "axis"), [("horizontal", -1), ("vertical", -2)])
def test_flips(direction, axis):
    x = np.arange(24, dtype="u1").reshape(1, 2, 3, 4).repeat(1000, axis=0)
    out = RandomFlip(0.3, direction)(x, seeded())
    mirrored = (out == np.flip(x, axis)).all(axis=(1, 2, 3))
    assert out.dtype == np.uint8 and ((out == x).all(axis=(1, 2, 3)) | mirrored).all()
    assert abs(mirrored.mean() - 0.3) < 0.05
    np.testing.assert_array_equal(RandomFlip(0.0, direction)(x), x)


def test_noise():
    out = GaussianNoise(0.5)(np.full((100, 300), 2.0), seeded())
    assert abs(out.mean() - 2) < 0.01 and abs(out.std() - 0.5) < 0.01
    lag = ((out[:, 1:] - 2) * (out[:, :-1] - 2)).mean()
    assert abs(lag) < 0.01


def test_gradient_flows_through():
    for make in (CHANGES["affine"], CHANGES["smaller"], CHANGES["flip"], CHANGES["noise"]):
        change = make()
        x = autograd.tensor(images(2, 1, 4, 5), requires_grad=True)
        assert autograd.gradcheck(lambda t, c=change: c(t, seeded()), [x])


def test_a_data_set_that_changes_its_images():
    x, y = autograd.tensor(images(8, 1, 5, 5)), autograd.arange(8)
    data = Augmented(TensorDataset(x, y), RandomShift(1), generator=seeded())
    image, label = data[3]
    assert image.shape == (1, 5, 5) and label.item() == 3 and len(data) == 8
    again = Augmented(TensorDataset(x, y), RandomShift(1), generator=seeded())
    np.testing.assert_array_equal(again[3][0].numpy(), image.numpy())
    assert [y.tolist() for _, y in DataLoader(data, 5)] == [[0, 1, 2, 3, 4], [5, 6, 7]]
    state = data.state_dict()
    first = [t.numpy() for t in data.__getitems__([0, 1, 2])[2]]
    assert not np.array_equal(data.__getitems__([0, 1, 2])[2][0].numpy(), first[0])
    data.load_state_dict(state)
    np.testing.assert_array_equal(data.__getitems__([0, 1, 2])[2][0].numpy(), first[0])


def test_data_sets_of_images_alone_of_other_fields_and_of_each_other():
    x = images(4, 5, 5)
    flipped = Augmented(x, RandomFlip(1.0))
    np.testing.assert_array_equal(flipped[1], x[1, :, ::-1])
    both = Augmented(list(zip(range(4), x, strict=True)), RandomFlip(1.0), field=-1)
    assert both[2][0] == 2
    np.testing.assert_array_equal(both[2][1], x[2, :, ::-1])
    twice = Augmented(Augmented(x, GaussianNoise(1.0), generator=seeded()), RandomShift(1), generator=seeded(1))
    state = twice.state_dict()
    first = twice[0].numpy()
    twice.load_state_dict(state)
    np.testing.assert_array_equal(twice[0].numpy(), first)
    autograd.manual_seed(0)
    a = Augmented(x, GaussianNoise(1.0))[0]
    autograd.manual_seed(0)
    np.testing.assert_array_equal(Augmented(x, GaussianNoise(1.0))[0].numpy(), a.numpy())


ERRORS = {
    "shape": (lambda: RandomFlip()(np.ones((3, 4))), autograd.ShapeError, r"RandomFlip: wants images \(N, …, H, W\)"),
    "bytes": (lambda: RandomRotation(5)(np.ones((1, 3, 4), "u1")), autograd.DTypeError, r"x.float\(\) / 255"),
    "noise bytes": (lambda: GaussianNoise()(np.ones((3,), "u1")), autograd.DTypeError, "wants floating ones"),
    "degrees": (lambda: RandomRotation(-5), ValueError, "RandomRotation: degrees and shift must not be negative"),
    "scale": (lambda: RandomAffine(scale=(0, 1)), ValueError, r"0 < low <= high, got \(0, 1\)"),
    "mode": (lambda: RandomAffine(mode="cubic"), ValueError, "mode must be 'bilinear' or 'nearest'.*'cubic'"),
    "pixels": (lambda: RandomShift(1.5), TypeError, "pixels must be an int, got float 1.5"),
    "crop": (lambda: RandomCrop(5)(np.ones((1, 4, 9))), autograd.ShapeError, r"images of \(4, 9\) .* than \(5, 5\)"),
    "p": (lambda: RandomFlip(1.5), ValueError, "p must be between 0 and 1, got 1.5"),
    "direction": (lambda: RandomFlip(0.5, "left"), ValueError, "'horizontal' or 'vertical', got 'left'"),
    "std": (lambda: GaussianNoise(-1.0), ValueError, "std must not be negative, got -1.0"),
    "generator": (lambda: RandomFlip(generator=3), TypeError, "RandomFlip: generator must be an autograd.Generator"),
    "transform": (lambda: Augmented([1], 3), TypeError, r"function of \(batch, generator\), got int 3"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_say_what_is_wrong(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
