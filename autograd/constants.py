"""Numbers by their names, as PyTorch has them."""

import math

e = math.e
inf = math.inf
nan = math.nan
pi = math.pi
newaxis = None
