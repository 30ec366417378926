"""Post-stratification equals Bambi's own predictions, and refuses what would be wrong."""

import importlib

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import synthetic
from mrp_helpers import _effects, _outcomes, poststratify, poststratify_draws

# The name mrp_helpers.poststratify is the function's; the module behind it is found by its name.
poststratify_module = importlib.import_module("mrp_helpers.poststratify")
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


def test_order_of_dimensions_does_not_matter():
    model = build("height ~ x + C(age) + (C(edu)|state)", "gaussian")
    draws = synthetic.draws_for(model)
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


def population_draws(frame=FRAME, samples=60, seed=4):
    """Draws of how many people each cell has, labelled by the frame's rows."""
    rng = np.random.default_rng(seed)
    people = rng.gamma(2.0, frame["n"].to_numpy()[:, None] / 2.0, size=(len(frame), samples))
    return xr.DataArray(people, dims=("row", "sample"))


@pytest.mark.parametrize("by", [None, "state", ["age", "edu"]])
def test_population_that_varies_is_summed_draw_by_draw(model, draws, by):
    people = population_draws()
    found = poststratify_draws(model, draws, FRAME, by, population=people, block=7)
    cells = ["state", "age", "male", "edu"]
    means = poststratify_draws(model, draws, FRAME, cells).to_numpy()
    # The cells come sorted, as they stand in the frame only after sorting.
    order = FRAME.sort_values(cells).index
    counts = people.to_numpy()[order]
    group = FRAME.loc[order].groupby(by).ngroup().to_numpy() if by else np.zeros(60, dtype=int)
    for number in range(found.sizes["group"]):
        here = group == number
        expected = (counts * means)[here].sum(axis=0) / counts[here].sum(axis=0)
        np.testing.assert_allclose(found[number], expected, rtol=1e-12)
        mean = counts[here].sum(axis=0).mean()
        assert found["population"][number].item() == pytest.approx(mean)
    assert found["population"].dtype == "float64"


def test_population_that_does_not_vary_is_a_column(model, draws):
    constant = xr.DataArray(np.tile(FRAME["n"], (60, 1)), dims=("sample", "cell"))
    without = FRAME.drop(columns="n")
    pd.testing.assert_frame_equal(
        poststratify(model, draws, without, "state", population=constant),
        poststratify(model, draws, FRAME, "state"),
        check_dtype=False,
    )


def test_draws_of_the_population_are_paired_in_their_order(model, draws):
    people = population_draws()
    turned = poststratify_draws(model, draws, FRAME, population=people[:, ::-1])
    plain = poststratify_draws(model, draws, FRAME, population=people)
    assert not np.allclose(turned, plain)
    first = people[:, :1].to_numpy()[:, 0]
    alone = poststratify_draws(model, draws, FRAME.assign(n=first))
    np.testing.assert_allclose(plain[0, 0], alone[0, 0], rtol=1e-12)


def test_labels_of_the_population_are_held_to_the_frame(model, draws):
    columns = ["state", "age", "male", "edu"]
    index = pd.MultiIndex.from_frame(FRAME[columns])
    labelled = population_draws().assign_coords(xr.Coordinates.from_pandas_multiindex(index, "row"))
    poststratify(model, draws, FRAME, population=labelled)
    message = (
        "'state' has other values, or another order, than in the frame; put both into the same"
    )
    with pytest.raises(ValueError, match=f"{message} order$"):
        poststratify(model, draws, FRAME[::-1], population=labelled)
    other = population_draws().assign_coords(row=np.arange(60)[::-1])
    poststratify(model, draws, FRAME, population=other)


def changed_population(row, sample, value):
    people = population_draws()
    people[row, sample] = value
    return people


