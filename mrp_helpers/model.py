"""Fit a Bambi model once, keep its draws, and ask whether the sampler was healthy.

A stored fit is one netCDF file (float32, compressed) whose attributes say what it was made from:
a digest of the model, its priors, its data, the design that the formula makes of these, and the
sampler's settings. `fit_or_load` compares them before it loads, so a fit of another model is never
taken for this one. The file ends in its own checksum, so a damaged one is never taken for a whole
one.

Two kinds of folder are looked at: those that ship with an installed course, which a reader never
changes, and the reader's own cache. A course names its folder by an entry point of the group
``mrp_helpers.posteriors``; the environment variable ``MRP_HELPERS_CACHE`` names another cache.
"""

import ast
import hashlib
import inspect
import json
import os
import re
import textwrap
import time
import warnings
from collections.abc import Callable
from datetime import date
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import arviz as az
import bambi as bmb
import numpy as np
import pandas as pd
import platformdirs
import xarray as xr

from mrp_helpers._aliases import with_aliases, without_aliases
from mrp_helpers._bambi import aliases, designed, made_of, parts_of_prior
from mrp_helpers._require import require_type

# Packages whose folders hold draws that ship with them name themselves under this entry point.
ENTRY_POINTS = "mrp_helpers.posteriors"
SAMPLER = {
    "draws": 1000,
    "tune": 1000,
    "chains": 4,
    "inference_method": "nutpie",
    "nuts": {"target_accept": 0.97},
    "random_seed": 2,
}
_KEPT_STATISTICS = ["diverging", "energy"]
# Of a number in a digest. The next ones differ on a processor that adds in another order.
_DIGITS = 10
# The last line of a stored file. HDF5 reads over it, and checks few of its own bytes.
_SEAL = b"\nsha256 "


def fit_or_load(
    model: bmb.Model, name: str, *, resample: bool = False, **sampler: object
) -> xr.DataTree:
    """Load the stored draws of this very model, or sample it and store them.

    Parameters
    ----------
    model : bambi.Model
        The model to fit.
    name : str
        Name of the stored fit: letters, digits, ``-`` and ``_``.
    resample : bool
        Sample even when stored draws match.
    **sampler
        Settings for ``model.fit`` that differ from the course's: 4 chains of 1000 draws after
        1000 tuning steps by nutpie, ``nuts={"target_accept": 0.97}``, ``random_seed=2``.

    Returns
    -------
    xarray.DataTree
        The groups ``posterior`` (dimensions ``chain``, ``draw`` and a term's own),
        ``sample_stats`` (``diverging``, ``energy``) and ``observed_data``. A line on standard
        output says whether the draws were sampled or loaded, and from when they are. Another one
        says what to do, where draws that were just sampled do not pass `sampler_health`. Where
        the model has aliases, from ``model.set_alias``, its draws have them too.

    Raises
    ------
    TypeError
        When `model` is not a Bambi model, or a setting cannot be written down to be compared.
    ValueError
        When `name` cannot be a file's name.
    NotImplementedError
        When the model has potentials, or a prior that is a function without readable source.

    Warns
    -----
    UserWarning
        When the draws could not be stored or a stored file could not be read. The fit goes on.

    Examples
    --------
    >>> import bambi as bmb
    >>> from mrp_helpers import fit_or_load, load_heart_transplants
    >>> model = bmb.Model("death ~ treatment", load_heart_transplants())
    >>> draws = fit_or_load(model, "heart-naive")  # doctest: +ELLIPSIS
    heart-naive: loaded 4 x 1000 draws, sampled on ...
    >>> draws["posterior"]["treatment"].mean().round(1).item()
    0.1
    """
    require_type(model, bmb.Model, "model")
    require_type(name, str, "name")
    if not re.fullmatch(r"[\w-]{1,100}", name):
        raise ValueError(
            f"{name!r} cannot name a fit; use letters, digits, '-' and '_' only, 100 at most"
        )
    settings = SAMPLER | sampler
    digests = model_digests(model) | {"sampler": _digest(_written(settings))}
    digests["design"] = design_digest(model)

    if not resample:
        for folder in (*_shipped(), _cache()):
            draws = _read_if_same(folder / f"{name}.nc", digests)
            if draws is not None:
                print(f"{name}: loaded {_size(draws)}, sampled on {draws.attrs['sampled_on']}")
                return with_aliases(aliases(model), draws)

    started = time.perf_counter()
    draws = _thin_out(model.fit(**settings))
    draws.attrs = {f"digest_{part}": digest for part, digest in digests.items()}
    draws.attrs["sampled_on"] = date.today().isoformat()
    seconds = time.perf_counter() - started
    print(f"{name}: sampled {_size(draws)} in {seconds:.0f} s, on {draws.attrs['sampled_on']}")
    if remedy := _remedy(draws, settings):
        print(f"{name}: {remedy}")
    _store(without_aliases(aliases(model), draws), _cache() / f"{name}.nc")
    return draws


