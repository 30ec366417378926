# Sourced by the scripts beside it. Defines find_python, which prints the path of a Python
# that can make a virtual environment. It uses nothing but the shell, so that even on a
# machine with nothing installed the reader gets the one line at the end.

# Print where the interpreter $1 lives if it is new enough and has venv and ensurepip. It is
# run, not only looked up: pyenv puts commands on the PATH that exist and then fail.
try_python() {
    "$1" -c '
import sys, venv, ensurepip
if sys.version_info < (3, 12): sys.exit(1)
print(sys.executable)' 2>/dev/null
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12; do
        command -v "$name" >/dev/null 2>&1 && try_python "$name" && return
    done
    pyenv=${PYENV_ROOT:-${HOME:-}/.pyenv}/versions
    for path in "$pyenv"/3.14*/bin/python3 "$pyenv"/3.13*/bin/python3 "$pyenv"/3.12*/bin/python3; do
        [ -x "$path" ] && try_python "$path" && return
    done
    if command -v uv >/dev/null 2>&1; then
        path=$(uv python find '>=3.12' 2>/dev/null) && try_python "$path" && return
    fi
    echo "No Python 3.12 or newer with its venv module was found: install one, for example" \
        "with 'pyenv install 3.13', 'uv python install 3.13' or 'apt install python3-venv'," \
        "and run the same command again." >&2
    return 1
}
