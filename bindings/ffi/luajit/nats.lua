-- NATS for LuaJIT, over the C library's flat ABI: no compiler, the same names as the Lua 5.4
-- module.
--
--     local nats = require "nats"
--     local nc = assert(nats.connect())
--     nc:publish("greet.joe", "hello")
--
-- Declarations: polynats_ffi.h, from $POLYNATS_FFI_H, else beside this file or in include/ of the
-- prefix that it is installed under, else along package.path. Library: $POLYNATS_LIB, else
-- that in lib/ of this prefix, else what the system's loader finds as "polynats".
-- docs/lua.md describes the verbs. What differs here: there is no <close>, and pairs(msg.headers)
-- has no order (msg:each_header() has).

local ffi = require "ffi"
local core = require "nats.core"

local C, check_text = core.C, core.check_text

local clients = require "nats.client"

local nats = {
  connect = clients.connect,
  connect_start = clients.connect_start,
  proto = require "nats.proto",
  options = require("nats.options").list,
  keywords = require("nats.publish").keywords,
  status = core.status,
  now = core.now,
  subject = {},
}

function nats.version() return ffi.string(C.nats_version()) end

function nats.subject.valid(subject)
  subject = check_text(subject, "subject")
  return C.nats_subject_valid(subject, #subject) ~= 0
end

function nats.subject.valid_pattern(pattern)
  pattern = check_text(pattern, "pattern")
  return C.nats_subject_valid_pattern(pattern, #pattern) ~= 0
end

function nats.subject.matches(pattern, subject)
  pattern, subject = check_text(pattern, "pattern"), check_text(subject, "subject")
  return C.nats_subject_matches(pattern, #pattern, subject, #subject) ~= 0
end

return nats
