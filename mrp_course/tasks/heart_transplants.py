"""Exercise 1, regression is stratification: twenty patients, and one step to the survey."""

from functools import cache
from typing import Any

import pandas as pd

from mrp_course._forms import Number, Table
from mrp_course._task import OTHERS, PER_CENT, REVERSED, UPSIDE_DOWN, task
from mrp_course.tasks import _world as world
from mrp_helpers.data import load_heart_transplants


@cache
def _patients() -> pd.DataFrame:
    return load_heart_transplants().set_index("name")


def _risks() -> pd.Series:
    return _patients().groupby("treatment")["death"].mean()


def _treated_by_risk() -> pd.Series:
    return _patients().groupby("risk")["treatment"].mean()


def _ratio(values: pd.Series) -> float:
    """Divide the value of the treated by that of the untreated."""
    return values[1] / values[0]


crude_risk_ratio = task(
    "1.1",
    Number(),
    answer=lambda: _ratio(_risks()),
    right="In these 20 patients death is 1.26 times as common among the treated. That is an "
    "association: the two groups may differ in more than the transplant.",
    hint="Take the share of deaths in each treatment group, then divide.",
    mistakes=[
        UPSIDE_DOWN,
        (
            "This is the difference of the two shares of deaths. A ratio divides them.",
            lambda: _risks()[1] - _risks()[0],
        ),
        (
            "This is the odds ratio: you divided deaths by survivors. With outcomes as common as "
            "these it is further from 1 than the ratio of risks.",
            lambda: _ratio(_risks() / (1 - _risks())),
        ),
        (
            "You divided the counts of deaths. More patients were treated than not, so more of "
            "them can die: divide each count by the size of its group first.",
            lambda: _ratio(_patients().groupby("treatment")["death"].sum()),
        ),
    ],
)


composition = task(
    "1.2",
    Table(keys=("treatment",), value="high_risk"),
    answer=lambda: _patients().groupby("treatment")["risk"].mean(),
    right="9 of the 13 treated were at high risk, compared with 3 of the 7 untreated: the groups "
    "differed before any heart was given.",
    hint="Within each treatment group, what share has risk 1?",
    mistakes=[
        OTHERS,
        PER_CENT,
        (
            "You conditioned on the wrong column: these are shares of treated patients in each "
            "risk group, and the question asks for shares of high-risk patients in each "
            "treatment group.",
            lambda: _treated_by_risk().rename_axis("treatment"),
        ),
        (
            "These are numbers of patients. The groups differ in size, so divide by the size of "
            "each.",
            lambda: _patients().groupby("treatment")["risk"].sum(),
        ),
        (
            "You divided by all 20 patients. Within a treatment group the two shares, high and "
            "low, should add up to 1.",
            lambda: _patients().groupby("treatment")["risk"].sum() / 20,
        ),
    ],
)


def _strata() -> pd.DataFrame:
    """Death rates: one row a risk group, one column a treatment."""
    return _patients().pivot_table(index="risk", columns="treatment", values="death")


def _standardised(target: pd.DataFrame) -> pd.Series:
    """Weight the strata's death rates by the mix of risk of the target."""
    return _strata().mul(target["risk"].value_counts(normalize=True), axis="index").sum()


def _averaged_over_treatments() -> pd.Series:
    shares = _patients()["treatment"].value_counts(normalize=True)
    return _strata().mul(shares, axis="columns").sum(axis="columns").rename_axis("treatment")


standardised_risks = task(
    "1.3",
    Table(keys=("treatment",), value="standardised"),
    answer=lambda: _standardised(_patients()),
    right="Weighted by the 20 patients' own mix of risk, both death rates are one half: the whole "
    "crude difference came from who was treated.",
    hint="Average the two strata's death rates with the shares of the strata among all 20.",
    mistakes=[
        PER_CENT,
        (
            "These are the crude death rates: each group is still weighted by its own mix of risk.",
            _risks,
        ),
        (
            "You gave both strata the same weight. 8 patients are at low risk and 12 at high risk.",
            lambda: _strata().mean(),
        ),
        (
            "You weighted by the mix of the treated. That answers a different question, the effect "
            "among the treated; here the target is all 20.",
            lambda: _standardised(_patients().query("treatment == 1")),
        ),
        (
            "You averaged over treatments within each risk group. The result should be one number "
            "per treatment, averaged over risk: swap rows and columns.",
            _averaged_over_treatments,
        ),
    ],
)


def _inverse(probability: pd.Series, happened: pd.Series) -> pd.Series:
    """Divide 1 by the probability of what did happen, yes (1) or no (0)."""
    return 1 / probability.where(happened == 1, 1 - probability)


