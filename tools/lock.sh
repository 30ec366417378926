#!/bin/sh
# Write requirements.lock from both pyproject.toml: one set of versions for every platform and for
# every Python from 3.12 on. uv is the only tool that does this; where it is not on the PATH, it
# is installed into an environment of its own, which is thrown away afterwards.
set -eu
cd "${0%/*}/.."
. tools/find_python.sh

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    base=$(find_python)
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    "$base" -m venv "$scratch"
    "$scratch/bin/python" -m pip install -qq --disable-pip-version-check uv
    uv=$scratch/bin/uv
fi

# --upgrade, because a lock that exists would otherwise hold every version where it is. No index
# address is written: the reader's own settings say where packages come from.
"$uv" pip compile --quiet --upgrade --universal --python-version 3.12 --all-extras \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
    --no-emit-package mrp-helpers --output-file requirements.lock \
    pyproject.toml mrp_course/pyproject.toml
