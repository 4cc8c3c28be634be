-- Asks and prints the answer: lua5.4 requester.lua [subject] [text]
local nats = require "nats"

local nc <close> = assert(nats.connect())
local reply, err, code = nc:request(arg[1] or "svc.upper", arg[2] or "hello", { timeout = 2 })
if not reply then
  io.stderr:write(code, ": ", err, "\n")
  os.exit(1, true)
end
print(reply.data)
