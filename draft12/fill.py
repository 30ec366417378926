import pickle, numpy as np, pandas as pd
from pathlib import Path
FILL = {}
_p = Path("/tmp/wt/b12/res.pkl")
if _p.exists():
    R = pickle.loads(_p.read_bytes())
    fs, g, pr, sc, rep, ex, br = (R[k] for k in ["frame_shares", "gaps", "paired", "score", "repeated", "exact", "assumptions"])
    real, rs = R["real"], R["real_states"]
    pc = lambda x: f"{100*x:.1f}"
    r1 = lambda x: f"{x:.1f}"
    F = FILL
    F["BOTH"] = R["both"]; F["SECONDS"] = R["seconds"]; F["MB"] = R["mb"]
    R_, D_ = fs.loc["Republican"], fs.loc["Democrat"]
    F["SHARES_ASSERT"] = f'''assert round(frame_shares.loc["Republican", "estimate"], 3) == {R_.estimate:.3f}
assert round(frame_shares.loc["Republican", "lower"], 2) == {R_.lower:.2f}
assert round(frame_shares.loc["Republican", "upper"], 2) == {R_.upper:.2f}
inside = frame_shares["truth"].between(frame_shares["lower"], frame_shares["upper"])
assert inside.all()'''
    F["SHARES_TEXT"] = f'''{R_.estimate:.1%} Republicans, with a 95 % interval from {100*R_.lower:.0f} to {100*R_.upper:.0f} %, where the truth is {R_.truth:.1%}.'''.replace("%,", " %,").replace("% R", " % R").replace("%.", " %.").replace("  %", " %")
    F["ALT1"] = R["alt1"]; F["FIG1_TEXT"] = R["fig1"]
    dr, me, kn, fi = (g.loc[k] for k in ["party, drawn", "party, mean", "party, known", "five columns"])
    wider = 100 * (dr.width / me.width - 1)
    F["GAPS_ASSERT"] = f'''assert gaps["gap"].round(1).to_dict() == {{
    "five columns": {fi.gap:.1f},
    "party, drawn": {dr.gap:.1f},
    "party, mean": {me.gap:.1f},
    "party, known": {kn.gap:.1f},
}}
widths = gaps["width"]
wider = 100 * (widths["party, drawn"] / widths["party, mean"] - 1)
assert {wider:.0f} - 6 < wider < {wider:.0f} + 6
frame_sd = np.sqrt(gaps.loc["party, drawn", "sd"] ** 2 - gaps.loc["party, mean", "sd"] ** 2)
assert round(frame_sd, 1) == {np.sqrt(dr.sd**2-me.sd**2):.1f}
assert gaps.loc["party, drawn", "lower"] < 0 < gaps.loc["party, drawn", "upper"]
assert gaps["sd"].max() / np.sqrt(1000) < 0.03'''
    sdf = np.sqrt(dr.sd**2 - me.sd**2)
    F["GAPS_TEXT"] = f'''Distances from the truth in {{term}}`percentage points <percentage point>`. Of the raw gap of 9.1, five columns leave {fi.gap:.1f} and the extended frame leaves {dr.gap:.1f}, with an interval that holds the truth. The sample
is the same; all that was added is 2,000 answers to another question.

What is left has two parts, which the last row tells apart. With the parties counted and not estimated, the gap would be {kn.gap:.1f}: that is the luck of the leaning sample and whatever the model of the answer gets wrong. The rest, {dr.gap-kn.gap:+.1f}, is the second survey's
one point of Republicans too many.

Now the widths. Fixed at its mean, the frame gives the same estimate and an interval of {me.width:.1f} points. Drawn, it gives {dr.width:.1f}, which is about {wider:.0f} % wider. Both {{term}}`standard deviations <credible interval>` are on the page: {me.sd:.2f} becomes {dr.sd:.2f}, so the frame alone contributes {sdf:.1f} points (variances
add). The fixed frame is not more precise. It only keeps quiet about what it does not know.'''
    F["GAPS_TEXT"] = F["GAPS_TEXT"].replace("{term}`standard deviations <credible interval>` are on the page", "standard deviations stand in the column `sd`")
    F["ALT2"] = f"Five horizontal marks against a dashed line at zero, the truth. Top: raw, a square at {R['raw_gap']:.1f} points. Then five columns, a circle at {fi.gap:.1f} with an interval from {fi.lower:.1f} to {fi.upper:.1f}. Then three diamonds near zero: party drawn at {dr.gap:.1f}, from {dr.lower:.1f} to {dr.upper:.1f}; party fixed at its mean at {me.gap:.1f}, narrower; party known at {kn.gap:.1f}."
    F["PAIR_ASSERT"] = f'''assert np.ptp(paired["gap"]) < 0.1 and simulation < 0.03'''
    F["PAIR_TEXT"] = f'''The means differ by {np.ptp(pr['gap']):.2f} points at most and the standard deviations by {np.ptp(pr['sd']):.2f}. With 1,000 draws the {{term}}`Monte Carlo error` of a mean is about {pr['sd'].mean()/np.sqrt(1000):.2f} points and that of a standard deviation about {pr['sd'].mean()/np.sqrt(2000):.2f}: nothing but that.'''
    s5, sp, sk = (sc.loc[k] for k in ["five columns", "party, drawn", "party, known"])
    F["STATE_ASSERT"] = f'''assert round(score.loc["five columns", "mae"], 3) == {s5.mae:.3f}
assert round(score.loc["party, drawn", "mae"], 3) == {sp.mae:.3f}
assert round(score.loc["party, known", "mae"], 3) == {sk.mae:.3f}
assert round(score.loc["party, drawn", "coverage"], 2) == {sp.coverage:.2f}
assert round(score.loc["five columns", "coverage"], 2) == {s5.coverage:.2f}'''
    F["STATE_TEXT"] = f'''Yes. The mean absolute error over the 50 states falls from {100*s5.mae:.1f} points to {100*sp.mae:.1f}, and to {100*sk.mae:.1f} with parties that are counted. With five columns {100*s5.coverage:.0f} % of the 95 % intervals hold the truth of their state, with the extended frame {100*sp.coverage:.0f} %. It is still one sample,
and {{term}}`coverage` of 50 states that share its luck says little.'''
    m, e, sd_ = rep["mean gap"], rep["Monte Carlo error"], rep["spread"]
    k = list(rep.index)
    F["MC_ASSERT"] = f'''assert repeated["Monte Carlo error"].max() < 0.15
assert abs(mean_gap["raw"] - {m['raw']:.1f}) < 0.1
assert abs(mean_gap["five columns"] - {m['five columns']:.1f}) < 0.1
assert abs(mean_gap["and party, as in the sample"] - {m[k[2]]:.1f}) < 0.1
assert abs(mean_gap["and party, second survey"]) < 3 * error["and party, second survey"]
assert abs(mean_gap["and party, known"]) < 3 * error["and party, known"]
assert round(spread["and party, second survey"], 1) == {sd_[k[3]]:.1f}
assert round(spread["and party, known"], 1) == {sd_[k[4]]:.1f}'''
    F["MC_TEXT"] = f'''`mean gap` is the average over fifty repeats, in points, and `Monte Carlo error` says how far it may be from the average over infinitely many. It is not luck. Raw, the bias is {m['raw']:.1f} points; five columns leave {m['five columns']:.1f}; and with party from the second survey nothing is left that
could be told from zero ({m[k[3]]:.2f}, with an error of {e[k[3]]:.2f}).

Two rows are there as a warning and as a yardstick. Raked to *its own* party shares, the sample stays at {m[k[2]]:.1f}: of course, since that margin already holds. And had party been counted, single estimates would scatter by {sd_[k[4]]:.1f} points around the truth;
with shares from 2,000 people they scatter by {sd_[k[3]]:.1f}. That is the same price that the interval above paid.'''
    b = br["mean gap"]; be = br["Monte Carlo error"]
    bk = list(b.index)
    F["BREAK_ASSERT"] = "\n".join(f'assert abs(assumptions.loc["{n}", "mean gap"] - {b[n]:.1f}) < 0.1' for n in bk[1:]) + f'\nassert abs(assumptions.loc["nothing broken", "mean gap"]) < 3 * assumptions.loc["nothing broken", "Monte Carlo error"]'
    F["BREAK_TEXT"] = f'''With nothing broken, the bias is zero within its error. Each assumption costs points, and no diagnostic shows any of it:

- A second survey that leans half as much again leaves {b[bk[1]]:.1f} points. One that leans as the first does leaves {b[bk[2]]:.1f}: as if there were no second survey.
- When supporters among *neither* call themselves Republicans, their answers go to the wrong party, and the estimate is {abs(b[bk[3]]):.1f} points too {'low' if b[bk[3]]<0 else 'high'}.
- Selection on the answer, within cell and party, leaves {b[bk[4]]:.1f} points. That is the $k$ of [Limits](09-limits.ipynb), and no frame reaches it.'''
    r5, rp = real["five columns"], real["party, drawn"]
    s5t, spt = rs["five columns"].set_index("state")["estimate"], rs["party, drawn"].set_index("state")["estimate"]
    fall = 100 * (s5t - spt)
    some = ["CA", "NY", "FL", "TX", "OH", "WY"]
    F["REAL_ASSERT"] = f'''assert round(r5["estimate"], 3) == {r5['estimate']:.3f}
assert round(rp["estimate"], 3) == {rp['estimate']:.3f}
before = real_states["five columns"].set_index("state")["estimate"]
after = real_states["party, drawn"].set_index("state")["estimate"]
fall = 100 * (before - after)[some]
assert round(fall.min()) == {fall[some].min():.0f} and round(fall.max()) == {fall[some].max():.0f}
drawn_share = census_counts[0::3].sum("row") / census["n"].sum()
assert round(drawn_share.mean().item(), 2) == {R['census_share']:.2f}
weight = respondents["commonweight"]
weighted = weight[respondents["party"] == "Republican"].sum() / weight.sum()
assert round(weighted, 3) == {R['weighted']:.3f}'''
    F["REAL_TEXT"] = f'''With five columns the national estimate is {100*r5['estimate']:.1f} %, with party {100*rp['estimate']:.1f} %. In these six states it falls by {fall[some].min():.0f} to {fall[some].max():.0f} points. Every one of these numbers is a claim that nobody can check. What can be said is that the leaning was put there by us, that
the same steps took it away where the truth is known, and that other routes of this course, which never saw the lean, end near 44 %: MRP on the tour's sample at 44.4 %, raking all 59,810 respondents at 43.9 %.

One doubt should be written beside it. The second survey here is the CCES, and the CCES has selection of its own. Its respondents are {R['unweighted']:.1%} Republican as they came and {R['weighted']:.1%} with the survey's own weights; the frame says {100*R['census_share']:.0f} %. By the exact table above you know how to think
about a point of Republicans too few: times the difference in support between them and the others, that is, some 0.4 points each.'''.replace("%}","").replace(f"{R['unweighted']:.1%}", f"{100*R['unweighted']:.1f} %").replace(f"{R['weighted']:.1%}", f"{100*R['weighted']:.1f} %").replace("By the exact table above you know how to think\nabout a point of Republicans too few: times the difference in support between them and the others, that is, some 0.4 points each.", "A point of Republicans\ntoo few costs about 0.4 points of support, the difference between them and all others times one in a hundred.")
    F["TAKE"] = f'''1. A variable that the census lacks can still be in the frame, if a second source without the lean tells its share in each cell. Here it takes a gap of 9.1 points, which five columns leave at {fi.gap:.1f}, to {dr.gap:.1f} (laboratory, one sample).
2. Over fifty pairs of surveys, raked: {m['raw']:.1f} points raw, {m['five columns']:.1f} with five columns, {abs(m[k[3]]):.1f} with party from the second survey, each to about {e.max():.1f}.
3. Never take the shares from the leaning sample. Raked to its own parties it stays where it was.
4. The estimated frame is a set of draws. Multiply draw by draw: with 2,000 people behind the shares the interval is about {wider:.0f} % wider than with fixed shares.
5. Draws of independent surveys may be paired in any order; those of one model may not.
6. A party margin is enough when the lean on party is the same everywhere. Where it depends on education, it takes the joint.
7. The assumption has moved to the second survey: no lean of its own, the same question, and no selection on the answer within cell and party.'''
