"""Slips that can be recognised in any task, from the right numbers alone.

Each is undone: if what is left equals the right answer, the slip was made. Whoever divides where
they should multiply, exchanges two labels or hands in per cent hears so, whatever the task.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from mrp_course._forms import Form, Number, Numbers, Table, other_levels, some, third_digit

# A slip is taken for made when undoing it leads this near to the right answer, in tolerances;
# and no tolerance is wider here than this part of the largest number, or chance would find slips.
NEAR = 0.25
STRICT = 0.004

Undo = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Slip:
    """A slip that changes every number alike, and the function that takes it back."""

    sentence: str
    undo: Undo
    only_shares: bool = False
    # Small or round whole numbers are a tenth of one another, or one apart, by chance.
    of_counts: bool = False


PER_CENT = Slip(
    "This is in per cent. The course gives every share as a number between 0 and 1: divide by 100.",
    lambda given: given / 100,
)
SIGN = Slip(
    "The size is right and the sign is not: look at which of the two is subtracted from the other.",
    lambda given: -given,
    of_counts=True,
)
COMPLEMENT = Slip(
    "This is the share of the others: one minus what is asked for. Look at which of the two you "
    "counted.",
    lambda given: 1 - given,
    only_shares=True,
)
SLIPS = [
    PER_CENT,
    SIGN,
    COMPLEMENT,
    Slip(
        "This is in per cent, and the share of the others: 100 minus what is asked for.",
        lambda given: 1 - given / 100,
        only_shares=True,
    ),
    Slip(
        "This is a hundredth of what is asked for, which is in points, per cent or whole units.",
        lambda given: given * 100,
    ),
    Slip(
        "This is upside down, one divided by what is asked for: swap what is above and below the "
        "line.",
        lambda given: 1 / given,
    ),
    Slip(
        "This is twice what is asked for. Look for something that was added or counted two times, "
        "or for a whole width where half of it belongs.",
        lambda given: given / 2,
        of_counts=True,
    ),
    Slip(
        "This is half of what is asked for. Look for something that was halved or left out, or "
        "for half a width where the whole belongs.",
        lambda given: given * 2,
        of_counts=True,
    ),
    Slip(
        "This is the square of what is asked for, as a variance is of a standard deviation.",
        np.sqrt,
    ),
    Slip(
        "This is the square root of what is asked for, as a standard deviation is of a variance.",
        lambda given: np.where(given > 0, given**2, np.nan),
    ),
    Slip(
        "This is on the logit scale, and a share is asked for: transform it back with `expit`.",
        expit,
        only_shares=True,
    ),
    Slip(
        "This is what you get by `expit`. The number is asked for on the logit scale, as it was.",
        logit,
    ),
    Slip(
        "This is the logarithm of what is asked for: transform it back with `np.exp`.",
        np.exp,
    ),
    Slip(
        "This is the exponential of what is asked for, as an odds ratio is of a coefficient.",
        np.log,
    ),
    Slip(
        "This is the odds, p / (1 - p), and the share p is asked for.",
        lambda given: given / (1 + given),
        only_shares=True,
    ),
    Slip(
        "This is one less than what is asked for: a relative difference in place of a ratio.",
        lambda given: given + 1,
    ),
    Slip(
        "This is one more than what is asked for: a ratio in place of a relative difference.",
        lambda given: given - 1,
    ),
    Slip(
        "This is 1.96 times what is asked for: how far a 95% interval reaches to one side, and one "
        "standard error is asked for.",
        lambda given: given / 1.96,
    ),
    Slip(
        "This is what is asked for divided by 1.96: one standard error, where the half-width of a "
        "95% interval belongs.",
        lambda given: given * 1.96,
    ),
    Slip(
        "These are the odds of the others, (1 - p) / p, and the share p is asked for.",
        lambda given: 1 / (1 + given),
        only_shares=True,
    ),
    Slip(
        "The decimal point is one place off: this is ten times what is asked for.",
        lambda given: given / 10,
    ),
    Slip(
        "The decimal point is one place off: this is a tenth of what is asked for.",
        lambda given: given * 10,
    ),
]


def undone(slip: Slip, given: Numbers) -> Numbers:
    """Take a slip back, and with it the place of the last digit that was written."""
    with np.errstate(all="ignore"):
        values = slip.undo(given.array)
        half = given.unit / 2
        unit = np.abs(slip.undo(given.array + half) - slip.undo(given.array - half))
    return Numbers(pd.Series(values, index=given.values.index), np.nan_to_num(unit, posinf=0.0))


def recognise(form: Form, given: object, right: object) -> str:
    """Name a slip by which an answer can be explained, or nothing."""
    if not isinstance(given, Numbers) or not isinstance(right, Numbers):
        return ""
    if isinstance(form, Table):
        if fault := _labels_alone(form, given, right):
            return fault
        if set(given.values.index) != set(right.values.index):
            return ""
    form = narrowed(form, right)
    aligned = given.in_order_of(right.values.index)
    return next(_slips(form, aligned, right), "") or next(_of_several(form, aligned, right), "")


def narrowed(form: Form, right: Numbers, part: float = 1) -> Form:
    """Give a form whose tolerance is strict, or a part of that."""
    if not isinstance(form, Number | Table):
        return form
    within = form.within if isinstance(form.within, float | int) else min(form.within.values())
    strict = STRICT * float(np.nanmax(np.abs(right.array)))
    return replace(form, within=part * min(within, strict))


def _slips(form: Form, given: Numbers, right: Numbers) -> Iterator[str]:
    if isinstance(form, Table) and form.any_scale:
        return
    shares = bool(np.all((right.array >= 0) & (right.array <= 1)))
    counts = not np.any(right.array % 1) and not np.any(given.array % 1)
    for slip in SLIPS:
        if (slip.only_shares and not shares) or (counts and not slip.of_counts):
            continue
        # A slip that changes nothing here, as one minus one half, cannot be told from no slip.
        tells = form.apart(undone(slip, right), right).max() > 1
        if tells and form.apart(undone(slip, given), right).max() <= NEAR:
            yield slip.sentence


def slip_at(form: Form, given: Numbers, right: Numbers, wrong: np.ndarray) -> str:
    """Name the slip that was made at some labels alone, or nothing."""
    labels = given.values.index[wrong]
    part = Numbers(given.values[wrong], np.broadcast_to(given.unit, wrong.shape)[wrong])
    there = Numbers(right.values.reindex(labels))
    return next(_slips(narrowed(form, there), part, there), "")


def too_round(form: Form, given: object, right: object) -> str:
    """Say that an answer would be right, had it not been rounded so far.

    Of one number with a single digit this is not said: digit by digit one could guess it.
    """
    if not isinstance(given, Numbers) or not isinstance(right, Numbers):
        return ""
    if getattr(form, "any_scale", False) or set(given.values.index) != set(right.values.index):
        return ""
    aligned = right.values.reindex(given.values.index).to_numpy(float)
    place = last_digit(given.array)
    fits = bool(np.all(np.abs(given.array - aligned) <= 0.500001 * place))
    fits = fits and bool(given.array.any()) and place <= 2 * float(np.abs(aligned).max())
    enough = len(aligned) > 1 or np.abs(given.array[0]) >= 9.5 * place
    if fits and enough and (place > third_digit(aligned)).any():
        return (
            "This agrees with the right answer as far as it goes, and is rounded too far: give at "
            "least three digits."
        )
    return ""


def last_digit(values: np.ndarray) -> float:
    """Give the place of the last digit that numbers have in common: 0.1 of 0.3 and 0, 10 of 70.

    >>> last_digit(np.array([0.3, 0.0])), last_digit(np.array([70.0, 200.0]))
    (0.1, 10.0)
    """
    written = [Decimal(f"{value:.12g}").normalize() for value in values if value]
    places = [int(number.as_tuple().exponent) for number in written if number.is_finite()]
    return float(10.0 ** min(places, default=0))


def _labels_alone(form: Table, given: Numbers, right: Numbers) -> str:
    """Recognise the right numbers under labels of which some are not the task's."""
    if len(given.values) != len(right.values) or len(right.values) < 2:
        return ""
    fault = other_levels(given.values, right.values, form.keys)
    if not fault:
        return ""
    ordered = right.values.sort_values()
    renamed = _sorted_as(given, ordered.index)
    right_numbers = form.apart(renamed, Numbers(ordered)).max() <= NEAR
    return f"The numbers are right, the labels differ. {fault}" if right_numbers else ""


