"""Ask over many samples which way of using a survey's weights and design covers the truth.

    python -m research.survey_design               go on until all samples are stored
    python -m research.survey_design --minutes 5   stop after five minutes; the next run goes on

The population is the laboratory's, whose kind of place (city, suburb, town, rural area) is known
for each person and is no column of the frame. Three surveys of 2,000 people are drawn from it:

*strata*: by kind of place, rural people four times and townspeople twice as readily as others, so
that the weights are known from the design;
*clusters*: 20 states, each drawn in proportion to its people, and 100 people in each;
*response*: no design, but readiness to answer that depends on the columns of the frame, so that
the weights are raked afterwards.

Each is estimated with and without its weights or design, in the nation, the states and the rural
areas. Models are fitted by `research/laplace.py`. The results are in mrp_course/results. A
sample's number is its seed.
"""

from functools import cache, partial

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import t as student

from mrp_course.results import FOLDER
from mrp_helpers import (
    CELL,
    aggregate_cells,
    draw_biased_sample,
    effective_sample_size,
    load_cces,
    rake,
    selection_weights,
)
from research import laboratory
from research.laboratory import NATION, SLOPES, minutes_asked, stored_numbers, work_through
from research.laplace import draw_coefficients, multilevel_model
from tools.write import write_checksums

FILE = FOLDER / "survey_design.csv"
SAMPLES = 200
PEOPLE = 2000
CLUSTERS = 20
DRAWS = 500
KINDS = {1: "City", 2: "Suburb", 3: "Town", 4: "Rural"}
READINESS = {"City": 1, "Suburb": 1, "Town": 2, "Rural": 4}
GROUPS = ["state", "eth", "edu", "age"]
PRIOR_PEOPLE = 20  # what the nation's shares of places count for in a state


# The population, and three ways to draw from it.


@cache
def population() -> pd.DataFrame:
    """Give the laboratory's people whose kind of place is known, with its name in ``place``."""
    kind = load_cces().set_index("caseid")["urbancity"].map(KINDS).rename("place")
    return (
        laboratory.respondents().join(kind, on="caseid").dropna(subset="place", ignore_index=True)
    )


@cache
def frame() -> pd.DataFrame:
    """Count the people of each occupied cell."""
    return laboratory.in_cells(population())


@cache
def frame_with_places() -> pd.DataFrame:
    """Split each occupied cell by kind of place; a part may be empty."""
    by = [*CELL, "place"]
    split = (
        frame().drop(columns=["n", "abortion"]).merge(pd.Series(KINDS, name="place"), how="cross")
    )
    people = aggregate_cells(population(), by=by)
    return split.merge(people, on=by, how="left").fillna({"n": 0, "abortion": 0})


@cache
def truth() -> pd.Series:
    """Give the share of support in the nation, the states and the rural areas."""
    people = population()
    shares = people.groupby("state")["abortion"].mean()
    whole = {
        NATION: people["abortion"].mean(),
        "Rural": people.loc[people["place"] == "Rural", "abortion"].mean(),
    }
    return pd.concat([pd.Series(whole), shares]).rename_axis("area")


def stratified_sample(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Series]:
    """Draw a fixed number from each kind of place; the weight is people per respondent."""
    sizes = population()["place"].value_counts()
    asked = sizes * pd.Series(READINESS)
    asked = (PEOPLE * asked / asked.sum()).round().astype(int)
    parts = [
        people.sample(asked[place], random_state=rng)
        for place, people in population().groupby("place")
    ]
    sample = pd.concat(parts, ignore_index=True)
    return sample, sample["place"].map(sizes / asked)


def clustered_sample(rng: np.random.Generator) -> pd.DataFrame:
    """Draw states in proportion to their people, and as many people in each, with replacement."""
    share = population()["state"].value_counts(normalize=True).sort_index()
    drawn = rng.choice(share.index, CLUSTERS, p=share)
    people = dict(list(population().groupby("state")))
    number = PEOPLE // CLUSTERS
    parts = [
        people[state].sample(number, replace=True, random_state=rng).assign(cluster=cluster)
        for cluster, state in enumerate(drawn)
    ]
    return pd.concat(parts, ignore_index=True)


