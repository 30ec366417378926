"""Post-stratification equals Bambi's own predictions, and refuses what would be wrong."""

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import synthetic
from mrp_helpers import poststratify, poststratify_draws

CELLS = synthetic.cells()
FRAME = synthetic.cells(seed=9).drop(columns=["yes", "vote", "height", "visits"])

MODELS = {
    "binomial, intercepts": ("p(yes, n) ~ x + male + (1|state) + (1|age)", "binomial"),
    "bernoulli, interaction of groups": ("vote ~ x + (1|state) + (1|state:age)", "bernoulli"),
    "bernoulli, numeric group": ("vote ~ 1 + (1|male) + (1|male:edu)", "bernoulli"),
    "gaussian, slopes and interactions": ("height ~ x*edu + (x|state) + (0+edu|age)", "gaussian"),
    "gaussian, splines by group": ("height ~ 0 + (bs(x, df=4)|state)", "gaussian"),
    "poisson, offset and slopes": (
        "visits ~ offset(log(exposure)) + x + (x+male|state)",
        "poisson",
    ),
    "negative binomial, no intercept": ("visits ~ 0 + C(state) + x", "negativebinomial"),
    "student, categorical interaction": ("height ~ C(edu)*male + (edu*male|age)", "t"),
}


def build(formula, family="binomial", data=CELLS, **options):
    return bmb.Model(formula, data, family=family, **options)


@pytest.fixture(scope="module")
def model():
    return build("p(yes, n) ~ x + C(edu) + (1|state) + (x|age)")


@pytest.fixture(scope="module")
def draws(model):
    return synthetic.draws_for(model)


def by_hand(model, draws, frame, by):
    """Bambi's predictions, weighted and summed in plain pandas."""
    predicted = model.predict(draws, data=frame.assign(yes=0), inplace=False)
    mean = predicted["posterior"][model.family.likelihood.parent]
    mean = mean.stack(sample=("chain", "draw")).transpose("__obs__", "sample").to_pandas()
    weighted = mean.mul(frame["n"].to_numpy(), axis=0).groupby([frame[c] for c in by]).sum()
    return weighted.div(frame.groupby(by)["n"].sum(), axis=0)


@pytest.mark.parametrize("name", MODELS)
def test_equals_bambi(name):
    formula, family = MODELS[name]
    model = build(formula, family)
    draws = synthetic.draws_for(model)
    found = poststratify_draws(model, draws, FRAME, by=["state", "age"], block=7)
    expected = by_hand(model, draws, FRAME, ["state", "age"])
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=0, atol=1e-10)
    assert list(found.indexes["group"]) == list(expected.index)


def test_shape_and_labels(model, draws):
    by_state = poststratify_draws(model, draws, FRAME, by="state")
    assert by_state.dims == ("group", "sample")
    assert by_state.shape == (5, 60)
    assert list(by_state["group"].to_numpy()) == synthetic.STATES
    assert by_state.indexes["sample"].names == ["chain", "draw"]
    assert (
        by_state["population"].to_series().to_dict() == FRAME.groupby("state")["n"].sum().to_dict()
    )

    by_two = poststratify_draws(model, draws, FRAME, by=["state", "age"])
    assert by_two.sel(state="CA", age="40+").sizes == {"sample": 60}


def test_blocks_do_not_matter(model, draws):
    whole = poststratify_draws(model, draws, FRAME, by="state", block=1000)
    for block in (1, 7, 60):
        parts = poststratify_draws(model, draws, FRAME, by="state", block=block)
        xr.testing.assert_allclose(whole, parts, rtol=1e-12)


def test_order_of_dimensions_does_not_matter(model, draws):
    turned = draws.map_over_datasets(lambda group: group.transpose(*reversed(list(group.dims))))
    pd.testing.assert_frame_equal(
        poststratify(model, turned, FRAME, by="state"),
        poststratify(model, draws, FRAME, by="state"),
    )


def test_order_of_rows_does_not_matter(model, draws):
    shuffled = FRAME.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(
        poststratify(model, draws, FRAME, by=["age", "state"]),
        poststratify(model, draws, shuffled, by=["age", "state"]),
    )


def test_total_is_the_weighted_mean_of_its_parts_in_each_draw(model, draws):
    parts = poststratify_draws(model, draws, FRAME, by="state")
    total = poststratify_draws(model, draws, FRAME)
    people = parts["population"]
    np.testing.assert_allclose((parts * people).sum("group") / people.sum(), total.sel(group="all"))


