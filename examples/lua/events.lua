-- A stream and a consumer that may be there already; publish, receive, acknowledge: lua5.4 events.lua [stream]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 events.lua [stream]")
  os.exit(true)
end

local name = arg[1] or "mystream"
local nc <close> = assert(nats.connect())
local js = assert(nc:jetstream())

local config = {
  name = name,
  subjects = { name .. ".events.>", name .. ".notifications.>" },
  retention = "limits",
  max_msgs = 1000,
  max_age = 7 * 24 * 3600,
}
if nc:server_info().api_lvl then -- a newer server takes these, too
  config.consumer_limits = { inactive_threshold = 3600, max_ack_pending = 1000 }
end
local stream = assert(js:get_or_create_stream(config))

local future = assert(js:publish_start(name .. ".events.user.created", "User created data"))
print("published as " .. assert(future:wait()).seq)

local consumer = assert(stream:get_or_create_consumer {
  durable_name = "myconsumer", deliver_policy = "all", ack_policy = "explicit", max_deliver = 3,
})
for msg in assert(consumer:consume()):messages() do
  print("received: " .. msg.data)
  assert(msg:ack_sync())
  break
end
assert(js:delete_stream(name))
