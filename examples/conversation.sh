#!/usr/bin/env bash
# conversation.sh BUILD: programs in C, Lua and LuaJIT talk to each other through the server of $NATS_URL; whoever gets
# another answer than it should ends it with an error. script/demo and the test `examples` run this.
set -euo pipefail

build=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
background=()
: "${NATS_URL:?the URL of a nats-server}"
export LUA_CPATH="$build/lua/?.so;;"

finish() {
    local pid
    for pid in "${background[@]}"; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run LANGUAGE PROGRAM [word…]
run() {
    local language=$1 program=$2
    shift 2
    case $language in
        C) exec "$build/examples/example_$program" "$@" ;;
        Lua) exec lua5.4 "$here/lua/$program.lua" "$@" ;;
        LuaJIT)
            export LUA_PATH="$here/../bindings/ffi/luajit/?.lua;;"
            export POLYNATS_LIB="$build/libpolynats.so"
            export POLYNATS_FFI_H="$here/../libnats/include/polynats_ffi.h"
            exec luajit "$here/ffi/luajit/$program.lua" "$@"
            ;;
    esac
}

has() {
    case $1 in
        C) [[ -x $build/examples/example_$2 ]] ;;
        Lua) [[ -f $build/lua/nats.so ]] ;;
        LuaJIT) command -v luajit >/dev/null && [[ -f $here/ffi/luajit/$2.lua ]] ;;
    esac
}

# start OUTPUT LANGUAGE PROGRAM [word…]: in the background; returns when it has said that it listens.
start() {
    local out=$1 pid end=$((SECONDS + 10))
    shift
    rm -f "$out"
    run "$@" >"$out" 2>&1 &
    pid=$!
    background+=("$pid")
    until [[ -s $out ]]; do
        if ((SECONDS >= end)) || ! kill -0 "$pid" 2>/dev/null; then
            echo "$1's $2 did not start: $(cat "$out")" >&2
            exit 1
        fi
        sleep 0.05
    done
    echo "  $1's $2: $(head -n 1 "$out")"
}

expect() {
    if [[ $1 != "$2" ]]; then
        printf 'expected:\n%s\nfound:\n%s\n' "$2" "$1" >&2
        exit 1
    fi
}

# ask REQUESTER RESPONDER
ask() {
    local asker=$1 server=$2 answer
    has "$asker" requester && has "$server" responder || return 0
    start "$folder/responder" "$server" responder "svc.$asker.$server" 1
    answer=$(run "$asker" requester "svc.$asker.$server" "hello from $asker")
    echo "  $asker's requester: hello from $asker  ->  $answer"
    expect "$answer" "$(tr '[:lower:]' '[:upper:]' <<<"hello from $asker")"
    wait "${background[-1]}"
}

# tell PUBLISHER SUBSCRIBER
tell() {
    local speaker=$1 listener=$2 subject=greet.$1
    has "$speaker" publisher && has "$listener" subscriber || return 0
    start "$folder/subscriber" "$listener" subscriber "$subject" 5
    echo "  $speaker's publisher: $(run "$speaker" publisher "$subject" "hello from $speaker")"
    wait "${background[-1]}"
    sed '1d; s/^/    /' "$folder/subscriber"
    expect "$(sed 1d "$folder/subscriber")" "$(printf '%s\t%s\n' \
        "$subject" "hello from $speaker" "$subject" "hello from $speaker" \
        "" "Lang: en" "" "Lang: fr" "$subject" one "$subject" two "$subject" three)"
}

echo "Publishers and subscribers:"
tell C Lua
tell Lua C
echo "Requests and answers:"
for asker in C Lua LuaJIT; do
    for server in C Lua LuaJIT; do
        ask "$asker" "$server"
    done
done
echo "all of them understood each other"
