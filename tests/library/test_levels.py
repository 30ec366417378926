"""The rule of what counts as the same level: each type of column against each other one."""

import bambi as bmb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import xarray as xr

import synthetic
from mrp_helpers import poststratify_draws
from mrp_helpers._bambi import regression
from mrp_helpers._levels import positions, resolve

BOOLEANS, WHOLE, FRACTIONS, TEXT = [False, True], [0, 1], [0.1, 0.7], ["1", "AK"]
NAMED = {
    "booleans": (BOOLEANS, "bool boolean bool[pyarrow] object category"),
    "whole numbers": (
        WHOLE,
        "int8 uint8 int32 int64 uint64 Int16 Int64 int8[pyarrow] uint64[pyarrow] float32 float64 "
        "Float32 double[pyarrow] object category",
    ),
    "fractions": (
        FRACTIONS,
        "float16 float32 float64 Float32 Float64 float[pyarrow] double[pyarrow] object category",
    ),
    "text": (TEXT, "object str string string[python] string[pyarrow] category"),
}


def in_order(*categories, ordered=False):
    return lambda column: pd.Categorical(column, categories, ordered=ordered)


# How a table may hold these levels: for each name the values, and a type or what makes it.
TYPES = {
    f"{name} of {kind}": (values, name)
    for kind, (values, names) in NAMED.items()
    for name in names.split()
} | {
    "category backwards of booleans": (BOOLEANS, in_order(True, False)),
    "category of whole floats": (WHOLE, lambda column: column.astype("float64").astype("category")),
    "ordered category of whole numbers": (WHOLE, in_order(1, 0, ordered=True)),
    "arrow of text": (TEXT, pd.ArrowDtype(pa.large_string())),
    "dictionary of text": (TEXT, pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))),
    "ordered category of text": (TEXT, in_order("AK", "1", ordered=True)),
    "wide category of text": (TEXT, in_order("1", "2", "AK")),
}
# Bambi takes no model of these.
NO_MODEL = {"bool[pyarrow] of booleans", "float16 of fractions"}


def column_of(name, repeats=1):
    values, make = TYPES[name]
    column = pd.Series(values * repeats, dtype=object)
    return pd.Series(make(column)) if callable(make) else column.astype(make)


def with_effects(formula, data, effects):
    """A model, and one draw of it: for each group's label in the formula's term, its effect."""
    model = bmb.Model(formula, data)
    terms = {term.name: term for term in regression(model).terms}
    grouped = terms["1|g"]
    labels = grouped.coordinates["g__factor_dim"]
    posterior = xr.Dataset(
        {
            "Intercept": (("chain", "draw"), [[0.0]]),
            "1|g": (("chain", "draw", "g__factor_dim"), [[[effects[one] for one in labels]]]),
        },
        coords={"chain": [0], "draw": [0], "g__factor_dim": labels},
    )
    return model, xr.DataTree.from_dict({"posterior": posterior})


@pytest.fixture(scope="module", params=sorted(set(TYPES) - NO_MODEL))
def fitted(request):
    """A model of a column of one type: -10 in the group of its first value, 10 in the other."""
    data = pd.DataFrame({"g": column_of(request.param, 4), "y": [0.0, 1.0, 1.0, 0.0] * 2})
    first, second = (str(np.asarray(value).item()) for value in data["g"].head(2))
    return request.param, *with_effects("y ~ 1 + (1|g)", data, {first: -10.0, second: 10.0})


def test_each_pair_of_types_gives_the_right_group_or_is_refused(fitted):
    name, model, draws = fitted
    for other, (values, _) in TYPES.items():
        frame = pd.DataFrame({"g": column_of(other), "place": ["first", "second"], "n": 1})
        if values is TYPES[name][0]:
            found = poststratify_draws(model, draws, frame, by="place")
            assert found.to_numpy().ravel().tolist() == [-10.0, 10.0], (name, other)
            turned = poststratify_draws(model, draws, frame[::-1], by="place")
            assert turned.to_numpy().ravel().tolist() == [-10.0, 10.0], (name, other)
            continue
        both_numbers = {type(values[0]), type(TYPES[name][0][0])} == {int, float}
        error, said = (ValueError, "has level") if both_numbers else (TypeError, "never equal")
        for new_levels in ("error", "population") if error is TypeError else ("error",):
            with pytest.raises(error, match=said) as refusal:
                poststratify_draws(model, draws, frame, new_levels=new_levels)
            assert "'g'" in str(refusal.value), (name, other)


