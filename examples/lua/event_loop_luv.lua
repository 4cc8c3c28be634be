-- A client in a luv loop: lua5.4 event_loop_luv.lua [how many]
local uv = require "luv"
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 event_loop_luv.lua [how many]")
  os.exit(true)
end

local nc <close> = assert(nats.connect())
local left = tonumber(arg[1]) or 5
local poll, due, ticker = uv.new_poll(nc:fd()), uv.new_timer(), uv.new_timer()

assert(nc:subscribe("tick", {
  callback = function(msg)
    print("got " .. msg.data)
    left = left - 1
    if left == 0 then
      poll:close()
      due:close()
      ticker:close()
    end
  end,
}))

local function turn()
  assert(nc:process())
  for event in function() return nc:next_event(0) end do
    if event.text ~= "" then io.stderr:write(event.type, ": ", event.text, "\n") end
  end
  assert(nc:dispatch { wait = 0 })
  local seconds = nc:deadline()
  if seconds and left > 0 then due:start(math.max(1, math.ceil(seconds * 1000)), 0, turn) end
end

poll:start("r", turn)
local number = 0
ticker:start(0, 50, function()
  number = number + 1
  assert(nc:publish("tick", tostring(number)))
  turn()
end)
uv.run()
