#!/usr/bin/env bash
# Let every call on the disk fail in every way, once and for good, and judge what is left.
#
#   scripts/fault_points.sh --points N [--seed S] [--day NAME] [--jobs J]
#
# In one process and in memory. Ends with one line of figures; exit 1 on any violation.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
export PYTHONHASHSEED=0
exec "$venv/bin/python" -m tests.crash.fault_points "$@"