def test_true_is_not_one():
    data = pd.DataFrame({"g": [False, True] * 4, "y": [0.0, 1.0, 1.0, 0.0] * 2})
    model, draws = with_effects("y ~ 1 + (1|g)", data, {"False": -10.0, "True": 10.0})
    frame = pd.DataFrame({"g": [0, 1], "n": 1})
    said = r"'g' holds numbers, such as 0, .* hold booleans, such as False.*\.astype\(bool\)"
    with pytest.raises(TypeError, match=said):
        poststratify_draws(model, draws, frame, by="g")
    frame["g"] = frame["g"].astype(bool)
    found = poststratify_draws(model, draws, frame, by="g")
    assert found.to_numpy().ravel().tolist() == [-10.0, 10.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([True, 1], "mixes values of the types 'bool', 'int'"),
        (["AK", 1], "mixes values of the types 'int', 'str'"),
        ([[1], [2]], "holds values of the kind list, which cannot be levels"),
    ],
)
def test_columns_of_several_kinds_are_refused(values, message):
    with pytest.raises(TypeError, match=f"frame: column 'g' {message}"):
        resolve(pd.Series(values, name="g", dtype=object), "frame")


def places(frame, data):
    """Where each row's value of a frame is among the sorted values of the model's data."""
    column, seen = (resolve(pd.Series(one, name="g"), "x") for one in (frame, data))
    return positions(column, seen, seen.distinct.tolist())[column.codes].tolist()


@pytest.mark.parametrize(
    ("frame", "data", "expected"),
    [
        (["a", "ä", "a\u0308", "A", "b "], ["a", "ä", "b"], [0, 2, -1, -1, -1]),
        ([1, 3, 2], [1.0, 2.0, 2.5], [0, -1, 1]),
        ([1.5, 2.0], [1, 2], [-1, 1]),
        ([-0.0, 1.0], [0, 1], [0, 1]),
        ([2**53 + 1, 5], [2**53, 2**53 + 1], [1, -1]),
        (np.array([2**64 - 1], dtype="uint64"), [-1, 2], [-1]),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), [pd.Timestamp("2021-01-01")], [-1, 0]),
        (pd.cut([1, 5], [0, 3, 6]), pd.cut([5, 1], [0, 3, 6]), [0, 1]),
        (pd.cut([1, 5], [0, 3, 6]), pd.cut([5, 1], [0, 4, 6]), [-1, -1]),
    ],
)
def test_equal_within_a_kind(frame, data, expected):
    assert places(frame, data) == expected


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (np.array([0.1, 5], dtype="float32"), [0.1, 0.1 + 1e-12]),
        ([0.1, 0.1 + 1e-12], np.array([0.1, 5], dtype="float32")),
        ([float(2**53)], [2**53, 2**53 + 1]),
    ],
)
def test_levels_that_become_one_in_lower_precision_are_refused(frame, data):
    with pytest.raises(ValueError, match="'g' and the model's data differ in precision"):
        places(frame, data)


@pytest.mark.parametrize("formula", ["y ~ x + (1|g)", "y ~ np.exp(x) + (1|g)", "y ~ C(x) + (1|g)"])
def test_numbers_of_a_frame_may_have_another_width(formula):
    """Also in a call, where eight bits would not hold 100 squared."""
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": list("ab") * 10, "x": [1, 2, 3, 100] * 5, "y": rng.normal(size=20)})
    model = bmb.Model(formula, data)
    draws = synthetic.draws_for(model)
    frame = pd.DataFrame({"g": list("ab") * 4, "x": [1, 1, 2, 2, 3, 3, 100, 100], "n": 2})
    expected = poststratify_draws(model, draws, frame, by="g")
    for dtype in ["int8", "UInt8", "float32", "int16[pyarrow]", "category", "object"]:
        found = poststratify_draws(model, draws, frame.astype({"x": dtype}), by="g")
        xr.testing.assert_identical(found, expected)


def test_a_call_meets_a_frame_as_the_models_data():
    data = synthetic.cells().assign(x=lambda table: (10 * table["x"]).astype("int64"))
    model = bmb.Model("height ~ I(x**2) + (1|state)", data)
    draws = synthetic.draws_for(model)
    expected = poststratify_draws(model, draws, data)
    found = poststratify_draws(model, draws, data.astype({"x": "int8"}))
    xr.testing.assert_identical(found, expected)
