#!/usr/bin/env bash
# tcl.sh BUILD: the Tcl package is installed into an empty prefix, beside the library and as a folder of its own, and a
# smoke program is run there, which finds neither the build nor the sources. Needs $NATS_URL (script/with-server).
set -euo pipefail

build=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
: "${NATS_URL:?the URL of a nats-server}"

fail() {
    printf '%s\n' "$@"
    exit 1
}

cat >"$folder/smoke.tcl" <<'TCL'
package require polynats
set nc [polynats connect -name smoke]
$nc subscribe tcl.upper -command {apply {msg {
    $::nc respond $msg [string toupper [dict get $msg data]]
}}}
coroutine asker apply {{} {
    set ::reply [dict get [$::nc request tcl.upper "it packs" -timeout 10] data]
}}
vwait reply
puts $reply
# Everything of ours that is loaded.
set channel [open /proc/self/maps]
puts [lsort -unique [regexp -all -inline {/\S*polynats\S*\.so\S*} [read $channel]]]
$nc close
TCL

# smoke PLACE TCLLIBPATH: in an environment that knows nothing else.
smoke() {
    local said library
    cd /
    said=$(env -i NATS_URL="$NATS_URL" TCLLIBPATH="$2" "$(command -v tclsh)" "$folder/smoke.tcl")
    [[ $(head -n 1 <<<"$said") == "IT PACKS" ]] || fail "$1: the program said '$said'"
    for library in $(tail -n 1 <<<"$said"); do
        [[ $library == "$folder"/* ]] || fail "$1: $library is not from the package"
    done
    echo "$1: installed and used without the sources"
}

# check_module MODULE: stubs only, one symbol only, and no path of this build.
check_module() {
    local needs
    needs=$(readelf -d "$1" | grep NEEDED)
    ! grep -q 'libtcl' <<<"$needs" || fail "$1 is bound to one Tcl:" "$needs"
    [[ $(nm -D --defined-only "$1" | awk '{print $3}') == Polynats_Init ]] ||
        fail "$1 exports:" "$(nm -D --defined-only "$1")"
    ! readelf -d "$1" | grep -E 'RPATH|RUNPATH' | grep -F -- "$build" ||
        fail "$1 looks for libraries in the build"
}

cmake --install "$build" --prefix "$folder/prefix" >/dev/null
package=$(dirname "$(find "$folder/prefix" -name pkgIndex.tcl)")
check_module "$package/polynats_tcl.so"
[[ -f $folder/prefix/share/man/mann/polynats.n ]] || fail "there is no man page"
smoke "beside the library" "$(dirname "$package")"

cmake --install "$build" --prefix "$folder/bundle/polynats" --component tcl-bundle >/dev/null
rm -rf "$folder/prefix"
[[ -f $folder/bundle/polynats/polynats.n ]] || fail "there is no man page in the folder"
smoke "a folder of its own" "$folder/bundle"