@pytest.mark.parametrize(
    ("people", "error", "message"),
    [
        (
            population_draws()[:, 0],
            ValueError,
            "^population has the dimensions 'row'; it needs 'sample' and one that runs over",
        ),
        (population_draws().expand_dims("party"), ValueError, "dimensions 'party', 'row', 'samp"),
        (population_draws().rename(sample="draw"), ValueError, "dimensions 'row', 'draw'"),
        (
            population_draws(samples=4000),
            ValueError,
            "'sample' has length 4,000 and the model has draws: 60; give one number for each",
        ),
        (population_draws(FRAME.head(59)), ValueError, "'row' has length 59 and the frame has row"),
        (changed_population(4, 7, np.nan), ValueError, r"is missing in 1 draw\(s\), in row 4$"),
        (changed_population(5, 7, np.inf), ValueError, r"is infinite in 1 draw\(s\), in row 5$"),
        (changed_population(6, 7, -1), ValueError, r"is negative in 1 draw\(s\), in row 6$"),
        (
            changed_population(slice(2, 7), 7, -1),
            ValueError,
            r"is negative in 5 draw\(s\), in row 2, 3, 4 and 2 more$",
        ),
        (
            changed_population(slice(0, 12), 7, 0),
            ValueError,
            "nobody lives in group 'AK' .the draws of the population of its cells sums to zero",
        ),
        (population_draws().astype(str), TypeError, "population is not numeric but <U"),
        (population_draws() > 1, TypeError, "population is not numeric but bool"),
        (population_draws().to_numpy(), TypeError, "population is of type ndarray; pass the name"),
        (["n"], TypeError, "population is of type list; pass the name of a column, or draws as"),
    ],
)
def test_bad_draws_of_the_population_are_refused(model, draws, people, error, message):
    with pytest.raises(error, match=message):
        poststratify_draws(model, draws, FRAME, "state", population=people)


def test_groups_without_people_are_listed(model, draws):
    frame = FRAME.assign(n=FRAME["n"].where(FRAME["state"] == "TX", 0))
    with pytest.raises(ValueError) as refusal:
        poststratify(model, draws, frame, by="state")
    assert str(refusal.value) == (
        "frame: nobody lives in group 'AK', 'AL', 'CA' and 1 more (the 'n' of its cells sums to "
        "zero), so it has no mean; drop these cells from the frame"
    )


def test_cells_listed_twice_are_refused_when_their_population_is_drawn(model, draws):
    twice = pd.concat([FRAME.head(59), FRAME.head(1)]).drop(columns="n")
    with pytest.raises(ValueError, match=r"lists 1 cell\(s\) more than once, .*; sum their draws"):
        poststratify(model, draws, twice, population=population_draws())


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


def in_state(found, state):
    return found.sel(group=state).to_numpy()


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f[::-1],
        lambda f: f.sample(frac=1, random_state=1),
        lambda f: f.replace({"state": {"NY": "AA"}}),
        lambda f: f.replace({"state": {"AK": "YY", "NY": "zz"}, "age": {"40+": "old"}}),
        lambda f: f[f["state"].isin(["ZZ", "TX"])],
        lambda f: f[f["x"] > -1],
        lambda f: f.astype({"state": "category"}),
    ],
)
def test_a_new_level_has_one_effect_whatever_else_the_frame_has(change):
    model = build("height ~ 0 + (1|state) + (0+male|state) + (1|age)", "gaussian")
    draws = synthetic.draws_for(model)
    frame = FRAME.replace({"state": {"CA": "ZZ"}}).assign(age="40+", male=1.0)
    frame = frame.drop_duplicates(["state", "x"])
    options = {"by": "state", "new_levels": "population", "random_seed": 3}
    expected = in_state(poststratify_draws(model, draws, frame, **options), "ZZ")
    changed = change(frame).assign(age="40+")
    found = in_state(poststratify_draws(model, draws, changed, **options), "ZZ")
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_new_level_of_a_term_has_one_effect_whatever_terms_are_beside_it():
    """It hangs on the seed, the term and the level; on each of them."""
    frame = FRAME.replace({"state": {"CA": "ZZ", "NY": "YY"}}).assign(x=0.0)
    options = {"by": "state", "new_levels": "population"}

    def effect(formula, state="ZZ", seed=3):
        model = build(f"height ~ {formula}", "gaussian")
        draws = synthetic.draws_for(model)
        rest = xr.zeros_like(draws["posterior"].to_dataset())
        for name in rest.data_vars:
            if str(name).endswith("|state_sigma"):
                rest[name] = xr.ones_like(rest[name])
        draws = xr.DataTree.from_dict({"posterior": rest})
        return in_state(poststratify_draws(model, draws, frame, random_seed=seed, **options), state)

    alone = effect("0 + (1|state)")
    for other in ("(1|age) + (1|state)", "(1|state) + (0+x|state)", "male + (0+x|state) + (1|st"):
        formula = other if other.endswith(")") else f"{other}ate)"
        np.testing.assert_allclose(effect(f"0 + {formula}"), alone, rtol=1e-12)
    for changed in (
        effect("0 + (1|state)", seed=4),
        effect("0 + (1|state)", state="YY"),
        effect("0 + (1|C(state))"),
    ):
        assert not np.isclose(changed, alone).any()
    assert abs(np.corrcoef(alone, effect("0 + (1|state)", state="YY"))[0, 1]) < 4 / np.sqrt(60)


