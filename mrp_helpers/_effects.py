"""Linear predictors of cells: sums of few distinct effects.

The linear predictor of a cell adds one effect for each term, and a term has few distinct ones: all
cells of a state share the effect of that state. So a cell is a few codes here, and terms are added
up once for each joint level of their columns, if the levels are not too many. Of the course's main
model there remain two tables: 50 rows of states and their predictors, and 240 of the other
columns; each of 12,000 cells is one row of either. A term with many distinct rows, such as a slope
of a predictor that differs from cell to cell, is multiplied out for a block of cells at a time.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy import sparse

from mrp_helpers._bambi import Levels, LinearPredictor, Numbers, Term
from mrp_helpers._compatible import Cells, NewLevels, refuse_miscoded, refuse_unseen
from mrp_helpers._levels import positions, require_same_kind, resolve

_TABLE_VALUES = 2_000_000  # rows x draws of a table of effects: 16 MB


class _Factor(NamedTuple):
    """What a term multiplies: the design of each distinct value, and which value a cell has."""

    codes: np.ndarray
    rows: np.ndarray


class _Grouping(NamedTuple):
    """What a term is grouped by: the known level of each distinct value, or -1; as above."""

    name: str
    codes: np.ndarray
    values: np.ndarray
    places: np.ndarray
    levels: int


class _Part:
    """A term at the cells of a frame, and draws of its effects: known groups, then new ones."""

    def __init__(
        self, factors: list[_Factor], groupings: list[_Grouping], effects: np.ndarray, number: int
    ):
        self.factors, self.groupings, self.effects = factors, groupings, effects
        self.new = np.empty(0, dtype="int64")
        if any((one.places < 0).any() for one in groupings):
            every = np.arange(number)
            unseen = every[self._group(every) < 0]
            self.new, first = np.unique(self._keys(unseen), return_index=True)
            self._examples = unseen[first]

    @property
    def codes(self) -> list[np.ndarray]:
        return [one.codes for one in self.factors] + [one.codes for one in self.groupings]

    def design(self, cells: np.ndarray) -> sparse.csr_array:
        """Matrix (cells x effects) of what the effects are multiplied by."""
        rows = np.ones((len(cells), 1))
        for codes, values in self.factors:
            rows = (rows[:, :, None] * values[codes[cells]][:, None, :]).reshape(len(cells), -1)
        group = self._group(cells)
        unseen = group < 0
        if unseen.any():
            new = np.searchsorted(self.new, self._keys(cells[unseen]))
            group[unseen] = np.prod([one.levels for one in self.groupings]) + new
        columns = group[:, None] * rows.shape[1] + np.arange(rows.shape[1])
        starts = np.arange(0, rows.size + 1, rows.shape[1])
        shape = (len(cells), len(self.effects))
        made = sparse.csr_array((rows.ravel(), columns.ravel(), starts), shape=shape)
        made.eliminate_zeros()
        return made

    def _group(self, cells: np.ndarray) -> np.ndarray:
        """Number each cell's group; -1 where one of its levels was never seen."""
        group, seen = np.zeros(len(cells), dtype="int64"), np.ones(len(cells), dtype=bool)
        for one in self.groupings:
            place = one.places[one.codes[cells]]
            group, seen = group * one.levels + place, seen & (place >= 0)
        return np.where(seen, group, -1)

    def _keys(self, cells: np.ndarray) -> np.ndarray:
        """Number combinations of values."""
        key = np.zeros_like(cells)
        for one in self.groupings:
            key = key * len(one.places) + one.codes[cells]
        return key

    def names_of_new(self) -> list[list[list[str]]]:
        """Spell each new group: for each column that groups, its name and the level."""
        return [
            [[one.name, _spelled(one.values[one.codes[cell]])] for one in self.groupings]
            for cell in self._examples
        ]


