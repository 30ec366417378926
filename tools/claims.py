"""List every claim that an assertion cell holds, with its sentences, a page for each notebook.

    python -m tools.claims            write appendices/claims.md and the pages in appendices/claims
    python -m tools.claims --first    plant a wrong number in each input of every notebook in turn,
                                      and print the first cell that fails (the tests read this)
    python -m tools.claims --plant    go on past it to the notebook's end, and print the claims
                                      that nothing planted upsets (some minutes)

An assertion cell is a code cell with the tag `remove-cell` that asserts something. It stands
between an output and the sentences that read it, or right after the sentences it holds.
"""

import argparse
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import bambi
import bambi.interpret  # the forks of this process find the large packages imported
import matplotlib
import nbformat
import numpy as np
import pandas as pd
import xarray as xr
from IPython.display import display
from matplotlib import pyplot as plt

import mrp_helpers
from mrp_helpers.model import SHIPPED, model_digests
from mrp_helpers.tasks import TASKS
from tools.execute_notebooks import ROOT, inside, named_or_all, notebooks_in_order
from tools.patience import HANGS
from tools.write import write_whole

matplotlib.use("Agg")

FOLDER = ROOT / "appendices" / "claims"
CONTENTS = FOLDER.with_suffix(".md")
WRITTEN = """\
<!-- Written by 'make claims' from the notebooks: change them or tools/claims.py, not this page. -->
"""
HEAD = f"""\
# What is claimed, and what holds it

{WRITTEN}
After a passage that says something about numbers stands a cell that you do not see on its page. It
asserts what the sentences say, and when the numbers stop saying so, it fails, and with it the
tests. The pages below show all {{cells}} of these cells, with {{assertions}} assertions, and with
each of them the sentences that it holds; unfold it to see how. An assertion may be stricter than
its sentence. A sentence may say more than its assertion, as when it gives a reason, which no number
can hold. The solutions of the exercises have such cells too; they are not shown here, where
learners pass by.

| Claims of | Cells | Assertions |
|---|---|---|
"""
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
# A formula on lines of its own, which may have a label; a page cannot repeat a label.
FORMULA = re.compile(
    r"^(?:(?P<fence>`{3,}|:{3,})\{math\}\n(?::\w+:[^\n]*\n)*(?P<one>.*?)^(?P=fence)\s*$"
    r"|\$\$(?P<two>.*?)\$\$.*?$)",
    re.MULTILINE | re.DOTALL,
)
# What of a passage is not a sentence: targets, fences of directives, tables, footnotes.
LEFT_OUT = [
    re.compile(r"^\([\w-]+\)=\n?", re.MULTILINE),
    re.compile(r"^(?:`{3,}|:{3,}).*$", re.MULTILINE),
    re.compile(r"^:\w+:.*$", re.MULTILINE),
    re.compile(r"^\|.*$", re.MULTILINE),
    re.compile(r"\[\^\w+\](?::.*)?"),
]
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
LINE_BREAK = re.compile(r"\s*\n\s*(?![-*] |\d+\. |: )")


class Claim(NamedTuple):
    """One assertion cell and what it holds."""

    number: int  # of the cell, from 1
    section: str
    sentences: str
    source: str


def is_assertion(cell: nbformat.NotebookNode) -> bool:
    """Say whether a cell holds a claim."""
    hidden = "remove-cell" in cell.metadata.get("tags", [])
    return cell.cell_type == "code" and hidden and re.search(r"\bassert\b", cell.source) is not None


def passage(cells: list[nbformat.NotebookNode], index: int) -> str:
    """Find the text that the assertion cell at `index` holds."""
    around = [
        cells[at].source if cells[at].cell_type == "markdown" else "" for at in range(len(cells))
    ]
    if around[index - 1]:
        return after_heading(around[index - 1])
    following = next((text for text in around[index + 1 :] if text), "")
    if reading := HEADING.split(following)[0].strip():
        return reading
    return after_heading(next(text for text in reversed(around[:index]) if text))


def after_heading(text: str) -> str:
    """Return the part of a text below its last heading."""
    return HEADING.split(text)[-1].strip()


def sentences(text: str) -> str:
    """Keep of a passage what can be said on another page, each paragraph on one line."""
    text = FORMULA.sub(lambda match: f"$${match['one'] or match['two']}$$", text)
    for pattern in LEFT_OUT:
        text = pattern.sub("", text)
    text = LINK.sub(r"*\1*", text)
    paragraphs = [LINE_BREAK.sub(" ", part.strip()) for part in re.split(r"\n\s*\n", text)]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def claims(cells: list[nbformat.NotebookNode]) -> list[Claim]:
    """List the claims of a notebook."""
    section, found = "", []
    for index, cell in enumerate(cells):
        if cell.cell_type == "markdown" and (headings := HEADING.findall(cell.source)):
            section = headings[-1]
        elif is_assertion(cell):
            text = sentences(passage(cells, index))
            found.append(Claim(index + 1, section, text, cell.source))
    return found


