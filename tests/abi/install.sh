#!/usr/bin/env bash
# install.sh BUILD CC CXX: installs into a folder of its own and uses what is there as a stranger would: pkg-config and
# find_package, shared and static, C and C++, Lua and LuaJIT. Needs $NATS_URL (script/with-server).
set -euo pipefail

build=$1 cc=$2 cxx=$3
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$folder/prefix

cmake --install "$build" --prefix "$prefix" >/dev/null
pc_dir=$(dirname "$(find "$prefix" -name polynats.pc)")
lib_dir=$(dirname "$pc_dir")
# A moved tree must work too: nothing may remember the prefix that it was built for.
mv "$prefix" "$folder/moved"
pc_dir=$folder/moved${pc_dir#"$prefix"}
lib_dir=$folder/moved${lib_dir#"$prefix"}
prefix=$folder/moved
export PKG_CONFIG_PATH=$pc_dir
version=$(pkg-config --modversion polynats)

# check NAME PROGRAM: it runs, says what it should, and has the shared library or has not.
check() {
    local name=$1 program=$2 kind=$3 out needed
    out=$(LD_LIBRARY_PATH=$([[ $kind == shared ]] && echo "$lib_dir") "$program")
    if [[ $out != "polynats $version: hello" ]]; then
        echo "$name: said '$out'"
        exit 1
    fi
    needed=$(readelf -d "$program" | grep -c 'NEEDED.*libpolynats\.so\.0' || true)
    if [[ ($kind == shared && $needed == 0) || ($kind == static && $needed != 0) ]]; then
        echo "$name: is not linked $kind"
        exit 1
    fi
    echo "$name: ok"
}

read -ra cflags <<<"$(pkg-config --cflags polynats)"
read -ra libs <<<"$(pkg-config --libs polynats)"
read -ra static_libs <<<"$(pkg-config --libs --static polynats)"
# Only our library statically: the system's come as they are.
static_libs=("${static_libs[@]/#-lpolynats/-l:libpolynats.a}")

"$cc" -std=c11 "$here/outside.c" -o "$folder/pc_shared" "${cflags[@]}" "${libs[@]}"
check "pkg-config, shared" "$folder/pc_shared" shared
"$cc" -std=c11 "$here/outside.c" -o "$folder/pc_static" "${cflags[@]}" "${static_libs[@]}"
check "pkg-config, static" "$folder/pc_static" static
cp "$here/outside.c" "$folder/outside.cc"
"$cxx" -std=c++17 "$folder/outside.cc" -o "$folder/cxx" "${cflags[@]}" "${libs[@]}"
check "C++" "$folder/cxx" shared

for name in "$prefix"/include/polynats.h "$prefix"/include/polynats/*.h; do
    name=${name#"$prefix"/include/}
    printf '#include <%s>\nint main() { return 0; }\n' "$name" >"$folder/header.cc"
    "$cxx" -std=c++17 -Wall -Wextra -pedantic -Werror "$folder/header.cc" -o "$folder/header" \
        "${cflags[@]}" "${libs[@]}"
    LD_LIBRARY_PATH=$lib_dir "$folder/header"
done
echo "C++, each header alone: ok"

mkdir "$folder/project"
cp "$here/outside.c" "$folder/project"
cat >"$folder/project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(outside C)
find_package(polynats ${WANTED} REQUIRED)
add_executable(outside_shared outside.c)
target_link_libraries(outside_shared PRIVATE polynats::polynats)
add_executable(outside_static outside.c)
target_link_libraries(outside_static PRIVATE polynats::static)
CMAKE
cmake -S "$folder/project" -B "$folder/project/build" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$cc" -DWANTED="${version%.*}" >"$folder/log" 2>&1 ||
    { cat "$folder/log"; exit 1; }
cmake --build "$folder/project/build" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
check "find_package, shared" "$folder/project/build/outside_shared" shared
check "find_package, static" "$folder/project/build/outside_static" static

if [[ -f $build/lua/nats.so ]]; then
    said=$(LUA_CPATH="$prefix/lib/lua/5.4/?.so" lua5.4 -e '
        local nats = require "nats"
        local nc = assert(nats.connect())
        io.write(type(nc) == "userdata" and "connected" or "no client")
        nc:close()')
    [[ $said == connected ]] || { echo "Lua: said '$said'"; exit 1; }
    echo "Lua: ok"
fi

if command -v luajit >/dev/null; then
    said=$(env -u POLYNATS_LIB -u POLYNATS_FFI_H -u LD_LIBRARY_PATH \
        LUA_PATH="$prefix/share/lua/5.1/?.lua" luajit -e '
        local nats = require "nats"
        local nc = assert(nats.connect())
        io.write(nats.version(), " ", nc:status())
        nc:close()')
    [[ $said == "$version connected" ]] || { echo "LuaJIT: said '$said'"; exit 1; }
    echo "LuaJIT: ok"
fi
grep -q '^---@meta' "$prefix/share/polynats/nats.meta.lua"

if grep -rl "$folder" "$prefix" --include='*.pc' --include='*.cmake' --include='*.h'; then
    echo "these files remember where they were installed"
    exit 1
fi
