"""What the builder would find out again for every page, remembered; each result is the same.

All but one are where Sphinx or a library has a place for them: a lexer, a language of the search,
a formatter, a plugin. `let_stand_ins_join` changes something inside Sphinx, and says why.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from ipython_pygments_lexers import IPython3Lexer
from myst_nb.core.lexers import AnsiColorLexer
from pybtex.backends.plaintext import Backend
from pybtex.plugin import register_plugin
from pygments.lexer import Lexer
from pygments.lexers import PythonLexer
from pygments.token import _TokenType
from sphinx.application import Sphinx
from sphinx.ext.autodoc.mock import _MockObject
from sphinx.search.en import SearchEnglish

# Each command of IPython's own has one of these; code without them is Python.
COMMAND = re.compile("[%!?]")
IPYTHON, PYTHON = IPython3Lexer(), PythonLexer()


class NotebookLexer(Lexer):
    """IPython's lexer, which leaves plain Python to Python's: it tries thirty patterns fewer."""

    name = "IPython"
    aliases = ("ipython3",)

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, _TokenType, str]]:
        """Cut code into tokens."""
        return (IPYTHON if COMMAND.search(text) else PYTHON).get_tokens_unprocessed(text)


class RememberedEnglish(SearchEnglish):
    """English for the search; a word keeps its stem from one page to the next."""

    def init(self, options: dict[str, str]) -> None:
        """Begin with no word known."""
        super().init(options)
        self.stem = cache(super().stem)


def remembered(make: Callable[..., Any]) -> Callable[..., Any]:
    """Make one thing for equal options, some of which are lists and cannot be a key."""
    made: dict[str, Any] = {}

    def give(**options: Any) -> Any:
        key = repr(sorted(options.items()))
        if key not in made:
            made[key] = make(**options)
        return made[key]

    return give


def remember_formatters(app: Sphinx) -> None:
    """Keep the formatters of code: each looks up all colours of its style when it is made."""
    if app.builder.format == "html":
        app.builder.highlighter.formatter = remembered(app.builder.highlighter.formatter)


def let_stand_ins_join() -> None:
    """Let `Table | None` be written of a table whose library is not loaded.

    The API's page needs docstrings and signatures alone. So `_config.yml` has the libraries of the
    package replaced by Sphinx's stand-ins, which saves three seconds. But this version's stand-ins
    know no `|`, by which annotations join types; no annotation is shown.
    """
    _MockObject.__or__ = _MockObject.__ror__ = lambda one, other: one


def setup(app: Sphinx) -> None:
    """Register the shortcuts."""
    let_stand_ins_join()
    app.add_lexer("ipython3", NotebookLexer)
    app.add_lexer("myst-ansi", AnsiColorLexer)
    app.add_search_language(RememberedEnglish)
    # A plugin that is registered is found at once; others are looked for in all of Python's
    # packages, which happened at each of the citations.
    register_plugin("pybtex.backends", "plaintext", Backend, force=True)
    app.connect("builder-inited", remember_formatters)
