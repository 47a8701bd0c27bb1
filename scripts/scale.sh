#!/usr/bin/env bash
# Measure how large one store may get: memory, start-up, turns, bytes written.
#
#   scripts/scale.sh [--quick] [--messages N] [--mailboxes M] [--accounts A] [--folder DIR]
#
# Without options: 10,000,000 messages in 10,000 mailboxes and 1,000,000 accounts, which takes an hour and
# about 30 GB; --quick takes two minutes. Ends with one line of figures; exit 1 when a target is missed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
exec "$venv/bin/python" -m tests.scale.scale "$@"
