"""Outcomes with several levels: shares that sum to one, equal to Bambi's own predictions."""

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import synthetic
from mrp_helpers import poststratify, poststratify_draws

PARTIES = ["Democrat", "Independent", "Republican"]
VIEWS = ["left", "middle", "right", "far right"]  # not in the order of the alphabet


def several_answers():
    rng = np.random.default_rng(3)
    cells = synthetic.cells()
    cells["party"] = rng.choice(PARTIES, len(cells))
    views = rng.choice(VIEWS, len(cells))
    cells["view"] = pd.Categorical(views, VIEWS, ordered=True)
    cells["dem"], cells["ind"], cells["rep"] = rng.integers(0, 9, (3, len(cells)))
    return cells


CELLS = several_answers()
FRAME = synthetic.cells(seed=9).drop(columns=["yes", "vote", "height", "visits"])
# Bambi reads the outcome of new data too, and makes nothing of it.
ANSWERS = CELLS[["party", "view", "dem", "ind", "rep"]]
pytestmark = pytest.mark.filterwarnings("ignore:The intercept is omitted")
MODELS = {
    "categorical": ("party ~ x + edu + (1|state) + (0+edu|age) + (x|male)", "categorical"),
    "categorical, no intercept": ("party ~ 0 + edu:x + (1|state:age)", "categorical"),
    "categorical, another first level": ("C(party, Treatment('Independent')) ~ x", "categorical"),
    "categorical, two levels": ("edu ~ x + (1|state)", "categorical"),
    "cumulative": ("view ~ x + edu + (1|state) + (x|age)", "cumulative"),
    "stopping ratio": ("view ~ x + (1|state) + (0+edu|age)", "sratio"),
    "multinomial": ("counts(dem, ind, rep) ~ x + edu + (x|state)", "multinomial"),
    "Dirichlet-multinomial": ("counts(dem, ind, rep) ~ x + (1|state)", "dirichlet_multinomial"),
}
LINKS = ["logit", "probit", "cloglog"]


def build(formula, family, **options):
    return bmb.Model(formula, CELLS, family=family, **options)


def by_hand(model, draws, frame, by):
    """Bambi's predictions (group x level x sample), weighted and summed in plain pandas."""
    predicted = model.predict(draws, data=frame.join(ANSWERS), inplace=False)["posterior"]
    shares = predicted[model.family.likelihood.parent].stack(sample=("chain", "draw"))
    (level,) = set(shares.dims) - {"__obs__", "sample"}
    if model.family.name == "dirichlet_multinomial":
        shares = shares / shares.sum(level)
    weighted = shares * xr.DataArray(frame["n"].to_numpy(), dims="__obs__")
    group = xr.DataArray(frame.groupby(by).ngroup().to_numpy(), dims="__obs__", name="group")
    totals = weighted.groupby(group).sum().transpose("group", level, "sample")
    people = frame.groupby(by)["n"].sum().to_numpy()
    return list(shares[level].to_numpy()), totals.to_numpy() / people[:, None, None]


def compare(model, draws):
    found = poststratify_draws(model, draws, FRAME, by=["state", "age"], block=7)
    levels, expected = by_hand(model, draws, FRAME, ["state", "age"])
    assert found.dims == ("group", "outcome", "sample")
    assert found["outcome"].to_numpy().tolist() == levels
    np.testing.assert_allclose(found.to_numpy(), expected, rtol=0, atol=1e-10)
    assert np.abs(found.sum("outcome") - 1).max() < 1e-12
    assert found.min() >= 0


@pytest.mark.parametrize("name", MODELS)
def test_equals_bambi(name):
    model = build(*MODELS[name])
    compare(model, synthetic.draws_for(model))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("family", ["cumulative", "sratio"])
def test_equals_bambi_with_each_link(family, link):
    model = build("view ~ x + (1|state)", family, link=link)
    compare(model, synthetic.draws_for(model))


