#!/usr/bin/env bash
# How fast msgd is on this machine: rates, latencies, and the server's CPU time for each message.
#
#   scripts/bench.sh [--quick] [--only W1,W3] [--runs N] [--build pure|compiled|both] [--peers DIR]
#   scripts/bench.sh --client [--quick]
#
# A compiled build is made first if there is none of these sources: some minutes. With --client the client is
# measured: large errands, the search, and the time from a key to the new picture.
# The server gets one core and the load another. With --peers the same load runs beside other systems, of
# which DIR holds a harness; what those need is installed by the harness's own script (as root).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
set_up "$root" dev >&2
case " $* " in
*" --build compiled "* | *" --build both "* | *" --build=compiled "* | *" --build=both "*)
    set_up_compiled "$root" >&2
    export MSG_COMPILED_PYTHON=$compiled/bin/python
    ;;
esac
exec "$venv/bin/python" -m tests.bench.bench "$@"
