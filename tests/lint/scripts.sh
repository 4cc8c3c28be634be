#!/usr/bin/env bash
# scripts.sh PROJECT: every script can be read by its interpreter; shell scripts also by shellcheck (77 without it).
set -euo pipefail
cd "$1"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0
count=0
pythons=()
shells=()

complain() {
    echo "FAILED: $1"
    failed=1
}

while IFS= read -r -d '' file; do
    first=
    IFS= LC_ALL=C read -r -n 64 first <"$file" 2>/dev/null || true
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
        python) pythons+=("$file") ;;
        shell)
            bash -n "$file" || complain "$file"
            shells+=("$file") ;;
    esac
done < <(find .ci bench bindings examples lua script tests tools \
    -name corpus -prune -o -type f -print0 2>/dev/null)
PYTHONPYCACHEPREFIX=$folder python3 -m py_compile "${pythons[@]}" || complain "Python"
if command -v shellcheck >/dev/null; then
    shellcheck --severity=warning "${shells[@]}" || complain "shellcheck"
else
    echo "shellcheck is not there (script/bootstrap)" >&2
    unread=77
fi
echo "$count scripts"
((failed == 0)) || exit "$failed"
exit "${unread:-0}"