@pytest.mark.parametrize("dtype", ["int8", "float64", "Int64", "category", object])
def test_a_new_number_is_the_same_level_in_each_type(dtype):
    data = CELLS.assign(code=np.arange(60) % 4)
    model = build("height ~ 0 + (1|code) + (1|state:code)", "gaussian", data=data)
    draws = synthetic.draws_for(model)
    frame = FRAME.assign(code=np.arange(60) % 6)
    options = {"by": ["state", "age"], "new_levels": "population", "random_seed": 1}
    expected = poststratify(model, draws, frame, **options)
    found = poststratify(model, draws, frame.astype({"code": dtype}), **options)
    pd.testing.assert_frame_equal(found, expected)


def test_fractions_that_are_new_are_levels_of_their_own():
    model = build("height ~ 0 + (1|male)", "gaussian")
    draws = synthetic.draws_for(model)
    frame = pd.DataFrame({"male": [-0.5, 0.25, 0.75, 1.0], "n": 1})
    options = {"by": "male", "new_levels": "population", "random_seed": 1}
    found = poststratify_draws(model, draws, frame, **options)
    assert not np.isclose(found[1], found[2]).any()
    single = poststratify_draws(model, draws, frame.astype({"male": "float32"}), **options)
    np.testing.assert_array_equal(single, found)


def test_without_a_seed_a_new_level_is_another_each_time():
    model = build("height ~ 0 + (1|state)", "gaussian")
    draws = synthetic.draws_for(model)
    frame = FRAME.replace({"state": {"CA": "ZZ", "NY": "YY"}})
    options = {"by": "state", "new_levels": "population"}
    one, other = (poststratify_draws(model, draws, frame, **options) for _ in range(2))
    assert not np.isclose(in_state(one, "ZZ"), in_state(other, "ZZ")).any()
    assert not np.isclose(in_state(one, "ZZ"), in_state(one, "YY")).any()


@pytest.mark.parametrize("new_levels", ["error", "population"])
def test_nothing_is_drawn_where_no_level_is_new(model, draws, monkeypatch, new_levels):
    def drawn(*arguments):
        raise AssertionError("something was drawn")

    monkeypatch.setattr(np.random, "default_rng", drawn)
    assert len(poststratify(model, draws, FRAME, by="state", new_levels=new_levels)) == 5
    if new_levels == "error":
        with pytest.raises(ValueError, match="has level 'ZZ', which the model never saw"):
            poststratify(model, draws, FRAME.replace({"state": {"CA": "ZZ"}}))


