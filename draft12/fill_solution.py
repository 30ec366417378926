FILL = {
"SECONDS": 20,
"SOL1": '''
In the leaning sample, Republicans are far too many at every education. The second survey is right but for chance, which is largest where it asked few people. The model's shares are pulled together by what all educations have in common,
and counted as often as each cell occurs.
''',
"SOL1_ASSERT": '''
assert (beside["leaning sample"] > 1.5 * beside["truth"]).all()
assert (beside["frame"] - beside["truth"]).abs().max() < 0.1
spread_of = beside.max() - beside.min()
assert spread_of["frame"] < spread_of["second survey"]
''',
"SOL2": '''
The second model alone would have been too high in every group, and most of all among White people, of whom the first question takes the most away.
''',
"SOL2_ASSERT": '''
alone = (laboratory["n"] * then.mean(axis=1)).groupby(laboratory["eth"]).sum() / people
assert (alone > democrat + 0.01).all()
assert (democrat / alone).idxmin() == "White"
''',
"SOL3": '''
The variances add, since the two surveys are independent. The frame alone is the smaller part, and adding the two standard deviations would claim far more than there is.
''',
"SOL3_ASSERT": '''
alone = np.sqrt(spread**2 - fixed**2)
assert 0 < alone < fixed < spread < 0.9 * (fixed + alone)
''',
"SOL4": '''
74 % support among Republicans and 32 % among all others: a difference of 41 points, of which one in twenty is 2.1. Chance alone moves the share of Republicans among 2,000 people by 1.0 points (one standard error), and so the
estimate by 0.4. That is the rule of thumb for any variable that you add: the error of its share, times the difference that it makes.
''',
}
