"""Nothing is fetched, and nothing is carried along that no page uses.

The book's builder adds a client for remote kernels to every page, the theme a drawing script of
1.5 MB for a dozen icons that its font has as well, and the mathematics a dozen variants of itself.
They leave here, so that a page is light and the whole site fits into a small archive.
"""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

# What no page asks for, below _static.
UNUSED = (
    "**/*.map",
    "**/*.LICENSE.txt.map",
    "**/webfonts/*.ttf",
    "locales",
    "mathjax/latest.js",
    "mathjax/mml-*.js",
    "mathjax/startup.js",
    "mathjax/tex-chtml-full*.js",
    "mathjax/tex-mml-*.js",
    "mathjax/tex-svg*.js",
    "mathjax/output/svg*",
    "mathjax/input/mml*",
    "mathjax/input/asciimath.js",
    "scripts/fontawesome.js*",
    "sbt-webpack-macros.html",
    "webpack-macros.html",
    "sphinx-thebe.*",
)
ICON_SCRIPT = re.compile(r'\s*<script [^>]*src="[^"]*scripts/fontawesome\.js[^>]*></script>')


def forget_remote_kernels(app: Sphinx) -> None:
    """Take the listeners of sphinx-thebe, which jupyter-book always loads, off the list."""
    for listeners in app.events.listeners.values():
        listeners[:] = [
            one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")
        ]


def drop_its_style(
    app: Sphinx, page: str, template: str, context: dict[str, object], doctree: nodes.document
) -> None:
    """Leave the stylesheet of remote kernels out of each page."""
    files = context.get("css_files", [])
    context["css_files"] = [file for file in files if "sphinx-thebe" not in str(file)]


def without_icon_script(page: str) -> str:
    """Take the script that draws icons out of a page; the font draws them."""
    head, end, body = page.partition("</head>")
    return ICON_SCRIPT.sub("", head) + end + body


def prune(static: Path) -> None:
    """Delete what no page uses."""
    for pattern in UNUSED:
        for path in sorted(static.glob(pattern), reverse=True):
            if path.is_file():
                path.unlink()
            else:
                prune_folder(path)


def prune_folder(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def setup(app: Sphinx) -> None:
    """Drop before reading, and once more from every page."""
    app.connect("builder-inited", forget_remote_kernels, priority=1)
    app.connect("html-page-context", drop_its_style, priority=900)
