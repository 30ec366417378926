"""What the studies found that chapters read: one loader, one list of checksums.

Each table is beside this module, written by a script in `research` that anyone can run again.
Large ones keep shares and scores as whole numbers, to be divided by their unit when they are read.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from mrp_helpers._require import listing
from mrp_helpers.data import verified_bytes

FOLDER = Path(__file__).parent
REMEDY = "restore it with `git checkout -- mrp_course/results` in a clone, or reinstall mrp-course"
# Parts of a share, which are ten-thousandths of a percentage point; and of a score.
SHARE_UNITS = 1_000_000
SCORE_UNITS = 100_000


class Result(NamedTuple):
    """A stored table: its file, who writes it, and what whole numbers in it are parts of."""

    file: str
    script: str
    units: dict[str, int] | int = 1


# Shares are stored as hundredths of a percentage point, places as thousandths.
_STUDY = dict.fromkeys(["estimate", "sd", "lower", "upper"], 10_000)
_STUDY |= {"place": 1_000, "place_people": 1_000, "worth": 1}

RESULTS = {
    "study": Result("study.parquet", "study", _STUDY),
    "study_nuts": Result("study_nuts.csv", "study_nuts"),
    "methods": Result("methods.csv", "simulations", SHARE_UNITS),
    "unsampled": Result("unsampled.csv", "simulations", SHARE_UNITS),
    "elpd_samples": Result("elpd_samples.csv", "simulations", SHARE_UNITS),
    "own_sds": Result("own_sds.csv", "own_sds", SHARE_UNITS),
    "own_elpd": Result("own_elpd.csv", "own_sds", SHARE_UNITS),
    "held_out": Result("held_out.csv", "own_sds", SHARE_UNITS),
    "party": Result("party.csv", "simulations", SHARE_UNITS),
    "assumptions": Result("assumptions.csv", "simulations", SHARE_UNITS),
    "election": Result("election.csv", "election"),
    "leave_one_out": Result(
        "leave_one_out.parquet", "simulations", dict.fromkeys(["elpd", "k"], SCORE_UNITS)
    ),
    "structured_ages": Result("structured_ages.csv", "structured"),
    "structured_states": Result("structured_states.csv", "structured"),
    "structured_questions": Result("structured_questions.csv", "structured"),
    "structured_sampler": Result("structured_sampler.csv", "structured"),
    "parties_states": Result("parties_states.csv", "parties"),
    "parties_ideology": Result("parties_ideology.csv", "parties"),
    "calibration_ranks": Result("calibration_ranks.csv", "calibrate"),
    "calibration_coverage": Result("calibration_coverage.csv", "calibrate"),
    "survey_design": Result("survey_design.csv", "survey_design"),
    "frames": Result("frames.csv", "frames"),
    "samplers": Result("samplers.csv", "benchmarks.samplers"),
    "samplers_states": Result("samplers_states.csv", "benchmarks.samplers"),
    "gradients": Result("gradients.csv", "benchmarks.samplers"),
    "large_frame": Result("large_frame.csv", "benchmarks.large_frame"),
}


def load_result(name: str) -> pd.DataFrame:
    """Load the stored table of a study.

    Parameters
    ----------
    name : str
        ``"study"``
            Chapter 10. One row per area of a biased sample and estimator: ``recipe, people,
            sample, estimator, area`` (``"US"`` or a state), ``asked`` (respondents there),
            ``estimate, sd, lower, upper`` (shares, 0-1; the interval is the 95% one), ``place``
            (the share of the estimator's distribution below the truth), ``place_people`` (the same
            for the share in the finite population) and ``worth`` (effective number of proposals
            of a model's standard deviations).
        ``"study_nuts"``
            The same by full sampling, in some of the samples, with the sampler's diagnostics.
        ``"methods"``
            Chapter 8. One row per biased sample (``seed``) and ``method``, with its errors and
            coverage in the states and in the nation, as shares.
        ``"unsampled"``
            Chapters 7 and 8. One row per biased sample (``seed``): the ``error`` of the main model
            in the cells that the sample did not reach, and their share of the people.
        ``"elpd_samples"``
            Chapter 8. One row per biased sample (``seed``), and the elpd by cell of each model.
        ``"own_sds"``, ``"own_elpd"``
            Chapters 7 to 9, with standard deviations that each sample estimates. One row per
            ``seed``: the main model's difference between thirds of the states by ethnicity, and its
            error in the cells that were ``unsampled``; the elpd by cell of each model.
        ``"held_out"``
            Chapter 7. One row per ``seed``: the share of four states without respondents that
            intervals cover, and their mean width, with the effect ``zero`` and with a ``draw``.
        ``"party"``, ``"assumptions"``
            Chapter 12. One row per ``seed``, and one column per way of raking to party, or per
            assumption that fails, with the estimated share.
        ``"election"``
            Chapter 11. One row per biased sample of voters (``seed``) and ``estimator``: scores in
            the states against the official result (points and per cent), and the ``nation``.
        ``"leave_one_out"``
            Chapter 8. One row per ``model`` and left-out row (``kind`` is ``"cell"`` or
            ``"person"``), in the order of the chapter's tables: ``elpd`` and Pareto ``k``.
        ``"structured_ages"``, ``"structured_states"``
            Chapter 13. One row per sample, prior or model, and age or state: ``asked``,
            ``estimate, lower, upper, truth`` (shares).
        ``"structured_questions"``, ``"structured_sampler"``
            Chapter 13. One row per sample, ``question``, ``prior`` and ``age`` that was removed;
            and, by full sampling, one row per ``thinned`` age, ``prior`` and ``age``.
        ``"parties_states"``, ``"parties_ideology"``
            Chapter 16. One row per ``sample`` and ``method``, with scores in the states, the lowest
            and the highest sum of three shares and the nation's shares; and one per sample, number
            of ``people`` and ``model``, with mean absolute errors of shares (``share_state``) and
            mean scores (``score_state``), and the coverage of shares (``cover_state``).
        ``"calibration_ranks"``, ``"calibration_coverage"``
            The appendix on calibration. One row per simulated data set, or per area of a sample.
        ``"frames"``
            Chapter 17. One row per survey (``seed``), published ``tables`` and ``source`` of what
            they leave open, all scores in points: people in a wrong cell (``misplaced``), the
            change of the ``nation``'s estimate, and mean changes of the ``states``, of education
            by age, of ethnicity by education, and of the ``worst_state``. What needs no survey
            stands under seed 0 alone.
        ``"survey_design"``
            Chapter 18. One row per sample (``seed``), ``survey`` and ``way`` to estimate: the
            nation's ``estimate, lower, upper``, the same of the rural areas (``rural_...``, where
            there is one), how many ``states`` have an interval, and their mean absolute error,
            coverage and mean width, all as shares.
        ``"samplers"``, ``"samplers_states"``, ``"gradients"``, ``"large_frame"``
            Chapter 14. Time, memory and diagnostics, each measured on one machine.

    Returns
    -------
    pandas.DataFrame
        The table, shares and scores as floats.

    Raises
    ------
    KeyError
        When there is no such result.
    FileNotFoundError, ValueError
        When the file is missing or damaged; the message says how to restore it.

    Notes
    -----
    Source: the script in ``research`` that ``RESULTS[name].script`` names.

    Examples
    --------
    >>> load_result("study")["estimator"].nunique()
    8
    >>> load_result("leave_one_out").groupby("kind")["k"].max().round(1).to_dict()
    {'cell': 0.8, 'person': 0.8}
    """
    if name not in RESULTS:
        raise KeyError(f"no result {name!r}; there are {listing(RESULTS, most=80)}")
    file, _, units = RESULTS[name]
    content = verified_bytes(FOLDER, file, REMEDY)
    stored = pd.read_parquet(content) if file.endswith("parquet") else pd.read_csv(content)
    if isinstance(units, int):
        numbers = stored.select_dtypes("number").columns.drop("seed", errors="ignore")
        units = {} if units == 1 else dict.fromkeys(numbers, units)
    return stored.assign(
        **{column: stored[column].astype("float64") / unit for column, unit in units.items()}
    )


def load_settings(name: str = "calibration") -> dict[str, Any]:
    """Load what a study was run with: priors, sampler, recipes."""
    content = verified_bytes(FOLDER, f"{name}_settings.json", REMEDY)
    settings: dict[str, Any] = json.load(content)
    return settings
