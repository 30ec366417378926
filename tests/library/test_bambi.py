"""The boundary to Bambi: what is read there, what is refused, and that no other module reads it."""

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from bambi.defaults.families import BUILTIN_FAMILIES
from bambi.terms import CommonTerm

import synthetic
from mrp_helpers import poststratify, poststratify_draws
from mrp_helpers._aliases import with_aliases, without_aliases
from mrp_helpers._bambi import (
    Levels,
    LinearPredictor,
    Numbers,
    Regression,
    _some_rows,
    aliases,
    common_design,
    regression,
)
from mrp_helpers._bambi import Term as OwnTerm
from mrp_helpers._families import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
CELLS = synthetic.cells()
FRAME = synthetic.cells(seed=9)[["state", "age", "male", "edu", "x", "n"]]
CENSORED = CELLS.assign(status=["right", "none", "left"] * 20)
ALLOWED = {ROOT / "mrp_helpers" / "_bambi.py", Path(__file__).resolve()}
# What the documentation of Bambi names, and what starts a model's insides.
PUBLIC = {"bambi", "bambi.interpret", "formulae"}
INSIDES = r"\.(design|likelihood|group_specific_terms|terms|linkinv|hyperprior_alias)\b"


def build(formula, family="gaussian", data=CELLS, **options):
    return bmb.Model(formula, data, family=family, **options)


# --- Nobody else looks inside.


