import sys
sys.path.insert(0, "/tmp/wt/b12")
from chapter import M, C, H, write

M(r'''
(census-lacks)=
# A variable that the census lacks

After this chapter you will be able to correct for a trait that no census counts: estimate how common it is in each cell, and carry the
uncertainty of that estimate into the result.

**You will**

- extend a frame by a column that a second survey supplies, with two small multilevel models;
- post-stratify to a frame that is itself a set of draws, and say what its uncertainty adds;
- check that draws of two independent surveys may be paired in any order;
- find out when raking to a party margin is as good, and when it is not;
- break each assumption on purpose, and read off what that costs.

**You need** [Post-stratification](07-post-stratification.ipynb) and the first section of [Limits](09-limits.ipynb), where this chapter starts.

**Time** about 30 minutes to read, about @@SECONDS@@ seconds to run on two cores, about @@MB@@ MB of memory.
''')
C('''
from importlib.metadata import version

import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr
from jupyterquiz import display_quiz
from matplotlib import pyplot as plt

from mrp_helpers import (
    CELL,
    aggregate_cells,
    clean_cces,
    draw_biased_sample,
    evaluate,
    fit_or_load,
    load_cces,
    load_poststrat_frame,
    load_state_predictors,
    poststratify,
    poststratify_draws,
    rake,
    sampler_health,
    selection_weights,
    use_course_style,
)
from mrp_helpers.plots import OKABE_ITO
from mrp_helpers.quiz import QUIZ_COLOURS

use_course_style()
''')
M(r'''
## Where did the five columns leave us?

In [Limits](09-limits.ipynb) Republicans were three times as likely to answer as anybody else. The frame knew nothing of parties, and {term}`MRP` took the
gap from 9.1 points to 7.9. We start from that sample, in the **laboratory**: the 59,810 respondents are the population and the truth is exact. One
thing is simpler here. Independents and people with another party or none support the policy almost equally (45 and 46 %), so both are called *neither*.
''')
C('''
survey, states = load_cces(), load_state_predictors()
respondents = clean_cces(survey).merge(
    survey[["caseid", "pid3"]], on="caseid", validate="one_to_one"
)
parties = ["Republican", "Democrat", "neither"]
named = respondents["pid3"].map({1: "Democrat", 2: "Republican"})
respondents["party"] = named.fillna("neither")

truth = respondents["abortion"].mean()
by_party = respondents.groupby("party")["abortion"].agg(support="mean", people="size")
by_party.loc[parties].round(3)
''')
C('''
recipe = {"party": {"Republican": 3, "Democrat": 1, "neither": 1}}
weights = selection_weights(respondents, states, recipe)
leaning = draw_biased_sample(respondents, weights)
raw_gap = 100 * (leaning["abortion"].mean() - truth)
print(f"{leaning['abortion'].mean():.1%} in the sample, off by {raw_gap:.1f} points")
''')
H('''
assert len(respondents) == 59_810 and round(raw_gap, 1) == 9.1
assert by_party["support"].round(2).to_dict() == {
    "Democrat": 0.19,
    "Republican": 0.74,
    "neither": 0.45,
}
neither = respondents[respondents["party"] == "neither"]
independent = neither["pid3"] == 3
assert round(100 * neither.loc[independent, "abortion"].mean()) == 45
assert round(100 * neither.loc[~independent, "abortion"].mean()) == 46
''')
M(r'''
It is the same sample, with the same gap. The model is the same too, and so are its stored draws. This function writes the chapter's models down, each
with the priors of the tour:
''')
C('''
effect = bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=0.5))
groups = ["state", "eth", "edu", "age", "male:eth", "edu:age", "edu:eth"]


def multilevel(people, outcome, groups, common="male + repvote", by=CELL):
    cells = aggregate_cells(people, by=by, outcome=outcome)
    cells = cells.merge(states, on="state", validate="many_to_one")
    terms = [common, *(f"(1 | {group})" for group in groups)]
    formula = f"p({outcome}, n) ~ " + " + ".join(terms)
    priors = {f"1|{group}": effect for group in groups}
    return bmb.Model(formula, cells, family="binomial", priors=priors)
''')
C('''
laboratory = aggregate_cells(respondents).merge(
    states, on="state", validate="many_to_one"
)
five_model = multilevel(leaning, "abortion", groups)
five_draws = fit_or_load(five_model, "party-selected")
five = poststratify(five_model, five_draws, laboratory)
print(f"MRP on five columns: off by {100 * (five['estimate'].item() - truth):.1f} points")
''')
H('''
assert round(100 * (five["estimate"].item() - truth), 1) == 7.9
''')
M(r'''
## What would a frame with party hold?

The {term}`cells <cell>` must be split by party, and the {term}`identity of the course <post-stratification>` becomes a double sum:

```{math}
:label: eq-party-identity
E[Y] = \sum_{\text{cells}} P(\text{cell}) \sum_{\text{parties}} P(\text{party} \mid \text{cell}) \; E[Y \mid \text{cell}, \text{party}].
```

The first factor is the census's. The last can be learned from the leaning sample: a sample with too many Republicans still tells how Republicans of a cell answer.
New is the factor in the middle, the share of a cell that names a party. Nobody has counted it. **It must not come from the leaning sample**, whose
shares are what is wrong. It can come from a second survey that asked for party and had no lean of its own. In the laboratory that is a fair sample of
2,000 people. It did not ask our question, or we would not need the other.
''')
C('''
second = respondents.sample(2000, random_state=12)
left_over = respondents[~respondents["caseid"].isin(leaning["caseid"])]
surveys = {
    "population": respondents,
    "leaning sample": leaning,
    "second survey": second,
    "left over": left_over,
}
shares = {name: who["party"].value_counts(normalize=True) for name, who in surveys.items()}
pd.DataFrame(shares).loc[parties].round(3)
''')
H('''
republican_share = {name: share["Republican"] for name, share in shares.items()}
assert round(republican_share["population"], 3) == 0.267
assert round(republican_share["leaning sample"], 2) == 0.50
assert round(republican_share["second survey"], 3) == 0.279
assert round(republican_share["left over"], 3) == 0.246
luck = np.sqrt(0.267 * 0.733 / 2000)
assert round(100 * luck, 1) == 1.0
both_asked = second["caseid"].isin(leaning["caseid"]).sum()
assert both_asked == @@BOTH@@
''')
M(r'''
Half of the leaning sample is Republican, and 27 % of the population is. The second survey says 28 %: one point too many, which is what chance does to
2,000 people.

```{admonition} Common mistake
:class: warning
The last column is the trap of every laboratory. A second survey should be independent of the first, and so one is tempted to take it from the people whom
the first has left over. But the first took Republicans away, and among those left there are only 24.6 %. Draw both from the whole population, and let a few
people (here @@BOTH@@) be in both.
```

## How do two yes-or-no questions make three parties?

A model of three parties has two {term}`linear predictors <linear predictor>`. Two models with one each do the same: *Republican or not?*, asked of all
2,000, and *Democrat or not?*, asked of those who said no. With shares $r$ and $d$ of yes in a cell, the three parties have the shares

$$
r, \qquad (1 - r)\,d, \qquad (1 - r)(1 - d),
$$

which are positive and add up to one in every draw.
''')
C('''
def asked(people, party):
    return people.assign(**{party: (people["party"] == party).astype(int)})


single = ["state", "eth", "edu", "age"]
others = second[second["party"] != "Republican"]
share_models = {
    "Republican": multilevel(asked(second, "Republican"), "Republican", single),
    "Democrat": multilevel(asked(others, "Democrat"), "Democrat", single),
}
''')
M(r'''
And the model of the answer, fitted to the leaning sample, now knows party: by itself, and with effects of its own in each ethnicity and at each education.
''')
C('''
with_party = [*CELL, "party"]
answer_model = multilevel(
    leaning,
    "abortion",
    [*groups, "party:eth", "party:edu"],
    common="male + repvote + party",
    by=with_party,
)
''')
C('''
longer = {"draws": 1500, "tune": 1500}
share_draws = {
    party: fit_or_load(model, f"party-{party.lower()}", **longer)
    for party, model in share_models.items()
}
answer_draws = fit_or_load(answer_model, "party-answer")
fits = share_draws | {"answer": answer_draws}
health = pd.concat({name: sampler_health(draws) for name, draws in fits.items()})
health.droplevel(1).round(3)
''')
H('''
assert health["healthy"].all() and (health["divergences"] == 0).all()
''')
M(r'''
All three are healthy. A thousand draws are enough for what follows, so every sixth and every fourth is kept.
''')
C('''
def every(draws, step):
    return draws.isel(draw=slice(None, None, step))


share_draws = {party: every(draws, 6) for party, draws in share_draws.items()}
answer_draws = every(answer_draws, 4)
''')
M(r'''
## What does the extended frame look like?

Each cell becomes three rows, one a party, and each row has not one number of people but 1,000: the count of the cell times the party's share in each draw.
To have draws for single cells, make each cell a group of its own:
''')
C('''
def extend(frame):
    rows = frame.merge(pd.DataFrame({"party": parties}), how="cross")
    return rows.drop(columns=["n", "abortion"], errors="ignore")


def party_counts(frame):
    cells = frame.assign(cell=range(len(frame)))
    republican, democrat = (
        poststratify_draws(model, share_draws[party], cells, by="cell").to_numpy()
        for party, model in share_models.items()
    )
    democrat = (1 - republican) * democrat
    shares = [republican, democrat, 1 - republican - democrat]
    people = np.stack(shares, axis=1, dtype="float32", casting="same_kind")
    people *= frame["n"].to_numpy()[:, None, None]
    return xr.DataArray(people.reshape(-1, people.shape[2]), dims=("row", "sample"))
''')
C('''
extended, counts = extend(laboratory), party_counts(laboratory)
party_of_row = xr.DataArray(extended["party"].to_numpy(), dims="row", name="party")
drawn = counts.groupby(party_of_row).sum() / len(respondents)
frame_shares = pd.DataFrame(
    {
        "estimate": drawn.mean("sample").to_series(),
        "lower": drawn.quantile(0.025, "sample").to_series(),
        "upper": drawn.quantile(0.975, "sample").to_series(),
        "truth": shares["population"],
    }
)
print(f"{len(extended):,} rows, {counts.sizes['sample']:,} draws of each")
frame_shares.loc[parties].round(3)
''')
H('''
per_cell = counts.to_numpy().reshape(len(laboratory), 3, -1).sum(axis=1)
assert np.allclose(per_cell, laboratory["n"].to_numpy()[:, None], rtol=1e-5)
assert (extended.iloc[::3][CELL].to_numpy() == laboratory[CELL].to_numpy()).all()
assert extended["party"].to_list()[:3] == parties
@@SHARES_ASSERT@@
''')
M(r'''
@@SHARES_TEXT@@
The survey's one point too many is in the frame as well. It has to be: nobody told the models better. But the interval says so, and that is what comes through to the end.
''')
C('''
ethnicities = ["White", "Black", "Hispanic", "Other"]
kinds = laboratory["eth"].to_numpy()
in_group = laboratory.groupby("eth")["n"].sum().to_xarray().rename(eth="row")
fig, ax = plt.subplots(figsize=(5.6, 3.4))
for number, party in enumerate(parties[:2]):
    people = counts[number::3].assign_coords(row=kinds).groupby("row").sum()
    draws = 100 * people / in_group
    middle = draws.mean("sample").sel(row=ethnicities)
    ends = draws.quantile([0.025, 0.975], "sample").sel(row=ethnicities)
    known = respondents["party"].eq(party).groupby(respondents["eth"]).mean()
    place = np.arange(4) + 0.12 * (2 * number - 1)
    colour, marker = OKABE_ITO[number], "oD"[number]
    ax.vlines(place, *ends, color=colour)
    ax.plot(place, middle, marker, color=colour, label=f"{party}, frame")
    ax.plot(place, 100 * known[ethnicities], "_", color="black", markersize=14)
ax.plot([], [], "_", color="black", markersize=14, label="truth")
ax.set(xticks=range(4), xticklabels=ethnicities, ylabel="share of people (%)", ylim=(0, 85))
ax.legend()
plt.show()
''', mystnb={"figure": {"caption": "Laboratory: shares of two parties in the extended frame, with 95 % intervals, beside what the population says. The frame saw 2,000 people.", "name": "fig-party-shares"}, "image": {"alt": "@@ALT1@@"}})
M(r'''
@@FIG1_TEXT@@

## What does it do to the estimate?

`poststratify_draws` takes such a frame: `population` may be draws, one number for each row and draw. Draw $s$ of the estimate is then

$$
\hat\theta_s = \frac{\sum_{\text{cells}} \sum_{\text{parties}} n_{\text{cell}} \; P_s(\text{party} \mid \text{cell}) \; p_s(\text{cell}, \text{party})}{\sum_{\text{cells}} n_{\text{cell}}},
$$

with another frame and another set of answers in each. For comparison, two frames that do not vary: the *mean* of the draws, and the party counts that only the laboratory *knows*.
''')
C('''
mean_frame = extended.assign(n=counts.mean("sample").to_numpy())
party_cells = respondents.groupby(with_party).size().rename("n").reset_index()
known_frame = extended.merge(party_cells, on=with_party, how="left").fillna({"n": 0})


def on_party(frame, **options):
    return poststratify_draws(answer_model, answer_draws, frame, **options)


national = {
    "five columns": poststratify_draws(five_model, five_draws, laboratory),
    "party, drawn": on_party(extended, population=counts),
    "party, mean": on_party(mean_frame),
    "party, known": on_party(known_frame),
}
''')
C('''
def gap(draws):
    values = 100 * (draws.to_numpy().ravel() - truth)
    lower, upper = np.quantile(values, [0.025, 0.975])
    return {"gap": values.mean(), "lower": lower, "upper": upper, "sd": values.std(ddof=1)}


gaps = pd.DataFrame({name: gap(draws) for name, draws in national.items()}).T
gaps["width"] = gaps["upper"] - gaps["lower"]
gaps.round(1)
''')
H('''
assert known_frame["n"].sum() == len(respondents)
by_row = on_party(extended.assign(row=range(len(extended)), n=1), by="row").to_numpy()
by_hand = (by_row * counts.to_numpy()).sum(axis=0) / len(respondents)
assert np.allclose(by_hand, national["party, drawn"].to_numpy()[0], atol=1e-6)
@@GAPS_ASSERT@@
''')
M(r'''
@@GAPS_TEXT@@
''')
C('''
fig, ax = plt.subplots(figsize=(5.8, 2.8))
for place, (name, row) in enumerate(gaps[::-1].iterrows()):
    colour = OKABE_ITO[0 if name == "five columns" else 1]
    marker = "o" if name == "five columns" else "D"
    ax.hlines(place, row["lower"], row["upper"], color=colour)
    ax.plot(row["gap"], place, marker, color=colour)
ax.plot(raw_gap, len(gaps), "s", color="black")
ax.axvline(0, color="black", linestyle="--")
ax.set_yticks(range(5), [*gaps.index[::-1], "raw"])
ax.set(xlabel="distance from the truth (percentage points)", xlim=(-3, 11))
plt.show()
''', mystnb={"figure": {"caption": "Laboratory: distance of the national estimate from the truth, with 95 % intervals. Republicans were three times as likely to be in the sample.", "name": "fig-party-repaired"}, "image": {"alt": "@@ALT2@@"}})
M(r'''
## May the draws be paired in any order?

The first draw of the frame met the first draw of the answers, by no merit of either. The two surveys are independent, and so are their draws: any pairing is
as good as any other. Shuffle the frame's draws and see:
''')
C('''
rng = np.random.default_rng(1)
paired = {"as they came": national["party, drawn"]}
for number in [1, 2, 3]:
    order = rng.permutation(counts.sizes["sample"])
    paired[f"shuffled, {number}"] = on_party(extended, population=counts[:, order])
paired = pd.DataFrame({name: gap(draws) for name, draws in paired.items()}).T
paired.round(2)
''')
H('''
simulation = paired["sd"].mean() / np.sqrt(1000)
assert np.ptp(paired["gap"]) < 4 * simulation
assert np.ptp(paired["sd"]) / paired["sd"].mean() < 4 / np.sqrt(2 * 1000)
@@PAIR_ASSERT@@
''')
M(r'''
@@PAIR_TEXT@@

```{admonition} Common mistake
:class: warning
This holds because the two models share no data. The two questions about party *are* from one survey, but in separate models whose likelihoods have no parameter in
common, so they may be shuffled too. Draws of one model must never be shuffled against each other: its parameters are correlated, and a draw is only right as a whole.
```

## Are the states repaired as well?
''')
C('''
state_truth = respondents.groupby("state")["abortion"].mean()
by_state = {
    "five columns": poststratify(five_model, five_draws, laboratory, by="state"),
    "party, drawn": poststratify(
        answer_model, answer_draws, extended, by="state", population=counts
    ),
    "party, known": poststratify(answer_model, answer_draws, known_frame, by="state"),
}
scores = {name: evaluate(table, state_truth) for name, table in by_state.items()}
pd.DataFrame(scores).T[["mae", "bias", "coverage", "width"]].astype(float).round(3)
''')
H('''
score = pd.DataFrame(scores).T.astype(float)
@@STATE_ASSERT@@
''')
M(r'''
@@STATE_TEXT@@

## Is that more than the luck of one sample?

One leaning sample and one second survey prove little. Fitting three models fifty times over would take hours, so here is the cheap relative of the extended
frame: {term}`raking` to the five margins and, as a sixth, to party as the second survey has it. Each of fifty repeats draws both surveys anew.
''')
C('''
margins = {column: respondents[column].value_counts() for column in CELL}


def raked_to(sample, **more):
    return np.average(sample["abortion"], weights=rake(sample, margins | more))


def parties_of(people):
    return len(respondents) * people["party"].value_counts(normalize=True)


def second_survey(seed, republican=1):
    lean = respondents["party"].map({"Republican": republican}).fillna(1)
    return respondents.sample(2000, weights=lean, random_state=10_000 + seed)
''')
C('''
def corrected(seed):
    sample = draw_biased_sample(respondents, weights, seed=seed)
    second = second_survey(seed)
    return {
        "raw": sample["abortion"].mean(),
        "five columns": raked_to(sample),
        "and party, as in the sample": raked_to(sample, party=parties_of(sample)),
        "and party, second survey": raked_to(sample, party=parties_of(second)),
        "and party, known": raked_to(sample, party=parties_of(respondents)),
    }


def over_samples(attempt, seeds=50):
    gaps = 100 * (pd.DataFrame([attempt(seed) for seed in range(seeds)]) - truth)
    columns = {"mean gap": gaps.mean(), "spread": gaps.std()}
    return pd.DataFrame(columns | {"Monte Carlo error": gaps.std() / np.sqrt(seeds)})
''')
C('''
repeated = over_samples(corrected)
repeated.round(2)
''')
H('''
mean_gap, error = repeated["mean gap"], repeated["Monte Carlo error"]
spread = repeated["spread"]
@@MC_ASSERT@@
''')
M(r'''
@@MC_TEXT@@

## When is a party margin enough?

Raking did as well as MRP just now, for the nation. That is no accident: the lean was a factor for each party, the same in every cell, and such a lean is what raking undoes. To
see where it ends, let the lean differ. No samples are needed: rake the whole population, each person with the weight of being asked, and what remains is the bias itself, without chance.
''')
C('''
party, degree = respondents["party"], respondents["edu"].isin(["4-Year College", "Post-grad"])
without = (party == "Republican") & ~degree
leans = {
    "all Republicans": party == "Republican",
    "Republicans without a degree": without,
    "and Democrats with one": without | ((party == "Democrat") & degree),
}
corrections = {
    "five columns": {},
    "and party": {"party": party},
    "and party by education": {"both": party + ", " + respondents["edu"]},
}
''')
C('''
def bias(asked, columns):
    people = respondents.assign(**columns)
    more = {name: values.value_counts() for name, values in columns.items()}
    tilted = rake(people, margins | more, base_weight=1.0 + 2.0 * asked)
    return np.average(people["abortion"], weights=tilted)


rows = {}
for lean, asked_more in leans.items():
    raw = np.average(respondents["abortion"], weights=1 + 2 * asked_more)
    found = {name: bias(asked_more, columns) for name, columns in corrections.items()}
    rows[lean] = {"raw": raw} | found
exact = 100 * (pd.DataFrame(rows).T - truth)
(exact.round(1) + 0.0)
''')
H('''
assert exact["and party by education"].abs().max() < 0.05
assert abs(exact.loc["all Republicans", "and party"]) < 0.05
assert round(exact.loc["Republicans without a degree", "and party"], 1) in (-0.5, -0.6)
last = exact.loc["and Democrats with one"]
assert round(last["raw"], 1) in (0.3, 0.4) and round(last["five columns"], 1) == 1.0
assert round(last["and party"], 1) == -1.1
''')
M(r'''
In each row, those named are three times as likely to be asked as all others.

- In the first, party as one more margin takes the bias to zero.
- In the second, the lean sits in a *combination*. The margin leaves half a point.
- In the third the raw mean looks innocent, and every correction by margins makes it worse: 1.0 points, then 1.1 in the other direction. Republicans without a degree and Democrats with one are
  too many, yet both margins can be met by trading them against people who think otherwise.
- Party by education, a {term}`joint distribution`, puts all three right.

So a known national party share is enough for a national number when party's pull on answering is the same everywhere. An extended frame has the joint shares, as far as the
second survey tells them and the model does not smooth them away. It also speaks of states, which a raked sample of 5,000 hardly does ([Does it work?](08-does-it-work.ipynb)).

## What does it assume?

Three things, none of which the data can show. Break them one at a time, with everything else in order:

1. *The second survey has no lean of its own.* Let Republicans be 1.5 or 3 times as likely to take part in it, too.
2. *The question about party means the same in both surveys.* Let a quarter of those who name neither party and support the policy call themselves Republicans in the leaning survey, because of what it asks about.
3. *Within cell and party, answering has nothing to do with the answer.* Let supporters be 1.5 times as likely to be picked as opponents of the same cell and party.
''')
C('''
def broken(seed):
    sample = draw_biased_sample(respondents, weights, seed=seed)
    fair = parties_of(second_survey(seed))
    found = {"nothing broken": raked_to(sample, party=fair)}
    for lean in [1.5, 3]:
        leaning_too = parties_of(second_survey(seed, republican=lean))
        found[f"second survey leans {lean} times"] = raked_to(sample, party=leaning_too)
    rng = np.random.default_rng(seed)
    moves = (sample["party"] == "neither") & (sample["abortion"] == 1)
    moves &= rng.random(len(sample)) < 0.25
    renamed = sample.assign(party=sample["party"].mask(moves, "Republican"))
    found["a quarter change party"] = raked_to(renamed, party=fair)
    keen = weights * respondents["abortion"].map({1: 1.5, 0: 1})
    selected = draw_biased_sample(respondents, keen, seed=seed)
    found["supporters readier"] = raked_to(selected, party=fair)
    return found
''')
C('''
assumptions = over_samples(broken)
assumptions.round(2)
''')
H('''
assert assumptions["Monte Carlo error"].max() < 0.2
@@BREAK_ASSERT@@
''')
M(r'''
@@BREAK_TEXT@@

```{admonition} The catch
:class: warning
An extended frame moves the assumption, it does not remove it. You no longer have to believe that people of a cell answer alike whatever their party. You have to believe the second
survey instead. Ask of it what you asked of the first: who took part, and what did they take the question to mean?
```

The idea is not new. {cite:t}`wang2015nonrepresentative` post-stratified answers of Xbox players by party and past vote, and took the joint shares from exit polls.
{cite:t}`leemann2017extending` build joint distributions from margins and a survey, and {cite:t}`si2025auxiliary` reviews what else can be done when a variable is missing from the frame.

## And in the real world?

The same two steps on the census's frame, for the adult citizens of the 50 states. The **real world** has no column of truth. The party shares come from the same 2,000 respondents
of the CCES, modelled, and then counted as often as each cell occurs in the census.
''')
C('''
census = load_poststrat_frame().query("n > 0")
census = census.merge(states, on="state", validate="many_to_one")
census_extended, census_counts = extend(census), party_counts(census)
real = {
    "five columns": poststratify(five_model, five_draws, census),
    "party, drawn": poststratify(
        answer_model, answer_draws, census_extended, population=census_counts
    ),
}
columns = ["estimate", "sd", "lower", "upper"]
pd.concat(real).droplevel(1)[columns].round(3)
''')
C('''
some = ["CA", "NY", "FL", "TX", "OH", "WY"]
real_states = {
    "five columns": poststratify(five_model, five_draws, census, by="state"),
    "party, drawn": poststratify(
        answer_model, answer_draws, census_extended, "state", population=census_counts
    ),
}
beside = {
    name: table.set_index("state").loc[some, ["estimate", "lower", "upper"]]
    for name, table in real_states.items()
}
pd.concat(beside, axis=1).round(2)
''')
H('''
r5, rp = real["five columns"].iloc[0], real["party, drawn"].iloc[0]
@@REAL_ASSERT@@
''')
M(r'''
@@REAL_TEXT@@

## Did you get it?

Pick or type an answer, and its reason appears. The reasons for the other answers are worth reading too.
''')
C('''
questions = [
    {
        "type": "multiple_choice",
        "question": (
            "1. A sample has too many Republicans, and asked everybody for a party. "
            "Why not take the party shares of each cell from this very sample?"
        ),
        "answer_cols": 1,
        "answers": [
            {
                "answer": "They carry the lean that they are to repair",
                "correct": True,
                "feedback": (
                    "Yes. Raking to them leaves the gap as it was, at more than eight "
                    "points. The shares must come from where the lean is not."
                ),
            },
            {
                "answer": "A sample of 5,000 is too small for cells",
                "correct": False,
                "feedback": (
                    "No. A model can smooth over sparse cells, and the second survey "
                    "is smaller still. It is the lean that matters, not the size."
                ),
            },
            {
                "answer": "Its answers and its parties would be used twice",
                "correct": False,
                "feedback": (
                    "No. Using one survey for both would be fine if it had no lean. "
                    "Then the draws should come from one model, and stay paired."
                ),
            },
        ],
    },
    {
        "type": "numeric",
        "question": (
            "2. In a cell of 200 people, 25 % are Republican, and of the others 40 % "
            "are Democrats. How many Democrats does the extended frame count there? "
            "Type a whole number and press Enter."
        ),
        "answers": [
            {
                "type": "value",
                "value": 60,
                "correct": True,
                "feedback": (
                    "Yes. Three quarters of 200 are not Republican, which makes 150, "
                    "and 40 % of these are 60."
                ),
            },
            {
                "type": "value",
                "value": 80,
                "correct": False,
                "feedback": (
                    "No. 80 is 40 % of all 200. The second question was put only to "
                    "those who said no to the first."
                ),
            },
            {
                "type": "value",
                "value": 20,
                "correct": False,
                "feedback": (
                    "No. 20 is 40 % of the 50 Republicans. It is the others who were "
                    "asked the second question."
                ),
            },
            {
                "type": "value",
                "value": 90,
                "correct": False,
                "feedback": (
                    "No. 90 is how many name neither party: 60 % of the 150 who are "
                    "not Republican."
                ),
            },
            {
                "type": "default",
                "feedback": (
                    "No. Take the Republicans away first, and then 40 % of those who "
                    "are left."
                ),
            },
        ],
    },
    {
        "type": "multiple_choice",
        "question": (
            "3. You fix the party shares at their posterior means, and the interval "
            "gets narrower. Is the estimate more precise?"
        ),
        "answer_cols": 1,
        "answers": [
            {
                "answer": "Yes, averaging removes the noise of the draws",
                "correct": False,
                "feedback": (
                    "No. It removes the record of what you do not know. The shares "
                    "still come from 2,000 people, who may be a point off."
                ),
            },
            {
                "answer": "No, the interval leaves out what the frame does not know",
                "correct": True,
                "feedback": (
                    "Yes. The estimate hardly moves, and its true uncertainty is as it "
                    "was. Only the report of it has changed."
                ),
            },
            {
                "answer": "No, the estimate becomes biased by that",
                "correct": False,
                "feedback": (
                    "No. The mean of the draws stays where it was, to within Monte "
                    "Carlo error. What is wrong is the width alone."
                ),
            },
        ],
    },
]
display_quiz(questions, colors=QUIZ_COLOURS, shuffle_answers=False)
''', id="self-check", jupyter={"source_hidden": True}, tags=["remove-input"])
C('''
assert 0.75 * 0.40 * 200 == 60 and 0.75 * 0.60 * 200 == 90
assert mean_gap["and party, as in the sample"] > 8
assert abs(gaps.loc["party, mean", "gap"] - gaps.loc["party, drawn", "gap"]) < 0.1
''', id="quiz-numbers", tags=["remove-cell"])
M(r'''
## What to take away

@@TAKE@@

**Practise** with [Exercise 12: Shares that nobody counted](../exercises/12-a-variable-the-census-lacks.ipynb): five tasks, 40 minutes, and an answer to
each try.
''', id="takeaways")
C('''
packages = ["mrp-helpers", "bambi", "pymc", "nutpie", "arviz", "pandas", "numpy"]
print(", ".join(f"{package} {version(package)}" for package in packages))
''', id="versions")

exec(open("/tmp/wt/b12/fill.py").read())
import chapter
for i, (kind, text, meta, cid) in enumerate(chapter.CELLS):
    for key, value in FILL.items():
        text = text.replace(f"@@{key}@@", str(value).strip("\n"))
        if "mystnb" in meta and f"@@{key}@@" in meta["mystnb"]["image"]["alt"]:
            meta["mystnb"]["image"]["alt"] = value
    chapter.CELLS[i] = (kind, text, meta, cid)
write(sys.argv[1])
left = [t for _, t, m, _ in chapter.CELLS if "@@" in t or "@@" in str(m)]
print(len(chapter.CELLS), "cells; placeholders left in", len(left))
