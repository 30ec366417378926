import sys
sys.path.insert(0, "/tmp/wt/b12")
from chapter import M, C, H, write, CELLS
import chapter

def A(n, stub, solution):
    C(f"{stub} = ...\n### BEGIN SOLUTION\n{solution.strip(chr(10))}\n### END SOLUTION", f"answer-12-{n}", nbgrader={"grade": False, "grade_id": f"answer-12-{n}", "locked": False, "schema_version": 3, "solution": True, "task": False})
    C(f'correct = check("12.{n}", {stub})\n### BEGIN HIDDEN TESTS\nassert correct, "task 12.{n} is not solved"\n### END HIDDEN TESTS', f"check-12-{n}", nbgrader={"grade": True, "grade_id": f"check-12-{n}", "locked": True, "points": 1, "schema_version": 3, "solution": False, "task": False})

def S(text):
    M(text); CELLS[-1] = (*CELLS[-1][:2], {"tags": ["solution"]}, CELLS[-1][3])

M(r'''
# Exercise 12: Shares that nobody counted

You build a frame that nobody has counted, from two questions of a second survey, and take its uncertainty along. Then you work out what an error in such a frame costs, and
choose the sentence that goes into print. The ideas are those of [A variable that the census lacks](../../chapters/12-a-variable-the-census-lacks.ipynb); the numbers are new.

**You need** the chapter. **Time** 40 minutes; all cells together run in about @@SECONDS@@ seconds.

In each task, replace the dots `...` by your answer; write as many lines as you like. Then run the cell below it. Try as
often as you want. All tasks are in the **laboratory**.
''')
M('''
```{note}
This is the solution, with its outputs. Start from [the exercise](../12-a-variable-the-census-lacks.ipynb).
```
''', id="solution-note")
CELLS[-1] = (*CELLS[-1][:2], {"tags": ["solution"]}, CELLS[-1][3])
C('''
import bambi as bmb
import numpy as np
import pandas as pd
import xarray as xr

from mrp_helpers import (
    CELL,
    aggregate_cells,
    check,
    clean_cces,
    draw_biased_sample,
    fit_or_load,
    load_cces,
    load_state_predictors,
    poststratify,
    poststratify_draws,
    selection_weights,
)
''')
M('''
## 12.1 Where do the shares come from?

The people of the laboratory with the party that they name; the sample that leans towards Republicans; and the second survey, which does not:
''')
C('''
survey, states = load_cces(), load_state_predictors()
party = survey.set_index("caseid")["pid3"].map({1: "Democrat", 2: "Republican"})
respondents = clean_cces(survey)
respondents["party"] = respondents["caseid"].map(party).fillna("neither")

recipe = {"party": {"Republican": 3, "Democrat": 1, "neither": 1}}
weights = selection_weights(respondents, states, recipe)
leaning = draw_biased_sample(respondents, weights)
second = respondents.sample(2000, random_state=12)
''')
M('''
The chapter's three models: two for the party, fitted to the second survey, and one for the answer, fitted to the leaning sample.
''')
C('''
effect = bmb.Prior("Normal", mu=0, sigma=bmb.Prior("HalfNormal", sigma=0.5))
single = ["state", "eth", "edu", "age"]
every = [*single, "male:eth", "edu:age", "edu:eth", "party:eth", "party:edu"]
predictors = "male + repvote"


def cells_of(people, outcome, by=CELL):
    cells = aggregate_cells(people, by=by, outcome=outcome)
    return cells.merge(states, on="state", validate="many_to_one")


def multilevel(cells, outcome, common, groups):
    terms = " + ".join([common, *(f"(1 | {group})" for group in groups)])
    priors = {f"1|{group}": effect for group in groups}
    return bmb.Model(f"p({outcome}, n) ~ {terms}", cells, "binomial", priors=priors)
''')
C('''
second["Republican"] = (second["party"] == "Republican").astype(int)
second["Democrat"] = (second["party"] == "Democrat").astype(int)
others = second[second["Republican"] == 0]

republican_cells = cells_of(second, "Republican")
democrat_cells = cells_of(others, "Democrat")
answer_cells = cells_of(leaning, "abortion", [*CELL, "party"])
republican_model = multilevel(republican_cells, "Republican", predictors, single)
democrat_model = multilevel(democrat_cells, "Democrat", predictors, single)
answer_model = multilevel(answer_cells, "abortion", f"{predictors} + party", every)
''')
C('''
longer = {"draws": 1500, "tune": 1500}
republican_draws = fit_or_load(republican_model, "party-republican", **longer)
democrat_draws = fit_or_load(democrat_model, "party-democrat", **longer)
answer_draws = fit_or_load(answer_model, "party-answer")

republican_draws = republican_draws.isel(draw=slice(None, None, 6))
democrat_draws = democrat_draws.isel(draw=slice(None, None, 6))
answer_draws = answer_draws.isel(draw=slice(None, None, 4))
laboratory = cells_of(respondents, "abortion")
''')
M('''
What share of the laboratory's people of each education is Republican, according to the frame that you are building? Five estimates, labelled by `edu`.
''')
A(1, "republican", '''
republican = poststratify(republican_model, republican_draws, laboratory, by="edu")
republican = republican.set_index("edu")["estimate"]
''')
C('''
def named(people):
    return people["party"].eq("Republican").groupby(people["edu"]).mean()


samples = {"leaning sample": leaning, "second survey": second, "truth": respondents}
beside = {"frame": republican} | {name: named(who) for name, who in samples.items()}
beside = pd.DataFrame(beside)
beside.round(3)
''', tags=["solution"])
S('''
@@SOL1@@
''')
H('''
@@SOL1_ASSERT@@
''')
M('''
## 12.2 The second question

`democrat_model` was fitted to `others`, those who are not Republican. What share of *all* people of each ethnicity is Democrat, in the frame? Four estimates, labelled
by `eth`. Work in cells and in draws, and average last. These are the two models' draws for each cell, in the order of `laboratory`:
''')
C('''
numbered = laboratory.assign(cell=range(len(laboratory)))
first = poststratify_draws(republican_model, republican_draws, numbered, by="cell")
then = poststratify_draws(democrat_model, democrat_draws, numbered, by="cell")
first, then = first.to_numpy(), then.to_numpy()
print(f"{first.shape[0]:,} cells, {first.shape[1]:,} draws each")
''')
A(2, "democrat", '''
in_cells = ((1 - first) * then).mean(axis=1)
people = laboratory.groupby("eth")["n"].sum()
democrat = (laboratory["n"] * in_cells).groupby(laboratory["eth"]).sum() / people
''')
S('''
@@SOL2@@
''')
H('''
@@SOL2_ASSERT@@
''')
M('''
## 12.3 How far does it spread?

The frame: a row for each cell and party, and 1,000 draws of how many people each row holds.
''')
C('''
parties = ["Republican", "Democrat", "neither"]
rows = laboratory.drop(columns=["n", "abortion"])
rows = rows.merge(pd.DataFrame({"party": parties}), how="cross")
shares = np.stack([first, (1 - first) * then, (1 - first) * (1 - then)], axis=1)
people = shares * laboratory["n"].to_numpy()[:, None, None]
counts = xr.DataArray(people.reshape(len(rows), -1), dims=("row", "sample"))
''')
M('''
What is the standard deviation of the national estimate of support, with the uncertainty of the frame carried through? One number, as a share.
''')
A(3, "spread", '''
national = poststratify(answer_model, answer_draws, rows, population=counts)
spread = national["sd"].item()
''')
C('''
fixed = rows.assign(n=counts.mean("sample").to_numpy())
fixed = poststratify(answer_model, answer_draws, fixed)["sd"].item()
print(f"frame fixed at its mean: {100 * fixed:.2f} points")
print(f"frame drawn:             {100 * spread:.2f} points")
print(f"so the frame alone:      {100 * np.sqrt(spread**2 - fixed**2):.2f} points")
''', tags=["solution"])
S('''
@@SOL3@@
''')
H('''
@@SOL3_ASSERT@@
''')
M('''
## 12.4 What does an error in the frame cost?

Suppose that the second survey has 5 points too many Republicans, and too few of all others, in proportion. Nothing else is wrong. By how much is the national estimate too high? One
number, as a share, from the support of the laboratory's people, `respondents["abortion"]`.
''')
A(4, "too_high", '''
republicans = respondents["party"] == "Republican"
support = respondents.groupby(republicans)["abortion"].mean()
too_high = 0.05 * (support[True] - support[False])
''')
S('''
@@SOL4@@
''')
H('''
assert round(100 * too_high, 1) == 2.1
luck = np.sqrt(0.267 * 0.733 / 2000)
assert round(100 * luck, 1) == 1.0
assert round(100 * luck * too_high / 0.05, 1) == 0.4
''')
M('''
## 12.5 What may you print?

Which of these do you hand in? Answer with a letter in quotes.

- **A** The sample was raked to the census's five margins and to the party shares of its own 5,000 respondents, so its lean on party is corrected.
- **B** Party is in the frame, so no selection is left, and the estimate is without bias.
- **C** Cells were split by party with shares modelled from a second survey of 2,000, and the interval includes their uncertainty. It holds if that survey has no lean on party within cells, if
  both surveys ask for party alike, and if those of a party and cell who answered think like those who did not.
- **D** Cells were split by party with shares modelled from a second survey of 2,000. The interval takes the shares at their posterior means, which removes the noise of that survey.
''')
A(5, "sentence", 'sentence = "C"')
M('''
## Looking back

A frame is an estimate too. The census's counts come from a large survey, and it costs little to treat them as known. The shares here came from 2,000 people, and what is not known about them belongs into the interval.
''')
exec(open("/tmp/wt/b12/fill_solution.py").read())
for i, (kind, text, meta, cid) in enumerate(chapter.CELLS):
    for key, value in FILL.items():
        text = text.replace(f"@@{key}@@", str(value).strip("\n"))
    chapter.CELLS[i] = (kind, text, meta, cid)
write(sys.argv[1])
left = [t for _, t, m, _ in chapter.CELLS if "@@" in t]
print(len(chapter.CELLS), "cells; placeholders left in", len(left))