def modules():
    folders = [ROOT / name for name in ("mrp_helpers", "mrp_course", "research", "tools", "tests")]
    return [path for folder in folders for path in sorted(folder.rglob("*.py"))]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_one_module_imports_what_bambi_keeps_inside(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    inside = {name for name in found if name.partition(".")[0] in ("bambi", "formulae")} - PUBLIC
    assert path in ALLOWED or not inside, f"{path} imports {inside}; read it in _bambi.py"


def test_the_library_reads_no_attribute_of_a_models_insides():
    for path in sorted((ROOT / "mrp_helpers").rglob("*.py")):
        if path not in ALLOWED:
            read = re.findall(rf"\b(?:model|parent|component){INSIDES}", path.read_text("utf-8"))
            assert not read, f"{path} reads {read}"


STAND_IN = textwrap.dedent("""
    import sys, types
    import bambi, formulae
    for name in [*sys.modules]:
        if name.startswith(("bambi.", "formulae.")):
            sys.modules[name] = None  # importing it fails from here on

    stand_in = types.ModuleType("mrp_helpers._bambi")
    for name in ("Levels", "LinearPredictor", "Numbers", "Regression", "Term", "regression",
                 "made_of", "parts_of_prior", "common_design", "designed", "aliases"):
        setattr(stand_in, name, type(name, (), {}))
    sys.modules[stand_in.__name__] = stand_in

    import importlib
    for name in "data recode sample weight model poststratify evaluate plots".split():
        importlib.import_module(f"mrp_helpers.{name}")
    print("imported")
""")


def test_every_other_module_imports_with_a_stand_in():
    command = [sys.executable, "-c", STAND_IN]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("imported\n"), done.stderr[-2000:]


@pytest.fixture
def by_hand():
    """A linear predictor that no Bambi made: a number times a slope, levels, and a grouping."""
    seen = pd.DataFrame({"x": [1.0, 2.0], "g": ["a", "b"]})
    number = Numbers("x", ["x"], lambda table: table[["x"]].to_numpy())
    levels = Levels("g", ["g"], ["a", "b"], True, np.eye(2), lambda table: table["g"])
    terms = [
        OwnTerm("x", [number], [], "slope"),
        OwnTerm("g", [levels], [], "g", {"g_dim": ["a", "b"]}),
        OwnTerm("x|g", [number], [levels], "by g", {"group": ["a", "b"]}),
    ]
    predictor = LinearPredictor(terms, lambda eta: 10 * eta)
    return Regression("gaussian", {"mu": predictor}, {}, seen)


def test_the_engine_needs_no_bambi(monkeypatch, by_hand):
    monkeypatch.setattr(sys.modules[poststratify.__module__], "regression", lambda _: by_hand)
    posterior = xr.Dataset(
        {
            "slope": (("draw", "chain"), [[1.0], [2.0]]),
            "g": (("g_dim", "chain", "draw"), [[[5.0, 6.0]], [[7.0, 8.0]]]),
            "by g": (("chain", "group", "draw"), [[[0.1, 0.2], [0.3, 0.4]]]),
        },
        coords={"g_dim": ["a", "b"], "group": ["a", "b"], "chain": [0], "draw": [0, 1]},
    )
    draws = xr.DataTree.from_dict({"posterior": posterior})
    frame = pd.DataFrame({"x": [3, 4, 5], "g": ["a", "b", "a"], "n": [1, 2, 3]})
    found = poststratify_draws(object.__new__(bmb.Model), draws, frame, by="g")
    a = [10 * ((3 + 5 + 0.3) + 3 * (5 + 5 + 0.5)) / 4, 10 * ((6 + 6 + 0.6) + 3 * (10 + 6 + 1)) / 4]
    b = [10 * (4 + 7 + 1.2), 10 * (8 + 8 + 1.6)]
    np.testing.assert_allclose(found, [a, b], rtol=1e-14)


# --- What is read.


def test_terms_as_plain_objects():
    terms = regression(build("height ~ x*edu + offset(n) + (0+edu|state:age)")).terms
    assert [term.name for term in terms] == [
        "Intercept",
        "x",
        "edu",
        "x:edu",
        "offset(n)",
        "edu|state:age",
    ]
    intercept, x, edu, both, offset, grouped = terms
    assert intercept.expression == [] and intercept.parameter == "Intercept"
    assert isinstance(x.expression[0], Numbers) and x.expression[0].columns == ["x"]
    assert edu.expression[0].levels == ["College", "HS"]
    assert edu.expression[0].contrasts.tolist() == [[0], [1]]
    assert [one.name for one in both.expression] == ["x", "edu"]
    assert offset.parameter is None and offset.expression[0].columns == ["n"]
    assert [one.name for one in grouped.groups] == ["state", "age"]
    assert list(grouped.coordinates) == ["state:age__factor_dim", "edu__expr_dim"]
    assert grouped.hyperparameters == {"mu": "edu|state:age_mu", "sigma": "edu|state:age_sigma"}


def test_rows_that_were_left_out_are_not_the_models():
    data = CELLS.assign(state=CELLS["state"].where(CELLS["state"] != "TX"))
    predictor = regression(build("height ~ x + (1|state)", data=data, dropna=True))
    assert len(predictor.data) == 48 and list(predictor.data) == ["state", "x"]


def test_common_design():
    design = common_design(build("height ~ x + edu + (1|state)"))
    expected = np.column_stack([np.ones(60), CELLS["x"], CELLS["edu"] == "HS"])
    np.testing.assert_array_equal(design, expected)


def test_aliases_are_the_names_of_draws():
    formula = "height ~ x + C(edu) + (0 + edu|state)"
    model = build(formula)
    draws = synthetic.draws_for(model)
    expected = poststratify(model, draws, FRAME, by="state")
    aliased = build(formula)
    aliased.set_alias({"edu|state": "alpha", "C(edu)": "beta", "sigma": "residual", "x": "gamma"})
    aliased.set_alias({"Intercept": "a"})
    again = synthetic.draws_for(aliased)
    assert set(again["posterior"].data_vars) == {
        *("a", "gamma", "beta", "alpha", "alpha_residual", "residual")
    }
    assert set(again["posterior"].dims) == {
        *("chain", "draw", "beta_dim", "alpha__factor_dim", "alpha__expr_dim")
    }
    pd.testing.assert_frame_equal(poststratify(aliased, again, FRAME, by="state"), expected)


def test_an_alias_of_a_column_whose_name_has_two_underscores():
    data = CELLS.rename(columns={"state": "home__state"})
    frame = FRAME.rename(columns={"state": "home__state"})
    formula = "height ~ (1|home__state)"
    model = build(formula, data=data)
    expected = poststratify(model, synthetic.draws_for(model), frame)
    aliased = build(formula, data=data)
    aliased.set_alias({"1|home__state": "alpha"})
    again = synthetic.draws_for(aliased)
    assert set(again["posterior"]["alpha"].dims) == {"chain", "draw", "alpha__factor_dim"}
    pd.testing.assert_frame_equal(poststratify(aliased, again, frame), expected)


def test_aliased_draws_are_those_that_bambi_makes():
    model = build("height ~ x + C(state) + (0 + edu|age)")
    model.set_alias({"edu|age": "alpha", "C(state)": "beta", "sigma": "residual"})
    model.build()
    names = {variable.name for variable in model.backend.model.unobserved_RVs}
    for term in regression(model).terms:
        assert term.parameter in names
        known = dict(model.backend.model.coords)
        assert {name: list(known[name]) for name in term.coordinates} == term.coordinates
        assert set(term.hyperparameters.values()) & names or term.groups == []


NAMES = {"Intercept": "a", "x": "beta", "sigma": "spread", "1|state": "alpha", "height": "cm"}


def test_draws_from_before_the_aliases_are_the_models_own():
    """A dimension is renamed for one term, and not for the other one that has it."""
    formula = "height ~ x + C(edu) + (1|state) + (0+x|state)"
    model = build(formula)
    draws = synthetic.draws_for(model)
    new = {"new_levels": "population", "random_seed": 1}
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    expected = poststratify(model, draws, frame, by="state", **new)
    model.set_alias({**NAMES, "C(edu)": "gamma"})
    assert "a" not in draws["posterior"]
    pd.testing.assert_frame_equal(poststratify(model, draws, frame, by="state", **new), expected)
    assert "a" not in draws["posterior"]
    again = synthetic.draws_for(model)
    assert "a" in again["posterior"] and "cm" in again["observed_data"]
    pd.testing.assert_frame_equal(poststratify(model, again, frame, by="state", **new), expected)


def test_aliases_are_taken_away_and_put_back():
    model = build("height ~ x + C(edu) + (1|state) + (0+edu|state)")
    plain = synthetic.draws_for(model)
    assert without_aliases(aliases(model), plain) is plain
    assert with_aliases(aliases(model), plain) is plain
    plain.attrs["sampled_on"] = "today"
    model.set_alias({**NAMES, "C(edu)": "gamma", "edu|state": "delta"})
    aliased = with_aliases(aliases(model), plain)
    assert set(aliased["posterior"].data_vars) == {
        *("a", "beta", "gamma", "alpha", "alpha_spread", "delta", "delta_spread", "spread")
    }
    assert set(aliased["posterior"]["delta_spread"].dims) == {"chain", "draw", "delta__expr_dim"}
    assert with_aliases(aliases(model), aliased) is aliased
    back = without_aliases(aliases(model), aliased)
    xr.testing.assert_identical(back, plain)


def test_an_alias_that_names_another_term_is_refused():
    model = build("height ~ x + male + (1|state)")
    draws = synthetic.draws_for(model)
    model.set_alias({"x": "male", "male": "x"})
    with pytest.raises(ValueError, match="alias 'male', 'x' is the name of another part of it"):
        poststratify(model, draws, FRAME)


def test_a_prior_whose_spread_has_a_prior_is_the_models_own():
    rate = bmb.Prior("Exponential", lam=1)
    wide = bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=rate))
    model = build("height ~ x + (1|state)", priors={"1|state": wide})
    (grouped,) = [term for term in regression(model).terms if term.groups]
    assert grouped.hyperparameters == {
        **{"mu": "1|state_mu", "sigma": "1|state_sigma"},
        "sigma_sigma": "1|state_sigma_sigma",
    }
    draws = synthetic.draws_for(model)
    posterior = draws["posterior"].to_dataset()
    scale = posterior["1|state_sigma"]
    more = {"1|state_sigma_sigma": scale, "1|state_offset": posterior["1|state"] / scale}
    full = xr.DataTree.from_dict({"posterior": posterior.assign(more)})
    expected = poststratify(model, draws, FRAME)
    pd.testing.assert_frame_equal(poststratify(model, full, FRAME), expected)
    other = xr.DataTree.from_dict({"posterior": posterior.assign({"1|state_code": scale})})
    with pytest.raises(ValueError, match="it has a parameter '1.state_code' that is not in this"):
        poststratify(model, other, FRAME)


