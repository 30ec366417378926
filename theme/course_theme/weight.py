"""Make the built pages light: what a page does not use, it does not load.

The theme and its extensions put their styles and scripts on every page, 1 MB compressed. After the
build each page is rewritten, so that it loads one style sheet with the rules that some page of the
site uses, the icons that these name instead of two thousand, and after the text the scripts that
have something to do on the page. Formulas wait for a reader (maths.js).
"""

import base64
import hashlib
import io
import re
from collections.abc import Iterable
from pathlib import Path
from struct import unpack

import pydata_sphinx_theme
import tinycss2
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

BUNDLE = "styles/site.css"

STYLE = re.compile(
    r'\s*<link\b(?=[^>]*rel="stylesheet")[^>]*href="([^"]*_static/)([^"?]+)[^"]*"[^>]*>'
)
PRELOAD = re.compile(r'\s*<link rel="preload" as="script"[^>]*>')
# Where a page's style sheets end: what lies behind is long, and is searched in vain.
HEAD_END = "</head>"
SCRIPT = re.compile(r"[ \t]*<script\b([^>]*)>(.*?)</script>\n?", re.DOTALL)
SOURCE = re.compile(r'\bsrc="(?:[^"]*_static/|[^"]*/)?([^"?]+)')
IMPORT = re.compile(r"""@import\s+["']([^"']+)["']\s*;""")
IMAGE = re.compile(r"<img\b[^>]*>")
# Both begin with plain letters, for which `re` looks ten times faster than for the edge of a word.
CLASSES = re.compile(r'class="([^"]*)"')
IDS = re.compile(r'id="([^"]*)"')
WORD = re.compile(r"[A-Za-z_][\w-]*")
# In a selector, what a functional pseudo-class holds is an alternative or an exclusion.
FUNCTION = re.compile(r":(?:is|where|not|has)\((?:[^()]|\([^()]*\))*\)")
NAMED = re.compile(r"[.#]((?:[\w-]|\\.)+)")

# A script and what a page must hold to have a use for it; "" stands for every page.
NEEDED_BY = {
    "clipboard.min.js": 'class="highlight',
    "copybutton.js": 'class="highlight',
    "design-tabs.js": "sd-tab-",
    "emblem.js": 'class="emblem',
    "searchindex.js": 'id="search-results"',
    "searchtools.js": 'id="search-results"',
    "language_data.js": 'id="search-results"',
    "tex-chtml.js": 'class="math',
    "quiz.js": "jupyterquiz",
    "togglebutton.js": 'class="toggle|dropdown admonition|admonition dropdown|tag_hide',
}
# The icons' script is replaced; the others start kernels on another host, which no page does.
NEVER = ("fontawesome.js", "sphinx-thebe.js", "sphinx-thebe.css")
# The theme's script measures every box that may scroll, and has the browser lay out for it what a
# page folds away: on a phone, most of a chapter. The script stops.js does without.
THEME = "scripts/pydata-sphinx-theme.js"
MEASURES = "e.tabIndex=e.scrollWidth>e.clientWidth||e.scrollHeight>e.clientHeight?0:-1"
# Large libraries that use no class of this site's styles.
LIBRARIES = ("vega.js", "tex-chtml.js")
# An icon is a glyph of one of these fonts; the last two are of use if some page has such a class.
ICON_FONTS = {
    "fa-solid-900": None,
    "fa-regular-400": {"far", "fa-regular"},
    "fa-brands-400": {"fab", "fa-brands"},
}
WEBFONTS = next(Path(pydata_sphinx_theme.__file__).parent.rglob("fa-solid-900.ttf")).parent
FONT_FACE = re.compile(r"@font-face\s*{[^}]*/(fa-[a-z]+-[0-9]+)\.woff2[^}]*}")
# The private area of Unicode, where the icons are.
GLYPH = re.compile("[\ue000-\uf8ff]")
# A picture that says its size still shrinks with its column, in proportion.
PICTURES = "img[width][height] { height: auto; }\n"


def is_needed(script: str, page: str) -> bool:
    """Say whether a page has something to do for a script of this name."""
    if script in NEVER:
        return False
    signs = NEEDED_BY.get(script, "").split("|")
    return any(sign in page for sign in signs)


def lighten_scripts(page: str) -> str:
    """Leave out the scripts without a use on this page, and run the others after the text."""
    seen: set[str] = set()

    def lightened(match: re.Match[str]) -> str:
        attributes, body = match.groups()
        if source := SOURCE.search(attributes):
            if not is_needed(source[1].rsplit("/", 1)[-1], page) or source[0] in seen:
                return ""
            seen.add(source[0])
            if source[1].endswith("tex-chtml.js"):
                return match[0].replace(source[1], "maths.js")
            late = re.search(r"\b(?:defer|async)\b|type=", attributes)
            return match[0] if late else match[0].replace("<script", "<script defer", 1)
        if "THEBE_JS_URL" in body or "thebe-config" in attributes or "kernelName =" in body:
            return ""
        if "togglebuttonSelector" in body and body in seen:
            return ""
        seen.add(body)
        # Under another name: quizzes take an object MathJax for the loaded library.
        if body.startswith("window.MathJax ="):
            return match[0].replace("window.MathJax =", "window.mathsSettings =", 1)
        # Waits for the deferred script that makes the object, as modules do.
        if body.startswith("DOCUMENTATION_OPTIONS."):
            return match[0].replace("<script", '<script type="module"', 1)
        return match[0]

    return SCRIPT.sub(lightened, page)


