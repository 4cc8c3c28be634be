-- Takes work from a queue group, in batches: lua5.4 queue_worker.lua [subject] [how many]
-- Start several: each piece of work goes to one of them.
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 queue_worker.lua [subject] [how many]")
  os.exit(true)
end

local nc <close> = assert(nats.connect())
local subject, left = arg[1] or "work", tonumber(arg[2]) or math.huge
assert(nc:subscribe(subject, { queue = "workers" }))
assert(nc:flush(5))
print("waiting for work on " .. subject)
io.stdout:flush()
while left > 0 do
  for _, msg in ipairs(assert(nc:get { max = 100 })) do
    print("done: " .. msg.data)
    left = left - 1
  end
  io.stdout:flush()
end