@pytest.mark.parametrize(
    "formula",
    [
        "height ~ x + offset(0.5) + (1|state)",
        "height ~ T(edu, 'HS') + S(state) + (1|age)",
        "height ~ C(state, Sum)*x + (1|age)",
        "height ~ I(x > 0) + (1|I(x > 0))",
        "height ~ (1|C(state)) + (x|C(edu))",
        "height ~ (C(state)|age) + (x:edu|age)",
        "height ~ C(np.sign(x)) + (1|C(np.where(x > 0, 'up', 'down')))",
        "height ~ T(np.sign(x), 1) + (1|C(np.abs(np.round(x))))",
        "height ~ I(edu == 'HS')*x + (I(x*male)|state)",
    ],
)
def test_equals_bambi(formula):
    model = build(formula)
    draws = synthetic.draws_for(model)
    predicted = model.predict(draws, data=FRAME.assign(height=0), inplace=False)["posterior"]["mu"]
    people = xr.DataArray(FRAME["n"].to_numpy(), dims="__obs__")
    expected = (predicted * people).sum("__obs__") / people.sum()
    found = poststratify_draws(model, draws, FRAME, block=7)
    np.testing.assert_allclose(found[0], expected.to_numpy().ravel(), rtol=1e-12)


# --- Outcomes.