def answering_sample(number: int) -> tuple[pd.DataFrame, pd.Series]:
    """Draw people by how readily they answer; the weights are raked to the frame's margins."""
    recipe = laboratory.RECIPES["milder"]
    readiness = selection_weights(population(), laboratory.states(), recipe)
    sample = draw_biased_sample(population(), readiness, n=PEOPLE, seed=number)
    margins = {}
    for column in CELL:
        people = population()[column].value_counts()
        people = people[people.index.isin(sample[column].unique())]
        margins[column] = people / people.sum()
    return sample, rake(sample, margins)


# Estimators that weight respondents.


def in_areas(sample: pd.DataFrame) -> pd.DataFrame:
    """Repeat the respondents for each area that they belong to: nation, state, rural areas."""
    rural = sample[sample["place"] == "Rural"].assign(area="Rural")
    return pd.concat([sample.assign(area=NATION), rural, sample.assign(area=sample["state"])])


def weighted(
    sample: pd.DataFrame, weight: pd.Series, stratum: str | None = None, unit: str | None = None
) -> pd.DataFrame:
    """Weighted means of the areas, with linearised errors and 95% intervals.

    Units were drawn independently within strata: respondents, or clusters of them. An area with
    fewer than two units has no interval.
    """
    design = {
        "stratum": 0 if stratum is None else sample[stratum],
        "unit": np.arange(len(sample)) if unit is None else sample[unit],
    }
    both = in_areas(sample.assign(weight=weight, **design))
    total = both.groupby("area")["weight"].sum()
    mean = (both["weight"] * both["abortion"]).groupby(both["area"]).sum() / total
    both["part"] = both["weight"] * (both["abortion"] - both["area"].map(mean))
    units = both.groupby(["area", "stratum", "unit"])["part"].sum().groupby(["area", "stratum"])
    squares = (units.var(ddof=1) * units.size()).groupby("area").sum()
    freedom = (units.size() - 1).groupby("area").sum()
    half = student.ppf(0.975, freedom.clip(lower=1)) * np.sqrt(squares) / total
    half = half.where(freedom > 0)
    return pd.DataFrame({"estimate": mean, "lower": mean - half, "upper": mean + half})


# Estimators that model them.


def posterior(
    sample: pd.DataFrame,
    rng: np.random.Generator,
    groups: list[str],
    frame: pd.DataFrame,
    weight: pd.Series | None = None,
) -> np.ndarray:
    """Draw the probability of support in each cell of a frame, (cells x draws).

    With weights, a respondent counts for as many as his or her weight says (a pseudo-likelihood).
    """
    by = [column for column in frame if column in (*CELL, "place")]
    worth = pd.Series(1.0, index=sample.index) if weight is None else weight
    counted = sample[by].assign(n=worth, abortion=worth * sample["abortion"])
    cells = laboratory.with_states(counted.groupby(by, as_index=False).sum())
    model, design = multilevel_model(cells, frame, SLOPES, groups)
    coefficients, _ = draw_coefficients(model, rng, DRAWS)
    return expit(design @ coefficients.T)


def post_stratified(
    p: np.ndarray, cells: pd.DataFrame, people: np.ndarray | None = None
) -> pd.DataFrame:
    """Summarise the draws of each area; `people` are draws of the cells' counts, if unsure."""
    if people is None:
        people = np.broadcast_to(cells["n"].to_numpy(float)[:, None], p.shape)
    members = {state: np.flatnonzero(cells["state"] == state) for state in cells["state"].unique()}
    members[NATION] = np.arange(len(cells))
    if "place" in cells:
        members["Rural"] = np.flatnonzero(cells["place"] == "Rural")
    support = people * p
    draws = pd.DataFrame(
        {
            area: support[rows].sum(axis=0) / people[rows].sum(axis=0)
            for area, rows in members.items()
        }
    )
    lower, upper = draws.quantile(0.025), draws.quantile(0.975)
    return pd.DataFrame({"estimate": draws.mean(), "lower": lower, "upper": upper})


