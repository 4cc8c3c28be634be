-- The protocol over a socket of one's own (LuaSocket): lua5.4 own_transport.lua
local socket = require "socket"
local nats = require "nats"

if arg[1] == "--help" or arg[1] == "-h" then
  print("usage: lua5.4 own_transport.lua")
  os.exit(true)
end

local p <close> = assert(nats.proto(os.getenv("NATS_URL")))
local tcp, finished

local on = {
  dial = function(event)
    tcp = assert(socket.tcp())
    tcp:settimeout(5)
    local connected, err = tcp:connect(event.host, event.port)
    if connected then
      tcp:settimeout(0)
      assert(p:transport_up())
    else
      assert(p:transport_failed("IO", err))
    end
  end,
  connected = function(event)
    print("connected to " .. event.url)
    assert(p:subscribe("own.*"))
    assert(p:publish("own.transport", "hello"))
  end,
  message = function(event)
    print(event.message.subject, event.message.data)
    finished = true
  end,
  error = function(event) io.stderr:write(event.text, "\n") end,
  disconnected = function() tcp:close() end,
  closed = function() finished = true end,
}

assert(p:start())
while not finished do
  for event in p.next_event, p do
    if on[event.type] then on[event.type](event) end
  end
  local bytes = p:take()
  local sent, err, partly = 0, nil, nil
  while tcp and sent < #bytes do
    local last
    last, err, partly = tcp:send(bytes, sent + 1)
    sent = last or partly
    if err == "closed" then break end
    if err then socket.select(nil, { tcp }, 1) end
  end
  if tcp and not finished then
    socket.select({ tcp }, nil, math.max(0, math.min(1, (p:deadline() or math.huge) - nats.now())))
    local all, failed, some = tcp:receive(65536)
    local got = all or some
    if got and #got > 0 then assert(p:feed(got)) end
    if failed == "closed" then p:feed_eof() end
  end
  p:tick()
end
