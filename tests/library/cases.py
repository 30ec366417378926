"""Cases of other people's data, as data: an input, and the right value or the words of a refusal.

Many come from a question or a bug report about a package that does a similar thing; its address
stands beside the case, which was written afresh: the input shows the same trap, the value was
computed by hand or by plain NumPy. `test_cases` runs them all.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import bambi as bmb
import numpy as np
import pandas as pd
import polars
import xarray as xr
from scipy.interpolate import BSpline
from scipy.special import expit, ndtr

import synthetic
from mrp_helpers import (
    aggregate_cells,
    draw_biased_sample,
    effective_sample_size,
    evaluate,
    hajek_mean,
    plot_composition,
    plot_estimates,
    poststratify,
    poststratify_draws,
    rake,
    recode_to_frame,
    selection_weights,
    tabulate_estimates,
)

GITHUB = "https://github.com/"
BALANCE = GITHUB + "facebookresearch/balance/"
BAMBI = GITHUB + "bambinos/bambi/"
BRMS = GITHUB + "paul-buerkner/brms/"
EFFECTS = GITHUB + "vincentarelbundock/marginaleffects/"
FORMULAE = GITHUB + "bambinos/formulae/"
IPFN = GITHUB + "Dirguis/ipfn/"
MRPKIT = GITHUB + "lauken13/mrpkit/"
PANDAS = GITHUB + "pandas-dev/pandas/"
RSTANARM = GITHUB + "stan-dev/rstanarm/"


class Refused(NamedTuple):
    """The words, as a regular expression, that say why there is no value."""

    words: str


class Case(NamedTuple):
    """What is given, and the right answer: a value, what computes it another way, or a refusal."""

    name: str
    given: Callable[[], Any]
    right: Any
    source: str = ""


# Raking.

PEOPLE = pd.DataFrame({"sex": list("mmmw"), "old": [0, 0, 1, 1]})
SQUARE = pd.DataFrame({"sex": list("mmmwww"), "old": [0, 0, 1, 0, 1, 1]})  # odds ratio 4
HALVES = {"sex": pd.Series({"m": 0.5, "w": 0.5})}
OLD = {"old": pd.Series({0: 0.5, 1: 0.5})}
GRID = pd.DataFrame({"sex": list("mmww"), "old": [0, 1, 0, 1]})
PAIRS = pd.Series({("m", 0): 1, ("m", 1): 2, ("w", 0): 3, ("w", 1): 4}).rename_axis(["sex", "old"])
ONE_MAN = pd.DataFrame({"sex": list("mwwwwwwwww")})


def raked(sample: pd.DataFrame, margins: Any, **options: Any) -> list[float]:
    """Weights in the order of the rows."""
    weights: list[float] = rake(sample, margins, **options).to_list()
    return weights


RAKING = [
    Case("one margin", lambda: raked(PEOPLE, HALVES), [2 / 3, 2 / 3, 2 / 3, 2]),
    Case(
        "a single margin is no special case",
        lambda: raked(PEOPLE, OLD),
        [1, 1, 1, 1],
        BALANCE + "pull/438",
    ),
    Case(
        "two margins of a full table are a product of shares",
        lambda: raked(GRID, {"sex": pd.Series({"m": 1, "w": 3}), "old": pd.Series({0: 2, 1: 2})}),
        [0.5, 0.5, 1.5, 1.5],
    ),
    Case(
        "association within the sample stays: margins that hold already change nothing",
        lambda: raked(SQUARE, HALVES | OLD),
        [1] * 6,
    ),
    Case(
        "odds ratios of the sample are kept",
        lambda: np.divide(
            *np.multiply.reduceat(
                rake(
                    SQUARE, {"sex": pd.Series({"m": 1, "w": 9}), "old": pd.Series({0: 3, 1: 7})}
                ).to_numpy()[[0, 4, 2, 3]],
                [0, 2],
            )
        ),
        1.0,
    ),
    Case(
        "ratios of base weights within a cell are kept",
        lambda: raked(PEOPLE, HALVES, base_weight=pd.Series([1, 3, 2, 5])),
        [1 / 3, 1, 2 / 3, 2],
        BALANCE + "issues/431",
    ),
    Case(
        "weights add up to the number of respondents",
        lambda: sum(raked(SQUARE, {"sex": pd.Series({"m": 9000, "w": 1000})} | OLD)),
        6,
        GITHUB + "ttrodrigz/iterake/issues/4",
    ),
    Case(
        "order of a margin's rows does not matter",
        lambda: raked(PEOPLE, {"sex": pd.Series({"w": 30, "m": 10})}),
        [1 / 3, 1 / 3, 1 / 3, 3],
        IPFN + "issues/17",
    ),
    Case(
        "order of a joint margin's levels does not matter where they have names",
        lambda: raked(GRID, {("sex", "old"): PAIRS.swaplevel().sort_index()}),
        [0.4, 0.8, 1.2, 1.6],
        IPFN + "issues/26",
    ),
    Case(
        "a joint margin and one that it does not cover",
        lambda: raked(
            pd.concat([GRID.assign(town="a"), GRID.assign(town="b")]),
            {("sex", "old"): PAIRS / 10, "town": pd.Series({"a": 1, "b": 3})},
        ),
        [0.2, 0.4, 0.6, 0.8, 0.6, 1.2, 1.8, 2.4],
        IPFN + "issues/3",
    ),
    Case(
        "a joint margin by name alone",
        lambda: raked(GRID, {"both": PAIRS}),
        [0.4, 0.8, 1.2, 1.6],
    ),
    Case(
        "a joint margin that overlaps with one of its columns",
        lambda: raked(GRID, {"sex": pd.Series({"m": 3, "w": 7}), ("sex", "old"): PAIRS / 10}),
        [0.4, 0.8, 1.2, 1.6],
    ),
    Case(
        "a joint margin that contradicts one of its columns",
        lambda: raked(GRID, {"sex": pd.Series({"m": 5, "w": 5}), ("sex", "old"): PAIRS}),
        Refused("did not converge in 1000 rounds: sex = .* still misses its share by 0.2"),
    ),
    Case(
        "totals that differ by rounding",
        lambda: raked(
            GRID, {"sex": pd.Series({"m": 500, "w": 501}), "old": pd.Series({0: 500, 1: 500})}
        ),
        Refused(r"different totals \('sex' 1,001, 'old' 1,000\).*margin / margin.sum"),
        GITHUB + "jojo-/mipfp/issues/10",
    ),
    Case(
        "published shares in per cent that add up to 100.1",
        lambda: raked(
            GRID, {"sex": pd.Series({"m": 50.1, "w": 50}), "old": pd.Series({0: 40, 1: 60})}
        ),
        Refused("only rounded, turn each into shares"),
        GITHUB + "jojo-/mipfp/issues/10",
    ),
    Case(
        "shares and counts together",
        lambda: raked(GRID, {"sex": pd.Series({"m": 0.5, "w": 0.5}), "both": PAIRS.swaplevel()}),
        Refused("did not converge"),
    ),
    Case(
        "nobody in a level of the population",
        lambda: raked(PEOPLE, {"sex": pd.Series({"m": 4, "w": 5, "x": 1})}),
        Refused("no respondents with sex = 'x', so no weight can stand for them; merge"),
        GITHUB + "Quantipy/quantipy/issues/1313",
    ),
    Case(
        "nobody in a cell of a joint margin",
        lambda: raked(PEOPLE, {("sex", "old"): PAIRS}),
        Refused(r"no respondents with sex, old = \('w', 0\), so"),
        GITHUB + "Quantipy/quantipy/issues/1313",
    ),
    Case(
        "a level of the sample that the margin does not know",
        lambda: raked(PEOPLE, {"sex": pd.Series({"m": 1})}),
        Refused("'sex' has nobody in level 'w', which respondents have; its levels are 'm'"),
        MRPKIT + "issues/9",
    ),
    Case(
        "a level that neither has",
        lambda: raked(PEOPLE, {"sex": pd.Series({"m": 1, "w": 1, "x": 0})}),
        [2 / 3, 2 / 3, 2 / 3, 2],
    ),
    Case(
        "missing values in a column that is raked",
        lambda: raked(PEOPLE.assign(sex=["m", None, "m", "w"]), HALVES),
        Refused("sample: column 'sex' has missing values; weight complete rows only"),
        MRPKIT + "pull/90",
    ),
    Case(
        "missing values in a column that is not raked",
        lambda: raked(PEOPLE.assign(old=np.nan), HALVES),
        [2 / 3, 2 / 3, 2 / 3, 2],
    ),
    Case(
        "margins that no weights can meet",
        lambda: raked(
            pd.DataFrame({"sex": list("mww"), "old": [0, 0, 1]}),
            {"sex": pd.Series({"m": 0.8, "w": 0.2}), "old": pd.Series({0: 0.5, 1: 0.5})},
        ),
        Refused("did not converge in 1000 rounds: .* merge levels or drop a margin"),
    ),
    Case(
        "a named index of something else",
        lambda: raked(PEOPLE, {"sex": HALVES["sex"].rename_axis("gender")}),
        Refused("margin 'sex' is indexed by 'gender' and not by 'sex'; labels are matched by name"),
    ),
    Case(
        "booleans against 0 and 1",
        lambda: raked(PEOPLE.assign(old=[False, False, True, True]), OLD),
        Refused("'old' holds booleans, such as False, and the levels of margin 'old' hold numbers"),
        PANDAS + "issues/29966",
    ),
    Case(
        "text against numbers",
        lambda: raked(PEOPLE.astype({"old": str}), OLD),
        Refused("column 'old' holds text, such as '0', and .* hold numbers, .* pd.to_numeric"),
    ),
    Case(
        "whole numbers that became floats",
        lambda: raked(PEOPLE.astype({"old": float}), OLD),
        [1, 1, 1, 1],
    ),
    Case(
        "categories in another order, and one that nobody has",
        lambda: raked(PEOPLE.astype({"sex": pd.CategoricalDtype(["x", "w", "m"])}), HALVES),
        [2 / 3, 2 / 3, 2 / 3, 2],
        MRPKIT + "issues/138",
    ),
    Case(
        "a column of lists and a column that is there twice, both of no use",
        lambda: raked(pd.concat([PEOPLE.assign(a=[[1]] * 4), PEOPLE["old"]], axis=1), HALVES),
        [2 / 3, 2 / 3, 2 / 3, 2],
    ),
    Case(
        "a margin as a table",
        lambda: raked(PEOPLE, {"sex": HALVES["sex"].to_frame()}),
        Refused("margin 'sex' is of type DataFrame; pass a pandas Series"),
    ),
    Case(
        "a polars frame",
        lambda: raked(polars.DataFrame({"sex": ["m"]}), HALVES),
        Refused("sample is of type polars DataFrame; pass a pandas DataFrame, which .to_pandas()"),
    ),
    Case(
        "a margin of Decimal numbers",
        lambda: raked(PEOPLE, {"sex": pd.Series({"m": Decimal(1), "w": Decimal(1)})}),
        Refused(r"margin 'sex' is not numeric but object; .* Decimal\('1'\): convert it"),
    ),
    Case(
        "base weights in another order",
        lambda: raked(PEOPLE, HALVES, base_weight=pd.Series([1, 2, 3, 4], index=[3, 2, 1, 0])),
        Refused("base_weight and sample have different indexes"),
    ),
    Case(
        "base weights of enormous size",
        lambda: raked(PEOPLE, HALVES, base_weight=pd.Series([1e308, 3e307, 2e307, 5e307])),
        [4 / 3, 0.4, 4 / 15, 2],
    ),
    Case(
        "a cap is kept, and so are the margins",
        lambda: raked(
            pd.DataFrame({"sex": list("mmmmww"), "old": [0, 0, 0, 1, 0, 1]}),
            {"sex": pd.Series({"m": 0.5, "w": 0.5}), "old": pd.Series({0: 0.4, 1: 0.6})},
            trim=2,
        ),
        # The old count for 3.6, of which the one woman may carry 2: the one man carries the rest.
        [7 / 15, 7 / 15, 7 / 15, 1.6, 1, 2],
        BALANCE + "issues/69",
    ),
    Case(
        "a cap above all weights is as none",
        lambda: raked(PEOPLE, HALVES, trim=2),
        [2 / 3, 2 / 3, 2 / 3, 2],
        BALANCE + "issues/69",
    ),
    Case(
        "a cap below the mean",
        lambda: raked(PEOPLE, HALVES, trim=0.9),
        Refused("trim is 0.9; weights have mean 1, so give a number above 1"),
    ),
]

# Weighted means and what weights cost.


def mean(y: Sequence[Any], weight: Sequence[Any], **index: Any) -> tuple[float, float]:
    """Hajek's mean and its error, of lists."""
    return hajek_mean(pd.Series(y, **index), pd.Series(weight, **index))


