#!/usr/bin/env bash
# The server panel and three clients in four tmux panes, from nothing but Debian and Python.
#
# What it must never do: touch a tmux session that it did not make, or end the server without asking it.
# How it fails: one sentence on stderr that says what to do, and exit status 1 (2 for bad arguments).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib/common.sh
source "$root/scripts/lib/common.sh"

clients=3
port=7070
data=
size=200x60
names=()
action=attach
server_start_ms_max=30000
server_stop_ms_max=30000
client_stop_ms_max=5000
# Two panes of 60x16, the least that the programs draw in, with their borders and tmux's own line.
columns_min=121
rows_min=35

usage() {
    cat <<END
Usage: scripts/start_all.sh [--detach] [--data DIR] [--port N] [--size COLSxROWS] [NAME NAME NAME]
       scripts/start_all.sh --stop [--port N]

Starts the server panel (msgd) and three clients (msgc) in four tmux panes, and shows them.
The first run sets up what is needed: a virtual environment in .venv, and tmux if it is missing.
Run again, it finds its session and shows it.

  NAME NAME NAME    user names for the three clients; a client without one asks for it
  --detach          leave the session in the background and say how to attach
  --stop            end it: the server first, so that it tells the clients, then the clients
  --data DIR        where the server keeps its messages
                    (default: \$XDG_STATE_HOME/msgd, or ~/.local/state/msgd)
  --port N          the server's port on 127.0.0.1 (default: 7070); two ports can run at once,
                    each with its own --data
  --size COLSxROWS  size of the session until a terminal attaches (default: 200x60)

In tmux: C-b and an arrow moves between panes, C-b z makes one pane large or shows all four again,
C-b d leaves. In a small terminal the first client is shown large to begin with.

Environment: PYTHON names the Python to use; MSG_VENV a ready virtual environment, used as it is;
MSG_TMUX_SOCKET a tmux socket of its own (a name, or a path with a slash).
END
}

