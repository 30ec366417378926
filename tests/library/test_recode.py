"""Codes become strata, nobody is lost unseen, and the published error cannot happen silently."""

import pandas as pd
import pytest

from mrp_helpers import (
    CELL,
    FIPS_STATES,
    LEVELS,
    OUTCOMES,
    clean_cces,
    load_cces,
    load_poststrat_frame,
    load_state_predictors,
    recode_to_frame,
)
from mrp_helpers.recode import _left_out

# The published notebook numbers the 50 states 1 to 50, as if codes had no gaps and no D.C.
STATES_NUMBERED_1_TO_50 = dict(enumerate((s for s in FIPS_STATES.values() if s != "DC"), start=1))


@pytest.fixture(scope="module")
def raw():
    return load_cces()


@pytest.fixture(scope="module")
def respondents(raw):
    return clean_cces(raw)


def correlation_with_repvote(respondents):
    support = respondents.groupby("state")["abortion"].mean()
    return support.corr(load_state_predictors().set_index("state")["repvote"])


def test_fingerprint_of_the_corrected_data(respondents):
    assert len(respondents) == 59_810
    assert respondents["abortion"].mean() == pytest.approx(0.43416, abs=5e-6)
    assert respondents["state"].nunique() == 50
    assert correlation_with_repvote(respondents) == pytest.approx(0.84, abs=0.005)
    assert list(respondents.columns) == ["caseid", *CELL, "abortion", "commonweight"]


def test_what_left_is_counted_and_adds_up(raw):
    respondents = clean_cces(raw)
    dropped = respondents.attrs["dropped"]
    assert dropped == {
        "no answer to CC18_321d": 63,
        "in DC, which the frame does not cover": 127,
    }
    assert len(raw) - 63 == 59_937
    assert len(raw) - sum(dropped.values()) == len(respondents)


def test_fingerprint_of_the_published_lookup(raw):
    published = clean_cces(raw, state_codes=STATES_NUMBERED_1_TO_50, on_unknown_state="drop")
    assert len(published) == 55_035
    assert set(published.attrs["dropped"]) == {
        "no answer to CC18_321d",
        "state code without a label",
    }
    assert published["abortion"].mean() == pytest.approx(0.434051, abs=5e-7)
    assert set(FIPS_STATES.values()) - set(published["state"]) == {"AZ", "CT", "IN", "TX", "DC"}
    assert correlation_with_repvote(published) == pytest.approx(-0.25, abs=0.005)


def test_published_lookup_is_refused_by_default(raw):
    with pytest.raises(ValueError, match="codes 51, 53, 54, 55, 56 have no label") as refusal:
        clean_cces(raw, state_codes=STATES_NUMBERED_1_TO_50)
    assert "nobody has the labelled codes [3, 7, 14, 43]" in str(refusal.value)
    assert str(refusal.value).endswith(
        ". inputstate holds FIPS codes: pass state_codes=FIPS_STATES, or "
        "on_unknown_state='drop' to lose these respondents knowingly"
    )


def test_no_unused_label_is_reported_where_there_is_none(raw):
    fewer = {code: state for code, state in FIPS_STATES.items() if state != "WY"}
    with pytest.raises(ValueError, match=r"codes 56 have no label \(\d+ respondents\)\. input"):
        clean_cces(raw, state_codes=fewer)


def test_rows_keep_their_person_whatever_their_index(raw):
    some = raw.iloc[200:260]
    pd.testing.assert_frame_equal(clean_cces(some), clean_cces(some.reset_index(drop=True)))
    assert clean_cces(some)["age"].dtype == "str"


def test_every_cell_of_the_survey_is_in_the_frame(respondents):
    frame_cells = set(load_poststrat_frame()[CELL].itertuples(index=False, name=None))
    assert set(respondents[CELL].itertuples(index=False, name=None)) <= frame_cells
    for column, levels in LEVELS.items():
        assert set(respondents[column]) == set(levels)


def test_men_are_plus_a_half(raw, respondents):
    sexes = raw.set_index("caseid").loc[respondents["caseid"], "gender"].to_numpy()
    assert ((respondents["male"] == 0.5) == (sexes == 1)).all()
    assert set(respondents["male"]) == {-0.5, 0.5}


def test_age_bands_at_their_edges(raw):
    one = raw.iloc[[0]]
    edges = {18: "18-29", 29: "18-29", 30: "30-39", 69: "60-69", 70: "70+", 120: "70+"}
    for age, band in edges.items():
        assert clean_cces(one.assign(birthyr=2018 - age))["age"].item() == band


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_can_be_cleaned(raw, outcome):
    clean = clean_cces(raw, outcome=outcome)
    supporters = (raw[OUTCOMES[outcome]] == 1) & (raw["inputstate"] != 11)
    assert clean[outcome].sum() == supporters.sum()