def test_thresholds_alone():
    """Bambi does not predict from a model without predictors."""
    draws = synthetic.draws_for(build("view ~ 1", "cumulative"))
    up_to = 1 / (1 + np.exp(-draws["posterior"]["threshold"].to_numpy().reshape(60, 3)))
    expected = np.diff(up_to, axis=1, prepend=0, append=1).T
    found = poststratify_draws(build("view ~ 1", "cumulative"), draws, FRAME)
    np.testing.assert_allclose(found[0], expected, rtol=1e-12)


def test_effects_far_from_zero_overflow_nothing():
    model = build("party ~ 1", "categorical")
    draws = synthetic.draws_for(model)
    draws["posterior"]["Intercept"][:] = [-2000.0, 2000.0]
    found = poststratify_draws(model, draws, FRAME)
    assert found.sel(outcome="Republican").min() == 1 and found.sum() == 60


# --- The table, scores and groups.


@pytest.fixture(scope="module")
def model():
    return build("party ~ x + (1|state) + (0+edu|age)", "categorical")


@pytest.fixture(scope="module")
def draws(model):
    return synthetic.draws_for(model)


def test_table_has_a_row_for_each_group_and_level(model, draws):
    by = ["state", "edu"]
    table = poststratify(model, draws, FRAME, by=by, prob=0.8)
    values = poststratify_draws(model, draws, FRAME, by=by).to_numpy().reshape(30, 60)
    summary = ["estimate", "sd", "lower", "upper", "population"]
    assert list(table.columns) == [*by, "outcome", *summary]
    assert table["outcome"].to_list() == PARTIES * 10
    assert table["outcome"].cat.categories.to_list() == PARTIES
    assert table["state"].to_list() == np.repeat(synthetic.STATES, 6).tolist()
    np.testing.assert_allclose(table["estimate"], values.mean(axis=1))
    np.testing.assert_allclose(table["upper"], np.quantile(values, 0.9, axis=1))
    people = FRAME.groupby(by)["n"].sum()
    assert table["population"].to_list() == np.repeat(people, 3).to_list()
    nation = poststratify(model, draws, FRAME)
    assert list(nation.columns) == ["outcome", *summary]
    assert nation["estimate"].sum() == pytest.approx(1)


def test_table_keeps_the_models_order():
    model = build("view ~ x", "cumulative")
    table = poststratify(model, synthetic.draws_for(model), FRAME, by="state")
    wide = table.pivot(index="state", columns="outcome", values="estimate")
    assert wide.columns.to_list() == VIEWS


@pytest.mark.parametrize("form", [dict, pd.Series])
def test_mean_score(model, draws, form):
    scores = form({"Republican": 1, "Democrat": -1, "Independent": 0.5})
    found = poststratify_draws(model, draws, FRAME, by="state", scores=scores)
    shares = poststratify_draws(model, draws, FRAME, by="state")
    weights = xr.DataArray([-1, 0.5, 1], dims="outcome")
    assert found.dims == ("group", "sample")
    np.testing.assert_allclose(found, (shares * weights).sum("outcome"), atol=1e-14)
    table = poststratify(model, draws, FRAME, by="state", scores=scores)
    np.testing.assert_allclose(table["estimate"], found.mean("sample"))
    assert "outcome" not in table


def test_blocks_do_not_matter(model, draws):
    whole = poststratify_draws(model, draws, FRAME, by="state", block=1000)
    for block in (1, 7, 60):
        parts = poststratify_draws(model, draws, FRAME, by="state", block=block)
        xr.testing.assert_allclose(whole, parts, rtol=1e-12)


def test_order_of_dimensions_does_not_matter(model, draws):
    turned = draws.map_over_datasets(lambda group: group.transpose(*reversed(list(group.dims))))
    shuffled = turned.isel(party_reduced_dim=[1, 0])
    for other in (turned, shuffled):
        pd.testing.assert_frame_equal(
            poststratify(model, other, FRAME, by="state"),
            poststratify(model, draws, FRAME, by="state"),
        )


