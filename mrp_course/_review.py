"""One task from two chapters back, to begin an exercise with, its numbers drawn for one learner.

The numbers come from a seed that is made of the learner's name and the exercise, so that two
learners have different ones, and one learner has the same ones tomorrow. Nothing is stored: the
question and its answer are computed when they are asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from mrp_course._forms import Number
from mrp_course._task import Mistake, Task
from mrp_helpers.weight import effective_sample_size

Draw = Callable[[np.random.Generator], "Question"]
REVIEWS: dict[str, tuple[int, Draw]] = {}


@dataclass(frozen=True)
class Question:
    """A question with its numbers, the answer, and what wrong answers come from."""

    text: str
    form: Number
    answer: Any
    mistakes: dict[str, Any]
    right: str
    hint: str


def _told_apart(drawn: Question) -> bool:
    """Ask whether the numbers that were drawn tell the answer and the mistakes from each other."""
    values = np.sort([float(value) for value in (drawn.answer, *drawn.mistakes.values())])
    return bool(np.diff(values).min() > 5 * drawn.form.within)


def review_of(exercise: str, chapter: int) -> Callable[[Draw], Draw]:
    """Declare what an exercise begins with, a question on an earlier chapter."""

    def declare(draw: Draw) -> Draw:
        REVIEWS[exercise] = (chapter, draw)
        return draw

    return declare


def question(exercise: str, name: str) -> tuple[str, Task]:
    """Draw the numbers for a learner; give the text of the question, and the task that judges."""
    chapter, draw = REVIEWS[exercise]
    seed = sha256(f"{' '.join(name.casefold().split())}, exercise {exercise}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(seed[:8]))
    drawn = draw(rng)
    while not _told_apart(drawn):
        drawn = draw(rng)
    known = [
        Mistake(reason, lambda wrong=wrong: wrong)  # type: ignore[misc]
        for reason, wrong in drawn.mistakes.items()
    ]
    task = Task(
        f"review {exercise}", drawn.form, drawn.right, drawn.hint, lambda: drawn.answer, known
    )
    return f"From chapter {chapter}. {drawn.text}", task


@review_of("3", 1)
def _standardise(rng: np.random.Generator) -> Question:
    share = rng.integers(25, 45) / 100
    low = rng.integers(10, 30) / 100
    high = low + rng.integers(30, 50) / 100
    treated = 0.9 - rng.integers(0, 15) / 100
    return Question(
        f"Of all patients {share:.0%} are at high risk, of the treated {treated:.0%}. Of the "
        f"treated at high risk {high:.0%} die, of those at low risk {low:.0%}. What share of the "
        "treated would die if they had the mix of risk of all patients?",
        Number(within=0.002),
        share * high + (1 - share) * low,
        {
            "This is the share of the treated who die with their own mix of risk. Weight by the "
            "mix of all patients.": treated * high + (1 - treated) * low,
            "You weighted both levels of risk alike. They count as often as patients have them.": (
                high + low
            )
            / 2,
            "The two weights are swapped: the share at high risk belongs to those at high "
            "risk.": share * low + (1 - share) * high,
        },
        "The mix of all patients, the deaths of the treated: post-stratification is the same sum.",
        "Multiply the death rate of each level of risk by the share of all patients in it, and "
        "add up.",
    )


@review_of("4", 2)
def _kish(rng: np.random.Generator) -> Question:
    few, many = int(rng.integers(20, 60)), int(rng.integers(200, 400))
    heavy = int(rng.integers(4, 9))
    weights = pd.Series(np.repeat([heavy, 1.0], [few, many]))
    return Question(
        f"In a sample {few} people have the weight {heavy} and {many} the weight 1. What is its "
        "effective sample size by Kish's formula?",
        Number(within=0.6),
        effective_sample_size(weights),
        {
            "This is the number of people. Unequal weights cost precision.": few + many,
            "This is the sum of the weights. Square it, and divide by the sum of the "
            "squares.": weights.sum(),
            "You divided by the sum of the weights. Kish divides the squared sum by the sum of "
            "the squared weights.": (weights**2).sum() / weights.sum(),
        },
        "Fewer than there are people: the more uneven the weights, the less a sample is worth.",
        "The sum of the weights, squared, over the sum of the squared weights.",
    )


@review_of("8", 6)
def _pooled(rng: np.random.Generator) -> Question:
    asked = int(rng.integers(8, 40))
    between = rng.integers(10, 40) / 100
    own, others = rng.integers(55, 75) / 100, rng.integers(40, 50) / 100
    noise = 4 / asked
    weight = between**2 / (between**2 + noise)
    right = weight * own + (1 - weight) * others
    return Question(
        f"In a state {asked} people were asked and {own:.0%} support; the states average "
        f"{others:.0%}. On the logit scale states vary with a standard deviation of {between}, and "
        f"{asked} answers have a variance of 4/{asked}. Pull the share itself towards the average "
        "with the weight of the state's own answers that these two variances imply. Where does it "
        "land?",
        Number(within=0.0015),
        right,
        {
            "The two weights are swapped: the more the states vary, the more a state's own "
            "answers count.": weight * others + (1 - weight) * own,
            "You weighted by standard deviations. It is variances that are compared.": (
                between * own + noise**0.5 * others
            )
            / (between + noise**0.5),
            "This is the state's own share: no pooling.": own,
            "This is the average of the states: complete pooling.": others,
        },
        "A group with few answers is pulled far, and least where groups differ much.",
        "The weight of its own answers is the variance between states over the sum of both "
        "variances.",
    )


@review_of("9", 7)
def _two_cells(rng: np.random.Generator) -> Question:
    people = rng.integers(10, 90, size=3) * 1000
    shares = np.sort(rng.choice(np.arange(20, 80, 5), size=3, replace=False)) / 100
    asked = rng.integers(5, 60, size=3)
    cells = "; ".join(
        f"{n:,} people, {k} asked, estimate {p:.0%}"
        for n, k, p in zip(people, asked, shares, strict=True)
    )
    return Question(
        f"A state has three cells: {cells}. What is its post-stratified estimate?",
        Number(within=0.001),
        np.average(shares, weights=people),
        {
            "You weighted the cells by how many were asked. A cell counts by its "
            "people.": np.average(shares, weights=asked),
            "You gave each cell the same weight. A cell counts by its people.": shares.mean(),
            "This is the largest cell's estimate alone.": shares[people.argmax()],
        },
        "Who was asked has done its work in the estimates; the frame says what they weigh.",
        "Multiply each cell's estimate by its people, add up, and divide by all people.",
    )
