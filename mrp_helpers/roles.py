"""What a mark means: one for each role that a number has, the same in every figure and chart.

A chapter names a role ("raw", "mrp"), never a colour. Shape is a second code for the same thing, so
that a figure can be read in grey and by colour-blind readers. In dark mode the site inverts the
lightness of figures and keeps their hues. The colours are of medium lightness, so that they look
much the same in both modes, whereas text and background change places.
"""

from dataclasses import dataclass
from typing import Any, Literal

from mrp_helpers._require import listing, require_type

# Vega's way of saying the colour of the text around a chart, on either ground.
_INK = "currentColor"


@dataclass(frozen=True)
class Role:
    """What a number is, and the mark that says so.

    Attributes
    ----------
    name : str
        What the number is: ``"truth"``, ``"raw"``, ``"mrp"``.
    light, dark : str
        Its colour on a white ground, in which figures are drawn, and what the site's dark mode
        makes of it.
    shape : str
        Matplotlib's name of its shape.
    filled : bool
        Whether the shape is filled.
    size : float
        Matplotlib's size of the shape, in points.
    """

    name: str
    light: str
    dark: str
    shape: str
    filled: bool = True
    size: float = 6.0

    def matplotlib(self, *, along: Literal["x", "y"] = "x", **changes: object) -> dict[str, Any]:
        """Give the keywords of ``Axes.plot`` that draw the mark, without a line.

        Parameters
        ----------
        along : {"x", "y"}
            The axis of the number; a tick is at right angles to it.
        **changes
            Keywords that take the place of these, such as `markersize`.

        Returns
        -------
        dict

        Examples
        --------
        >>> from mrp_helpers import role
        >>> role("raw").matplotlib()["markerfacecolor"]
        'none'
        """
        tick = self.shape == "|"
        return {
            "color": self.light,
            "linestyle": "",
            "marker": "_" if tick and along == "y" else self.shape,
            "markersize": self.size,
            "markerfacecolor": self.light if self.filled else "none",
            "markeredgecolor": self.light,
            "markeredgewidth": 2.6 if tick else 1.4 if not self.filled else 0.0,
            **changes,
        }

    def line(self, **changes: object) -> dict[str, Any]:
        """Give the keywords that draw its interval, or a line without marks.

        Parameters
        ----------
        **changes
            Keywords that take the place of these, such as `linestyle`.

        Returns
        -------
        dict
            For ``Axes.hlines``, ``Axes.axvline``, ``Axes.fill_between`` and the like; ``Axes.plot``
            needs ``marker=""`` as well where the style sets marks.

        Examples
        --------
        >>> from mrp_helpers import role
        >>> role("truth").line(linewidth=1)
        {'color': '#000000', 'linewidth': 1}
        """
        width = 1.0 if self.name == "guide" else 1.6
        return {"color": self.light, "linewidth": width, **changes}

    def altair(self, *, along: Literal["x", "y"] = "x", **changes: object) -> dict[str, Any]:
        """Give the keywords of ``Chart.mark_point`` that draw the mark.

        Parameters
        ----------
        along : {"x", "y"}
            The axis of the number; a tick is at right angles to it.
        **changes
            Keywords that take the place of these, such as `size`.

        Returns
        -------
        dict
            The colours hold on both grounds; what has to change with the ground has the colour of
            the text around the chart.

        Examples
        --------
        >>> from mrp_helpers import role
        >>> role("mrp").altair()["shape"]
        'circle'
        """
        tick = self.shape == "|"
        return {
            "color": self.altair_colour,
            "shape": "stroke" if tick and along == "y" else _SHAPES[self.shape],
            "filled": self.filled,
            "size": 2.5 * self.size**2,
            "strokeWidth": 3.5 if tick else 2.0,
            "opacity": 1.0,
            **changes,
        }

    @property
    def altair_colour(self) -> str:
        """The colour for Altair: that of the text around the chart, where ink has to change."""
        return _INK if self.name in ("truth", "highlighted", "guide") else self.light


# Altair's shapes, by Matplotlib's; the tick and the cross are paths, in units of the mark.
_SHAPES = {
    "|": "M0,-1L0,1",
    "o": "circle",
    "s": "square",
    "^": "triangle-up",
    "D": "diamond",
    "X": "M-1,-0.6L-0.6,-1L0,-0.4L0.6,-1L1,-0.6L0.4,0L1,0.6L0.6,1L0,0.4L-0.6,1L-1,0.6L-0.4,0Z",
    "": "circle",
}

ROLES: dict[str, Role] = {
    role.name: role
    for role in [
        Role("truth", "#000000", "#FFFFFF", "|", size=11),
        Role("raw", "#737373", "#8C8C8C", "o", filled=False),
        Role("weighted", "#00938A", "#19ACA3", "s", size=5.5),
        Role("no pooling", "#C97600", "#CA7701", "^", size=6.5),
        Role("mrp", "#1B84D8", "#339CF0", "o"),
        Role("other", "#8C8C8C", "#737373", "D", size=4.5),
        Role("highlighted", "#404040", "#BFBFBF", "D", size=6),
        Role("wrong", "#E8502A", "#FF744E", "X", size=7),
        Role("guide", "#BDBDBD", "#424242", ""),
    ]
}


def role(name: str) -> Role:
    """Give the mark of a role.

    Parameters
    ----------
    name : str
        ``"truth"`` is the truth or an official count; ``"raw"`` a sample as it is; ``"weighted"`` a
        raked or weighted one; ``"no pooling"`` a model with fixed effects; ``"mrp"`` the main
        model; ``"other"`` any other, of which ``"highlighted"`` is the one that the text is about;
        ``"wrong"`` an error, a miss, a trap. ``"guide"`` is a thin line for the eye, without a
        mark.

    Returns
    -------
    Role
        Its marks in Matplotlib and in Altair.

    Raises
    ------
    KeyError, TypeError
        When there is no such role, or `name` is not text.

    Examples
    --------
    >>> from mrp_helpers import role
    >>> role("weighted").shape
    's'
    """
    require_type(name, str, "name")
    if name not in ROLES:
        raise KeyError(f"no role {name!r}; there are {listing(ROLES)}")
    return ROLES[name]
