"""The identity on the front page, which is there at once: no chart library draws it.

Two bars are the two cells of the tour, women and men: a bar is as wide as its cell is common, and
as high as the share of its respondents who are in favour, so that the area is the estimate. A
slider, which theme/static/emblem.js opens, goes from the sample to the population: widths change
and heights stay. The style sheet computes the bars from one number, the women's share; the numbers
are the tour's, and a test computes them again.
"""

PLACE = '<div class="emblem-place"></div>'
# In per cent; the names of the cells, how common they are, and what the sample's people answer.
CELLS = ("women", "men")
SHARES = {"Sample": (25.46, 74.54), "Population": (56.96, 43.04)}
SUPPORT = (43.52, 48.70)
TRUTH = 43.4
SAYS = (
    "Two bars, for women and men. A bar's width is the share of its cell and its height the "
    "support in it, {0[0]:.0f} and {0[1]:.0f} per cent. In the sample women are {1[0]:.0f} per "
    "cent, and the area of the bars is {3:.1f} per cent; in the population women are {2[0]:.0f} "
    "per cent, and the area is {4:.1f}, nearer to the truth of {5:g}."
)


def area(widths: tuple[float, ...]) -> float:
    """Sum the areas of the bars: the estimate, in per cent."""
    return sum(width * height for width, height in zip(widths, SUPPORT, strict=True)) / 100


def bars() -> str:
    """Write the bars with names and shares, and the marks of raw share, estimate and truth."""
    cells = "".join(
        f'<div class="emblem-cell"><span>{cell}</span>'
        f'<span class="emblem-share">{share:.0f}%</span></div>'
        for cell, share in zip(CELLS, SHARES["Sample"], strict=True)
    )
    return (
        f'{cells}<i class="emblem-raw"></i><i class="emblem-level"></i><i class="emblem-truth"></i>'
    )


def picture() -> str:
    """Write the picture as it is for the sample, with the slider."""
    sample, population = SHARES.values()
    said = SAYS.format(SUPPORT, sample, population, area(sample), area(population), TRUTH)
    numbers = (
        f"--women: {sample[0]}; --of-women: {SUPPORT[0]}; --of-men: {SUPPORT[1]}; "
        f"--raw: {area(sample):.2f}; --truth: {TRUTH}"
    )
    return (
        f'<figure class="emblem" style="{numbers}">'
        f'<div class="emblem-says"><span>Estimate <output for="emblem-to">{area(sample):.1f}%'
        f"</output></span><span>Truth {TRUTH}%</span></div>"
        f'<div class="emblem-bars" role="img" aria-label="{said}">{bars()}</div>'
        '<div class="emblem-slider" hidden><span>Sample</span><input type="range" id="emblem-to" '
        f'aria-label="From the sample to the population" min="{sample[0]}" '
        f'max="{population[0]}" step="any" value="{sample[0]}"><span>Population</span></div>'
        "<figcaption>The same answers, counted as often as each group occurs in the population, "
        "move the estimate towards the truth. Width is how common a group is, height how it "
        "answers, and the area is the estimate. The slider moves gender alone, as far as "
        f"{area(population):.1f}%; MRP also adjusts for age, ethnicity, education and state. "
        '<a href="explorers/identity.html">Split the groups further</a>.</figcaption></figure>'
    )


def with_picture(front_page: str) -> str:
    """Put the picture into its place."""
    return front_page.replace(PLACE, PLACE.replace("></div>", f">{picture()}</div>"))
