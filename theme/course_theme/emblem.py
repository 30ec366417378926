"""The picture of the identity on the front page, which is there at once: no chart library draws it.

Two bars stand for the two cells of the tour, women and men: a bar is as wide as its cell is common,
and as high as the share of its respondents who are in favour, so that the area is the estimate.
From the sample to the population widths change and heights stay. A link leads to the explorer in
which the bars move. The numbers are the tour's; a test computes them again.
"""

PLACE = '<div class="emblem-place"></div>'
# In per cent; the names of the cells, how common they are, and what the sample's people answer.
CELLS = ("women", "men")
SHARES = {"Sample": (25.46, 74.54), "Population": (56.96, 43.04)}
SUPPORT = (43.52, 48.70)
TRUTH = 43.4
SAYS = (
    "Two pairs of bars, for women and men. A bar's width is the share of its cell and its height "
    "the support in it, {0[0]:.0f} and {0[1]:.0f} per cent. In the sample women are {1[0]:.0f} "
    "per cent, and the area of the bars is {3:.1f} per cent; in the population women are "
    "{2[0]:.0f} per cent, and the area is {4:.1f}, nearer to the truth of {5:g}."
)
# In units of the drawing: a panel's width, the room between two, and the height of one per cent.
PANEL, GAP, HIGH = 190, 34, 3.4
FLOOR = 206


def area(widths: tuple[float, ...]) -> float:
    """Sum a panel's bars: the estimate, in per cent."""
    return sum(width * height for width, height in zip(widths, SUPPORT, strict=True)) / 100


def panel(name: str, widths: tuple[float, ...], left: float) -> str:
    """Draw the bars of a panel with their names, its estimate, and the truth."""
    drawn, at = [], left
    for cell, width, height in zip(CELLS, widths, SUPPORT, strict=True):
        wide, high = width * PANEL / 100, height * HIGH
        drawn.append(
            f'<rect class="{cell}" x="{at:.1f}" y="{FLOOR - high:.1f}" width="{wide:.1f}" '
            f'height="{high:.1f}"/>'
            f'<text x="{at + wide / 2:.1f}" y="{FLOOR - 30}">{cell}</text>'
            f'<text x="{at + wide / 2:.1f}" y="{FLOOR - 12}">{width:.0f}%</text>'
        )
        at += wide
    truth = FLOOR - TRUTH * HIGH
    drawn.append(
        f'<path class="truth" d="M{left} {truth:.1f}h{PANEL}"/>'
        f'<text class="estimate" x="{left + PANEL / 2}" y="22">{area(widths):.1f}%</text>'
        f'<text x="{left + PANEL / 2}" y="{FLOOR + 22}">{name}</text>'
    )
    return "".join(drawn)


def picture() -> str:
    """Draw both panels, in colours of the page."""
    panels = [
        panel(name, widths, number * (PANEL + GAP))
        for number, (name, widths) in enumerate(SHARES.items())
    ]
    width = 2 * PANEL + GAP
    sample, population = SHARES.values()
    said = SAYS.format(SUPPORT, sample, population, area(sample), area(population), TRUTH)
    return (
        f'<figure class="emblem"><svg viewBox="0 0 {width} {FLOOR + 32}" role="img" '
        f'aria-label="{said}">{"".join(panels)}'
        f'<path class="arrow" d="M{PANEL + 6} 110h{GAP - 16}m-6 -6l6 6l-6 6"/></svg>'
        "<figcaption>The same answers, counted as often as each group occurs in the population, "
        "move the estimate towards the truth (dotted). Width is how common a group is, height "
        "how it answers, and the area is the estimate. "
        '<a href="explorers/identity.html">Move the bars yourself</a>.</figcaption></figure>'
    )


def with_picture(front_page: str) -> str:
    """Put the picture where the explorer would be."""
    return front_page.replace(PLACE, PLACE.replace("></div>", f">{picture()}</div>"))