@pytest.mark.parametrize(
    "formula", ["height ~ x + (1|state)", "height ~ (1|state:age)", "height ~ (x|C(state))"]
)
def test_a_frame_without_any_known_level_is_refused(formula):
    model = build(formula, "gaussian")
    draws = synthetic.draws_for(model)
    frame = FRAME.assign(state="of " + FRAME["state"])
    said = (
        "^frame: column 'state' has no level that the model saw: it has 'of AK', 'of AL', 'of CA', "
        "'of NY', 'of TX', and the model has 'AK', 'AL', 'CA', 'NY', 'TX'. Recode the frame to the "
        "model's levels; if all of them are new, estimate them beside at least one that is known$"
    )
    with pytest.raises(ValueError, match=said):
        poststratify(model, draws, frame, new_levels="population")
    with pytest.raises(
        ValueError, match="no level that the model saw: it has 'of AK', 'of AL', 'o"
    ):
        poststratify(model, draws, frame.head(36), new_levels="population")
    # Two of the model's five, and no other, may be new.
    assert len(poststratify(model, draws, frame.head(24), new_levels="population")) == 1
    frame.loc[0, "state"] = "AK"
    assert len(poststratify(model, draws, frame, new_levels="population")) == 1
    four = build(formula, "gaussian", data=CELLS[CELLS["state"] != "TX"])
    with pytest.raises(
        ValueError, match="no level that the model saw: it has 'of NY', 'of TX', an"
    ):
        poststratify(four, synthetic.draws_for(four), frame.tail(24), new_levels="population")


def test_each_combination_with_a_new_level_has_an_effect_of_its_own():
    model = build("height ~ 0 + (1|state:age)", "gaussian")
    frame = FRAME.replace({"state": {"AL": "ZA", "CA": "ZB", "NY": "ZC", "TX": "ZD"}})
    options = {"by": ["state", "age"], "new_levels": "population", "random_seed": 1}
    found = poststratify(model, synthetic.draws_for(model), frame, **options)
    assert found["estimate"].round(12).nunique() == 15


@pytest.mark.parametrize(
    ("spelled", "known"),
    [("ca", "CA"), (" CA", "CA"), ("C A", "CA"), ("\uff23\uff21", "CA"), ("007", "7"), ("0", "00")],
)
def test_a_known_level_in_another_spelling_is_not_a_new_one(spelled, known):
    data = CELLS.replace({"state": {"CA": known}})
    model = build("height ~ x + (1|state)", "gaussian", data=data)
    frame = FRAME.replace({"state": {"CA": spelled}})
    said = f"has level '{spelled}' and the model has '{known}', which differ in case, spaces or"
    with pytest.raises(ValueError, match=said):
        poststratify(model, synthetic.draws_for(model), frame, new_levels="population")


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


def test_new_level_of_several_effects_has_one_spread_for_each():
    model = build("height ~ 0 + x + (0+edu|state)", "gaussian")
    draws = synthetic.draws_for(model, chains=4, draws=500)
    sigma = draws["posterior"]["edu|state_sigma"]
    spread = xr.DataArray([0.1, 2.0], coords={"edu__expr_dim": ["College", "HS"]})
    draws["posterior"]["edu|state_sigma"] = xr.broadcast(spread, sigma)[0].transpose(
        "chain", "draw", "edu__expr_dim"
    )
    frame = FRAME.replace({"state": {"CA": "ZZ"}}).assign(x=0.0)
    found = poststratify(
        model, draws, frame, by=["state", "edu"], new_levels="population", random_seed=1
    ).set_index(["state", "edu"])
    # Of 2,000 draws of a normal, the standard deviation is known to 1.6 %: four of them.
    assert found.loc[("ZZ", "College"), "sd"] == pytest.approx(0.1, rel=0.064)
    assert found.loc[("ZZ", "HS"), "sd"] == pytest.approx(2.0, rel=0.064)
    without = poststratify(model, draws, FRAME.assign(x=0.0), by=["state", "edu"])
    known = without["state"] != "CA"
    pd.testing.assert_frame_equal(
        without[known].set_index(["state", "edu"]), found.drop(index="ZZ")
    )


