"""The site's own Sphinx extension: one small module for each concern, each with a `setup(app)`.

A module that is named here may connect events, add directives, and add files to pages. It writes
nothing that differs between two builds: no date, no random name, no path of a folder.
"""

from importlib import import_module

from sphinx.application import Sphinx

MODULES = (
    "shortcuts",
    "numbers",
    "aside",
    "claimed",
    "contents",
    "search",
    "address",
    "sharing",
    "doors",
    "exercises",
    "finish",
    "explorers",
    "other_explorers",
    "weight",
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Set up each module in turn, in the order above."""
    for name in MODULES:
        import_module(f"{__name__}.{name}").setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
