"""A glossary term shows its definition where it is used, to the pointer and to the keyboard.

The definitions that a page needs are copied from the finished glossary to the end of the page, out
of sight. A link names its definition as its description, so that a screen reader reads it without
any script; `terms.js` shows it on hover and on focus.
"""

import re

GLOSSARY = "appendices/glossary.html"
ENTRY = re.compile(
    r'((?:<dt id="term-[^"]+">.*?</dt>\s*)+)<dd>(.*?)</dd>(?=\s*(?:<dt |</dl>))', re.DOTALL
)
TERM = re.compile(r'<dt id="term-([^"]+)">(.*?)<a class="headerlink"', re.DOTALL)
LINK = re.compile(
    r'<a class="reference internal" href="([^"]*)#term-([^"]+)">(<span class="xref std std-term">)'
)
TAG_OF_LINK = re.compile(r"</?a\b[^>]*>")
NAME = re.compile(r' id="[^"]*"')  # a copy must not have the name of its original
PARAGRAPH = re.compile(r"</?p\b[^>]*>")
END = "</article>"


def definitions(glossary: str) -> dict[str, tuple[str, str]]:
    """Read from the glossary's HTML: anchor -> the word, and its definition without links."""
    found = {}
    for heads, text in ENTRY.findall(glossary):
        plain = PARAGRAPH.sub(" ", NAME.sub("", TAG_OF_LINK.sub("", text))).strip()
        for anchor, word in TERM.findall(heads):
            found[anchor] = (TAG_OF_LINK.sub("", word).strip(), plain)
    return found


def with_definitions(page: str, known: dict[str, tuple[str, str]]) -> str:
    """Describe each link to a term, and add the definitions that the page needs at its end."""
    used: list[str] = []

    def described(link: re.Match[str]) -> str:
        address, anchor, inside = link.groups()
        if anchor not in known:
            return link[0]
        if anchor not in used:
            used.append(anchor)
        return (
            f'<a class="reference internal term" href="{address}#term-{anchor}" '
            f'aria-describedby="definition-{anchor}">{inside}'
        )

    page = LINK.sub(described, page)
    if not used:
        return page
    words = [(anchor, *known[anchor]) for anchor in used]
    notes = "\n".join(
        f'<div id="definition-{anchor}"><strong>{word}</strong> {text}</div>'
        for anchor, word, text in words
    )
    before, end, after = page.rpartition(END)
    return f'{before}<div class="definitions" hidden>\n{notes}\n</div>\n{end}{after}'