def test_new_level_of_either_grouping_column_is_new():
    model = build("p(yes, n) ~ 1 + (1|state:age)")
    draws = synthetic.draws_for(model)
    frame = FRAME.replace({"state": {"CA": "ZZ"}, "age": {"40+": "old"}})
    found = [
        poststratify(
            model, draws, frame, by=["state", "age"], new_levels="population", random_seed=seed
        )
        for seed in (1, 2)
    ]
    changed = found[0]["estimate"] != found[1]["estimate"]
    new = found[0]["state"].eq("ZZ") | found[0]["age"].eq("old")
    assert (changed == new).all()


def test_whole_numbers_that_may_be_missing_are_numbers():
    model = build("height ~ 1 + (x|state)", "gaussian")
    draws = synthetic.draws_for(model)
    plain = FRAME.assign(x=FRAME["x"].round()).replace({"state": {"CA": "ZZ"}})
    options = {"by": "state", "new_levels": "population", "random_seed": 1}
    pd.testing.assert_frame_equal(
        poststratify(model, draws, plain, **options),
        poststratify(model, draws, plain.astype({"x": "Int64", "n": "Int64"}), **options),
    )


def test_renamed_spread_is_found():
    model = build("p(yes, n) ~ x + (1|state)")
    draws = synthetic.draws_for(model)
    frame = FRAME.replace({"state": {"CA": "ZZ"}})
    options = {"by": "state", "new_levels": "population", "random_seed": 1}
    expected = poststratify(model, draws, frame, **options)
    model.set_alias({"sigma": "spread", "1|state": "of_state"})
    renamed = (
        draws["posterior"]
        .to_dataset()
        .rename({"1|state": "of_state", "1|state_sigma": "of_state_spread"})
        .rename({"state__factor_dim": "of_state__factor_dim"})
    )
    found = poststratify(model, xr.DataTree.from_dict({"posterior": renamed}), frame, **options)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    "formula", ["height ~ 0 + (0+edu|age)", "height ~ x:edu + (1|state)", "height ~ x:C(edu)"]
)
def test_new_level_of_a_slope_is_refused(formula):
    model = build(formula, "gaussian")
    with pytest.raises(ValueError, match="'edu' has level 'PhD'.*recode the frame"):
        poststratify(model, synthetic.draws_for(model), altered("edu", "PhD")(FRAME))


def test_categories_made_from_numbers_are_not_taken_for_the_numbers():
    model = build(
        "height ~ high_or_low(x) + (1|state)",
        "gaussian",
        extra_namespace={"high_or_low": lambda x: np.where(np.asarray(x) > 0, "high", "low")},
    )
    draws = synthetic.draws_for(model)
    pd.testing.assert_frame_equal(
        poststratify(model, draws, FRAME, by="state"),
        poststratify(model, draws, FRAME.assign(x=2 * FRAME["x"]), by="state"),
    )


def test_draws_with_their_offsets_are_the_models_own(model, draws):
    kept = draws["posterior"].to_dataset()
    kept = kept.assign({"1|state_offset": kept["1|state"] / kept["1|state_sigma"]})
    pd.testing.assert_frame_equal(
        poststratify(model, xr.DataTree.from_dict({"posterior": kept}), FRAME),
        poststratify(model, draws, FRAME),
    )


def test_single_precision_is_only_how_draws_are_kept(model, draws):
    single = draws.map_over_datasets(
        lambda group: group.map(lambda v: v.astype("float32") if v.dtype == "float64" else v)
    )
    double = single.map_over_datasets(
        lambda group: group.map(lambda v: v.astype("float64") if v.dtype == "float32" else v)
    )
    xr.testing.assert_allclose(
        poststratify_draws(model, single, FRAME, by="state"),
        poststratify_draws(model, double, FRAME, by="state"),
        rtol=1e-13,
    )


def test_counts_stay_whole_and_shares_stay_fractions(model, draws):
    whole = poststratify_draws(model, draws, FRAME, by="state")
    assert whole.name == "estimate"
    assert whole["population"].dtype == "int64"
    shares = FRAME.assign(n=FRAME["n"] / FRAME["n"].sum())
    found = poststratify_draws(model, draws, shares, by="state")
    assert found["population"].sum().item() == pytest.approx(1)
    xr.testing.assert_allclose(found.drop_vars("population"), whole.drop_vars("population"))


