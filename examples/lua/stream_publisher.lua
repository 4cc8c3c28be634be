-- Publishes into a stream, within a window: lua5.4 stream_publisher.lua [stream] [text] [how many]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 stream_publisher.lua [stream] [text] [how many]")
  os.exit(true)
end

local name, text, count = arg[1] or "NEWS", arg[2] or "hello", tonumber(arg[3]) or 3
local nc <close> = assert(nats.connect())
local js = assert(nc:jetstream())
assert(js:get_or_create_stream { name = name, subjects = { name .. ".>" }, storage = "memory" })

local publisher <close> = assert(js:publisher { max_pending = 100 }) -- up to 100 under way
for number = 1, count do
  assert(publisher:publish(name .. ".said", text .. " " .. number))
end
assert(publisher:flush(5)) -- until all have their ack
print(("stored %d in %s"):format(publisher:stats().acked, name))
