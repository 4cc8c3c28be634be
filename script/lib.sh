# What the scripts share; sourced by them, from any folder.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TOOLS=$ROOT/.tools
# shellcheck disable=SC2034  # used by script/bootstrap
NATS_SERVER_PIN=2.15.2

# Ctrl-C ends a script quietly, whatever the program that it interrupts makes of it.
trap 'exit 130' INT

say() {
    printf '==> %s\n' "$*"
}

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# The comment at the top of the calling script is its help.
show_help() {
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
}

# folder_given [FOLDER]: where a package goes, as a full path; the current folder if not said.
folder_given() {
    case ${1:-} in
        -*) fail "unknown option '$1': try --help" ;;
    esac
    [[ $# -le 1 ]] || fail "one folder is enough, and these are $#: try --help"
    [[ -d ${1:-.} ]] || fail "there is no folder '$1'"
    [[ -w ${1:-.} ]] || fail "the folder '${1:-.}' cannot be written to"
    (cd "${1:-.}" && pwd)
}

# server_version PROGRAM: 2.15.2, or nothing.
server_version() {
    "$1" --version 2>/dev/null | grep -o '[0-9][0-9.]*[0-9]' | head -n 1
}

# The server to test with: the pinned one, else what the system has.
newest_server() {
    if [[ -x $TOOLS/bin/nats-server ]]; then
        echo "$TOOLS/bin/nats-server"
    elif command -v nats-server >/dev/null; then
        command -v nats-server
    elif [[ -x /usr/sbin/nats-server ]]; then
        echo /usr/sbin/nats-server
    elif [[ -x $TOOLS/nats-server-2.9/usr/sbin/nats-server ]]; then
        echo "$TOOLS/nats-server-2.9/usr/sbin/nats-server"
    else
        return 1
    fi
}

# Debian's 2.9, when that is not the newest one anyway.
old_server() {
    local old=$TOOLS/nats-server-2.9/usr/sbin/nats-server newest
    newest=$(newest_server)
    if [[ -x $old && $(server_version "$old") != "$(server_version "$newest")" ]]; then
        echo "$old"
    fi
}

# configure PRESET [-DNAME=VALUE…]: configures and builds, quietly unless it fails.
build_preset() {
    local preset=$1 log
    shift
    say "building (preset $preset, in build/$preset)"
    mkdir -p "$ROOT/build"
    log=$ROOT/build/$preset.log
    if ! (cd "$ROOT" && cmake --preset "$preset" -DNATS_SERVER="$(newest_server)" \
        -DNATS_SERVER_OLD="$(old_server)" "$@" &&
        cmake --build --preset "$preset" -j "$(jobs_count)") >"$log" 2>&1
    then
        cat "$log" >&2
        fail "the build failed; the same text is in build/$preset.log"
    fi
}

jobs_count() {
    nproc 2>/dev/null || echo 2
}
