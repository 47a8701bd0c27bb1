#!/usr/bin/env bash
# Simulate the whole service from seeds, and judge what is left of the messages.
#
#   scripts/simulate.sh --seeds N [--from S] [--minutes M] [--jobs J] [--verbose] [--build compiled]
#
# The same seed gives the same run, always, on one build (a server names its build to its clients). A compiled
# one is made first if there is none of these sources: some minutes. Ends with one line of figures; exit 1 when
# a seed failed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

run_proof "$root" tests.sim.simulate "$@"
