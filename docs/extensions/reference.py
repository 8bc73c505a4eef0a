"""Writes the pages of the API reference from the code: every public name once, with its signature and docstring.

No list of names is typed by hand. ``PAGES`` only says which files share a page, in what order; a file that it does not
name gets its place on a page of its own at the end.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
from typing import Any

from docstrings import Writer
from public_names import Entry, entries

PAGES = [
    ("Engine", "Tensors", "tensor", "autograd.tensor"),
    ("Engine", "Making Tensors", "creation", "autograd.creation autograd.dtypes autograd.devices autograd.constants "
     "autograd.legacy"),
    ("Engine", "Randomness", "random", "autograd.random autograd.distributions"),
    ("Operations", "Entry by entry", "elementwise", "autograd.ops.elementwise autograd.ops.arithmetic "
     "autograd.ops.functions autograd.ops.comparison autograd.ops.special autograd.special"),
    ("Operations", "Activations and dropout", "activations", "autograd.ops.activations autograd.ops.dropout"),
    ("Operations", "Reductions and order", "reductions", "autograd.ops.reduction autograd.ops.statistics "
     "autograd.ops.scans autograd.ops.sorting"),
    ("Operations", "Shapes", "shapes", "autograd.ops.shape autograd.ops.broadcasting autograd.ops.joining "
     "autograd.ops.slicing autograd.ops.rearranging autograd.ops.diagonals autograd.ops.grids autograd.ops.padding"),
    ("Operations", "Indexing", "indexing", "autograd.ops.indexing autograd.ops.gathering autograd.ops.scattering "
     "autograd.ops.embeddings"),
    ("Operations", "Linear algebra", "linear_algebra", "autograd.ops.linalg autograd.ops.products autograd.ops.einsum "
     "autograd.ops.decompositions autograd.ops.solvers autograd.ops.matrix_functions autograd.ops.matrix_norms "
     "autograd.ops.distances autograd.linalg"),
    ("Operations", "Networks", "networks", "autograd.ops.fused autograd.ops.losses autograd.ops.attention "
     "autograd.ops.convolution autograd.ops.pooling autograd.ops.adaptive_pooling autograd.ops.windows "
     "autograd.ops.normalization autograd.ops.moments autograd.ops.recurrent autograd.ops.resampling"),
    ("Engine", "Derivatives", "derivatives", "autograd.backward autograd.transforms autograd.functional autograd.modes "
     "autograd.checkpoint"),
    ("Engine", "Pictures and questions", "pictures", "autograd.graph.drawing autograd.graph.player "
     "autograd.graph.expand autograd.graph.explain autograd.graph.verify autograd.graph.record"),
    ("Engine", "Profiling", "profiling", "autograd.profiling autograd.profiling.recorder autograd.profiling.tables"),
    ("Engine", "Checks and errors", "checks", "autograd.gradcheck autograd.anomaly autograd.errors"),
    ("Engine", "Operations of one's own", "primitive", "autograd.primitive autograd.function autograd.backends "
     "autograd.watching autograd.inplace autograd.sparse_gradient"),
    ("Engine", "Settings", "settings", "autograd.settings autograd.cuda"),
    ("Networks", "Modules", "modules", "nn.module nn.parameter nn.container nn.parameter_containers"),
    ("Networks", "Layers", "layers", "nn.linear nn.convolution nn.pooling nn.padding nn.normalization nn.dropout "
     "nn.embedding nn.resampling nn.noise nn.tying nn.distance nn.ensemble"),
    ("Networks", "Activations", "activation_layers", "nn.activation nn.rectifiers"),
    ("Networks", "Sequences", "sequences", "nn.recurrent nn.recurrent_cells nn.attention nn.transformer"),
    ("Networks", "Losses", "losses", "nn.loss nn.class_losses nn.margin_losses nn.density_losses nn.sequence_losses "
     "nn.adaptive_softmax"),
    ("Networks", "Functions", "functional", "nn.functional nn.losses_functional nn.margin_losses_functional "
     "nn.ctc_functional nn.attention_functional"),
    ("Networks", "Initialisation", "init", "nn.init"),
    ("Networks", "Regularizers", "regularizers", "nn.regularizers"),
    ("Networks", "Single scalars", "scalar", "nn.scalar"),
    ("Training", "Data", "data", "nn.data.dataset nn.data.loader nn.data.sampler nn.data.collate nn.data.readers "
     "nn.data.preprocessing nn.data.augmentation"),
    ("Training", "Training loop", "training", "nn.training.fit nn.training.callbacks nn.training.health_callback "
     "nn.training.history nn.training.metric nn.training.metrics nn.training.confusion nn.training.files "
     "nn.training.checkpoint"),
    ("Training", "Looking at models", "looking", "nn.model_summary nn.model_health.measure nn.model_health.report"),
    ("Training", "Tools", "utils", "nn.utils nn.utils.clip nn.utils.vectors nn.utils.rnn nn.utils.parametrize "
     "nn.utils.parametrizations nn.utils.normalized nn.utils.orthogonal nn.utils.stateless nn.averaging"),
    ("Training", "Optimizers", "optimizers", "optim.sgd optim.adam optim.optimizer"),
    ("Training", "Learning rates", "learning_rates", "optim.lr_scheduler optim.lr_finder optim.line_search "
     "optim.swa_utils"),
]  # fmt: skip
# Files that share the page of another by default.
DEFAULT_PAGES = {"optim.lr_scheduler": "learning_rates", "optim": "optimizers", "nn.data": "data",
                 "nn.training": "training", "nn.utils": "utils", "nn.model_health": "looking"}  # fmt: skip
# What a page begins with: the docs of the package that it is about.
INTRODUCTIONS = {"tensor": "autograd", "modules": "nn", "optimizers": "optim", "data": "nn.data", "utils": "nn.utils",
                 "training": "nn.training"}  # fmt: skip
NAMES = {"autograd.linalg": "autograd.linalg", "autograd.ops.linalg": "The matrix product",
         "autograd.special": "autograd.special", "asgd": "ASGD", "ctc_functional": "CTC", "cuda": "CUDA",
         "einsum": "Einstein sums", "gradcheck": "Checking gradients", "kfac": "K-FAC", "lbfgs": "L-BFGS",
         "lr_finder": "Learning rate finder", "nadam": "NAdam", "radam": "RAdam", "rmsprop": "RMSprop",
         "rnn": "Packed sequences", "sgd": "SGD", "sparse_adam": "SparseAdam",
         "swa_utils": "Weight averages, PyTorch's path"}  # fmt: skip


def heading(text: str, line: str) -> list[str]:
    return [text, line * len(text) * (1 if text.isascii() else 2), ""]


def title_of(module: str) -> str:
    stem = module.rpartition(".")[2]
    return NAMES.get(module) or NAMES.get(stem, stem.replace("_functional", "").replace("_", " ").capitalize())


def page_of(home: str) -> str:
    """The page that a file's names are on."""
    for _, _, slug, modules in PAGES:
        if home in modules.split():
            return slug
    while home:
        home = home.rpartition(".")[0]
        for _, _, slug, modules in PAGES:
            if home in modules.split():
                return slug
        if home in DEFAULT_PAGES:
            return DEFAULT_PAGES[home]
    return "others"