def test_unknown_outcome_lists_the_known_ones(raw):
    with pytest.raises(KeyError, match="no outcome 'taxes'; choose one of 'always_allow'"):
        clean_cces(raw, outcome="taxes")


def test_missing_column_is_named(raw):
    with pytest.raises(KeyError, match="survey has no column 'educ'; it has 'education'"):
        clean_cces(raw.rename(columns={"educ": "education"}))


@pytest.mark.parametrize(("column", "code"), [("race", 9), ("gender", 3), ("educ", 0)])
def test_unknown_code_is_refused(raw, column, code):
    broken = raw.copy()
    broken.loc[5, column] = code
    with pytest.raises(ValueError, match=rf"{column}: codes .*{code}.* have no label \(1 resp"):
        clean_cces(broken)


def test_unknown_answer_is_refused(raw):
    broken = raw.copy()
    broken.loc[5, "CC18_321d"] = 8
    with pytest.raises(ValueError, match="CC18_321d: codes .*8"):
        clean_cces(broken)


@pytest.mark.parametrize("year", [2001, 1897, None])
def test_impossible_birth_year_is_refused(raw, year):
    broken = raw.copy()
    broken.loc[5, "birthyr"] = year
    with pytest.raises(ValueError, match="birthyr: 1 respondents .* 120 in 2018, or have no birth"):
        clean_cces(broken)


def test_unknown_choice_for_unknown_states(raw):
    with pytest.raises(ValueError, match="choose 'raise' or 'drop'"):
        clean_cces(raw, on_unknown_state="ignore")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"race": "1"}, TypeError, "^race is not numeric but str; convert it with pd.to_numeric"),
        ({"inputstate": "1"}, TypeError, "^inputstate is not numeric but str"),
        ({"birthyr": "1960"}, TypeError, "^birthyr is not numeric but str"),
        ({"race": float("nan")}, ValueError, r"race: codes nan have no label \(50 respondents\)"),
        ({"educ": float("nan")}, ValueError, "educ: codes nan have no label"),
        ({"inputstate": float("nan")}, ValueError, "inputstate: codes nan have no label"),
        ({"inputstate": 3}, ValueError, r"codes 3 have no label .*pass state_codes=FIPS_STATES"),
    ],
)
def test_codes_that_are_text_or_missing_are_refused(raw, change, error, message):
    with pytest.raises(error, match=message):
        clean_cces(raw.head(50).assign(**change))


# A survey of one's own: other names, other codes.

VILLAGE = pd.DataFrame(
    {
        "luogo": ["colle", "colle", "piano", "piano", "piano"],
        "sesso": [1, 2, 2, 1, 9],
        "risposta": ["si", "no", "si", "non so", "no"],
    },
    index=[3, 5, 8, 13, 21],
)
VILLAGE_FRAME = pd.DataFrame(
    {
        "area": ["colle", "colle", "piano", "piano", "valle", "valle"],
        "gender": ["man", "woman"] * 3,
        "n": [10, 12, 30, 31, 5, 4],
    }
)
VILLAGE_WORDS = {
    "survey": VILLAGE,
    "frame": VILLAGE_FRAME,
    "columns": {"area": "luogo", "gender": "sesso"},
    "codes": {"gender": {1: "man", 2: "woman", 9: None}},
    "answer": "risposta",
    "answers": {"si": 1, "no": 0, "non so": None},
}


def test_a_survey_is_put_into_the_words_of_its_frame():
    respondents = recode_to_frame(**VILLAGE_WORDS)
    assert respondents.to_dict("split") == {
        "index": [3, 5, 8],
        "columns": ["area", "gender", "yes"],
        "data": [["colle", "man", 1], ["colle", "woman", 0], ["piano", "woman", 1]],
    }
    assert respondents["yes"].dtype == "int64"
    assert respondents.attrs["dropped"] == {"sesso is 9": 1, "risposta is non so": 1}
    assert respondents.attrs["unseen"] == {"area": ["valle"]}


def test_weights_and_identifiers_stay_and_missing_ones_leave_nobody_out():
    survey = VILLAGE.assign(peso=[1.0, 0.0, None, 2.0, 3.0], caso=range(5))
    words = VILLAGE_WORDS | {"survey": survey}
    respondents = recode_to_frame(**words, keep=["caso", "peso"])
    assert list(respondents) == ["area", "gender", "yes", "caso", "peso"]
    kept = survey.loc[respondents.index, ["caso", "peso"]]
    pd.testing.assert_frame_equal(respondents[["caso", "peso"]], kept)
    assert respondents.attrs == recode_to_frame(**words).attrs
    alike = recode_to_frame(**words | {"survey": survey.set_axis([0] * 5)}, keep="caso")
    assert alike["caso"].to_list() == kept["caso"].to_list()


