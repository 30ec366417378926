"""Ask over many biased samples where a structured prior pays.

    python -m research.structured               go on until all studies are complete
    python -m research.structured --minutes 5   stop after five minutes; the next run goes on

*Ages*: all but a few respondents of one age are taken out of a sample; how far off is that age
under independent effects, and how far when ages are a random walk? *States*: how far off are they
without a predictor, with regions, with their votes, with both? *Questions*: is what holds for one
question and the youngest true of six questions and six ages? *Sampler*: two of these fits by full
sampling.

Models are fitted by `research/laplace.py`, as those of chapter 10 are, in a few seconds each.
`tests/research/test_structured.py` checks the results against the sampler's.

The results are in mrp_course/results. A sample's number is its seed.
"""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from mrp_course.results import FOLDER
from mrp_course.tasks import _world as world
from mrp_course.tasks.structured_priors import walking_model
from mrp_helpers import LEVELS, OUTCOMES, clean_cces, load_cces, poststratify, sampler_health
from research import laboratory
from research.laboratory import GROUPS, SLOPES, stored_numbers, work_through
from research.laplace import draw_coefficients, multilevel_model
from tools.write import write_checksums

ROOT = Path(__file__).resolve().parent.parent

SAMPLES = {"ages": 30, "states": 30, "questions": 3, "sampler": 1}
KEPT = [0, 10, 40]  # respondents left of a thinned age
AGES = {"18-29": KEPT, "40-49": KEPT}
CHECKED = ["18-29", "60-69"]  # the ages that the sampler has to do without as well
DRAWS = 1000
SAMPLER = {"inference_method": "nutpie", "nuts": {"target_accept": 0.97}, "progressbar": False}


class Setting(NamedTuple):
    """A model: its slopes, its groups, and the groups whose effects walk over the ages."""

    slopes: tuple[str, ...] = tuple(SLOPES)
    groups: tuple[str, ...] = tuple(GROUPS)
    walks: tuple[str, ...] = ()


MODELS = {
    "independent": Setting(),
    "walk": Setting(walks=("age", "edu:age")),
    "neither": Setting(slopes=("male",)),
    "region": Setting(slopes=("male",), groups=(*GROUPS, "region")),
    "repvote": Setting(),
    "both": Setting(groups=(*GROUPS, "region")),
}


def draws_of_cells(
    name: str, sample: pd.DataFrame, rng: np.random.Generator, frame: pd.DataFrame | None = None
) -> np.ndarray:
    """Draws of the expected answer in each cell of the laboratory, (cells x draws)."""
    cells, frame = laboratory.in_cells(sample), laboratory.frame() if frame is None else frame
    model, design = multilevel_model(cells, frame, *MODELS[name])
    coefficients, _ = draw_coefficients(model, rng, DRAWS)
    return expit(design @ coefficients.T)


