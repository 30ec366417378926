"""Stored posteriors: each is healthy, or unhealthy on purpose, and some page uses it."""

import json

import pytest
import xarray as xr

from mrp_helpers import sampler_health
from mrp_helpers.model import SHIPPED
from tools.execute_notebooks import ROOT

FITS = sorted(path.stem for path in SHIPPED.glob("*.nc"))

# Where a page shows what a sick sampler looks like, or what the published models do.
UNHEALTHY_ON_PURPOSE = {
    "fixed-collinear": "chapter 5: coefficients that only their priors hold",
    "fixed-collinear-wide": "chapter 5: the same with wider priors",
    "multilevel-default-careful": "chapter 6: small steps alone do not remove every divergence",
    "multilevel-default-priors": "chapter 6: divergences under default priors",
    "multilevel-low-target": "chapter 6: divergences under a low target acceptance",
    "published-fixed": "the published collinear model, as it was",
    "published-hierarchical": "the published model under its default priors",
    "published-right-states": "the same with the right states: one correction at a time",
}


def printed_on_all_pages():
    pages = [*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("appendices/*.ipynb")]
    cells = [cell for page in pages for cell in json.loads(page.read_text("utf-8"))["cells"]]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join("".join(output.get("text", "")) for output in outputs)


@pytest.mark.parametrize("name", FITS)
def test_health(name):
    draws = xr.load_datatree(SHIPPED / f"{name}.nc", engine="h5netcdf")
    health = sampler_health(draws).iloc[0]
    if name in UNHEALTHY_ON_PURPOSE:
        assert not health["healthy"], f"{name} is listed as unhealthy and is healthy: unlist it"
    else:
        assert health["healthy"], f"{name}: {health.to_dict()}; sample longer, or mend the model"


def test_every_stored_fit_is_used_by_a_page():
    printed = printed_on_all_pages()
    assert [name for name in FITS if f"{name}: loaded" not in printed] == []


def test_every_exception_is_stored():
    assert set(UNHEALTHY_ON_PURPOSE) <= set(FITS)