def model_digests(model: bmb.Model) -> dict[str, str]:
    """Digest what makes a model: ``formula`` (with family and links), ``priors`` and ``data``.

    Raises
    ------
    NotImplementedError
        When the model has potentials, which are functions and have no digest; or a prior of one's
        own, ``Prior(dist=function)``, whose source cannot be read.
    """
    made = made_of(model)
    priors = {
        part: {name: _spell(prior) for name, prior in found.items()}
        if isinstance(found, dict)
        else _spell(found)
        for part, found in made.priors.items()
    }
    table = made.data[made.columns].to_csv(index=False, float_format=f"%.{_DIGITS}g")
    return {
        "formula": _digest(json.dumps([made.formulas, made.family, made.links], sort_keys=True)),
        "priors": _digest(json.dumps([priors, made.parametrisation], sort_keys=True)),
        "data": _digest(table),
    }


def design_digest(model: bmb.Model) -> str:
    """Digest what the formula makes of the data, which its text does not say.

    Types of columns, the order of categories, and functions and numbers from around the formula
    all end in the design: a code is a number in one and a level in the other. Columns are taken in
    the order of their names, and groups by their names, since draws are read by name. Numbers are
    rounded against the largest of their column, for some of them are rounding errors around zero.
    """
    digest = hashlib.sha256()
    for name, columns, values in designed(model):
        table = values.reshape(len(values), -1)
        order = np.argsort(columns) if table.shape[1] == len(columns) else slice(None)
        digest.update(json.dumps([name, sorted(columns)]).encode())
        if values.dtype.kind == "U":
            digest.update("\n".join(table[:, 0]).encode())
            continue
        largest = np.abs(table[:, order]).max(axis=0)
        scale = np.where(largest > 0, largest, 1)
        digest.update(json.dumps([f"{one:.{_DIGITS}g}" for one in scale]).encode())
        digest.update((np.round(table[:, order] / scale, _DIGITS) + 0.0).tobytes())
    return digest.hexdigest()[:16]


def differing(draws: xr.DataTree, digests: dict[str, str]) -> list[str]:
    """Name the parts in which stored draws differ from a fit; the design, if it alone does.

    Draws that were stored before designs were digested say nothing of theirs, and stay valid.
    """
    parts = [name for name in digests if name != "design"]
    differ = [part for part in parts if draws.attrs.get(f"digest_{part}") != digests[part]]
    same_design = draws.attrs.get("digest_design") in (None, digests.get("design"))
    return differ or ([] if same_design else ["design"])


def _spell(prior: object) -> object:
    """Write a prior out in full: its name, its arguments to `_DIGITS` digits, recursively."""
    if isinstance(prior, bmb.Prior):
        name, arguments, noncentered, function = parts_of_prior(prior)
        spelled = [name, {key: _spell(value) for key, value in arguments.items()}, noncentered]
        return spelled if function is None else [*spelled, _source(name, function)]
    if prior is None or np.asarray(prior).dtype.kind in "biuf":
        return _rounded(prior) if prior is not None else None
    # PyMC's transformation of an argument, such as the one that orders thresholds.
    settings = {key: value for key, value in vars(prior).items() if isinstance(value, bool | int)}
    return [type(prior).__name__, settings]


def _rounded(values: object) -> object:
    """Round numbers to the digits that every machine agrees on."""
    return np.vectorize(lambda value: float(f"{value:.{_DIGITS}g}"))(values).tolist()


def _source(name: str, function: Callable[..., object]) -> str:
    """Read the function that a prior of one's own is, its comments aside; names can be the same."""
    try:
        return ast.unparse(ast.parse(textwrap.dedent(inspect.getsource(function))))
    except (OSError, SyntaxError, TypeError) as error:
        raise NotImplementedError(
            f"the prior {name!r} is a function whose source cannot be read, so fits with it "
            "cannot be told apart; define it in a cell or a file, or use model.fit"
        ) from error


