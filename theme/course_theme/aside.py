"""Pages beside the way through the course: a solution, and the claims of one notebook.

They are built, and reached from the page above them alone: they are not in the list of contents at
the side, 'next' passes them by, and the search does not know them. All three are decided here, once
Sphinx has made sure that every page has its place in `_toc.yml`.
"""

import posixpath

from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def above(page: str) -> str:
    """Name the page from which an aside is reached; any other page is its own."""
    folder, name = posixpath.split(page)
    if folder == "exercises/solutions":
        return f"exercises/{name}"
    return folder if folder == "appendices/claims" else page


def is_aside(page: str) -> bool:
    """Say whether a page is beside the way."""
    return above(page) != page


def leave_out(app: Sphinx, env: BuildEnvironment) -> None:
    """Take the asides out of the lists of contents and of the way from page to page."""
    for page, below in env.toctree_includes.items():
        env.toctree_includes[page] = [one for one in below if not is_aside(one)]
    for contents in env.tocs.values():
        for tree in list(contents.findall(addnodes.toctree)):
            tree["entries"] = [(name, one) for name, one in tree["entries"] if not is_aside(one)]
            if not tree["entries"]:
                tree.parent.remove(tree)
    for page in filter(is_aside, env.found_docs):
        env.metadata[page]["nosearch"] = "true"


def setup(app: Sphinx) -> None:
    """Wait until Sphinx has read every page."""
    app.connect("env-check-consistency", leave_out)
