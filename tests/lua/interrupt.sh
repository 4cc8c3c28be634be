#!/bin/sh
# interrupt.sh INTERPRETER SCRIPT DIR URL: runs the script, sends it SIGINT when it is ready,
# prints the milliseconds until it ended and its exit code, then its output.
set -u
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

"$1" "$2" "$3" "$4" "$dir/ready" >"$dir/output" 2>&1 &
pid=$!
tries=0
while [ ! -e "$dir/ready" ] && [ "$tries" -lt 200 ] && kill -0 "$pid" 2>/dev/null; do
    tries=$((tries + 1))
    sleep 0.05
done
# It is ready just before it waits.
sleep 0.1

before=$(date +%s%N)
kill -INT "$pid" 2>/dev/null
(
    sleep 5
    kill -KILL "$pid" 2>/dev/null
) >/dev/null 2>&1 &
guard=$!
wait "$pid"
code=$?
after=$(date +%s%N)
kill "$guard" 2>/dev/null
echo "$(((after - before) / 1000000)) $code"
cat "$dir/output"