@pytest.mark.parametrize(
    ("outcome", "family"),
    [
        ("p(yes, n)", "beta_binomial"),
        ("proportion(yes, 40)", "binomial"),
        ("c(yes, n)", "binomial"),
        ("weighted(height, n)", "gaussian"),
        ("weighted(visits, n)", "poisson"),
        ("censored(height, status)", "gaussian"),
        ("censored(exposure, status)", "weibull"),
        ("censored(height, taller, status)", "gaussian"),
        ("edu['HS']", "bernoulli"),
        ("binary(edu, 'HS')", "bernoulli"),
        ("np.log(height)", "gaussian"),
        ("scale(height)", "gaussian"),
    ],
)
def test_mean_of_an_outcome_is_the_parameter_of_the_formula(outcome, family):
    data = CENSORED.assign(taller=CELLS["height"] + 1)
    model = build(f"{outcome} ~ x + (1|state)", family, data=data)
    draws = synthetic.draws_for(model)
    # Bambi reads the outcome of new data too, and makes nothing of it.
    new = {name: data[name] for name in data.columns.difference(FRAME.columns)}
    predicted = model.predict(
        draws, data=FRAME.assign(**new), kind="response_params", inplace=False
    )
    mean = predicted["posterior"][model.family.likelihood.parent]
    people = xr.DataArray(FRAME["n"].to_numpy(), dims="__obs__")
    expected = (mean * people).sum("__obs__") / people.sum()
    found = poststratify_draws(model, draws, FRAME)
    np.testing.assert_allclose(found[0], expected.to_numpy().ravel(), rtol=1e-12)


@pytest.mark.parametrize(
    ("outcome", "family", "message"),
    [
        ("truncated(height, 100, 250)", "gaussian", "has bounds, and the mean within them is not"),
        ("truncated(visits, lb=-1)", "poisson", "has bounds, and the mean within them is not"),
        ("constrained(exposure, 0, 9)", "gamma", "has bounds, and the mean within them is not"),
        ("p(yes, n)", "gaussian", "has 2 columns and the family is 'gaussian'; p.successes, n. be"),
        ("c(yes, n)", "poisson", "has 2 columns .* 'binomial', 'zero_inflated_binomial', and any"),
        ("bs(height, df=4)", "gaussian", "has 4 columns and the family is 'gaussian'"),
    ],
)
def test_outcomes_whose_mean_is_another_are_refused(outcome, family, message):
    model = build(f"{outcome} ~ x + (1|state)", family)
    with pytest.raises(
        NotImplementedError, match=rf"^the outcome '{re.escape(outcome)}' {message}"
    ):
        poststratify(model, xr.DataTree(), FRAME)


def test_every_family_of_bambi_is_computed_or_refused_by_name():
    assert set(BUILTIN_FAMILIES) - set(FAMILIES) == {"vonmises"}
    assert set(FAMILIES) <= set(BUILTIN_FAMILIES)


# --- Draws in any order.


def turned(draws):
    return draws.map_over_datasets(lambda group: group.transpose(*reversed(list(group.dims))))


def test_spread_of_several_effects_is_read_in_any_order_of_dimensions():
    """A new level's effects took the spread of other columns when draws came turned round."""
    model = build("height ~ x + (0+edu|state)")
    draws = synthetic.draws_for(model)
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    options = {"by": ["state", "edu"], "new_levels": "population", "random_seed": 1}
    expected = poststratify(model, draws, frame, **options)
    pd.testing.assert_frame_equal(poststratify(model, turned(draws), frame, **options), expected)


def test_order_of_chains_and_draws_does_not_matter_to_an_estimate():
    model = build("height ~ x + (x|state)")
    draws = synthetic.draws_for(model)
    expected = poststratify_draws(model, draws, FRAME, by="state")
    shuffled = draws.isel(chain=[1, 0], draw=np.random.default_rng(1).permutation(30))
    found = poststratify_draws(model, shuffled, FRAME, by="state")
    xr.testing.assert_allclose(found.unstack().sortby(["chain", "draw"]), expected.unstack())


def test_order_of_chains_and_draws_does_not_matter_to_a_new_level():
    model = build("height ~ x + (0+edu|state)")
    draws = synthetic.draws_for(model)
    options = {"by": ["state", "edu"], "new_levels": "population", "random_seed": 1}
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    expected = poststratify_draws(model, draws, frame, **options)
    shuffled = draws.isel(chain=[1, 0], draw=np.random.default_rng(1).permutation(30))
    found = poststratify_draws(model, shuffled, frame, **options)
    for chain, draw in [(0, 0), (0, 29), (1, 7)]:
        chosen = {"chain": chain, "draw": draw}
        np.testing.assert_allclose(found.sel(chosen), expected.sel(chosen), rtol=1e-12)


# --- Draws of another model.


