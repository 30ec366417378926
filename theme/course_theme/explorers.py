"""Put explorers where pages ask for them, and give these pages the script that moves their charts.

A page asks with the directive `explorer` and the explorer's name. The panel is the one that the
notebook of that name in `explorers` has stored, so that a chapter and the explorer's own page show
the same. The chart's specification, which holds its data, becomes one file for all pages that show
it. The script loads it, and Vega, when a reader comes near.

Charts are written in Vega-Lite, which a browser would first have to translate into Vega. The build
does that once for all readers, so that pages load neither Vega-Lite nor Vega-Embed. Both the
translation and the bundle of Vega come out of the locked package vl-convert-python and are in no
commit. The package uses the newest version that it has; a test holds that this is the one for which
Altair writes, because asking Altair here would mean loading it. All of this takes a tenth of the
build, so a process of its own does it meanwhile.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

STATIC = Path(__file__).resolve().parent.parent / "explorers"
FOLDER = "explorers/"
# Where a panel may be: other pages need no bundle.
WITH_PANELS = (FOLDER, "chapters/", "index")
# How the markup of mrp_course.explorer begins, and what of it becomes a file.
MARK = '<div class="explorer"'
PANEL = re.compile(
    rf'{MARK} data-name="([\w-]+)">(.*?)<script type="application/json">(.*?)</script>', re.DOTALL
)
# The section of an explorer's page that comes last, though its cells run first.
COMPUTED = "What is computed"
BUNDLE = "vega.js"
# The package has its libraries under these names. The snippet's own `vega` would be empty, and
# through `vegaEmbed` the bundle would bring Vega-Lite as well.
MAKE = """
import json, sys, vl_convert
vega = f"/npm/vega@{vl_convert.get_vega_version()}/+esm"
names = "{parse, View, Warn, version}"
snippet = f"import {names} from '{vega}'; window.vega = {names};"
bundle = vl_convert.javascript_bundle(snippet)
specs = json.load(sys.stdin)
charts = {name: vl_convert.vegalite_to_vega(spec) for name, spec in specs.items()}
json.dump([bundle, charts], sys.stdout)
"""


def begin() -> subprocess.Popen[str]:
    """Begin to make the bundle; the charts follow once they are known."""
    command = [sys.executable, "-c", MAKE]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def made(
    specs: dict[str, str], begun: subprocess.Popen[str] | None = None
) -> tuple[str, dict[str, Any]]:
    """Wait for the one script that brings `vega`, and for each chart as Vega has it."""
    making = begun or begin()
    answer, _ = making.communicate(json.dumps(specs))
    if making.returncode:
        raise RuntimeError("vl-convert-python could not make Vega or a chart; see above")
    script, charts = json.loads(answer)
    # Its thousands of names would meet those of Sphinx's own scripts; in a function they do not.
    return f"(() => {{\n{script}\n}})();\n", charts


def stored_panel(path: Path) -> str | None:
    """Find the panel among the stored outputs of an explorer's notebook."""
    if not path.is_file():
        return None
    cells = json.loads(path.read_text("utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    found = ("".join(output.get("text/html", "")) for output in outputs)
    return next((html for html in found if MARK in html), None)


class ShowExplorer(SphinxDirective):
    """The panel of an explorer, with the text of the directive below it."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Take the panel from the explorer's notebook."""
        name = self.arguments[0]
        path = Path(self.env.srcdir) / FOLDER / f"{name}.ipynb"
        html = stored_panel(path)
        if html is None:
            raise self.error(
                f"{FOLDER}{name}.ipynb has no stored explorer; "
                f"run: python -m tools.notebooks {FOLDER}{name}.ipynb"
            )
        self.env.note_dependency(str(path))
        return [nodes.raw("", html, format="html"), *self.parse_content_to_nodes()]


class ComputedLast(SphinxTransform):
    """On an explorer's page, what is computed comes below what it is for."""

    default_priority = 400

    def apply(self, **kwargs: Any) -> None:
        """Move the section behind its siblings."""
        if not self.env.docname.startswith(FOLDER):
            return
        for section in list(self.document.findall(nodes.section)):
            if section.next_node(nodes.title).astext() == COMPUTED:
                parent = section.parent
                parent.remove(section)
                parent.append(section)


class Scripts:
    """What the pages with explorers load; made only if there are such pages."""

    def __init__(self) -> None:
        """Begin with no page."""
        self.begun: subprocess.Popen[str] | None = None
        self.specs: dict[str, str] = {}

    def foresee(self, app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
        """Begin early if one of the pages may want the bundle."""
        if any(page.startswith(WITH_PANELS) for page in pages):
            self.begun = begin()

    def add(
        self, app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
    ) -> None:
        """Let a page that shows an explorer load its script, and the script its chart."""
        if MARK not in context.get("body", ""):
            return

        def static(file: str) -> str:
            return str(context["pathto"](f"_static/{file}", resource=True))

        def moved(match: re.Match[str]) -> str:
            name, inner, self.specs[name] = match[1], match[2], match[3]
            files = f'data-spec="{static(f"{FOLDER}{name}.js")}" data-vega="{static(BUNDLE)}"'
            return f'{MARK} data-name="{name}" {files}{own}>{inner}'

        own = " data-own" if page.startswith(FOLDER) else ""
        context["body"] = PANEL.sub(moved, context["body"])
        app.add_js_file("explorer.js", loading_method="defer")
        if own:
            # A wide chart is worth more there than a list of three headings.
            context["meta"] = {**(context["meta"] or {}), "html_theme.sidebar_secondary.remove": ""}

    def write(self, app: Sphinx, error: Exception | None) -> None:
        """Write bundle and charts, and copy script and style, beside the site's other files."""
        if self.begun and (error or not self.specs):
            self.begun.kill()
        if error or app.builder.name != "html":
            return
        folder = Path(app.outdir) / "_static"
        for path in STATIC.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        if not self.specs:
            return
        script, charts = made(self.specs, self.begun)
        (folder / BUNDLE).write_text(script, encoding="utf-8")
        (folder / FOLDER).mkdir(exist_ok=True)
        for name, chart in charts.items():
            written = json.dumps(chart, separators=(",", ":"), ensure_ascii=False)
            text = f'explorerSpecs["{name}"] = {written};\n'
            (folder / FOLDER / f"{name}.js").write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    scripts = Scripts()
    app.add_directive("explorer", ShowExplorer)
    app.add_transform(ComputedLast)
    # On every page, so that it goes into the one style sheet of all pages; see weight.py.
    app.add_css_file("explorer.css")
    app.connect("env-before-read-docs", scripts.foresee)
    app.connect("html-page-context", scripts.add, priority=400)
    app.connect("build-finished", scripts.write)
