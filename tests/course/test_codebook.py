"""The codebook lists every column and code of the bundled data, with the counts in the files."""

import re
from pathlib import Path

import pandas as pd
import pytest

from mrp_helpers import (
    FIPS_STATES,
    clean_cces,
    load_cces,
    load_heart_transplants,
    load_poststrat_frame,
    load_state_predictors,
)
from mrp_helpers.recode import OUTCOMES
from tools.make_data import DATASETS, SOURCES

PAGE = Path(__file__).resolve().parents[2] / "appendices" / "data-and-codebook.md"
# The label above a section of the page, and the data that the section is about.
DATA = {
    "codebook-cces": load_cces(),
    "codebook-frame": load_poststrat_frame(),
    "codebook-states": load_state_predictors(),
    "codebook-heart": load_heart_transplants(),
}
CLEAN = clean_cces(DATA["codebook-cces"])
COLUMNS = [(label, column) for label, data in DATA.items() for column in data]
# What a column of the page's tables counts, by its heading there.
COUNTS = {
    "Respondents": len,
    "Patients": len,
    "States": len,
    "Cells": len,
    "People": lambda rows: rows["n"].sum(),
}


def sections(text: str) -> dict[str, str]:
    """Cut the page at its second-level headings; the label above each one is its name."""
    parts = re.split(r"^\((.+)\)=\n## ", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def headings(section: str) -> list[tuple[list[str], str]]:
    """List the third-level headings of a section: the names in back quotes, and the text below."""
    parts = re.split(r"^### (.+)\n", section, flags=re.MULTILINE)
    titles = [re.findall(r"`([^`]+)`", title) for title in parts[1::2]]
    return list(zip(titles, parts[2::2], strict=True))


def tables(text: str) -> list[pd.DataFrame]:
    """Read the tables of a text as they stand, without the back quotes."""
    found = re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE)
    grids = [
        [
            [cell.strip() for cell in line.strip("|").replace("`", "").split("|")]
            for line in grid.splitlines()
        ]
        for grid in found
    ]
    return [pd.DataFrame(rows[2:], columns=rows[0]) for rows in grids]


def holds(values: pd.Series, code: str) -> pd.Series:
    """Mark the values that a cell such as 3, Hispanic, missing or 1989–2000 stands for."""
    if code == "missing":
        return values.isna()
    if pd.api.types.is_numeric_dtype(values):
        first, _, last = code.partition("–")
        decimals = len(first.partition(".")[2])
        return values.round(decimals).between(float(first), float(last or first))
    return values == code


SECTIONS = sections(PAGE.read_text("utf-8"))


def whole_table(label: str) -> pd.DataFrame | None:
    """Find the table that repeats a dataset row by row."""
    grids = tables(SECTIONS[label])
    return next((grid for grid in grids if list(grid) == list(DATA[label])), None)


def code_table(label: str, column: str) -> pd.DataFrame | None:
    """Find the table of a column's codes, below the heading that names the column."""
    for names, text in headings(SECTIONS[label]):
        if column in names:
            for grid in tables(text):
                if grid.columns[0] in ("Code", "Level"):
                    return grid
    return None


@pytest.mark.parametrize("label", DATA)
def test_headings_are_the_columns(label):
    named = [name for names, _ in headings(SECTIONS[label]) for name in names]
    missing = [column for column in DATA[label] if column not in named]
    assert not missing, f"{label}: no heading for the columns {missing}"
    unknown = [name for name in named if name not in DATA[label]]
    assert not unknown, f"{label}: the data have no columns {unknown}"


@pytest.mark.parametrize(("label", "column"), COLUMNS)
def test_every_code_is_listed_once_with_its_count(label, column):
    data, where = DATA[label], f"{label}, {column}"
    grid = code_table(label, column)
    if grid is None:
        listed = whole_table(label)
        assert listed is not None, f"{where}: neither a table of codes nor the whole dataset"
        return
    counts = [heading for heading in grid if heading in COUNTS]
    assert counts, f"{where}: no column of counts; it has {list(grid)}"
    assert (grid["Meaning"] != "").all(), f"{where}: a code has no meaning"

    times = pd.Series(0, index=data.index)
    for row in grid.to_dict("records"):
        code = row[grid.columns[0]]
        marked = holds(data[column], code)
        assert marked.any(), f"{where}: the page lists {code}, the data have no such code"
        times += marked
        for heading in counts:
            found, expected = row[heading], f"{COUNTS[heading](data[marked]):,}"
            assert found == expected, f"{where}, {code}: {heading} is {found}, not {expected}"
        first, _, last = code.partition("–")
        if last:
            ends = data.loc[marked, column].round(len(first.partition(".")[2])).agg(["min", "max"])
            assert list(ends) == [float(first), float(last)], f"{where}: {code} is too wide"

    unlisted = data.loc[times == 0, column].drop_duplicates().to_list()
    assert not unlisted, f"{where}: no row for the codes {unlisted}"
    twice = data.loc[times > 1, column].drop_duplicates().to_list()
    assert not twice, f"{where}: more than one row for the codes {twice}"


