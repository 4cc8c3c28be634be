-- A client in a cqueues loop: lua5.4 event_loop_cqueues.lua [how many]
-- The client has pollfd(), events() and timeout(), so cqueues polls it as it is.
local cqueues = require "cqueues"
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 event_loop_cqueues.lua [how many]")
  os.exit(true)
end

local nc <close> = assert(nats.connect())
local left = tonumber(arg[1]) or 5
assert(nc:subscribe("tick"))
local loop = cqueues.new()

loop:wrap(function()
  while left > 0 do
    cqueues.poll(nc)
    assert(nc:process())
    for event in function() return nc:next_event(0) end do
      if event.text ~= "" then io.stderr:write(event.type, ": ", event.text, "\n") end
    end
    for _, msg in ipairs(assert(nc:get { wait = 0 })) do
      print("got " .. msg.data)
      left = left - 1
    end
  end
end)

loop:wrap(function()
  local number = 0
  while left > 0 do
    number = number + 1
    assert(nc:publish("tick", tostring(number)))
    cqueues.sleep(0.05)
  end
end)

assert(loop:loop())
cqueues.cancel(nc:pollfd()) -- before the descriptor is closed
