# frozen_string_literal: true

# NATS for Ruby over the C library's flat ABI: the standard library's Fiddle alone, no compiler.
#
#     require "polynats_ffi"
#
#     PolynatsFFI.connect("nats://127.0.0.1:4222", name: "demo") do |nc|
#       nc.publish("greet.joe", "hello")
#     end
#
# Library: $POLYNATS_LIB, else what the system's loader finds. The nouns and verbs are those of the
# other languages (docs/lua.md); docs/bindings.md tells what this module shows to who joins another
# one. Times are seconds; nil is the connection's default.
module PolynatsFFI
end

require_relative "polynats_ffi/core"
require_relative "polynats_ffi/client"
require_relative "polynats_ffi/proto"
require_relative "polynats_ffi/subject"
require_relative "polynats_ffi/jetstream_port"
require_relative "polynats_ffi/jetstream_values"
require_relative "polynats_ffi/ack"
require_relative "polynats_ffi/publisher"
require_relative "polynats_ffi/consumer"
require_relative "polynats_ffi/stream"
require_relative "polynats_ffi/jetstream"
