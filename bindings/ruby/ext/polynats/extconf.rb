# frozen_string_literal: true

# The library and the extension become one shared object: what the package holds under libnats is compiled along.
require "mkmf"

abort "polynats needs json-c and its headers (Debian: libjson-c-dev)" unless pkg_config("json-c")
abort "polynats needs OpenSSL 3 and its headers (Debian: libssl-dev)" unless pkg_config("libssl") && pkg_config("libcrypto")
abort "polynats needs zlib and its headers (Debian: zlib1g-dev)" unless pkg_config("zlib")

here = __dir__
sources = Dir[File.join(here, "libnats", "*", "*.c")]
abort "this is the source tree: build it by CMake, or the package by script/package-gem" if sources.empty?

# Two files of different layers may have the same name: each gets an object of its own.
own = Dir[File.join(here, "*.c")]
wrapped = sources.map do |source|
  name = "nats_#{File.basename(File.dirname(source))}_#{File.basename(source)}"
  File.write(name, %(#include "#{source}"\n))
  name
end

$srcs = own + wrapped
$objs = (own.map { |source| File.basename(source) } + wrapped).map { |name| name.sub(/\.c\z/, ".o") }
$VPATH << "."
$INCFLAGS << " -I#{here} -I#{here}/libnats -I#{here}/libnats/include"
$CFLAGS << " -std=gnu11 -fvisibility=hidden -pthread"
$defs << "-D_GNU_SOURCE"
$LDFLAGS << " -pthread"
create_makefile("polynats/polynats", here)