def _with_one_probability() -> pd.Series:
    treatment = _patients()["treatment"]
    return _inverse(pd.Series(treatment.mean(), treatment.index), treatment)


def _of_risk_given_treatment() -> pd.Series:
    return _inverse(_patients()["treatment"].map(composition.answer()), _patients()["risk"])


inverse_probability_weights = task(
    "1.4",
    Table(keys=("name",), value="weight", any_scale=True),
    answer=lambda: _inverse(_patients()["risk"].map(_treated_by_risk()), _patients()["treatment"]),
    right="A patient also represents those of the same risk who got the other treatment. With "
    "these weights, weighted means give the standardised death rates.",
    hint="The weight is 1 divided by the probability of the treatment that this patient did get, "
    "given the patient's risk.",
    mistakes=[
        (
            "You used the probability of being treated for everyone. For a patient who was not "
            "treated, the probability of what happened is one minus it.",
            lambda: 1 / _patients()["risk"].map(_treated_by_risk()),
        ),
        (
            "These are the probabilities themselves. Patients whose treatment was improbable must "
            "count more, so take one divided by them.",
            lambda right: 1 / right,
        ),
        (
            "You used one probability of treatment for all risk groups. Then the weights cannot "
            "correct for risk: estimate it within each risk group.",
            _with_one_probability,
        ),
        (
            "You conditioned on the wrong column: these come from the probability of the risk "
            "given the treatment, and the question asks for the treatment given the risk.",
            _of_risk_given_treatment,
        ),
    ],
)


def _sizes(column: str) -> pd.Series:
    return _patients()[column].value_counts()


def _n_p_q(n: pd.Series | int, p: pd.Series) -> pd.Series:
    return n * p * (1 - p)


least_squares_weights = task(
    "1.5",
    Table(keys=("risk",), value="weight", any_scale=True),
    answer=lambda: _n_p_q(_sizes("risk"), _treated_by_risk()),
    right="2 and 2.25: nearly equal, although the strata have 8 and 12 patients. Additive "
    "least squares weights a stratum by how much the treatment varies in it.",
    hint="The weight of a stratum is n p (1 - p): n its patients, p their share of treated.",
    mistakes=[
        (
            "These are the sizes of the strata. A saturated regression, averaged over the "
            "patients, weights by them; an additive one does not.",
            lambda: _sizes("risk"),
        ),
        (
            "This is p (1 - p), the variance of the treatment within a stratum. A stratum with "
            "more patients counts more: multiply by n.",
            lambda: _n_p_q(1, _treated_by_risk()),
        ),
        (
            "These are the numbers of treated patients, the weights of the effect among the "
            "treated.",
            lambda: _patients().groupby("risk")["treatment"].sum(),
        ),
        (
            "You took n p (1 - p) by treatment, with p the share at high risk. The strata are "
            "the risk groups and p is the share of treated.",
            lambda: _n_p_q(_sizes("treatment"), composition.answer()).rename_axis("risk"),
        ),
    ],
)


def _support() -> pd.DataFrame:
    """Support in the laboratory: one row an education, one column a gender."""
    return world.respondents().pivot_table(index="edu", columns="male", values="abortion")


def _men_minus_women(support: pd.Series | pd.DataFrame) -> Any:
    return support[0.5] - support[-0.5]


def _weighted_gap(people: pd.DataFrame) -> float:
    shares = people["edu"].value_counts(normalize=True)
    return (_men_minus_women(_support()) * shares).sum()


gender_gap = task(
    "1.6",
    Number(within=2e-4),
    answer=lambda: _weighted_gap(world.respondents()),
    right="The same sum as with the transplants, with a different outcome: between equally "
    "educated men and women the gap is 8.8 points, more than the crude 8.0. Composition hid a part "
    "of it.",
    hint="Take men minus women within each level of education, then average the five differences "
    "with the shares of the levels among all respondents.",
    mistakes=[
        REVERSED,
        PER_CENT,
        (
            "This is the plain difference between men and women: each gender is still weighted "
            "by its own mix of education.",
            lambda: _men_minus_women(world.truth("male")),
        ),
        (
            "You gave the five levels of education the same weight. Few respondents are without "
            "a high school diploma: use the levels' shares.",
            lambda: _men_minus_women(_support()).mean(),
        ),
        (
            "You used the men's mix of education. The target here is all respondents, men and "
            "women.",
            lambda: _weighted_gap(world.respondents().query("male > 0")),
        ),
    ],
)