MEANS = [
    Case("weighted mean", lambda: mean([1, 0], [3, 1])[0], 0.75),
    Case(
        "equal weights give the textbook's error",
        lambda: mean([1, 2, 4], [5, 5, 5]),
        [7 / 3, np.std([1, 2, 4], ddof=1) / np.sqrt(3)],
    ),
    Case("only ratios matter", lambda: mean([1, 0, 1], [2e-9, 4e-9, 2e-9]), [0.5, 0.375]),
    Case(
        "one of no weight counts in the number of respondents and nowhere else",
        lambda: mean([1, 0, 7], [1, 1, 0]),
        [0.5, np.sqrt(3 / 2 * 2 * 0.25**2)],
        GITHUB + "grf-labs/grf/pull/1104",
    ),
    Case(
        "an outcome that does not vary has no error",
        lambda: mean([1, 1, 1], [1, 2, 3]),
        [1, 0],
        GITHUB + "cmu-delphi/covidcast-indicators/issues/10",
    ),
    Case("answers as booleans", lambda: mean([True, False], [3, 1])[0], 0.75),
    Case("weights near the largest float", lambda: mean([1, 0], [1.5e308, 0.5e308])[0], 0.75),
    Case("outcomes of 1e200 and their error", lambda: mean([0, 2e200], [1, 1]), [1e200, 1e200]),
    Case("one respondent", lambda: mean([1], [1]), Refused("needs at least two")),
    Case("a missing answer", lambda: mean([1, None], [1, 1]), Refused("y is missing or infinite")),
    Case("a missing weight", lambda: mean([1, 0], [1, None]), Refused("weight is missing in 1")),
    Case("a negative weight", lambda: mean([1, 0], [1, -1]), Refused("weight is negative in 1")),
    Case("no weight at all", lambda: mean([1, 0], [0, 0]), Refused("weight sums to zero")),
    Case("complex answers", lambda: mean([1j, 0], [1, 1]), Refused("y is not numeric but complex")),
    Case(
        "weights in another order",
        lambda: hajek_mean(pd.Series([1, 0], [8, 9]), pd.Series([3, 1], [9, 8])),
        Refused("y and weight have different indexes"),
    ),
    Case(
        "rows that are named by something else",
        lambda: hajek_mean(
            pd.Series([1, 0]).rename_axis("person"), pd.Series([3, 1]).rename_axis("household")
        ),
        Refused("one is named 'person', the other 'household'; rename or reorder the levels"),
    ),
    Case(
        "effective sample size",
        lambda: effective_sample_size(pd.Series([1, 1, 1, 3])),
        3,
        GITHUB + "ddsjoberg/gtsummary/issues/2120",
    ),
    Case("equal weights cost nothing", lambda: effective_sample_size(pd.Series([7] * 5)), 5),
    Case("one who has all the weight", lambda: effective_sample_size(pd.Series([0, 9, 0])), 1),
    Case(
        "weights whose squares overflow",
        lambda: effective_sample_size(pd.Series([1e200, 1e200, 1e200, 3e200])),
        3,
        GITHUB + "wexlergroup/FreeBird.jl/issues/255",
    ),
    Case(
        "weights whose squares underflow",
        lambda: effective_sample_size(pd.Series([1e-200, 1e-200, 1e-200, 3e-200])),
        3,
        GITHUB + "wexlergroup/FreeBird.jl/issues/255",
    ),
    Case(
        "weights of eight bits",
        lambda: effective_sample_size(pd.Series([100, 100, 100, 100], dtype="int8")),
        4,
    ),
    Case(
        "weights as text", lambda: effective_sample_size(pd.Series(["1"])), Refused("not numeric")
    ),
    Case(
        "weights as objects",
        lambda: effective_sample_size(pd.Series([1, 2], dtype=object)),
        Refused(r"not numeric but object; its values are objects such as 1: .*astype\(float\)"),
    ),
]

