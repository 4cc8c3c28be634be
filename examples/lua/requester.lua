-- Asks and prints the answer: lua5.4 requester.lua [subject] [text]
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 requester.lua [subject] [text]")
  os.exit(true)
end

local nc <close> = assert(nats.connect())
local reply, err, code = nc:request(arg[1] or "svc.upper", arg[2] or "hello", { timeout = 2 })
if not reply then
  io.stderr:write(code, ": ", err, "\n")
  os.exit(1, true)
end
print(reply.data)
