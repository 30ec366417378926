"""Write a file whole or not at all: a run that is stopped leaves the old one."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write text beside the target and rename it, which the file system does in one step."""
    part = path.with_name(f"{path.name}.tmp")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
