"""What must hold for any survey and any frame: hypothesis looks for one where it does not.

The examples are the same on every run, so a failure comes back until its cause is mended.
"""

import bambi as bmb
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import synthetic
from mrp_helpers import (
    LEVELS,
    aggregate_cells,
    clean_cces,
    draw_biased_sample,
    effective_sample_size,
    evaluate,
    hajek_mean,
    load_cces,
    poststratify,
    poststratify_draws,
    rake,
)

FRAME = synthetic.cells(seed=9)[["state", "age", "male", "edu", "x", "n"]]
COLUMNS = ["state", "age", "male", "edu"]
BY = st.sampled_from([None, "state", ["age", "edu"]])
SEEDS = st.integers(0, 2**32 - 1)


def generator(seed):
    return np.random.default_rng(seed)


@st.composite
def frames(draw):
    """Some of the 60 cells with people in each, some of them none."""
    rng = generator(draw(SEEDS))
    chosen = FRAME.sample(draw(st.integers(2, len(FRAME))), random_state=rng)
    largest = draw(st.sampled_from([3, 40, 10**9]))
    return chosen.assign(n=rng.integers(0, largest, size=len(chosen)) + (rng.random() < 0.5))


def inhabited(frame, by):
    """Leave out groups in which nobody lives: they have no mean."""
    if by is None:
        return frame if frame["n"].sum() else frame.assign(n=1)
    people = frame.groupby(by)["n"].transform("sum")
    return frame[people > 0] if people.any() else frame.assign(n=1)


@pytest.fixture(scope="module")
def model():
    formula = "p(yes, n) ~ x + male + (1|state) + (x|age)"
    return bmb.Model(formula, synthetic.cells(), family="binomial")


@pytest.fixture(scope="module")
def draws(model):
    return synthetic.draws_for(model, draws=10)


def same(one, other):
    pd.testing.assert_frame_equal(one, other, check_dtype=False, rtol=1e-10, atol=0)


# poststratify.


@given(frame=frames(), by=BY, seed=SEEDS)
def test_order_of_the_frame_does_not_matter(model, draws, frame, by, seed):
    frame = inhabited(frame, by)
    shuffled = frame.sample(frac=1, random_state=generator(seed))
    same(poststratify(model, draws, shuffled, by), poststratify(model, draws, frame, by))


@given(seed=SEEDS, by=BY)
def test_order_of_the_sample_does_not_matter(model, draws, seed, by):
    shuffled = model.data.sample(frac=1, random_state=generator(seed)).reset_index(drop=True)
    again = bmb.Model(model.formula, shuffled, family="binomial")
    # What was observed stands in the order of the rows, and is held to it.
    draws = draws.drop_nodes("observed_data")
    same(poststratify(again, draws, FRAME, by), poststratify(model, draws, FRAME, by))


@given(frame=frames(), by=BY, seed=SEEDS)
def test_cells_may_be_split_by_a_column_that_the_model_does_not_use(model, draws, frame, by, seed):
    frame = inhabited(frame, by)
    men = generator(seed).binomial(frame["n"], 0.3)
    parts = [frame.assign(n=men, party="R"), frame.assign(n=frame["n"] - men, party="D")]
    same(
        poststratify(model, draws, pd.concat(parts, ignore_index=True), by),
        poststratify(model, draws, frame, by),
    )


@given(frame=frames(), by=BY, factor=st.floats(1e-9, 1e9))
def test_scale_of_the_population_does_not_matter(model, draws, frame, by, factor):
    frame = inhabited(frame, by)
    scaled = poststratify(model, draws, frame.assign(n=frame["n"] * factor), by)
    plain = poststratify(model, draws, frame, by)
    same(scaled.drop(columns="population"), plain.drop(columns="population"))
    np.testing.assert_allclose(scaled["population"], plain["population"] * factor)