def test_summary_of_the_draws(model, draws):
    values = poststratify_draws(model, draws, FRAME, by="state").to_numpy()
    summary = poststratify(model, draws, FRAME, by="state", prob=0.8)
    assert list(summary.columns) == ["state", "estimate", "sd", "lower", "upper", "population"]
    np.testing.assert_allclose(summary["estimate"], values.mean(axis=1))
    np.testing.assert_allclose(summary["sd"], values.std(axis=1, ddof=1))
    np.testing.assert_allclose(summary["lower"], np.quantile(values, 0.1, axis=1))
    np.testing.assert_allclose(summary["upper"], np.quantile(values, 0.9, axis=1))
    assert summary["population"].sum() == FRAME["n"].sum()
    national = poststratify(model, draws, FRAME)
    assert list(national.columns) == ["estimate", "sd", "lower", "upper", "population"]


def test_population_may_have_another_name_and_any_scale(model, draws):
    shares = FRAME.assign(n=FRAME["n"] / FRAME["n"].sum()).rename(columns={"n": "share"})
    np.testing.assert_allclose(
        poststratify(model, draws, shares, by="age", population="share")["estimate"],
        poststratify(model, draws, FRAME, by="age")["estimate"],
    )


def test_new_level_is_drawn_from_the_fitted_normal():
    model = build("p(yes, n) ~ 1 + (1|state)")
    draws = synthetic.draws_for(model, draws=4000)
    posterior = draws["posterior"]
    frame = FRAME.replace({"state": {"CA": "ZZ", "NY": "YY"}})
    found = poststratify_draws(
        model, draws, frame, by="state", new_levels="population", random_seed=5
    )
    effect = {
        state: np.log(found.sel(group=state) / (1 - found.sel(group=state))).to_numpy()
        - posterior["Intercept"].to_numpy().ravel()
        for state in ("ZZ", "YY")
    }
    sigma = posterior["1|state_sigma"].to_numpy().ravel()
    for values in effect.values():
        standard = values / sigma
        assert abs(standard.mean()) < 4 / np.sqrt(len(standard))
        assert standard.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(standard)))
    assert abs(np.corrcoef(effect["ZZ"], effect["YY"])[0, 1]) < 4 / np.sqrt(len(sigma))


def test_new_level_is_the_same_in_each_block_and_for_each_seed(model, draws):
    frame = FRAME.replace({"state": {"CA": "ZZ"}, "age": {"40+": "old"}})
    options = {"by": ["state", "age"], "new_levels": "population"}
    first = poststratify(model, draws, frame, **options, random_seed=1)
    again = poststratify(model, draws, frame, **options, random_seed=1, block=3)
    other = poststratify(model, draws, frame, **options, random_seed=2)
    pd.testing.assert_frame_equal(first, again)
    changed = (first["estimate"] != other["estimate"]).to_numpy()
    new = (first["state"].eq("ZZ") | first["age"].eq("old")).to_numpy()
    assert (changed == new).all()


def test_known_levels_do_not_change_when_a_new_one_comes(model, draws):
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    with_new = poststratify(model, draws, frame, by="state", new_levels="population")
    without = poststratify(model, draws, FRAME, by="state")
    known = ["AK", "AL", "NY", "TX"]
    pd.testing.assert_frame_equal(
        with_new.set_index("state").loc[known], without.set_index("state").loc[known]
    )


def test_new_combination_of_seen_levels_has_its_own_fitted_effect():
    thinned = CELLS[(CELLS["state"] != "CA") | (CELLS["age"] != "40+")]
    model = build("p(yes, n) ~ 1 + (1|state:age)", data=thinned)
    draws = synthetic.draws_for(model)
    found = poststratify_draws(model, draws, FRAME, by=["state", "age"])
    effect = draws["posterior"]["1|state:age"].sel({"state:age__factor_dim": "CA:40+"})
    linear = (draws["posterior"]["Intercept"] + effect).to_numpy().ravel()
    np.testing.assert_allclose(found.sel(state="CA", age="40+"), 1 / (1 + np.exp(-linear)))


