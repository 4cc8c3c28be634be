#!/usr/bin/env bash
# preset.sh PRESET [SERVER [OLD_SERVER]]: builds a preset and runs the whole suite in it, but for lint.
set -euo pipefail
cd "$(dirname "$0")/../.."

preset=$1
servers=()
[[ -z ${2:-} || $2 == *-NOTFOUND ]] || servers+=("-DNATS_SERVER=$2")
[[ -z ${3:-} || $3 == *-NOTFOUND ]] || servers+=("-DNATS_SERVER_OLD=$3")

cmake --preset "$preset" "${servers[@]}"
cmake --build --preset "$preset" -j2
export POLYNATS_STRESS_SECONDS=${POLYNATS_STRESS_SECONDS:-15}
ctest --test-dir "build/$preset" -j2 --output-on-failure -LE lint
