"""A small PDF writer: Graphviz's drawing operations (its JSON output) as one page with an embedded font."""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

_MARGIN = 4.0
# A page may be at most 14,400 units long; a larger drawing is scaled down to that.
_LONGEST = 14_400.0
# The distance from a circle's point to its Bézier handle, in radii.
_HANDLE = 0.5523


class TrueType:
    """What a PDF needs to know of a TrueType font: the glyph of each character and the widths."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        count = struct.unpack_from(">H", data, 4)[0]
        entries = [struct.unpack_from(">4sIII", data, 12 + 16 * i) for i in range(count)]
        tables = {tag.decode("latin-1"): offset for tag, _, offset, _ in entries}
        units = struct.unpack_from(">H", data, tables["head"] + 18)[0]
        self.box = [n * 1000 // units for n in struct.unpack_from(">4h", data, tables["head"] + 36)]
        self.ascent, self.descent = (n * 1000 // units for n in struct.unpack_from(">2h", data, tables["hhea"] + 4))
        metrics = struct.unpack_from(">H", data, tables["hhea"] + 34)[0]
        pairs = struct.unpack_from(f">{2 * metrics}H", data, tables["hmtx"])
        self.widths = [advance * 1000 / units for advance in pairs[::2]]
        self.glyphs = self._characters(tables["cmap"])

    def _characters(self, start: int) -> dict[int, int]:
        glyphs: dict[int, int] = {}
        for i in range(struct.unpack_from(">H", self.data, start + 2)[0]):
            at = start + struct.unpack_from(">I", self.data, start + 8 + 8 * i)[0]
            if struct.unpack_from(">H", self.data, at)[0] == 12:  # segments of 32-bit characters
                for j in range(struct.unpack_from(">I", self.data, at + 12)[0]):
                    first, last, glyph = struct.unpack_from(">3I", self.data, at + 16 + 12 * j)
                    glyphs.update(zip(range(first, last + 1), range(glyph, glyph + last - first + 1), strict=True))
        if not glyphs:
            raise ValueError("pdf: this font has no table of characters in format 12")
        return glyphs

    def glyph(self, character: str) -> int:
        """The glyph of ``character``; 0, an empty box, if the font has none."""
        return self.glyphs.get(ord(character), 0)

    def width(self, glyph: int) -> float:
        """How far a glyph advances, in thousandths of the font size."""
        return self.widths[min(glyph, len(self.widths) - 1)]


def written(layout: bytes, font_path: str) -> bytes:
    """The PDF file of a drawing that Graphviz laid out in its ``json`` format."""
    with open(font_path, "rb") as file:
        font = TrueType(file.read())
    drawing = json.loads(layout)
    _, _, width, height = map(float, drawing["bb"].split(","))
    width, height = width + 2 * _MARGIN, height + 2 * _MARGIN
    scale = min(1.0, _LONGEST / max(width, height))
    page = _Page(font)
    page.commands.append(f"{scale:.6f} 0 0 {scale:.6f} {_MARGIN * scale:.2f} {_MARGIN * scale:.2f} cm 1 j")
    objects = drawing.get("objects", [])
    frames = [part for part in objects if "nodes" in part or "subgraphs" in part]
    nodes = [part for part in objects if "nodes" not in part and "subgraphs" not in part]
    for part in (drawing, *frames, *drawing.get("edges", ()), *nodes):
        for key in ("_draw_", "_tdraw_", "_hdraw_", "_ldraw_", "_tldraw_", "_hldraw_"):
            if key in part:
                page.commands.append("q")
                for operation in part[key]:
                    page.add(operation)
                page.commands.append("Q")
    return _file("\n".join(page.commands).encode(), width * scale, height * scale, font, page.used)


class _Page:
    """The commands of a page so far, and the glyphs that they use, each with its character."""

    def __init__(self, font: TrueType) -> None:
        self.font, self.used = font, dict[int, str]()
        self.commands: list[str] = []
        self.pen: str | None = "0 0 0"
        self.size = 14.0

    def add(self, operation: dict[str, Any]) -> None:
        """Adds one of Graphviz's drawing operations, which are named by a letter."""
        kind = operation["op"]
        if kind == "c":
            self.pen = _color(operation["color"])
            if self.pen is not None:
                self.commands.append(f"{self.pen} RG")
        elif kind == "C":
            self.commands.append(f"{_color(operation['color']) or '1 1 1'} rg")
        elif kind == "S":
            self.commands += _style(operation["style"])
        elif kind == "F":
            self.size = operation["size"]
        elif kind == "T":
            self._text(operation)
        elif kind in "pPLbBeE":
            path = _ellipse(*operation["rect"]) if kind in "eE" else _path(operation["points"], kind in "bB")
            closed = kind in "pPeEB"
            fill, stroke = kind in "PBE", self.pen is not None
            paint = ("b" if closed else "B") if fill and stroke else "f" if fill else "s" if closed else "S"
            self.commands += [*path, paint if fill or stroke else "n"]

    def _text(self, operation: dict[str, Any]) -> None:
        glyphs = [self.font.glyph(character) for character in operation["text"]]
        self.used.update(zip(glyphs, operation["text"], strict=True))
        x, y = operation["pt"][:2]
        width = sum(map(self.font.width, glyphs)) * self.size / 1000
        x -= {"l": 0.0, "c": width / 2, "r": width}[operation["align"]]
        shown = "".join(f"{glyph:04x}" for glyph in glyphs)
        # Text is filled, and Graphviz means it to have the colour of the pen.
        self.commands += [
            f"q {self.pen or '0 0 0'} rg BT /F {self.size:.2f} Tf {x:.2f} {y:.2f} Td <{shown}> Tj ET Q",
        ]


