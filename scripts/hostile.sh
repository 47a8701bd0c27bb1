#!/usr/bin/env bash
# Attack the real server with hostile clients of every kind, beside fifty honest ones over TLS.
#
#   scripts/hostile.sh [--minutes N] [--clients 500] [--kinds slow,deaf] [--plain]
#
# Two minutes if nothing is said. Ends by itself, with one line of figures; exit 1 when the honest
# clients waited longer than twice as long as in the calm (99 of a hundred answers), the server
# needed more than 64 MiB more, a descriptor was left, or an exception was not handled. The machine
# must have nothing else to do: the honest clients are timed on it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
exec "$venv/bin/python" -m tests.hostile.hostile "$@"