# Recoding.

SURVEY = pd.DataFrame({"q1": [1, 2, 9], "q2": ["yes", "no", "yes"]})
FRAME = pd.DataFrame({"sex": ["man", "woman"], "n": [5, 6]})
CODES = {1: "man", 2: "woman", 9: None}
YES = {"yes": 1, "no": 0}


def recoded(
    survey: pd.DataFrame, frame: pd.DataFrame, codes: Any, answers: Any = YES
) -> list[list[Any]]:
    """Rows of the recoded survey: level of the frame, answer."""
    words = None if codes is None else {"sex": codes}
    found = recode_to_frame(survey, frame, {"sex": "q1"}, words, answer="q2", answers=answers)
    return found.to_numpy().tolist()


RECODING = [
    Case("codes become words", lambda: recoded(SURVEY, FRAME, CODES), [["man", 1], ["woman", 0]]),
    Case(
        "words that are the frame's already",
        lambda: recoded(SURVEY.head(2).assign(q1=["woman", "man"]), FRAME, None),
        [["woman", 1], ["man", 0]],
        MRPKIT + "issues/153",
    ),
    Case(
        "a code that nobody named",
        lambda: recoded(SURVEY, FRAME, {1: "man", 2: "woman"}),
        Refused("survey: 9 in column 'q1' is not among the codes for the frame's sex"),
        MRPKIT + "issues/9",
    ),
    Case(
        "two codes become one level",
        lambda: recoded(SURVEY, FRAME, {1: "man", 2: "man", 9: "woman"}),
        [["man", 1], ["man", 0], ["woman", 1]],
        MRPKIT + "issues/110",
    ),
    Case(
        "a level that the frame does not have",
        lambda: recoded(SURVEY, FRAME, CODES | {9: "other"}),
        Refused("codes send 9 to 'other', but the frame's sex has only 'man', 'woman'"),
    ),
    Case(
        "codes as whole floats",
        lambda: recoded(SURVEY.astype({"q1": float}), FRAME, CODES),
        [["man", 1], ["woman", 0]],
    ),
    Case(
        "codes in a category",
        lambda: recoded(SURVEY.astype({"q1": "category"}), FRAME, CODES),
        [["man", 1], ["woman", 0]],
    ),
    Case(
        "codes as nullable numbers",
        lambda: recoded(SURVEY.astype({"q1": "Int64"}), FRAME, CODES),
        [["man", 1], ["woman", 0]],
    ),
    Case(
        "codes as text",
        lambda: recoded(SURVEY.astype({"q1": str}), FRAME, CODES),
        Refused(r"'1', '2', '9' in column 'q1' is not among .* \(1, 2, 9\)"),
    ),
    Case(
        "booleans under codes 1 and 0",
        lambda: recoded(SURVEY.assign(q1=[True, False, True]), FRAME, {1: "man", 0: "woman"}),
        Refused("True, False in column 'q1' .* a boolean is not a number, so name True, False"),
        PANDAS + "issues/29966",
    ),
    Case(
        "1 and 0 under codes True and False",
        lambda: recoded(SURVEY.assign(q1=[1, 0, 1]), FRAME, {True: "man", False: "woman"}),
        Refused("1, 0 in column 'q1' .* a boolean is not a number, so name 1, 0 there"),
        PANDAS + "issues/29966",
    ),
    Case(
        "booleans under codes True and False",
        lambda: recoded(
            SURVEY.assign(q1=[True, False, True]), FRAME, {True: "man", False: "woman"}
        ),
        [["man", 1], ["woman", 0], ["man", 1]],
    ),
    Case(
        "a mix of codes and words",
        lambda: recoded(
            SURVEY.assign(q1=[1, 2, "refused"]), FRAME, {1: "man", 2: "woman", "refused": None}
        ),
        [["man", 1], ["woman", 0]],
    ),
    Case(
        "a missing code",
        lambda: recoded(SURVEY.assign(q1=[1, None, 2]), FRAME, CODES),
        Refused(r"'q1' is missing for 1 respondent\(s\); drop them with survey.dropna"),
        MRPKIT + "pull/90",
    ),
    Case(
        "lists as codes",
        lambda: recoded(SURVEY.assign(q1=[[1], [2], [9]]), FRAME, CODES),
        Refused("column 'q1' holds lists, which cannot be codes"),
    ),
    Case(
        "lists where nobody looks",
        lambda: recoded(SURVEY.assign(q3=[[1], [2], [9]]), FRAME, CODES),
        [["man", 1], ["woman", 0]],
    ),
]

# Cells.

CELLS = pd.DataFrame({"town": ["b", "a", "b"], "vote": [1, 0, 0]})


def counted(people: pd.DataFrame, by: Any = "town", **options: Any) -> list[list[Any]]:
    """Rows of the table of cells."""
    rows: list[list[Any]] = aggregate_cells(people, by, "vote", **options).to_numpy().tolist()
    return rows


COUNTING = [
    Case("cells are sorted", lambda: counted(CELLS), [["a", 1, 0], ["b", 2, 1]]),
    Case(
        "counted answers as booleans",
        lambda: counted(CELLS.astype({"vote": bool})),
        [["a", 1, 0], ["b", 2, 1]],
    ),
    Case(
        "answers as a category",
        lambda: counted(CELLS.astype({"vote": "category"})),
        [["a", 1, 0], ["b", 2, 1]],
    ),
    Case(
        "answers as Decimal numbers",
        lambda: counted(CELLS.assign(vote=[Decimal(1), Decimal(0), Decimal(0)])),
        [["a", 1, 0], ["b", 2, 1]],
    ),
    Case(
        "answers as text",
        lambda: counted(CELLS.astype({"vote": str})),
        Refused("column 'vote' holds something other than 0 and 1"),
    ),
    Case(
        "a missing answer in a cell",
        lambda: counted(CELLS.assign(vote=pd.array([1, None, 0], "Int64"))),
        Refused(r"column 'vote' is missing in 1 row\(s\); drop those who gave no answer"),
        MRPKIT + "pull/88",
    ),
    Case(
        "an index with the name of a column makes the same cells",
        lambda: counted(CELLS.set_index("town", drop=False), weight=None),
        [["a", 1, 0], ["b", 2, 1]],
    ),
    Case(
        "an index with the name of a column makes the same weighted cells",
        lambda: counted(
            CELLS.set_index("town", drop=False), weight=pd.Series([3, 5, 1], list("bab"))
        ),
        [["a", 1, 0], ["b", 1.6, 1.2]],
    ),
    Case(
        "categories that nobody has make no cells",
        lambda: counted(CELLS.astype({"town": pd.CategoricalDtype(["c", "b", "a"])})),
        [["b", 2, 1], ["a", 1, 0]],
    ),
    Case("a cell without a name", lambda: counted(CELLS.assign(town=None)), Refused("missing val")),
    Case(
        "lists as cells",
        lambda: counted(CELLS.assign(town=[[1], [2], [3]])),
        Refused("column 'town' holds values of the kind list, which cannot be levels"),
    ),
    Case(
        "a column named like the counts",
        lambda: counted(CELLS.assign(n=1), ["town", "n"]),
        Refused("makes no table of cells: .* none 'n', which counts respondents; rename"),
    ),
    Case(
        "the outcome as a cell",
        lambda: counted(CELLS, ["town", "vote"]),
        Refused("makes no table of cells"),
    ),
    Case(
        "weights within a cell",
        lambda: counted(CELLS, weight=pd.Series([3, 5, 1])),
        [["a", 1, 0], ["b", 1.6, 1.2]],
        GITHUB + "mgoplerud/vglmer/issues/14",
    ),
    Case(
        "equal weights count as none",
        lambda: counted(CELLS, weight=pd.Series([0.3] * 3)),
        [["a", 1, 0], ["b", 2, 1]],
        BRMS + "issues/881",
    ),
    Case(
        "a cell of no weight is not occupied",
        lambda: counted(CELLS, weight=pd.Series([3, 0, 3])),
        [["b", 2, 1]],
        GITHUB + "gergness/srvyr/issues/136",
    ),
    Case(
        "weights of enormous size",
        lambda: counted(CELLS, weight=pd.Series([3e300, 5e-300, 1e300])),
        [["a", 1, 0], ["b", 1.6, 1.2]],
    ),
]

