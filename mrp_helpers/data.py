"""Loaders for the real data that ship with the package."""

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Literal

import pandas as pd

# Results of simulations are stored as whole numbers: of shares these parts, which are
# ten-thousandths of a percentage point, and of scores those.
SHARE_UNITS = 1_000_000
SCORE_UNITS = 100_000
_FOLDER = Path(__file__).parent / "datasets"
_REMEDY = (
    "restore it with `git checkout -- mrp_helpers/datasets` in a clone, or reinstall the package"
)


def _verified_bytes(name: str) -> BytesIO:
    """Read a bundled file whole and compare its SHA-256 with the one it was shipped with."""
    sums = _FOLDER / "SHA256SUMS"
    lines = sums.read_text("utf-8", "replace").splitlines() if sums.is_file() else []
    expected = next((line.split()[0] for line in lines if line.endswith(f"  {name}")), None)
    if expected is None:
        raise ValueError(f"SHA256SUMS, the list of checksums, does not hold {name}; {_REMEDY}")
    path = _FOLDER / name
    if not path.is_file():
        raise FileNotFoundError(f"the data file {name} is missing; {_REMEDY}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(
            f"the data file {name} is damaged ({len(content):,} bytes, SHA-256 {found[:12]}... "
            f"and not {expected[:12]}...); {_REMEDY}"
        )
    return BytesIO(content)


def load_heart_transplants() -> pd.DataFrame:
    """Load the twenty heart-transplant patients.

    Returns
    -------
    pandas.DataFrame
        20 rows: ``name``, ``risk`` (1 = in critical condition), ``treatment`` (1 = received a
        transplant), ``death`` (1 = died).

    Raises
    ------
    FileNotFoundError, ValueError
        When the bundled file is missing or damaged; the message says how to restore it.

    Notes
    -----
    Source: Hernán and Robins (2020), *Causal Inference: What If*, chapter 2.

    Examples
    --------
    >>> load_heart_transplants().groupby("treatment")["death"].mean().round(3).to_dict()
    {0: 0.429, 1: 0.538}
    """
    return pd.read_csv(_verified_bytes("heart_transplants.csv"), dtype={"name": "str"})


def load_cces() -> pd.DataFrame:
    """Load the extract of the 2018 Cooperative Congressional Election Study (CCES).

    Returns
    -------
    pandas.DataFrame
        60,000 respondents in the survey's original codes, in the file's order. Integer columns
        are complete; a column of floats has missing answers. The appendix *Data and codebook*
        lists each column and code. `clean_cces` turns them into strata.

    Raises
    ------
    FileNotFoundError, ValueError
        When the bundled file is missing or damaged; the message says how to restore it.

    Notes
    -----
    Source: Schaffner, Ansolabehere and Luks (2019), CCES Common Content 2018,
    doi:10.7910/DVN/ZSBZ7K.

    Examples
    --------
    >>> len(load_cces())
    60000
    """
    survey = pd.read_parquet(_verified_bytes("cces18.parquet"))
    # One byte a code is enough on disk, but arithmetic on it would overflow: 2018 - birthyr.
    integers = survey.select_dtypes("integer").columns
    return survey.astype(dict.fromkeys(integers, "int64"))


def load_poststrat_frame() -> pd.DataFrame:
    """Load the post-stratification frame: adult citizens of the 50 states by cell.

    Returns
    -------
    pandas.DataFrame
        12,000 cells: ``state, eth, male, age, edu`` and ``n``, the number of people. All
        combinations of levels are listed; 153 of them are empty (``n == 0``). Washington, D.C.
        is not in it.

    Raises
    ------
    FileNotFoundError, ValueError
        When the bundled file is missing or damaged; the message says how to restore it.

    Notes
    -----
    Source: American Community Survey 2014-18, tabulated by Lopez-Martin, Phillips and Gelman
    (2022).

    Examples
    --------
    >>> f"{load_poststrat_frame()['n'].sum():,}"
    '228,443,347'
    """
    frame = pd.read_parquet(_verified_bytes("frame.parquet")).rename(columns={"educ": "edu"})
    return frame.astype({"n": "int64"})


