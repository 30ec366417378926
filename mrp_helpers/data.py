"""Loaders for the real data that ship with the package."""

import hashlib
from io import BytesIO
from pathlib import Path

import pandas as pd

_FOLDER = Path(__file__).parent / "datasets"
_REMEDY = (
    "restore it with `git checkout -- mrp_helpers/datasets` in a clone, or reinstall the package"
)


def verified_bytes(folder: Path, name: str, remedy: str = _REMEDY) -> BytesIO:
    """Read a file whole and compare its SHA-256 with the one listed beside it in ``SHA256SUMS``."""
    sums = folder / "SHA256SUMS"
    lines = sums.read_text("utf-8", "replace").splitlines() if sums.is_file() else []
    expected = next((line.split()[0] for line in lines if line.endswith(f"  {name}")), None)
    if expected is None:
        raise ValueError(f"SHA256SUMS, the list of checksums, does not hold {name}; {remedy}")
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(f"the data file {name} is missing; {remedy}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(
            f"the data file {name} is damaged ({len(content):,} bytes, SHA-256 {found[:12]}... "
            f"and not {expected[:12]}...); {remedy}"
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
    return pd.read_csv(verified_bytes(_FOLDER, "heart_transplants.csv"), dtype={"name": "str"})


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
    survey = pd.read_parquet(verified_bytes(_FOLDER, "cces18.parquet"))
    # One byte per code is enough on disk, but arithmetic on it would overflow: 2018 - birthyr.
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
    frame = pd.read_parquet(verified_bytes(_FOLDER, "frame.parquet")).rename(
        columns={"educ": "edu"}
    )
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
    return pd.read_csv(verified_bytes(_FOLDER, "states.csv"))