@given(frame=frames(), by=BY, seed=SEEDS)
def test_each_draw_of_the_population_is_a_frame_of_its_own(model, draws, frame, by, seed):
    rng = generator(seed)
    people = rng.uniform(0.1, 9, size=(len(frame), 20)) * rng.choice([1e-9, 1, 1e9])
    drawn = xr.DataArray(people, dims=("row", "sample"))
    found = poststratify_draws(model, draws, frame.drop(columns="n"), by, population=drawn)
    number = int(rng.integers(20))
    alone = poststratify_draws(model, draws, frame.assign(n=people[:, number]), by)
    np.testing.assert_allclose(found[:, number], alone[:, number], rtol=1e-10)
    order = rng.permutation(len(frame))
    shuffled = poststratify_draws(
        model, draws, frame.iloc[order].drop(columns="n"), by, population=drawn[order]
    )
    np.testing.assert_allclose(shuffled, found, rtol=1e-10)


@given(frame=frames(), by=BY)
def test_empty_cells_change_nothing(model, draws, frame, by):
    frame = inhabited(frame, by)
    others = FRAME[~FRAME.index.isin(frame.index)].assign(n=0)
    if by is not None:  # an empty group would have no mean
        names = [by] if isinstance(by, str) else by
        others = others.merge(frame[names].drop_duplicates(), on=names)
    more = pd.concat([others, frame], ignore_index=True)
    same(poststratify(model, draws, more, by), poststratify(model, draws, frame, by))


@given(frame=frames(), by=st.sampled_from(["state", ["age", "edu"], COLUMNS]))
def test_total_is_the_weighted_mean_of_its_parts_in_each_draw(model, draws, frame, by):
    frame = inhabited(frame, by)
    parts = poststratify_draws(model, draws, frame, by)
    total = poststratify_draws(model, draws, frame).to_numpy()[0]
    expected = np.average(parts.to_numpy(), axis=0, weights=parts["population"])
    np.testing.assert_allclose(total, expected, rtol=1e-12)


@given(frame=frames(), by=BY)
def test_estimates_lie_between_the_smallest_and_the_largest_cell(model, draws, frame, by):
    frame = inhabited(frame, by)
    people = frame[frame["n"] > 0]
    cells = poststratify_draws(model, draws, people, COLUMNS).to_numpy()
    groups = poststratify_draws(model, draws, frame, by).to_numpy()
    rounding = 1e-12
    assert (groups >= cells.min(axis=0) - rounding).all()
    assert (groups <= cells.max(axis=0) + rounding).all()
    table = poststratify(model, draws, frame, by)
    assert table["lower"].between(0, 1).all() and table["upper"].between(0, 1).all()
    assert (table["lower"] <= table["upper"]).all()


@given(frame=frames(), by=BY, block=st.integers(1, 70))
def test_size_of_a_block_does_not_matter(model, draws, frame, by, block):
    frame = inhabited(frame, by)
    parts = poststratify(model, draws, frame, by, block=block)
    same(parts, poststratify(model, draws, frame, by))


NUMBERS = ["x", "male", "exposure", "I(x**2)", "scale(x)", "np.log(exposure)", "poly(x, 2)"]
NUMBERS += ["bs(x, df=4)", "I(x > 0)", "x:male", "poly(x, 2):male", "I(center(x) * exposure)"]
LABELS = ["edu", "age", "C(edu)", "S(age)", "T(edu, 'HS')", "C(np.sign(x))", "I(edu)", "C(male)"]
GROUPS = ["state", "age", "state:age", "C(edu)", "male", "I(x > 0)", "state/edu", "edu:male"]
EXPRESSIONS = st.one_of(
    st.sampled_from(NUMBERS + LABELS),
    st.tuples(st.sampled_from(NUMBERS), st.sampled_from(LABELS)).map(":".join),
    st.tuples(st.sampled_from(LABELS), st.sampled_from(NUMBERS + LABELS)).map("*".join),
)
TERMS = st.one_of(
    EXPRESSIONS,
    st.tuples(st.sampled_from(["", "0 + "]), EXPRESSIONS, st.sampled_from(GROUPS)).map(
        lambda parts: f"({parts[0]}{parts[1]}|{parts[2]})"
    ),
    st.sampled_from(GROUPS).map("(1|{})".format),
)
# One at most: of two offsets, Bambi's predictions take a wrong column for the second.
OFFSETS = st.sampled_from(["", " + offset(x)", " + offset(np.log(exposure))", " + offset(0.5)"])


