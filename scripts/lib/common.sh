# Words, checks and installs shared by the scripts that people run. To be sourced by bash, never run.
#
# What it must never do: install anything without saying so first, or leave a half-made virtual
# environment that a later run takes for a whole one.
# How it fails: one sentence on stderr that says what to do, and a non-zero exit.

# shellcheck shell=bash

venv= # set by set_up: the environment to use
# shellcheck disable=SC2034  # set by set_up_compiled, for who sources this
compiled= # set by set_up_compiled: the environment with the compiled build
packages=(wire store term msgd msgc)
python_major_minimum=3
python_minor_minimum=11

say() {
    printf '%s\n' "$*"
}

# Ends the script with a sentence. The exit status is 1: usage errors call `refuse` instead.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

refuse() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    printf 'Try: %s --help\n' "$0" >&2
    exit 2
}

is_number_between() { # VALUE LOW HIGH
    [[ $1 =~ ^[0-9]{1,6}$ ]] && ((10#$1 >= $2 && 10#$1 <= $3))
}

# --- programs from the system ---------------------------------------------------------------------

# Installs a Debian package, or says why it cannot. Called only when the thing is known to be missing.
install_with_apt() { # PACKAGE REASON
    local package=$1 reason=$2 administrator=()
    command -v apt-get >/dev/null ||
        fail "$package is missing ($reason), and there is no apt-get here. Install $package and run this again."
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            fail "$package is missing ($reason). As root: apt-get install $package. Then run this again."
        administrator=(sudo)
        # Without a terminal sudo could only wait for a password that nobody can type.
        [ -t 0 ] || administrator+=(-n)
    fi
    say "$package is missing ($reason): installing it with ${administrator[*]:+${administrator[*]} }apt-get."
    # The package lists may be absent or old on a fresh machine; a failure to refresh them is not yet a failure.
    run_quietly "${administrator[@]}" apt-get update || say "apt-get update failed; trying the lists that are here."
    run_quietly "${administrator[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "$package" ||
        fail "$package could not be installed. Install it yourself (apt-get install $package) and run this again."
}

need_tmux() {
    command -v tmux >/dev/null || install_with_apt tmux "it draws the four panes"
}

# What the whole of the tests runs beside the project; without them some would be skipped.
need_test_tools() {
    need_tmux
    command -v openssl >/dev/null || install_with_apt openssl "msgd cert and its tests make certificates with it"
    command -v strace >/dev/null || install_with_apt strace "tests have it fail the system calls of a real server"
}

# Runs a command whose output matters only when it fails.
run_quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ "$status" = 0 ] || sed 's/^/    /' "$log" >&2
    rm -f "$log"
    return "$status"
}

# --- Python and the virtual environment -----------------------------------------------------------

python_is_new_enough() { # PYTHON
    "$1" -c "import sys; sys.exit(sys.version_info < ($python_major_minimum, $python_minor_minimum))" 2>/dev/null
}

# Prints the first Python that will do. $PYTHON, when set, is the only candidate.
find_python() {
    local wanted="$python_major_minimum.$python_minor_minimum" candidate seen=
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        command -v "$candidate" >/dev/null || continue
        if python_is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
        seen=${seen:-$candidate is $("$candidate" --version 2>&1)}
    done
    if [ -n "$seen" ]; then
        fail "Python $wanted or newer is needed, and $seen. Install a newer one (Debian 12 has it as python3), or name it: PYTHON=/path/to/python3"
    fi
    fail "Python $wanted or newer is needed, and ${PYTHON:-python3} was not found. On Debian: apt-get install python3 python3-venv"
}

# What the environment was made from. When it is unchanged there is nothing to do.
setup_stamp() { # ROOT PYTHON KIND
    {
        printf '%s\n' "$1" "$3"
        "$2" -c 'import sys; print(sys.version, sys.prefix)'
        cat "$1/pyproject.toml"
    } | sha256sum | cut -d ' ' -f 1
}