def test_population_that_varies(model, draws):
    rng = np.random.default_rng(4)
    people = xr.DataArray(rng.gamma(2.0, size=(60, 60)), dims=("row", "sample"))
    found = poststratify_draws(model, draws, FRAME, by="state", population=people, block=7)
    assert np.abs(found.sum("outcome") - 1).max() < 1e-12
    one = poststratify_draws(model, draws, FRAME.assign(n=people[:, 9]), by="state")
    np.testing.assert_allclose(found[..., 9], one[..., 9], rtol=1e-12)


def test_a_new_level_has_an_effect_for_each_level_of_the_outcome():
    model = build("party ~ 1 + (1|state)", "categorical")
    draws = synthetic.draws_for(model, draws=4000)
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    options = {"by": "state", "new_levels": "population", "random_seed": 5}
    found = poststratify_draws(model, draws, frame, **options).sel(group="ZZ")
    posterior = draws["posterior"]
    effects = []
    for party in PARTIES[1:]:
        log_odds = np.log(found.sel(outcome=party) / found.sel(outcome="Democrat")).to_numpy()
        mean = posterior["Intercept"].sel(party_reduced_dim=party).to_numpy().ravel()
        sd = posterior["1|state_sigma"].sel(party_reduced_dim=party).to_numpy().ravel()
        standard = (log_odds - mean) / sd
        assert abs(standard.mean()) < 4 / np.sqrt(8000)
        assert standard.std() == pytest.approx(1, abs=4 / np.sqrt(16000))
        effects.append(standard)
    assert abs(np.corrcoef(effects)[0, 1]) < 4 / np.sqrt(8000)
    again = poststratify_draws(model, draws, frame[::-1], **options).sel(group="ZZ")
    np.testing.assert_allclose(again, found, rtol=1e-12)


def test_aliases_are_the_names_of_draws():
    formula = "party ~ x + C(edu) + (0+edu|age)"
    plain = build(formula, "categorical")
    draws = synthetic.draws_for(plain)
    expected = poststratify(plain, draws, FRAME, by="state")
    for names in ({"party": "who"}, {"party": "who", "x": "slope", "edu|age": "alpha", "p": "pi"}):
        model = build(formula, "categorical")
        model.set_alias(names)
        again = synthetic.draws_for(model)
        assert "who_reduced_dim" in again["posterior"].dims
        only = xr.DataTree.from_dict({"posterior": draws["posterior"].to_dataset()})
        for fit in (again, draws, only):
            pd.testing.assert_frame_equal(poststratify(model, fit, FRAME, by="state"), expected)
    ordered = build("view ~ x", "cumulative")
    before = synthetic.draws_for(ordered)
    expected = poststratify(ordered, before, FRAME)
    ordered.set_alias({"threshold": "cut"})
    after = synthetic.draws_for(ordered)
    assert "cut_dim" in after["posterior"].dims
    for fit in (before, after):
        pd.testing.assert_frame_equal(poststratify(ordered, fit, FRAME), expected)


def test_shares_in_the_draws_are_compared():
    """As `model.fit(include_response_params=True)` returns them, and as PyMC samples them."""
    for formula, family in MODELS["categorical"], MODELS["stopping ratio"]:
        model = build(formula, family)
        draws = synthetic.draws_for(model)
        full = model.predict(draws, inplace=False)["posterior"].to_dataset()
        kept = xr.DataTree.from_dict({"posterior": full})
        expected = poststratify(model, draws, FRAME)
        pd.testing.assert_frame_equal(poststratify(model, kept, FRAME), expected)
        moved = full.assign(x=full["x"] + 1)
        with pytest.raises(ValueError, match="draws of 'p' are not what the draws of the effects"):
            poststratify(model, xr.DataTree.from_dict({"posterior": moved}), FRAME)


# --- Bad input.