@settings(max_examples=30)
@given(terms=st.lists(TERMS, min_size=1, max_size=4), offset=OFFSETS, block=st.integers(1, 30))
def test_any_formula_equals_bambi_or_is_refused(terms, offset, block):
    try:
        formula = f"height ~ 1 + {' + '.join(terms)}{offset}"
        model = bmb.Model(formula, synthetic.cells(), auto_scale=False)
    except (AttributeError, ValueError):  # formulae compares no such terms; one level is constant
        reject()
    try:
        draws = synthetic.draws_for(model, draws=3)
    except NotImplementedError as error:
        assert any(word in str(error) for word in ("samples another model", "in two ways"))
        return
    frame = synthetic.cells(seed=9).sample(frac=0.7, random_state=generator(block))
    by_row = frame.assign(row=range(len(frame)), n=1)
    found = poststratify_draws(model, draws, by_row, by="row", block=block)
    predicted = model.predict(draws, data=frame, inplace=False)["posterior"]["mu"]
    expected = predicted.stack(sample=("chain", "draw")).transpose("__obs__", "sample")
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


# rake and the weighted mean.


@st.composite
def surveys(draw):
    """A sample in which every pair of levels occurs, so that any margins can be met; margins."""
    rng = generator(draw(SEEDS))
    levels = {"age": draw(st.integers(2, 5)), "edu": draw(st.integers(2, 4))}
    once = pd.MultiIndex.from_product([range(size) for size in levels.values()], names=levels)
    extra = {name: rng.integers(0, size, size=30) for name, size in levels.items()}
    sample = pd.concat([once.to_frame(index=False), pd.DataFrame(extra)], ignore_index=True)
    margins = {name: pd.Series(rng.uniform(1, 20, size)) for name, size in levels.items()}
    return sample, {name: margin / margin.sum() for name, margin in margins.items()}


def largest_miss(sample, margins, weights):
    found = {name: weights.groupby(sample[name]).sum() / weights.sum() for name in margins}
    return max((found[name] - margin).abs().max() for name, margin in margins.items())


@given(survey=surveys())
def test_margins_are_met(survey):
    sample, margins = survey
    weights = rake(sample, margins)
    assert largest_miss(sample, margins, weights) < 1e-8
    assert weights.mean() == pytest.approx(1)
    assert (weights > 0).all()


@given(survey=surveys())
def test_raking_again_changes_nothing(survey):
    sample, margins = survey
    weights = rake(sample, margins)
    again = rake(sample, margins, base_weight=weights)
    assert largest_miss(sample, margins, again) < 1e-8
    # One more round moves a weight by at most what the margins still missed.
    np.testing.assert_allclose(again, weights, rtol=1e-5)


@given(survey=surveys(), seed=SEEDS, factor=st.floats(1e-6, 1e6))
def test_order_of_rows_and_scales_do_not_matter_to_raking(survey, seed, factor):
    sample, margins = survey
    weights = rake(sample, margins)
    shuffled = sample.sample(frac=1, random_state=generator(seed))
    counts = {name: margin * 1000 for name, margin in margins.items()}
    base = pd.Series(factor, index=shuffled.index)
    other = rake(shuffled, counts, base_weight=base)
    np.testing.assert_allclose(other[sample.index], weights, rtol=1e-9)


def answers_and_weights():
    size = st.shared(st.integers(2, 60), key="size")
    number = st.floats(-1e3, 1e3)
    weight = st.floats(1e-3, 1e3)
    return st.tuples(
        size.flatmap(lambda n: st.lists(number, min_size=n, max_size=n)).map(pd.Series),
        size.flatmap(lambda n: st.lists(weight, min_size=n, max_size=n)).map(pd.Series),
    )


@given(pair=answers_and_weights(), factor=st.floats(1e-6, 1e6))
def test_only_ratios_of_weights_matter(pair, factor):
    y, weight = pair
    assert hajek_mean(y, weight * factor) == pytest.approx(
        hajek_mean(y, weight), rel=1e-7, abs=1e-7
    )
    size = effective_sample_size(weight)
    assert effective_sample_size(weight * factor) == pytest.approx(size)