def test_answers_become_levels_in_the_order_in_which_they_are_named():
    answers = {"no": "against", "non so": "undecided", "si": "in favour"}
    found = recode_to_frame(**VILLAGE_WORDS | {"answers": answers})["yes"]
    assert found.cat.ordered
    assert found.cat.categories.to_list() == ["against", "undecided", "in favour"]
    assert found.to_list() == [answers[said] for said in VILLAGE.loc[found.index, "risposta"]]
    merged = answers | {"non so": "against"}
    found = recode_to_frame(**VILLAGE_WORDS | {"answers": merged})["yes"]
    assert found.cat.categories.to_list() == ["against", "in favour"]


def test_answers_that_are_numbers_stay_numbers():
    words = VILLAGE_WORDS | {"answers": float, "answer": "spesa"}
    survey = VILLAGE.assign(spesa=[10, 20, 30, 40, 50])
    found = recode_to_frame(**words | {"survey": survey})["yes"]
    assert found.dtype == "float64"
    assert found.to_list() == survey.loc[found.index, "spesa"].to_list()
    with pytest.raises(ValueError, match="'spesa' is missing for 1 respondent") as refusal:
        recode_to_frame(**words | {"survey": survey.assign(spesa=[10, 20, 30, None, 50])})
    assert "code" not in str(refusal.value)
    with pytest.raises(TypeError, match="survey: column 'spesa' is not numeric"):
        recode_to_frame(**words | {"survey": VILLAGE.assign(spesa="a lot")})


def test_one_whom_the_first_and_the_third_column_leave_out_counts_once():
    levels = pd.DataFrame({"sex": [None, "man"], "age": ["old", "old"], "vote": [None, "yes"]})
    survey = pd.DataFrame({"q1": [9, 1], "q2": [2, 2], "q3": [8, 1]})
    sources = {"sex": "q1", "age": "q2", "vote": "q3"}
    assert _left_out(levels, survey, sources) == {"q1 is 9": 1}


def test_one_who_is_left_out_twice_counts_once():
    survey = VILLAGE.assign(risposta="non so", sesso=[1, 9, 9, 9, 9])
    survey.loc[3, "risposta"] = "si"
    dropped = recode_to_frame(**VILLAGE_WORDS | {"survey": survey}).attrs["dropped"]
    assert dropped == {"sesso is 9": 4}


