-- Publishes a few messages, one with headers, with LuaJIT and no compiler:
-- luajit publisher.lua [subject] [text]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: luajit publisher.lua [subject] [text]")
  os.exit(true)
end

local nc = assert(nats.connect())
local subject, text = arg[1] or "greet.joe", arg[2] or "hello"
assert(nc:publish(subject, text))
assert(nc:publish(subject, text, { headers = { Lang = { "en", "fr" } } }))
assert(nc:publish_many(subject, { "one", "two", "three" }))
assert(nc:flush(5)) -- the server has them now
print("published 5 messages to " .. subject)
nc:close()