def places_from_weights(
    sample: pd.DataFrame, weight: pd.Series, rng: np.random.Generator
) -> np.ndarray:
    """Draw the people of each cell and place when only the sample and its weights know places.

    The shares of places in each state come from a Dirichlet distribution of the weighted answers
    and the nation's shares; within a state they are the same for all cells. (cells x draws)
    """
    counted = pd.crosstab(sample["state"], sample["place"], weight, aggfunc="sum").fillna(0)
    counted *= effective_sample_size(weight) / weight.sum()
    nation = counted.sum() / counted.to_numpy().sum()
    cells, whole = frame_with_places(), frame().set_index(CELL)["n"]
    people = np.empty((len(cells), DRAWS))
    for state, rows in cells.groupby("state").indices.items():
        known = counted.loc[state] if state in counted.index else 0 * nation
        share = rng.dirichlet(known + PRIOR_PEOPLE * nation, DRAWS).T
        people[rows] = share[nation.index.get_indexer(cells["place"].iloc[rows])]
    return people * cells[CELL].join(whole, on=CELL)["n"].to_numpy()[:, None]


# One sample of each survey, estimated in every way.


def strata(number: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng([number, 0])
    sample, weight = stratified_sample(rng)
    equal = pd.Series(1.0, index=sample.index)
    mean_one = weight / weight.mean()
    effective = mean_one * effective_sample_size(weight) / len(weight)
    cells, places = frame(), frame_with_places()
    by_place = posterior(sample, rng, [*GROUPS, "place"], places)
    guessed = places_from_weights(sample, weight, rng)
    return {
        "unweighted mean": weighted(sample, equal),
        "weighted mean": weighted(sample, weight, stratum="place"),
        "MRP, weights ignored": post_stratified(posterior(sample, rng, GROUPS, cells), cells),
        "MRP, weighted likelihood": post_stratified(
            posterior(sample, rng, GROUPS, cells, mean_one), cells
        ),
        "MRP, likelihood of effective size": post_stratified(
            posterior(sample, rng, GROUPS, cells, effective), cells
        ),
        "MRP, place a cell": post_stratified(by_place, places),
        "MRP, place from the weights": post_stratified(by_place, places, guessed),
    }


def clusters(number: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng([number, 1])
    sample = clustered_sample(rng)
    equal, cells = pd.Series(1.0, index=sample.index), frame()
    without = [group for group in GROUPS if group != "state"]
    return {
        "mean, clusters ignored": weighted(sample, equal),
        "mean, clusters counted": weighted(sample, equal, unit="cluster"),
        "MRP, no state": post_stratified(posterior(sample, rng, without, cells), cells),
        "MRP": post_stratified(posterior(sample, rng, GROUPS, cells), cells),
    }


def response(number: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng([number, 2])
    sample, weight = answering_sample(number)
    equal, cells = pd.Series(1.0, index=sample.index), frame()
    mean_one = weight / weight.mean()
    return {
        "unweighted mean": weighted(sample, equal),
        "raked mean": weighted(sample, weight),
        "MRP": post_stratified(posterior(sample, rng, GROUPS, cells), cells),
        "MRP, likelihood of raked weights": post_stratified(
            posterior(sample, rng, GROUPS, cells, mean_one), cells
        ),
    }


SURVEYS = {"strata": strata, "clusters": clusters, "response": response}


def scored(survey: str, number: int) -> pd.DataFrame:
    """Estimate one sample in every way; one row each: the nation, the rural areas, the states."""
    rows = {}
    for way, table in SURVEYS[survey](number).items():
        found = table.reindex(truth().index)
        covered = (found["lower"] <= truth()) & (truth() <= found["upper"])
        states = found.index.drop([NATION, "Rural"])
        error = (found["estimate"] - truth())[states]
        width = (found["upper"] - found["lower"])[states]
        rows[way] = {
            **found.loc[NATION].to_dict(),
            **found.loc["Rural"].add_prefix("rural_").to_dict(),
            "states": width.count(),
            "state_error": error.abs().mean(),
            "state_coverage": covered[states][width.notna()].mean(),
            "state_width": width.mean(),
        }
    scores = pd.DataFrame.from_dict(rows, orient="index").rename_axis("way").reset_index()
    scores.insert(0, "survey", survey)
    scores.insert(0, "seed", number)
    return scores.round(5)


def main() -> None:
    minutes = minutes_asked(__doc__.splitlines()[0])
    done = stored_numbers(FILE, ["seed", "survey"])
    left = [(survey, n) for n in range(SAMPLES) for survey in SURVEYS if (n, survey) not in done]
    if work_through([(FILE, partial(scored, *one)) for one in left], minutes):
        write_checksums(FOLDER)


if __name__ == "__main__":
    main()
