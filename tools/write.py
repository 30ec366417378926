"""Write a file whole or not at all: a run that is stopped leaves the old one."""

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DATA = {".parquet", ".csv", ".json"}


def write_whole(path: Path, text: str) -> None:
    """Write text beside the target and rename it, which the file system does in one step."""
    part = path.with_name(f"{path.name}.tmp")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table, as small as it can be."""
    part = path.with_name(f"{path.name}.tmp")
    try:
        pq.write_table(table, part, compression="zstd", compression_level=19)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_checksums(folder: Path) -> int:
    """List the SHA-256 of every data file in a folder; loaders compare them at each load."""
    files = sorted(path for path in folder.iterdir() if path.suffix in DATA)
    write_whole(folder / "SHA256SUMS", "".join(f"{sha256(path)}  {path.name}\n" for path in files))
    return len(files)
