rockspec_format = "3.0"
package = "polynats"
version = "scm-1"
source = {
  url = "git+file://.", -- a checkout; releases name their archive here
}
description = {
  summary = "NATS client: require \"nats\"",
  detailed = [[
    A NATS client over the polynats C library: publish, subscribe, request, queue groups, headers,
    reconnect, futures, callbacks run in the caller's thread, event loops (cqueues, luv), and the
    protocol without I/O.
  ]],
  license = "Apache-2.0",
  labels = { "nats", "messaging", "network" },
}
supported_platforms = { "linux" }
dependencies = {
  "lua >= 5.4, < 5.5",
}
external_dependencies = {
  JSONC = { header = "json-c/json.h" },
  OPENSSL = { header = "openssl/ssl.h" },
  ZLIB = { header = "zlib.h" },
}
test_dependencies = {
  "cqueues",
  "luv",
  "luasocket",
}
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_INSTALL_PREFIX = "$(PREFIX)",
    POLYNATS_ROCK = "ON",
    POLYNATS_LUA_DIR = "lib",
    POLYNATS_TESTS = "OFF",
    POLYNATS_EXAMPLES = "OFF",
  },
}
