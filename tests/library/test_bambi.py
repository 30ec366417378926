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
from bambi.terms import CommonTerm

import synthetic
from mrp_helpers import poststratify, poststratify_draws
from mrp_helpers._bambi import Levels, LinearPredictor, Numbers, common_design, linear_predictor
from mrp_helpers._bambi import Term as OwnTerm

ROOT = Path(__file__).resolve().parents[2]
CELLS = synthetic.cells()
FRAME = synthetic.cells(seed=9)[["state", "age", "male", "edu", "x", "n"]]
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
    for name in ("Levels", "LinearPredictor", "Numbers", "Term", "linear_predictor", "made_of",
                 "parts_of_prior", "common_design", "designed"):
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
    return LinearPredictor(terms, [], lambda eta: 10 * eta, seen)


def test_the_engine_needs_no_bambi(monkeypatch, by_hand):
    monkeypatch.setattr(sys.modules[poststratify.__module__], "linear_predictor", lambda _: by_hand)
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
    terms = linear_predictor(build("height ~ x*edu + offset(n) + (0+edu|state:age)")).terms
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
    predictor = linear_predictor(build("height ~ x + (1|state)", data=data, dropna=True))
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


def test_aliased_draws_are_those_that_bambi_makes():
    model = build("height ~ x + C(state) + (0 + edu|age)")
    model.set_alias({"edu|age": "alpha", "C(state)": "beta", "sigma": "residual"})
    model.build()
    names = {variable.name for variable in model.backend.model.unobserved_RVs}
    for term in linear_predictor(model).terms:
        assert term.parameter in names
        known = dict(model.backend.model.coords)
        assert {name: list(known[name]) for name in term.coordinates} == term.coordinates
        assert set(term.hyperparameters.values()) & names or term.groups == []


@pytest.mark.parametrize(
    "formula",
    [
        "height ~ x + offset(0.5) + (1|state)",
        "height ~ T(edu, 'HS') + S(state) + (1|age)",
        "height ~ C(state, Sum)*x + (1|age)",
        "height ~ I(x > 0) + (1|I(x > 0))",
        "height ~ (1|C(state)) + (x|C(edu))",
        "height ~ (C(state)|age) + (x:edu|age)",
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
    ],
)
def test_outcome_is_what_bambi_says_that_it_observed(formula, family):
    model = build(formula, family)
    model.build()
    predictor, inner = linear_predictor(model), model.backend.model
    observed = {one.name: inner.rvs_to_values[one].data for one in inner.observed_RVs}
    assert list(observed) == [predictor.outcome]
    np.testing.assert_array_equal(predictor.observed, observed[predictor.outcome])
    single = synthetic.draws_for(model).map_over_datasets(
        lambda group: group.map(lambda v: v.astype("float32") if v.dtype == "float64" else v)
    )
    assert len(poststratify(model, single, FRAME)) == 1


def test_outcomes_of_several_columns_are_not_compared():
    model = build("weighted(height, n) ~ x + (1|state)")
    predictor = linear_predictor(model)
    assert predictor.observed is None
    draws = synthetic.draws_for(build("height ~ x + (1|state)")).drop_nodes("observed_data")
    assert len(poststratify(model, draws, FRAME)) == 1


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


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("height ~ I(x - np.mean(x)) + (1|state)", r"I\(x - np.mean\(x\)\)"),
        ("height ~ (I(x / np.max(x))|state)", r"I\(x / np.max\(x\)\)"),
        ("height ~ binary(edu) + (1|state)", r"binary\(edu\)"),
        ("height ~ above(x) + (1|state)", r"above\(x\)"),
    ],
)
def test_calls_that_depend_on_the_rows_at_hand_are_refused(formula, name):
    space = {"above": lambda x: np.where(x >= np.median(x), "above", "below")}
    model = build(formula, extra_namespace=space)
    with pytest.raises(NotImplementedError, match=f"^{name} gives row .* depends on the rows at"):
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
