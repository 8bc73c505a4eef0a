"""Where the time of a training step goes: ``autograd.profile``, loaded when it is first asked for."""

from .recorder import profile
from .tables import Row, Table

__all__ = ["Row", "Table", "profile"]
