#!/usr/bin/env bash
# proto_symbols.sh ALLOWED OBJECT: every symbol that the object needs from outside matches a pattern of the list, and
# everything of our own that it needs is inside.
set -euo pipefail

allowed=$(grep -v '^#' "$1" | paste -sd'|')
needed=$(nm -u "$2" | awk '{ print $2 }')
if [[ -z $needed ]]; then
    echo "nothing found in $2"
    exit 1
fi
wrong=$(grep -Evx "$allowed" <<<"$needed" || true)
if [[ -n $wrong ]]; then
    printf 'the part without I/O needs:\n%s\n' "$wrong"
    exit 1
fi
echo "$(wc -l <<<"$needed") symbols needed from outside, none of them a socket, a thread or a clock"
