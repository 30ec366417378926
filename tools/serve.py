"""Serve the built site to a browser of this machine as GitHub Pages does: compressed.

Only text is compressed; pictures are compressed already. Nothing is kept by the browser for the
next visit, so that each measurement is a first one.
"""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

TEXT = {".html", ".css", ".js", ".json", ".svg", ".xml", ".txt", ".ipynb"}


@lru_cache(maxsize=256)
def compressed(path: Path, changed: float) -> bytes:
    """Give a file's bytes as a server sends them; `changed` makes a rebuilt file a new one."""
    return gzip.compress(path.read_bytes(), compresslevel=6)


def sent_size(path: Path) -> int:
    """Count the bytes that loading a file costs a reader."""
    if path.suffix in TEXT:
        return len(compressed(path, path.stat().st_mtime))
    return path.stat().st_size


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(urlsplit(self.path).path))
        if path.is_dir():
            path /= "index.html"
        if not path.is_file() or path.suffix not in TEXT:
            super().do_GET()
            return
        body = compressed(path, path.stat().st_mtime)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the log of a measurement is its result."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port of this machine; gives the address, ending in a slash."""

    def handler(*args: object, **options: object) -> _Handler:
        return _Handler(*args, directory=str(folder), **options)

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
