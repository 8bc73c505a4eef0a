"""``nn.Linear`` in the text of any page leads to where it is explained: inline code that is a public name is a link."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import desc_signature, pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform

PACKAGES = ("autograd", "nn", "optim")
NO_LINK_IN = nodes.reference | pending_xref | nodes.title | desc_signature


class Names(SphinxPostTransform):
    default_priority = 5  # before references are resolved

    def run(self, **_: Any) -> None:
        objects = self.env.domains.python_domain.objects
        for literal in list(self.document.findall(nodes.literal)):
            text = literal.astext()
            name = re.sub(r"\(.*\)$", "", text)
            if name.split(".")[0] not in PACKAGES or "." not in name or name not in objects:
                continue
            parent = literal.parent
            while parent is not None and not isinstance(parent, NO_LINK_IN):
                parent = parent.parent
            if parent is not None:
                continue
            link = pending_xref(
                "", literal.deepcopy(), refdomain="py", reftype="obj", reftarget=name, refdoc=self.env.docname,
                refexplicit=True, refwarn=True,
            )  # fmt: skip
            link["py:module"] = link["py:class"] = None
            literal.replace_self(link)


def setup(app: Any) -> dict[str, bool]:
    app.add_post_transform(Names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