def without_measuring(script: str) -> str:
    """Take out of the theme's script what stops.js does instead."""
    if MEASURES not in script:
        raise ValueError(f"{THEME} no longer has what stops.js replaces; see MEASURES in weight.py")
    return script.replace(MEASURES, "")


def size_of_png(path: Path) -> tuple[int, int] | None:
    """Read width and height, in pixels, from a picture's head."""
    if not path.is_file():
        return None
    head = path.read_bytes()[:24]
    if head[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    width, height = unpack(">II", head[16:])
    return width, height


def size_of_svg(path: Path) -> tuple[int, int] | None:
    """Read width and height, in pixels, from a drawing's first lines, which say them in points."""
    if path.suffix != ".svg" or not path.is_file():
        return None
    size = re.search(r'\bwidth="([\d.]+)pt" height="([\d.]+)pt"', path.read_text("utf-8")[:1000])
    return (round(float(size[1]) * 4 / 3), round(float(size[2]) * 4 / 3)) if size else None


def lighten_images(page: str, folder: Path) -> str:
    """Tell each picture's size, so that text does not jump; load those below when they are near."""
    count = 0

    def lightened(match: re.Match[str]) -> str:
        nonlocal count
        added = ""
        source = re.search(r'\bsrc="([^"]+)"', match[0])
        # The theme's own pictures are in a closed menu, and its style says how large they are.
        if source and "_static/" in source[1]:
            return match[0].replace("<img", '<img loading="lazy"', 1)
        count += 1
        sized = re.search(r"\b(?:width|height)\s*[=:]", match[0])
        path = folder / source[1] if source else folder
        if not sized and (size := size_of_png(path) or size_of_svg(path)):
            added += f' width="{size[0]}" height="{size[1]}"'
        if count > 1 and "loading=" not in match[0]:
            added += ' loading="lazy"'
        return "<img" + added + match[0].removeprefix("<img")

    return IMAGE.sub(lightened, page)


def lighten(page: str, folder: Path, bundle: str, bundled: Iterable[str]) -> str:
    """Rewrite a page that lies in `folder`; `bundle` stands for the style sheets in `bundled`."""
    first = True

    def one_sheet(match: re.Match[str]) -> str:
        nonlocal first
        if match[2] not in bundled:
            return match[0]
        if not first:
            return ""
        first = False
        return f'\n  <link rel="stylesheet" href="{match[1]}{bundle}" />'

    head, end, body = page.partition(HEAD_END)
    head = PRELOAD.sub("", STYLE.sub(one_sheet, head))
    return lighten_images(lighten_scripts(head + end + body), folder)


def with_icons(css: str, fonts: Path, names: set[str]) -> str:
    """Embed of each icon font the few glyphs that the rules ask for; leave the others out."""
    codes = set(map(ord, GLYPH.findall(css)))

    def embedded(match: re.Match[str]) -> str:
        signs = ICON_FONTS[match[1]]
        if signs is not None and not signs & names:
            return ""
        url = base64.b64encode(some_glyphs(fonts / f"{match[1]}.ttf", codes)).decode()
        source = f'src:url(data:font/woff;base64,{url}) format("woff")'
        return re.sub(r"src:[^;}]*", lambda _: source, match[0])

    return FONT_FACE.sub(embedded, css)


def some_glyphs(font_file: Path, codes: Iterable[int]) -> bytes:
    """Make of a font another one that has the characters of these codes alone."""
    font = TTFont(font_file, recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=[]))
    subsetter.populate(unicodes=codes)
    subsetter.subset(font)
    font.flavor = "woff"
    made = io.BytesIO()
    font.save(made)
    return made.getvalue()


