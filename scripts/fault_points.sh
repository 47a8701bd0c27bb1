#!/usr/bin/env bash
# Let every call on the disk and on sockets fail in every way, once and for good, and judge what is left.
#
#   scripts/fault_points.sh [--points N] [--seed S] [--day NAME] [--only TEXT] [--jobs J]
#
# In one process. All points (some 48,000) take about six minutes on two idle cores. Ends with one line of
# figures; exit 1 on any violation, and --only with the words of a point meets it again.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
export PYTHONHASHSEED=0
exec "$venv/bin/python" -m tests.crash.fault_points "$@"
