"""Build the site, and the same pages with the theme's own settings: what does ours cost?

    python -m research.benchmarks.site        two or three minutes, in temporary folders

The plain site is what `jupyter-book build` makes of the same notebooks without the course's
extension, templates, styles and settings of the theme. Ours is the whole of `make book`: strict,
rewritten and packed. The two take turns, and of each the quicker turn counts, because the first
one finds nothing in the machine's memory. A loop in plain Python tells how fast the machine is.
Seconds of wall time mean little while it does other things; the ratios of processor time do.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
TURNS = 2


class Cost(NamedTuple):
    """Seconds, by the clock and of all processors together."""

    wall: float
    processor: float


def plain_settings() -> str:
    """Give `_config.yml` without what makes the site the course's own, but with its content."""
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    del settings["html"]
    sphinx = settings["sphinx"]
    del sphinx["local_extensions"]
    sphinx["extra_extensions"].remove("sphinx-mathjax-offline")
    look = ("html_", "templates_path", "autodoc_mock_imports")
    sphinx["config"] = {k: v for k, v in sphinx["config"].items() if not k.startswith(look)}
    return yaml.safe_dump(settings)


def plain_command(folder: Path) -> list[str]:
    """Build without the course's look; every reference is checked here as well."""
    config = folder / "plain.yml"
    config.write_text(plain_settings(), "utf-8")
    builder = str(Path(sys.executable).with_name("jupyter-book"))
    where = ["--path-output", str(folder / "plain"), "--config", str(config)]
    return [builder, "build", "--all", "-n", *where, str(ROOT)]


def our_command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "tools.build_book", "--output", str(folder / "ours")]


def of_children() -> float:
    """Seconds of the processor of every process that this one started and that has ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def cost(command: list[str]) -> Cost:
    """Run a command in a process of its own; it must succeed."""
    started, before = time.perf_counter(), of_children()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return Cost(time.perf_counter() - started, of_children() - before)


def loop() -> Cost:
    """Time a loop that asks nothing of memory or disk."""
    started, before = time.perf_counter(), time.process_time()
    sum(i * i % 7 for i in range(20_000_000))
    return Cost(time.perf_counter() - started, time.process_time() - before)


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        plain, ours = plain_command(folder), our_command(folder)
        turns = [(cost(plain), cost(ours)) for _ in range(TURNS)]
    found = {
        "plain site": min((turn[0] for turn in turns), key=lambda found: found.processor),
        "our site": min((turn[1] for turn in turns), key=lambda found: found.processor),
        "loop": loop(),
    }
    print(f"{'':<24}{'wall':>8}{'processor':>12}")
    for what, seconds in found.items():
        print(f"{what + ', s':<24}{seconds.wall:>8.1f}{seconds.processor:>12.1f}")
    for one, other in (("our site", "plain site"), ("our site", "loop")):
        wall, processor = (a / b for a, b in zip(found[one], found[other], strict=True))
        print(f"{one + ' / ' + other:<24}{wall:>8.2f}{processor:>12.2f}")


if __name__ == "__main__":
    main()
