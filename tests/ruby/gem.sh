#!/usr/bin/env bash
# gem.sh ROOT SWIG: the package is built, installed into an empty GEM_HOME, and its smoke program run there against the
# server of $NATS_URL. Installing needs neither SWIG nor the source tree.
set -euo pipefail

root=$1
export SWIG=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
: "${NATS_URL:?the URL of a nats-server}"
unset RUBYLIB

gem=$("$root/script/package-gem" "$folder")
# Ruby's own compiler flags know nothing of our cache, and the package should build without it.
export GEM_HOME=$folder/home GEM_PATH=$folder/home
cd "$folder"
if ! SWIG=false gem install --local --no-document --quiet "$gem"; then
    find "$folder/home" \( -name mkmf.log -o -name gem_make.out \) -exec cat {} +
    exit 1
fi

cat >smoke.rb <<'PROGRAM'
require "polynats"
strange = $LOADED_FEATURES.grep(/polynats/).reject { |path| path.start_with?(ENV["GEM_HOME"]) }
abort "not from the gem: #{strange}" if strange.any?
Polynats.connect(name: "smoke") do |nc|
  nc.subscribe("smoke.upper") { |msg| msg.respond(msg.data.upcase) && nc.stop }
  nc.flush
  future = nc.request_start("smoke.upper", "ok", headers: { "A" => "b" })
  nc.run(timeout: 10)
  puts future.wait.data
end
PROGRAM
found=$(ruby -W smoke.rb)
if [[ $found != OK ]]; then
    echo "expected OK, found: $found"
    exit 1
fi
module=$(find home -name polynats.so | head -n 1)
if readelf -d "$module" | grep -E 'RPATH|RUNPATH|libpolynats'; then
    echo "the extension needs more than itself"
    exit 1
fi
ls -l "$gem"
