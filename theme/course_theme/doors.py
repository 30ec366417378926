"""Ways from a page to a running notebook, and back to whoever can mend the page.

Three settings are read from the environment at build time, and absent as a rule:

    MRP_REPOSITORY   where the course's files are, such as https://github.com/owner/name
    MRP_BRANCH       the branch there, `main` if absent
    MRP_HUB          the address of a class's JupyterHub, such as https://hub.example.edu

Without the first, a page offers its notebook as a download alone. With it, buttons open the
notebook in Binder and in Colab, with the third in that JupyterHub too, and the footer links to the
form for errors, filled in with page and version. MRP_PDF, which `make pdf` sets, adds a link to the
whole course on paper.
"""

import os
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from .colab import FOLDERS, Repository, notebooks, prepare, repository

HUB = "MRP_HUB"
# Copies of the notebooks that install what they need on Colab, see colab.py.
COLAB_BRANCH = "notebooks"
PDF = "mrp-course.pdf"


def hub() -> str:
    """Read the address of a JupyterHub; "" if there is none."""
    address = os.environ.get(HUB, "").strip().rstrip("/")
    if address and not re.fullmatch(r"https?://[^\s?#]+", address):
        raise ValueError(f"{HUB} is {address!r}; write an address such as https://hub.example.edu")
    return address


def doors(place: Repository, notebook: str, hub_address: str = "") -> dict[str, str]:
    """Give for one notebook, by its path, the name and the address of each door."""
    path = quote(notebook)
    opened = {
        "Binder": f"https://mybinder.org/v2/gh/{place.owner}/{place.name}/"
        f"{quote(place.branch)}?urlpath={quote('lab/tree/' + notebook)}",
        "Colab": f"https://colab.research.google.com/github/{place.owner}/{place.name}/blob/"
        f"{COLAB_BRANCH}/{path}",
    }
    if hub_address:
        # The hub pulls the repository by nbgitpuller, and keeps what a student has changed.
        query = {
            "repo": place.address,
            "branch": place.branch,
            "urlpath": f"lab/tree/{place.name}/{notebook}",
        }
        opened["JupyterHub"] = f"{hub_address}/hub/user-redirect/git-pull?{urlencode(query)}"
    return opened


def feedback(place: Repository, page: str) -> str:
    """Give the address of the form for errors, filled in with page and version."""
    query = {
        "template": "error.yml",
        "page": page,
        "version": version("mrp-helpers"),
    }
    return f"{place.address}/issues/new?{urlencode(query)}"


def add_doors(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put the launch buttons of a notebook into the page's head, and the link into its footer."""
    if os.environ.get("MRP_PDF"):
        context["course_pdf"] = PDF
    place = repository()
    if place is None or doctree is None:
        return
    context["feedback_url"] = feedback(place, page)
    source = Path(app.env.doc2path(page))
    if source.suffix != ".ipynb" or page.rpartition("/")[0] not in FOLDERS:
        return
    buttons = [
        {
            "type": "link",
            "text": name,
            "tooltip": f"Run this notebook on {name}",
            "icon": "fas fa-rocket",
            "url": address,
        }
        for name, address in doors(place, f"{page}.ipynb", hub()).items()
    ]
    context["header_buttons"].insert(
        0,
        {
            "type": "group",
            "tooltip": "Run this notebook",
            "icon": "fas fa-rocket",
            "buttons": buttons,
            "label": "launch-buttons",
        },
    )


def prepare_downloads(app: Sphinx, exception: Exception | None) -> None:
    """Let the notebooks that the site hands out install what they need on Colab."""
    place = repository()
    if exception is not None or app.builder.name != "html" or place is None:
        return
    for path in notebooks(Path(app.outdir) / "_sources"):
        prepare(path, path, place)


def check_settings(app: Sphinx, config: Config) -> None:
    """Refuse a wrong setting before any page is read."""
    try:
        repository()
        hub()
    except ValueError as error:
        raise ConfigError(str(error)) from error


def setup(app: Sphinx) -> None:
    """Come after the theme, which makes the list of buttons."""
    app.connect("html-page-context", add_doors, priority=850)
    app.connect("build-finished", prepare_downloads, priority=800)
    app.connect("config-inited", check_settings)
