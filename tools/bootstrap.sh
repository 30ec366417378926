#!/bin/sh
# Make .venv: the versions in requirements.lock, and the two packages themselves, editable.
#
#   sh tools/bootstrap.sh          what the book and the tests need
#   sh tools/bootstrap.sh bench    the above and what the benchmarks compare with
#   sh tools/bootstrap.sh mutation the first and what changes lines to see the tests notice
#
# A finished .venv carries a stamp that says what it was made from. While that still holds,
# there is nothing to do. The stamp is removed before anything is installed and written after,
# so a .venv without one is a half-made one, and is made anew.
set -eu
cd "${0%/*}/.."
. tools/find_python.sh

stamp=.venv/.complete
python=.venv/bin/python
extras=book,test

# What was asked for once stays: removing it would only cost a download.
for extra in bench mutation; do
    if [ "${1:-}" = "$extra" ] || { [ -f "$stamp" ] && grep -q "^extras.*$extra" "$stamp"; }; then
        extras=$extras,$extra
    fi
done

# The folder is part of the stamp: a .venv that was moved or copied points to the old place.
wanted_stamp() {
    echo "folder $PWD"
    echo "extras $extras"
    echo "inputs $(cat requirements.lock pyproject.toml mrp_course/pyproject.toml | cksum)"
}

is_usable() {
    [ -f "$stamp" ] && grep -qxF "folder $PWD" "$stamp" && "$python" -c '' 2>/dev/null
}

if is_usable; then
    [ "$(cat "$stamp")" = "$(wanted_stamp)" ] && exit 0
    echo "Bringing .venv up to date with requirements.lock and both pyproject.toml."
else
    base=$(find_python)
    echo "Making .venv with $("$base" --version). The first time takes half a minute, or a few" \
        "minutes where uv is not to be had."
    "$base" -m venv --clear .venv
fi

rm -f "$stamp"
# -qq: pip remarks on its own settings and on every file it has no need of; errors remain.
pip_install() {
    "$python" -m pip install -qq --disable-pip-version-check -c requirements.lock "$@"
}

# uv installs in seconds what takes pip minutes, so pip first gets uv. Where that fails, for want of
# a network or of a wheel for this machine, pip installs everything itself and says what is wrong.
if command -v uv >/dev/null 2>&1; then
    uv=uv
elif pip_install uv 2>/dev/null; then
    uv=.venv/bin/uv
else
    uv=
fi
# What uv installs is compiled when it is first used; where Python must not keep that, at once.
compile=${PYTHONDONTWRITEBYTECODE:+--compile-bytecode}
# shellcheck disable=SC2086  (no option is meant to be no word)
if [ -z "$uv" ] ||
    ! "$uv" pip install --quiet $compile --python "$python" -c requirements.lock \
        -e . -e "./mrp_course[$extras]"; then
    pip_install -e . -e "./mrp_course[$extras]"
fi
wanted_stamp >"$stamp"
echo "The environment is ready in .venv."
