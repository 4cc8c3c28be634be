#!/usr/bin/env bash
# headers.sh INCLUDE CC CXX: each public header compiles alone as C11 and as C++17, all of them together too, and the
# declarations for FFIs agree with them.
set -euo pipefail

include=$1 cc=$2 cxx=$3
flags=(-fsyntax-only -Wall -Wextra -pedantic -Werror "-I$include")
failed=0
count=0

try() {
    local what=$1
    shift
    count=$((count + 1))
    if ! "$@"; then
        echo "FAILED: $what"
        failed=1
    fi
}

for path in "$include"/polynats.h "$include"/polynats/*.h; do
    name=${path#"$include"/}
    try "$name as C11" "$cc" -std=c11 "${flags[@]}" -x c - <<<"#include <$name>"
    try "$name as C++17" "$cxx" -std=c++17 "${flags[@]}" -x c++ - <<<"#include <$name>"
done

# Prototypes may be repeated if they are the same; enumerators may not: their numbers are compared.
both() {
    echo "#include <polynats.h>"
    sed 's/^enum { \(.*\) = \(.*\) };/_Static_assert(\1 == \2, "\1");/' "$include/polynats_ffi.h"
}
try "polynats_ffi.h after polynats.h" "$cc" -std=c11 "${flags[@]}" -x c - < <(both)
plain() {
    echo "#include <stddef.h>"
    echo "#include <stdint.h>"
    cat "$include/polynats_ffi.h"
}
try "polynats_ffi.h alone as C11" "$cc" -std=c11 "${flags[@]}" -x c - < <(plain)
plain_cxx() {
    echo 'extern "C" {'
    plain
    echo "}"
}
try "polynats_ffi.h alone as C++17" "$cxx" -std=c++17 "${flags[@]}" -x c++ - < <(plain_cxx)
if grep -n '^#' "$include/polynats_ffi.h"; then
    echo "FAILED: polynats_ffi.h has preprocessor lines"
    failed=1
fi
echo "$count compilations"
exit "$failed"
