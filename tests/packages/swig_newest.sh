#!/usr/bin/env bash
# swig_newest.sh ROOT SWIG SERVER CMAKE PYTHON LANGUAGE…: the modules of these languages, written by this SWIG and built
# apart from the tree, hold the conformance suite where the verbs that SWIG wraps are: the protocol without I/O, and
# subscriptions.
set -euo pipefail

root=$1 swig=$2 server=$3 cmake=$4 python=$5
shift 5
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset PYTHONPATH RUBYLIB TCLLIBPATH

switches=(-DPOLYNATS_PYTHON=OFF -DPOLYNATS_RUBY=OFF -DPOLYNATS_TCL=OFF) drivers=()
for language in "$@"; do
    switches+=("-DPOLYNATS_${language^^}=ON") # the last word holds
    drivers+=(--driver "$language")
done
if ! { "$cmake" -S "$root" -B "$folder/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DPOLYNATS_TESTS=OFF -DPOLYNATS_EXAMPLES=OFF -DPOLYNATS_LUA=OFF \
    -DSWIG_EXECUTABLE="$swig" "${switches[@]}" &&
    "$cmake" --build "$folder/build" -j2; } >"$folder/log" 2>&1; then
    cat "$folder/log"
    exit 1
fi
"$swig" -version | grep Version
for language in "$@"; do
    wrapper=$(find "$folder/build/swig" -name "${language}${language^^}_wrap.c")
    grep -q "Version $("$swig" -version | sed -n 's/.*Version //p')" "$wrapper"
done
if grep -i "warning" "$folder/log"; then
    exit 1
fi
for area in proto subscribe; do
    "$python" "$root/tests/conformance/run.py" --build "$folder/build" --server "$server" --area "$area" \
        --jobs 2 "${drivers[@]}" | tail -n 1
done
