"""Derive the bundled datasets from their three source files.

Usage: python -m tools.make_data FOLDER

FOLDER holds the three files as they are published in the source distribution of Bambi 0.17.2
(under ``docs/notebooks/data/``). Their SHA-256 is verified first; the derived files have the same
bytes each time, because nothing but the data goes into them.
"""

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tools.write import sha256, write_checksums, write_parquet

SOURCES = {
    "mr_p_cces18_common_vv.csv.gz": (
        "94f7a905c38ff6ac434b06b2aaa341098ef08b6203ef6b937d308091532ae5bd"
    ),
    "mr_p_poststrat_df.csv": "9d7fee6573f913f3fe2049195de5344a4ee8633ef057fd6d1cdf812fd02dd96a",
    "mr_p_statelevel_predictors.csv": (
        "889cd838f8cb2f274fcb9b06f70d7cd14019b3436e72891a99c8848f1a0bec45"
    ),
}
SURVEY_COLUMNS = [
    "caseid",
    "commonweight",
    "inputstate",
    "gender",
    "race",
    "hispanic",
    "birthyr",
    "educ",
    *(f"CC18_321{item}" for item in "abcdef"),
    "CC18_317",
    "faminc_new",
    "pid3",
    "pid7",
    "ideo5",
    "urbancity",
    "region",
    "pew_churatd",
]
DATASETS = Path(__file__).resolve().parent.parent / "mrp_helpers" / "datasets"


def verify_sources(folder: Path) -> None:
    """Stop with one sentence unless all three source files are there, unchanged."""
    for name, expected in SOURCES.items():
        path = folder / name
        if not path.is_file():
            sys.exit(f"{name} is not in {folder}: unpack Bambi 0.17.2's source distribution there.")
        if sha256(path) != expected:
            sys.exit(f"{name} is not the published file: its SHA-256 is {sha256(path)}.")


def survey_extract(path: Path) -> pa.Table:
    """All 60,000 respondents in original codes; an answer that is missing stays missing."""
    survey = pd.read_csv(path, usecols=SURVEY_COLUMNS, low_memory=False)[SURVEY_COLUMNS]
    types = {name: pa.int8() for name in SURVEY_COLUMNS}
    types |= {"caseid": pa.int32(), "commonweight": pa.float64(), "birthyr": pa.int16()}
    return pa.table(
        {
            name: pa.array(survey[name].to_numpy(), type=types[name], from_pandas=True)
            for name in SURVEY_COLUMNS
        }
    )


def frame_extract(path: Path) -> pa.Table:
    """The census frame, cell by cell, with the file's own column names."""
    frame = pd.read_csv(path)
    frame["n"] = frame["n"].astype("int32")
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table.replace_schema_metadata(None)


def main(folder: Path) -> None:
    verify_sources(folder)
    survey, frame, states = (folder / name for name in SOURCES)
    write_parquet(survey_extract(survey), DATASETS / "cces18.parquet")
    write_parquet(frame_extract(frame), DATASETS / "frame.parquet")
    (DATASETS / "states.csv").write_bytes(states.read_bytes())

    listed = write_checksums(DATASETS)
    print(f"Wrote {listed} files and their checksums in mrp_helpers/datasets.")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