# Evaluating.

STATES = pd.DataFrame(
    {"state": ["AK", "AL"], "estimate": [0.4, 0.7], "lower": [0.3, 0.65], "upper": [0.5, 0.8]}
)
TRUTH = pd.Series({"AL": 0.6, "AK": 0.4})
LEVELS = ["low", "high"]
TWO = pd.DataFrame(
    {"own": ["low", "low", "high"], "father": ["low", "high", "low"], "estimate": [0.1, 0.2, 0.3]}
)


def score(estimates: pd.DataFrame, truth: Any, by: Any = "state", what: str = "mae") -> float:
    """One of the scores."""
    return float(evaluate(estimates, truth, by)[what])


EVALUATING = [
    Case("mean absolute error", lambda: score(STATES, TRUTH), 0.05),
    Case("coverage", lambda: score(STATES, TRUTH, what="coverage"), 0.5),
    Case("only shared groups count", lambda: score(STATES, TRUTH.drop("AL"), what="n_groups"), 1),
    Case(
        "levels that share their words",
        lambda: score(TWO, TWO.set_index(["father", "own"])["estimate"], ["own", "father"]),
        0,
        IPFN + "issues/26",
    ),
    Case(
        "levels without names are matched by place",
        lambda: score(
            TWO,
            TWO.set_index(["father", "own"])["estimate"].rename_axis([None, None]),
            ["own", "father"],
        ),
        0.2 / 3,
    ),
    Case(
        "truth of something else",
        lambda: score(STATES, TRUTH.rename_axis("region")),
        Refused("truth is indexed by 'region' and not by 'state'; labels are matched by name"),
    ),
    Case(
        "truth as a table, its columns in another order",
        lambda: score(
            STATES, TRUTH.rename_axis("state").reset_index(name="truth")[["truth", "state"]]
        ),
        0.05,
    ),
    Case(
        "estimates indexed by state",
        lambda: score(STATES.set_index("state"), TRUTH),
        Refused(r"no column 'state'; its index has that name - call .reset_index\(\) first"),
    ),
    Case(
        "whole numbers against floats",
        lambda: score(STATES.assign(state=[1, 2]), pd.Series({1.0: 0.4, 2.0: 0.6})),
        0.05,
    ),
    Case(
        "names of groups as text and as numbers",
        lambda: score(STATES.assign(state=["1", "2"]), pd.Series({1: 0.4, 2: 0.6})),
        Refused("column 'state' holds text, such as '1', and the truth hold numbers"),
    ),
    Case(
        "booleans against numbers",
        lambda: score(STATES.assign(state=[True, False]), pd.Series({1: 0.4, 0: 0.6})),
        Refused("holds booleans, such as False, and the truth hold numbers"),
        PANDAS + "issues/23884",
    ),
    Case(
        "categories against text",
        lambda: score(STATES.astype({"state": "category"}), TRUTH),
        0.05,
    ),
    Case(
        "groups named like bounds", lambda: score(STATES, TRUTH, "lower"), Refused("by names 'low")
    ),
    Case("groups named like the truth", lambda: score(STATES, TRUTH, "truth"), Refused("'truth'")),
    Case(
        "a group listed twice",
        lambda: score(pd.concat([STATES, STATES]), TRUTH),
        Refused("estimates: group {'state': 'AK'} is listed more than once"),
    ),
    Case(
        "no group in common",
        lambda: score(STATES, TRUTH.add_prefix("US-")),
        Refused("no group is in both tables: estimates have 'AK', 'AL'"),
        MRPKIT + "issues/9",
    ),
]

# Selecting and showing.

LANDS = pd.DataFrame({"state": ["AK", "AL"], "repvote": [0.5, 0.6]})
VOTERS = pd.DataFrame({"state": ["AL", "AK"], "union": [True, False]})

SHOWING = [
    Case(
        "a recipe with a number and with levels",
        lambda: selection_weights(VOTERS, LANDS, {"repvote": 10, "union": {True: 1}}).to_list(),
        [7, 5],
    ),
    Case(
        "a recipe with 1 for True",
        lambda: selection_weights(VOTERS, LANDS, {"repvote": 10, "union": {1: 1}}),
        Refused("adds weight for union = 1, which nobody has; the levels are False, True"),
        PANDAS + "issues/29966",
    ),
    Case(
        "a column that both tables have twice, of no use",
        lambda: selection_weights(
            pd.concat([VOTERS.assign(z=1), VOTERS["union"]], axis=1),
            LANDS.assign(z=2),
            {"repvote": 1},
        ).to_list(),
        [0.6, 0.5],
    ),
    Case(
        "a sample of the only one with weight",
        lambda: draw_biased_sample(VOTERS, pd.Series([0, 1]), n=1)["state"].to_list(),
        ["AK"],
    ),
    Case(
        "weights under another name",
        lambda: draw_biased_sample(
            VOTERS.rename_axis("a"), pd.Series([0, 1]).rename_axis("b"), n=1
        ),
        Refused("weights and respondents have different indexes: one is named 'a', the other 'b'"),
    ),
    Case(
        "indexes with the names of columns",
        lambda: selection_weights(
            VOTERS.set_index("state", drop=False),
            LANDS.set_index("state", drop=False),
            {"repvote": 10},
        ).to_list(),
        [6, 5],
    ),
    Case(
        "an index with the name of a column in a figure",
        lambda: [
            line.get_xdata()
            for line in plot_composition(
                PEOPLE.set_index("sex", drop=False),
                pd.DataFrame({"sex": ["w", "m"], "n": [1, 1]}).set_index("sex", drop=False),
                "sex",
            ).lines
        ],
        [[50, 50], [75, 25]],
    ),
    Case(
        "two tables side by side",
        lambda: tabulate_estimates({"a": STATES[["state", "estimate"]]}).to_numpy().tolist(),
        [[70], [40]],
    ),
    Case(
        "a table named like the end of another's interval",
        lambda: tabulate_estimates({"a": STATES, "a, lower": STATES[["state", "estimate"]]}),
        Refused("ends of intervals get columns of the same name; rename a table"),
    ),
    Case(
        "groups of two columns in a figure",
        lambda: plot_estimates({"a": STATES}, ["state", "age"]),
        Refused(r"by is \['state', 'age'\]; pass the name of one column"),
    ),
    Case(
        "booleans beside numbers in a figure",
        lambda: plot_composition(VOTERS, pd.DataFrame({"union": [1, 0], "n": [1, 2]}), "union"),
        Refused("sample: column 'union' holds booleans, .* and the frame's cells hold numbers"),
    ),
]


# Models. A cell's linear predictor is written out by hand from the draws of the effects, so that
# nothing of a design matrix, of Bambi's or of ours, is needed for the right value.

