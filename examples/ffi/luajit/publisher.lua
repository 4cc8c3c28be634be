-- Publishes a few messages, one with headers, with LuaJIT and no compiler:
-- luajit publisher.lua [subject] [text]
local nats = require "nats"

local nc = assert(nats.connect())
local subject, text = arg[1] or "greet.joe", arg[2] or "hello"
assert(nc:publish(subject, text))
assert(nc:publish(subject, text, { headers = { Lang = { "en", "fr" } } }))
assert(nc:publish_many(subject, { "one", "two", "three" }))
assert(nc:flush(5)) -- the server has them now
print("published 5 messages to " .. subject)
nc:close()
