#!/usr/bin/env bash
# fuzz.sh TARGET: fuzzes for $POLYNATS_FUZZ_SECONDS (60), from the corpus. What breaks it is left in
# build/fuzz/found/TARGET.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$1
seconds=${POLYNATS_FUZZ_SECONDS:-60}
if ! command -v clang >/dev/null; then
    echo "skipped: libFuzzer comes with clang, which is not installed"
    exit 77
fi
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -j2 --target "fuzz_$target"
corpus=build/fuzz/corpus/$target
found=build/fuzz/found/$target
mkdir -p "$corpus" "$found"
# New inputs go to the first folder: the committed corpus stays what it is.
"build/fuzz/tests/fuzz_$target" -max_total_time="$seconds" -timeout=10 \
    -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/" "$corpus" "tests/fuzz/corpus/$target"
