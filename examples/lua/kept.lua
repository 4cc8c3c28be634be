-- The beginning of JetStream: a stream, an ack that is waited for later, a consumer that pulls.
-- lua5.4 kept.lua
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 kept.lua")
  os.exit(true)
end

local nc <close> = assert(nats.connect())
local js = assert(nc:jetstream())
local stream = assert(js:get_or_create_stream {
  name = "mystream",
  subjects = { "events.>", "notifications.>" },
  retention = "limits",
  max_msgs = 1000,
  max_age = 7 * 24 * 3600,
})

local future = assert(js:publish_start("events.user.created", "User created data"))
local ack = assert(future:wait())
print(("published to sequence %d"):format(ack.seq))

local consumer = assert(stream:get_or_create_consumer {
  durable_name = "myconsumer",
  deliver_policy = "all",
  ack_policy = "explicit",
  max_deliver = 3,
})
local messages = assert(consumer:consume())
for msg in messages:messages(5) do
  print("received: " .. msg.data)
  assert(msg:ack())
  break
end
assert(js:delete_stream("mystream"))