def _written(settings: dict[str, object]) -> str:
    try:
        return json.dumps(settings, sort_keys=True)
    except TypeError as error:
        raise TypeError(
            f"a setting of the sampler cannot be compared with a stored one ({error}); pass plain "
            "numbers, text, lists and dicts"
        ) from error


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _shipped() -> list[Path]:
    """List the folders of draws that installed courses bring with them."""
    return [Path(str(files(entry.value))) for entry in entry_points(group=ENTRY_POINTS)]


def _cache() -> Path:
    own = platformdirs.user_cache_path("mrp_helpers")
    return Path(os.environ.get("MRP_HELPERS_CACHE") or own)


def _read_if_same(path: Path, digests: dict[str, str]) -> xr.DataTree | None:
    if not path.is_file():
        return None
    try:
        _check_seal(path.read_bytes())
        draws = xr.load_datatree(path, engine="h5netcdf")
    except Exception as error:  # what HDF5 makes of a damaged file may raise anything
        warnings.warn(f"{path.name} cannot be read and is not used: {error}", stacklevel=3)
        return None
    differ = differing(draws, digests)
    if differ:
        print(f"{path.stem}: the stored draws differ in {' and '.join(differ)}, and are not loaded")
        return None
    return draws


def _check_seal(content: bytes) -> None:
    """Compare a file with the checksum at its end; one cut within the seal is whole before it."""
    body, seal, digest = content.rpartition(_SEAL)
    if seal and hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its bytes are not those that were stored")


def _thin_out(fit: xr.DataTree) -> xr.DataTree:
    """Keep what the course reads, as float32: fewer digits than Monte Carlo error hides."""
    posterior = fit["posterior"].to_dataset()
    statistics = fit["sample_stats"].to_dataset()
    kept = statistics[[name for name in _KEPT_STATISTICS if name in statistics]]
    groups = {
        "posterior": posterior,
        "sample_stats": kept,
        "observed_data": fit["observed_data"].to_dataset(),
    }
    for group in groups.values():
        group.attrs = {}
    return xr.DataTree.from_dict({name: _as_float32(group) for name, group in groups.items()})


def _as_float32(group: xr.Dataset) -> xr.Dataset:
    doubles = [name for name, values in group.data_vars.items() if values.dtype == "float64"]
    return group.assign({name: group[name].astype("float32") for name in doubles})


def _store(draws: xr.DataTree, path: Path) -> None:
    """Write beside the target and rename, so that a killed run leaves no half file."""
    encoding = {
        f"/{group}": {name: {"zlib": True, "complevel": 9} for name in draws[group].data_vars}
        for group in draws.children
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path.parent)
        with NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as scratch:
            part = Path(scratch.name)
        try:
            draws.to_netcdf(part, engine="h5netcdf", encoding=encoding)
            digest = hashlib.sha256(part.read_bytes()).hexdigest()
            with part.open("ab") as file:
                file.write(_SEAL + digest.encode())
            part.chmod(0o644)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        warnings.warn(
            f"the draws of {path.stem!r} could not be stored ({error.strerror or error}); the fit "
            "is complete, and will be sampled again next time. Set MRP_HELPERS_CACHE to a folder "
            "that can be written to",
            stacklevel=3,
        )


def _sweep(folder: Path) -> None:
    """Remove what killed runs left behind. What is an hour old is not being written any more."""
    for scrap in folder.glob("*.tmp"):
        try:
            if time.time() - scrap.stat().st_mtime > 3600:
                scrap.unlink()
        except OSError:  # another run swept it first, or it is not ours
            continue


def _size(draws: xr.DataTree) -> str:
    posterior = draws["posterior"]
    return f"{posterior.sizes['chain']} x {posterior.sizes['draw']} draws"