class Effects:
    """A linear predictor at a frame's cells in each draw, as sums of tables of effects.

    A sum has `width` values: one for each sample, and so for each of the `equations`, if any.

    Parameters
    ----------
    predictor : LinearPredictor
        What the model adds up.
    cells : Cells
        The frame's predictors as codes, from `check_frame`.
    posterior : xarray.Dataset
        The draws.
    new_levels : {"error", "population"}
        What to do about a level of a grouping factor that the model never saw.
    random_seed : int or None
        Seed of the effects of such levels.
    """

    def __init__(
        self,
        predictor: LinearPredictor,
        cells: Cells,
        posterior: xr.Dataset,
        new_levels: NewLevels,
        random_seed: int | None,
    ):
        parts = [_part(term, cells, posterior, new_levels, random_seed) for term in predictor.terms]
        samples = posterior.sizes["chain"] * posterior.sizes["draw"]
        self.equations = predictor.equations
        self.width = (predictor.equations or 1) * samples
        self._tables, self._wide = _joined(parts, cells, max(1, _TABLE_VALUES // self.width))

    def designs(self, cells: np.ndarray) -> list[sparse.csr_array]:
        """Designs (cells x effects) of what is in no table, which `sums` takes for these cells."""
        return [part.design(cells) for part in self._wide]

    def sums(self, cells: np.ndarray, designs: Sequence[sparse.csr_array]) -> np.ndarray:
        """The linear predictor (cells x width) of few cells, which stays in the cache."""
        summands = [table.take(codes[cells], axis=0) for codes, table in self._tables]
        summands += [d @ part.effects for part, d in zip(self._wide, designs, strict=True)]
        if not summands:  # thresholds alone
            return np.zeros((len(cells), self.width))
        total: np.ndarray = summands[0]
        for other in summands[1:]:
            total += other
        return total


def blocks(number: int, size: int, start: int = 0) -> Iterator[slice]:
    """Cut so many cells, from `start` on, into slices of at most `size`."""
    stop = start + number
    return (slice(first, min(first + size, stop)) for first in range(start, stop, size))


def _part(
    term: Term, cells: Cells, posterior: xr.Dataset, new_levels: NewLevels, random_seed: int | None
) -> _Part:
    factors = [_factor(one, cells) for one in term.expression]
    groupings = [_grouping(one, cells, new_levels) for one in term.groups]
    part = _Part(factors, groupings, term.effects(posterior), len(cells))
    if len(part.new):
        sd, order = term.sd(posterior), _order(posterior)
        shape = (len(order), sd.size // len(order))
        drawn = [
            _generator(random_seed, term.name, names).standard_normal(shape)[order].T
            for names in part.names_of_new()
        ]
        part.effects = np.vstack([part.effects, *(sd * one.reshape(sd.shape) for one in drawn)])
    return part


def _order(posterior: xr.Dataset) -> np.ndarray:
    """Number the samples by chain and draw, whatever order they come in."""
    samples = pd.MultiIndex.from_product([posterior["chain"].values, posterior["draw"].values])
    number: np.ndarray = samples.argsort().argsort()
    return number


def _generator(random_seed: int | None, *names: object) -> np.random.Generator:
    """Make a generator for one new group, so that no other group or row changes its effect."""
    if random_seed is None:
        return np.random.default_rng()
    text = json.dumps([int(random_seed), *names])
    return np.random.default_rng(int(hashlib.sha256(text.encode()).hexdigest(), 16))


def _spelled(value: object) -> str:
    """Write a level as its name; a whole number is the same in each type."""
    if isinstance(value, float | np.floating) and value.is_integer():
        value = int(value)
    return str(value)


def _factor(one: Numbers | Levels, cells: Cells) -> _Factor:
    if isinstance(one, Numbers):
        codes, table = cells.distinct(one.columns)
        return _Factor(codes, _evaluated(one, table))
    codes, places, values = _places(one, cells)
    refuse_unseen(
        one,
        values[places < 0],
        "A common effect cannot be drawn for a new level: recode the frame",
    )
    return _Factor(codes, one.contrasts[places])


def _evaluated(one: Numbers | Levels, table: pd.DataFrame) -> np.ndarray:
    try:
        return one.evaluate(table)
    except ValueError as error:
        raise ValueError(f"frame: {error}") from error


def _grouping(one: Levels, cells: Cells, new_levels: NewLevels) -> _Grouping:
    codes, places, values = _places(one, cells)
    new = values[places < 0]
    if not one.own:
        remedy = "The effect of a new level is drawn where a term is grouped by a column itself"
        refuse_unseen(one, new, f"Recode the frame. {remedy}")
    elif new_levels == "error":
        refuse_unseen(
            one,
            new,
            "Recode the frame, or pass new_levels='population' to draw its effect from the fitted "
            "normal",
        )
    else:
        refuse_miscoded(one, values, new)
    return _Grouping(one.name, codes, values, places, len(one.levels))


def _places(one: Levels, cells: Cells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the level of each distinct value: which value a cell has, its place, the value."""
    if one.own:
        column, seen = cells.columns[one.columns[0]], cells.seen[one.columns[0]]
        return column.codes, positions(column, seen, one.levels), column.distinct
    codes, table = cells.distinct(one.columns)
    made = resolve(pd.Series(_evaluated(one, table), name=one.name), "frame")
    seen = resolve(pd.Series(one.levels, name=one.name, dtype=object), "the model")
    require_same_kind(made, seen, "frame")
    return codes, positions(made, seen, one.levels)[made.codes], made.distinct[made.codes]


def _joined(
    parts: Sequence[_Part], cells: Cells, most: int
) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[_Part]]:
    """Add parts up in tables of at most so many rows; give these, and the parts that have more.

    A table is its rows (joint levels x samples) and the row of each cell.
    """
    joint = [(*cells.join(part.codes), [part]) for part in parts]
    wide = [part for _, number, (part,) in joint if number > most]
    tables: list[tuple[np.ndarray, int, list[_Part]]] = []
    for codes, number, (part,) in sorted(joint, key=lambda one: one[1]):
        if number > most:
            break
        tried = [(*cells.join([codes, table[0]]), place) for place, table in enumerate(tables)]
        fitting = min(
            (one for one in tried if one[1] <= most), key=lambda one: one[1], default=None
        )
        if fitting is None:
            tables.append((codes, number, [part]))
        else:
            codes, number, place = fitting
            tables[place] = (codes, number, [*tables[place][2], part])
    return [(codes, _table(codes, number, joined)) for codes, number, joined in tables], wide


def _table(codes: np.ndarray, number: int, parts: Sequence[_Part]) -> np.ndarray:
    """Sum the effects of some parts in each of their joint levels (levels x samples)."""
    example = np.empty(number, dtype="int64")
    example[codes] = np.arange(len(codes))
    total: np.ndarray = sum(part.design(example) @ part.effects for part in parts)
    return total
