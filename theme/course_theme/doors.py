"""Ways from a page to a running notebook, and back to those who can correct the page.

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
from urllib.parse import urlencode

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from .colab import FOLDERS, Repository, notebooks, prepare, repository

HUB = "MRP_HUB"
# Copies of the notebooks that install what they need on Colab, see colab.py.
COLAB_BRANCH = "notebooks"
LAUNCH = {
    "notebook_interface": "jupyterlab",
    "binderhub_url": "https://mybinder.org",
    "colab_url": "https://colab.research.google.com",
}
PDF = "mrp-course.pdf"


def hub() -> str:
    """Read the address of a JupyterHub; "" if there is none."""
    address = os.environ.get(HUB, "").strip().rstrip("/")
    if address and not re.fullmatch(r"https?://[^\s?#]+", address):
        raise ValueError(f"{HUB} is {address!r}; write an address such as https://hub.example.edu")
    return address


def feedback(place: Repository, page: str) -> str:
    """Give the address of the form for errors, filled in with page and version."""
    query = {
        "template": "error.yml",
        "page": page,
        "version": version("mrp-helpers"),
    }
    return f"{place.address}/issues/new?{urlencode(query)}"


def tell_theme(app: Sphinx, config: Config) -> None:
    """Tell the theme where its launch buttons lead; refuse a wrong setting before any page is read.

    A hub pulls the repository by nbgitpuller, and keeps what a student has changed.
    """
    try:
        place, hub_address = repository(), hub()
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if place is not None:
        config.html_theme_options |= {
            "repository_url": place.address,
            "repository_branch": place.branch,
            "launch_buttons": {**LAUNCH, "jupyterhub_url": hub_address},
        }


def add_doors(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put the link for errors into the footer; correct the theme's launch buttons."""
    if os.environ.get("MRP_PDF"):
        context["course_pdf"] = PDF
    place = repository()
    if place is None or doctree is None:
        return
    context["feedback_url"] = feedback(place, page)
    for group in context["header_buttons"]:
        if group.get("label") == "launch-buttons":
            group["buttons"] = with_copies(group["buttons"], page, place)


def with_copies(
    buttons: list[dict[str, str]], page: str, place: Repository
) -> list[dict[str, str]]:
    """Lead Colab to the prepared copy of a notebook, and nowhere if there is none."""
    own, copies = f"/blob/{place.branch}/", f"/blob/{COLAB_BRANCH}/"
    return [
        button | {"url": button["url"].replace(own, copies, 1)}
        for button in buttons
        if button["text"] != "Colab" or page.rpartition("/")[0] in FOLDERS
    ]


def prepare_downloads(app: Sphinx, exception: Exception | None) -> None:
    """Let the notebooks that the site hands out install what they need on Colab."""
    place = repository()
    if exception is not None or app.builder.name != "html" or place is None:
        return
    for path in notebooks(Path(app.outdir) / "_sources"):
        prepare(path, path, place)


def setup(app: Sphinx) -> None:
    """Come after the theme, which makes the list of buttons."""
    app.connect("html-page-context", add_doors, priority=850)
    app.connect("build-finished", prepare_downloads, priority=800)
    app.connect("config-inited", tell_theme)