@pytest.mark.parametrize("label", ["codebook-states", "codebook-heart"])
def test_small_datasets_are_printed_whole(label):
    grid = whole_table(label)
    assert grid is not None, f"{label}: no table with the columns {list(DATA[label])}"
    expected = {
        tuple(f"{x:.4f}" if isinstance(x, float) else str(x) for x in row)
        for row in DATA[label].itertuples(index=False)
    }
    found = set(grid.itertuples(index=False, name=None))
    assert found == expected, f"{label}: {sorted(found ^ expected)} are on one side only"
    assert len(grid) == len(DATA[label]), f"{label}: a row stands twice"


def test_state_codes_have_the_abbreviations_of_the_recoding():
    grid = code_table("codebook-cces", "inputstate")
    listed = {
        int(row["Code"]): re.search(r"\((\w\w)\)", row["Meaning"])[1] for _, row in grid.iterrows()
    }
    wrong = set(listed.items()) ^ set(FIPS_STATES.items())
    assert not wrong, f"inputstate: page and FIPS_STATES differ in {sorted(wrong)}"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcomes_are_named_where_their_question_stands(outcome):
    texts = {names[0]: text for names, text in headings(SECTIONS["codebook-cces"])}
    assert f"`{outcome}`" in texts[OUTCOMES[outcome]], f"{OUTCOMES[outcome]}: no `{outcome}`"


RECODED = headings(SECTIONS["codebook-recode"])


def test_all_recodings_are_there():
    # `state` has its own table under `inputstate`; the other two columns are copied.
    expected = set(CLEAN) - {"state", "caseid", "commonweight"}
    assert {names[1] for names, _ in RECODED} == expected
    for reason, respondents in CLEAN.attrs["dropped"].items():
        assert str(respondents) in SECTIONS["codebook-recode"], f"not said: {reason}, {respondents}"


@pytest.mark.parametrize(("names", "text"), RECODED, ids=[names[1] for names, _ in RECODED])
def test_codes_become_the_strata_that_the_page_says(names, text):
    source, stratum = names
    survey = DATA["codebook-cces"][["caseid", source]]
    both = CLEAN[["caseid", stratum]].merge(survey, validate="1:1")
    (grid,) = tables(text)
    listed = pd.Series(False, index=both.index)
    for _, row in grid.iterrows():
        marked = holds(both[source], row["Code"])
        found = sorted({str(value) for value in both.loc[marked, stratum]})
        where = f"{source} {row['Code']}"
        assert found == [row["Stratum"]], f"{where}: becomes {found}, not {row['Stratum']}"
        assert row["Respondents"] == f"{marked.sum():,}", f"{where}: {marked.sum():,} respondents"
        listed |= marked
    assert listed.all(), f"{source}: no row for {sorted(both.loc[~listed, source].unique())}"


def claims():
    """Compute what sentences of the page say, and say it in their words."""
    cces, frame = DATA["codebook-cces"], DATA["codebook-frame"]
    weight, empty = cces["commonweight"], frame[frame["n"] == 0]
    chose, origin = cces["race"] == 3, cces["hispanic"] == 1
    cells = list(frame.columns[:-1])
    met = CLEAN.merge(empty[cells])
    smallest = empty["state"].isin(["ND", "SD", "VT", "MT", "WY"])
    in_frame = frame["n"].where(frame["eth"] == "Hispanic").sum() / frame["n"].sum()
    groups = empty["eth"].value_counts()
    assert "White" not in groups
    words = {2: "two", 3: "three"}
    return [
        f"have an effective sample size of {weight.sum() ** 2 / (weight**2).sum():,.0f}",
        f"{cces['CC18_317'].isin([1, 2]).sum():,} two-party answers",
        f"which {chose.sum():,} respondents chose",
        f"A further {(origin & ~chose).sum():,} chose another race",
        f"{(origin & (cces['race'] == 1)).sum():,} of them White",
        f"from {chose.mean():.1%} to {(chose | origin).mean():.1%} of all respondents",
        f"the frame is {in_frame:.1%} Hispanic",
        f"12,000 cells and {frame['n'].sum():,} people",
        f"{len(empty)} of the 12,000 cells are empty",
        f"{groups['Black']} of them are Black, {groups['Hispanic']} Hispanic and none White",
        f"{smallest.sum()} are in the five states",
        f"{words[len(met)]} of the survey's 59,810 respondents belong to such a cell",
    ]


@pytest.mark.parametrize("claim", claims())
def test_sentences_say_what_the_data_say(claim):
    page = " ".join(PAGE.read_text("utf-8").split()).replace(" %", "%")
    # "from 8.3 to 11.6 %" has its sign once.
    claim = re.sub(r"%( to )", r"\1", claim)
    assert claim in page, f"the page does not say: {claim}"


def test_checksums_are_those_of_the_files():
    lines = re.findall(r"^([0-9a-f]{64})  (\S+)$", SECTIONS["codebook-files"], flags=re.MULTILINE)
    listed = {name: digest for digest, name in lines}
    shipped = (line.split() for line in (DATASETS / "SHA256SUMS").read_text().splitlines())
    expected = SOURCES | {name: digest for digest, name in shipped}
    for name, digest in expected.items():
        assert name in listed, f"no checksum of {name}"
        assert listed[name] == digest, f"{name}: {listed[name][:12]}..., not {digest[:12]}..."
    assert set(listed) == set(expected)
