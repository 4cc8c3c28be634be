#!/usr/bin/env bash
# abidiff.sh BASELINE SHARED INCLUDE [--write]: the ABI has had nothing taken away or changed since the baseline; with
# --write the baseline is made anew (docs/abi.md tells when).
set -euo pipefail

baseline=$1 shared=$2 include=$3
if ! command -v abidiff >/dev/null; then
    echo "skipped: abidiff (abigail-tools) is not installed"
    exit 77
fi
if [[ ${4:-} == --write ]]; then
    # Only what the public headers show counts, and nothing of where it was built.
    abidw --exported-interfaces-only --no-corpus-path --no-comp-dir-path --no-show-locs \
        --headers-dir "$include" --drop-private-types "$shared" |
        sed "s|path='[^']*/libnats/|path='libnats/|" >"$baseline"
    exit
fi
# Bit 4 is an ABI change, of which bit 8 is an incompatible one; bits 1 and 2 are errors. New functions are fine.
status=0
abidiff --no-added-syms --headers-dir2 "$include" --drop-private-types "$baseline" "$shared" || status=$?
exit "$status"
