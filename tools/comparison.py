"""How stored notebook outputs are compared with fresh ones, and what a notebook may cost.

nbval runs the notebooks and compares text exactly, so that a mean fails whose last digits differ
because another processor adds in another order. Here two outputs are equal when they are the same
text around equal numbers: integers exactly, other numbers to a relative 1e-4. Two drawings are
equal when their words are equal by this rule, and everything else is where it was to a third of a
pixel. Two pictures are equal when they have the same size and nearly all of their pixels the same
colour.

After its cells, each notebook has one more test: what memory it may hold (tools/profile.py).
Kernels are forks of a process that has done the imports (tools/warm_kernels.py). This is a plugin
of pytest, which conftest.py loads.
"""

import base64
import contextlib
import io
import math
import re
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.image import imread
from nbval.plugin import IPyNbCell, IPyNbFile

from tools import warm_kernels
from tools.notebooks import Meter, name_quizzes
from tools.patience import HANGS
from tools.profile import over_memory

RELATIVE = 1e-4
# What is this close to zero is zero plus rounding.
ABSOLUTE = 1e-9
# A number that stands by itself, not a part of a name or of a version such as x1 or 3.13.0; with
# the spaces before it, because a column of a printed table moves when a number gains a digit.
NUMBER = re.compile(r" *(?<![\w.])([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?!\w|\.\d)")
# Of a picture, this share of pixels may differ by more than this many of 255 steps: an edge that
# is smoothed otherwise on another machine, not a dot in another place.
SHARE_OF_PIXELS = 0.001
STEPS = 64
# Nobody sees a line move by this many points, of which a figure is some 400 wide.
POINTS = 0.25
WORDS = re.compile(r"<text\b[^>]*>([^<]*)</text>")
EMBEDDED = re.compile(r"data:image/png;base64,([^\"]+)")
# Matplotlib names shapes by a digest of their coordinates, which differ in their last digits.
NAME = re.compile(r"\b[a-z][0-9a-f]{10}\b")
COORDINATE = re.compile(r"(?<!opacity: )(?<![\w.#])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.])")


def pytest_configure(config: pytest.Config) -> None:
    # The comparison of notebooks has its own way to give up on a kernel; nothing here is that slow.
    config.option.nbval_cell_timeout = config.option.nbval_kernel_startup_timeout = HANGS


class Tolerant(str):
    """Text that equals another text when the words match and the numbers are close."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        if NUMBER.sub("#", self) != NUMBER.sub("#", other):
            return False
        pairs = zip(NUMBER.findall(self), NUMBER.findall(other), strict=True)
        return all(same_number(one, two) for one, two in pairs)

    def __ne__(self, other: object) -> bool:
        return not self == other


def same_number(one: str, other: str) -> bool:
    """Compare two numbers as they are printed."""
    if one.lstrip("+-").isdigit() and other.lstrip("+-").isdigit():
        return int(one) == int(other)
    return math.isclose(float(one), float(other), rel_tol=RELATIVE, abs_tol=ABSOLUTE)


class Picture(str):
    """A picture, as base64, that equals another one when hardly a pixel differs."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        if str(self) == str(other):
            return True
        return changed_share(self, other) <= SHARE_OF_PIXELS

    def __ne__(self, other: object) -> bool:
        return not self == other


def changed_share(one: str, other: str) -> float:
    """Give the share of pixels that differ between two pictures; all do when the sizes do."""
    first, second = pixels(one), pixels(other)
    if first.shape != second.shape:
        return 1.0
    return float((np.abs(first - second).max(axis=-1) > STEPS).mean())


def pixels(encoded: str) -> np.ndarray:
    """Decode a picture into rows, columns and colours from 0 to 255."""
    return 255 * imread(io.BytesIO(base64.b64decode(encoded)), format="png")


