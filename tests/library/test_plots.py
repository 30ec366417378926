"""Figures show the numbers that they were given."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from mrp_helpers import (
    load_state_predictors,
    plot_composition,
    plot_estimates,
    plot_map,
    tabulate_estimates,
    use_course_style,
)

matplotlib.use("Agg")

SAMPLE = pd.DataFrame({"sex": ["men"] * 3 + ["women"]})
FRAME = pd.DataFrame({"sex": ["women", "men", "women"], "n": [30, 40, 30]})
RAW = pd.DataFrame({"state": ["AK", "AL", "CA"], "estimate": [0.5, 0.6, 0.3]})
MODEL = RAW.assign(lower=RAW["estimate"] - 0.1, upper=RAW["estimate"] + 0.1)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    matplotlib.pyplot.close("all")


def marks(ax):
    return {line.get_label(): line.get_xdata() for line in ax.lines}


def test_composition_shows_both_shares():
    shown = marks(plot_composition(SAMPLE, FRAME, by="sex", order=["women", "men"]))
    np.testing.assert_allclose(shown["sample"], [25, 75])
    np.testing.assert_allclose(shown["population"], [60, 40])


def test_level_that_the_sample_lacks_is_shown_as_nobody():
    shown = marks(plot_composition(SAMPLE[SAMPLE["sex"] == "men"], FRAME, by="sex"))
    np.testing.assert_allclose(shown["sample"], [100, 0])


def test_panels_that_share_an_axis_all_show_their_points():
    _, axes = matplotlib.pyplot.subplots(2, 1, sharex=True)
    even = pd.DataFrame({"sex": ["men", "women"], "n": [1, 1]})
    plot_composition(even, even, by="sex", ax=axes[0])
    plot_composition(SAMPLE[SAMPLE["sex"] == "men"], FRAME, by="sex", ax=axes[1])
    assert axes[0].get_xlim()[0] == 0
    assert axes[0].get_xlim()[1] > 100


def test_estimates_are_sorted_by_the_first_table():
    ax = plot_estimates({"raw": RAW, "model": MODEL})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["AL", "AK", "CA"]
    np.testing.assert_allclose(marks(ax)["model"], [60, 50, 30])
    (intervals,) = ax.collections
    ends = np.array([segment[:, 0] for segment in intervals.get_segments()])
    np.testing.assert_allclose(ends, [[50, 70], [40, 60], [20, 40]])


def test_each_series_has_its_own_colour_and_shape():
    ax = plot_estimates({"raw": RAW, "model": MODEL, "truth": RAW})
    assert len({line.get_color() for line in ax.lines}) == 3
    assert len({line.get_marker() for line in ax.lines}) == 3


def test_a_table_lists_what_the_figure_shows():
    ax = plot_estimates({"raw": RAW, "model": MODEL})
    listed = tabulate_estimates({"raw": RAW, "model": MODEL})
    assert list(listed) == ["raw", "model", "model, lower", "model, upper"]
    assert list(listed.index) == [label.get_text() for label in ax.get_yticklabels()]
    assert listed.index.name == "state"
    for name in ("raw", "model"):
        np.testing.assert_allclose(listed[name], marks(ax)[name])
    np.testing.assert_allclose(listed[["model, lower", "model, upper"]].loc["AL"], [50, 70])


def test_a_group_that_a_table_lacks_is_missing_in_the_list():
    listed = tabulate_estimates({"raw": RAW, "model": MODEL.tail(1)}, order=["AK", "CA"])
    assert list(listed.index) == ["AK", "CA"]
    assert listed["model"].isna().to_list() == [True, False]


def test_map_writes_each_state_with_its_number():
    votes = load_state_predictors().set_index("state")["repvote"] * 100
    ax = plot_map(votes, label="share", centre=50)
    written = {text.get_text() for text in ax.texts}
    assert written == {f"{state}\n{value:.0f}" for state, value in votes.items()}


def test_map_leaves_unknown_values_white():
    ax = plot_map(pd.Series({"AK": 1.0, "AL": np.nan, "TX": 3.0}), label="x")
    white = [patch for patch in ax.patches if patch.get_facecolor() == (1, 1, 1, 1)]
    assert len(ax.patches) == 50
    assert len(white) == 48


def test_style_sets_colours_and_shapes_together():
    use_course_style()
    first, second = list(matplotlib.rcParams["axes.prop_cycle"])[:2]
    assert first["color"] != second["color"]
    assert first["marker"] != second["marker"]


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: plot_composition(SAMPLE, FRAME, by="age"), KeyError, "sample has no column"),
        (lambda: plot_composition(SAMPLE, SAMPLE, by="sex"), KeyError, "frame has no column 'n'"),
        (lambda: plot_composition(SAMPLE, FRAME.assign(n=-1), by="sex"), ValueError, "negative"),
        (lambda: plot_estimates({"raw": SAMPLE}), KeyError, "table 'raw' has no column 'state'"),
        (lambda: plot_composition(None, FRAME, by="sex"), TypeError, "sample is of type NoneType"),
        (
            lambda: plot_composition(SAMPLE.assign(sex=None), FRAME, by="sex"),
            ValueError,
            "sample: column 'sex' has missing values; drop or name",
        ),
        (
            lambda: plot_composition(SAMPLE, FRAME.assign(sex=1), by="sex"),
            ValueError,
            "share no level of 'sex': 'men', 'women' and 1",
        ),
        (lambda: plot_composition(SAMPLE.head(0), FRAME, by="sex"), ValueError, "share no level"),
        (
            lambda: plot_composition(SAMPLE, FRAME, by="sex", order=["men", "x"]),
            KeyError,
            r"order is \['men', 'x'\]; .* its levels are 'men', 'women'",
        ),
        (lambda: plot_estimates(RAW), TypeError, "tables is of type DataFrame"),
        (lambda: plot_estimates({}), ValueError, "0 tables given"),
        (lambda: plot_estimates(dict.fromkeys("abcdefgh", RAW)), ValueError, "8 tables given"),
        (
            lambda: plot_estimates({"raw": RAW.astype({"estimate": str})}),
            TypeError,
            "table 'raw': column 'estimate' is not numeric",
        ),
        (
            lambda: plot_estimates({"raw": MODEL.astype({"upper": str})}),
            TypeError,
            "table 'raw': column 'upper' is not numeric",
        ),
        (lambda: tabulate_estimates(RAW), TypeError, "tables is of type DataFrame"),
        (lambda: tabulate_estimates({}), ValueError, "0 tables given"),
        (
            lambda: tabulate_estimates({"raw": MODEL.astype({"lower": str})}),
            TypeError,
            "table 'raw': column 'lower' is not numeric",
        ),
        (
            lambda: tabulate_estimates({"raw": RAW}, order=["ZZ"]),
            ValueError,
            "table 'raw' has none of the groups that are shown: 'ZZ'",
        ),
        (
            lambda: plot_estimates({"raw": pd.concat([RAW, RAW.head(1)])}),
            ValueError,
            "table 'raw' lists 'AK' more than once",
        ),
        (
            lambda: plot_estimates({"raw": RAW, "other": RAW.assign(state="ZZ").head(1)}),
            ValueError,
            "table 'other' has none of the groups that are shown: 'AL', 'AK', 'CA'",
        ),
        (lambda: plot_map([1.0], label="x"), TypeError, "values is of type list; pass a pandas"),
        (lambda: plot_map(pd.Series({"AK": "1"}), label="x"), TypeError, "values is not numeric"),
        (lambda: plot_map(pd.Series({"AK": np.inf}), label="x"), ValueError, "infinite for 'AK'"),
        (lambda: plot_map(pd.Series({"DC": 1.0}), label="x"), KeyError, "no tile for 'DC'"),
        (lambda: plot_map(pd.Series([1, 2], ["AK", "AK"]), label="x"), ValueError, "twice"),
        (lambda: plot_map(pd.Series({"AK": np.nan}), label="x"), ValueError, "no number"),
    ],
)
def test_bad_tables_are_refused(draw, error, message):
    with pytest.raises(error, match=message):
        draw()
