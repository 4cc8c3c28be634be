#!/usr/bin/env bash
# conversation.sh BUILD: programs in C, Lua, Python, Ruby, Tcl and LuaJIT talk to each other through the server
# of $NATS_URL, which has JetStream; whoever gets another answer than it should ends it with an error. script/demo
# and the test `examples` run this.
set -euo pipefail

build=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
background=()
shown=
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
        Python) PYTHONPATH="$build/python" exec python3 "$here/python/$program.py" "$@" ;;
        Ruby) RUBYLIB="$build/ruby" exec ruby "$here/ruby/$program.rb" "$@" ;;
        Tcl) TCLLIBPATH="$build/tcl" exec tclsh "$here/tcl/$program.tcl" "$@" ;;
        LuaJIT)
            export LUA_PATH="$here/../bindings/ffi/luajit/?.lua;;"
            export POLYNATS_LIB="$build/libpolynats.so"
            export POLYNATS_FFI_H="$here/../libnats/include/polynats_ffi.h"
            exec luajit "$here/ffi/luajit/$program.lua" "$@"
            ;;
    esac
}

languages=(C)
[[ ! -f $build/lua/nats.so ]] || languages+=(Lua)
! compgen -G "$build/python/polynats/_polynats*.so" >/dev/null || languages+=(Python)
[[ ! -f $build/ruby/polynats.rb ]] || languages+=(Ruby)
[[ ! -f $build/tcl/polynats/pkgIndex.tcl ]] || languages+=(Tcl)
if command -v luajit >/dev/null; then
    languages+=(LuaJIT)
else
    echo "LuaJIT is not installed: the programs that use the library over FFI are left out"
fi

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
    show "  $1's $2: $(head -n 1 "$out")"
}

# The first conversation of each kind is shown word for word, the others by a line for each language.
show() {
    [[ -z $shown ]] || return 0
    echo "$1"
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
    start "$folder/responder" "$server" responder "svc.$asker.$server" 1
    answer=$(run "$asker" requester "svc.$asker.$server" "hello from $asker")
    show "  $asker's requester: hello from $asker  ->  $answer"
    expect "$answer" "$(tr '[:lower:]' '[:upper:]' <<<"hello from $asker")"
    wait "${background[-1]}"
}

# tell PUBLISHER SUBSCRIBER
tell() {
    local speaker=$1 listener=$2 subject=greet.$1
    start "$folder/subscriber" "$listener" subscriber "$subject" 5
    show "  $speaker's publisher: $(run "$speaker" publisher "$subject" "hello from $speaker")"
    wait "${background[-1]}"
    show "$(sed '1d; s/^/    /' "$folder/subscriber")"
    expect "$(sed 1d "$folder/subscriber")" "$(printf '%s\t%s\n' \
        "$subject" "hello from $speaker" "$subject" "hello from $speaker" \
        "" "Lang: en" "" "Lang: fr" "$subject" one "$subject" two "$subject" three)"
}

# store SPEAKER: a hundred messages more are in the stream.
store() {
    show "  $1's stream_publisher: $(run "$1" stream_publisher NEWS "hello from $1" "$stored")"
    for ((number = 1; number <= stored; number++)); do
        printf '%d\thello from %s %d\n' "$((++last))" "$1" "$number"
    done >>"$folder/news"
}

# consume READER: all of them, in order, and none is left.
consume() {
    (run "$1" stream_consumer NEWS "$1" "$last") >"$folder/read"
    show "  $1's stream_consumer:"
    show "$(sed '1,2s/^/    /; 3,$d' "$folder/read")"
    show "    ..."
    show "    $(tail -n 1 "$folder/read")"
    diff "$folder/news" "$folder/read" >&2
}

echo "Publishers and subscribers, five messages each:"
for speaker in "${languages[@]}"; do
    heard=()
    for listener in "${languages[@]}"; do
        [[ $speaker != "$listener" ]] || continue
        tell "$speaker" "$listener"
        shown=yes
        heard+=("$listener")
    done
    printf '  %-6s  is heard by      %s\n' "$speaker" "${heard[*]}"
done
echo "Requests and answers:"
shown=
for asker in "${languages[@]}"; do
    for server in "${languages[@]}"; do
        ask "$asker" "$server"
        shown=yes
    done
    printf '  %-6s  is answered by   %s\n' "$asker" "${languages[*]}"
done
echo "A stream, which keeps what each of them publishes within a window:"
shown=
stored=100
last=0
for speaker in "${languages[@]}"; do
    store "$speaker"
    shown=yes
done
echo "left: 0, not acknowledged: 0" >>"$folder/news"
shown=
for reader in "${languages[@]}"; do
    consume "$reader"
    shown=yes
    printf '  %-6s  consumed and acknowledged %d messages of %s\n' \
        "$reader" "$last" "${languages[*]}"
done
echo "all of them understood each other"
