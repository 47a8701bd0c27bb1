#!/usr/bin/env bash
# Fill a real filesystem of 16 MiB under the real server, again and again, and account for every
# message. On tmpfs and on ext4 in a file; needs root, to mount them.
#
#   scripts/disk_full.sh [--squeezes N] [--seed S] [--filesystem tmpfs|ext4]
#
# Ends with one line of figures; exit 1 on any violation, 77 when nothing can be mounted here.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

cd "$root"
unset MSG_VENV
set_up "$root" dev >&2
exec "$venv/bin/python" -m tests.diskfull.disk_full "$@"