@given(pair=answers_and_weights(), constant=st.floats(1e-6, 1e6))
def test_equal_weights_give_the_plain_mean(pair, constant):
    y, _ = pair
    equal = pd.Series(constant, index=y.index)
    estimate, se = hajek_mean(y, equal)
    assert estimate == pytest.approx(y.mean(), rel=1e-9, abs=1e-9)
    assert se == pytest.approx(y.std(ddof=1) / np.sqrt(len(y)), rel=1e-7, abs=1e-9)
    assert effective_sample_size(equal) == pytest.approx(len(y))


@given(pair=answers_and_weights())
def test_weighted_mean_stays_within_the_answers_and_weights_cost_respondents(pair):
    y, weight = pair
    estimate, se = hajek_mean(y, weight)
    rounding = 1e-9 * max(1, y.abs().max())
    assert y.min() - rounding <= estimate <= y.max() + rounding
    assert se >= 0
    assert 1 - 1e-12 <= effective_sample_size(weight) <= len(y) * (1 + 1e-12)


# evaluate.


@st.composite
def scored(draw):
    """Estimates, truth and intervals as whole numbers of thousandths, so that sums are exact."""
    size = draw(st.integers(1, 50))
    thousandths = st.lists(st.integers(0, 1000), min_size=size, max_size=size)
    truth, estimate, below, above = (np.array(draw(thousandths)) for _ in range(4))
    table = pd.DataFrame({"state": [f"S{number:02d}" for number in range(size)]})
    table["estimate"] = estimate / 1000
    table["lower"], table["upper"] = (estimate - below) / 1000, (estimate + above) / 1000
    return table, pd.Series(truth / 1000, index=table["state"]), (truth, estimate, below, above)


@given(case=scored())
def test_scores_are_those_of_whole_numbers(case):
    table, truth, (true, estimate, below, above) = case
    scores = evaluate(table, truth)
    size, errors = len(table), [int(e) - int(t) for e, t in zip(estimate, true, strict=True)]
    assert scores["n_groups"] == size
    assert scores["mae"] == pytest.approx(sum(map(abs, errors)) / size / 1000, abs=1e-12)
    assert scores["mean_error"] == pytest.approx(sum(errors) / size / 1000, abs=1e-12)
    squares = sum(error**2 for error in errors)
    assert scores["rmse"] ** 2 == pytest.approx(squares / size / 1e6, abs=1e-12)
    held = sum(-a <= e <= b for e, a, b in zip(errors, above, below, strict=True))
    assert scores["coverage"] == pytest.approx(held / size)
    width = sum(int(a) + int(b) for a, b in zip(above, below, strict=True))
    assert scores["width"] == pytest.approx(width / size / 1000, abs=1e-12)


@given(case=scored(), seed=SEEDS)
def test_order_of_groups_does_not_matter_to_scores(case, seed):
    table, truth, _ = case
    shuffled = table.sample(frac=1, random_state=generator(seed))
    turned = truth.sample(frac=1, random_state=generator(seed + 1))
    pd.testing.assert_series_equal(evaluate(shuffled, turned), evaluate(table, truth))


@given(case=scored())
def test_the_truth_itself_is_without_error(case):
    _, truth, _ = case
    table = truth.rename("estimate").rename_axis("state").reset_index()
    table = table.assign(lower=table["estimate"], upper=table["estimate"])
    scores = evaluate(table, truth)
    assert (scores[["mae", "rmse", "mean_error", "width"]] == 0).all()
    assert scores["coverage"] == 1


# Whatever the names of an index are, and in whatever order they stand.

LABELS = {"own": ["low", "high"], "father": ["low", "high", "none"], "mother": ["low", "high"]}
COMBINED = pd.MultiIndex.from_product(LABELS.values(), names=LABELS).to_frame(index=False)
ORDERS = st.permutations(list(LABELS))
NAMES_OR_NONE = st.lists(st.sampled_from([*LABELS, "child", None]), min_size=3, max_size=3)


def numbered(seed):
    """A number for each combination of levels."""
    values = np.random.default_rng(seed).uniform(0.2, 1, len(COMBINED))
    return COMBINED.assign(value=values)


@given(asked=ORDERS, held=ORDERS, seed=SEEDS)
def test_truth_is_matched_by_name_in_any_order(asked, held, seed):
    table = numbered(seed)
    truth = table.sample(frac=1, random_state=seed).set_index(held)["value"]
    estimates = table.rename(columns={"value": "estimate"})
    assert evaluate(estimates, truth, by=asked)[["mae", "n_groups"]].to_list() == [0, len(COMBINED)]


