"""What an import loads: nothing heavy before it is used, and no sampler to rake a sample.

Each look at what is loaded has an interpreter of its own. Modules are counted, never seconds.
"""

import ast
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import mrp_helpers

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"arviz", "bambi", "formulae", "matplotlib", "numpy", "pandas", "pymc", "scipy", "xarray"}
SAMPLER = {"arviz", "bambi", "formulae", "numba", "nutpie", "pymc", "pytensor", "xarray"}


def run(code):
    """Run code in a fresh interpreter and give what it prints last, read as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


LOADED = """
    import json, sys
    before = set(sys.modules)
    {code}
    print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(code):
    """Modules that a line of code loads."""
    return set(run(LOADED.format(code=code)))


@pytest.fixture(scope="module")
def everything():
    return loaded_by("from mrp_helpers import *")


def test_import_alone_loads_nothing_heavy(everything):
    loaded = loaded_by("import mrp_helpers")
    assert not loaded & HEAVY
    assert [name for name in loaded if name.startswith("mrp_helpers")] == ["mrp_helpers"]
    # Of which most are Python's own, for the interpreter's start differs between installations.
    assert len(loaded) < len(everything) / 10


LIGHT = ["rake", "hajek_mean", "effective_sample_size", "evaluate", "clean_cces", "recode_to_frame"]
LIGHT += ["selection_weights", "draw_biased_sample", "aggregate_cells", "load_cces", "CELL"]
LIGHT += ["load_poststrat_frame", "load_state_predictors", "load_heart_transplants", "OUTCOMES"]


def test_light_names_load_no_sampler_and_no_figures(everything):
    loaded = loaded_by(f"from mrp_helpers import {', '.join(LIGHT)}")
    assert not loaded & (SAMPLER | {"matplotlib"})
    assert SAMPLER - {"numba", "nutpie"} <= everything  # else nothing was compared


def test_the_library_loads_nothing_of_the_course(everything):
    assert not [module for module in everything if module.startswith("mrp_course")]


def test_the_course_loads_its_tasks_when_an_answer_is_checked():
    loaded = loaded_by("import mrp_course")
    assert not loaded & (SAMPLER - {"xarray"} | {"mrp_course.tasks"})
    assert "mrp_course.tasks" in loaded_by("import mrp_course; mrp_course.check('1.1', ...)")


AT_WORK = """
    import json, sys
    for name in {blocked}:
        sys.modules[name] = None  # importing it fails
    import pandas as pd
    from mrp_helpers import (
        aggregate_cells, clean_cces, draw_biased_sample, effective_sample_size, evaluate,
        hajek_mean, load_cces, load_poststrat_frame, load_state_predictors, rake,
        selection_weights,
    )

    respondents = clean_cces(load_cces())
    weights = selection_weights(respondents, load_state_predictors())
    sample = draw_biased_sample(respondents, weights)
    frame = load_poststrat_frame()
    margins = {{column: frame.groupby(column)["n"].sum() for column in ("age", "edu", "male")}}
    raked = rake(sample, margins)
    estimate, se = hajek_mean(sample["abortion"], raked)
    cells = aggregate_cells(sample, by="state")
    estimates = cells.assign(estimate=cells["abortion"] / cells["n"])
    scores = evaluate(estimates, respondents.groupby("state")["abortion"].mean())
    print(json.dumps([len(sample), estimate, effective_sample_size(raked), scores["n_groups"]]))
"""


def test_weighting_and_evaluating_work_without_a_sampler():
    blocked = sorted(SAMPLER | {"matplotlib"})
    size, estimate, effective, groups = run(AT_WORK.format(blocked=blocked))
    assert size == 5000 and 0.4 < estimate < 0.5 and 1000 < effective < 5000 and groups > 45


def test_a_name_that_needs_what_is_missing_says_so():
    code = """
        import json, sys
        sys.modules["bambi"] = None
        try:
            from mrp_helpers import poststratify
        except ImportError as error:
            print(json.dumps(str(error)))
    """
    assert "bambi" in run(code)


def test_type_checkers_see_the_same_names():
    tree = ast.parse((ROOT / "mrp_helpers" / "__init__.py").read_text("utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.asname: node.module for node in block.body for alias in node.names}
    assert seen == {name: f"mrp_helpers.{module}" for name, module in mrp_helpers._MODULES.items()}
    assert sorted(seen) == mrp_helpers.__all__


SAME = ["evaluate", "poststratify"]


@pytest.mark.proof
@pytest.mark.parametrize(
    "first",
    [
        "import mrp_course.check, mrp_helpers.evaluate, mrp_helpers.poststratify",
        "from mrp_course.tasks import TASKS",
    ],
)
def test_functions_are_not_hidden_by_modules_of_their_names(first):
    code = f"""
        import json
        {first}
        import mrp_helpers
        from mrp_helpers import {", ".join(SAME)}
        from mrp_course import check
        print(json.dumps([type(one).__name__ for one in ({", ".join(SAME)}, check)]))
    """
    assert run(code) == ["function"] * 3


def test_modules_are_there_too_and_nothing_else():
    assert mrp_helpers.data.load_cces is mrp_helpers.load_cces
    assert set(mrp_helpers.__all__) <= set(dir(mrp_helpers))
    with pytest.raises(AttributeError, match="'mrp_helpers' has no attribute 'rakes'"):
        mrp_helpers.rakes  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'rakes'"):
        exec("from mrp_helpers import rakes")