def pages() -> dict[str, str]:
    """The text of every page by its file name."""
    found = entries()
    writer = Writer(found)
    placed: dict[str, dict[str, list[Entry]]] = {}
    for entry in found:
        placed.setdefault(page_of(entry.home), {}).setdefault(entry.home, []).append(entry)
    texts: dict[str, str] = {}
    listed = [*PAGES, *([("Engine", "Others", "others", "")] if "others" in placed else [])]
    for _, title, slug, modules in listed:
        here = placed.get(slug, {})
        order = {name: i for i, name in enumerate(modules.split())}
        lines = heading(title, "=")
        if slug in INTRODUCTIONS:
            doc = inspect.getdoc(importlib.import_module(INTRODUCTIONS[slug])) or ""
            lines += writer.body(doc, ("autograd", "nn", "optim"), frozenset())
        homes_here = sorted(here, key=lambda home: (order.get(home, len(order)), home))
        for home in homes_here:
            lines += section_lines(writer, home, here[home], alone=len(homes_here) == 1)
        texts[f"{slug}.rst"] = "\n".join(lines) + "\n"
    texts["not_here.rst"] = not_here(writer)
    texts["index.rst"] = index(listed, placed)
    return texts


def section_lines(writer: Writer, home: str, found: list[Entry], alone: bool) -> list[str]:
    lines = [] if alone else heading(title_of(home), "-")
    doc = inspect.getdoc(importlib.import_module(home)) or ""
    scope = (home, "autograd", "nn", "optim")
    if home not in ("autograd.tensor", *INTRODUCTIONS.values()):
        lines += writer.body(doc, scope, frozenset())
    for entry in sorted(found, key=place):
        lines += writer.entry(entry)
    return lines