class Drawing(str):
    """A drawing, as SVG, that equals another one with the same words and shapes in their places."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        return str(self) == str(other) or not moved(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other


def moved(one: str, other: str) -> str:
    """Say what differs between two drawings; empty when nothing does that could be seen."""
    if [Tolerant(word) for word in WORDS.findall(one)] != WORDS.findall(other):
        return "its words"
    pictures = zip(EMBEDDED.findall(one), EMBEDDED.findall(other), strict=False)
    if any(Picture(first) != second for first, second in pictures):
        return "a picture in it"
    first, second = (
        EMBEDDED.sub("", WORDS.sub("", NAME.sub("shape", text))) for text in (one, other)
    )
    if COORDINATE.sub("#", first) != COORDINATE.sub("#", second):
        return "its shapes or their colours"
    places = zip(COORDINATE.findall(first), COORDINATE.findall(second), strict=True)
    far = max((abs(float(here) - float(there)) for here, there in places), default=0.0)
    return f"a place in it, by {far:.1f} points" if far > POINTS else ""


exact_sanitize = IPyNbCell.sanitize
exact_compare = IPyNbCell.compare_outputs
show_difference = IPyNbCell.format_output_compare


def tolerant_sanitize(cell: IPyNbCell, output: object) -> object:
    """Do what nbval does to an output before it compares it, then make the comparison tolerant."""
    output = exact_sanitize(cell, output)
    if not isinstance(output, str):
        return output
    if output.startswith("iVBORw0KGgo"):  # how every PNG begins
        return Picture(output)
    return Drawing(output) if "<svg" in output[:1000] else Tolerant(output)


def compare_with_pictures(
    cell: IPyNbCell, fresh: list, stored: list, skip_compare: tuple | None = None
) -> bool:
    """Compare outputs as nbval does, and PNG pictures too, under the same names of quizzes."""
    for outputs in (fresh, stored):
        name_quizzes(outputs, cell.cell.get("id", "cell"))
    skipped = skip_compare or cell.parent.skip_compare
    return exact_compare(cell, fresh, stored, [kind for kind in skipped if kind != "image/png"])


def show_difference_of_pictures(cell: IPyNbCell, kind: str, stored: str, fresh: str) -> None:
    """Say how much of a picture differs, where nbval would print its bytes."""
    if isinstance(stored, Picture):
        what = f"{changed_share(stored, fresh):.1%} of its pixels differ, or its size does"
    elif isinstance(stored, Drawing):
        what = f"what differs is {moved(stored, fresh)}"
    else:
        show_difference(cell, kind, stored, fresh)
        return
    cell.comparison_traceback.append(
        f"the picture is another one: {what}. Run 'make notebooks' and compare the old picture "
        "with the new one"
    )


IPyNbCell.format_output_compare = show_difference_of_pictures
IPyNbCell.sanitize = tolerant_sanitize
IPyNbCell.compare_outputs = compare_with_pictures


class Budget(pytest.Item):
    """The last test of a notebook: the memory that its cells held, and for the log their time."""

    def runtest(self) -> None:
        cost = self.parent.meter.read()
        self.user_properties.append(("cost", [self.path.name, *cost]))
        wrong = over_memory(self.path.name, cost.megabytes)
        assert not wrong, wrong

    def repr_failure(self, excinfo: pytest.ExceptionInfo) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple:
        return self.path, 0, f"{self.path.name}::budget"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what each notebook took, so that a log of continuous integration holds it."""
    reports = [
        report for key in ("passed", "failed") for report in terminalreporter.stats.get(key, [])
    ]
    costs = [cost for report in reports for kind, cost in report.user_properties if kind == "cost"]
    if costs:
        terminalreporter.section("what the notebooks took")
    for name, seconds, megabytes in sorted(costs):
        terminalreporter.write_line(f"{name:<50}{seconds:>6.0f} s{megabytes:>8.0f} MB")


collect_cells = IPyNbFile.collect
start_kernel = IPyNbFile.setup
stop_kernel = IPyNbFile.teardown


def collect_with_budget(notebook: IPyNbFile) -> Iterator[pytest.Item]:
    yield from collect_cells(notebook)
    yield Budget.from_parent(notebook, name="budget")


def start_metered(notebook: IPyNbFile) -> None:
    # What does not import the package gains nothing from a process that has.
    imports = "mrp_helpers" in notebook.path.read_text("utf-8")
    with warm_kernels.use() if imports else contextlib.nullcontext():
        start_kernel(notebook)
    notebook.meter = Meter(notebook.kernel.km.provisioner.pid)
    notebook.meter.start()


def stop_metered(notebook: IPyNbFile) -> None:
    if hasattr(notebook, "meter"):  # it is not there when the kernel did not start
        notebook.meter.stop()
    stop_kernel(notebook)


IPyNbFile.collect = collect_with_budget
IPyNbFile.setup = start_metered
IPyNbFile.teardown = stop_metered
