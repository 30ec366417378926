"""How stored notebook outputs are compared with fresh ones.

nbval compares text exactly, so that a mean fails whose last digits differ because another
processor adds in another order. Here two outputs are equal when they are the same text around
equal numbers: integers exactly, other numbers to a relative 1e-4. Pictures are not compared:
their bytes depend on the machine's fonts.
"""

import math
import os
import re
import tempfile

from nbval.plugin import IPyNbCell

RELATIVE = 1e-4
# What is this close to zero is zero plus rounding.
ABSOLUTE = 1e-9
# A number that stands by itself, not a part of a name or of a version such as x1 or 3.13.0.
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?!\w|\.\d)")

# Kernels inherit it: a set is printed in the order in which 'make notebooks' stored it.
os.environ["PYTHONHASHSEED"] = "0"
# Neither tests nor kernels read or fill the reader's own store of fits.
os.environ["MRP_HELPERS_CACHE"] = tempfile.mkdtemp(prefix="mrp-helpers-")

exact_sanitize = IPyNbCell.sanitize


class Tolerant(str):
    """Text that equals another text when the words match and the numbers are close."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return NotImplemented
        if NUMBER.sub("#", self) != NUMBER.sub("#", other):
            return False
        pairs = zip(NUMBER.findall(self), NUMBER.findall(other), strict=True)
        return all(same_number(one, two) for one, two in pairs)

    def __ne__(self, other: object) -> bool:
        return not self == other


def same_number(one: str, other: str) -> bool:
    """Compare two numbers as they are printed."""
    if one.lstrip("+-").isdigit() and other.lstrip("+-").isdigit():
        return int(one) == int(other)
    return math.isclose(float(one), float(other), rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def tolerant_sanitize(cell: IPyNbCell, output: object) -> object:
    """Do what nbval does to an output before it compares it, then make the comparison tolerant."""
    output = exact_sanitize(cell, output)
    if not isinstance(output, str):
        return output
    return "a drawing" if "<svg" in output[:1000] else Tolerant(output)


IPyNbCell.sanitize = tolerant_sanitize