def place(entry: Entry) -> tuple[bool, bool, str]:
    """Classes before functions, and what is only another name at the end."""
    return bool(entry.same_as), not inspect.isclass(entry.value), entry.name.rpartition(".")[2].lower()


def index(listed: list[tuple[str, str, str, str]], placed: dict[str, dict[str, list[Entry]]]) -> str:
    """The first page: every name, by the pages."""
    count = sum(len(e.names) for here in placed.values() for found in here.values() for e in found)
    lines = heading("API reference", "=")
    lines += [
        f"All {count} public names of ``autograd``, ``nn`` and ``optim``, written from the code and its docstrings. "
        "Names, arguments and defaults are PyTorch's; the examples under each name are run by the test suite.", "",
    ]  # fmt: skip
    for group in dict.fromkeys(page[0] for page in listed):
        lines += heading(group, "-")
        lines += [".. toctree::", "   :hidden:", ""]
        lines += [f"   {slug}" for g, _, slug, _ in listed if g == group]
        lines += ["   not_here"] if group == "Training" else []
        lines += [""]
        for g, title, slug, _ in listed:
            if g == group:
                names = sorted({e.name for found in placed.get(slug, {}).values() for e in found if not e.same_as})
                links = [f":py:obj:`{name.removeprefix('autograd.')} <{name}>`" for name in names]
                lines += [f":doc:`{title} <{slug}>`", "", ".. rst-class:: names", "", " ".join(links) or "\\ ", ""]
    lines += ["", "Names of PyTorch's that are left out stand under :doc:`not_here`."]
    return "\n".join(lines) + "\n"


def not_here(writer: Writer) -> str:
    """The names of PyTorch's that are left out, from the tables that their errors are taken from."""
    tensors, layers = (importlib.import_module(f"{package}.unsupported") for package in ("autograd", "nn"))
    lines = heading("Not here", "=")
    lines += ["PyTorch's names that are left out, and what to use instead. Their errors say the same.", ""]
    tables = (
        ("Functions and Tensors", "torch", tensors.REASONS), ("Layers", "torch.nn", layers.REASONS),
        ("Layers as functions", "torch.nn.functional", layers.FUNCTIONAL_REASONS),
        ("Tools for modules", "torch.nn.utils", layers.UTILS_REASONS),
    )  # fmt: skip
    for title, path, reasons in tables:
        lines += [*heading(title, "-"), f"Under ``{path}``:", ""]
        groups: dict[str, list[str]] = {}
        for name, reason in reasons.items():
            groups.setdefault(reason, []).append(name)
        for reason, names in sorted(groups.items(), key=lambda pair: -len(pair[1])):
            said = writer.inline(reason[0].upper() + reason[1:] + ".", ("autograd", "nn"))
            lines += [said, "", ".. rst-class:: names", "", " ".join(f"``{name}``" for name in names), ""]
    return "\n".join(lines) + "\n"


def write(folder: pathlib.Path) -> None:
    """Writes the pages that changed, and takes away those that are no longer there."""
    folder.mkdir(exist_ok=True)
    texts = pages()
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.name not in texts:
            path.unlink()


def setup(app: Any) -> dict[str, bool]:
    app.connect("config-inited", lambda app, config: write(pathlib.Path(app.srcdir) / "api"))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