def listed(path: Path) -> list[Claim]:
    """List the claims of a notebook's file."""
    return claims(nbformat.read(path, as_version=4).cells)


def block(claim: Claim) -> str:
    """Show one claim: where it stands, its sentences, and the assertions folded away."""
    quoted = claim.sentences.replace("\n", "\n> ").replace("> \n", ">\n")
    return (
        f"**{claim.section}**, cell {claim.number}\n\n> {quoted}\n\n"
        f"::::{{dropdown}} What the cell asserts\n```python\n{claim.source}\n```\n::::\n"
    )


def count_assertions(found: list[Claim]) -> int:
    return sum(len(re.findall(r"^\s*assert\b", claim.source, re.MULTILINE)) for claim in found)


def title_of(path: Path) -> str:
    """Read the title of a notebook."""
    return HEADING.findall(nbformat.read(path, as_version=4).cells[0].source)[0]


def page(path: Path, found: list[Claim]) -> str:
    """Write the page of one notebook."""
    title, place = title_of(path), f"../../{inside(path)}"
    head = f"# Claims: {title}\n\n{WRITTEN}\n"
    cells = "1 cell" if len(found) == 1 else f"{len(found)} cells"
    head += f"{cells} with {count_assertions(found)} assertions in [{title}]({place}).\n"
    return "\n".join([head, *(block(claim) for claim in found)])


def pages() -> dict[Path, str]:
    """Write the page of contents, and a page for each notebook that claims something."""
    # The sentences of a solution would give the exercise away.
    paths = [path for path in notebooks_in_order() if path.parent.name != "solutions"]
    by_notebook = {path: found for path in paths if (found := listed(path))}
    everything = [claim for found in by_notebook.values() for claim in found]
    rows = "".join(
        f"| [{title_of(path)}]({FOLDER.name}/{path.stem}.md) | {len(found)} "
        f"| {count_assertions(found)} |\n"
        for path, found in by_notebook.items()
    )
    head = HEAD.format(cells=len(everything), assertions=count_assertions(everything))
    texts = {FOLDER / f"{path.stem}.md": page(path, found) for path, found in by_notebook.items()}
    return {CONTENTS: head + rows, **texts}


def stored() -> dict[Path, str]:
    """Read the pages as they were last written."""
    return {path: path.read_text("utf-8") for path in [CONTENTS, *sorted(FOLDER.glob("*.md"))]}


