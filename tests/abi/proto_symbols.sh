#!/usr/bin/env bash
# proto_symbols.sh ALLOWED OBJECT…: every symbol that the objects need from outside matches a pattern of the list, and
# everything of our own that they need is inside.
set -euo pipefail

export LC_ALL=C
allowed=$(grep -v '^#' "$1" | paste -sd'|')
shift
inside=$(nm -g --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u)
needed=$(nm -u "$@" | awk 'NF == 2 { print $2 }' | sort -u | comm -23 - <(echo "$inside"))
if [[ -z $needed ]]; then
    echo "nothing found in $*"
    exit 1
fi
wrong=$(grep -Evx "$allowed" <<<"$needed" || true)
if [[ -n $wrong ]]; then
    printf 'the part without I/O needs:\n%s\n' "$wrong"
    exit 1
fi
echo "$(wc -l <<<"$needed") symbols needed from outside, none of them a socket, a thread or a clock"