def used_names(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """Collect each name by which a style rule may select something on some page."""
    values: set[str] = set()
    names: set[str] = set()
    for page in pages:
        values.update(CLASSES.findall(page), IDS.findall(page))
        for _, body in SCRIPT.findall(page):
            names.update(WORD.findall(body))
    for script in scripts:
        names.update(WORD.findall(script))
    return names.union(*(value.split() for value in values))


def may_select(selector: str, names: set[str]) -> bool:
    """Say whether every class and id in a selector is one that is used."""
    wanted = NAMED.findall(FUNCTION.sub("", selector))
    return all(name.replace("\\", "") in names for name in wanted)


def without_unused(css: str, names: set[str]) -> str:
    """Leave out the rules whose selectors name a class or an id that no page has."""
    return "".join(_kept(tinycss2.parse_stylesheet(css, skip_whitespace=True), names))


def _kept(nodes: Iterable[tinycss2.ast.Node], names: set[str]) -> Iterable[str]:
    for node in nodes:
        if node.type == "comment":
            # A licence stays with what it is about.
            yield node.serialize() + "\n" if node.value.startswith("!") else ""
        elif node.type == "qualified-rule":
            selectors = tinycss2.serialize(node.prelude)
            kept = [part for part in split_selectors(selectors) if may_select(part, names)]
            if kept:
                yield ",".join(kept) + "{" + tinycss2.serialize(node.content).strip() + "}\n"
        elif node.type == "at-rule" and node.lower_at_keyword in ("media", "supports"):
            rules = tinycss2.parse_rule_list(node.content, skip_whitespace=True)
            if inner := "".join(_kept(rules, names)):
                condition = tinycss2.serialize(node.prelude).strip()
                yield f"@{node.at_keyword} {condition}{{\n{inner}}}\n"
        elif node.type == "at-rule" and node.lower_at_keyword != "charset":
            yield node.serialize() + "\n"


def split_selectors(selectors: str) -> list[str]:
    """Split at commas outside of brackets and quotes."""
    parts = re.findall(
        r"""(?:[^,("'\[]|\((?:[^()]|\([^()]*\))*\)|"[^"]*"|'[^']*'|\[[^]]*\])+""", selectors
    )
    return [part.strip() for part in parts if part.strip()]


def moved(css: str, sheet: str) -> str:
    """Write the addresses in a style sheet of `_static` as they read from the bundle's folder."""
    folder = Path(sheet).parent
    if folder == Path(BUNDLE).parent:
        return css

    def address(match: re.Match[str]) -> str:
        quote_mark, url = match.groups()
        if url.startswith(("data:", "#", "/")) or "://" in url:
            return match[0]
        return f"url({quote_mark}../{(folder / url).as_posix()}{quote_mark})"

    return re.sub(r"""url\((["']?)([^"')]+)\1\)""", address, css)


def with_imports(static: Path, sheet: str) -> str:
    """Read a style sheet and, in their places, those that it imports: a bundle can import none."""
    css = moved((static / sheet).read_text("utf-8"), sheet)

    def imported(match: re.Match[str]) -> str:
        other = (static / sheet).parent / match[1]
        return with_imports(static, other.resolve().relative_to(static.resolve()).as_posix())

    return IMPORT.sub(imported, css)


def sheets_of(page: str) -> list[str]:
    """List the style sheets of `_static` that a page loads, in order."""
    return [name for _, name in STYLE.findall(page.partition(HEAD_END)[0])]


def shared_sheets(pages: Iterable[str]) -> list[str]:
    """List the sheets that all pages load, in order: those of a single page stay where they are."""
    lists = [sheets_of(page) for page in pages]
    common = set.intersection(*map(set, lists)) if lists else set()
    return list(dict.fromkeys(name for name in (lists[0] if lists else []) if name in common))


def lighten_site(app: Sphinx, exception: Exception | None) -> None:
    """Make the bundle and rewrite the pages of a finished build."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    static = site / "_static"
    files = sorted(path for path in site.rglob("*.html") if static not in path.parents)
    pages = {path: path.read_text("utf-8") for path in files}
    script = static / THEME
    script.write_text(without_measuring(script.read_text("utf-8")), "utf-8")
    sheets = shared_sheets(page for page in pages.values() if sheets_of(page))
    scripts = [
        path.read_text("utf-8")
        for path in sorted(static.rglob("*.js"))
        if path.name not in (*NEVER, *LIBRARIES) and "mathjax" not in path.parts
    ]
    names = used_names(pages.values(), scripts)
    css = "".join(with_imports(static, sheet) for sheet in sheets if sheet not in NEVER)
    bundle = PICTURES + with_icons(without_unused(css, names), WEBFONTS, names)
    (static / BUNDLE).write_text(bundle, encoding="utf-8")
    # Their rules are in the bundle now.
    for unused in (*sheets, *(path.relative_to(static) for path in static.rglob("fa-*-[0-9]*.*"))):
        (static / unused).unlink()
    mark = hashlib.sha256(bundle.encode()).hexdigest()[:8]
    for path, page in pages.items():
        path.write_text(lighten(page, path.parent, f"{BUNDLE}?v={mark}", sheets), "utf-8")


def setup(app: Sphinx) -> None:
    """Come last, when every other part has written its files."""
    # Formulas also come to a page with a definition or a caption from another one. So the script
    # that sets them goes on every page, and is left out again where nothing needs it.
    app.set_html_assets_policy("always")
    app.connect("build-finished", lighten_site, priority=990)