DATA = synthetic.cells()
WORLD = synthetic.cells(seed=9).drop(columns=["yes", "vote", "height", "visits"])
INVERSE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda eta: eta,
    "logit": expit,
    "log": np.exp,
    "probit": ndtr,
    "cloglog": lambda eta: 1 - np.exp(-np.exp(eta)),
}


class Drawn:
    """Draws of a model's effects: ``b("x|state", "AK")`` are those of one level, draw by draw."""

    def __init__(self, draws: xr.DataTree):
        self._posterior = draws["posterior"].to_dataset().stack(sample=("chain", "draw"))

    def __call__(self, name: str, *levels: object) -> np.ndarray:
        effect = self._posterior[name]
        dimensions = [dimension for dimension in effect.dims if dimension != "sample"]
        assert len(dimensions) == len(levels)
        return effect.sel(dict(zip(dimensions, levels, strict=True))).to_numpy()


def predicted(
    name: str,
    formula: Any,
    predictor: Callable[[Drawn, Any], Any],
    *,
    family: str = "gaussian",
    link: str | None = None,
    data: pd.DataFrame = DATA,
    frame: pd.DataFrame = WORLD,
    by: Any = "edu",
    aliases: dict[str, str] | None = None,
    source: str = "",
    **options: Any,
) -> Case:
    """A case of `poststratify_draws`; `predictor` gives a cell's linear predictor, by hand."""

    @cache
    def fitted() -> tuple[bmb.Model, xr.DataTree]:
        model = bmb.Model(formula, data, family=family, link=link)
        model.set_alias(aliases or {})
        return model, synthetic.draws_for(model, draws=8)

    def right() -> np.ndarray:
        model, draws = fitted()
        inverse, b = INVERSE[model.family.link[model.family.likelihood.parent].name], Drawn(draws)
        names = [] if by is None else [by] if isinstance(by, str) else by
        totals: dict[Any, Any] = {}
        for row in frame.to_dict("records"):
            group = tuple(row[column] for column in names)
            value = inverse(np.ones(16) * predictor(b, SimpleNamespace(**row)))
            people, total = totals.get(group, (0, 0))
            totals[group] = (people + row["n"], total + row["n"] * value)
        return np.array([total / people for _, (people, total) in sorted(totals.items())])

    def given() -> np.ndarray:
        return poststratify_draws(*fitted(), frame, by, **options).to_numpy()

    return Case(name, given, right, source)


def refused(
    name: str,
    formula: Any,
    words: str,
    *,
    family: str = "gaussian",
    data: pd.DataFrame = DATA,
    frame: pd.DataFrame = WORLD,
    priors: dict[str, bmb.Prior] | None = None,
    source: str = "",
    **options: Any,
) -> Case:
    """A case of `poststratify` that has no right value."""

    def given() -> pd.DataFrame:
        model = bmb.Model(formula, data, family=family, priors=priors, noncentered=priors is None)
        return poststratify(model, synthetic.draws_for(model), frame, **options)

    return Case(name, given, Refused(words), source)


def spline(x: float) -> np.ndarray:
    """Cubic B-splines of four columns, their knots from the data, without the first column."""
    inner = np.quantile(DATA["x"], [0.5])
    knots = np.concatenate([[DATA["x"].min()] * 4, inner, [DATA["x"].max()] * 4])
    return BSpline.design_matrix(np.array([x]), knots, 3).toarray()[0, 1:]


def dummies(b: Drawn, name: str, level: object, reference: object) -> Any:
    """Effect of a level against a reference, which has none."""
    return 0 if level == reference else b(name, str(level))


def summed(b: Drawn, name: str, level: str, levels: Sequence[str]) -> Any:
    """Effect of a level in coding that sums to zero, whose last level has no draws of its own."""
    shown = levels[:-1]
    return b(name, level) if level in shown else -sum(b(name, one) for one in shown)


AGES = synthetic.AGES
INSIDE = WORLD.assign(x=WORLD["x"].clip(DATA["x"].min(), DATA["x"].max()))
TWO_NEW = WORLD.replace({"state": {"AK": "VT", "AL": "WY"}})
NUMBERED = {"AK": 1, "AL": 2, "CA": 3, "NY": 4, "TX": 5}
CODED = DATA.assign(state=DATA["state"].map(NUMBERED))
CODED_WORLD = WORLD.assign(state=WORLD["state"].map(NUMBERED))
UNION = DATA.assign(union=DATA["male"] > 0)
SHARE = DATA.assign(share=(DATA["yes"] / DATA["n"]).clip(0.05, 0.95), wait=DATA["height"] / 100)
SPACED = DATA.rename(columns={"x": "my x"})


def line(b: Drawn, c: Any) -> Any:
    """A straight line in x."""
    return b("Intercept") + b("x") * c.x


