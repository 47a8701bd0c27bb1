#!/usr/bin/env bash
# Every check of the project, from nothing but Debian and Python.
#
# What it must never do: pass when a check did not run, or depend on what was installed by hand.
# How it fails: the first failing step stops it; the last line names that step; exit status 1.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

lane=full
jobs=$(nproc)
current_step=arguments

usage() {
    cat <<'END'
Usage: scripts/test.sh [--fast | --compiled]

Sets up what it needs (a virtual environment in .venv, pinned tools; for all tests also tmux, openssl and strace), then:
format, lint, import contracts, shell scripts, strict types, all tests with branch coverage, and
100 % of wire and store, and the tests of these and of the exchange once more on a compiled build.

  --fast      without the tests marked `slow` or `e2e`: for every commit; some three minutes on two cores
  --compiled  the tests of the server, of what is kept and of what is said, on a compiled build, which it
              makes in .venv-compiled (some minutes); nothing else

Environment: PYTHON names the Python to use.
END
}

main() {
    case ${1:-} in
    '') ;;
    --fast) lane=fast ;;
    --compiled) lane=compiled ;;
    -h | --help)
        usage
        exit 0
        ;;
    *) refuse "Unknown argument $1." ;;
    esac
    (($# <= 1)) || refuse "Too many arguments."
    cd "$root"
    trap finish EXIT

    step "set-up"
    # The checks belong to this project's own environment, with its pinned tools.
    unset MSG_VENV
    if [ "$lane" = compiled ]; then
        test_compiled all
        current_step=
        return
    fi
    set_up "$root" dev
    [ "$lane" = fast ] || need_test_tools
    step "format"
    "$venv/bin/ruff" format --check .
    step "lint"
    "$venv/bin/ruff" check .
    step "import contracts"
    "$venv/bin/lint-imports" --no-logo
    step "shell scripts"
    "$venv/bin/shellcheck" scripts/*.sh scripts/lib/*.sh .ci/run

    step "types"
    "$venv/bin/mypy"
    run_tests
    current_step=
}

run_tests() {
    local coverage=()
    [ "$lane" = fast ] || coverage=(--cov --cov-append --cov-report=)
    rm -f .coverage .coverage.*
    # Their own tests alone must reach every branch: what only a long way round touches is not tested.
    step "unit tests of wire and store"
    run_pytest "not slow and not e2e" -n "$jobs" --cov --cov-report= tests/wire tests/store
    step "coverage of wire and store"
    "$venv/bin/coverage" report --include='wire/*,store/*' --fail-under=100
    step "all other unit tests"
    run_pytest "not slow and not e2e" -n "$jobs" --ignore=tests/wire --ignore=tests/store \
        ${coverage[@]+"${coverage[@]}"}
    [ "$lane" = full ] || return 0
    step "slow tests"
    run_pytest "slow and not e2e" -n "$jobs" "${coverage[@]}"
    step "coverage of everything (measured, not judged)"
    "$venv/bin/coverage" report
    step "compiled build"
    test_compiled smoke
    step "end-to-end tests"
    # Each test has programs, folders and ports of its own, and waits for real terminals.
    run_pytest "e2e" -n "$jobs"
}

# The tests beside which no sources lie: what they import is what was installed.
test_compiled() { # all | smoke
    local tree=$root/.venv-compiled/tree of_all=(tests/msgd tests/sim) name of_sources=$venv
    set_up_compiled "$root"
    venv=$compiled
    rm -rf "$tree"
    mkdir "$tree"
    for name in tests scripts docs share setup.py pyproject.toml; do cp -r "$root/$name" "$tree/"; done
    cd "$tree"
    export MSG_BUILD=compiled
    [ "$1" = all ] || of_all=(tests/msgd/test_build.py tests/msgd/test_exchange*.py)
    step "unit tests on the compiled build"
    run_pytest "not slow and not e2e" -n "$jobs" tests/wire tests/store "${of_all[@]}"
    if [ "$1" = all ]; then
        need_tmux
        step "slow tests and simulation on the compiled build"
        run_pytest "slow and not e2e" -n "$jobs" tests/wire tests/store "${of_all[@]}" tests/crash
        step "end-to-end tests on the compiled build"
        run_pytest "e2e" -n "$jobs" tests/e2e/test_delivery.py tests/e2e/test_persistence.py tests/e2e/test_bad_bytes.py
    fi
    unset MSG_BUILD
    venv=$of_sources
    cd "$root"
}

run_pytest() { # MARKS OPTION...
    local marks=$1
    shift
    "$venv/bin/python" -m pytest -q -m "$marks" "$@" </dev/null
}

step() {
    current_step=$1
    printf '\n== %s (%d s)\n' "$1" "$SECONDS"
}

finish() {
    local status=$?
    if [ -z "$current_step" ] && [ "$status" = 0 ]; then
        printf '\ntest.sh: all checks of the %s lane passed in %d s.\n' "$lane" "$SECONDS"
        exit 0
    fi
    printf '\ntest.sh: FAILED in step "%s"; see above.\n' "$current_step"
    exit 1
}

main "$@"
