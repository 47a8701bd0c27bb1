#!/usr/bin/env bash
# Kill the real server with SIGKILL again and again, under load, and account for every message.
#
#   scripts/kill_loop.sh [--kills N] [--seed S]
#
# A thousand kills take about eight minutes on two cores. Ends with one line of figures; exit 1 on
# any violation, and then the folders are kept and named.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
exec "$venv/bin/python" -m tests.kill.kill_loop "$@"