@given(asked=ORDERS, held=ORDERS, seed=SEEDS)
def test_a_margin_is_matched_by_name_in_any_order(asked, held, seed):
    table = numbered(seed)
    margin = table.sample(frac=1, random_state=seed).set_index(held)["value"]
    weights = rake(COMBINED, {tuple(asked): margin})
    np.testing.assert_allclose(weights, table["value"] / table["value"].mean())


@given(names=NAMES_OR_NONE, seed=SEEDS)
def test_names_are_asked_for_or_there_are_none_or_they_are_refused(names, seed):
    table = numbered(seed)
    truth = table.set_index(list(LABELS))["value"].rename_axis(names)
    estimates = table.rename(columns={"value": "estimate"})
    if names == [None] * 3 or names == list(LABELS):
        assert evaluate(estimates, truth, by=list(LABELS))["mae"] == 0
        assert rake(COMBINED, {tuple(LABELS): truth}).to_list() == pytest.approx(
            list(table["value"] / table["value"].mean())
        )
    elif sorted(map(str, names)) != sorted(LABELS):
        words = "is indexed by .* and not by 'own', 'father', 'mother'; labels are matched by name"
        with pytest.raises(ValueError, match=f"^truth {words}"):
            evaluate(estimates, truth, by=list(LABELS))
        with pytest.raises(ValueError, match=f"^margin .* {words}"):
            rake(COMBINED, {tuple(LABELS): truth})


# Samples, cells and the survey.


@pytest.fixture(scope="module")
def survey():
    return load_cces()


@pytest.fixture(scope="module")
def respondents(survey):
    return clean_cces(survey)


CELL_COLUMNS = ["state", "eth", "male", "age", "edu"]
SOME_COLUMNS = st.lists(st.sampled_from(CELL_COLUMNS), min_size=1, max_size=5, unique=True)


@given(by=SOME_COLUMNS, size=st.integers(1, 3000), seed=SEEDS)
def test_cells_keep_totals(respondents, by, size, seed):
    people = respondents.sample(size, random_state=generator(seed))
    cells = aggregate_cells(people, by=by)
    assert cells["n"].sum() == size
    assert cells["abortion"].sum() == people["abortion"].sum()
    assert cells["n"].min() >= 1 and cells["abortion"].between(0, cells["n"]).all()
    assert not cells.duplicated(by).any()
    shuffled = people.sample(frac=1, random_state=generator(seed + 1))
    pd.testing.assert_frame_equal(aggregate_cells(shuffled, by=by), cells)


@given(by=SOME_COLUMNS, size=st.integers(1, 3000), seed=SEEDS)
def test_cells_of_cells_are_cells(respondents, by, size, seed):
    people = respondents.sample(size, random_state=generator(seed))
    fine = aggregate_cells(people).groupby(by)[["n", "abortion"]].sum().reset_index()
    pd.testing.assert_frame_equal(fine, aggregate_cells(people, by=by))


@given(size=st.integers(1, 3000), seed=SEEDS)
def test_order_of_rows_does_not_matter_to_cleaning(survey, size, seed):
    rows = survey.sample(size, random_state=generator(seed))
    shuffled = rows.sample(frac=1, random_state=generator(seed + 1))
    one, other = clean_cces(rows), clean_cces(shuffled)
    assert one.attrs == other.attrs
    pd.testing.assert_frame_equal(
        one.sort_values("caseid", ignore_index=True), other.sort_values("caseid", ignore_index=True)
    )
    assert len(one) + sum(one.attrs["dropped"].values()) == size
    for column, levels in LEVELS.items():
        assert set(one[column]) <= set(levels)


@given(n=st.integers(1, 500), seed=st.integers(0, 2**32 - 1))
def test_a_draw_takes_each_respondent_once_and_nobody_of_weight_zero(respondents, n, seed):
    women = respondents["male"] < 0
    people = draw_biased_sample(respondents, women.astype("float64"), n=n, seed=seed)
    assert len(people) == n and people["caseid"].is_unique
    assert (people["male"] < 0).all()
    again = draw_biased_sample(respondents, 3 * women.astype("float64"), n=n, seed=seed)
    assert again.index.equals(people.index)
