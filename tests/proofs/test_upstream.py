"""The reports for Bambi and formulae still hold; one that does not is to be taken off the page."""

import re
import traceback
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "appendices" / "upstream.md"
REPORT = re.compile(
    r"^## (.*?)$.*?```python\n(.*?)```\n\n```text\n(.*?)```", re.MULTILINE | re.DOTALL
)
REPORTS = REPORT.findall(PAGE.read_text("utf-8"))


def test_every_report_has_a_script_and_what_it_printed():
    assert len(REPORTS) == PAGE.read_text("utf-8").count("\n## ") == 12


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("title", "script", "printed"), REPORTS, ids=[one[0] for one in REPORTS])
def test_the_script_prints_the_same(title, script, printed, capsys):
    try:
        exec(compile(script, title, "exec"), {})
        last = ""
    except Exception as error:
        last = traceback.format_exception_only(error)[-1]
    found = capsys.readouterr().out + last
    words = [line.partition("(")[0].strip() for line in printed.splitlines()]
    assert [line for line in words if line not in found] == [], f"{title} is mended: say so"