def test_level_that_no_cell_has_makes_no_group(model, draws):
    wider = FRAME.assign(area=pd.Categorical(FRAME["state"], [*synthetic.STATES, "WY"]))
    found = poststratify(model, draws, wider, by="area")
    assert found["area"].to_list() == synthetic.STATES
    assert found.index.equals(pd.RangeIndex(5))


@pytest.mark.parametrize("rows", [1, 5, 1000], ids=["no tables", "small tables", "one table"])
@pytest.mark.parametrize(
    ("block", "at_once", "held", "designed"),
    [(7, 1, 7, 10), (None, 660, 11, 11), (None, 1, 1, 10), (4, 1, 4, 10), (1000, 1, 60, 60)],
)
def test_no_more_cells_are_held_at_once_than_was_said(
    model, draws, monkeypatch, block, at_once, held, designed, rows
):
    exact = poststratify_draws(model, draws, FRAME, by="state")
    seen = {"held": [], "designed": []}
    blocks, design = _outcomes.Outcomes.blocks, _effects._Part.design

    def counted(self, cells, size, function):
        monkeypatch.setattr(_effects._Part, "design", counted_design)
        for few, values in blocks(self, cells, size, function):
            assert values.shape == (1, cells[few].shape[0], 60)
            seen["held"].append(values.shape[1])
            yield few, values

    def counted_design(self, cells):
        seen["designed"].append(len(cells))
        return design(self, cells)

    monkeypatch.setattr(_outcomes.Outcomes, "blocks", counted)
    monkeypatch.setattr(poststratify_module, "_BLOCK_VALUES", at_once)
    monkeypatch.setattr(_effects, "_TABLE_VALUES", 60 * rows)
    monkeypatch.setattr(_outcomes, "_DESIGN_CELLS", 10)
    found = poststratify(model, draws, FRAME, by="state", block=block)
    np.testing.assert_allclose(found["estimate"], exact.mean("sample"), rtol=1e-12)
    assert max(seen["held"]) == held and sum(seen["held"]) == len(FRAME)
    # With rows for each cell, everything is in the tables, and no design is made again.
    assert max(seen["designed"], default=0) == (0 if rows == 1000 else designed)


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
        (
            lambda f: pd.concat([f, f[["x"]]], axis=1),
            ValueError,
            "^frame has 2 columns named 'x'; rename or drop one$",
        ),
        (
            altered("state", "ZZ"),
            ValueError,
            r"'state' has level 'ZZ', .* 'TX'\. Recode the frame, or pass new_levels='population' "
            "to draw its effect from the fitted normal$",
        ),
        (
            altered("edu", "PhD"),
            ValueError,
            r"'edu' has level 'PhD', .*\. A common effect cannot be drawn for a new level: recode "
            "the frame$",
        ),
        (lambda f: f.assign(n=f["n"].where(f.index != 2)), ValueError, "'n' is missing .* index 2"),
        (altered("n", -1), ValueError, "'n' is negative in 1 row"),
        (lambda f: f.assign(n=f["n"] / (f.index != 2)), ValueError, "'n' is infinite in 1 row"),
        (lambda f: f.assign(n=0), ValueError, "'n' sums to zero"),
        (lambda f: f.astype({"n": str}), TypeError, "'n' is not numeric.*pd.to_numeric"),
        (lambda f: pd.concat([f, f.iloc[[0]].assign(n=1)]), ValueError, "lists 1 cell.*'AK'.*sum"),
        (lambda f: pd.concat([f, f]), ValueError, "lists 60 cell"),
        (lambda f: f.head(0), ValueError, "^frame is empty; it needs one row for each cell$"),
        (lambda f: f.to_dict("list"), TypeError, "frame is of type dict; pass a pandas DataFrame"),
        (
            lambda f: f.assign(x="high"),
            TypeError,
            "'x' holds text, .* pd.to_numeric$",
        ),
        (altered("x", np.inf), ValueError, r"'x' is infinite in 1 cell\(s\), at index 4; correct"),
        (altered("x", -np.inf), ValueError, r"'x' is infinite in 1 cell\(s\), at index 4"),
        (lambda f: f.assign(x=f["x"].where(f.index > 1)), ValueError, "'x' is missing in 2 cell"),
        (
            lambda f: f.assign(n=f["n"] * (f["state"] != "CA")),
            ValueError,
            "nobody lives in.*'CA'.* from the frame$",
        ),
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

    with pytest.raises(ValueError, match="by names a column more than once: 'state', 'state'"):
        poststratify(model, draws, FRAME, by=["state", "state"])