def test_matching_gives_what_the_course_s_own_recode_gives(raw, respondents):
    """The CCES as if it were any survey: all of its codes named, and the same strata come out."""
    survey = raw.dropna(subset=["CC18_321d"]).copy()
    oldest = [17, 29, 39, 49, 59, 69, 120]
    survey["band"] = pd.cut(2018 - survey["birthyr"], oldest, labels=LEVELS["age"]).astype(str)
    no_hs, hs, some, college, post = LEVELS["edu"]
    matched = recode_to_frame(
        survey,
        load_poststrat_frame(),
        dict(zip(CELL, ["inputstate", "race", "gender", "band", "educ"], strict=True)),
        {
            "state": FIPS_STATES | {11: None},
            "eth": dict(enumerate(["White", "Black", "Hispanic", *["Other"] * 5], start=1)),
            "male": {1: 0.5, 2: -0.5},
            "edu": dict(enumerate([no_hs, hs, some, some, college, post], start=1)),
        },
        answer="CC18_321d",
        answers={1: 1, 2: 0},
        outcome="abortion",
    )
    assert matched.attrs == {"dropped": {"inputstate is 11": 127}, "unseen": {}}
    expected = respondents[[*CELL, "abortion"]]
    pd.testing.assert_frame_equal(matched.reset_index(drop=True), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": None}, r"1, 2, 9 in column 'sesso' is not among the codes for the frame's gend"),
        ({"codes": {"gender": {1: "man", 2: "woman"}}}, r"9 in column 'sesso' .* send it to None"),
        ({"codes": {"gender": {1: "man", 2: "lady", 9: None}}}, r"2 to 'lady', but the frame's"),
        ({"codes": {"age": {1: "young"}}}, r"codes are given for 'age', which columns does not"),
        ({"answers": {"si": 1, "no": 0}}, r"'non so' in column 'risposta' .* among the answers"),
        ({"answers": {"si": 1, "no": 2, "non so": None}}, r"become 2; make each of them 1, 0 or"),
        (
            {"answers": dict.fromkeys(["si", "no", "non so"])},
            "^no respondent is left; codes and answers leave everybody out$",
        ),
        (
            {"answers": {"si": "yes", "no": 0, "non so": None}},
            "become 'yes'; make .* the name of a",
        ),
        ({"survey": VILLAGE.assign(area=1), "keep": ["area"]}, "keep names 'area', and .* rename"),
        ({"columns": {}, "codes": None}, "name at least one column"),
        ({"outcome": "area"}, "give the outcome a name of its own"),
        ({"survey": VILLAGE.assign(luogo=[None, *"aaaa"])}, r"'luogo' is missing for 1 respondent"),
        ({"survey": VILLAGE.assign(risposta=None)}, r"'risposta' is missing for 5 respondent"),
        ({"survey": VILLAGE.iloc[:0]}, "no respondent is left"),
    ],
)
def test_what_cannot_be_matched_is_refused(change, message):
    with pytest.raises(ValueError, match=message) as refusal:
        recode_to_frame(**VILLAGE_WORDS | change)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {"area": "dove"}}, "survey has no column 'dove'; its columns are"),
        ({"columns": {"areas": "luogo"}}, "frame has no column 'areas'; it has 'area' - rename"),
        ({"answer": "rispota"}, "no column 'rispota'; it has 'risposta' - rename it"),
    ],
)
def test_tables_without_the_columns_are_refused(change, message):
    with pytest.raises(KeyError, match=message):
        recode_to_frame(**VILLAGE_WORDS | {"codes": None} | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": ["luogo"]}, "columns is of type list; pass a mapping"),
        ({"codes": 3}, "codes is of type int; pass a mapping"),
        ({"answers": 3}, "answers is of type int; pass a mapping"),
        ({"answer": 3}, "answer is of type int; pass a str"),
    ],
)
def test_arguments_of_the_wrong_type_are_named(change, message):
    with pytest.raises(TypeError) as refusal:
        recode_to_frame(**VILLAGE_WORDS | change)
    assert str(refusal.value) == message


# True equals 1 in Python, and a survey's 1 need not mean yes.
SIGNS = pd.DataFrame({"member": [True, False], "q": [1, 0], "notes": [[1], [2]]})
CLUB = pd.DataFrame({"member": ["in", "out"], "n": [3, 4]})


@pytest.mark.parametrize(
    ("survey", "codes", "message"),
    [
        (
            SIGNS,
            {1: "in", 0: "out"},
            r"^survey: True, False in column 'member' is not among the codes for the frame's "
            r"member \(1, 0\); a boolean is not a number, so name True, False there$",
        ),
        (
            SIGNS.astype({"member": int}),
            {True: "in", False: "out"},
            r"1, 0 in column 'member' is not among .* \(True, False\); .* so name 1, 0 there$",
        ),
        (
            SIGNS.astype({"member": str}),
            {True: "in", False: "out"},
            "'True', 'False' in .* None to",
        ),
    ],
)
def test_a_code_is_no_boolean(survey, codes, message):
    with pytest.raises(ValueError, match=message):
        recode_to_frame(
            survey,
            CLUB,
            {"member": "member"},
            {"member": codes},
            answer="q",
            answers={1: 1, 0: 0},
        )


def test_booleans_are_codes_where_they_are_named():
    codes = {"member": {True: "in", False: "out"}}
    words = {"columns": {"member": "member"}, "codes": codes, "answer": "q"}
    found = recode_to_frame(SIGNS, CLUB, **words, answers={1: 1, 0: 0})
    assert found.to_dict("list") == {"member": ["in", "out"], "yes": [1, 0]}


@pytest.mark.parametrize(
    ("frame", "codes"),
    [([1, 0], None), ([True, False], {True: 1, False: 0}), ([1, 0], {True: True})],
)
def test_a_level_of_the_frame_is_no_boolean_of_the_survey(frame, codes):
    codes = None if codes is None else {"member": codes}
    words = {"columns": {"member": "member"}, "codes": codes, "answer": "q"}
    with pytest.raises(ValueError, match="a boolean is not a number|frame's member has only"):
        recode_to_frame(SIGNS, CLUB.assign(member=frame), **words, answers={1: 1, 0: 0})


def test_lists_are_no_codes():
    words = {"columns": {"member": "notes"}, "answer": "q", "answers": {1: 1, 0: 0}}
    with pytest.raises(
        TypeError, match="survey: column 'notes' holds lists, which cannot be codes"
    ):
        recode_to_frame(SIGNS, CLUB, **words)