def _of_several(form: Form, given: Numbers, right: Numbers) -> Iterator[str]:
    """Recognise what the pattern of several numbers shows."""
    if isinstance(form, Number) or len(right.values) < 2 or not np.isfinite(given.array).all():
        return
    yield from _another_order(form, given, right)
    yield from _turned_interval(form, given, right)
    if (
        form.apart(Numbers(given.values.abs(), given.unit), Numbers(right.values.abs())).max()
        <= NEAR
    ):
        signs = given.values.index[np.sign(given.array) != np.sign(right.array)]
        if (given.array >= 0).all():
            yield "These are the sizes alone, and the sign is asked for as well: which is larger?"
        yield f"The sizes are right, and the sign of {some(signs)} is not."
    if np.ptp(given.array) == 0 and np.ptp(right.array) > 0:
        yield "All your numbers are the same: what should differ between them was not used."
    scaled = isinstance(form, Table) and form.any_scale
    if len(right.values) < 3 or scaled:
        return
    yield from _one_factor(form, given, right)
    totals = Numbers(right.values.cumsum())
    if form.apart(given, totals).max() <= NEAR:
        yield "These are running totals: each number has those before it in it."


def _another_order(form: Form, given: Numbers, right: Numbers) -> Iterator[str]:
    ordered = right.values.sort_values()
    if form.apart(_sorted_as(given, ordered.index), Numbers(ordered)).max() > NEAR:
        return
    moved = right.values.index[form.apart(given, right) > 1]
    if len(moved) == 2:
        yield f"The numbers of {some(moved[:1])} and {some(moved[1:])} are exchanged."
    elif len(moved):
        yield (
            "The right numbers are here, under the wrong labels: look at the order in which "
            "you wrote them."
        )


