#!/usr/bin/env bash
# Judge every state that a power cut can leave on the disk, with the real recovery.
#
#   scripts/crash_states.sh --states N [--seed S] [--day NAME] [--round R] [--step P] [--jobs J]
#
# The same arguments judge the same states. Ends with one line of figures; exit 1 on any violation,
# or when a step was not met in a mode that applies to it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
export PYTHONHASHSEED=0
exec "$venv/bin/python" -m tests.crash.crash_states "$@"
