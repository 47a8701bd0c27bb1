#!/usr/bin/env bash
# Runs one program in one tmux pane for scripts/start_all.sh, and stays when the program ends.
#
# What it must never do: let the pane vanish, so that nobody can read why the program ended.
# How it fails: it shows the program's exit status and waits; Enter starts the program again.
#
# The program's process id stands in the pane option @program_pid while it runs, so that
# `start_all.sh --stop` can ask exactly this process to end, and @program_status afterwards.
set -u

name=$1
shift

note() { # OPTION VALUE
    tmux set-option -p -t "$TMUX_PANE" "$1" "$2"
}

# The shell must outlive a C-c that is meant for the program; the program gets the default back,
# because a handler (unlike "ignore") is not inherited.
trap ':' INT

# The program keeps the pane's standard error (as 3, then 2); the shell itself has nothing to say there,
# and would announce a killed program in words that only confuse.
exec 3>&2 2>/dev/null

while true; do
    (
        trap - INT
        note @program_status ''
        note @program_pid "$BASHPID"
        exec "$@" 2>&3 3>&-
    )
    status=$?
    note @program_pid ''
    note @program_status "$status"
    # A program that was killed could not give back the terminal as it was.
    stty sane
    ((status <= 128)) || for capability in rmcup rmkx cnorm sgr0; do tput "$capability"; done
    printf '\n%s ended with exit status %s. Press Enter to start it again.\n' "$name" "$status"
    # A read that fails for good (the terminal is gone) ends the pane; a C-c only asks again.
    until read -r; do
        (($? > 128)) || exit 0
    done
done