PREDICTED = [
    predicted(
        "a frame of nothing but people",
        "height ~ 1",
        lambda b, c: b("Intercept"),
        frame=pd.DataFrame({"n": [3, 4], "id": [1, 2]}),
        by=None,
        source=RSTANARM + "pull/492",
    ),
    predicted("a straight line", "height ~ x", line),
    predicted(
        "the first rows of a frame alone",
        "height ~ x",
        line,
        frame=WORLD.head(7),
        source=RSTANARM + "issues/73",
    ),
    predicted(
        "rows in another order",
        "p(yes, n) ~ x + (1|state)",
        lambda b, c: line(b, c) + b("1|state", c.state),
        family="binomial",
        frame=WORLD.sample(frac=1, random_state=4),
        source=GITHUB + "bbolker/glmmadmb/issues/6",
    ),
    predicted(
        "the outcome is not in the frame",
        "p(yes, n) ~ x",
        line,
        family="binomial",
        source=RSTANARM + "issues/585",
    ),
    predicted(
        "cells count as often as they have people",
        "vote ~ x",
        line,
        family="bernoulli",
        by=None,
        source=EFFECTS + "issues/762",
    ),
    predicted(
        "averages over a group are weighted too",
        "vote ~ x + edu",
        lambda b, c: line(b, c) + dummies(b, "edu", c.edu, "College"),
        family="bernoulli",
        by="age",
        source=EFFECTS + "issues/997",
    ),
    predicted(
        "another population than the sample's",
        "height ~ edu",
        lambda b, c: b("Intercept") + dummies(b, "edu", c.edu, "College"),
        frame=WORLD.assign(n=WORLD["n"] * np.where(WORLD["edu"] == "HS", 9, 1)),
        by=None,
        source=GITHUB + "leeper/margins/issues/153",
    ),
    predicted(
        "an interaction with a number",
        "height ~ x*edu",
        lambda b, c: (
            line(b, c)
            + dummies(b, "edu", c.edu, "College")
            + dummies(b, "x:edu", c.edu, "College") * c.x
        ),
        by="state",
        source=BAMBI + "issues/831",
    ),
    predicted(
        "an interaction with a number and no main effect",
        "height ~ x:edu",
        lambda b, c: b("Intercept") + b("x:edu", c.edu) * c.x,
    ),
    predicted(
        "an interaction of categories",
        "height ~ edu*age",
        lambda b, c: (
            b("Intercept")
            + dummies(b, "edu", c.edu, "College")
            + dummies(b, "age", c.age, "18-29")
            + (0 if c.edu == "College" or c.age == "18-29" else b("edu:age", f"{c.edu}, {c.age}"))
        ),
        by=["edu", "age"],
        source=BAMBI + "issues/831",
    ),
    predicted(
        "an interaction of categories alone",
        "height ~ 0 + edu:age",
        lambda b, c: b("edu:age", f"{c.edu}, {c.age}"),
        by="state",
    ),
    predicted(
        "no intercept",
        "height ~ 0 + edu + x",
        lambda b, c: b("edu", c.edu) + b("x") * c.x,
        by="state",
    ),
    predicted(
        "no intercept, said last",
        "height ~ edu + x - 1",
        lambda b, c: b("edu", c.edu) + b("x") * c.x,
        source=FORMULAE + "pull/102",
    ),
    predicted(
        "a reference level of one's choice",
        "height ~ T(age, ref='40+')",
        lambda b, c: b("Intercept") + dummies(b, "T(age, ref='40+')", c.age, "40+"),
        source=BAMBI + "issues/380",
    ),
    predicted(
        "effects that sum to zero",
        "height ~ S(age) + x",
        lambda b, c: line(b, c) + summed(b, "S(age)", c.age, AGES),
        source=BRMS + "issues/250",
    ),
    predicted(
        "a frame that has one of the levels",
        "height ~ x + edu",
        lambda b, c: line(b, c) + dummies(b, "edu", c.edu, "College"),
        frame=WORLD[WORLD["edu"] == "HS"],
        by="age",
        source=RSTANARM + "issues/467",
    ),
    predicted(
        "a frame that has a later part of the levels",
        "height ~ age",
        lambda b, c: b("Intercept") + dummies(b, "age", c.age, "18-29"),
        frame=WORLD[WORLD["age"] != "18-29"],
        source=GITHUB + "imbs-hl/ranger/issues/502",
    ),
    predicted(
        "categories of the frame in another order",
        "height ~ age + (1|state)",
        lambda b, c: b("Intercept") + dummies(b, "age", c.age, "18-29") + b("1|state", c.state),
        frame=WORLD.astype(
            {
                "age": pd.CategoricalDtype(AGES[::-1]),
                "state": pd.CategoricalDtype(synthetic.STATES[::-1]),
            }
        ),
        source=GITHUB + "rbchan/unmarked/issues/115",
    ),
    predicted(
        "ordered categories of the survey, text in the frame",
        "height ~ age",
        lambda b, c: b("Intercept") + dummies(b, "age", c.age, "40+"),
        data=DATA.astype({"age": pd.CategoricalDtype(AGES[::-1], ordered=True)}),
        source=GITHUB + "harrelfe/rms/issues/32",
    ),
    predicted(
        "categories that no row of the frame has",
        "height ~ age",
        lambda b, c: b("Intercept") + dummies(b, "age", c.age, "18-29"),
        frame=WORLD[WORLD["age"] != "40+"].astype({"age": pd.CategoricalDtype([*AGES, "old"])}),
        source=GITHUB + "imbs-hl/ranger/issues/306",
    ),
    predicted(
        "a number as a category",
        "height ~ C(male)",
        lambda b, c: b("Intercept") + dummies(b, "C(male)", c.male, -0.5),
    ),
    predicted(
        "a boolean in survey and frame",
        "height ~ union",
        lambda b, c: b("Intercept") + b("union") * c.union,
        data=UNION,
        frame=WORLD.assign(union=WORLD["male"] > 0),
    ),
    predicted(
        "an offset is added",
        "visits ~ x + offset(log(exposure))",
        lambda b, c: line(b, c) + np.log(c.exposure),
        family="poisson",
        source=BAMBI + "pull/534",
    ),
    predicted(
        "an offset of the frame's own rows",
        "visits ~ offset(exposure) + (1|age)",
        lambda b, c: b("Intercept") + c.exposure + b("1|age", c.age),
        family="negativebinomial",
        frame=WORLD.assign(exposure=WORLD["exposure"] / 3),
        source=RSTANARM + "pull/110",
    ),
    predicted(
        "scaled by the survey's mean and spread, not by the frame's",
        "height ~ scale(x)",
        lambda b, c: (
            b("Intercept") + b("scale(x)") * (c.x - DATA["x"].mean()) / DATA["x"].std(ddof=0)
        ),
        frame=WORLD.assign(x=WORLD["x"] + 3),
        source=GITHUB + "lrberge/fixest/issues/200",
    ),
    predicted(
        "centred at the survey's mean, not at the frame's",
        "height ~ center(x)",
        lambda b, c: b("Intercept") + b("center(x)") * (c.x - DATA["x"].mean()),
        frame=WORLD.assign(x=WORLD["x"] + 3),
        source=EFFECTS.replace("marginaleffects", "pymarginaleffects") + "pull/125",
    ),
    predicted(
        "splines with the survey's knots",
        "height ~ bs(x, df=4)",
        lambda b, c: b("Intercept") + sum(b("bs(x, df=4)", k) * spline(c.x)[k] for k in range(4)),
        frame=INSIDE,
        source=EFFECTS + "issues/1022",
    ),
    predicted(
        "splines of part of the frame",
        "height ~ bs(x, df=4)",
        lambda b, c: b("Intercept") + sum(b("bs(x, df=4)", k) * spline(c.x)[k] for k in range(4)),
        frame=INSIDE.head(5),
        source=GITHUB + "fauvernierma/survPen/issues/25",
    ),
    predicted(
        "a square",
        "height ~ x + I(x**2)",
        lambda b, c: line(b, c) + b("I(x ** 2)") * c.x**2,
    ),
    predicted(
        "arithmetic in braces",
        "height ~ {x + 1}",
        lambda b, c: b("Intercept") + b("I(x + 1)") * (c.x + 1),
    ),
    predicted(
        "a logarithm",
        "height ~ np.log(exposure)",
        lambda b, c: b("Intercept") + b("np.log(exposure)") * np.log(c.exposure),
    ),
    predicted(
        "slopes by group",
        "height ~ (x|state)",
        lambda b, c: b("Intercept") + b("1|state", c.state) + b("x|state", c.state) * c.x,
    ),
    predicted(
        "slopes by group without intercepts",
        "height ~ (0 + x|state)",
        lambda b, c: b("Intercept") + b("x|state", c.state) * c.x,
    ),
    predicted(
        "categorical slopes by group",
        "vote ~ (0 + edu|age) + (0 + x|state)",
        lambda b, c: b("Intercept") + b("edu|age", c.edu, c.age) + b("x|state", c.state) * c.x,
        family="bernoulli",
        source=BAMBI + "issues/477",
    ),
    predicted(
        "categorical slopes against a reference",
        "height ~ (edu|age)",
        lambda b, c: (
            b("Intercept")
            + b("1|age", c.age)
            + (0 if c.edu == "College" else b("edu|age", c.edu, c.age))
        ),
        source=BAMBI + "pull/451",
    ),
    predicted(
        "groups within groups",
        "height ~ (1|state/age)",
        lambda b, c: (
            b("Intercept") + b("1|state", c.state) + b("1|state:age", f"{c.state}:{c.age}")
        ),
        source=BAMBI + "issues/358",
    ),
    predicted(
        "a combination of groups that no respondent has, which the model has an effect for",
        "height ~ (1|state:age)",
        lambda b, c: b("Intercept") + b("1|state:age", f"{c.state}:{c.age}"),
        data=DATA[(DATA["state"] != "TX") | (DATA["age"] != "40+")],
        source=RSTANARM + "issues/260",
    ),
    predicted(
        "slopes by combinations of groups",
        "height ~ (0 + x|state:edu)",
        lambda b, c: b("Intercept") + b("x|state:edu", f"{c.state}:{c.edu}") * c.x,
        source=FORMULAE + "pull/31",
    ),
    predicted(
        "slopes of a product by group",
        "height ~ (0 + I(x*exposure)|state)",
        lambda b, c: b("Intercept") + b("I(x * exposure)|state", c.state) * c.x * c.exposure,
    ),
    predicted(
        "slopes of a coding that sums to zero",
        "height ~ (S(age)|state)",
        lambda b, c: (
            b("Intercept")
            + b("1|state", c.state)
            + (
                b("S(age)|state", c.age, c.state)
                if c.age != AGES[-1]
                else -sum(b("S(age)|state", age, c.state) for age in AGES[:-1])
            )
        ),
        source=BRMS + "issues/250",
    ),
    predicted(
        "the word proportion for successes out of a number",
        "proportion(yes, n) ~ x",
        line,
        family="binomial",
    ),
    predicted(
        "successes out of a fixed number",
        "p(vote, 3) ~ x",
        line,
        family="binomial",
    ),
    predicted(
        "a formula that computes with two columns",
        "height ~ I(x * exposure) + np.exp(-exposure)",
        lambda b, c: (
            b("Intercept")
            + b("I(x * exposure)") * c.x * c.exposure
            + b("np.exp(-exposure)") * np.exp(-c.exposure)
        ),
    ),
    predicted(
        "stateful scaling within arithmetic",
        "height ~ I(center(x)**2)",
        lambda b, c: b("Intercept") + b("I(center(x) ** 2)") * (c.x - DATA["x"].mean()) ** 2,
        frame=WORLD.head(9),
        source=FORMULAE + "issues/18",
    ),
    predicted(
        "effects under names of one's own",
        "height ~ x + (1|state)",
        lambda b, c: b("base") + b("slope") * c.x + b("alpha", c.state),
        aliases={"Intercept": "base", "x": "slope", "1|state": "alpha"},
        source=BAMBI + "issues/380",
    ),
    predicted(
        "weighted outcomes have the mean of their model",
        "weighted(height, exposure) ~ x",
        line,
        source=BAMBI + "pull/761",
    ),
    predicted(
        "censored outcomes have the mean of what was not seen",
        "censored(height, status) ~ x",
        line,
        data=DATA.assign(status=np.where(DATA["height"] > 175, "right", "none")),
    ),
    predicted(
        "a numeric group",
        "height ~ (1|male)",
        lambda b, c: b("Intercept") + b("1|male", str(c.male)),
        by="state",
    ),
    predicted(
        "a numeric group in single precision",
        "height ~ (1|male)",
        lambda b, c: b("Intercept") + b("1|male", str(float(c.male))),
        frame=WORLD.astype({"male": "float32"}),
    ),
    predicted(
        "whole codes that a join made floats",
        "height ~ (1|state)",
        lambda b, c: b("Intercept") + b("1|state", str(int(c.state))),
        data=CODED,
        frame=CODED_WORLD.astype({"state": float}),
    ),
    predicted(
        "nullable and Arrow types",
        "height ~ x + edu + (1|state)",
        lambda b, c: line(b, c) + dummies(b, "edu", c.edu, "College") + b("1|state", c.state),
        frame=WORLD.astype(
            {"x": "Float64", "edu": "string[pyarrow]", "state": object, "n": "Int32"}
        ),
    ),
    predicted(
        "names with spaces",
        "height ~ `my x`",
        lambda b, c: b("Intercept") + b("my x") * getattr(c, "my x"),
        data=SPACED,
        frame=WORLD.rename(columns={"x": "my x"}),
    ),
    predicted(
        "unseen values of a column that the model does not use",
        "height ~ x + (1|state)",
        lambda b, c: line(b, c) + b("1|state", c.state),
        frame=WORLD.assign(edu="unheard of", age=np.nan),
        by="state",
        source=BRMS + "issues/1238",
    ),
    predicted(
        "missing outcomes in the frame", "height ~ x", line, frame=WORLD.assign(height=np.nan)
    ),
    predicted("an index of the frame's own", "height ~ x", line, frame=WORLD.set_index("state")),
    predicted(
        "an index with the name of a column",
        "height ~ x",
        line,
        frame=WORLD.set_index("edu", drop=False),
        by=["edu", "age"],
        source=PANDAS + "issues/33657",
    ),
    predicted("an index with repeated labels", "height ~ x", line, frame=WORLD.set_axis([0] * 60)),
    predicted("a column of lists", "height ~ x", line, frame=WORLD.assign(notes=[[1]] * 60)),
    predicted(
        "one cell at a time",
        "height ~ x + np.log(exposure)",
        lambda b, c: line(b, c) + b("np.log(exposure)") * np.log(c.exposure),
        block=1,
    ),
    predicted(
        "groups of two columns, in the order that was asked for",
        "height ~ x",
        line,
        by=["edu", "age"],
    ),
    predicted(
        "groups by a category that not all rows have",
        "height ~ x",
        line,
        by="edu",
        frame=WORLD.astype({"edu": pd.CategoricalDtype(["College", "HS", "none"])}),
    ),
    predicted("groups by a number", "height ~ x", line, by="male"),
    predicted(
        "shares of the population", "height ~ x", line, frame=WORLD.assign(n=WORLD["n"] / 1e6)
    ),
    predicted(
        "cells where nobody lives",
        "height ~ x",
        line,
        frame=WORLD.assign(n=WORLD["n"] * (WORLD["male"] > 0)),
    ),
    predicted("a probit link", "vote ~ x", line, family="bernoulli", link="probit"),
    predicted("a complementary log-log link", "vote ~ x", line, family="bernoulli", link="cloglog"),
    predicted("shares as outcomes", "share ~ x", line, family="beta", data=SHARE),
    predicted("waiting times", "wait ~ x", line, family="exponential", data=SHARE),
    predicted("a gamma's mean", "wait ~ x", line, family="gamma", link="log", data=SHARE),
    predicted(
        "a spread with a formula of its own", bmb.Formula("height ~ x", "sigma ~ male"), line
    ),
    predicted("heavy tails", "height ~ x", line, family="t"),
    predicted("Laplace's errors", "height ~ x", line, family="laplace"),
    predicted("counts that vary more", "p(yes, n) ~ x", line, family="beta_binomial"),
]


