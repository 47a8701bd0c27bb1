#!/usr/bin/env bash
# Asks the public list of known holes (through pip-audit) about every package that this project uses.
#
#   scripts/audit.sh
#
# It looks at what is installed in the project's virtual environment: what msgd and msgc need, the
# extra "metrics", and the tools of the checks. What pip-audit cannot ask about (a mirror may not hand out
# what is known of each version) is asked of the records of the newest versions, if these are installed.
# Exit 0: none is known to be bad. 1: some are, and it says which version is not. 3: of some nothing could
# be learned, and so nothing was shown for these.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

pip_audit=pip-audit==2.10.1
audit_venv=$root/.venv-audit
unreachable=3
patience_s=15

# A virtual environment of its own, so that the tool's packages are not among those that it judges.
make_audit_venv() {
    local python
    [ "$(cat "$audit_venv/setup.stamp" 2>/dev/null)" != "$pip_audit" ] || return 0
    python=$(find_python) || exit 1
    say "Making a virtual environment for $pip_audit in $audit_venv."
    rm -rf "$audit_venv"
    run_quietly "$python" -m venv "$audit_venv" || fail "The virtual environment could not be made in $audit_venv."
    run_quietly "$audit_venv/bin/python" -m pip install --disable-pip-version-check "$pip_audit" ||
        fail "$pip_audit could not be installed; pip's words are above. It needs a package index (PyPI) that it can reach."
    printf '%s\n' "$pip_audit" >"$audit_venv/setup.stamp"
}

# The packages and versions that are installed here, but for our own.
list_packages() {
    "$venv/bin/python" -m pip list --format=freeze --exclude-editable --disable-pip-version-check |
        grep -v -e '^pip==' -e '^persistent-messaging=='
}

main() {
    case ${1:-} in
    '') ;;
    -h | --help)
        sed -n '2,11s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    *) refuse "Unknown argument $1." ;;
    esac
    cd "$root"
    unset MSG_VENV
    set_up "$root" dev
    make_audit_venv
    local packages words status=0
    packages=$(mktemp)
    words=$(mktemp)
    # shellcheck disable=SC2064 # their names as they are now
    trap "rm -f '$packages' '$words'" EXIT
    list_packages >"$packages"
    "$audit_venv/bin/pip-audit" --requirement "$packages" --no-deps --disable-pip \
        --timeout "$patience_s" --progress-spinner off >"$words" 2>&1 || status=$?
    # What the list does not know was not looked at: that is no clean bill.
    if [ "$status" = 0 ] && ! grep -q 'could not be audited' "$words"; then
        say "audit.sh: $(wc -l <"$packages") packages, none with a known hole."
        return
    fi
    if grep -qE '^Found [0-9]+ known vulnerabilit' "$words"; then
        cat "$words" >&2
        fail "some packages have known holes; the versions that mend them are above."
    fi
    if [ "$status" = 0 ]; then # it asked, and of some it was told nothing
        sed -n 's/.*could not be audited: \(.*\) (\(.*\))$/\1==\2/p' "$words" >"$packages"
    else
        cat "$words" >&2
    fi
    status=0
    "$venv/bin/python" scripts/newest_holes.py <"$packages" || status=$?
    case $status in
    0) ;;
    1) fail "some packages have known holes, see above: install a version that mends them." ;;
    *)
        printf 'audit.sh: of some packages nothing could be learned (see above).\n' >&2
        exit "$unreachable"
        ;;
    esac
}

main "$@"
