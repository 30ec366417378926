"""Figures name roles, never colours; each role has one mark in all of them; none is too tall.

What figures show is read off the figures: the drawings that are stored in the notebooks, and the
specifications of the explorers.
"""

import ast
import io
import json
import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from bs4 import BeautifulSoup
from matplotlib import pyplot as plt
from matplotlib.colors import is_color_like

from mrp_helpers import ROLES, role

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("chapters", "appendices", "exercises/solutions", "explorers")
NOTEBOOKS = [path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.ipynb"))]
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
WIDTH, TALLEST = 704, 720  # pixels of the site's text, and of a laptop's window

COLOURED = re.compile(r"(?:^|_)colou?rs?$|^(?:c|fc|ec)$|facecolor|edgecolor|^stroke$")
HEX = re.compile(r"#[0-9A-Fa-f]{6}\b")
# A shape and a colour at once, for `plot`: "C0o", "kx", "r--".
FORMAT = re.compile(r"(?=.*(?:C\d|[bgrcmykw]))(?:C\d|[bgrcmykw]|[-.:,ov^<>sp*hHxX+DdP|_])+")
# They stand on tiles whose colours are the same on any ground.
ON_TILES = {"explorers/map.ipynb": {"white", "black"}}


def code(path):
    """List the sources of a notebook's code cells, without magics."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code" and cell.source[:1] != "%"]


def text_of(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def colours_named(source):
    """Find the colours that a cell names: of keywords, in dictionaries, as formats, in hex."""
    pairs = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword):
            pairs.append((node.arg, node.value))
        if isinstance(node, ast.Dict):
            pairs += [
                (text_of(key), value) for key, value in zip(node.keys, node.values, strict=True)
            ]
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"plot", "loglog"}:
            texts = [text_of(argument) or "" for argument in node.args[1:]]
            yield from (text for text in texts if FORMAT.fullmatch(text))
    for name, value in pairs:
        if name and COLOURED.search(name):
            within = [text_of(inner) for inner in ast.walk(value)]
            yield from (text for text in within if text and is_color_like(text) and text != "none")
    yield from HEX.findall(source)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_notebooks_name_roles_and_no_colours(path):
    allowed = ON_TILES.get(str(path.relative_to(ROOT)), set())
    found = {colour for source in code(path) for colour in colours_named(source)} - allowed
    assert not found, f"{path.name} names {sorted(found)}; name a role instead: role('mrp')"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('ax.plot(x, y, "o", color="0.4")', ["0.4"]),
        ('ax.plot(x, y, "C0o")', ["C0o"]),
        ('ax.plot(x, "kx")', ["kx"]),
        ('style = {"facecolor": "white"}', ["white"]),
        ("blue = '#0072B2'", ["#0072B2"]),
        ('ax.hist(x, color="C1" if wrong else "C0")', ["C1", "C0"]),
        ('ax.plot(x, y, "--", **role("mrp").line())', []),
        ('ax.scatter(x, y, facecolor="none")', []),
        ('draw(x, aes={"color": ["chain"]})', []),
        ('alt.Chart(t).mark_rule(color="currentColor")', []),
    ],
)
def test_named_colours_are_found(source, found):
    assert list(colours_named(source)) == found


# What figures show.


def drawings(path):
    """List a notebook's figures: the name of each cell, and the drawing's first element."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            assert "image/png" not in output.get("data", {}), (
                f"{path.name}: {cell.id} is no drawing"
            )
            if text := output.get("data", {}).get("image/svg+xml"):
                yield cell, ElementTree.fromstring(text)


def shape(path):
    """Describe a mark's outline, whatever its size."""
    numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", path.get("d"))]
    size = max(map(abs, numbers))
    letters = "".join(re.findall(r"[A-Za-z]", re.sub(r"e-?\d+", "", path.get("d"))))
    return letters, tuple(round(number / size, 1) + 0.0 for number in numbers)


def colour_and_fill(element):
    """Read a mark's colour, and whether it is filled."""
    style = dict(re.findall(r"([\w-]+): ([^;]+)", element.get("style", "")))
    filled = style.get("fill", "#000000") != "none"
    return (style.get("fill", "#000000") if filled else style.get("stroke", "none")).upper(), filled