def sampler_health(draws: xr.DataTree) -> pd.DataFrame:
    """Put a fit's convergence diagnostics into one row.

    Parameters
    ----------
    draws : xarray.DataTree
        A fit with the groups ``posterior`` and ``sample_stats``, from `fit_or_load`.

    Returns
    -------
    pandas.DataFrame
        One row: ``divergences`` (count over all draws), ``max_r_hat``, ``min_ess_bulk``,
        ``min_ess_tail`` (worst over all parameters) and ``healthy``: no divergence, every r-hat
        below 1.01, every effective sample size above 400.

    Raises
    ------
    TypeError
        When the draws are of the wrong type.
    ValueError
        When a group is missing, divergences were not kept, or there is a single chain: r-hat
        compares chains.

    Notes
    -----
    The thresholds are those of Vehtari, Gelman, Simpson, Carpenter and Bürkner (2021).

    A fit that is not healthy should not be reported. What usually helps:

    - *Divergences* mean that the sampler misses a part of the posterior. Sample with smaller steps,
      ``fit_or_load(..., nuts={"target_accept": 0.99})``; if some remain, give the standard
      deviations of group-specific terms tighter priors, such as a half-normal with scale 0.5.
    - A *large r-hat* or a *small effective sample size* means that the chains are too short for
      what they explore slowly. Sample longer, ``fit_or_load(..., draws=4000, tune=2000)``; where
      that changes little, look for parameters that the data cannot tell apart, such as a predictor
      that is constant within each level of another, and drop one or give it a tighter prior.

    Examples
    --------
    >>> import bambi as bmb
    >>> from mrp_helpers import fit_or_load, load_heart_transplants, sampler_health
    >>> model = bmb.Model("death ~ treatment", load_heart_transplants())
    >>> draws = fit_or_load(model, "heart-naive")  # doctest: +ELLIPSIS
    heart-naive: ...
    >>> sampler_health(draws)["healthy"].item()
    True
    """
    require_type(draws, xr.DataTree, "draws")
    for group in ("posterior", "sample_stats"):
        if group not in draws.children:
            raise ValueError(f"draws have no group {group!r}; pass the whole fit")
    if "diverging" not in draws["sample_stats"].to_dataset():
        raise ValueError("draws do not say which diverged: 'sample_stats' lacks 'diverging'")
    if draws["posterior"].sizes["chain"] < 2:
        raise ValueError("draws have one chain; r-hat compares chains, so sample at least two")
    posterior = draws["posterior"].to_dataset()
    with np.errstate(invalid="ignore"):  # a draw that is not a number gives such a diagnostic
        health = pd.DataFrame(
            {
                "divergences": [int(draws["sample_stats"]["diverging"].sum())],
                "max_r_hat": [_of_all(az.rhat(posterior)).max()],
                "min_ess_bulk": [_of_all(az.ess(posterior, method="bulk")).min()],
                "min_ess_tail": [_of_all(az.ess(posterior, method="tail")).min()],
            }
        )
    health["healthy"] = (
        (health["divergences"] == 0)
        & (health["max_r_hat"] < 1.01)
        & (health["min_ess_bulk"] > 400)
        & (health["min_ess_tail"] > 400)
    )
    return health


def _remedy(draws: xr.DataTree, settings: dict[str, Any]) -> str:
    """Say what to try, beyond `settings`, about draws that are not healthy or tell no health."""
    try:
        health = sampler_health(draws).iloc[0]
    except ValueError as error:  # of one chain, or of a method that keeps no divergences
        return f"nothing says whether the sampler was healthy, since the {error}"
    found, remedies = [], []
    if health["divergences"] > 0:
        found.append(f"{health['divergences']} divergence(s)")
        accept = settings.get("nuts", {}).get("target_accept", 0)
        smaller = "pass nuts={'target_accept': 0.99}, or " if accept < 0.99 else ""
        remedies.append(f"{smaller}give the groups a tighter prior")
    # Not the other way round: a parameter without a diagnostic is not healthy.
    if not (
        health["max_r_hat"] < 1.01 and health["min_ess_bulk"] > 400 and health["min_ess_tail"] > 400
    ):
        smallest = min(health["min_ess_bulk"], health["min_ess_tail"])
        found.append(f"r-hat up to {health['max_r_hat']:.3f}, effective size from {smallest:.0f}")
        number = settings["draws"]
        remedies.append(
            "sample longer, such as draws=4000"
            if number < 4000
            else f"look for parameters that the data cannot tell apart, since {number} draws "
            "were not enough"
        )
    if not found:
        return ""
    return f"not healthy ({'; '.join(found)}): {'; '.join(remedies)}. See sampler_health"


def _of_all(diagnostic: xr.Dataset) -> np.ndarray:
    """Join what a diagnostic says of each parameter.

    A parameter without a diagnostic (stuck, or not a number) must not count as fine: the largest
    and the smallest of these numbers are then missing, too.
    """
    return np.concatenate([np.ravel(values) for values in diagnostic.values()])
