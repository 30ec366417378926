"""How labels are spelled, and when two spellings are the same label.

Case, accents, dashes, underscores and quotes do not count; 1, 1.0, True and "1" are one label.
"""

import re
import unicodedata
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

Level = Hashable

# What people write for the codes of a column with two levels.
_WORDS = {
    "treated": "1", "transplant": "1", "transplanted": "1", "untreated": "0", "control": "0",
    "high": "1", "high risk": "1", "low": "0", "low risk": "0", "yes": "1", "no": "0",
    "true": "1", "false": "0", "men": "0.5", "man": "0.5", "women": "-0.5", "woman": "-0.5",
}  # fmt: skip

_STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California",
    "CO": "Colorado", "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia",
    "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois",
    "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky", "LA": "Louisiana",
    "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York",
    "NC": "North Carolina", "ND": "North Dakota", "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon",
    "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina", "SD": "South Dakota",
    "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont", "VA": "Virginia",
    "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip


def spell(level: object) -> str:
    """Write a level so that 1, 1.0, True and '1' are the same."""
    if isinstance(level, np.generic):
        level = level.item()
    if isinstance(level, bool | int):
        return str(int(level))
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level).strip()


def spell_key(key: Any) -> Level:
    """Spell a label, or each part of one of several."""
    return tuple(spell(part) for part in key) if isinstance(key, tuple) else spell(key)


def spell_level(level: object) -> str:
    """Write a label into a sentence."""
    return " and ".join(repr(part) for part in (level if isinstance(level, tuple) else [level]))


def fold(text: object) -> str:
    """Write a label without what may differ between two spellings of it.

    >>> fold("Hájek"), fold("18–29"), fold("'Some_college'"), fold(1.0)
    ('hajek', '18 29', 'some college', '1')
    """
    plain = unicodedata.normalize("NFKD", spell(text)).casefold()
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"[\u2010-\u2015\u2212]", "-", plain)
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)%?", plain):
        return _as_number(plain)
    return " ".join(re.sub(r"[-_'\"`*\u2018-\u201d]+", " ", plain).split()).rstrip(".,;: ")


def _as_number(text: str) -> str:
    value = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    return f"{value:.12g}"


def match(found: Sequence[Any], wanted: Sequence[Any], *, loosely: bool = True) -> list[Level]:
    """Give for each label found the one that is wanted and means the same, or else itself.

    ``loosely`` also knows initials ("HT"), beginnings ("diff"), and words for codes ("treated").
    The names of states are known where their postal codes are wanted, but not in a label of several
    parts: a frame has to have the survey's own spelling.
    """
    if wanted and isinstance(wanted[0], tuple):
        return _match_parts(found, wanted)
    names = {fold(_STATES[label]): label for label in wanted if label in _STATES}
    return _match(found, wanted, names, loosely=loosely)


def _match(
    found: Sequence[Any], wanted: Sequence[Any], names: dict[str, Any], *, loosely: bool = True
) -> list[Level]:
    exact = {**names, **{fold(label): label for label in wanted}}
    matched = [exact.get(fold(label)) for label in found]
    if loosely:
        left = {fold(label): label for label in wanted if label not in matched}
        matched = [
            _alike(fold(label), left) if here is None else here
            for label, here in zip(found, matched, strict=True)
        ]
    return [
        spell_key(label) if here is None else here
        for label, here in zip(found, matched, strict=True)
    ]


def _alike(folded: str, left: dict[str, Any]) -> Any:
    """Find the one label that is left and is abbreviated, written out or meant by another."""
    if _WORDS.get(folded) in left:
        return left[_WORDS[folded]]
    if f"{_hundredth(folded)}" in left:
        return left[_hundredth(folded)]
    short = folded.replace(" ", "")
    if len(short) < 2:
        return None
    fits = [
        label
        for other, label in left.items()
        if "".join(word[0] for word in other.split()) == short
        or (min(len(short), len(other)) > 2 and _begins(short, other.replace(" ", "")))
    ]
    return fits[0] if len(fits) == 1 else None


def _hundredth(folded: str) -> str:
    """Read 95 as 0.95, as levels of probability are often written."""
    return f"{int(folded) / 100:.12g}" if folded.isdecimal() and len(folded) < 4 else ""


def _begins(one: str, other: str) -> bool:
    return not one[0].isdigit() and (one.startswith(other) or other.startswith(one))


def _match_parts(found: Sequence[Any], wanted: Sequence[tuple[Any, ...]]) -> list[Level]:
    """Match labels of several parts, part by part, in the order in which the parts agree."""
    width = len(wanted[0])
    if not all(isinstance(label, tuple) and len(label) == width for label in found):
        return [spell_key(label) for label in found]
    levels = [list(dict.fromkeys(label[at] for label in wanted)) for at in range(width)]
    given = [[label[at] for label in found] for at in range(width)]
    if width == 2 and _agreeing(given[0], levels[1]) > _agreeing(given[0], levels[0]):
        given.reverse()
    columns = [_matched_levels(*pair) for pair in zip(given, levels, strict=True)]
    return list(zip(*columns, strict=True))


def _matched_levels(given: list[Any], levels: list[Any]) -> list[Level]:
    distinct = list(dict.fromkeys(given))
    names = dict(zip(distinct, _match(distinct, levels, {}), strict=True))
    return [names[label] for label in given]


def _agreeing(given: list[Any], levels: list[Any]) -> int:
    return len(set(_matched_levels(given, levels)) & set(levels))
