"""Survey codes to strata, with every join asserted."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from mrp_helpers._labels import level_key
from mrp_helpers._require import listing, require_columns, require_numbers, require_type

CELL = ["state", "eth", "male", "age", "edu"]

# Federal Information Processing Standard (FIPS) state codes. The numbers have gaps: codes 3, 7,
# 14, 43 and 52 were kept for territories, and 11 is the District of Columbia.
FIPS_STATES: dict[int, str] = {
    1: "AL", 2: "AK", 4: "AZ", 5: "AR", 6: "CA", 8: "CO", 9: "CT", 10: "DE", 11: "DC", 12: "FL",
    13: "GA", 15: "HI", 16: "ID", 17: "IL", 18: "IN", 19: "IA", 20: "KS", 21: "KY", 22: "LA",
    23: "ME", 24: "MD", 25: "MA", 26: "MI", 27: "MN", 28: "MS", 29: "MO", 30: "MT", 31: "NE",
    32: "NV", 33: "NH", 34: "NJ", 35: "NM", 36: "NY", 37: "NC", 38: "ND", 39: "OH", 40: "OK",
    41: "OR", 42: "PA", 44: "RI", 45: "SC", 46: "SD", 47: "TN", 48: "TX", 49: "UT", 50: "VT",
    51: "VA", 53: "WA", 54: "WV", 55: "WI", 56: "WY",
}  # fmt: skip

# The survey asks "Do you support or oppose each of the following proposals?"; 1 = support.
OUTCOMES: dict[str, str] = {
    "always_allow": "CC18_321a",
    "rape_incest_danger_only": "CC18_321b",
    "ban_after_20_weeks": "CC18_321c",
    "abortion": "CC18_321d",
    "no_federal_funds": "CC18_321e",
    "illegal_always": "CC18_321f",
}

_ETHNICITY = {1: "White", 2: "Black", 3: "Hispanic", 4: "Other", 5: "Other", 6: "Other",
              7: "Other", 8: "Other"}  # fmt: skip
_EDUCATION = {1: "No HS", 2: "HS", 3: "Some college", 4: "Some college", 5: "4-Year College",
              6: "Post-grad"}  # fmt: skip
_MALE = {1: 0.5, 2: -0.5}
_OLDEST_IN_BAND = {"18-29": 29, "30-39": 39, "40-49": 49, "50-59": 59, "60-69": 69, "70+": 120}

LEVELS: dict[str, list[str]] = {
    "eth": ["White", "Black", "Hispanic", "Other"],
    "age": list(_OLDEST_IN_BAND),
    "edu": ["No HS", "HS", "Some college", "4-Year College", "Post-grad"],
}

_YEAR = 2018


def clean_cces(
    raw: pd.DataFrame,
    outcome: str = "abortion",
    state_codes: Mapping[int, str] = FIPS_STATES,
    on_unknown_state: Literal["raise", "drop"] = "raise",
) -> pd.DataFrame:
    """Turn the survey's codes into the strata of the census frame.

    Parameters
    ----------
    raw : pandas.DataFrame
        The survey in original codes, from `load_cces`.
    outcome : str
        A name in `OUTCOMES`; it becomes the name of the outcome's column.
    state_codes : mapping of int to str
        The label of each ``inputstate`` code. The default is right; a different one
        is useful only to see what a wrong one does.
    on_unknown_state : {"raise", "drop"}
        What to do with respondents whose state code has no label.

    Returns
    -------
    pandas.DataFrame
        One row per respondent who answered and lives in a labelled state other than D.C. (the frame
        has no cells for it): ``caseid``, the five columns of `CELL`, the outcome (1 = supports,
        0 = opposes) and ``commonweight``, in the survey's order. ``male`` is +0.5 for men and
        -0.5 for women. ``.attrs["dropped"]`` says how many respondents left, and why.

    Raises
    ------
    KeyError
        When `raw` lacks a column or the outcome is unknown.
    TypeError
        When `raw` is not a DataFrame, or codes are not numbers.
    ValueError
        When a code has no label (the message lists the codes), or a birth year cannot be.

    Notes
    -----
    Source of the codes: the codebook of the CCES Common Content 2018, doi:10.7910/DVN/ZSBZ7K.

    Examples
    --------
    >>> from mrp_helpers import clean_cces, load_cces
    >>> respondents = clean_cces(load_cces())
    >>> len(respondents), round(respondents["abortion"].mean(), 5)
    (59810, np.float64(0.43416))
    """
    if outcome not in list(OUTCOMES):
        raise KeyError(f"no outcome {outcome!r}; choose one of {listing(OUTCOMES)}")
    item = OUTCOMES[outcome]
    require_columns(
        raw,
        ["caseid", "inputstate", "race", "gender", "birthyr", "educ", item, "commonweight"],
        "the survey",
    )
    clean = pd.DataFrame(
        {
            "caseid": raw["caseid"],
            "state": _label_states(raw["inputstate"], state_codes, on_unknown_state),
            "eth": _label(raw["race"], _ETHNICITY),
            "male": _label(raw["gender"], _MALE),
            "age": _age_band(raw["birthyr"]),
            "edu": _label(raw["educ"], _EDUCATION),
            outcome: _label(raw[item], {1: 1, 2: 0}, missing_is_fine=True),
            "commonweight": raw["commonweight"],
        }
    )
    unanswered = clean[outcome].isna()
    unlabelled = clean["state"].isna() & ~unanswered
    in_dc = (clean["state"] == "DC") & ~unanswered
    kept = clean[~(unanswered | unlabelled | in_dc)].astype({outcome: "int64"})
    reasons = {
        f"no answer to {item}": unanswered,
        "state code without a label": unlabelled,
        "in DC, which the frame does not cover": in_dc,
    }
    kept.attrs["dropped"] = {why: int(rows.sum()) for why, rows in reasons.items() if rows.any()}
    return kept.reset_index(drop=True)


def _label(
    codes: pd.Series, labels: Mapping[int, object], *, missing_is_fine: bool = False
) -> pd.Series:
    """Map codes to labels and refuse to lose anyone whose code has none."""
    require_numbers(codes, str(codes.name))
    unknown = ~codes.isin(list(labels)) & ~(codes.isna() & missing_is_fine)
    if unknown.any():
        raise ValueError(
            f"{codes.name}: codes {listing(sorted(codes[unknown].unique()))} have no label "
            f"({unknown.sum():,} respondents); known codes are {listing(labels)}"
        )
    return codes.map(labels)


def _label_states(
    codes: pd.Series, labels: Mapping[int, str], on_unknown: Literal["raise", "drop"]
) -> pd.Series:
    if on_unknown not in ("raise", "drop"):
        raise ValueError(f"on_unknown_state is {on_unknown!r}; choose 'raise' or 'drop'")
    require_numbers(codes, "inputstate")
    unknown = ~codes.isin(list(labels))
    if unknown.any() and on_unknown == "raise":
        unlabelled = listing(sorted(codes[unknown].unique()))
        unused = sorted(set(labels) - set(codes))
        hint = f"; nobody has the labelled codes {unused}" if unused else ""
        raise ValueError(
            f"inputstate: codes {unlabelled} have no label ({unknown.sum():,} respondents){hint}. "
            "inputstate holds FIPS codes: pass state_codes=FIPS_STATES, or "
            "on_unknown_state='drop' to lose these respondents knowingly"
        )
    return codes.map(labels)


def _age_band(birth_year: pd.Series) -> pd.Series:
    require_numbers(birth_year, "birthyr")
    age = _YEAR - birth_year
    if not age.between(18, 120).all():
        raise ValueError(
            f"birthyr: {(~age.between(18, 120)).sum():,} respondents are younger than 18 or older "
            f"than 120 in {_YEAR}, or have no birth year"
        )
    oldest = np.array(list(_OLDEST_IN_BAND.values()))
    bands = np.array(list(_OLDEST_IN_BAND))[np.searchsorted(oldest, age)]
    return pd.Series(bands, index=birth_year.index)


def recode_to_frame(
    survey: pd.DataFrame,
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    codes: Mapping[str, Mapping[Any, object]] | None = None,
    *,
    answer: str,
    answers: Mapping[Any, int | str | None] | type[float],
    outcome: str = "yes",
    keep: Sequence[str] = (),
) -> pd.DataFrame:
    """Put a survey of your own into the words of a frame, and let no code pass unnamed.

    Parameters
    ----------
    survey : pandas.DataFrame
        One row per respondent, in the survey's own codes.
    frame : pandas.DataFrame
        One row per cell, in the frame's words.
    columns : mapping of str to str
        For each stratifying column of the frame, the survey's column that holds the same.
    codes : mapping of str to mapping, optional
        For each of the frame's columns whose words differ from the survey's: the survey's code ->
        the frame's level, or None to leave respondents with this code out.
    answer : str
        The survey's column with the answers.
    answers : mapping or float
        The survey's answer -> 1, 0, or None to leave respondents with this answer out. For an
        outcome with more levels, the survey's answer -> the level's name, in the order of the
        levels. The type `float` keeps the answers as they are: numbers, such as incomes.
    outcome : str
        The name of the outcome's column in the result.
    keep : sequence of str
        Columns of the survey that stay beside these: weights, identifiers, strata of its design.

    Returns
    -------
    pandas.DataFrame
        One row per respondent who is kept: the frame's columns in the frame's words, the outcome
        (0 or 1, an ordered category, or a number) and the columns `keep`, indexed as `survey`.
        ``.attrs["dropped"]`` says how many respondents left, and why; ``.attrs["unseen"]`` lists
        for each column the frame's levels that nobody has.

    Raises
    ------
    KeyError
        When a table lacks a column.
    TypeError
        When an argument is of the wrong type, or a code is a list or the like.
    ValueError
        When a code or an answer that occurs is not named or is missing (True does not name 1),
        when a code leads to a level that the frame does not have, when an answer is to become
        anything but 1, 0 or None and not every one a level's name, when a column to keep has the
        name of another column of the result, or when nobody is left.

    Examples
    --------
    >>> import pandas as pd
    >>> from mrp_helpers import recode_to_frame
    >>> survey = pd.DataFrame({"sex": [1, 2, 2, 9], "q7": ["agree", "agree", "disagree", "agree"]})
    >>> frame = pd.DataFrame({"gender": ["man", "woman"], "n": [48_000, 52_000]})
    >>> respondents = recode_to_frame(
    ...     survey,
    ...     frame,
    ...     {"gender": "sex"},
    ...     {"gender": {1: "man", 2: "woman", 9: None}},
    ...     answer="q7",
    ...     answers={"agree": 1, "disagree": 0},
    ... )
    >>> respondents
      gender  yes
    0    man    1
    1  woman    1
    2  woman    0
    >>> respondents.attrs["dropped"]
    {'sex is 9': 1}
    """
    codes = {} if codes is None else codes
    keep = [keep] if isinstance(keep, str) else list(keep)
    for mapping, what in (
        (columns, "columns"),
        (codes, "codes"),
        ({} if answers is float else answers, "answers"),
    ):
        require_type(mapping, Mapping, what)
    require_type(answer, str, "answer")
    require_columns(frame, columns, "frame")
    require_columns(survey, [*columns.values(), answer, *keep], "survey")
    if not columns or outcome in columns:
        raise ValueError(
            f"columns = {dict(columns)!r} with outcome {outcome!r} makes no table of cells: name "
            "at least one column of the frame, and give the outcome a name of its own"
        )
    if strangers := [column for column in codes if column not in columns]:
        raise ValueError(
            f"codes are given for {listing(strangers)}, which columns does not name; "
            f"it names {listing(columns)}"
        )
    matched = {
        column: _in_words_of(survey[source], frame[column], codes.get(column))
        for column, source in columns.items()
    }
    if again := [column for column in keep if column in {*columns, outcome}]:
        raise ValueError(
            f"keep names {listing(again)}, and the result has a column of that name already; "
            "rename the survey's column"
        )
    matched[outcome] = _answered(survey[answer], answers)
    respondents = pd.DataFrame(matched)
    kept = respondents.dropna().infer_objects().astype({outcome: _type_of(answers)})
    if kept.empty:
        raise ValueError("no respondent is left; codes and answers leave everybody out")
    there = respondents.notna().all(axis=1).to_numpy()
    kept = kept.assign(**{column: survey[column].array[there] for column in keep})
    kept.attrs["dropped"] = _left_out(respondents, survey, {**columns, outcome: answer})
    kept.attrs["unseen"] = {
        column: unseen
        for column in columns
        if (unseen := [v for v in frame[column].drop_duplicates() if v not in set(kept[column])])
    }
    return kept


def _answered(
    values: pd.Series, answers: Mapping[Any, int | str | None] | type[float]
) -> pd.Series:
    """Translate the answers, or check that they are numbers."""
    if isinstance(answers, type):
        require_numbers(values, f"survey: column {values.name!r}")
        _refuse_missing(values)  # no code can stand among numbers
        answers = {number: number for number in values.drop_duplicates()}
        return _translated(values, answers, "answers")
    if not _are_levels(answers):
        wrong = [value for value in answers.values() if value not in (0, 1, None)]
        if wrong:
            raise ValueError(
                f"answers become {listing(wrong)}; make each of them 1, 0 or None, or each of them "
                "the name of a level or None"
            )
    return _translated(values, answers, "answers")


def _are_levels(answers: Mapping[Any, int | str | None]) -> bool:
    named = [value for value in answers.values() if value is not None]
    return bool(named) and all(isinstance(value, str) for value in named)


def _type_of(answers: Mapping[Any, int | str | None] | type[float]) -> Any:
    """Choose the type of an outcome: a number, 0 or 1, or levels in the order they are named in."""
    if isinstance(answers, type):
        return "float64"
    if not _are_levels(answers):
        return "int64"
    levels = dict.fromkeys(level for level in answers.values() if level is not None)
    return pd.CategoricalDtype(list(levels), ordered=True)


def _in_words_of(
    values: pd.Series, levels: pd.Series, codes: Mapping[Any, object] | None
) -> pd.Series:
    """Translate a survey's column into a frame's levels."""
    known = levels.drop_duplicates().tolist()
    if codes is None:
        codes = {level: level for level in known}
    keys = {level_key(level) for level in [*known, None]}
    nowhere = {code: level for code, level in codes.items() if level_key(level) not in keys}
    if nowhere:
        code, level = next(iter(nowhere.items()))
        raise ValueError(
            f"codes send {code!r} to {level!r}, but the frame's {levels.name} has only "
            f"{listing(known)}; correct the level, or send the code to None to leave it out"
        )
    return _translated(values, codes, f"codes for the frame's {levels.name}")


def _translated(values: pd.Series, codes: Mapping[Any, object], what: str) -> pd.Series:
    """Map codes, and refuse one that is missing or that nobody has named."""
    resolvable = values.astype("object").map(lambda value: isinstance(value, Hashable))
    if not resolvable.all():
        raise TypeError(
            f"survey: column {values.name!r} holds {type(values[~resolvable].iloc[0]).__name__}s, "
            "which cannot be codes; give each respondent one value"
        )
    named = f"survey[{values.name!r}].astype('object').fillna('missing')"
    _refuse_missing(values, f", or give them a code, {named}, to have them counted")
    found = values.drop_duplicates().tolist()
    keys = {level_key(code) for code in codes}
    unnamed = [code for code in found if level_key(code) not in keys]
    if unnamed:
        remedy = "name it there, or send it to None to leave these respondents out"
        if any(code in codes for code in unnamed):
            remedy = f"a boolean is not a number, so name {listing(found)} there"
        raise ValueError(
            f"survey: {listing(unnamed)} in column {values.name!r} is not among the {what} "
            f"({listing(codes)}); {remedy}"
        )
    return values.astype("object").map(dict(codes))


def _refuse_missing(values: pd.Series, or_else: str = "") -> None:
    if values.isna().any():
        raise ValueError(
            f"survey: column {values.name!r} is missing for {values.isna().sum():,} respondent(s); "
            f"drop them with survey.dropna(subset=[{values.name!r}]){or_else}"
        )


def _left_out(
    respondents: pd.DataFrame, survey: pd.DataFrame, sources: Mapping[str, str]
) -> dict[str, int]:
    """Count those who have no level, each once, under the first code that leaves them out."""
    counts = {}
    there = pd.Series(True, index=respondents.index)
    for name, source in sources.items():
        out = respondents[name].isna() & there
        there &= ~out
        for code, count in survey.loc[out, source].value_counts(sort=False).items():
            counts[f"{source} is {code}"] = int(count)
    return counts
