-- Orders that are kept: a stream, many publishes under way at once, a consumer that acknowledges, and all of
-- it read again in order. lua5.4 order_book.lua [stream]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 order_book.lua [stream]")
  os.exit(true)
end

local nc <close> = assert(nats.connect())
local js = assert(nc:jetstream { timeout = 5 })
local name = arg[1] or "ORDERS_LUA"
local stream = assert(js:get_or_create_stream {
  name = name, subjects = { name .. ".>" }, storage = "memory", max_age = 3600,
})

-- In a window: each has its ack when flush says so, and what failed is told with its number.
do
  local publisher <close> = assert(js:publisher { max_pending = 100 })
  for i = 1, 3 do assert(publisher:publish(name .. ".new", "book " .. i)) end
  assert(publisher:publish_many(name .. ".paid", { "paid 1", "paid 2" }))
  assert(publisher:flush(5))
  print(("stored %d orders"):format(publisher:stats().acked))
end

-- At least once, until it is acknowledged.
local consumer = assert(stream:create_consumer {
  durable_name = "shipping", filter_subject = name .. ".new", ack_wait = 30,
})
for _, msg in ipairs(assert(consumer:fetch(3, { wait = 5 }))) do
  print("new: " .. msg.data)
  assert(msg:ack_sync(5))
end

-- All of it, without holes or duplicates.
for _, msg in ipairs(assert(stream:ordered_consumer():fetch(5, { wait = 5 }))) do
  print(("%d %s"):format(msg.metadata.stream_seq, msg.data))
end
assert(stream:delete())
