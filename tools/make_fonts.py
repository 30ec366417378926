"""Make the fonts of the site from those of two packages: `python -m tools.make_fonts FOLDER`.

    python -m pip download --no-deps fontpkg-source-serif-4 fontpkg-source-sans-3
    python -m pip install brotli

FOLDER is where these two are unpacked. Of each font the site needs the letters of its language and
the weights from regular to bold, a twentieth of the file. The licence reserves the name of the
originals for the originals, so what is made here has another one; the licence itself goes along.
"""

import argparse
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from tools.write import write_whole

TARGET = Path(__file__).resolve().parent.parent / "theme" / "static" / "fonts"
# The font made, from which file, and where its axes are fixed or end.
WEIGHTS = (400, 700)
FONTS = {
    "course-serif": ("SourceSerif4[opsz,wght].ttf", {"opsz": 16, "wght": WEIGHTS}),
    "course-serif-italic": ("SourceSerif4-Italic[opsz,wght].ttf", {"opsz": 16, "wght": 400}),
    "course-sans": ("SourceSans3[wght].ttf", {"wght": WEIGHTS}),
}
# Latin with the letters of western Europe, punctuation, arrows, and signs of formulas in texts.
CHARACTERS = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x100),
    *range(0x2010, 0x2028),
    *map(ord, "‰′″⁄€™←↑→↓−√≈≠≤≥∞×÷"),
]
FEATURES = ["kern", "liga", "mark", "mkmk", "ccmp", "locl", "lnum", "tnum", "frac"]
# The records of a font's name table that hold its name.
NAMES = (1, 3, 4, 6, 16, 18, 21, 25)


def renamed(font: TTFont, name: str) -> None:
    """Take the reserved name out, and leave the notice of copyright and the licence in."""
    table = font["name"]
    style = {record.nameID: record.toUnicode() for record in table.names}.get(2, "Regular")
    table.names = [record for record in table.names if record.nameID not in NAMES]
    family = name.removesuffix("-italic").replace("-", " ").title()
    for number, text in ((1, family), (4, f"{family} {style}"), (6, name), (3, name)):
        table.setName(text, number, 3, 1, 0x409)


def made(source: Path, axes: dict[str, object], name: str) -> TTFont:
    """Cut a font down to the weights and characters of the site."""
    font = TTFont(source, recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=FEATURES, name_IDs=["*"], notdef_outline=True))
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    font = instantiateVariableFont(font, axes)
    renamed(font, name)
    font.flavor = "woff2"
    return font


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the two packages are unpacked")
    folder = parser.parse_args().folder
    TARGET.mkdir(exist_ok=True)
    for name, (file, axes) in FONTS.items():
        (source,) = [path for path in folder.rglob("*.ttf") if path.name == file]
        target = TARGET / f"{name}.woff2"
        made(source, axes, name).save(target)
        print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")
        licence = (source.parent.parent / "LICENSE").read_text("utf-8")
        write_whole(TARGET / f"{name.removesuffix('-italic')}.LICENSE.txt", licence)


if __name__ == "__main__":
    main()
