"""Random changes of images that leave their meaning: shifted, turned, scaled, flipped, cropped, noisy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import DTypeError, Generator, ShapeError, Tensor
from autograd.errors import describe

from ..arguments import check_size
from .collate import default_collate
from .dataset import Dataset, items_of
from .sampler import check_generator

__all__ = [
    "Augmented", "Compose", "GaussianNoise", "RandomAffine", "RandomCrop", "RandomFlip", "RandomRotation",
    "RandomShift",
]  # fmt: skip


class Augmentation:
    """What the augmentations share: they are called with a batch and a generator.

    Batches are Tensors or arrays (N, …, H, W), and the result is of the same kind; each item is changed in its own
    way, all channels of it alike. Random numbers come from the ``generator`` of the call, or else of the
    constructor, or else from the common stream.
    """

    def __init__(self, generator: Generator | None = None) -> None:
        check_generator(type(self).__name__, generator)
        self.generator = generator

    def __call__(self, batch: Any, generator: Generator | None = None) -> Any:
        t = autograd.as_tensor(batch)
        self._check(t)
        out = self._change(t, self.generator if generator is None else generator)
        return out if isinstance(batch, Tensor) else out.numpy()

    def _check(self, t: Tensor) -> None:
        if t.ndim < 3 or 0 in t.shape[1:]:
            raise ShapeError(f"{type(self).__name__}: wants images (N, …, H, W), got {describe(t)}")

    def _check_floating(self, t: Tensor) -> None:
        if not t.is_floating_point():
            raise DTypeError(
                f"{type(self).__name__}: makes values between those of the pixels, and wants floating ones, got "
                f"{describe(t)}; convert them, x.float() / 255 say"
            )

    def _change(self, t: Tensor, generator: Generator | None) -> Tensor:
        raise NotImplementedError


def _between(low: float, high: float, n: int, generator: Generator | None) -> np.ndarray:
    """n numbers, uniform from low to high."""
    return low + (high - low) * autograd.rand(n, generator=generator, dtype=autograd.float64).numpy()


class RandomAffine(Augmentation):
    """Images turned about their middle, scaled and shifted, all with one interpolation.

    Arguments:
        degrees: turned by an angle from −degrees to degrees, counted against the clock.
        shift: moved by up to so many pixels down or up, and right or left; a number, or one for each direction.
        scale: magnified by a factor between these two.
        mode: ``"bilinear"`` or ``"nearest"``.
        padding_mode: what comes in from outside: ``"zeros"``, ``"border"`` or ``"reflection"``.
        generator: see above.

    >>> RandomAffine(degrees=10, shift=2, scale=(0.9, 1.1))(autograd.ones(2, 1, 8, 8)).shape
    (2, 1, 8, 8)
    """

    def __init__(
        self,
        degrees: float = 0.0,
        shift: float | Sequence[float] = 0.0,
        scale: Sequence[float] = (1.0, 1.0),
        mode: str = "bilinear",
        padding_mode: str = "zeros",
        generator: Generator | None = None,
    ) -> None:
        super().__init__(generator)
        name = type(self).__name__
        self.degrees = float(degrees)
        down, right = shift if isinstance(shift, Sequence) else (shift, shift)
        self.shift = (float(down), float(right))
        self.scale = (float(scale[0]), float(scale[1]))
        if not all(0 <= value < math.inf for value in (self.degrees, *self.shift)):
            raise ValueError(f"{name}: degrees and shift must not be negative, got {degrees} and {shift}")
        if not 0 < self.scale[0] <= self.scale[1] < math.inf:
            raise ValueError(f"{name}: scale must be (low, high) with 0 < low <= high, got {scale}")
        if mode not in ("bilinear", "nearest") or padding_mode not in ("zeros", "border", "reflection"):
            raise ValueError(
                f"{name}: mode must be 'bilinear' or 'nearest', and padding_mode 'zeros', 'border' or 'reflection', "
                f"got {mode!r} and {padding_mode!r}"
            )
        self.mode, self.padding_mode = mode, padding_mode

    def _shifts(self, n: int, generator: Generator | None) -> tuple[np.ndarray, np.ndarray]:
        down, right = (_between(-most, most, n, generator) for most in self.shift)
        return down, right

    def _change(self, t: Tensor, generator: Generator | None) -> Tensor:
        self._check_floating(t)
        n, (h, w) = len(t), t.shape[-2:]
        angle = np.deg2rad(_between(-self.degrees, self.degrees, n, generator))
        scale = _between(*self.scale, n, generator)
        down, right = self._shifts(n, generator)
        # For each pixel of the result the place in the image that it comes from, in pixels from the middle: first
        # the shift is undone, then angle and scale. (y counts downwards, so that angles have the other sign.)
        cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
        x_shift, y_shift = cos * right - sin * down, sin * right + cos * down
        # Places are counted in half widths and half heights there.
        theta = np.stack(
            [cos, -sin * h / w, -2 * x_shift / w, sin * w / h, cos, -2 * y_shift / h], axis=1
        ).reshape(n, 2, 3)  # fmt: skip
        channels = t.reshape(n, math.prod(t.shape[1:-2]), h, w)
        grid = autograd.affine_grid(autograd.tensor(theta, dtype=t.dtype), channels.shape, align_corners=False)
        out = autograd.grid_sample(channels, grid, self.mode, self.padding_mode, align_corners=False)
        return out.reshape(t.shape)


class RandomRotation(RandomAffine):
    """Images turned about their middle by an angle from −degrees to degrees.

    Arguments:
        degrees: the largest angle. mode, padding_mode, generator: as those of ``RandomAffine``.

    >>> RandomRotation(15)(autograd.ones(2, 8, 8)).shape
    (2, 8, 8)
    """

    def __init__(
        self,
        degrees: float,
        mode: str = "bilinear",
        padding_mode: str = "zeros",
        generator: Generator | None = None,
    ) -> None:
        super().__init__(degrees, mode=mode, padding_mode=padding_mode, generator=generator)


class RandomCrop(Augmentation):
    """A part of each image, at a random place; with ``padding`` and the images' own size, a shift by whole pixels.

    Arguments:
        size: (height, width) of the part, or one number for both.
        padding: how many pixels of 0 are put around each image before.
        generator: see above.

    Raises:
        ShapeError: the images are smaller than the part.

    >>> RandomCrop(3)(autograd.zeros(2, 1, 8, 8)).shape
    (2, 1, 3, 3)
    """

    def __init__(self, size: int | Sequence[int], padding: int = 0, generator: Generator | None = None) -> None:
        super().__init__(generator)
        height, width = size if isinstance(size, Sequence) else (size, size)
        self.size = (check_size("RandomCrop", "size", height, 1), check_size("RandomCrop", "size", width, 1))
        self.padding = check_size("RandomCrop", "padding", padding)

    def _change(self, t: Tensor, generator: Generator | None) -> Tensor:
        if self.padding:
            t = autograd.pad(t, (self.padding,) * 4)
        free = [have - want for have, want in zip(t.shape[-2:], self.size, strict=True)]
        if min(free) < 0:
            raise ShapeError(f"RandomCrop: images of {t.shape[-2:]} with their padding are smaller than {self.size}")
        n = len(t)
        top, left = (
            autograd.randint(0, extra + 1, (n,), generator=generator).numpy().reshape(n, 1, 1) for extra in free
        )
        rows = top + np.arange(self.size[0])[:, None]
        columns = left + np.arange(self.size[1])
        images = t.reshape(n, math.prod(t.shape[1:-2]), *t.shape[-2:])
        # Index arrays apart from each other put what they index in front.
        parts = images[np.arange(n)[:, None, None], :, rows, columns]  # (N, h, w, C)
        return parts.permute(0, 3, 1, 2).reshape(*t.shape[:-2], *self.size)


class RandomShift(RandomAffine):
    """Images moved by whole pixels, up to ``pixels`` down or up, and right or left.

    Arguments:
        pixels: the largest shift; a number, or one for each direction.
        padding_mode, generator: as those of ``RandomAffine``.

    >>> RandomShift(2)(autograd.ones(2, 8, 8)).shape
    (2, 8, 8)
    """

    def __init__(
        self,
        pixels: int | Sequence[int],
        padding_mode: str = "zeros",
        generator: Generator | None = None,
    ) -> None:
        pair = pixels if isinstance(pixels, Sequence) else (pixels, pixels)
        shift = [check_size("RandomShift", "pixels", p) for p in pair]
        # Whole pixels need no interpolation, and keep their values exactly.
        super().__init__(shift=shift, mode="nearest", padding_mode=padding_mode, generator=generator)

    def _shifts(self, n: int, generator: Generator | None) -> tuple[np.ndarray, np.ndarray]:
        down, right = (
            autograd.randint(-int(most), int(most) + 1, (n,), generator=generator).numpy().astype(np.float64)
            for most in self.shift
        )
        return down, right


class RandomFlip(Augmentation):
    """Each image mirrored with probability ``p``.

    Arguments:
        p: the probability.
        direction: ``"horizontal"``, left and right changed, or ``"vertical"``.
        generator: see above.

    >>> RandomFlip(p=1.0)(autograd.tensor([[[1.0, 2.0]]]))
    tensor([[[2., 1.]]])
    """

    def __init__(self, p: float = 0.5, direction: str = "horizontal", generator: Generator | None = None) -> None:
        super().__init__(generator)
        if not 0 <= p <= 1:
            raise ValueError(f"RandomFlip: p must be between 0 and 1, got {p}")
        if direction not in ("horizontal", "vertical"):
            raise ValueError(f"RandomFlip: direction must be 'horizontal' or 'vertical', got {direction!r}")
        self.p = p
        self.direction = direction

    def _change(self, t: Tensor, generator: Generator | None) -> Tensor:
        chosen = _between(0, 1, len(t), generator) < self.p
        flipped = t.flip(-1 if self.direction == "horizontal" else -2)
        return autograd.where(autograd.tensor(chosen.reshape(-1, *(1,) * (t.ndim - 1))), flipped, t)


class GaussianNoise(Augmentation):
    """x + ε, each ε normal with mean 0 and standard deviation ``std``; batches of any shape (N, …).

    For a linear model this acts as weight decay does.

    Source: Bishop 1995, Training with noise is equivalent to Tikhonov regularization.

    Arguments:
        std: σ. generator: see above.

    >>> GaussianNoise(0.0)(autograd.ones(2, 3))
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """

    def __init__(self, std: float = 0.1, generator: Generator | None = None) -> None:
        super().__init__(generator)
        if not 0 <= std < math.inf:
            raise ValueError(f"GaussianNoise: std must not be negative, got {std}")
        self.std = std

    def _check(self, t: Tensor) -> None:
        self._check_floating(t)

    def _change(self, t: Tensor, generator: Generator | None) -> Tensor:
        return t + self.std * autograd.randn(*t.shape, generator=generator, dtype=t.dtype)


class Compose:
    """Several changes one after the other.

    Arguments:
        transforms: augmentations, or other functions of (batch, generator).

    >>> Compose([RandomFlip(), GaussianNoise(0.1)])(autograd.ones(2, 1, 8, 8)).shape
    (2, 1, 8, 8)
    """

    def __init__(self, transforms: Sequence[Callable[[Any, Generator | None], Any]]) -> None:
        self.transforms = list(transforms)

    def __call__(self, batch: Any, generator: Generator | None = None) -> Any:
        for transform in self.transforms:
            batch = transform(batch, generator)
        return batch


class Augmented(Dataset):
    """A data set whose items are changed anew each time they are asked for.

    Arguments:
        dataset: whose items are images, or tuples that hold them: (image, label).
        transform: an augmentation, or a function of (batch, generator).
        field: which place of the tuple holds the image.
        generator: the source of randomness of the transform; by default one of its own, seeded from the common
            stream. A DataLoader keeps its state with its own.

    >>> from nn.data import DataLoader, TensorDataset
    >>> data = TensorDataset(autograd.ones(4, 1, 8, 8), autograd.arange(4))
    >>> images, labels = next(iter(DataLoader(Augmented(data, RandomShift(1)), batch_size=4)))
    >>> images.shape, labels.tolist()
    ((4, 1, 8, 8), [0, 1, 2, 3])
    """

    def __init__(
        self,
        dataset: Any,
        transform: Callable[[Any, Generator | None], Any],
        field: int = 0,
        generator: Generator | None = None,
    ) -> None:
        check_generator("Augmented", generator)
        if not callable(transform):
            raise TypeError(f"Augmented: transform must be a function of (batch, generator), got {describe(transform)}")
        self.dataset = dataset
        self.transform = transform
        self.field = field
        if generator is None:
            generator = Generator().manual_seed(int(autograd.randint(2**62, (1,)).item()))
        self.generator = generator

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        items = items_of(self.dataset, indices)
        grouped = isinstance(items[0], (tuple, list))
        images = self.transform(
            default_collate([item[self.field] if grouped else item for item in items]), self.generator
        )
        if not grouped:
            return list(images)
        place = range(len(items[0]))[self.field]
        return [(*item[:place], image, *item[place + 1 :]) for item, image in zip(items, images, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Where the generator is, and the state of the data set below where it has one; for ``load_state_dict``."""
        state = {"generator": self.generator.get_state()}
        if hasattr(self.dataset, "state_dict"):
            state["dataset"] = self.dataset.state_dict()
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes back to where ``state_dict`` was asked."""
        self.generator.set_state(state_dict["generator"])
        if "dataset" in state_dict:
            self.dataset.load_state_dict(state_dict["dataset"])
