"""Exercise 1, regression is stratification: twenty patients, and one step to the survey."""

import pandas as pd

from mrp_course._forms import Number, Table
from mrp_course._task import OTHERS, PER_CENT, REVERSED, UPSIDE_DOWN, task
from mrp_course.tasks import _world as world
from mrp_helpers.data import load_heart_transplants


def _risks() -> pd.Series:
    return load_heart_transplants().groupby("treatment")["death"].mean()


def _strata() -> pd.DataFrame:
    """Death rates: one row a risk group, one column a treatment."""
    patients = load_heart_transplants()
    return patients.pivot_table(index="risk", columns="treatment", values="death", aggfunc="mean")


def _treated_by_risk() -> pd.Series:
    return load_heart_transplants().groupby("risk")["treatment"].mean()


@task(
    "1.1",
    Number(),
    right="In these 20 patients death is 1.26 times as common among the treated. That is an "
    "association: the two groups may differ in more than the transplant.",
    hint="Take the share of deaths in each treatment group, then divide.",
    slips=[UPSIDE_DOWN],
)
def crude_risk_ratio() -> float:
    risks = _risks()
    return risks[1] / risks[0]


@crude_risk_ratio.mistake(
    "This is the difference of the two shares of deaths. A ratio divides them."
)
def _() -> float:
    risks = _risks()
    return risks[1] - risks[0]


@crude_risk_ratio.mistake(
    "This is the odds ratio: you divided deaths by survivors. With outcomes as common as "
    "these it lies further from 1 than the ratio of risks."
)
def _() -> float:
    odds = _risks() / (1 - _risks())
    return odds[1] / odds[0]


@crude_risk_ratio.mistake(
    "You divided the counts of deaths. More patients were treated than not, so more of them can "
    "die: divide each count by the size of its group first."
)
def _() -> float:
    deaths = load_heart_transplants().groupby("treatment")["death"].sum()
    return deaths[1] / deaths[0]


@task(
    "1.2",
    Table(keys=("treatment",), value="high_risk"),
    right="9 of the 13 treated were at high risk, against 3 of the 7 untreated: the groups were "
    "not alike before any heart was given.",
    hint="Within each treatment group, what share has risk 1?",
    slips=[OTHERS, PER_CENT],
)
def composition() -> pd.Series:
    return load_heart_transplants().groupby("treatment")["risk"].mean()


@composition.mistake(
    "You conditioned on the wrong column: these are shares of treated patients in each risk group, "
    "and the question asks for shares of high-risk patients in each treatment group."
)
def _() -> pd.Series:
    return _treated_by_risk().rename_axis("treatment")


@composition.mistake(
    "These are numbers of patients. The groups differ in size, so divide by the size of each."
)
def _() -> pd.Series:
    return load_heart_transplants().groupby("treatment")["risk"].sum()


@composition.mistake(
    "You divided by all 20 patients. Within a treatment group the two shares, high and low, "
    "should add up to 1."
)
def _() -> pd.Series:
    return load_heart_transplants().groupby("treatment")["risk"].sum() / 20


@task(
    "1.3",
    Table(keys=("treatment",), value="standardised"),
    right="Weighted by the 20 patients' own mix of risk, both death rates are one half: the whole "
    "crude difference came from who was treated.",
    hint="Average the two strata's death rates with the shares of the strata among all 20.",
    slips=[PER_CENT],
)
def standardised_risks() -> pd.Series:
    shares = load_heart_transplants()["risk"].value_counts(normalize=True)
    return _strata().mul(shares, axis="index").sum()


@standardised_risks.mistake(
    "These are the crude death rates: each group is still weighted by its own mix of risk."
)
def _() -> pd.Series:
    return _risks()


@standardised_risks.mistake(
    "You gave both strata the same weight. 8 patients are at low risk and 12 at high risk."
)
def _() -> pd.Series:
    return _strata().mean()


@standardised_risks.mistake(
    "You weighted by the mix of the treated. That answers another question, the effect among the "
    "treated; here the target is all 20."
)
def _() -> pd.Series:
    shares = load_heart_transplants().query("treatment == 1")["risk"].value_counts(normalize=True)
    return _strata().mul(shares, axis="index").sum()


@standardised_risks.mistake(
    "You averaged over treatments within each risk group. The result should be one number a "
    "treatment, averaged over risk: swap rows and columns."
)
def _() -> pd.Series:
    shares = load_heart_transplants()["treatment"].value_counts(normalize=True)
    return _strata().mul(shares, axis="columns").sum(axis="columns").rename_axis("treatment")