def test_draws_of_another_outcome_are_refused():
    """The parameters are the same; what they were conditioned on is not."""
    draws = synthetic.draws_for(build("height ~ 1 + (1|state)"))
    other = build("exposure ~ 1 + (1|state)")
    with pytest.raises(ValueError, match="their outcome is 'height' and this model's is 'exp"):
        poststratify(other, draws, FRAME)
    changed = build("height ~ 1 + (1|state)", data=CELLS.assign(height=CELLS["height"] + 1))
    with pytest.raises(ValueError, match="their outcome 'height' has other values than this model"):
        poststratify(changed, draws, FRAME)
    fewer = build("height ~ 1 + (1|state)", data=CELLS.drop(index=0))
    with pytest.raises(ValueError, match="their outcome 'height' has other values than this model"):
        poststratify(fewer, draws, FRAME)


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("p(yes, n) ~ x", "binomial"),
        ("prop(yes, 40) ~ x", "binomial"),
        ("vote ~ x", "bernoulli"),
        ("edu ~ x", "bernoulli"),
        ("edu['HS'] ~ x", "bernoulli"),
        ("exposure ~ x", "gamma"),
        ("weighted(height, n) ~ x", "gaussian"),
        ("censored(height, status) ~ x", "gaussian"),
        ("binary(edu) ~ x", "bernoulli"),
        ("I(height > 170) ~ x", "bernoulli"),
        ("np.log(height) ~ x", "gaussian"),
    ],
)
def test_outcome_is_what_bambi_says_that_it_observed(formula, family):
    model = build(formula, family, data=CENSORED)
    model.build()
    predictor, inner = regression(model), model.backend.model
    observed = {one.name: inner.rvs_to_values[one].data for one in inner.observed_RVs}
    assert list(observed) == [predictor.outcome]
    np.testing.assert_array_equal(predictor.observed, observed[predictor.outcome])
    single = synthetic.draws_for(model).map_over_datasets(
        lambda group: group.map(lambda v: v.astype("float32") if v.dtype == "float64" else v)
    )
    assert len(poststratify(model, single, FRAME)) == 1


def test_outcomes_of_several_columns_are_compared_by_their_values():
    model = build("weighted(height, n) ~ x + (1|state)")
    draws = synthetic.draws_for(model)
    assert len(poststratify(model, draws, FRAME)) == 1
    other = CELLS.assign(height=CELLS["height"] + 1)
    with pytest.raises(ValueError, match=r"outcome 'weighted\(height, n\)' has other values"):
        poststratify(build("weighted(height, n) ~ x + (1|state)", data=other), draws, FRAME)


def with_means(model, draws, move):
    """Draws that hold the outcomes' means too, and the intercept moved from where they have it."""
    means = model.predict(draws, inplace=False)["posterior"]["mu"]
    posterior = draws["posterior"].to_dataset().assign(mu=means)
    posterior["Intercept"] = posterior["Intercept"] + move
    return xr.DataTree.from_dict({"posterior": posterior})


def test_centred_intercept_of_the_sampler_is_refused():
    model = build("height ~ x + (x|state)")
    draws = synthetic.draws_for(model)
    expected = poststratify(model, draws, FRAME)
    pd.testing.assert_frame_equal(poststratify(model, with_means(model, draws, 0), FRAME), expected)
    with pytest.raises(ValueError, match="draws of 'mu' are not what the draws of the effects add"):
        poststratify(model, with_means(model, draws, 5.17), FRAME)


# --- What is refused.


class Smooth(CommonTerm):
    """A kind of term that a later Bambi might have."""


def test_a_kind_of_term_that_is_not_listed_is_refused_by_name():
    model = build("height ~ x + (1|state)")
    parent = model.parameters["mu"]
    parent.terms["x"] = Smooth(parent.terms["x"].term, None)
    with pytest.raises(NotImplementedError, match="term 'x' is of the kind Smooth, which is not"):
        poststratify(model, xr.DataTree(), FRAME)


def winsorised(x):
    return np.clip(x, np.quantile(x, 0.05), np.quantile(x, 0.95))


def mean_of_group(x, group):
    return x.groupby(group, observed=True).transform("mean")


def careful(x):
    """Leave few rows as they are, so that none of them alone tells."""
    return x - x.mean() if len(x) > 1 else x - CELLS["x"].mean()


