#!/usr/bin/env bash
# No allocation and no system call per message: counts both on the hot paths.
#
#     NATS_SERVER_BIN=nats-server hotpath.sh path/to/hotpath_test
#
# Allocations are counted by hotpath_test itself, system calls by strace over whole runs, start and end included.
# Counts do not depend on the speed of the machine. Exit status 0: all within limits; 77: no server, or no strace.
set -euo pipefail

test_bin=${1:?usage: hotpath.sh path/to/hotpath_test}
server_bin=${NATS_SERVER_BIN:-$(command -v nats-server || true)}
stream_msgs=1000000   # publish, receive
requests=2000
stored_msgs=50000         # on JetStream
stream_per_call=100   # messages for each system call, at least
calls_per_request=8   # system calls of a request: write, wait, read, and some for a wait that began elsewhere
server_limit_s=10
over_limit=3          # what hotpath_test ends with when it counted too many allocations

if [[ -z $server_bin || ! -x $server_bin ]]; then
    echo "hotpath: skipped: no nats-server (set NATS_SERVER_BIN)"
    exit 77
fi

folder=$(mktemp -d)
server_pid=""
helper_pid=""

# shellcheck disable=SC2317 # the trap calls it
finish() {
    local pid
    for pid in $helper_pid $server_pid; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap finish EXIT

# The receiver is held up by strace: the server must be patient with it.
cat >"$folder/server.conf" <<CONF
listen: "127.0.0.1:-1"
ports_file_dir: "$folder"
max_pending: 268435456
write_deadline: "60s"
jetstream: { store_dir: "$folder/jetstream" }
CONF

start_server() {
    "$server_bin" -c "$folder/server.conf" -l "$folder/server.log" &
    server_pid=$!
    local end=$((SECONDS + server_limit_s)) ports
    while ((SECONDS < end)); do
        ports=$(compgen -G "$folder/*.ports" || true)
        if [[ -n $ports ]]; then
            url=$(grep -o 'nats://127\.0\.0\.1:[0-9]*' "$ports" | head -n 1 || true)
            if [[ -n $url ]]; then
                return
            fi
        fi
        sleep 0.05
    done
    echo "hotpath: the server did not start:" >&2
    cat "$folder/server.log" >&2
    exit 1
}

# The total number of calls in the table that `strace -c` wrote.
total_calls() {
    awk '$NF == "total" { print $4 }' "$1"
}

failed=0

count_allocations() {
    "$test_bin" "$1" "$url" "$2" || failed=1
}

# count_calls WORK MESSAGES LIMIT
count_calls() {
    local table=$folder/$1.strace calls status=0
    strace -f -c -qq -o "$table" "$test_bin" "$1" "$url" "$2" >"$folder/out" 2>&1 || status=$?
    if ((status != 0 && status != over_limit)); then
        echo "hotpath: $1 under strace failed:" >&2
        cat "$folder/out" >&2
        failed=1
        return
    fi
    calls=$(total_calls "$table")
    echo "$1: $calls system calls for $2 messages and their warm-up (at most $3)"
    if [[ -n ${VERBOSE:-} ]] || ((calls > $3)); then
        cat "$table"
    fi
    if ((calls > $3)); then
        failed=1
    fi
}

can_trace() {
    command -v strace >/dev/null && strace -f -c -qq -o "$folder/probe" true 2>/dev/null
}

start_server
"$test_bin" serve "$url" 1 &
helper_pid=$!

count_allocations publish "$stream_msgs"
count_allocations receive "$stream_msgs"
count_allocations receive-alone "$stream_msgs"
count_allocations request "$requests"
count_allocations js-publish "$stored_msgs"
count_allocations js-consume "$stored_msgs"

if can_trace; then
    count_calls publish "$stream_msgs" $((stream_msgs / stream_per_call))
    count_calls receive "$stream_msgs" $((stream_msgs / stream_per_call))
    count_calls request "$requests" $((requests * calls_per_request))
else
    echo "hotpath: system calls not counted: strace is not there or may not trace here" >&2
    uncounted=77
fi

"$test_bin" stop "$url" 1
wait "$helper_pid" || failed=1
helper_pid=""
((failed == 0)) || exit "$failed"
exit "${uncounted:-0}"
