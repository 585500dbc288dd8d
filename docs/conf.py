"""Sphinx: `make docs` builds the site into build/docs. The pages under scenes/ are made before every build."""

import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

project = "DynaMITE-Care"
author = "the DynaMITE-Care authors"
release = metadata.version("dynamite-care")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
napoleon_use_ivar = True
napoleon_custom_sections = [("Class attributes", "params_style")]
autodoc_typehints = "none"  # docstrings say shapes and units, which types do not
autodoc_member_order = "bysource"
exclude_patterns = ["results/*/figures"]

html_theme = "furo"
html_title = "DynaMITE-Care"
html_show_copyright = False


def keep_plain(app, what, name, obj, options, lines: list[str]) -> None:
    """A bar in a docstring is a condition or a norm, as in p(r|z), not the markup of a substitution; and what stands before
    a colon in the words about an attribute is not its type, as napoleon takes it."""
    if what == "attribute" and any(line.startswith(":type:") for line in lines):
        (words,) = (line.removeprefix(":type:").strip() for line in lines if line.startswith(":type:"))
        lines[:] = [f"{words}: " + " ".join(line for line in lines if line and not line.startswith(":type:"))]
    for i, line in enumerate(lines):
        parts = line.split("``")  # every second one is literal
        lines[i] = "``".join(part if k % 2 else part.replace("|", "∣") for k, part in enumerate(parts))


def setup(app) -> None:
    from scripts import robot_page, scene_pages

    app.connect("builder-inited", lambda _: scene_pages.write_pages(HERE / "scenes"))
    app.connect("builder-inited", lambda _: robot_page.write_page(HERE / "scenes"))
    app.connect("autodoc-process-docstring", keep_plain)
