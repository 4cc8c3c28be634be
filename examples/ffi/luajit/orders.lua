-- An order book that is kept: a stream of orders, published with a window, worked off by a consumer, and read
-- again in order. luajit orders.lua [stream]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: luajit orders.lua [stream]")
  os.exit(true)
end

local name = arg[1] or "ORDERS"
local nc = assert(nats.connect())
local js = assert(nc:jetstream())
local stream = assert(js:create_stream {
  name = name, subjects = { name .. ".>" }, storage = "memory",
})

do
  local publisher = assert(js:publisher { max_pending = 100 }) -- up to 100 under way
  for number = 1, 5 do
    assert(publisher:publish(name .. ".new", "order " .. number, { msg_id = tostring(number) }))
  end
  assert(publisher:publish(name .. ".new", "order 5, sent twice", { msg_id = "5" }))
  assert(publisher:flush(5)) -- until all have their ack
  local stats = publisher:stats()
  print("stored " .. stats.acked - stats.duplicates)
  publisher:close()
end

local desk = assert(stream:create_consumer { durable_name = "desk", ack_wait = 30 })
for _, msg in ipairs(assert(desk:fetch(3, { wait = 5 }))) do
  print("done: " .. msg.data)
  assert(msg:ack_sync())
end
print("left for the desk: " .. assert(desk:info()).num_pending)

local ack = assert(js:publish(name .. ".closed", "book", { expect_last_seq = 5 })) -- nobody was quicker
for _, msg in ipairs(assert(stream:ordered_consumer():fetch(ack.seq, { wait = 5 }))) do
  print(("%d %s %s"):format(msg.metadata.stream_seq, msg.subject:match("%.(.*)"), msg.data))
end
assert(stream:delete())
nc:close()