TAKEN = ["estimate", "sd", "lower", "upper", "population", "group", "sample", "chain", "draw"]


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("function", [poststratify, poststratify_draws])
def test_groups_may_not_be_named_like_the_result(model, draws, function, name):
    frame = FRAME.assign(**{name: FRAME["male"]})
    for by in (name, ["edu", name]):
        with pytest.raises(ValueError) as refusal:
            function(model, draws, frame, by)
        assert str(refusal.value) == (
            f"by names {name!r}, and the result has a column or label of that name; rename yours "
            f"first: frame.rename(columns={{{name!r}: '{name}_'}})"
        )
    renamed = frame.rename(columns={name: f"{name}_"})
    groups = function(model, draws, renamed, f"{name}_")
    assert (groups[f"{name}_"] if function is poststratify else groups["group"]).size == 2


def test_groups_are_named_by_columns(model, draws):
    with pytest.raises(TypeError, match="^by is 5; pass the name of a column, or a list of names$"):
        poststratify(model, draws, FRAME, by=5)
    lists = FRAME.assign(answers=[[1]] * len(FRAME))
    with pytest.raises(TypeError, match="frame: 'answers' hold what cannot name a group .*recode"):
        poststratify(model, draws, lists, by="answers")


def test_a_column_of_lists_that_nobody_needs_does_not_matter(model, draws):
    lists = FRAME.assign(answers=[[1]] * len(FRAME))
    expected = poststratify(model, draws, FRAME, by="edu")
    pd.testing.assert_frame_equal(poststratify(model, draws, lists, by="edu"), expected)
    with pytest.raises(ValueError, match="frame lists 1 cell.* more than once"):
        poststratify(model, draws, pd.concat([lists, lists.head(1)]))


@pytest.mark.parametrize("prob", [0, 1, 95, np.nan, "0.9", None])
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
    with pytest.raises(
        ValueError, match="^draws have no group 'posterior'; pass what fit_or_load returned$"
    ):
        poststratify(model, xr.DataTree(), FRAME)


@pytest.mark.parametrize("draws", [None, "fit.nc", xr.Dataset()])
def test_draws_of_another_type_are_refused(model, draws):
    with pytest.raises(TypeError, match="draws is of type .*; pass an xarray DataTree"):
        poststratify(model, draws, FRAME)


@pytest.mark.parametrize("other", [None, "y ~ x"])
def test_something_that_is_no_model_is_refused(draws, other):
    with pytest.raises(TypeError, match="model is of type .*; pass a bambi Model"):
        poststratify_draws(other, draws, FRAME)


def test_draws_that_are_stacked_or_empty_are_refused(model, draws):
    posterior = draws["posterior"].to_dataset()
    stacked = posterior.stack(sample=("chain", "draw")).reset_index("sample")
    for changed in (stacked, posterior.isel(draw=[]), posterior.isel(chain=[])):
        with pytest.raises(ValueError, match="'chain' and 'draw' must be there and not be empty"):
            poststratify(model, xr.DataTree.from_dict({"posterior": changed}), FRAME)


