"""The draws that chapters share, one file per fit; `mrp_helpers.fit_or_load` finds them here.

The entry point that names this module (in pyproject.toml) is how it does. `make notebooks` writes
the files, and `make refit` samples them again and compares.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