def summary(
    p: np.ndarray, sample: pd.DataFrame, by: Sequence[str], cells: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Estimates and 95% intervals of groups, with the truth and how many were asked."""
    cells = laboratory.frame() if cells is None else cells
    group = cells.groupby(list(by))
    code, people = group.ngroup().to_numpy(), cells["n"].to_numpy()
    member = (code == np.arange(group.ngroups)[:, None]) * people
    shares = (member @ p) / member.sum(axis=1, keepdims=True)
    lower, upper = np.quantile(shares, [0.025, 0.975], axis=1)
    rows = group[["n", "abortion"]].sum()
    asked = sample.groupby(list(by)).size().reindex(rows.index, fill_value=0)
    table = {
        "asked": asked,
        "estimate": shares.mean(axis=1).round(4),
        "lower": lower.round(4),
        "upper": upper.round(4),
        "truth": (rows["abortion"] / rows["n"]).round(4),
    }
    return pd.DataFrame(table, index=rows.index).reset_index()


def thinned(sample: pd.DataFrame, age: str, kept: int) -> pd.DataFrame:
    """Take all but the first few respondents of one age out of a sample."""
    drop = sample.index[sample["age"] == age][kept:]
    return sample.drop(index=drop)


def ages(number: int) -> pd.DataFrame:
    """For each prior: the ages that were thinned; in the whole sample all, also by education."""
    sample = laboratory.biased_sample(number)
    found = []
    for prior in ("independent", "walk"):
        rng = np.random.default_rng([number, 3])
        p = draws_of_cells(prior, sample, rng)
        for by in (["age"], ["age", "edu"]):
            found.append(summary(p, sample, by).assign(prior=prior, thinned="none"))
        for age, kept in ((age, kept) for age, levels in AGES.items() for kept in levels):
            part = thinned(sample, age, kept)
            rows = summary(draws_of_cells(prior, part, rng), part, ["age"])
            found.append(rows[rows["age"] == age].assign(prior=prior, thinned=age))
    rows = pd.concat(found).assign(sample=number)
    order = ["sample", "prior", "thinned", "age", "edu", "asked"]
    return rows[[*order, "estimate", "lower", "upper", "truth"]]


def states(number: int) -> pd.DataFrame:
    """For each way to describe the states: all 50 of them."""
    sample = laboratory.biased_sample(number)
    found = []
    for model in ("neither", "region", "repvote", "both"):
        p = draws_of_cells(model, sample, np.random.default_rng([number, 4]))
        found.append(summary(p, sample, ["state"]).assign(model=model, sample=number))
    rows = pd.concat(found)
    return rows[["sample", "model", "state", "asked", "estimate", "lower", "upper", "truth"]]


@cache
def people_asked(question: str) -> pd.DataFrame:
    """Give the people of the laboratory who answered one of the questions on abortion.

    Their answer has the column `abortion`, so that one code fits all of the questions.
    """
    answers = clean_cces(load_cces(), outcome=question)[["caseid", question]]
    people = laboratory.respondents().drop(columns="abortion")
    both = people.reset_index().merge(answers, on="caseid", validate="one_to_one")
    return both.set_index("index").rename(columns={question: "abortion"})


def questions(number: int, question: str) -> pd.DataFrame:
    """For each age and prior: that age, of which nobody was asked.

    The people of a sample are the same for every question, but for the few who gave no answer.
    """
    people = people_asked(question)
    frame = laboratory.in_cells(people)
    drawn = laboratory.biased_sample(number).index
    sample = people.loc[drawn[drawn.isin(people.index)]]
    found = []
    for age in LEVELS["age"]:
        part = thinned(sample, age, 0)
        for prior in ("independent", "walk"):
            rng = np.random.default_rng([number, 5, list(OUTCOMES).index(question)])
            rows = summary(draws_of_cells(prior, part, rng, frame), part, ["age"], frame)
            found.append(rows[rows["age"] == age].assign(prior=prior))
    rows = pd.concat(found).assign(sample=number, question=question)
    return rows[["sample", "question", "age", "prior", "estimate", "lower", "upper", "truth"]]


def sampler(number: int) -> pd.DataFrame:
    """Estimate all ages by full sampling, from a sample in which one of them is missing."""
    found = []
    for age in CHECKED:
        cells = laboratory.in_cells(thinned(laboratory.biased_sample(number), age, 0))
        # Bambi takes its levels from the data: cells in which nobody was asked bring the age in.
        unasked = cells.drop_duplicates("edu").assign(age=age, n=0, abortion=0)
        cells = pd.concat([cells, unasked], ignore_index=True)
        for prior, made in {"independent": world.multilevel, "walk": walking_model}.items():
            model = made(cells)
            draws = model.fit(random_seed=number, **SAMPLER)
            rows = poststratify(model, draws, laboratory.frame(), by="age").round(4)
            health = sampler_health(draws).iloc[0]
            found.append(
                rows.assign(
                    prior=prior,
                    thinned=age,
                    divergences=health["divergences"],
                    max_r_hat=round(health["max_r_hat"], 4),
                )
            )
    rows = pd.concat(found).assign(sample=number)
    order = ["sample", "prior", "thinned", "age", "estimate", "sd", "lower", "upper"]
    return rows[[*order, "divergences", "max_r_hat"]]


STUDIES = {"ages": ages, "states": states, "questions": questions, "sampler": sampler}
PARTS = {"questions": OUTCOMES}  # of a sample, each stored as soon as it is done


def work_to_do() -> laboratory.Work:
    """List what is not stored yet: samples in the order of their numbers, all studies in turn."""
    work = []
    for number in range(max(SAMPLES.values())):
        for study, simulate in STUDIES.items():
            path = FOLDER / f"structured_{study}.csv"
            if number >= SAMPLES[study]:
                continue
            keys = ["sample", "question"] if study in PARTS else ["sample"]
            done = stored_numbers(path, keys)
            parts = [(number, part) for part in PARTS[study]] if study in PARTS else [(number,)]
            work += [(path, partial(simulate, *part)) for part in parts if part not in done]
    return work


def main() -> None:
    minutes = laboratory.minutes_asked(__doc__.splitlines()[0])
    if work_through(work_to_do(), minutes):
        write_checksums(FOLDER)
        print(f"All studies are complete, in {FOLDER.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
