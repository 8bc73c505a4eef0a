"""What sees through the engine: pictures of the recorded graph, with every value and gradient in it.

``HOMES`` says which module has each public name. They are loaded when first asked for: together they take longer to
import than all the rest, and training needs none of them.
"""

_NAMES = {
    "drawing": "Drawing draw", "expand": "Expansion expand", "explain": "Explanation explain",
    "player": "Player step_through", "record": "record", "verify": "Verification verify",
}  # fmt: skip
HOMES = {name: module for module, names in _NAMES.items() for name in names.split()}