def new_levels_twice() -> Any:
    """Two cells of one new state and one of another: do their effects differ?"""
    model = bmb.Model("height ~ x + (1|state)", DATA)
    draws = synthetic.draws_for(model)
    frame = pd.DataFrame({"state": ["VT", "VT", "WY"], "id": [1, 2, 3], "x": 0.0, "n": 1})
    frame = pd.concat([frame, WORLD.head(1).assign(id=4)])
    options = {"new_levels": "population", "random_seed": 1}
    first, again, other, _ = poststratify_draws(model, draws, frame, "id", **options).to_numpy()
    return [np.array_equal(first, again), np.array_equal(first, other)]


def new_level_alone() -> list[bool]:
    """The draws of a new level, beside another new one, in another order, under another seed."""
    model = bmb.Model("height ~ x + (1|state)", DATA)
    draws = synthetic.draws_for(model)
    known = WORLD.head(1)[["state", "x", "n"]]
    new = pd.DataFrame({"state": ["VT", "WY"], "x": 0.0, "n": 1})

    def of_vermont(*parts: pd.DataFrame, seed: int = 1) -> np.ndarray:
        found = poststratify_draws(
            model, draws, pd.concat(parts), "state", new_levels="population", random_seed=seed
        )
        return found.sel(group="VT").to_numpy()

    alone = of_vermont(known, new.head(1))
    others = [of_vermont(known, new), of_vermont(new[::-1], known)]
    others.append(of_vermont(known, new, seed=2))
    return [np.array_equal(alone, other) for other in others]


def aliased_after_the_fit() -> Any:
    """Draws of a model that got its aliases later, beside those before."""
    model = bmb.Model("height ~ x + (1|state)", DATA)
    draws = synthetic.draws_for(model)
    before = poststratify_draws(model, draws, WORLD, "edu").to_numpy()
    model.set_alias({"Intercept": "base", "1|state": "alpha", "sigma": "noise"})
    return np.abs(poststratify_draws(model, draws, WORLD, "edu").to_numpy() - before).max()


def interval() -> list[float]:
    """Ends of an interval of one half."""
    model = bmb.Model("height ~ 1", DATA)
    draws = synthetic.draws_for(model)
    draws["posterior"]["Intercept"][:] = np.arange(60).reshape(2, 30)
    frame = pd.DataFrame({"n": [1]})
    found: list[float] = (
        poststratify(model, draws, frame, prob=0.5)[["lower", "upper"]].iloc[0].to_list()
    )
    return found