def write(texts: dict[Path, str]) -> None:
    """Store the pages; those of notebooks that are gone go too."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in texts.items():
        write_whole(path, text)
    for path in set(FOLDER.glob("*.md")) - set(texts):
        path.unlink()


# What is planted: for each input of the notebooks, a small fault of a kind that happens.


def answers_flipped(raw: pd.DataFrame) -> pd.DataFrame:
    """Exchange yes and no, codes 1 and 2, for every fiftieth respondent."""
    planted = raw.copy()
    for question in raw.filter(like="CC18_321"):
        planted.loc[::50, question] = 3 - raw.loc[::50, question]
    return planted


def votes_moved(states: pd.DataFrame) -> pd.DataFrame:
    """Give each state the vote of the state in the row above."""
    return states.assign(repvote=np.roll(states["repvote"], 1))


def men_overcounted(frame: pd.DataFrame) -> pd.DataFrame:
    """Count five per cent more men in each cell."""
    return frame.assign(n=(frame["n"] * (1 + 0.05 * (frame["male"] > 0))).round().astype(int))


def one_death_more(patients: pd.DataFrame) -> pd.DataFrame:
    """Let one survivor of the twenty patients die."""
    survivor = patients["death"].idxmin()
    return patients.assign(death=patients["death"].where(patients.index != survivor, 1))


def draws_stretched(draws: xr.DataTree) -> xr.DataTree:
    """Move every draw of every parameter ten per cent away from zero."""
    draws["posterior"] = draws["posterior"].to_dataset() * 1.1
    return draws


FAULTS = {
    "answers": ("load_cces", answers_flipped),
    "votes": ("load_state_predictors", votes_moved),
    "frame": ("load_poststrat_frame", men_overcounted),
    "patients": ("load_heart_transplants", one_death_more),
    "draws": ("fit_or_load", draws_stretched),
}
# What the tests do not plant; --plant does. The numbers of the page on calibration were simulated
# by another command and stored; of the survey's answers it takes only the truth of each state, for
# one table. Chapter 11 asks for whom people voted, and not what they answered on abortion;
# exercise 13 reads shapes of priors off draws, which keep them when stretched; exercise 15 plants
# its truth with the same votes it reads.
NOT_PLANTED = {
    ("calibration", "answers"),
    ("11-an-election-that-was-counted", "answers"),
    ("13-structured-priors", "draws"),
    ("15-from-survey-to-report", "votes"),
}


def load_by_name(model: bambi.Model, name: str, **sampler: object) -> xr.DataTree:
    """Load stored draws although the data, and with them the key, are no longer theirs."""
    draws = xr.load_datatree(SHIPPED / f"{name}.nc")
    digests = model_digests(model)
    draws.attrs.update({f"digest_{part}": digest for part, digest in digests.items()})
    return draws


def plant(fault: str) -> None:
    """Put a function with a fault into the package, for notebooks to import."""
    mrp_helpers.fit_or_load = load_by_name
    # That a wrong answer is refused is enough here: which of the known mistakes it is takes longer.
    for task in TASKS.values():
        task.mistakes.clear()
    loader, change = FAULTS[fault]
    load = getattr(mrp_helpers, loader)
    setattr(mrp_helpers, loader, lambda *inputs, **options: change(load(*inputs, **options)))


def code_of(path: Path) -> str:
    """Read the code of a notebook."""
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def faults_for(path: Path) -> list[str]:
    """List the faults that can be planted in a notebook: one for each input that it reads."""
    code = code_of(path)
    return [fault for fault, (loader, _) in FAULTS.items() if f"{loader}(" in code]


def play(path: Path, fault: str, *, to_the_end: bool = False) -> list[tuple[int, str]]:
    """Plant a fault and run the cells of a notebook; list the failing cells and their errors.

    The run stops at the first failure, or `to_the_end` at the first outside a claim. It changes
    the package of this process: see `in_a_fork`.
    """
    names: dict[str, object] = {"__name__": "__main__", "display": display}
    plant(fault)
    os.chdir(path.parent)
    failed = []
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, start=1):
        if cell.cell_type != "code" or "raises-exception" in cell.metadata.get("tags", []):
            continue
        try:
            exec(compile(cell.source, f"cell {number}", "exec"), names)
        except Exception as error:
            failed.append((number, type(error).__name__))
            if not (to_the_end and is_assertion(cell)):
                break
        plt.close("all")
    return failed


def in_a_fork(path: Path, fault: str, **options: bool) -> list[tuple[int, str]]:
    """Play a notebook in a fork of this process, which has all imports done: seconds are saved."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(HANGS)  # ends a child that a lock, taken before the fork, holds for ever
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        try:
            os.write(writing, json.dumps(play(path, fault, **options)).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"{inside(path)} with wrong {fault}: the run died (status {status})")
    return [tuple(pair) for pair in json.loads(answer)]


def compute_answers(paths: list[Path]) -> None:
    """Compute the right answers of these solutions once, for all forks of this process."""
    for path in paths:
        for name in re.findall(r'\bcheck\("([\w.]+)"', code_of(path)):
            TASKS[name].answer()


def first_failures(paths: list[Path]) -> dict[str, dict[str, list[tuple[int, str]]]]:
    """Give for each notebook and each fault the first cell that fails and its error."""
    compute_answers(paths)
    return {
        inside(path): {
            fault: in_a_fork(path, fault)
            for fault in faults_for(path)
            if (path.stem, fault) not in NOT_PLANTED
        }
        for path in paths
    }


def numbers_of_claims(cells: list[nbformat.NotebookNode]) -> set[int]:
    return {number for number, cell in enumerate(cells, start=1) if is_assertion(cell)}


def plant_everywhere(paths: list[Path]) -> None:
    """Print for each notebook and fault how many claims it upsets, and which none of them does."""
    for path in paths:
        cells = nbformat.read(path, as_version=4).cells
        never = numbers_of_claims(cells)
        print(f"{inside(path)}: {len(never)} claims")
        for fault in faults_for(path):
            failed = in_a_fork(path, fault, to_the_end=True)
            wrong = {number for number, error in failed if error == "AssertionError"}
            upset = numbers_of_claims(cells) & wrong
            other = [f"; ended by {error} in cell {n}" for n, error in failed if n not in upset]
            never -= upset
            print(f"  {fault}: {len(upset)} fail{''.join(other)}", flush=True)
        print(f"  never: {', '.join(map(str, sorted(never))) or 'none'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="to plant in; default: all")
    parser.add_argument("--plant", action="store_true", help="plant wrong numbers and report")
    parser.add_argument("--first", action="store_true", help="the same as far as the first failure")
    arguments = parser.parse_args()
    if arguments.plant or arguments.first:
        paths = [path for path in named_or_all(arguments.notebooks) if listed(path)]
        if arguments.plant:
            plant_everywhere(paths)
        else:
            print(json.dumps(first_failures(paths), indent=1))
        return
    if arguments.notebooks:
        sys.exit("The pages list all notebooks; naming some is for --plant.")
    write(pages())
    print(f"The claims are in {inside(CONTENTS)} and {inside(FOLDER)}.")


if __name__ == "__main__":
    main()
