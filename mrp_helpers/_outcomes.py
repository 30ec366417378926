"""What a model says about the outcome in each cell of a frame: blocks of cells, all draws.

A family has parameters: some have a linear predictor, others are one number a draw. What is asked
for is a function of some of them.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import xarray as xr
from scipy import sparse

from mrp_helpers._bambi import Regression
from mrp_helpers._compatible import Cells, NewLevels
from mrp_helpers._effects import Effects, blocks

_CACHED_VALUES = 128_000  # cells x draws that are summed at once: 1 MB, which stays in the cache
_DESIGN_CELLS = 20_000  # whose design is made at once: its zeros are left out only afterwards


class Outcomes:
    """The parameters of a family at the cells of a frame, in each draw.

    Parameters
    ----------
    regression : Regression
        The model.
    cells : Cells
        The frame's predictors as codes, from `check_frame`.
    posterior : xarray.Dataset
        The draws.
    names : iterable of str
        The parameters that are needed, as `_families` calls them.
    new_levels : {"error", "population"}
        What to do about a level of a grouping factor that the model never saw.
    random_seed : int or None
        Seed of the effects of such levels.
    """

    def __init__(
        self,
        regression: Regression,
        cells: Cells,
        posterior: xr.Dataset,
        names: Iterable[str],
        new_levels: NewLevels = "error",
        random_seed: int | None = None,
    ):
        self.samples = posterior.sizes["chain"] * posterior.sizes["draw"]
        self._effects: dict[str, Effects] = {}
        self._inverse_links: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
        self._same: dict[str, Any] = {}
        for name in names:
            if name in regression.constants:
                self._same[name] = regression.constants[name].values(posterior)
            elif name == "inverse_link":
                self._same[name] = regression.parent.inverse_link
            else:
                predictor = regression.parent if name == "eta" else regression.predictors[name]
                self._effects[name] = Effects(predictor, cells, posterior, new_levels, random_seed)
                if name != "eta":
                    self._inverse_links[name] = predictor.inverse_link
        self._few = max(1, _CACHED_VALUES // sum(one.width for one in self._effects.values()))

    def blocks(
        self, cells: np.ndarray, size: int, function: Callable[..., np.ndarray]
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Values of a function of the parameters, `size` cells at a time in the order of `cells`.

        The function gets the cells at hand, and the parameters by their names. It gives (values x
        cells x samples), or (cells x samples) for a single one.
        """
        for many in blocks(len(cells), max(size, _DESIGN_CELLS)):
            designs = {name: one.designs(cells[many]) for name, one in self._effects.items()}
            for rows in blocks(many.stop - many.start, size, many.start):
                found = np.empty(0)
                for few in blocks(rows.stop - rows.start, self._few):
                    at = slice(rows.start + few.start, rows.start + few.stop)
                    within = slice(at.start - many.start, at.stop - many.start)
                    values = function(cells[at], **self._parameters(cells[at], designs, within))
                    values = values if values.ndim == 3 else values[None]
                    if few.start == 0:
                        shape = (len(values), rows.stop - rows.start, self.samples)
                        found = np.empty(shape)
                    found[:, few] = values
                yield rows, found

    def _parameters(
        self, cells: np.ndarray, designs: dict[str, list[sparse.csr_array]], within: slice
    ) -> dict[str, Any]:
        """The parameters of few cells, which stay in the cache."""
        values = dict(self._same)
        for name, effects in self._effects.items():
            eta = effects.sums(cells, [design[within] for design in designs[name]])
            if effects.equations:
                eta = eta.reshape(len(cells), effects.equations, -1).swapaxes(0, 1)
            inverse_link = self._inverse_links.get(name)
            values[name] = eta if inverse_link is None else inverse_link(eta)
        return values
