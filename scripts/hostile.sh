#!/usr/bin/env bash
# Attack the real server with hostile clients of every kind, beside fifty honest ones over TLS.
#
#   scripts/hostile.sh [--minutes N] [--clients 500] [--kinds slow,deaf] [--plain] [--ahead]
#
# Two minutes if nothing is said. Ends by itself, with one line of figures; exit 1 when the honest
# clients waited longer than twice as long as in the calm (99 of a hundred answers), the server
# needed more than 64 MiB more, a descriptor was left, or an exception was not handled. The machine
# must have nothing else to do: the honest clients are timed on it. With --ahead (only for root)
# server and clients go before everything else, which helps where it does. TMPDIR says which disk.
#
# The server has a processor of its own, in the calm as in the attack, and all clients have the
# others: those of a real attack run on other machines, and must not be what the server waits for.
# The attackers give way to the honest, and whom they flood with messages is not timed with these.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
exec "$venv/bin/python" -m tests.hostile.hostile "$@"