def marks(drawing):
    """List the marks of a drawing, those of its legends too, but not the ticks of its axes."""

    def inside(element):
        for child in element:
            if not child.get("id", "").startswith("matplotlib.axis"):
                yield child
                yield from inside(child)

    outlines = {
        path.get("id"): shape(path) for path in drawing.iter(f"{SVG}path") if path.get("id")
    }
    for use in inside(drawing):
        # An area is drawn as a shape of its own, but has far more corners than a mark.
        if use.tag == f"{SVG}use" and len((outline := outlines[use.get(LINK)[1:]])[0]) < 20:
            yield (outline, *colour_and_fill(use))


@cache
def marks_of_roles():
    """Draw the mark of each role, along either axis, and read it back."""
    known = {}
    for name, one in ROLES.items():
        for along in ("x", "y") if one.shape else ():
            figure, axes = plt.subplots()
            axes.plot(0, 0, **one.matplotlib(along=along))
            with plt.rc_context({"svg.fonttype": "none"}), io.StringIO() as file:
                figure.savefig(file, format="svg")
                (mark,) = set(marks(ElementTree.fromstring(file.getvalue())))
            plt.close(figure)
            known[mark] = name
    return known


def strangers(drawing):
    """List the marks of a drawing that no role has, but clouds of draws in the guide's grey."""
    return {
        mark
        for mark in marks(drawing)
        if mark not in marks_of_roles() and mark[1] != role("guide").light
    }


def test_each_role_has_a_mark_that_can_be_told_from_the_others():
    assert set(marks_of_roles().values()) == {one.name for one in ROLES.values() if one.shape}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_mark_in_a_figure_is_that_of_a_role(path):
    found = {cell.id: strangers(drawing) for cell, drawing in drawings(path)}
    assert not {cell: marks for cell, marks in found.items() if marks}


def test_a_mark_of_no_role_is_found():
    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], **role("mrp").matplotlib(marker="s"))
    with io.StringIO() as file:
        figure.savefig(file, format="svg")
        plt.close(figure)
        ((_, colour, filled),) = strangers(ElementTree.fromstring(file.getvalue()))
    assert (colour, filled) == (role("mrp").light, True)


def height_on_page(drawing):
    width, height = (float(drawing.get(side).removesuffix("pt")) for side in ("width", "height"))
    return WIDTH * height / width


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_figure_is_taller_than_a_window(path):
    tall = {cell.id: round(height_on_page(drawing)) for cell, drawing in drawings(path)}
    assert not {cell: height for cell, height in tall.items() if height > TALLEST}


def test_maps_are_left_alone_in_the_dark():
    maps = 0
    for path in NOTEBOOKS:
        for cell, _ in drawings(path):
            is_map = "plot_map(" in cell.source
            maps += is_map
            kept = cell.metadata["mystnb"].get("image", {}).get("classes", "")
            assert (kept == "dark-light") == is_map, (path.name, cell.id)
    assert maps >= 4


# Explorers say in their specification what they draw.


def layers(specification):
    yield specification
    for layer in specification.get("layer", []):
        yield from layers(layer)


def specifications(path):
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            page = BeautifulSoup(output.get("data", {}).get("text/html", ""), "html.parser")
            for script in page("script", type="application/json"):
                yield json.loads(script.text)


def drawn_pairs(layer):
    """Give pairs of colour and shape of a layer: that of its mark, and those of its scales."""
    mark = layer.get("mark", {})
    if isinstance(mark, dict) and "shape" in mark and "color" in mark:
        yield mark["color"], mark["shape"]
    encoding = layer.get("encoding", {})
    scales = [encoding.get(key, {}).get("scale", {}).get("range", []) for key in ("color", "shape")]
    yield from zip(*scales, strict=False)


@pytest.mark.parametrize("path", sorted((ROOT / "explorers").glob("*.ipynb")), ids=lambda p: p.stem)
def test_explorers_draw_the_marks_of_roles(path):
    drawn_as = [one.altair(along=along) for one in ROLES.values() for along in ("x", "y")]
    known = {(mark["color"], mark["shape"]) for mark in drawn_as}
    specs = list(specifications(path))
    assert specs
    for specification in specs:
        drawn = {pair for layer in layers(specification) for pair in drawn_pairs(layer)}
        assert drawn <= known
        assert specification.get("height", 0) <= TALLEST
