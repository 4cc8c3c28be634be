#!/usr/bin/env bash
# programs.sh BUILD: the programs in examples/ that need no other one print what they should, the same in C and in Lua.
# The server is the one of $NATS_URL. Those that talk to each other are in examples/conversation.sh.
set -euo pipefail

build=$1
examples=$(cd "$(dirname "$0")/../../examples" && pwd)
folder=$(mktemp -d)
worker=
failed=0
limit_s=20
: "${NATS_URL:?the URL of a nats-server}"
export LUA_CPATH="$build/lua/?.so;;"

# shellcheck disable=SC2317 # the trap calls it
finish() {
    [[ -z $worker ]] || kill "$worker" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT

# command_of NAME: fills $command. NAME.lua is a program in Lua, else one in C.
command_of() {
    case $1 in
        luajit/*.lua) command=(timeout "$limit_s" luajit "$examples/ffi/$1") ;;
        *.lua) command=(timeout "$limit_s" lua5.4 "$examples/lua/$1") ;;
        *.py) command=(timeout "$limit_s" python3 -W error -X dev "$examples/python/$1") ;;
        *.rb) command=(timeout "$limit_s" ruby "$examples/ruby/$1") ;;
        *.tcl) command=(timeout "$limit_s" tclsh "$examples/tcl/$1") ;;
        *) command=(timeout "$limit_s" "$build/examples/example_$1") ;;
    esac
}

# compare NAME EXPECTED OUTPUT STATUS
compare() {
    if [[ $4 == 0 && $3 == "$2" ]]; then
        echo "ok      $1"
        return
    fi
    printf 'FAILED  %s: exit status %s\nexpected:\n%s\nfound:\n%s\n' "$1" "$4" "$2" "$3"
    failed=1
}

# alone NAME EXPECTED [word…]
alone() {
    local name=$1 expected=$2 found status=0
    shift 2
    command_of "$name"
    found=$("${command[@]}" "$@" 2>"$folder/errors") || status=$?
    compare "$name" "$expected" "$found" "$status"
    cat "$folder/errors" >&2 # a sanitizer has its say about stacks that an interpreter swapped
}

# All programs in a folder answer --help with how they are used, and connect to nothing.
helped() {
    local suffix=$1 program name found status
    for program in "$examples"/"$2"/*"$suffix"; do
        name=$(basename "$program")
        [[ $name != event_loop_gevent.py ]] || python3 -c "import gevent" 2>/dev/null || continue
        status=0
        command_of "$name"
        found=$(NATS_URL=nobody://there "${command[@]}" --help 2>&1) || status=$?
        [[ $found == "usage: "*" $name"* ]] || status="$status, no usage"
        compare "$name --help" "$found" "$found" "$status"
    done
}

# A worker takes five pieces of work that the publisher of the same language hands out.
queue_worker() {
    local suffix=$1 subject="work${1:-.c}" end=$((SECONDS + limit_s)) status=0
    command_of "queue_worker$suffix"
    rm -f "$folder/worker"
    "${command[@]}" "$subject" 5 >"$folder/worker" &
    worker=$!
    until [[ -s $folder/worker ]] || ((SECONDS >= end)); do
        sleep 0.05
    done
    command_of "publisher$suffix"
    "${command[@]}" "$subject" text >/dev/null
    wait "$worker" || status=$?
    worker=
    compare "queue_worker$suffix" "waiting for work on $subject
$(printf 'done: %s\n' text text one two three)" "$(cat "$folder/worker")" "$status"
}

orders=$(printf 'work\torder.new\tbook\naudit\torder.new\tbook\naudit\torder.paid\tbook')
ticks=$(printf 'got %s\n' 1 2 3)
book=$(printf '%s\n' "stored 5" "done: order 1" "done: order 2" "done: order 3" \
    "left for the desk: 2" \
    "1 new order 1" "2 new order 2" "3 new order 3" "4 new order 4" "5 new order 5" "6 closed book")
events=$(printf '%s\n' "published as 1" "received: User created data")
worked=$(printf 'done: order %s\n' 1 2 3)
news=$(printf '%s\thello %s\n' 1 1 2 2 3 3; echo "left: 0, not acknowledged: 0")
own=$(printf 'connected to %s\nown.transport\thello' "$NATS_URL")

alone shared "$orders"
alone event_loop "$ticks" 3
alone own_socket "$own"
alone orders "$book"
alone events "$events"
alone stream_publisher "stored 3 in NEWS"
alone stream_consumer "$news"
queue_worker ""
for program in "$build"/examples/example_*; do
    name=$(basename "$program")
    if ! "$program" --help | grep -q "^usage: .*$name"; then
        echo "FAILED  $name --help"
        failed=1
    fi
done

if [[ -f $build/lua/nats.so ]]; then
    alone shared.lua "$orders"
    alone event_loop_luv.lua "$ticks" 3
    alone event_loop_cqueues.lua "$ticks" 3
    alone event_loop_orders.lua "$worked" 3
    alone own_transport.lua "$own"
    alone orders.lua "$book"
    alone events.lua "$events"
    alone stream_publisher.lua "stored 3 in NEWS-lua" NEWS-lua
    alone stream_consumer.lua "$news" NEWS-lua
    queue_worker .lua
    helped .lua lua
else
    echo "the examples in Lua are left out: this build has no Lua module"
fi

if command -v luajit >/dev/null; then
    export LUA_PATH="$examples/../bindings/ffi/luajit/?.lua;;" POLYNATS_LIB="$build/libpolynats.so"
    alone luajit/orders.lua "$book"
    unset LUA_PATH POLYNATS_LIB
else
    echo "the example in LuaJIT is left out: there is no luajit"
fi

if compgen -G "$build/python/polynats/_polynats*.so" >/dev/null; then
    export PYTHONPATH="$build/python"
    alone shared.py "$orders"
    alone event_loop_asyncio.py "$ticks" 3
    alone event_loop_orders.py "$worked" 3
    if python3 -W error -c "import gevent" 2>/dev/null; then
        alone event_loop_gevent.py "$ticks" 3
    else
        echo "event_loop_gevent.py is left out: this Python has no gevent"
    fi
    alone own_transport.py "$own"
    alone orders.py "$book"
    alone events.py "$events"
    alone stream_publisher.py "stored 3 in NEWS-py" NEWS-py
    alone stream_consumer.py "$news" NEWS-py
    queue_worker .py
    helped .py python
else
    echo "the examples in Python are left out: this build has no Python package"
fi

if [[ -f $build/ruby/polynats.rb ]]; then
    export RUBYLIB="$build/ruby"
    alone shared.rb "$orders"
    alone event_loop_async.rb "$ticks" 3
    alone event_loop_orders.rb "$worked" 3
    alone own_transport.rb "$own"
    alone orders.rb "$book"
    alone events.rb "$events"
    alone stream_publisher.rb "stored 3 in NEWS-rb" NEWS-rb
    alone stream_consumer.rb "$news" NEWS-rb
    queue_worker .rb
    helped .rb ruby
else
    echo "the examples in Ruby are left out: this build has no Ruby module"
fi

if [[ -f $build/tcl/polynats/pkgIndex.tcl ]]; then
    export TCLLIBPATH="$build/tcl"
    alone shared.tcl "$orders"
    alone event_loop.tcl "$ticks" 3
    alone event_loop_orders.tcl "$worked" 3
    alone own_transport.tcl "$own"
    alone orders.tcl "$book"
    alone events.tcl "$events"
    alone stream_publisher.tcl "stored 3 in NEWS-tcl" NEWS-tcl
    alone stream_consumer.tcl "$news" NEWS-tcl
    queue_worker .tcl
    helped .tcl tcl
else
    echo "the examples in Tcl are left out: this build has no Tcl package"
fi
exit "$failed"
