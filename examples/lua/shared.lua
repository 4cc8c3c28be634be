-- Two clients on one connection, each with its own subscriptions and its own get: lua5.4 shared.lua
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 shared.lua")
  os.exit(true)
end

local nc <close> = assert(nats.connect())
local audit <close> = assert(nc:share())
assert(nc:subscribe("order.new"))
assert(audit:subscribe("order.>"))

assert(nc:publish("order.new", "book"))
assert(nc:publish("order.paid", "book"))
assert(nc:flush(5))
for _, msg in ipairs(assert(nc:get { wait = 1 })) do print("work", msg.subject, msg.data) end
for _, msg in ipairs(assert(audit:get { wait = 1 })) do print("audit", msg.subject, msg.data) end