# Makes the virtual environment and installs the project in it, editable: a pulled change is there at once.
# KIND is "runtime" or "dev"; a dev environment also serves the runtime. Sets `venv`.
# MSG_VENV names another environment: it is used as it is, and never changed.
set_up() { # ROOT KIND
    local root=$1 kind=$2 python stamp
    if [ -n "${MSG_VENV:-}" ]; then
        venv=$MSG_VENV
        [ -x "$venv/bin/msgd" ] || fail "MSG_VENV=$venv holds no msgd. Unset it, or run: $venv/bin/pip install -e $root"
        return
    fi
    venv=$root/.venv
    python=$(find_python) || exit 1
    if stamp_matches "$venv/setup-dev.stamp" "$(setup_stamp "$root" "$python" dev)"; then return; fi
    stamp=$(setup_stamp "$root" "$python" "$kind")
    if stamp_matches "$venv/setup-$kind.stamp" "$stamp"; then return; fi

    rm -f "$venv"/setup-*.stamp
    make_venv "$python"
    say "Installing the project and what it needs into $venv."
    local target=$root
    [ "$kind" = runtime ] || target="${root}[$kind]"
    run_quietly "$venv/bin/python" -m pip install --disable-pip-version-check --editable "$target" ||
        fail "pip could not install the project; its words are above. It needs a package index (PyPI) that it can reach."
    # Last, so that an interrupted install is never taken for a whole one.
    printf '%s\n' "$stamp" >"$venv/setup-$kind.stamp"
}

# Makes the environment of the compiled build: the project, compiled, and the tools of the checks, in
# .venv-compiled. Built from a copy, so that nothing is left among the sources. Sets `compiled`.
set_up_compiled() { # ROOT
    local root=$1 python stamp copy name
    compiled=$root/.venv-compiled
    command -v cc >/dev/null || install_with_apt gcc "it compiles what mypyc wrote"
    python=$(find_python) || exit 1
    "$python" -c 'import os, sysconfig as s, sys; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))' ||
        install_with_apt python3-dev "Python's headers, for what is compiled"
    stamp=$(compiled_stamp "$root" "$python")
    if [ -f "$compiled/setup.stamp" ] && [ "$(cat "$compiled/setup.stamp")" = "$stamp" ]; then return; fi
    rm -f "$compiled/setup.stamp"
    venv=$compiled make_venv "$python"
    say "Compiling the project into $compiled: some minutes."
    copy=$(mktemp -d)
    for name in "${packages[@]}" scripts share pyproject.toml setup.py README.md LICENSE; do
        cp -r "$root/$name" "$copy/"
    done
    MSG_COMPILE=1 run_quietly "$compiled/bin/python" -m pip install --disable-pip-version-check \
        "${copy}[dev]" || {
        rm -rf "$copy"
        fail "The compiled build failed; its words are above. It needs a C compiler, Python's headers and a package index (PyPI)."
    }
    rm -rf "$copy"
    printf '%s\n' "$stamp" >"$compiled/setup.stamp"
}

# Runs a module that proves something, with these arguments. With `--build compiled` among them it runs
# on the compiled build, from a folder that has the tests and no sources.
run_proof() { # ROOT MODULE ARGUMENT...
    local root=$1 module=$2
    shift 2
    unset MSG_VENV
    export PYTHONHASHSEED=0
    case " $* " in
    *" --build compiled "* | *" --build=compiled "*) ;;
    *)
        set_up "$root" dev >&2
        cd "$root" || exit 1
        exec "$venv/bin/python" -m "$module" "$@"
        ;;
    esac
    set_up_compiled "$root" >&2
    tests_copy=$(mktemp -d)
    trap 'rm -rf "$tests_copy"' EXIT
    cp -r "$root/tests" "$tests_copy/"
    cd "$tests_copy" || exit 1
    "$compiled/bin/python" -m "$module" "$@"
}

compiled_stamp() { # ROOT PYTHON
    {
        "$2" -c 'import sys; print(sys.version, sys.prefix)'
        cd "$1" || exit 1
        cat pyproject.toml setup.py
        find "${packages[@]}" -name '*.py' -print0 | sort -z | xargs -0 cat
    } | sha256sum | cut -d ' ' -f 1
}

stamp_matches() { # FILE STAMP
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ] && [ -x "$venv/bin/msgd" ] && "$venv/bin/python" -c '' 2>/dev/null
}

make_venv() { # PYTHON
    if [ -x "$venv/bin/python" ] && python_is_new_enough "$venv/bin/python" &&
        "$venv/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
    # Debian splits the module: `venv` may be there and `ensurepip`, which it needs, not.
    if ! "$1" -c 'import venv, ensurepip' 2>/dev/null; then
        install_with_apt python3-venv "Python's module for virtual environments"
        "$1" -c 'import venv, ensurepip' 2>/dev/null ||
            fail "$1 still has no venv module. Install the one that belongs to it, or name another Python: PYTHON=/path/to/python3"
    fi
    say "Making a virtual environment in $venv with $1."
    run_quietly "$1" -m venv --clear "$venv" || fail "The virtual environment could not be made in $venv."
    # Before 3.12 Python puts its old setuptools into each, with known holes. Builds bring their own: nothing uses it.
    run_quietly "$venv/bin/python" -m pip uninstall --disable-pip-version-check --yes setuptools ||
        fail "The old setuptools could not be taken out of $venv."
}
