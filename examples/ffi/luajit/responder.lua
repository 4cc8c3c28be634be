-- Answers requests, by a callback, with LuaJIT and no compiler: luajit responder.lua [subject]
-- [how many]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: luajit responder.lua [subject]")
  os.exit(true)
end

local nc = assert(nats.connect())
local subject, left = arg[1] or "svc.upper", tonumber(arg[2]) or math.huge
assert(nc:subscribe(subject, {
  queue = "responders",
  callback = function(msg)
    assert(msg:respond(msg.data:upper()))
    left = left - 1
    if left <= 0 then nc:stop() end
  end,
}))
assert(nc:flush(5))
print("answering on " .. subject)
io.stdout:flush()
assert(nc:run())
assert(nc:flush(5))
nc:close()
