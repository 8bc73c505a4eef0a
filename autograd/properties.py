"""What can be asked of a Tensor and has the same answer for all of them, or follows from dtype and shape."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from .errors import ShapeError
from .node import Node

if TYPE_CHECKING:
    from .tensor import Tensor


class Properties(Node):
    """The part of ``Tensor`` that says what kind it is."""

    __slots__ = ()

    @property
    def is_cpu(self) -> builtins.bool:
        """True: there is only the CPU."""
        return True

    @property
    def is_cuda(self) -> builtins.bool:
        """False: there is only the CPU, and only dense Tensors."""
        return False

    is_mps = is_xpu = is_xla = is_ipu = is_mtia = is_maia = is_vulkan = is_meta = is_cuda
    is_mkldnn = is_quantized = is_nested = is_sparse_csr = is_cuda

    @property
    def is_sparse(self) -> builtins.bool:
        """False; True for the gradient of a table whose rows were looked up with ``sparse=True``."""
        return False

    @property
    def is_rows(self) -> builtins.bool:
        """False; True for the gradient of a large table while only the rows that were looked up are kept of it."""
        return False

    def nonzero_rows(self) -> Any:
        """None; of a gradient that ``is_rows``, the numbers of the rows that are not 0, and these rows."""
        return None

    def is_complex(self) -> builtins.bool:
        """False: there are no complex Tensors."""
        return False

    def is_distributed(self) -> builtins.bool:
        """False: there is one process."""
        return False

    def is_neg(self) -> builtins.bool:
        """False: a negation is computed at once."""
        return False

    def is_inference(self) -> builtins.bool:
        """False: Tensors made in ``inference_mode`` may be used like all others."""
        return False

    def is_signed(self) -> builtins.bool:
        """Whether the dtype has numbers below 0."""
        return self._array.dtype.kind in "fi"

    def is_nonzero(self) -> builtins.bool:
        """Whether the one entry is not 0."""
        if self._array.size != 1:
            raise ShapeError(f"is_nonzero: wants a Tensor with one entry, got shape {tuple(self._array.shape)}")
        return builtins.bool(self)

    def is_same_size(self, other: Tensor) -> builtins.bool:
        """Whether ``other`` has the same shape."""
        return tuple(self._array.shape) == tuple(other.shape)

    def get_device(self) -> int:
        """−1: it is on the CPU."""
        return -1

    @property
    def real(self) -> Any:
        """The Tensor itself: its entries are real."""
        return self
