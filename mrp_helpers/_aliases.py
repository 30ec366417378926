"""What draws are called: as the formula names its terms, or as the model's aliases do."""

from collections.abc import Sequence
from typing import NamedTuple

import xarray as xr


class Alias(NamedTuple):
    """A variable of the draws without its alias and with it; its dimensions, from one to other."""

    plain: str
    alias: str
    dimensions: dict[str, str]

    @property
    def renames(self) -> bool:
        """Whether anything has another name with the alias."""
        return self.plain != self.alias or any(a != b for a, b in self.dimensions.items())


def with_aliases(aliases: Sequence[Alias], draws: xr.DataTree) -> xr.DataTree:
    """Rename draws that were sampled before the model had its aliases; leave all others."""
    plain = {one.plain for one in aliases} - {one.alias for one in aliases}
    for one in aliases:
        plain |= set(one.dimensions) - set(one.dimensions.values())
    found = {name for group in draws.children.values() for name in (*group.data_vars, *group.dims)}
    return _renamed(draws, aliases) if plain & found else draws


def without_aliases(aliases: Sequence[Alias], draws: xr.DataTree) -> xr.DataTree:
    """Rename draws to what they are called in a model without aliases."""
    back = [
        Alias(one.alias, one.plain, {new: old for old, new in one.dimensions.items()})
        for one in aliases
    ]
    return _renamed(draws, back) if back else draws


def _renamed(draws: xr.DataTree, aliases: Sequence[Alias]) -> xr.DataTree:
    """Rename each variable by itself: two terms may share a dimension that one of them renames."""
    names = {one.plain: (one.alias, one.dimensions) for one in aliases}
    groups = {}
    for group, node in draws.children.items():
        variables = {}
        for name, values in node.data_vars.items():
            alias, dimensions = names.get(str(name), (str(name), {}))
            there = {old: new for old, new in dimensions.items() if old in values.dims}
            variables[alias] = values.rename(there)
        groups[group] = xr.Dataset(variables)
    renamed = xr.DataTree.from_dict(groups)
    renamed.attrs = draws.attrs
    return renamed