@task(
    "1.4",
    Table(keys=("name",), value="weight", any_scale=True),
    right="A patient stands for the others of the same risk who got the other treatment. With "
    "these weights plain weighted means give the standardised death rates.",
    hint="The weight is 1 divided by the probability of the treatment that this patient did get, "
    "given the patient's risk.",
)
def inverse_probability_weights() -> pd.Series:
    patients = load_heart_transplants().set_index("name")
    treated = patients["risk"].map(_treated_by_risk())
    return 1 / treated.where(patients["treatment"] == 1, 1 - treated)


@inverse_probability_weights.mistake(
    "You used the probability of being treated for everyone. For a patient who was not treated, "
    "the probability of what happened is one minus it."
)
def _() -> pd.Series:
    patients = load_heart_transplants().set_index("name")
    return 1 / patients["risk"].map(_treated_by_risk())


@inverse_probability_weights.mistake(
    "These are the probabilities themselves. Who had little chance of the treatment must count "
    "more, so take one divided by them."
)
def _() -> pd.Series:
    return 1 / inverse_probability_weights.answer()


@inverse_probability_weights.mistake(
    "You used one probability of treatment for all risk groups. Then the weights cannot correct "
    "for risk: estimate it within each risk group."
)
def _() -> pd.Series:
    patients = load_heart_transplants().set_index("name")
    treated = patients["treatment"].mean()
    return 1 / patients["treatment"].map({1: treated, 0: 1 - treated})


@inverse_probability_weights.mistake(
    "You conditioned on the wrong column: these come from the probability of the risk given the "
    "treatment, and the question asks for the treatment given the risk."
)
def _() -> pd.Series:
    patients = load_heart_transplants().set_index("name")
    high = patients["treatment"].map(composition.answer())
    return 1 / high.where(patients["risk"] == 1, 1 - high)


@task(
    "1.5",
    Table(keys=("risk",), value="weight", any_scale=True),
    right="2 against 2.25: nearly equal, although the strata have 8 and 12 patients. Additive "
    "least squares weights a stratum by how much the treatment varies in it.",
    hint="The weight of a stratum is n p (1 - p): n its patients, p their share of treated.",
)
def least_squares_weights() -> pd.Series:
    n = load_heart_transplants()["risk"].value_counts()
    treated = _treated_by_risk()
    return n * treated * (1 - treated)


@least_squares_weights.mistake(
    "These are the sizes of the strata. A saturated regression, averaged over the patients, "
    "weights by them; an additive one does not."
)
def _() -> pd.Series:
    return load_heart_transplants()["risk"].value_counts()


@least_squares_weights.mistake(
    "This is p (1 - p), the variance of the treatment within a stratum. A stratum with more "
    "patients counts more: multiply by n."
)
def _() -> pd.Series:
    treated = _treated_by_risk()
    return treated * (1 - treated)


@least_squares_weights.mistake(
    "These are the numbers of treated patients, the weights of the effect among the treated."
)
def _() -> pd.Series:
    return load_heart_transplants().groupby("risk")["treatment"].sum()


@least_squares_weights.mistake(
    "You took n p (1 - p) by treatment, with p the share at high risk. The strata are the risk "
    "groups and p is the share of treated."
)
def _() -> pd.Series:
    n = load_heart_transplants()["treatment"].value_counts()
    high = composition.answer()
    return (n * high * (1 - high)).rename_axis("risk")


def _support() -> pd.DataFrame:
    """Support in the laboratory: one row an education, one column a gender."""
    return world.respondents().pivot_table(index="edu", columns="male", values="abortion")


def _weighted_gap(people: pd.DataFrame) -> float:
    shares = people["edu"].value_counts(normalize=True)
    return ((_support()[0.5] - _support()[-0.5]) * shares).sum()


@task(
    "1.6",
    Number(within=2e-4),
    right="The same sum as with the transplants, and another outcome: between equally educated "
    "men and women the gap is 8.8 points, more than the crude 8.0. Composition hid a part of it.",
    hint="Take men minus women within each level of education, then average the five differences "
    "with the shares of the levels among all respondents.",
    slips=[REVERSED, PER_CENT],
)
def gender_gap() -> float:
    return _weighted_gap(world.respondents())


@gender_gap.mistake(
    "This is the plain difference between men and women: each gender is still weighted by its own "
    "mix of education."
)
def _() -> float:
    means = world.respondents().groupby("male")["abortion"].mean()
    return means[0.5] - means[-0.5]


@gender_gap.mistake(
    "You gave the five levels of education the same weight. Few respondents are without a high "
    "school diploma: use the levels' shares."
)
def _() -> float:
    return (_support()[0.5] - _support()[-0.5]).mean()


@gender_gap.mistake(
    "You used the men's mix of education. The target here is all respondents, men and women."
)
def _() -> float:
    return _weighted_gap(world.respondents().query("male > 0"))