def sums_of_shares() -> list[float]:
    """What the shares of all ages add up to in each group, least and most."""
    model = bmb.Model("age ~ x", DATA, family="categorical")
    shares = poststratify_draws(model, synthetic.draws_for(model), WORLD, "edu")
    return [shares.sum("outcome").min().item(), shares.sum("outcome").max().item()]


def heap_of_zeros() -> list[float]:
    """The mean of counts with a heap of zeros, beside the mean of those without it and the rest."""
    model = bmb.Model("visits ~ x", DATA, family="zero_inflated_poisson")
    draws = synthetic.draws_for(model, draws=8)
    found = poststratify_draws(model, draws, WORLD.head(1))[0].to_numpy()
    b = Drawn(draws)
    count = np.exp(b("Intercept") + b("x") * WORLD["x"][0])
    return [np.abs(found - b("psi") * count).max()]


MODELS = [
    *PREDICTED,
    Case("too many zeros", heap_of_zeros, [0]),
    Case("shares of several categories", sums_of_shares, [1, 1], BAMBI + "pull/450"),
    Case(
        "a new level has one effect, and another new level another",
        new_levels_twice,
        [True, False],
        BRMS + "issues/956",
    ),
    Case(
        "a new level's effect is its own, whatever the frame has beside it",
        new_level_alone,
        [True, True, False],
        RSTANARM + "issues/461",
    ),
    Case("aliases that came after the fit", aliased_after_the_fit, 0, BAMBI + "issues/380"),
    Case("an interval of one half", interval, [14.75, 44.25]),
    refused(
        "a new level of a category",
        "height ~ edu",
        "column 'edu' has level 'PhD', which the model never saw; its levels are",
        frame=WORLD.replace({"edu": {"HS": "PhD"}}),
        source=BRMS + "issues/599",
    ),
    refused(
        "a new level of a category, where new groups are welcome",
        "height ~ edu + (1|state)",
        "column 'edu' has level 'PhD', which the model never saw",
        frame=WORLD.replace({"edu": {"HS": "PhD"}}),
        new_levels="population",
        source=BRMS + "issues/599",
    ),
    refused(
        "a new group",
        "height ~ (1|state)",
        "column 'state' has level 'VT', 'WY', which the model never saw; its levels are",
        frame=TWO_NEW,
        source=BAMBI + "issues/417",
    ),
    refused(
        "a missing predictor",
        "height ~ x",
        "frame: column 'x' is missing in 1 cell.s., at index 3; a join may have failed",
        frame=WORLD.assign(x=WORLD["x"].where(WORLD.index != 3)),
        source=MRPKIT + "pull/88",
    ),
    refused(
        "an unknown group",
        "height ~ (1|state)",
        "frame: column 'state' is missing in 60 cell.s., at index 0, 1, 2 and 57 more",
        frame=WORLD.assign(state=None),
        source=GITHUB + "lnccbrown/HSSM/issues/1316",
    ),
    refused(
        "an infinite predictor",
        "height ~ x",
        "column 'x' is infinite in 60 cell",
        frame=WORLD.assign(x=np.inf),
    ),
    refused(
        "numbers of groups as text",
        "height ~ (1|state)",
        "column 'state' holds text, such as '1', and the model's data hold numbers, such as 1",
        data=CODED,
        frame=CODED_WORLD.astype({"state": str}),
        new_levels="population",
        source=FORMULAE + "issues/78",
    ),
    refused(
        "1 for True",
        "height ~ (1|union)",
        "column 'union' holds numbers, .* and the model's data hold booleans",
        data=UNION,
        frame=WORLD.assign(union=(WORLD["male"] > 0).astype(int)),
        new_levels="population",
        source=PANDAS + "issues/29966",
    ),
    refused(
        "success is what the first row of the data is",
        "height ~ binary(edu)",
        r"binary\(edu\) gives row 0 of the model's data another value when it is alone",
    ),
    refused(
        "the mean of the rows at hand",
        "height ~ I(x - np.mean(x))",
        r"I\(x - np.mean\(x\)\) .* depends on the rows at hand.* compute it as a column",
        source=GITHUB + "lrberge/fixest/issues/200",
    ),
    refused(
        "an offset from the mean of the rows at hand",
        "height ~ offset(x - np.mean(x))",
        "offset.* depends on the rows at hand, which are others in the frame",
    ),
    refused(
        "a running total",
        "height ~ np.cumsum(x)",
        r"np.cumsum\(x\) .* depends on the rows at hand",
    ),
    refused(
        "slopes of a product that Bambi samples otherwise",
        "height ~ (x:exposure|state)",
        r"term 'x:exposure\|state': Bambi samples another model .* write I\(x \* exposure\)",
    ),
    refused(
        "outcomes within bounds",
        "truncated(height, 100) ~ x",
        r"outcome 'truncated\(height, 100\)' has bounds, and the mean within them is not",
    ),
    refused(
        "a prior within bounds",
        "constrained(height, 100, 300) ~ x",
        "has bounds, and the mean within them is not the parameter",
    ),
    refused(
        "groups none of which the model knows",
        "height ~ (1|state)",
        "column 'state' has no level that the model saw: it has 'US-AK', .* Recode the frame",
        frame=WORLD.assign(state="US-" + WORLD["state"]),
        new_levels="population",
        source=FORMULAE + "issues/78",
    ),
    refused(
        "a new group whose prior has a mean",
        "height ~ (1|state)",
        r"new levels of '1\|state' cannot be drawn: .* a normal whose mean is 5.0, not zero",
        frame=TWO_NEW,
        priors={"1|state": bmb.Prior("Normal", mu=5, sigma=bmb.Prior("HalfNormal", sigma=1))},
        new_levels="population",
    ),
    refused(
        "groups by contrasts",
        "height ~ (1|S(age))",
        r"the grouping factor 'S\(age\)' is coded by contrasts; group by the column itself",
    ),
    refused(
        "a predictor that the frame lacks",
        "height ~ x + edu",
        "frame has no column 'edu'; it has 'educ' - rename it",
        frame=WORLD.rename(columns={"edu": "educ"}),
    ),
    refused("a frame of no cells", "height ~ x", "frame is empty", frame=WORLD.head(0)),
    refused(
        "a cell listed twice",
        "height ~ x",
        r"frame lists 1 cell\(s\) more than once",
        frame=pd.concat([WORLD, WORLD.head(1)]),
    ),
    refused(
        "groups where nobody lives",
        "height ~ x",
        "nobody lives in group 'HS'",
        frame=WORLD.assign(n=WORLD["n"] * (WORLD["edu"] != "HS")),
        by="edu",
    ),
    refused("a negative population", "height ~ x", "'n' is negative", frame=WORLD.assign(n=-1)),
    refused("a population of text", "height ~ x", "'n' is not numeric", frame=WORLD.assign(n="1")),
    refused(
        "a population of Decimal numbers",
        "height ~ x",
        r"column 'n' is not numeric but object; .* Decimal\('1'\): convert it",
        frame=WORLD.assign(n=[Decimal(1)] * 60),
    ),
    refused(
        "a polars frame of cells",
        "height ~ x",
        "frame is of type polars DataFrame; .* which .to_pandas",
        frame=polars.DataFrame({"x": [1.0], "n": [1]}),
    ),
    refused(
        "groups by age limits",
        "height ~ x",
        "by names 'lower'",
        frame=WORLD.assign(lower=18),
        by="lower",
    ),
    refused(
        "groups named group",
        "height ~ x",
        "by names 'group'",
        frame=WORLD.assign(group=1),
        by=["edu", "group"],
    ),
    refused(
        "angles",
        "x ~ male",
        "the family 'vonmises' is not computed here; families that are: asymmetriclaplace, bern",
        family="vonmises",
    ),
    refused(
        "a Gaussian process",
        "height ~ hsgp(x, m=5, c=2)",
        "term 'hsgp.*' is of the kind HSGPTerm, which is not computed here",
        source=BAMBI + "issues/1018",
    ),
]

CASES = [*RAKING, *MEANS, *RECODING, *COUNTING, *EVALUATING, *SHOWING, *MODELS]
