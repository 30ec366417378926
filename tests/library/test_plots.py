"""Figures show the numbers that they were given."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from mrp_helpers import (
    load_state_predictors,
    plot_composition,
    plot_errors,
    plot_estimates,
    plot_map,
    role,
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
    shapes = {(line.get_marker(), line.get_markerfacecolor() == "none") for line in ax.lines}
    assert len(shapes) == 3


def test_names_choose_marks_and_a_caller_may_choose_others():
    def drawn(*names, **chosen):
        ax = plot_estimates(dict.fromkeys(names, RAW), **chosen)
        return [line.get_color() for line in ax.lines]

    def light(*names):
        return [role(name).light for name in names]

    assert drawn("raw", "MRP", "truth") == light("raw", "mrp", "truth")
    assert drawn("official", "main model", "Raked") == light("truth", "mrp", "weighted")
    assert drawn("A", "MRP", "B") == light("weighted", "mrp", "no pooling")
    assert drawn("A", "MRP", roles={"A": "wrong"}) == light("wrong", "mrp")
    every = drawn(*"abcdefg")
    assert len(set(every)) == 7
    assert role("wrong").light not in every


TRUTH = pd.Series({"AK": 0.5, "AL": 0.45, "CA": 0.45})
ASKED = pd.Series({"AK": 10, "AL": 100, "CA": 1000})


def test_errors_are_shown_over_respondents_and_misses_are_marked():
    ax = plot_errors({"raw": RAW, "MRP": MODEL}, TRUTH, ASKED, names=["AL"])
    shown = {line.get_label(): line for line in ax.lines}
    np.testing.assert_allclose(sorted(shown["raw"].get_xdata()), [10, 100, 1000])
    np.testing.assert_allclose(sorted(shown["raw"].get_ydata()), [-15, 0, 15])
    held, missed = ax.collections
    assert [len(lines.get_segments()) for lines in (held, missed)] == [1, 2]
    assert held.get_edgecolor()[0].tolist() == list(to_rgba(role("mrp").light))
    assert missed.get_edgecolor()[0].tolist() == list(to_rgba(role("wrong").light))
    assert [text.get_text() for text in ax.texts] == ["AL"]


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
    states = {f"{state}\n{value:.0f}" for state, value in votes.items()}
    assert written == states | {"share", "35", "45", "55", "65"}


def test_map_has_five_classes_around_its_centre():
    values = pd.Series({"AK": -16.0, "AL": -14.0, "AR": -4.0, "AZ": 4.0, "CA": 14.0, "CO": 16.0})
    ax = plot_map(values, label="error", centre=0)
    shown = {t.get_text().partition("\n")[0]: p for t, p in zip(ax.texts, ax.patches, strict=False)}
    colours = [shown[state].get_facecolor() for state in values.index]
    assert colours[2] == colours[3]
    assert len(set(colours)) == 5
    assert [text.get_text() for text in ax.texts[50:54]] == ["-15", "-5", "5", "15"]


def test_map_draws_intervals_on_one_scale():
    ends = pd.DataFrame({"lower": [40.0, 50], "upper": [60.0, 70]}, index=["AK", "TX"])
    ax = plot_map(ends.mean(axis=1), label="x", interval=ends)
    bars = [line.get_segments()[0][:, 0] for line in ax.collections[::2]]
    np.testing.assert_allclose([np.ptp(bar) for bar in bars], 0.4)
    np.testing.assert_allclose(bars[0].mean(), 0.475)  # 50 is the middle of a tile


def test_map_leaves_unknown_values_empty():
    ax = plot_map(pd.Series({"AK": 1.0, "AL": np.nan, "TX": 3.0}), label="x")
    empty = [patch for patch in ax.patches if patch.get_facecolor()[3] == 0]
    assert len(ax.patches) == 50
    assert len(empty) == 48


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
        (
            lambda: plot_estimates({"raw": RAW}, roles={"rw": "raw"}),
            KeyError,
            "roles name 'rw'; tables are 'raw'",
        ),
        (
            lambda: plot_estimates({"raw": RAW}, roles={"raw": "rw"}),
            KeyError,
            "no role 'rw'; there are 'truth', 'raw'",
        ),
        (
            lambda: plot_map(pd.Series({"AK": 1.0}), label="x", interval=RAW),
            KeyError,
            "interval has no column 'lower'",
        ),
        (
            lambda: plot_errors({"raw": RAW}, TRUTH.drop("AK"), ASKED),
            KeyError,
            "truth has no number for 'AK'",
        ),
        (
            lambda: plot_errors({"raw": RAW}, TRUTH, ASKED.astype(str)),
            TypeError,
            "respondents is not numeric",
        ),
        (lambda: plot_errors({}, TRUTH, ASKED), ValueError, "0 tables given"),
        (
            lambda: plot_estimates({"raw": RAW.assign(age="x")}, by=["state", "age"]),
            TypeError,
            r"^by is \['state', 'age'\]; pass the name of one column, such as one that joins",
        ),
        (lambda: tabulate_estimates({"raw": RAW}, by=["state"]), TypeError, "name of one column"),
        (lambda: plot_composition(SAMPLE, FRAME, by=["sex"]), TypeError, "name of one column"),
        (
            lambda: plot_estimates({"raw": MODEL}, by="lower"),
            ValueError,
            "by names 'lower', and the result has a column or label of that name; rename yours",
        ),
        (lambda: tabulate_estimates({"raw": RAW}, by="estimate"), ValueError, "names 'estimate'"),
        (
            lambda: tabulate_estimates({"MRP": MODEL, "MRP, lower": RAW}),
            ValueError,
            "tables are named 'MRP', 'MRP, lower', and the ends of intervals get columns of",
        ),
        (
            lambda: plot_estimates({"raw": pd.concat([MODEL, MODEL["lower"]], axis=1)}),
            ValueError,
            "table 'raw' has 2 columns named 'lower'; rename or drop one",
        ),
        (
            lambda: plot_estimates({"raw": RAW.assign(state=[[1], [2], [3]])}),
            TypeError,
            "table 'raw': column 'state' holds values of the kind list",
        ),
        (
            lambda: plot_composition(
                SAMPLE.assign(sex=True), FRAME.assign(sex=[1, 0, 1]), by="sex"
            ),
            TypeError,
            "sample: column 'sex' holds booleans, such as True, and the frame's cells hold numbers",
        ),
        (
            lambda: plot_map(pd.Series({"AK": 1.0}), label="x", step=0),
            ValueError,
            "step is 0; it must be above 0",
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


def test_estimates_of_several_levels():
    order = ["left", "middle", "right"]
    shares = pd.DataFrame({"outcome": pd.Categorical(order, order), "estimate": [0.2, 0.5, 0.3]})
    raw = pd.DataFrame({"outcome": order[::-1], "estimate": [0.1, 0.7, 0.2]})
    table = tabulate_estimates({"MRP": shares, "raw": raw}, by="outcome", order=order)
    assert table.index.to_list() == order and table["raw"].to_list() == [20.0, 70.0, 10.0]
    ax = plot_estimates({"MRP": shares, "raw": raw}, by="outcome")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["middle", "right", "left"]
    states = pd.concat([shares.assign(state=state) for state in ("AK", "AL")])
    for function in (tabulate_estimates, plot_estimates):
        with pytest.raises(ValueError) as refusal:
            function({"MRP": states})
        assert str(refusal.value) == (
            "table 'MRP' lists 'AK', 'AL' more than once; there is a row for each 'outcome': "
            "choose one, such as table[table['outcome'] == 'left']"
        )
        assert function({"MRP": states[states["outcome"] == "left"]}) is not None