def _turned_interval(form: Form, given: Numbers, right: Numbers) -> Iterator[str]:
    """Recognise an estimate and its ends of the others, or in the other direction."""
    if not {"lower", "upper"} <= set(right.values.index):
        return
    turned = right.values.rename({"lower": "upper", "upper": "lower"})
    for slip in (COMPLEMENT, SIGN):
        if form.apart(undone(slip, given), Numbers(turned)).max() <= NEAR:
            yield slip.sentence


def _sorted_as(given: Numbers, labels: pd.Index) -> Numbers:
    """Give the labels of numbers in ascending order to other numbers, put into that order."""
    ascending = given.in_order_of(given.values.sort_values().index)
    return Numbers(ascending.values.set_axis(labels), ascending.unit)


def _one_factor(form: Form, given: Numbers, right: Numbers) -> Iterator[str]:
    """Recognise numbers that are all too large by one factor, or all off by one amount."""
    with np.errstate(all="ignore"):
        factor = float(np.nansum(given.array * right.array) / np.nansum(right.array**2))
    if factor and form.apart(Numbers(given.values / factor, given.unit), right).max() <= NEAR:
        if abs(given.array.sum() - 1) < 0.01 < abs(right.array.sum() - 1):
            yield "You divided the numbers by their sum, so that they add up to one."
        side = "large" if abs(factor) > 1 else "small"
        times = max(abs(factor), 1 / abs(factor))
        yield (
            f"All your numbers are too {side} by the same factor, about {times:,.3g}: look at what "
            "you divided by."
        )
    shift = float(np.mean(given.array - right.array))
    if form.apart(Numbers(given.values - shift, given.unit), right).max() <= NEAR:
        yield "All your numbers are off by the same amount: look at what you compared them with."
