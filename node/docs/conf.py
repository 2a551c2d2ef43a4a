"""What Sphinx is told. The documents are the repository's own, from its root on."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

project = "Khazana"
author = "Khazana"
copyright = "Khazana, Apache-2.0"
release = version_of("khazana")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "node/docs/index"
include_patterns = [
    *("README.md", "CHANGELOG.md", "**/README.md"),
    *("node/docs/*.md", "node/docs/howto/*.md", "node/docs/reference/*.md", "node/cli/refusals.md"),
    *("node/ledger/DECISIONS.md", "node/replica/RUNBOOKS.md"),
]
exclude_patterns = [".*", "**/.*", "**/node_modules", "tests/docs", "node/explorer/static"]
html_theme = "furo"
html_title = f"Khazana {release}"
html_show_sphinx = False
html_static_path = ["static"]
html_css_files = ["khazana.css"]
myst_heading_anchors = 3
highlight_language = "text"
myst_enable_extensions = ["colon_fence"]
autodoc_typehints = "description"
autodoc_member_order = "bysource"
# Rooms speak of files and folders beside them, which are no documents.
suppress_warnings = ["myst.xref_missing", "myst.header", "misc.highlighting_failure"]
nitpicky = False


def _write(_app: Any, docname: str, source: list[str]) -> None:
    from node.docs.pages import PAGES

    page = PAGES.get(docname)
    if page is not None:
        source[0] += "\n" + page() + "\n"


def _written(*_: Any) -> list[str]:
    """Return the pages that the code writes: what was built is old whenever the code may be."""
    from node.docs.pages import PAGES

    return list(PAGES)


def setup(app: Any) -> dict[str, Any]:
    """Have the pages that the code writes put below their titles."""
    app.connect("source-read", _write)
    app.connect("env-get-outdated", _written)
    return {"parallel_read_safe": True}
