#!/usr/bin/env bash
# valgrind.sh BUILD SERVER: memcheck over the unit tests, the conformance suite in C, the Lua and the Tcl tests.
set -euo pipefail

build=$1
export NATS_SERVER_BIN=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is not installed"
    exit 77
fi

memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full
    "--show-leak-kinds=definite,indirect" "--errors-for-leak-kinds=definite,indirect")
failed=0

run() {
    local name=$1 status=0
    shift
    "$@" >"$folder/out" 2>&1 || status=$?
    if ((status == 0 || status == 77)); then
        echo "ok     $name"
    else
        echo "FAILED $name"
        cat "$folder/out"
        failed=1
    fi
}

# A program of the same name that runs the real one under valgrind.
wrap() {
    {
        echo '#!/bin/sh'
        printf 'exec'
        printf ' %q' "${memcheck[@]}" "$2"
        echo ' "$@"'
    } >"$folder/bin/$1"
    chmod +x "$folder/bin/$1"
}

mkdir "$folder/bin"
for program in "$build"/tests/*_test "$build"/tests/replay_*; do
    name=$(basename "$program")
    case $name in
        # It counts allocations, in the place of which valgrind puts its own.
        hotpath_test | no_memory_test) continue ;;
        # Threads one after the other tell nothing: sanitizers run these.
        threads_test | stress_test | faults_test | locks_test) continue ;;
        cluster_test | reconnect_test | losses_test) continue ;;
        replay_*)
            run "$name" "${memcheck[@]}" "$program" "$root/tests/fuzz/corpus/${name#replay_}" ;;
        *) (cd "$root/tests/unit" && run "$name" "${memcheck[@]}" "$program") ;;
    esac
done

wrap conformance_driver_c "$build/tests/conformance_driver_c"
run "conformance in C" python3 "$root/tests/conformance/run.py" --build "$folder/bin" --driver c \
    --patience 10 \
    --server "$NATS_SERVER_BIN"

wrap lua5.4 "$(command -v lua5.4)"
for script in "$root"/tests/lua/*.lua; do
    case $(basename "$script") in
        harness.lua) continue ;;
        # A million messages, twenty times slower; what it asks is what valgrind tells anyway.
        memory.lua) continue ;;
    esac
    run "lua $(basename "$script")" env "PATH=$folder/bin:$PATH" "LUA_CPATH=$build/lua/?.so;;" \
        lua5.4 "$script"
done
# waiting.test and memory.test are about signals, fork and the size of the process; lifetime.test times its programs.
for script in arguments idioms loop proto; do
    run "tcl $script" env "TCLLIBPATH=$build/tcl" "$root/script/with-server" \
        "${memcheck[@]}" "$(command -v tclsh)" "$root/tests/tcl/$script.test"
done
exit "$failed"
