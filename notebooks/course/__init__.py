"""What the notebooks share: exercises that say what is wrong, figures with labelled axes, and the data."""

from .data import digits, first_names, mnist
from .exercises import NotYet, check
from .pictures import figure

__all__ = ["NotYet", "check", "digits", "figure", "first_names", "mnist"]
