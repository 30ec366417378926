"""`jupyter-book`, begun so that a build spends less: `python theme/lean_builder.py build ...`.

Both settings have to be made before the builder is loaded, which is why no extension can make them.
What the builder says, writes and returns is the same.
"""

import gc
import sys

# A build makes millions of nodes, and keeps them to its end. Looking through them for circles that
# nobody needs takes a sixth of the build; without it the memory is half a gigabyte.
gc.disable()
# jsonschema loads it to check a kind of address that no file of the course has, and it makes 38
# grammars when it is loaded: most of a second. Where it is not installed, jsonschema does without.
sys.modules["rfc3987_syntax"] = None

if __name__ == "__main__":
    # The folder of this file comes first; modules of the course are found where Sphinx puts them.
    del sys.path[0]
    from jupyter_book.cli.main import main

    main()
