"""The questions from two chapters back, one function for each exercise that begins with one.

A function draws numbers that a survey could have and returns a `Question`. It can be answered on
paper or in two lines of Python, and has one right number. `mrp_course._review` draws again until
the answer and the mistakes are far enough from each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from mrp_course._forms import Number
from mrp_helpers.weight import effective_sample_size

Draw = Callable[[np.random.Generator], "Question"]
REVIEWS: dict[str, tuple[int, Draw]] = {}

_SHARE = "Give a share between 0 and 1."


@dataclass(frozen=True)
class Question:
    """A question with its numbers, the answer, and what wrong answers come from."""

    text: str
    form: Number
    answer: Any
    mistakes: dict[str, Any]
    right: str
    hint: str


def review_of(exercise: str, chapter: int) -> Callable[[Draw], Draw]:
    """Declare what an exercise begins with, a question on an earlier chapter."""

    def declare(draw: Draw) -> Draw:
        REVIEWS[exercise] = (chapter, draw)
        return draw

    return declare


def _hundredths(rng: np.random.Generator, low: int, high: int) -> float:
    """Draw a number of two decimals, from ``low`` to just below ``high`` hundredths."""
    return float(rng.integers(low, high) / 100)


@review_of("3", 1)
def _standardise(rng: np.random.Generator) -> Question:
    share = _hundredths(rng, 25, 45)
    low = _hundredths(rng, 10, 30)
    high = low + _hundredths(rng, 30, 50)
    treated = _hundredths(rng, 76, 91)
    return Question(
        f"Of all patients {share:.0%} are at high risk, and of the treated patients {treated:.0%}. "
        f"Of the treated patients at high risk {high:.0%} die, and of those at low risk {low:.0%}. "
        "What share of the treated would die if the same share of them were at high risk as of "
        f"all patients? {_SHARE}",
        Number(within=0.002),
        share * high + (1 - share) * low,
        {
            "This is the share of the treated who die with their own mix of risks. Weight by the "
            "shares of all patients.": treated * high + (1 - treated) * low,
            "You gave both levels of risk the same weight. Weight each by the share of all "
            "patients who have it.": (high + low) / 2,
            "The two weights are swapped: the share of patients at high risk belongs to the death "
            "rate at high risk.": share * low + (1 - share) * high,
        },
        "The shares of the levels come from all patients and the death rates from the treated. "
        "Post-stratification is the same sum, with cells in place of levels.",
        "Multiply the death rate at each level of risk by the share of all patients at that level, "
        "and add up.",
    )


@review_of("4", 2)
def _kish(rng: np.random.Generator) -> Question:
    few, many = int(rng.integers(20, 60)), int(rng.integers(200, 400))
    heavy = int(rng.integers(4, 9))
    weights = pd.Series(np.repeat([heavy, 1.0], [few, many]))
    return Question(
        f"In a sample, {few} people have the weight {heavy}, and {many} people have the weight 1. "
        "What is the effective sample size by Kish's formula?",
        Number(within=0.6),
        effective_sample_size(weights),
        {
            "This is the number of people. Unequal weights cost precision.": few + many,
            "This is the sum of the weights. Square it, and divide by the sum of the "
            "squares.": weights.sum(),
            "You divided the sum of the squared weights by the sum of the weights. Kish divides "
            "the square of the sum by the sum of the squares.": (weights**2).sum() / weights.sum(),
        },
        "The effective sample size is smaller than the number of people, and the more the weights "
        "differ, the smaller it is.",
        "Square the sum of the weights, and divide by the sum of the squared weights.",
    )


@review_of("5", 3)
def _rates(rng: np.random.Generator) -> Question:
    small, middle, large = rng.integers([8, 50, 140], [21, 81, 240]) * 50_000
    order = rng.permutation(3)
    people = np.array([small, middle, large])[order]
    # The labels of the two smaller states are swapped: each has the other's respondents.
    asked = np.array([middle, small, large])[order] * rng.uniform(22e-5, 28e-5, size=3)
    asked = asked.astype(int)
    rates, overall = asked / people, asked.sum() / people.sum()
    states = "; ".join(
        f"{state} {k:,} respondents, {n:,} people"
        for state, k, n in zip("ABC", asked, people, strict=True)
    )
    return Question(
        "Three states have these numbers of respondents by the labels of a survey, and of people "
        f"by the counts of a frame: {states}. One check of labels divides the highest rate of "
        "respondents per inhabitant by the lowest. What is this ratio for the three states?",
        Number(within=0.05),
        rates.max() / rates.min(),
        {
            "You divided the largest number of respondents by the smallest. Divide each number by "
            "the people of its state first.": asked.max() / asked.min(),
            "You divided the highest rate by that of the three states together. Divide it by the "
            "lowest rate.": rates.max() / overall,
            "You divided the rate of the three states together by the lowest rate. The highest "
            "rate belongs above the line.": overall / rates.min(),
        },
        "A survey of a whole country has nearly the same rate everywhere: in the chapter the "
        "ratio was 1.8. A ratio as large as this one says that some of the labels are wrong.",
        "Compute respondents divided by people for each state, and divide the largest of the three "
        "numbers by the smallest.",
    )


@review_of("6", 4)
def _composition(rng: np.random.Generator) -> Question:
    men, drawn = _hundredths(rng, 42, 50), _hundredths(rng, 58, 78)
    women_yes = _hundredths(rng, 28, 42)
    men_yes = women_yes + _hundredths(rng, 10, 22)
    drawn_men_yes = men_yes + _hundredths(rng, 2, 8)
    drawn_women_yes = women_yes + _hundredths(rng, 1, 7)
    truth = men * men_yes + (1 - men) * women_yes
    gap = drawn * drawn_men_yes + (1 - drawn) * drawn_women_yes - truth
    composition = (drawn - men) * (men_yes - women_yes)
    return Question(
        f"In a population {men:.0%} are men, and {men_yes:.0%} of its men and {women_yes:.0%} of "
        f"its women support a policy. In a biased sample {drawn:.0%} are men, and "
        f"{drawn_men_yes:.0%} of its men and {drawn_women_yes:.0%} of its women support the "
        "policy. The sample has too much support. How many percentage points of this gap are due "
        "to composition, with gender as the only division into cells?",
        Number(within=0.03),
        100 * composition,
        {
            "This is the whole gap between sample and population. Composition is the part that "
            "would remain if the men and women of the sample answered as those of the "
            "population.": 100 * gap,
            "This is the part within cells. The other part is due to composition.": 100
            * (gap - composition),
            "You used the answers of the sample. In the part due to composition, men and women "
            "answer as in the population.": 100 * (drawn - men) * (drawn_men_yes - drawn_women_yes),
            "You counted the surplus of men alone. Where there are more men there are fewer women, "
            "and their answers have to be subtracted.": 100 * (drawn - men) * men_yes,
        },
        "Only this part can be corrected with population counts. What is left is within cells, "
        "due to chance or to selection that gender does not describe.",
        "Give the men and women of the sample the answers of the population, and compare the "
        "share in support with the population's.",
    )


@review_of("7", 5)
def _reference(rng: np.random.Generator) -> Question:
    share = _hundredths(rng, 12, 26)
    school, postgraduate = -_hundredths(rng, 20, 60), _hundredths(rng, 30, 80)
    if rng.random() < 0.5:
        share, school, postgraduate = 1 - share, -school, -postgraduate
    difference = postgraduate - school
    return Question(
        "In a logistic model the reference level of education is a four-year degree. The "
        f"coefficient of people who finished high school is {school:.2f}, and that of "
        f"postgraduates {postgraduate:.2f}. For some people who finished high school the model "
        f"estimates a support of {share:.0%}. What does it estimate for postgraduates who are "
        f"otherwise alike? {_SHARE}",
        Number(within=0.002),
        expit(logit(share) + difference),
        {
            "You added the postgraduates' coefficient to the logit of high school. A coefficient "
            "is a difference from the reference level, which high school is not: subtract the "
            "coefficient of high school as well.": expit(logit(share) + postgraduate),
            "You subtracted the two coefficients in the other order.": expit(
                logit(share) - difference
            ),
            "You counted 25 points for each logit. This rule is for shares near one half, and "
            "elsewhere the curve is flatter: add on the logit scale, and transform back.": share
            + difference / 4,
            "You transformed the difference between the two coefficients alone. Add it to the "
            "logit of the share from which you start.": expit(difference),
        },
        "Coefficients are differences from a reference on the logit scale. Between two other "
        "levels it is the difference of their coefficients that counts, whatever the reference.",
        "Transform the share to the logit scale, subtract the coefficient of high school, add that "
        "of postgraduates, and transform back.",
    )


@review_of("8", 6)
def _pooled(rng: np.random.Generator) -> Question:
    asked = int(rng.integers(8, 40))
    between = _hundredths(rng, 10, 40)
    own, others = _hundredths(rng, 55, 75), _hundredths(rng, 40, 50)
    noise = 4 / asked
    weight = between**2 / (between**2 + noise)
    return Question(
        f"In a state {asked} people were asked, and {own:.0%} of them support a policy; the "
        f"average of all states is {others:.0%}. On the logit scale the standard deviation between "
        f"states is {between}, and the sampling variance of a share of {asked} answers is about "
        f"4/{asked}. "
        "These two variances imply how much the state's own answers count under partial pooling. "
        "Apply this weight to the shares themselves, which is nearly right. What is the state's "
        f"partially pooled share? {_SHARE}",
        Number(within=0.0015),
        weight * own + (1 - weight) * others,
        {
            "The two weights are swapped: the more the states vary, the more a state's own "
            "answers count.": weight * others + (1 - weight) * own,
            f"You built the weights from standard deviations. Use the two variances, the square of "
            f"{between} and 4/{asked}.": (between * own + noise**0.5 * others)
            / (between + noise**0.5),
            "You did not square the standard deviation between states. The weight is built from "
            "two variances.": (between * own + noise * others) / (between + noise),
            "This is the state's own share: no pooling.": own,
            "This is the average of the states: complete pooling.": others,
        },
        "A group with few answers is pulled far towards the average, and where groups differ much "
        "it is pulled less.",
        "The weight of the state's own answers is the variance between states, divided by the sum "
        "of both variances. The average has the rest of the weight.",
    )


@review_of("9", 7)
def _three_cells(rng: np.random.Generator) -> Question:
    people = rng.choice(np.arange(10, 90), size=3, replace=False) * 1000
    shares = np.sort(rng.choice(np.arange(20, 80, 5), size=3, replace=False)) / 100
    asked = rng.integers(5, 60, size=3)
    cells = "; ".join(
        f"{n:,} people, {k} of them asked, estimate {p:.0%}"
        for n, k, p in zip(people, asked, shares, strict=True)
    )
    return Question(
        f"A state has three cells: {cells}. What is the state's post-stratified estimate? {_SHARE}",
        Number(within=0.001),
        np.average(shares, weights=people),
        {
            "You weighted the cells by how many were asked. A cell counts by its "
            "people.": np.average(shares, weights=asked),
            "You gave each cell the same weight. A cell counts by its people.": shares.mean(),
            "This is the estimate of the largest cell alone.": shares[people.argmax()],
        },
        "How many were asked has already had its influence on the estimates of the cells. How "
        "much each cell counts is for the frame to say.",
        "Multiply each cell's estimate by its people, add up, and divide by all people.",
    )


@review_of("10", 8)
def _each_person_once(rng: np.random.Generator) -> Question:
    people = rng.integers([5, 20, 80], [12, 45, 160]) * 100_000
    errors = rng.integers([50, 25, 8], [90, 50, 25]) / 10 * rng.choice([-1, 1], size=3)
    states = "; ".join(
        f"{error:+.1f} points in a state of {n:,} people"
        for error, n in zip(errors, people, strict=True)
    )
    return Question(
        f"The errors of a method in three states are these: {states}. What is the mean absolute "
        "error, in points, if each person counts once?",
        Number(within=0.02),
        np.average(np.abs(errors), weights=people),
        {
            "You counted each state once. If each person counts once, a state counts by its "
            "people.": np.abs(errors).mean(),
            "You averaged the errors with their signs, so that errors in opposite directions "
            "cancel. This is the mean error.": np.average(errors, weights=people),
            "You averaged the errors with their signs, and counted each state once.": errors.mean(),
            "This is the root mean square error. Average the errors without their signs, and do "
            "not square them.": np.average(errors**2, weights=people) ** 0.5,
        },
        "Counted by people the error is smaller than counted by states, because the method is "
        "best in the largest state. Say which of the two you report before you look.",
        "Take the errors without their signs, multiply each by the people of its state, add up, "
        "and divide by all people.",
    )


@review_of("11", 9)
def _odds(rng: np.random.Generator) -> Question:
    share, k = _hundredths(rng, 52, 76), _hundredths(rng, 120, 260)
    odds = share / (1 - share)
    return Question(
        f"Of the many respondents in a cell {share:.0%} support a policy. Suppose that supporters "
        f"were k = {k} times as likely to answer as opponents of the same cell. What share of the "
        f"people in the cell support the policy? {_SHARE}",
        Number(within=0.001),
        odds / k / (1 + odds / k),
        {
            "You divided the share by k. It is the odds, supporters per opponent, that are k times "
            "too high.": share / k,
            "You multiplied the odds by k. Supporters answered more readily, so their number among "
            "the respondents is too high: divide the odds.": odds * k / (1 + odds * k),
            "These are the odds of the people in the cell, supporters per opponent. A share is the "
            "odds divided by one plus the odds.": odds / k,
        },
        "Nothing in the answers says how large k is. Repeat this for each k that you find "
        "conceivable, and report what is left of your conclusion.",
        "Turn the share into odds, share / (1 - share), divide them by k, and turn the result back "
        "into a share, odds / (1 + odds).",
    )


@review_of("12", 10)
def _error_of_a_coverage(rng: np.random.Generator) -> Question:
    samples, covered = int(rng.integers(30, 160)), _hundredths(rng, 82, 94)
    between = float(rng.integers(65, 150) / 10)
    binomial = 100 * (covered * (1 - covered) / samples) ** 0.5
    return Question(
        f"In a study of {samples} samples, 95% intervals cover the truth in {covered:.0%} of the "
        "50 states, on average over the samples. The share of states that are covered has a "
        f"standard deviation of {between} points between the samples. What is the Monte Carlo "
        f"error of the {covered:.0%}, in points?",
        Number(within=0.01),
        between / samples**0.5,
        {
            "This is the standard deviation between samples, which describes a single sample. The "
            "mean of all samples is known better than that.": between,
            "You counted each state of each sample as an observation of its own. The states of a "
            "sample share its error, so a sample counts once.": between / (50 * samples) ** 0.5,
            "You took each sample for a single answer of yes or no. A sample gives a share of 50 "
            "states, and the question says how much this share varies.": binomial,
            "You took all the intervals for independent answers of yes or no. The states of a "
            "sample share its error, so a sample counts once.": binomial / 50**0.5,
        },
        "For a coverage a sample counts once, however many groups it has. Four times as many "
        "samples would halve this error.",
        "The error of a mean is the standard deviation between samples, divided by the root of the "
        "number of samples.",
    )


@review_of("13", 11)
def _voters(rng: np.random.Generator) -> Question:
    younger, older = rng.integers([6, 6], [21, 21]) * 100_000
    turnout, older_turnout = _hundredths(rng, 35, 55), _hundredths(rng, 65, 88)
    share, older_share = _hundredths(rng, 28, 42), _hundredths(rng, 52, 66)
    voters, older_voters = younger * turnout, older * older_turnout
    chosen = voters * share + older_voters * older_share
    return Question(
        f"A state has {younger:,} younger citizens, of whom {turnout:.0%} vote, and {older:,} "
        f"older citizens, of whom {older_turnout:.0%} vote. A candidate has {share:.0%} of the "
        f"younger voters and {older_share:.0%} of the older voters. What is the candidate's "
        f"share of the voters of both groups together? {_SHARE}",
        Number(within=0.002),
        chosen / (voters + older_voters),
        {
            "You weighted the two groups by their citizens. The population of an election is its "
            "voters: multiply the citizens by their turnout.": (
                younger * share + older * older_share
            )
            / (younger + older),
            "You weighted the two groups by their turnout alone. A group counts by its voters, "
            "which are its citizens times their turnout.": (
                turnout * share + older_turnout * older_share
            )
            / (turnout + older_turnout),
            "You divided the candidate's votes by all citizens. Divide them by those who "
            "vote.": chosen / (younger + older),
        },
        "This is post-stratification to a frame of voters, made from a frame of citizens. If all "
        "turnouts were too high by the same factor, the share would not change.",
        "Multiply the citizens of each group by their turnout, and use these numbers of voters as "
        "weights for the two shares.",
    )


@review_of("14", 12)
def _extended_frame(rng: np.random.Generator) -> Question:
    republican, democrat = _hundredths(rng, 22, 34), _hundredths(rng, 45, 62)
    biased = republican + _hundredths(rng, 14, 25)
    support = [_hundredths(rng, *ends) for ends in [(66, 80), (14, 28), (40, 53)]]

    def total(r: float, d: float) -> float:
        """Sum over Republicans, Democrats, and the rest, as shares of the whole cell."""
        return float(np.dot([r, d, 1 - r - d], support))

    return Question(
        f"In a cell, a second survey without selection on party finds {republican:.0%} "
        f"Republicans; of the others {democrat:.0%} are Democrats, and the rest name neither. "
        f"A biased sample asked about a policy, and {biased:.0%} of its respondents in the cell "
        f"are Republicans. Of these Republicans {support[0]:.0%} support the policy, of the "
        f"Democrats {support[1]:.0%}, and of those who name neither {support[2]:.0%}. What share "
        f"of the people in the cell support the policy? {_SHARE}",
        Number(within=0.0015),
        total(republican, (1 - republican) * democrat),
        {
            "You took the share of Republicans from the biased sample. It is exactly what is wrong "
            "with that sample: take it from the second survey.": total(
                biased, (1 - biased) * democrat
            ),
            "You took the share of Democrats for one of the whole cell. It is a share of those who "
            "are not Republicans: multiply it by their share.": total(republican, democrat),
            "You gave the three groups the same weight. A group counts by its share of the "
            "cell.": total(1 / 3, 1 / 3),
        },
        "The answers may come from the biased sample, and the shares of the parties may not. This "
        "sum is right if within a party those who answered are like the others.",
        "With the shares r and d, the three parties have the shares r, (1 - r) d and "
        "(1 - r)(1 - d). Weight the three answers by them.",
    )


@review_of("15", 13)
def _walk(rng: np.random.Generator) -> Question:
    step, apart = _hundredths(rng, 10, 61), int(rng.integers(3, 13))
    return Question(
        "A survey records income in sixteen brackets. Their effects on the logit scale follow a "
        f"random walk, whose independent steps have a standard deviation of {step}. Before any "
        "data, what is the standard deviation of the difference between two brackets that are "
        f"{apart} steps apart?",
        Number(within=0.002),
        step * apart**0.5,
        {
            f"This would be right if {step} were the standard deviation of independent effects, "
            "for which the order of the brackets does not matter.": step * 2**0.5,
            "You added up standard deviations. It is the variances of independent steps that add "
            "up.": step * apart,
            "This is the standard deviation of one step, between neighbours.": step,
            "This is the variance of the difference. The standard deviation is its root.": step**2
            * apart,
        },
        "Under a random walk neighbours are similar, and the two ends may differ much. "
        "Independent effects are equally far apart whatever their order.",
        "The difference is a sum of independent steps: add up their variances, and take the root.",
    )


@review_of("16", 14)
def _merged(rng: np.random.Generator) -> Question:
    districts, ages, educations, ethnicities = rng.integers([11, 3, 3, 3], [31, 7, 6, 7])
    kept = districts * ages * educations
    return Question(
        f"A frame has a row for each combination of {districts} districts, {ages} ages, "
        f"{educations} levels of education, {ethnicities} ethnicities and 2 genders. A model has "
        "the formula p(y, n) ~ turnout + (1 | district) + (1 | age), where turnout is one number "
        "per district. You want estimates by education. How many rows are left if you merge all "
        "rows that you need not keep apart?",
        Number(within=0.4),
        kept,
        {
            "You kept the columns of the model alone. Education is not in the model, but estimates "
            "by education need it in the frame.": districts * ages,
            "This is the number of rows before merging. Rows that differ only in ethnicity or "
            "gender have the same expected outcome in every draw.": kept * ethnicities * 2,
            "You added up the numbers of levels. There is a row for each combination of "
            "levels.": districts + ages + educations,
            "You counted turnout as a column that divides the rows further. It is the same in all "
            "rows of a district.": kept * districts,
        },
        "No estimate changes, since the people of merged rows are added up and the model cannot "
        "tell these rows apart.",
        "Keep the columns that the model uses and those by which you want estimates, and multiply "
        "their numbers of levels.",
    )


@review_of("17", 15)
def _exchanged(rng: np.random.Generator) -> Question:
    population = rng.integers([80, 260, 280], [121, 301, 321])
    missing = rng.integers([30, 40], [71, 181])
    surplus = rng.integers(10, missing.sum() - 10)
    population = np.append(population, 1000 - population.sum()) / 1000
    difference = np.array([*-missing, surplus, missing.sum() - surplus]) / 1000
    names = ["no diploma", "high school", "some college", "a degree"]
    levels = "; ".join(
        f"{name} {asked:.1%} and {share:.1%}"
        for name, asked, share in zip(names, population + difference, population, strict=True)
    )
    return Question(
        "These are the shares of four levels of education, first among the respondents of a survey "
        f"and then in the population: {levels}. Suppose that you could exchange respondents for "
        "others. What share of the respondents would you have to exchange to give the survey the "
        f"population's shares? {_SHARE}",
        Number(within=0.0005),
        np.abs(difference).sum() / 2,
        {
            "You added up all four differences. An exchange changes two levels at once, so the sum "
            "has to be halved.": np.abs(difference).sum(),
            "This is the largest of the four differences. Other levels are wrong as well.": np.abs(
                difference
            ).max(),
            "This is the mean of the four differences. Add up the differences of the levels that "
            "have too many respondents.": np.abs(difference).mean(),
        },
        "This table costs two lines and no model, and shows a wrong recode as well as a biased "
        "sample. A large number is a question: was it the people, or the codes?",
        "Take the differences without their signs, add them up, and halve the sum.",
    )


@review_of("18", 16)
def _softmax(rng: np.random.Generator) -> Question:
    republican, neither = (_hundredths(rng, -120, 121) for _ in range(2))
    whole = 1 + np.exp(republican) + np.exp(neither)
    return Question(
        "A softmax models three answers, with Democrat as the reference level. In a cell the "
        f"linear predictor of Republican is {republican}, and that of neither is {neither}. What "
        f"share of the cell does the model give to Republicans? {_SHARE}",
        Number(within=0.0015),
        np.exp(republican) / whole,
        {
            "You left the reference level out of the sum. Its predictor is 0, so it adds exp(0) = "
            "1.": np.exp(republican) / (whole - 1),
            "You transformed the predictor of Republican alone, as in a model of yes or no. This "
            "is their share among Republicans and Democrats.": expit(republican),
            "This is the share of those who name neither.": np.exp(neither) / whole,
            "This is the share of Democrats, the reference level.": 1 / whole,
        },
        "The three shares are positive and sum to one by construction, in every cell and every "
        "draw, which three separate models cannot promise.",
        "Take the exponentials of the three predictors, of which that of the reference level is 0, "
        "and divide that of Republican by their sum.",
    )
