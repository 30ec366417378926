"""Each role has a mark of its own, in Matplotlib and in Altair, on white and in the dark."""

import json
from itertools import combinations

import altair as alt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from mrp_helpers import ROLES, role

# How bright a colour is to CSS, whose filter turns the site's figures round.
BRIGHTNESS = np.array([0.213, 0.715, 0.072])
DARK_GROUND = "#14181E"
MARKED = [one for one in ROLES.values() if one.shape]


def in_the_dark(colour):
    """Do what the site does: invert(1) hue-rotate(180deg)."""
    colour = np.array(to_rgb(colour))
    return np.clip(colour + 1 - 2 * colour @ BRIGHTNESS, 0, 1)


def contrast(one, other):
    def luminance(colour):
        colour = np.array(to_rgb(colour))
        linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_each_role_has_its_own_shape_and_colour():
    assert len({one.light for one in ROLES.values()}) == len(ROLES)
    # Of the two that share a shape, one is filled and coloured; two are neighbours by design.
    same = {
        (one.name, two.name)
        for one, two in combinations(MARKED, 2)
        if (one.shape, one.filled) == (two.shape, two.filled)
    }
    assert same == {("other", "highlighted")}


@pytest.mark.parametrize("one", MARKED, ids=lambda one: one.name)
def test_marks_stand_out_on_either_ground(one):
    assert contrast(one.light, "white") >= 3
    assert contrast(one.dark, DARK_GROUND) >= 3


@pytest.mark.parametrize("one", ROLES.values(), ids=lambda one: one.name)
def test_dark_is_what_the_site_makes_of_light(one):
    np.testing.assert_allclose(to_rgb(one.dark), in_the_dark(one.light), atol=2 / 255)


@pytest.mark.parametrize("name", ["weighted", "no pooling", "mrp", "wrong", "raw", "other"])
def test_a_role_looks_much_the_same_in_the_dark(name):
    here, there = (np.array(to_rgb(colour)) for colour in (role(name).light, role(name).dark))
    assert np.abs(here - there).max() < 0.15


@pytest.mark.parametrize("one", MARKED, ids=lambda one: one.name)
def test_altair_takes_the_mark(one):
    chart = alt.Chart(pd.DataFrame({"x": [1]})).mark_point(**one.altair()).encode(x="x")
    mark = json.loads(chart.to_json())["mark"]
    # Alone on the page, without the figures' turning round, a dark mark would be lost at night.
    changes = contrast(one.light, DARK_GROUND) < 3
    assert mark["color"] == ("currentColor" if changes else one.light)
    assert mark["filled"] == one.filled
    assert one.altair(size=1)["size"] == 1


def test_a_tick_stands_across_its_axis():
    assert role("truth").matplotlib()["marker"] == "|"
    assert role("truth").matplotlib(along="y")["marker"] == "_"
    assert role("truth").altair()["shape"] != role("truth").altair(along="y")["shape"] == "stroke"
    assert role("mrp").matplotlib(along="y")["marker"] == "o"


def test_changes_take_the_place_of_what_a_role_says():
    assert role("mrp").matplotlib(markersize=3, label="x")["markersize"] == 3
    assert role("guide").line(linewidth=2)["linewidth"] == 2


def test_unknown_roles_are_refused():
    with pytest.raises(KeyError, match="no role 'MRP'; there are 'truth', 'raw'"):
        role("MRP")
