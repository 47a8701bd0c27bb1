#!/usr/bin/env bash
# How fast msgd is on this machine: rates, latencies, and the server's CPU time for each message.
#
#   scripts/bench.sh [--quick] [--only W1,W3] [--runs N] [--peers DIR]
#
# The server gets one core and the load another. With --peers the same load runs beside other systems, of
# which DIR holds a harness; what those need is installed by the harness's own script (as root).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
set_up "$root" dev >&2
exec "$venv/bin/python" -m tests.bench.bench "$@"
