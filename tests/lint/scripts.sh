#!/usr/bin/env bash
# scripts.sh PROJECT: every script can be read by its interpreter; shell scripts also by shellcheck (77 without it).
set -euo pipefail
cd "$1"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
count=0
shells=()

complain() {
    echo "FAILED: $1"
    failed=1
}

while IFS= read -r -d '' file; do
    first=$(head -c 64 "$file" | head -n 1 | tr -d '\0')
    kind=
    case $file in
        *.lua) kind=lua ;;
        *.py) kind=python ;;
        *.sh) kind=shell ;;
    esac
    case $first in
        '#!'*bash* | '#!/bin/sh'*) kind=shell ;;
        '#!'*python*) kind=python ;;
    esac
    [[ -n $kind ]] || continue
    count=$((count + 1))
    case $kind in
        # LuaJIT's files are in the common part of both languages.
        lua) luac5.4 -p "$file" || complain "$file" ;;
        python)
            PYTHONPYCACHEPREFIX=$folder python3 -m py_compile "$file" || complain "$file" ;;
        shell)
            bash -n "$file" || complain "$file"
            shells+=("$file") ;;
    esac
done < <(find .ci bench bindings examples lua script tests tools \
    -name corpus -prune -o -type f -print0 2>/dev/null)
if command -v shellcheck >/dev/null; then
    shellcheck --severity=warning "${shells[@]}" || complain "shellcheck"
else
    echo "shellcheck is not there (script/bootstrap)" >&2
    unread=77
fi
echo "$count scripts"
((failed == 0)) || exit "$failed"
exit "${unread:-0}"