def altered(column, value, row=4):
    def change(frame):
        frame = frame.astype({column: object}) if isinstance(value, str) else frame.copy()
        frame.loc[frame.index[row], column] = value
        return frame

    return change


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda f: f.rename(columns={"edu": "educ"}), KeyError, "'edu'; it has 'educ' - rename"),
        (lambda f: f.drop(columns="n"), KeyError, "frame has no column 'n'"),
        (altered("state", "ZZ"), ValueError, "'state' has level 'ZZ'.*pass new_levels"),
        (altered("edu", "PhD"), ValueError, "'edu' has level 'PhD'.*recode the frame"),
        (lambda f: f.assign(n=f["n"].where(f.index != 2)), ValueError, "'n' is missing .* index 2"),
        (altered("n", -1), ValueError, "'n' is negative in 1 row"),
        (lambda f: f.assign(n=f["n"] / (f.index != 2)), ValueError, "'n' is infinite in 1 row"),
        (lambda f: f.assign(n=0), ValueError, "'n' sums to zero"),
        (lambda f: f.astype({"n": str}), TypeError, "'n' is not numeric.*pd.to_numeric"),
        (lambda f: pd.concat([f, f.iloc[[0]].assign(n=1)]), ValueError, "lists 1 cell.*'AK'.*sum"),
        (lambda f: pd.concat([f, f]), ValueError, "lists 60 cell"),
        (lambda f: f.head(0), ValueError, "frame is empty"),
        (lambda f: f.assign(x=f["x"].where(f.index > 1)), ValueError, "'x' is missing in 2 cell"),
        (lambda f: f.assign(n=f["n"] * (f["state"] != "CA")), ValueError, "nobody lives in.*'CA'"),
    ],
)
def test_bad_frames_are_refused(model, draws, change, error, message):
    with pytest.raises(error, match=message):
        poststratify(model, draws, change(FRAME), by="state")


def test_groups_must_have_names(model, draws):
    with pytest.raises(KeyError, match="frame has no column 'county'"):
        poststratify(model, draws, FRAME, by="county")
    half_named = FRAME.assign(county=["a"] * 30 + [None] * 30)
    with pytest.raises(ValueError, match="'county' has missing values"):
        poststratify(model, draws, half_named, by="county")


@pytest.mark.parametrize("prob", [0, 1, 95])
def test_prob_is_a_probability(model, draws, prob):
    with pytest.raises(ValueError, match="between 0 and 1"):
        poststratify(model, draws, FRAME, prob=prob)


def test_unknown_treatment_of_new_levels(model, draws):
    with pytest.raises(ValueError, match="choose 'error' or 'population'"):
        poststratify(model, draws, FRAME, new_levels="copy")


@pytest.mark.parametrize(
    ("formula", "data", "message"),
    [
        ("p(yes, n) ~ x + C(edu) + (1|state)", CELLS, "a parameter '1|age'"),
        ("p(yes, n) ~ x + C(edu) + (1|state) + (x|age) + (1|male)", CELLS, "no parameter '1|male'"),
        (
            "p(yes, n) ~ x + C(edu) + (1|state) + (x|age)",
            CELLS[CELLS["state"] != "TX"],
            "other levels",
        ),
    ],
)
def test_draws_of_another_model_are_refused(draws, formula, data, message):
    with pytest.raises(ValueError, match="belong to another model") as refusal:
        poststratify(build(formula, data=data), draws, FRAME)
    assert message in str(refusal.value)


def test_something_that_is_no_fit_is_refused(model):
    with pytest.raises(ValueError, match="no group 'posterior'"):
        poststratify(model, xr.DataTree(), FRAME)


@pytest.mark.parametrize(
    ("build_model", "message"),
    [
        (lambda: build("edu ~ x", "categorical"), "family 'categorical'"),
        (lambda: build("visits ~ x", "zero_inflated_poisson"), "zero_inflated_poisson"),
        (
            lambda: build(bmb.Formula("height ~ x", "sigma ~ male"), "gaussian"),
            "2 linear predictors",
        ),
        (lambda: build("height ~ hsgp(x, m=5, c=2)", "gaussian"), "Gaussian-process term"),
    ],
)
def test_models_of_another_kind_say_so(build_model, message):
    with pytest.raises(NotImplementedError, match=message):
        poststratify(build_model(), xr.DataTree(), FRAME)


def test_new_level_of_an_effect_that_is_not_normal():
    prior = bmb.Prior("Laplace", mu=0, b=bmb.Prior("HalfNormal", sigma=1))
    model = build("p(yes, n) ~ 1 + (1|state)", priors={"1|state": prior})
    draws = synthetic.draws_for(model)
    assert len(poststratify(model, draws, FRAME, by="state")) == 5
    with pytest.raises(NotImplementedError, match="Laplace"):
        poststratify(model, draws, FRAME.replace({"state": {"CA": "ZZ"}}), new_levels="population")
