#!/usr/bin/env bash
# Attack the real server with hostile clients of every kind, beside fifty honest ones over TLS.
#
#   scripts/hostile.sh [--minutes N] [--clients 500] [--kinds slow,deaf] [--plain] [--ahead]
#
# Two minutes if nothing is said. Ends by itself, with one line of figures; exit 1 when the honest
# clients waited longer than twice as long as in the calm (99 of a hundred answers), the server
# needed more than 64 MiB more, a descriptor was left, or an exception was not handled. The machine
# must have nothing else to do, its disk neither: the honest clients are timed on it. A calm in which
# one answer of a hundred takes five times as long as the middle one is told to be none. With --ahead
# (only for root) server and clients go before everything else, which helps where it does.
# TMPDIR says which disk.
#
# What is timed, in the calm as in the attack: from the moment at which a client hands its message
# to the kernel to the one at which the answer has arrived in the client's kernel, which stamps it.
# On one machine that is when the server has handed it over; so it is all that the server makes
# somebody wait, in its queues and in its turns, its commits on the disk included. How long it took
# until the clients had noticed stands beside it (felt_p99_ms) and judges nothing: all of them share
# their processor with the attackers, and those of a real attack run on other machines. For the
# same reason the server has a processor of its own, and the attackers give way to the honest. Whom
# they flood with messages is not timed with these.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
exec "$venv/bin/python" -m tests.hostile.hostile "$@"