def test_a_mean_that_is_not_finite_is_refused():
    """The default link of the family wald is the inverse of a square, which must be positive."""
    data = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "x": [1.0, 2.0, 3.0, 4.0]})
    model = bmb.Model("y ~ x", data, family="wald", link="inverse_squared")
    draws = synthetic.draws_for(model)
    posterior = draws["posterior"].to_dataset()
    posterior["Intercept"], posterior["x"] = 1 + 0 * posterior["Intercept"], 0 * posterior["x"] - 1
    draws["posterior"] = posterior
    frame = pd.DataFrame({"x": [0.0, 9.0], "n": [1, 1], "place": ["here", "far"]})
    assert poststratify_draws(model, draws, frame[:1]).notnull().all()
    with pytest.raises(ValueError, match="the mean of group 'far' is not a finite number in"):
        poststratify_draws(model, draws, frame, by="place")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_draws_that_are_not_finite_are_refused(model, draws, value):
    broken = draws.copy(deep=True)
    broken["posterior"]["1|state"][0, 3, 2] = value
    with pytest.raises(ValueError, match=r"draws of '1\|state' are not all finite; sample"):
        poststratify(model, broken, FRAME)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"block": 0}, ValueError, "block is 0; it must be 1 or more"),
        ({"block": -1}, ValueError, "block is -1; it must be 1 or more"),
        ({"block": 1.5}, TypeError, "block is 1.5; pass a whole number"),
        ({"random_seed": -1}, ValueError, "random_seed is -1; it must be 0 or more"),
        ({"random_seed": "x"}, TypeError, "random_seed is 'x'; pass a whole number"),
        ({"population": "people"}, KeyError, "frame has no column 'people'"),
    ],
)
def test_bad_options_are_refused(model, draws, options, error, message):
    with pytest.raises(error, match=message):
        poststratify_draws(model, draws, FRAME, **options)


@pytest.mark.parametrize(
    ("build_model", "message"),
    [
        (
            lambda: build("x ~ male", "vonmises"),
            "family 'vonmises' is not computed here; families that are: asymmetriclaplace, ",
        ),
        (
            lambda: build("height ~ hsgp(x, m=5, c=2)", "gaussian"),
            r"term 'hsgp\(x, m=5, c=2\)' is of the kind HSGPTerm.*: common, group-specific, offset",
        ),
    ],
)
def test_models_of_another_kind_say_so(build_model, message):
    with pytest.raises(NotImplementedError, match=message):
        poststratify(build_model(), xr.DataTree(), FRAME)


OTHER_EFFECTS = {
    "Laplace": {"mu": 0, "b": bmb.Prior("HalfNormal", sigma=1)},
    # It has a sigma, which is not its standard deviation.
    "StudentT": {"nu": 3, "mu": 0, "sigma": bmb.Prior("HalfNormal", sigma=1)},
}


def test_new_level_whose_prior_has_another_argument_is_refused():
    sd = bmb.Prior("HalfNormal", sigma=1)
    prior = bmb.Prior("Normal", mu=0, sigma=sd, tau=1)
    model = build("height ~ x + (1|state)", "gaussian", priors={"1|state": prior})
    draws = synthetic.draws_for(model)
    said = r"follow a normal with 'tau' besides\. .* prior Normal\(mu=0, sigma=\.\.\.\)"
    with pytest.raises(NotImplementedError, match=said):
        poststratify(model, draws, FRAME.replace({"state": {"CA": "ZZ"}}), new_levels="population")


@pytest.mark.parametrize("effect", OTHER_EFFECTS)
def test_new_level_of_an_effect_that_is_not_normal(effect):
    prior = bmb.Prior(effect, **OTHER_EFFECTS[effect])
    model = build("p(yes, n) ~ 1 + (1|state)", priors={"1|state": prior})
    draws = synthetic.draws_for(model)
    assert len(poststratify(model, draws, FRAME, by="state")) == 5
    with pytest.raises(NotImplementedError, match=f"its effects follow {effect}, not a normal"):
        poststratify(model, draws, FRAME.replace({"state": {"CA": "ZZ"}}), new_levels="population")
