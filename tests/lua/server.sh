#!/bin/sh
# Starts a nats-server for a test: server.sh OWNER_PID PORT [option…]
#
# PORT -1 picks a free one. Prints the folder of its files, its pid and its port. The server ends
# with the process OWNER_PID, should that die before it stopped the server by its pid.
set -eu

# A sanitizer's library that was preloaded for the test is not for the server.
unset LD_PRELOAD

owner=$1
port=$2
shift 2
binary=${NATS_SERVER_BIN:-nats-server}
dir=$(mktemp -d)

"$binary" -a 127.0.0.1 -p "$port" --ports_file_dir "$dir" -l "$dir/log" "$@" \
    </dev/null >/dev/null 2>&1 &
pid=$!

(
    while kill -0 "$owner" 2>/dev/null && kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
    done
    kill -9 "$pid" 2>/dev/null || true
    rm -rf "$dir"
) </dev/null >/dev/null 2>&1 &

tries=0
while ! ls "$dir"/*.ports >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 200 ] || ! kill -0 "$pid" 2>/dev/null; then
        cat "$dir/log" >&2 || true
        kill -9 "$pid" 2>/dev/null || true
        exit 1
    fi
    sleep 0.05
done
# The file appears empty and is filled then.
port=
while [ -z "$port" ]; do
    port=$(sed -n 's/.*nats:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' "$dir"/*.ports | head -n 1)
done
echo "$dir $pid $port"
