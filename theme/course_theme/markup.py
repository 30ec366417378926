"""What the page's finished HTML lacks for readers who hear it or use the keyboard alone.

pandas, Sphinx and the theme write the markup; each function corrects one thing in it.
"""

import re

TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
HEAD = re.compile(r"<thead>.*?</thead>", re.DOTALL)
EMPTY_HEADER = re.compile(r"<th\b([^>]*)>\s*</th>")
SCOPE = re.compile(r"""\s+scope=["']?\w+["']?""")
HEADER = re.compile(r"<th(?![^>]*\bscope=)((?:\s[^>]*)?)>")
# A signature of several lines is a list of descriptions without terms, inside a term.
SIGNATURE = re.compile(r'<dl>\n((?:<dd><em class="sig-param">.*?</dd>\n)+)</dl>', re.DOTALL)
ICON = re.compile(
    r'<(i|span) class="([^"]*\bfa(?:-solid|s|-brands|b)\b[^"]*)"[^>]*?( data-mode="\w+")?[^>]*>'
)

# From one number to another, such as an age band, alone in its cell.
RANGE = re.compile(r"(<t[hd]\b[^>]*>)(\d+-\d+)(?=</t[hd]>)")
# What folds the pages below one away in the list of contents; the link before it says which.
TOGGLE = re.compile(r"(<a\b[^>]*>(?P<title>[^<]*)</a><details[^>]*>)<summary>")


def with_scopes(table: re.Match[str]) -> str:
    """Say of each header cell whether it heads a column or a row; an empty one heads nothing."""
    text = EMPTY_HEADER.sub(
        lambda empty: f'<td class="corner"{SCOPE.sub("", empty[1])}></td>', table[0]
    )
    head = HEAD.search(text)
    columns = HEADER.sub(scope("col", "colspan"), head[0]) if head else ""
    start = head.end() if head else 0
    return (
        text[: head.start() if head else 0]
        + columns
        + HEADER.sub(scope("row", "rowspan"), text[start:])
    )


def scope(kind: str, span: str):
    """Give the replacement that writes a scope; a header over several lines heads a group."""

    def write(header: re.Match[str]) -> str:
        group = "group" if re.search(rf'\b{span}="?(?!1\b)\d', header[1]) else ""
        return f'<th scope="{kind}{group}"{header[1]}>'

    return write


def tables(page: str) -> str:
    """Give every table header cells that say what they head."""
    return TABLE.sub(with_scopes, page)


def signatures(page: str) -> str:
    """Write the lines of a long signature as lines, not as a list of descriptions."""

    def lines(signature: re.Match[str]) -> str:
        items = signature[1].replace("<dd>", '<span class="sig-line">')
        return f'<span class="sig-lines">\n{items.replace("</dd>", "</span>")}</span>'

    return SIGNATURE.sub(lines, page)


def references(page: str) -> str:
    """Take off the references a role that the standard has given up."""
    return page.replace(' role="doc-biblioentry"', ' role="listitem"')


def icons(page: str) -> str:
    """Hide icons from readers who hear the page: the button beside says what it does."""
    return ICON.sub(r'<\1 class="\2"\3 aria-hidden="true">', page)


def ranges(page: str) -> str:
    """Keep the two ends of a range on one line."""
    return RANGE.sub(r'\1<span class="range">\2</span>', page)


def toggles(page: str) -> str:
    """Name what opens a part of the contents: it is a picture of an arrow only."""
    return TOGGLE.sub(r'\1<summary aria-label="Pages of \g<title>">', page)


MENDS = (tables, signatures, references, icons, ranges, toggles)
