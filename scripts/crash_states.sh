#!/usr/bin/env bash
# Judge every state that a power cut can leave on the disk, with the real recovery.
#
#   scripts/crash_states.sh --states N [--seed S] [--day NAME] [--round R] [--step P] [--jobs J] [--build compiled]
#
# The same arguments judge the same states, on either build. A compiled build is made first if there is none
# of these sources: some minutes. Ends with one line of figures, with different states for each second of one
# core; exit 1 on any violation, or when a step was not met in a mode that applies to it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

run_proof "$root" tests.crash.crash_states "$@"