main() {
    read_arguments "$@"
    session=msg-$port
    tmux=(tmux)
    if [[ ${MSG_TMUX_SOCKET:-} == */* ]]; then
        tmux+=(-S "$MSG_TMUX_SOCKET")
    elif [ -n "${MSG_TMUX_SOCKET:-}" ]; then
        tmux+=(-L "$MSG_TMUX_SOCKET")
    fi
    # Without a locale tmux would draw "_" for every letter beyond ASCII.
    [ -n "${LC_ALL:-}${LC_CTYPE:-}${LANG:-}" ] || export LANG=C.UTF-8

    if [ "$action" = stop ]; then
        stop
        return
    fi
    need_tmux
    if session_exists; then
        check_same_data
        say "Already running on port $port."
        ((${#names[@]} == 0)) ||
            say "It was left as it is, and the names given were not used: end it with --stop to start it with others."
    else
        set_up "$root" runtime
        check_port_is_free
        start
    fi
    if [ "$action" = attach ] && [ -t 0 ] && [ -t 1 ]; then
        attach
    else
        say "Attach: $(attach_command)"
        say "End:    scripts/start_all.sh --stop$([ "$port" = 7070 ] || printf ' --port %s' "$port")"
    fi
}

read_arguments() {
    while (($#)); do
        case $1 in
        --detach) action=detach ;;
        --stop) action=stop ;;
        -h | --help)
            usage
            exit 0
            ;;
        --data | --port | --size)
            (($# >= 2)) && [ -n "$2" ] || refuse "$1 needs a value."
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --data=* | --port=* | --size=*)
            [ -n "${1#*=}" ] || refuse "${1%%=*} needs a value."
            local option=${1%%=*}
            printf -v "${option#--}" '%s' "${1#*=}"
            ;;
        -*) refuse "Unknown option $1." ;;
        *) names+=("$1") ;;
        esac
        shift
    done
    is_number_between "$port" 1 65535 || refuse "--port takes a number from 1 to 65535, not \"$port\"."
    port=$((10#$port))
    [[ $size =~ ^[0-9]{1,4}x[0-9]{1,4}$ ]] || refuse "--size takes COLSxROWS, such as 200x60, not \"$size\"."
    ((10#${size%x*} >= columns_min && 10#${size#*x} >= rows_min)) ||
        refuse "--size must be at least ${columns_min}x$rows_min, or four panes would be too small for the programs in them."
    ((${#names[@]} <= clients)) || refuse "There are $clients clients, and ${#names[@]} names were given."
    local name
    for name in ${names[@]+"${names[@]}"}; do
        # The client folds capital letters; what else a name may hold is the client's to judge and to say.
        [[ $name =~ ^[A-Za-z0-9._-]+$ ]] || refuse "A name holds letters, digits, dots, dashes and underscores; \"$name\" does not fit."
    done
    data_was_given=${data:+yes}
    if [ -z "$data" ]; then
        [ -n "${HOME:-}" ] || fail "HOME is not set, so there is no default place for the messages: give --data DIR."
        # As msgd itself: a relative XDG_STATE_HOME does not count.
        data=${XDG_STATE_HOME:-}
        [[ $data == /* ]] || data=$HOME/.local/state
        data+=/msgd
    fi
    [[ $data == /* ]] || data=$PWD/$data
}

# --- starting -------------------------------------------------------------------------------------

start() {
    local columns=${size%x*} rows=${size#*x} pane index environment=() server_options=()
    say "Starting msgd on 127.0.0.1:$port with its messages in $data, and $clients clients."
    (umask 077 && mkdir -p "$data") || fail "The folder $data cannot be made. Choose another with --data DIR."
    pane_environment
    # Who is root anyway tries this out, in a container perhaps; a server that stays has a user of its own.
    if [ "$(id -u)" = 0 ]; then
        say "You are root, so msgd is told --allow-root. A server that stays should run as a user of its own."
        server_options+=(--allow-root)
    fi
    pane=$("${tmux[@]}" new-session -d -P -F '#{pane_id}' -s "$session" -x "$columns" -y "$rows" -n messages \
        env "${environment[@]}" bash "$root/scripts/lib/pane.sh" msgd \
        "$venv/bin/msgd" --data "$data" --port "$port" ${server_options[@]+"${server_options[@]}"}) || fail "tmux could not start the session; its words are above."
    "${tmux[@]}" set-option -t "=$session:" @data "$data"
    "${tmux[@]}" set-option -t "=$session:" @server_pane "$pane"
    "${tmux[@]}" set-option -t "=$session:" status-right-length 80
    "${tmux[@]}" set-option -t "=$session:" status-right ' C-b arrow: other pane | C-b z: one pane or four | C-b d: leave '
    "${tmux[@]}" set-window-option -t "=$session:" pane-border-status top
    "${tmux[@]}" set-window-option -t "=$session:" pane-border-format ' #{@title} '
    "${tmux[@]}" set-option -p -t "$pane" @title "server, port $port"
    wait_for_server "$pane"
    last_pane=$pane
    for ((index = 0; index < clients; index++)); do
        start_client "$((index + 1))" "${names[index]:-}"
    done
    "${tmux[@]}" select-pane -t "$first_client_pane"
}

# Each pane is split off the last one, so that they stand in reading order: the server, then the clients.
start_client() { # NUMBER NAME
    local pane command=("$venv/bin/msgc")
    [ -z "$2" ] || command+=("$2")
    pane=$("${tmux[@]}" split-window -d -P -F '#{pane_id}' -t "$last_pane" \
        env "${environment[@]}" bash "$root/scripts/lib/pane.sh" msgc "${command[@]}" --port "$port") ||
        fail "tmux could not make a pane for client $1; try a larger --size."
    "${tmux[@]}" set-option -p -t "$pane" @title "client $1${2:+: $2}"
    # After each split: a pane can only be split while there is room in it.
    "${tmux[@]}" select-layout -t "=$session:" tiled >/dev/null
    last_pane=$pane
    [ "$1" != 1 ] || first_client_pane=$pane
}

# A tmux server that runs already has its own, older environment: say what our programs are to see.
pane_environment() {
    local variable
    environment=()
    # The four belong together whatever the caller's own settings say.
    for variable in MSGD_HOST MSGD_PORT MSGD_DATA MSGD_HEADLESS MSGD_ALLOW_ROOT MSGC_HOST MSGC_PORT MSGC_USER; do
        environment+=("--unset=$variable")
    done
    for variable in HOME PATH LANG LC_ALL LC_CTYPE XDG_STATE_HOME XDG_DATA_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR \
        NO_COLOR TZ; do
        [ -z "${!variable+set}" ] || environment+=("$variable=${!variable}")
    done
}

check_port_is_free() {
    "$venv/bin/python" - "$port" <<'END' ||
import socket, sys
with socket.socket() as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", int(sys.argv[1])))
    except OSError as error:
        sys.exit(f"127.0.0.1:{sys.argv[1]}: {error.strerror}")
END
        fail "Port $port cannot be used (something else listens there, or it needs root). Choose another with --port N; \"ss -ltnp\" shows who has it."
}

# Reads the kernel's table instead of connecting, so that the server's log does not begin with a visitor
# who says nothing.
server_listens() {
    local port_hex
    printf -v port_hex '%04X' "$port"
    grep -qE "^ *[0-9]+: [0-9A-F]{8}:$port_hex [0-9A-F]{8}:0000 0A " /proc/net/tcp
}

wait_for_server() { # PANE
    local waited_ms=0 status
    until server_listens; do
        status=$(pane_option "$1" @program_status)
        if [ -n "$status" ]; then
            say "The server ended with exit status $status before it accepted connections. It said:" >&2
            "${tmux[@]}" capture-pane -p -t "$1" | sed -e '/^ *$/d' -e '/Press Enter to start/d' -e 's/^/    /' >&2
            "${tmux[@]}" kill-session -t "=$session"
            fail "Nothing was left running."
        fi
        ((waited_ms)) || say "Waiting for the server to accept connections."
        ((waited_ms < server_start_ms_max)) ||
            fail "The server has not accepted connections for $((server_start_ms_max / 1000)) s. See what it shows: $(attach_command)"
        sleep 0.1
        waited_ms=$((waited_ms + 100))
    done
}

check_same_data() {
    local running
    running=$("${tmux[@]}" show-options -qv -t "=$session:" @data)
    [ -n "$running" ] || fail "There is a tmux session \"$session\" that this script did not make. Choose another --port, or end that session."
    if [ -n "$data_was_given" ] && [ "$running" != "$data" ]; then
        fail "Already running on port $port with its messages in $running. End it with --stop, or choose another --port."
    fi
}

# --- the session ----------------------------------------------------------------------------------

session_exists() {
    "${tmux[@]}" has-session -t "=$session" 2>/dev/null
}

pane_option() { # PANE OPTION
    "${tmux[@]}" show-options -pqv -t "$1" "$2" 2>/dev/null || true
}

attach_command() {
    printf '%s attach -t %s' "${tmux[*]}" "$session"
}

is_zoomed() {
    [ "$("${tmux[@]}" display-message -p -t "=$session:" '#{window_zoomed_flag}')" = 1 ]
}

attach() {
    # Four panes in a small terminal would be too small for any program in them.
    local rows columns
    read -r rows columns < <(stty size)
    if ((rows < rows_min || columns < columns_min)) && ! is_zoomed; then
        "${tmux[@]}" resize-pane -Z -t "=$session:"
    fi
    # A terminal inside this same tmux cannot attach to it; it can only be switched over.
    if [ -n "${TMUX:-}" ] && [ "${TMUX%%,*}" = "$("${tmux[@]}" display-message -p -t "=$session:" '#{socket_path}')" ]; then
        exec "${tmux[@]}" switch-client -t "=$session"
    fi
    unset TMUX
    exec "${tmux[@]}" attach-session -t "=$session"
}

# --- stopping -------------------------------------------------------------------------------------

stop() {
    if ! command -v tmux >/dev/null || ! session_exists; then
        say "Nothing is running on port $port."
        return
    fi
    local server_pane pane pids=()
    server_pane=$("${tmux[@]}" show-options -qv -t "=$session:" @server_pane)
    [ -n "$server_pane" ] || fail "There is a tmux session \"$session\" that this script did not make; it was left alone."
    # The server first: it tells its clients, and commits what it has accepted.
    say "Ending the server."
    end_programs "$server_stop_ms_max" "$(pane_option "$server_pane" @program_pid)" ||
        fail "The server is still busy after $((server_stop_ms_max / 1000)) s, so nothing was killed. See what it shows: $(attach_command)"
    say "Ending the clients."
    while read -r pane; do
        pids+=("$(pane_option "$pane" @program_pid)")
    done < <("${tmux[@]}" list-panes -s -t "=$session" -F '#{pane_id}')
    end_programs "$client_stop_ms_max" "${pids[@]}" ||
        say "A client did not end within $((client_stop_ms_max / 1000)) s; its terminal is closed now."
    "${tmux[@]}" kill-session -t "=$session"
    say "Ended. The messages that wait are kept."
}

# Asks programs to end and waits for them; empty process ids are programs that have ended already.
end_programs() { # LIMIT_MS PID...
    local limit_ms=$1 waited_ms=0 pid alive
    shift
    for pid in "$@"; do
        [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true
    done
    while true; do
        alive=
        for pid in "$@"; do
            if [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; then alive=yes; fi
        done
        [ -n "$alive" ] || return 0
        ((waited_ms < limit_ms)) || return 1
        sleep 0.1
        waited_ms=$((waited_ms + 100))
    done
}

main "$@"