SPACE = {
    "above": lambda x: np.where(x >= np.median(x), "above", "below"),
    "thirds": lambda x: pd.qcut(x, 3, labels=["low", "middle", "high"]),
    "rank": lambda x: x.rank(),
    "winsorised": winsorised,
    "mean_of_group": mean_of_group,
    "careful": careful,
    "middle_differs": lambda x: np.where(x == np.sort(x)[len(x) // 2], x + 1, x),
}


OF_OTHER_ROWS = [
    "I(x - np.mean(x))",
    "I(x / np.max(x))",
    "binary(edu)",
    "above(x)",
    "C(above(x))",
    "rank(x)",
    "winsorised(x)",
    "mean_of_group(x, state)",
    "careful(x)",
    "middle_differs(x)",
    "np.cumsum(x)",
    "np.flip(x)",
    "scale(I(x - np.mean(x)))",
]


@pytest.mark.parametrize(
    ("formula", "call"),
    [
        (formula, call)
        for formula in ("{} + (1|state)", "x:{} + (1|state)", "({}|age)", "(1|{})")
        for call in OF_OTHER_ROWS
    ]
    + [
        ("{} + (1|state)", "poly(rank(x), 2)"),
        # formulae takes an offset of a column of a table only
        ("{} + (1|state)", "offset(I(x - np.mean(x)))"),
        ("{} + (1|state)", "offset(rank(x))"),
    ],
)
def test_calls_that_depend_on_the_rows_at_hand_are_refused(formula, call):
    model = build(f"height ~ {formula.format(call)}", extra_namespace=SPACE)
    said = f"^{re.escape(call)} gives row .* depends on the rows at"
    with pytest.raises(NotImplementedError, match=said):
        poststratify(model, xr.DataTree(), FRAME)


def test_the_row_is_named_and_small_differences_count():
    data = pd.DataFrame({"x": [5.0, 1, 2, 3, 4], "y": range(5)}, index=list("abcde"))
    moved = {"moved": lambda x: x + 0.5 * ((x == 2) & (len(x) == 5))}
    model = build("y ~ moved(x)", data=data, extra_namespace=moved)
    with pytest.raises(NotImplementedError, match="gives row 'c' of .* when other rows are beside"):
        poststratify(model, xr.DataTree(), data)
    for call in ("I(x + 0.000001 * np.mean(x))", "I(0.000000001 * (x - np.mean(x)))"):
        with pytest.raises(NotImplementedError, match="when it is alone"):
            poststratify(build(f"y ~ {call}", data=data), xr.DataTree(), data)


def test_rows_that_are_tried():
    table = pd.DataFrame({"x": [3, 1, 2, 3, 5, 4]})
    seen = np.column_stack([table["x"], [0, 0, 9, 0, 0, -9]])
    tried = [rows.tolist() for rows in _some_rows(table, seen)]
    assert tried[:4] == [[1], [2], [4], [5]]  # the extremes of each column
    assert tried[4] == [5, 4, 2, 1, 0]  # each value once, in another order
    assert tried[5:8] == [[1, 2], [0, 5], [4]]  # small, middle and large ones
    assert [len(rows) for rows in tried[8:]] == [2, 3, 5, 5]
    assert [rows.tolist() for rows in _some_rows(table, seen)] == tried


def test_few_rows_of_many_are_tried():
    table = pd.DataFrame({"x": range(5000)})
    tried = list(_some_rows(table, table.to_numpy()))
    assert tried[2].tolist() == list(range(4998, -1, -2))


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("binary(edu, 'HS')", "No value in 'x' is equal to"),
        ("thirds(x)", "Bin edges must be unique"),
        ("C(thirds(x))", "Bin edges must be unique"),
    ],
)
def test_calls_that_need_other_rows_are_refused(call, reason):
    model = build(f"height ~ {call} + (1|state)", extra_namespace=SPACE)
    said = rf"(?s)cannot be computed \(ValueError: {reason}.*for 1 row.* it depends on the rows at"
    with pytest.raises(NotImplementedError, match=said):
        poststratify(model, xr.DataTree(), FRAME)


def test_an_offset_of_a_number_with_a_name_is_refused():
    model = build("height ~ x + offset(half) + (1|state)", extra_namespace={"half": 0.5})
    with pytest.raises(ValueError, match=r"^the model's data: offset\(half\) cannot be computed"):
        poststratify(model, xr.DataTree(), FRAME)


@pytest.mark.parametrize(
    "formula",
    ["I(small**2)", "I(small*small)", "small:I(2*small)", "(small:edu:I(2*small)|state)"],
)
def test_numbers_too_large_for_their_type_are_refused(formula):
    """Bambi has 100 squared as 16 there, and a frame of wider numbers as 10,000."""
    small = pd.Series([1, 2, 3, 100] * 15, dtype="int8")
    model = build(f"height ~ {formula} + (1|age)", data=CELLS.assign(small=small))
    said = "gives row 3 of the model's data .* too narrow for it|too large for the type of"
    with pytest.raises(NotImplementedError, match=said):
        poststratify(model, xr.DataTree(), FRAME)


def test_frames_may_have_larger_numbers_than_the_type_of_the_models_holds():
    small = pd.Series([1, 2, 3, 4] * 15, dtype="int8")
    model = build("height ~ 0 + I(small**2)", data=CELLS.assign(small=small))
    draws = synthetic.draws_for(model)
    slope = draws["posterior"]["I(small ** 2)"].to_numpy().ravel()
    for dtype in ("int8", "int64", "float64"):
        frame = pd.DataFrame({"small": pd.Series([100], dtype=dtype), "n": 1})
        found = poststratify_draws(model, draws, frame)[0]
        np.testing.assert_allclose(found, 10_000 * slope, rtol=1e-12)


