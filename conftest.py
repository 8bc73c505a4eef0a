"""What is left out of the light run, and how the tests that need PyTorch or JAX are set up."""

from __future__ import annotations

import pathlib
import signal

import hypothesis
import pytest

HEAVY = {
    "reference": "that compare with PyTorch",
    "jax": "that run under JAX",
    "slow": "that take long",
}
# Examples are the same in every run, and none is timed.
hypothesis.settings.register_profile("glassgrad", derandomize=True, deadline=None, database=None, max_examples=150)
hypothesis.settings.load_profile("glassgrad")

# They are written for PyTorch, and test_ports.py loads them.
collect_ignore = ["tests/ports"]

left_out = dict.fromkeys(HEAVY, 0)


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="leave nothing out; needs PyTorch and JAX")


def pytest_configure(config):
    if not config.getoption("--all"):
        # A doctest module is imported to be collected, and these import JAX.
        backends = pathlib.Path(__file__).parent / "autograd" / "backends"
        config.option.ignore = [*(config.option.ignore or []), *map(str, backends.glob("jax*.py"))]


def pytest_collection_modifyitems(config, items):
    if config.getoption("--all"):
        return
    kept, deselected = [], []
    for item in items:
        heavy = next((name for name in HEAVY if item.get_closest_marker(name)), None)
        if heavy is None:
            kept.append(item)
        else:
            left_out[heavy] += 1
            deselected.append(item)
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = kept


def pytest_terminal_summary(terminalreporter):
    if any(left_out.values()):
        parts = [f"{n} tests {HEAVY[name]}" for name, n in left_out.items() if n]
        terminalreporter.write_line(f"Left out: {', '.join(parts)}; `make test-all` runs them.")


@pytest.fixture(autouse=True, scope="session")
def ctrl_c_counts():
    """A shell starts its background jobs deaf to Ctrl-C, and what the tests start would be deaf too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True, scope="session")
def double_precision_in_jax(request):
    """JAX computes in float32 unless told otherwise before its first use."""
    if request.config.getoption("--all"):
        import jax

        jax.config.update("jax_enable_x64", True)
