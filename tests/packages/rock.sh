#!/usr/bin/env bash
# rock.sh SOURCE: makes the rock from the sources, installs it into an empty tree, and uses it there without the
# sources. Needs $NATS_URL (script/with-server).
set -euo pipefail

source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

mkdir "$folder/source"
cp -r "$source/CMakeLists.txt" "$source/cmake" "$source/libnats" "$source/lua" "$folder/source"
cd "$folder/source"
if ! HOME=$folder luarocks --lua-version 5.4 --tree "$folder/tree" make lua/polynats-scm-1.rockspec \
    >"$folder/log" 2>&1; then
    cat "$folder/log"
    exit 1
fi
cd /
rm -rf "$folder/source"

module=$(find "$folder/tree/lib/lua" -name nats.so)
exported=$(nm -D --defined-only "$module" | grep -cv luaopen_nats || true)
if [[ $exported != 0 ]]; then
    echo "the rock's module exports more than luaopen_nats:"
    nm -D --defined-only "$module"
    exit 1
fi
said=$(env -i NATS_URL="$NATS_URL" LUA_CPATH="$(dirname "$module")/?.so" LUA_PATH= lua5.4 - <<'LUA'
local nats = require "nats"
local nc <close> = assert(nats.connect())
assert(nc:subscribe("rock", { callback = function(msg) msg:respond(msg.data:upper()) end }))
local future = assert(nc:request_start("rock", "it rocks"))
nc:dispatch { wait = 1 }
print(assert(future:wait(1)).data)
LUA
)
if [[ $said != "IT ROCKS" ]]; then
    echo "the installed rock said '$said'"
    exit 1
fi
echo "rock: built, installed and used without the sources"
