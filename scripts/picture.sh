#!/usr/bin/env bash
# Make docs/picture.svg anew, from the real programs in a real tmux: a small scene, then a drawing of it.
#
# It uses a session, a data folder and a home of its own, and takes all of them away again.
# What it must never do: touch somebody's running session or messages. It fails when a screen does not
# show what the scene waits for, and prints that screen.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

port=27970
session=msg-$port
socket=msg-picture-$$
home=$(mktemp -d)
export HOME=$home MSG_TMUX_SOCKET=$socket

finish() {
    "$root/scripts/start_all.sh" --stop --port "$port" >/dev/null 2>&1 || true
    tmux -L "$socket" kill-server 2>/dev/null || true
    rm -rf "$home"
}

main() {
    unset MSG_VENV
    set_up "$root" dev
    export MSG_VENV=$venv
    need_tmux
    trap finish EXIT
    "$root/scripts/start_all.sh" --detach --size 180x52 --port "$port" --data "$home/data" alice bob
    mapfile -t panes < <(tmux -L "$socket" list-panes -t "$session" -F '#{pane_id}')
    scene
    "$venv/bin/python" "$root/scripts/picture.py" "$session" --socket "$socket"
    say "docs/picture.svg is new."
}

scene() {
    local panel=${panes[0]} alice=${panes[1]} bob=${panes[2]} carol=${panes[3]}
    name "$carol" dave
    await "$carol" "You are connected as dave."
    press "$carol" q
    await "$carol" "Press Enter"
    press "$carol" Enter
    name "$carol" alice
    await "$carol" "already in use"
    name "$carol" carol
    await "$carol" "You are connected as carol."
    await "$alice" "You are connected as alice."
    await "$bob" "You are connected as bob."
    press "$alice" s
    write "$alice" 3 "The server moves tonight at 22:00 UTC."
    await "$alice" "Sent to 3 users: 2 delivered, 1 waiting."
    press "$bob" c
    await "$bob" "The server moves"
    write "$alice" 3 "Nothing that waits in your queue is lost."
    await "$alice" "Sent to 3 users: 2 delivered, 1 waiting."
    await "$bob" "Nothing that waits"
    await "$carol" "2 waiting"
    await "$panel" "off"
}

name() { # PANE NAME
    await "$1" "Username:"
    type_text "$1" "$2"
    press "$1" Enter
}

write() { # PANE OPTION TEXT: from the send screen, and back to it
    await "$1" "1-to-all"
    press "$1" "$2"
    await "$1" "Write a message"
    type_text "$1" "$3"
    press "$1" C-d
    await "$1" "Sent to"
}

press() { # PANE KEY
    tmux -L "$socket" send-keys -t "$1" "$2"
}

type_text() { # PANE TEXT
    tmux -L "$socket" send-keys -t "$1" -l "$2"
}

await() { # PANE TEXT: looks ten times a second, for ten seconds
    local tries
    for tries in {1..100}; do
        if tmux -L "$socket" capture-pane -p -t "$1" | grep -qF -- "$2"; then return; fi
        read -rt 0.1 <> <(:) || true
    done
    tmux -L "$socket" capture-pane -p -t "$1" >&2
    fail "After $tries looks the screen above does not show: $2"
}

main "$@"
