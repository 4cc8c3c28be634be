-- JetStream in a luv loop: orders are published, and worked off as they come; nothing waits in a call but
-- the loop. lua5.4 event_loop_orders.lua [how many]
local uv = require "luv"
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 event_loop_orders.lua [how many]")
  os.exit(true)
end

local count = tonumber(arg[1]) or 3
local nc <close> = assert(nats.connect())
local js = assert(nc:jetstream())
local stream = assert(js:create_stream {
  name = "LOOP_ORDERS", subjects = { "loop.orders.>" }, storage = "memory",
})
local desk = assert(stream:create_consumer { durable_name = "desk" })

local poll, due, ticker = uv.new_poll(nc:fd()), uv.new_timer(), uv.new_timer()
local acks, done, number = {}, 0, 0 -- acks: the futures of what the stream has not told of yet

assert(desk:consume { -- asks for more by itself, without end
  callback = function(msg)
    print("done: " .. msg.data)
    assert(msg:ack())
    done = done + 1
  end,
})

local function turn()
  assert(nc:process())
  assert(nc:dispatch { wait = 0 })
  for i = #acks, 1, -1 do
    local ack, text, code = acks[i]:poll()
    if code then error(text) end
    if ack then table.remove(acks, i) end
  end
  if done == count and #acks == 0 then
    for _, handle in ipairs { poll, due, ticker } do
      if not handle:is_closing() then handle:close() end
    end
    return
  end
  local seconds = nc:deadline()
  if seconds then due:start(math.max(1, math.ceil(seconds * 1000)), 0, turn) end
end

poll:start("r", turn)
ticker:start(0, 20, function()
  if number < count then
    number = number + 1
    acks[#acks + 1] = assert(js:publish_start("loop.orders.new", "order " .. number))
  end
  turn()
end)
uv.run()
assert(stream:delete())
