"""Nothing is carried along that no page uses.

The theme brings a drawing script of 1.5 MB for a dozen icons that its font has as well, the book's
builder a client for remote kernels, the mathematics a dozen variants of itself. Once no page loads
them (weight.py), they leave here, so that the whole site fits into a small archive.
"""

import shutil
from pathlib import Path

# What no page asks for, below _static.
UNUSED = (
    "**/*.map",
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
    "sphinx-thebe.js",
)


def prune(static: Path) -> None:
    """Delete what no page uses."""
    for pattern in UNUSED:
        for path in list(static.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
