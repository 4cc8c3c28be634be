-- Consumes a stream and acknowledges: lua5.4 stream_consumer.lua [stream] [consumer] [how many]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 stream_consumer.lua [stream] [consumer] [how many]")
  os.exit(true)
end

local name, who, count = arg[1] or "NEWS", arg[2] or "reader", tonumber(arg[3]) or 3
local nc <close> = assert(nats.connect())
local js = assert(nc:jetstream())
local consumer = assert(js:stream(name):get_or_create_consumer { durable_name = who })
local sub = assert(consumer:consume { max_messages = 100 })
for _ = 1, count do
  local msg = assert(sub:next(5), "nothing came in 5 s")
  print(("%d\t%s"):format(msg.metadata.stream_seq, msg.data))
  assert(msg:ack_sync()) -- the server has taken note
end
assert(sub:unsubscribe())
local info = assert(consumer:info())
print(("left: %d, not acknowledged: %d"):format(info.num_pending, info.num_ack_pending))
