#!/usr/bin/env bash
# Hand any bytes to whatever reads bytes that others wrote, guided by what they reach (atheris).
#
#   scripts/fuzz.sh --minutes N [--target T]
#
# Ends with a line "targets=… executions=… findings=…"; exit 1 on a finding, which is saved under
# fuzz-findings/ with the command that looks at it. The first run makes a virtual environment of its
# own in .venv-fuzz: atheris is a compiled package, which not every Python has.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

atheris=atheris==3.0.0
fuzz_venv=$root/.venv-fuzz

usage() {
    cat <<END
Usage: scripts/fuzz.sh --minutes N [--target T]...

  --minutes N   for all targets together
  --target T    only this one; scripts/fuzz.sh --minutes 1 --target x names them all
  --keep        make the kept corpora (tests/fuzz/corpus) anew from what was reached

Environment: PYTHON names the Python to use; it must be one that atheris has a package for.
END
}

# The first Python that takes atheris: not each has a package for it.
make_fuzz_venv() {
    local candidate tried=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        command -v "$candidate" >/dev/null || continue
        python_is_new_enough "$candidate" || continue
        tried+=" $candidate"
        say "Making a virtual environment for fuzzing in $fuzz_venv with $candidate."
        rm -rf "$fuzz_venv"
        run_quietly "$candidate" -m venv "$fuzz_venv" || continue
        if run_quietly "$fuzz_venv/bin/python" -m pip install --disable-pip-version-check \
            --only-binary=atheris "$atheris" hypothesis wcwidth; then
            printf '%s\n' "$atheris" >"$fuzz_venv/setup.stamp"
            return
        fi
    done
    rm -rf "$fuzz_venv"
    fail "No Python here takes $atheris (tried:${tried:- none}). Name one that does: PYTHON=/path/to/python3.11"
}

main() {
    case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
    '') refuse "For how long? --minutes N" ;;
    esac
    cd "$root"
    [ "$(cat "$fuzz_venv/setup.stamp" 2>/dev/null)" = "$atheris" ] || make_fuzz_venv >&2
    exec "$fuzz_venv/bin/python" -m tests.fuzz.run "$@"
}

main "$@"
