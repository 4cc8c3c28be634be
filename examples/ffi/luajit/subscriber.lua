-- Prints what arrives, with LuaJIT and no compiler: luajit subscriber.lua [pattern] [how many]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: luajit subscriber.lua [pattern] [how many]")
  os.exit(true)
end

local nc = assert(nats.connect())
local pattern, count = arg[1] or "greet.*", tonumber(arg[2]) or 0
local sub = assert(nc:subscribe(pattern, { max = count }))
assert(nc:flush(5))
print("listening to " .. pattern)
io.stdout:flush()
for msg in sub:messages() do
  print(msg.subject, msg.data)
  for key, value in msg:each_header() do print("", key .. ": " .. value) end
  io.stdout:flush()
end
nc:close()