def load_state_predictors() -> pd.DataFrame:
    """Load what is known about each state as a whole.

    Returns
    -------
    pandas.DataFrame
        50 rows: ``state``, ``repvote`` (Republican share of the two-party presidential vote of
        2016, 0-1), ``region`` (census region).

    Raises
    ------
    FileNotFoundError, ValueError
        When the bundled file is missing or damaged; the message says how to restore it.

    Notes
    -----
    Source: Lopez-Martin, Phillips and Gelman (2022).

    Examples
    --------
    >>> load_state_predictors().set_index("state").loc["WY", "repvote"].round(3)
    np.float64(0.757)
    """
    return pd.read_csv(_verified_bytes("states.csv"))


def load_study(part: Literal["samples", "nuts"] = "samples") -> pd.DataFrame:
    """Load the results of the study of hundreds of leaning samples.

    Parameters
    ----------
    part : {"samples", "nuts"}
        What each estimator said in each sample, or what full sampling said in some of them.

    Returns
    -------
    pandas.DataFrame
        One row an area of a sample and an estimator: ``recipe, people, sample, estimator, area``
        (``"US"`` or a state), ``estimate, sd, lower, upper`` (shares, 0-1; the interval is the
        95 % one). For ``"samples"`` also ``asked`` (respondents there), ``place`` (the share of
        the estimator's distribution below the truth), ``place_people`` (the same for the share
        among the laboratory's very people) and ``worth`` (effective number of proposals of a
        model's standard deviations). For ``"nuts"`` also the sampler's diagnostics.

    Raises
    ------
    FileNotFoundError, ValueError
        When the bundled file is missing or damaged, or there is no such part.

    Notes
    -----
    Source: ``tools/study.py`` and ``tools/study_nuts.py``, which computed them from the survey.

    Examples
    --------
    >>> load_study()["estimator"].nunique()
    8
    """
    if part == "nuts":
        return pd.read_csv(_verified_bytes("study_nuts.csv"))
    if part != "samples":
        raise ValueError(f"the study has no part {part!r}; choose 'samples' or 'nuts'")
    # Shares are stored as hundredths of a percentage point, places as thousandths.
    study = pd.read_parquet(_verified_bytes("study.parquet"))
    units = dict.fromkeys(["estimate", "sd", "lower", "upper"], 10_000)
    units |= {"place": 1_000, "place_people": 1_000, "worth": 1}
    return study.assign(
        **{name: study[name].astype("float64") / unit for name, unit in units.items()}
    )


def load_simulation(name: Literal["methods", "party", "assumptions"]) -> pd.DataFrame:
    """Load what a chapter's estimates were in 200 biased samples.

    Parameters
    ----------
    name : {"methods", "party", "assumptions"}
        The scores of ten methods (chapter 8); the share that each way of raking to party estimates
        (chapter 12), or that one of them estimates when an assumption fails.

    Returns
    -------
    pandas.DataFrame
        The column ``seed`` (of `draw_biased_sample`), and shares, 0-1: for ``"methods"`` one row
        per sample and ``method``, with its errors and coverage in the states and in the nation;
        otherwise one row per sample and one column per way or assumption.

    Raises
    ------
    FileNotFoundError, ValueError
        When the bundled file is missing or damaged, or there is no such simulation.

    Notes
    -----
    Source: ``tools/simulations.py``, which calls the chapters' functions.

    Examples
    --------
    >>> load_simulation("methods").groupby("method")["seed"].nunique()["raked"].item()
    200
    """
    if name not in ("methods", "party", "assumptions"):
        raise ValueError(f"no simulation {name!r}; choose 'methods', 'party' or 'assumptions'")
    stored = pd.read_csv(_verified_bytes(f"{name}.csv"))
    shares = stored.select_dtypes("number").columns.drop("seed")
    return stored.assign(**(stored[shares] / SHARE_UNITS))


def load_leave_one_out() -> pd.DataFrame:
    """Load the leave-one-out scores of the six models of chapter 8.

    Returns
    -------
    pandas.DataFrame
        One row per model and left-out row: ``model``, ``kind`` (``"cell"`` or ``"person"``),
        ``elpd`` (expected log predictive density) and ``k`` (Pareto k). Cells and persons are in
        the order of the chapter's tables.

    Raises
    ------
    FileNotFoundError, ValueError
        When the bundled file is missing or damaged; the message says how to restore it.

    Notes
    -----
    Source: ``tools/simulations.py``, which calls the chapter's function.

    Examples
    --------
    >>> load_leave_one_out().groupby("kind")["k"].max().round(1).to_dict()
    {'cell': 0.8, 'person': 0.8}
    """
    scores = pd.read_parquet(_verified_bytes("leave_one_out.parquet"))
    return scores.assign(**(scores[["elpd", "k"]] / SCORE_UNITS))