LABELLED = {
    "size": lambda x: pd.cut(x, [-5, 0, 5], labels=["low", "high"]),
    "narrow": lambda x: pd.cut(x, [-1, 0, 1], labels=["low", "high"]),
    "number": lambda state: state.map({name: i for i, name in enumerate(synthetic.STATES)}),
    "looked_up": lambda state: np.array([synthetic.STATES.index(name) for name in state]),
}


@pytest.mark.parametrize(
    ("call", "column", "value", "message"),
    [
        ("size(x)", "x", 10.0, r"size\(x\) is missing or infinite where the columns are .'x': 10"),
        ("np.log(exposure)", "exposure", 0.0, r"np.log\(exposure\) is missing or infinite where"),
        ("offset(np.log(exposure))", "exposure", -1.0, "offset.* is missing or infinite where"),
        ("number(state)", "state", "ZZ", r"number\(state\) is missing or infinite .* 'ZZ'"),
        ("looked_up(state)", "state", "ZZ", r"looked_up\(state\) cannot be computed \(ValueErr"),
    ],
)
def test_calls_without_a_value_for_a_cell_are_refused(call, column, value, message):
    """A missing level was taken for the last one."""
    model = build(f"height ~ {call} + (1|age)", extra_namespace=LABELLED)
    frame = FRAME.assign(exposure=1.0)
    draws = synthetic.draws_for(model)
    assert len(poststratify(model, draws, frame)) == 1
    frame.loc[3, column] = value
    ignored = np.errstate(divide="ignore", invalid="ignore")
    with ignored, pytest.raises(ValueError, match=f"^frame: {message}"):
        poststratify(model, draws, frame)


def test_a_missing_group_of_a_call_is_refused_whatever_is_asked():
    model = build("height ~ (1|size(x))", extra_namespace=LABELLED)
    draws = synthetic.draws_for(model)
    frame = FRAME.assign(x=FRAME["x"].where(FRAME.index != 3, 10.0))
    with pytest.raises(ValueError, match=r"^frame: size\(x\) is missing or infinite"):
        poststratify(model, draws, frame, new_levels="population")


def test_a_call_without_a_value_for_the_models_data_is_refused():
    """formulae gives such rows the last level."""
    model = build("height ~ narrow(x) + (1|age)", extra_namespace=LABELLED)
    with pytest.raises(ValueError, match=r"^the model's data: narrow\(x\) is missing or infinite"):
        poststratify(model, xr.DataTree(), FRAME)


@pytest.mark.parametrize("make", [str, "category"])
def test_a_call_meets_the_categories_of_the_models_data(make):
    """Their numbers must not be counted anew among the levels that a frame has."""
    codes = {"codes": lambda column: column.astype("category").cat.codes}
    data = CELLS.assign(area=pd.Series(list("abcd") * 15).astype(make))
    model = build("height ~ 0 + codes(area)", data=data, extra_namespace=codes)
    draws = synthetic.draws_for(model)
    slope = draws["posterior"]["codes(area)"].to_numpy().ravel()
    for areas, mean in [("cd", 2.5), ("bd", 2.0), ("d", 3.0), ("ce", 3.0)]:
        frame = pd.DataFrame({"area": list(areas), "n": 1})
        found = poststratify_draws(model, draws, frame)[0]
        np.testing.assert_allclose(found, mean * slope, rtol=1e-12)


def test_categories_of_numbers_meet_numbers():
    codes = {"codes": lambda column: column.astype("category").cat.codes}
    data = CELLS.assign(k=pd.Series([1, 2, 5, 9] * 15).astype("category"))
    model = build("height ~ 0 + codes(k)", data=data, extra_namespace=codes)
    draws = synthetic.draws_for(model)
    slope = draws["posterior"]["codes(k)"].to_numpy().ravel()
    for dtype in ("int8", "float64", "category"):
        frame = pd.DataFrame({"k": pd.Series([5, 9]).astype(dtype), "n": 1})
        found = poststratify_draws(model, draws, frame)[0]
        np.testing.assert_allclose(found, 2.5 * slope, rtol=1e-12)


@pytest.mark.parametrize(
    ("term", "remedy"),
    [
        ("(0 + x:male|state)", r"write I\(x \* male\)$"),
        ("(x*male|state)", r"write I\(x \* male\)$"),
        ("(0 + scale(x):male:exposure|age)", r"write I\(scale\(x\) \* male \* exposure\)$"),
        ("(0 + poly(x, 1)|state)", "compute it as a column of survey and frame$"),
        ("(0 + poly(x, 1):male|state)", "compute it as a column of survey and frame$"),
    ],
)
def test_slopes_that_bambi_multiplies_otherwise_are_refused(term, remedy):
    model = build(f"height ~ {term}")
    said = "Bambi samples another model than the formula says, in which each row has the effects of"
    with pytest.raises(NotImplementedError, match=f"{said}.*{remedy}"):
        poststratify(model, xr.DataTree(), FRAME)


