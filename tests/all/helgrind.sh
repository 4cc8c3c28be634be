#!/usr/bin/env bash
# helgrind.sh SERVER: the stress test under helgrind: races, and the order of locks. helgrind knows no spin locks, so
# a mutex takes the place of ours, see spin_mutex.h. When the test itself fails, it ends amid its threads, and helgrind
# tells of one that holds a lock: that is what came of it.
set -euo pipefail

export NATS_SERVER_BIN=$1
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! command -v valgrind >/dev/null; then
    echo "skipped: valgrind is not installed"
    exit 77
fi

cmake -S "$here/../.." -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_C_FLAGS="-O1 -g -include $here/spin_mutex.h" -DPOLYNATS_LUA=OFF -DPOLYNATS_PYTHON=OFF \
    -DPOLYNATS_RUBY=OFF -DPOLYNATS_TCL=OFF >"$folder/log"
cmake --build "$folder" -j2 --target stress_test >>"$folder/log"
export POLYNATS_STRESS_SECONDS=${POLYNATS_STRESS_SECONDS:-5}
valgrind --tool=helgrind --history-level=approx --error-exitcode=99 "$folder/tests/stress_test"
