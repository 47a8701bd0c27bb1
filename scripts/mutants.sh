#!/usr/bin/env bash
# Break each rule of the store, one at a time, and see that the proofs notice.
#
#   scripts/mutants.sh [--only NAME ...] [--jobs J]
#
# Works on copies. The last line says how many were caught; exit 1 when any escaped, when a patch no
# longer applies, or when the proofs complain of the tree as it is.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
exec "$venv/bin/python" -m tests.mutants.run "$@"