@pytest.mark.parametrize(
    ("scores", "error", "message"),
    [
        (
            [1, 2, 3],
            TypeError,
            "^scores is of type list; pass a dict, or a Series indexed by the levels of the "
            "outcome$",
        ),
        (
            {"Democrat": 1, "Republican": 0},
            ValueError,
            "^scores name 'Democrat', 'Republican', and the levels of the outcome are 'Democrat', "
            "'Independent', 'Republican'; give each of them one number$",
        ),
        ({**dict.fromkeys(PARTIES, 1), "Green": 0}, ValueError, "scores name .*'Green', and the"),
        (
            pd.Series([1, 2, 3, 4], [*PARTIES, "Democrat"]),
            ValueError,
            "'Republican'; a level is listed twice; give each of them one number",
        ),
        ({**dict.fromkeys(PARTIES, 1), "Democrat": "low"}, ValueError, "'Democrat' has 'low'; giv"),
        ({**dict.fromkeys(PARTIES, 1), "Democrat": np.nan}, ValueError, "level 'Democrat' has nan"),
        ({**dict.fromkeys(PARTIES, 1), "Democrat": True}, ValueError, "give it a finite number"),
    ],
)
def test_bad_scores_are_refused(model, draws, scores, error, message):
    with pytest.raises(error, match=message):
        poststratify(model, draws, FRAME, scores=scores)


def test_scores_of_an_outcome_without_levels_are_refused():
    model = build("height ~ x", "gaussian")
    with pytest.raises(ValueError, match="scores belong to an outcome with levels, and the family"):
        poststratify(model, synthetic.draws_for(model), FRAME, scores={"tall": 1})


def test_groups_may_not_be_named_outcome(model, draws):
    frame = FRAME.assign(outcome=FRAME["edu"])
    with pytest.raises(ValueError, match="by names 'outcome', and the result has a column"):
        poststratify(model, draws, frame, by="outcome")
    scores = dict.fromkeys(PARTIES, 1)
    assert len(poststratify(model, draws, frame, by="outcome", scores=scores)) == 2


def without(draws, *names):
    return xr.DataTree.from_dict({"posterior": draws["posterior"].to_dataset().drop_vars(names)})


def test_draws_of_another_model_are_refused(draws):
    fewer = build("party ~ x + (1|state) + (0+edu|age)", "categorical")
    kept = draws["posterior"].to_dataset().isel(party_reduced_dim=[1])
    with pytest.raises(ValueError, match="'Intercept' has other levels there; this model's are 'I"):
        poststratify(fewer, xr.DataTree.from_dict({"posterior": kept}), FRAME)
    ordered = build("view ~ x", "cumulative")
    good = synthetic.draws_for(ordered)
    with pytest.raises(ValueError, match="they have no parameter 'threshold'"):
        poststratify(ordered, without(good, "threshold"), FRAME)
    broken = good.copy(deep=True)
    broken["posterior"]["threshold"][0, 3, 1] = np.inf
    with pytest.raises(ValueError, match="draws of 'threshold' are not all finite"):
        poststratify(ordered, broken, FRAME)
    crossed = good.copy(deep=True)
    crossed["posterior"]["threshold"][0, 3] = [1.0, 3.0, 2.0]
    message = r"'threshold' do not ascend in 1 of 60 draw\(s\), so .*; sample the model again$"
    with pytest.raises(ValueError, match=message):
        poststratify(ordered, crossed, FRAME)
    other = build("party ~ x", "categorical")
    with pytest.raises(ValueError, match="the draws belong to another model"):
        poststratify(other, good, FRAME)


def test_new_levels_need_a_spread_for_each_level_of_the_outcome(model, draws):
    posterior = draws["posterior"].to_dataset()
    one = posterior.assign({"1|state_sigma": posterior["1|state_sigma"].isel(party_reduced_dim=0)})
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    with pytest.raises(ValueError, match="'1.state_sigma' for each of party_reduced_dim, from whi"):
        poststratify(
            model, xr.DataTree.from_dict({"posterior": one}), frame, new_levels="population"
        )


def test_an_offset_beside_several_equations_is_refused():
    model = build("party ~ x + offset(male)", "categorical")
    with pytest.raises(NotImplementedError, match=r"term 'offset\(male\)': Bambi has no offset in"):
        poststratify(model, xr.DataTree(), FRAME)
