#!/usr/bin/env bash
# Simulate the whole service from seeds, and judge what is left of the messages.
#
#   scripts/simulate.sh --seeds N [--from S] [--minutes M] [--jobs J] [--verbose]
#
# The same seed gives the same run, always. Ends with one line of figures; exit 1 when a seed failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
export PYTHONHASHSEED=0
exec "$venv/bin/python" -m tests.sim.simulate "$@"
