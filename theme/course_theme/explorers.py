"""Give the pages with explorers Vega and the script that moves their charts, and no other page.

The bundle of Vega, Vega-Lite and Vega-Embed comes out of the locked package vl-convert-python when
the site is built, and is in no commit. It brings the newest version that the package has; a test
holds that it is the one for which Altair writes, because asking Altair here would mean loading it.
"""

from pathlib import Path
from typing import Any

import vl_convert
from sphinx.application import Sphinx

STATIC = Path(__file__).resolve().parent.parent / "explorers"
# How the markup of mrp_helpers.explorer begins.
MARK = '<div class="explorer"'
BUNDLE = "vega.js"


def bundle() -> str:
    """Make the one script that brings `vegaEmbed`."""
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    # Its thousands of names would meet those of Sphinx's own scripts; in a function they do not.
    return f"(() => {{\n{script}\n}})();\n"


def add_files(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Let a page that shows an explorer load what it needs."""
    if MARK in context.get("body", ""):
        app.add_css_file("explorer.css")
        app.add_js_file(BUNDLE, loading_method="defer")
        app.add_js_file("explorer.js", loading_method="defer")


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Write the bundle, and copy script and style, beside the site's other files."""
    if error or app.builder.name != "html":
        return
    folder = Path(app.outdir) / "_static"
    (folder / BUNDLE).write_text(bundle(), encoding="utf-8")
    for path in STATIC.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.connect("html-page-context", add_files)
    app.connect("build-finished", write_files)