@pytest.mark.parametrize("product", ["I(x * male)", "I(scale(x) * male)"])
def test_the_way_round_gives_what_bambi_samples(product):
    model = build(f"height ~ 0 + (0 + {product}|state)", noncentered=False)
    draws = synthetic.draws_for(model)
    model.build()
    inner = model.backend.model
    name = f"{product}|state"
    first = draws["posterior"][name].isel(chain=0, draw=0).to_numpy()
    sampled = inner["mu"].eval({inner[name]: first})
    cells = CELLS.assign(row=range(60))
    found = poststratify_draws(model, draws, cells, by="row").to_numpy()[:, 0]
    np.testing.assert_allclose(sampled, found, rtol=1e-12)


@pytest.mark.parametrize(
    "formula", ["(0 + edu|age) + (edu|state)", "(edu|state) + (0 + edu|age)", "x + (edu*age|state)"]
)
def test_two_codings_under_one_name_are_refused(formula):
    model = build(f"height ~ {formula}")
    if "edu*age" in formula:  # each has a name of its own
        assert len(poststratify(model, synthetic.draws_for(model), FRAME)) == 1
        return
    said = "terms 'edu.*' and 'edu.*' code the same levels in two ways .*'HS'.*; write 0 . or 1"
    with pytest.raises(NotImplementedError, match=said):
        poststratify(model, xr.DataTree(), FRAME)


@pytest.mark.parametrize("call", ["scale(x)", "center(x)", "bs(x, df=4)", "poly(x, 2)", "C(edu)"])
def test_calls_that_remember_the_models_data_are_not_refused(call):
    model = build(f"height ~ {call} + (1|state)")
    assert len(poststratify(model, synthetic.draws_for(model), FRAME)) == 1


def test_values_from_outside_the_table_are_refused():
    outside = np.arange(60.0)
    model = build("height ~ np.exp(outside / 60) + (1|state)", extra_namespace={"outside": outside})
    with pytest.raises(ValueError, match="gives 60 values for 1 row.s., so it does not come from"):
        poststratify(model, xr.DataTree(), FRAME)


def test_groups_that_are_coded_by_contrasts_are_refused():
    model = build("height ~ x + (1|C(edu, Sum))")
    with pytest.raises(NotImplementedError, match=r"grouping factor 'C\(edu, Sum\)' is coded by"):
        poststratify(model, xr.DataTree(), FRAME)


@pytest.mark.parametrize("mean", [5.0, bmb.Prior("Normal", mu=0, sigma=1)])
def test_new_level_whose_prior_has_a_mean_is_refused(mean):
    sd = bmb.Prior("HalfNormal", sigma=1)
    prior = bmb.Prior("Normal", mu=mean, sigma=sd, noncentered=False)
    model = build("height ~ 0 + x + (1|state)", priors={"1|state": prior})
    draws = synthetic.draws_for(model)
    assert len(poststratify(model, draws, FRAME, by="state")) == 5
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    with pytest.raises(NotImplementedError, match="follow a normal whose mean is .*, not zero"):
        poststratify(model, draws, frame, new_levels="population")


@pytest.mark.parametrize("change", [lambda spread: None, lambda spread: spread[..., 0]])
def test_new_level_without_draws_of_the_spread_is_refused(change):
    model = build("height ~ x + (0+edu|state)")
    posterior = synthetic.draws_for(model)["posterior"].to_dataset()
    spread = change(posterior["edu|state_sigma"])
    posterior = posterior.drop_vars("edu|state_sigma")
    if spread is not None:
        posterior["edu|state_sigma"] = spread.drop_vars("edu__expr_dim")
    draws = xr.DataTree.from_dict({"posterior": posterior})
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    with pytest.raises(ValueError, match=r"draws lack 'edu\|state_sigma' for each of edu_"):
        poststratify(model, draws, frame, new_levels="population")


def test_unseen_level_of_a_call_is_refused_whatever_is_asked():
    model = build(
        "height ~ 1 + (1|size(x))",
        extra_namespace={"size": lambda x: np.where(x > 9, "vast", np.where(x > 0, "high", "low"))},
    )
    draws = synthetic.draws_for(model)
    frame = FRAME.assign(x=FRAME["x"].where(FRAME.index != 3, 10.0))
    with pytest.raises(ValueError, match=r"size\(x\) has level 'vast', which the model never saw"):
        poststratify(model, draws, frame, new_levels="population")