def _style(style: str) -> list[str]:
    if style.startswith("setlinewidth("):
        return [f"{float(style[13:-1]):.2f} w"]
    dashes = {"dashed": "[4 3] 0 d", "dotted": "[1 3] 0 d", "solid": "[] 0 d"}
    return [dashes[style]] if style in dashes else []


def _color(color: str) -> str | None:
    """Red, green and blue from 0 to 1; None where it cannot be seen (a fourth pair of digits is the opacity)."""
    if not color.startswith("#") or (len(color) == 9 and color.endswith("00")):
        return None
    return " ".join(f"{int(color[i : i + 2], 16) / 255:.4f}" for i in (1, 3, 5))


def _path(points: list[list[float]], curved: bool) -> list[str]:
    pairs = [f"{p[0]:.2f} {p[1]:.2f}" for p in points]
    if curved:
        return [f"{pairs[0]} m", *[f"{' '.join(pairs[i : i + 3])} c" for i in range(1, len(pairs), 3)]]
    return [f"{pairs[0]} m", *[f"{pair} l" for pair in pairs[1:]]]


def _ellipse(x: float, y: float, a: float, b: float) -> list[str]:
    p, q = a * _HANDLE, b * _HANDLE
    curves = [
        (x + a, y + q, x + p, y + b, x, y + b),
        (x - p, y + b, x - a, y + q, x - a, y),
        (x - a, y - q, x - p, y - b, x, y - b),
        (x + p, y - b, x + a, y - q, x + a, y),
    ]
    return [f"{x + a:.2f} {y:.2f} m", *[" ".join(f"{v:.2f}" for v in curve) + " c" for curve in curves]]


def _file(content: bytes, width: float, height: float, font: TrueType, used: dict[int, str]) -> bytes:
    widths = " ".join(f"{glyph} [{font.width(glyph):.0f}]" for glyph in sorted(used))
    box = " ".join(map(str, font.box))
    page = f"/Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.2f} {height:.2f}] /Contents 4 0 R"
    objects: list[tuple[str, bytes | None]] = [
        ("/Type /Catalog /Pages 2 0 R", None),
        ("/Type /Pages /Kids [3 0 R] /Count 1", None),
        (f"{page} /Resources << /Font << /F 5 0 R >> >>", None),
        ("", content),
        (
            "/Type /Font /Subtype /Type0 /BaseFont /DejaVuSans /Encoding /Identity-H /DescendantFonts [6 0 R] "
            "/ToUnicode 9 0 R",
            None,
        ),
        (
            "/Type /Font /Subtype /CIDFontType2 /BaseFont /DejaVuSans /CIDToGIDMap /Identity /FontDescriptor 7 0 R "
            f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /W [{widths}]",
            None,
        ),
        (
            f"/Type /FontDescriptor /FontName /DejaVuSans /Flags 4 /FontBBox [{box}] /ItalicAngle 0 "
            f"/Ascent {font.ascent} /Descent {font.descent} /CapHeight 729 /StemV 80 /FontFile2 8 0 R",
            None,
        ),
        (f"/Length1 {len(font.data)}", font.data),
        ("", _characters_of(used)),
    ]
    file = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    starts: list[int] = []
    for i, (entries, stream) in enumerate(objects, 1):
        starts.append(len(file))
        if stream is None:
            file += f"{i} 0 obj\n<< {entries} >>\nendobj\n".encode()
        else:
            packed = zlib.compress(stream)
            file += f"{i} 0 obj\n<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode()
            file += packed + b"\nendstream\nendobj\n"
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(file)}\n%%EOF\n"
    return bytes(file + end.encode())


def _characters_of(used: dict[int, str]) -> bytes:
    """The table by which a viewer finds and copies text: the character of each glyph."""
    lines = [f"<{glyph:04x}> <{used[glyph].encode('utf-16-be').hex()}>" for glyph in sorted(used)]
    blocks = [lines[i : i + 100] for i in range(0, len(lines), 100)]  # a block may have 100
    body = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Characters def /CMapType 2 def\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        f"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n{body}\n"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()
