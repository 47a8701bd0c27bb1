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
step_began=0
seconds_of_steps=
memory_kib_min=262144
profile=ci      # hypothesis's own: all examples, the same each time
beside=         # the process that checks what is written while the tests run
beside_log=     # and its words
folder=         # where unit tests have their files, when there is memory for them

usage() {
    cat <<'END'
Usage: scripts/test.sh [--fast | --compiled]

Sets up what it needs (a virtual environment in .venv, pinned tools; for all tests also tmux, openssl and strace), then:
format, lint, import contracts, shell scripts, strict types, all tests with branch coverage, and
100 % of wire and store, and the tests of these and of the exchange once more on a compiled build.

  --fast      without the tests marked `slow` or `e2e`, and with fewer examples of what is true of anything:
              for every commit; less than two minutes on two cores
  --compiled  the tests of the server, of what is kept and of what is said, on a compiled build, which it
              makes in .venv-compiled (some minutes); nothing else

Environment: PYTHON names the Python to use.
END
}

main() {
    case ${1:-} in
    '') ;;
    --fast)
        lane=fast
        profile=fast
        ;;
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
        end_step
        current_step=
        return
    fi
    set_up "$root" dev
    [ "$lane" = fast ] || need_test_tools
    step "format"
    "$venv/bin/ruff" format --check .
    step "lint"
    "$venv/bin/ruff" check .
    begin_beside
    run_tests
    end_step
    current_step=
}

# What takes some seconds of one core and reads only what is written: beside the first tests.
check_beside() {
    step "import contracts"
    "$venv/bin/lint-imports" --no-logo
    step "shell scripts"
    "$venv/bin/shellcheck" scripts/*.sh scripts/lib/*.sh .ci/run
    step "types"
    "$venv/bin/mypy"
    step "end of what ran beside the tests"
}

begin_beside() {
    beside_log=$(mktemp)
    check_beside >"$beside_log" 2>&1 </dev/null &
    beside=$!
}

end_beside() {
    local status=0
    wait "$beside" || status=$?
    beside=
    cat "$beside_log"
    [ "$status" = 0 ] && return
    current_step=$(sed -n 's/^== \(.*\) ([0-9]* s)$/\1/p' "$beside_log" | tail -n 1)
    return "$status"
}

run_tests() {
    local coverage=()
    if [ "$lane" = fast ]; then use_memory; else coverage=(--cov --cov-append --cov-report=); fi
    rm -f .coverage .coverage.*
    # Their own tests alone must reach every branch: what only a long way round touches is not tested.
    step "unit tests of wire and store"
    run_pytest "not slow and not e2e" -n "$jobs" --cov --cov-report= tests/wire tests/store
    step "coverage of wire and store"
    "$venv/bin/coverage" report --include='wire/*,store/*' --fail-under=100
    end_beside
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

# Unit tests make thousands of small files durable: in the fast lane they wait for no disk, where
# there is memory enough. All other lanes have them on the machine's own file system.
use_memory() {
    [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] || return 0
    (($(df --output=avail -k /dev/shm | tail -n 1) >= memory_kib_min)) || return 0
    folder=$(mktemp -d /dev/shm/msg.XXXXXX)
    export TMPDIR=$folder
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
    "$venv/bin/python" -m pytest -q --hypothesis-profile="$profile" -m "$marks" "$@" </dev/null
}

step() {
    end_step
    current_step=$1
    step_began=$SECONDS
    printf '\n== %s (%d s)\n' "$1" "$SECONDS"
}

# Notes how long the step took that now ends.
end_step() {
    [ "$current_step" = arguments ] || seconds_of_steps+="${seconds_of_steps:+, }$current_step $((SECONDS - step_began))"
}

finish() {
    local status=$?
    [ -z "$beside" ] || wait "$beside" || true # some seconds at most
    rm -rf ${beside_log:+"$beside_log"} ${folder:+"$folder"}
    if [ -z "$current_step" ] && [ "$status" = 0 ]; then
        printf '\nSeconds: %s.' "$seconds_of_steps"
        printf '\ntest.sh: all checks of the %s lane passed in %d s.\n' "$lane" "$SECONDS"
        exit 0
    fi
    printf '\ntest.sh: FAILED in step "%s"; see above.\n' "$current_step"
    exit 1
}

main "$@"
