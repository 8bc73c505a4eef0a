"""The health of a model: what each layer does on a batch, what is wrong with it, and what helps."""

from .measure import health
from .report import Health, LayerHealth

__all__ = ["Health", "LayerHealth", "health"]
