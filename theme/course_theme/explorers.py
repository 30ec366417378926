"""Give the pages with explorers Vega and the script that moves their charts, and no other page.

The bundle of Vega, Vega-Lite and Vega-Embed comes out of the locked package vl-convert-python when
the site is built, and is in no commit. It brings the newest version that the package has; a test
holds that it is the one for which Altair writes, because asking Altair here would mean loading it.
Making the bundle takes a tenth of the build, so a process of its own does it meanwhile.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

STATIC = Path(__file__).resolve().parent.parent / "explorers"
FOLDER = "explorers/"
# How the markup of mrp_course.explorer begins.
MARK = '<div class="explorer"'
BUNDLE = "vega.js"
MAKE = """
import sys, vl_convert
script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
sys.stdout.buffer.write(script.encode("utf-8"))
"""


def begin() -> subprocess.Popen[bytes]:
    """Begin to make the bundle."""
    return subprocess.Popen([sys.executable, "-c", MAKE], stdout=subprocess.PIPE)


def bundle(begun: subprocess.Popen[bytes] | None = None) -> str:
    """Wait for the one script that brings `vegaEmbed`."""
    making = begun or begin()
    script, _ = making.communicate()
    if making.returncode:
        raise RuntimeError("vl-convert-python could not make the bundle of Vega; see above")
    # Its thousands of names would meet those of Sphinx's own scripts; in a function they do not.
    return f"(() => {{\n{script.decode('utf-8')}\n}})();\n"


class Scripts:
    """What the pages with explorers load; made only if there are such pages."""

    def __init__(self) -> None:
        """Begin with no page."""
        self.begun: subprocess.Popen[bytes] | None = None
        self.wanted = False

    def foresee(self, app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
        """Begin early if one of the pages will want the bundle."""
        if any(page.startswith(FOLDER) for page in pages):
            self.begun = begin()

    def add(
        self, app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
    ) -> None:
        """Let a page that shows an explorer load what it needs."""
        if MARK in context.get("body", ""):
            self.wanted = True
            app.add_css_file("explorer.css")
            app.add_js_file(BUNDLE, loading_method="defer")
            app.add_js_file("explorer.js", loading_method="defer")

    def write(self, app: Sphinx, error: Exception | None) -> None:
        """Write the bundle, and copy script and style, beside the site's other files."""
        if error or not self.wanted or app.builder.name != "html":
            if self.begun:
                self.begun.kill()
            return
        folder = Path(app.outdir) / "_static"
        (folder / BUNDLE).write_text(bundle(self.begun), encoding="utf-8")
        for path in STATIC.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    scripts = Scripts()
    app.connect("env-before-read-docs", scripts.foresee)
    app.connect("html-page-context", scripts.add)
    app.connect("build-finished", scripts.write)
