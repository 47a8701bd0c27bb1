#!/usr/bin/env bash
# Make the system calls of the real server fail, one after another, and account for every message.
#
#   scripts/strace_faults.sh [--points N] [--seed S] [--jobs J] [--only TEXT] [--folder DIR]
#
# Three hundred points take about six minutes on two cores. Ends with one line of figures; exit 1 on
# any violation, and then the folders are kept and named. Exit 77, with a line that says why, where
# there is no strace or it may not trace (ptrace): then nothing was shown, and that is no success.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
command -v strace >/dev/null ||
    (install_with_apt strace "it makes the system calls of a program fail" >&2) || {
    say "NOT RUN: there is no strace; nothing was shown"
    exit 77
}
exec "$venv/bin/python" -m tests.strace.strace_faults "$@"
