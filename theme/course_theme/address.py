"""The site's future address: one setting, the environment variable MRP_BASE_URL.

It is absent as a rule. Then no page says where it is, and the folder works from anywhere. Who
publishes the site sets it, and canonical links, previews and the map of the site follow.
"""

import os
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

VARIABLE = "MRP_BASE_URL"


def base_url() -> str:
    """Read the address of the site's front page, with a slash at its end; "" if there is none."""
    address = os.environ.get(VARIABLE, "").strip()
    if not address:
        return ""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"{VARIABLE} is {address!r}; write the whole address of the folder that holds "
            "index.html, such as https://example.org/mrp/"
        )
    return address.rstrip("/") + "/"


def tell_sphinx(app: Sphinx, config: Config) -> None:
    """Let Sphinx write canonical links."""
    config.html_baseurl = base_url()


def setup(app: Sphinx) -> None:
    """Read the address before any page."""
    app.connect("config-inited", tell_sphinx)
