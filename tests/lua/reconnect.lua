-- A server that dies and comes back: subscriptions and buffered publishes come back too.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local function wait_event(nc, kind, within)
  local limit = nats.now() + (within or 10)
  while nats.now() < limit do
    local event = nc:next_event(0.5)
    if event and event.type == kind then return event end
  end
end

t.test("kill and restart", function()
  local server = t.server()
  local nc = assert(nats.connect(server.url, { reconnect_wait = 0.05, reconnect_wait_max = 0.2 }))
  local sub = assert(nc:subscribe("r.*"))
  nc:publish("r.1", "before")
  t.same(assert(sub:next(5)).data, "before")
  server:stop("KILL")
  local lost = t.check(wait_event(nc, "disconnected"), "no disconnected event")
  t.same(math.type and math.type(lost.lost) or "integer", "integer")
  t.same(nc:status(), "reconnecting")
  t.same(nc:publish("r.2", "while away"), true)
  t.fails("TIMEOUT", nc:request("r.x", "y", { timeout = 0.05 }))
  t.server(nil, server.port)
  t.check(wait_event(nc, "reconnected"), "no reconnected event")
  t.same(nc:status(), "connected")
  local got = {}
  for msg in sub:messages(1) do
    got[msg.data] = true
    if got["while away"] then break end
  end
  t.check(got["while away"], "the buffered publish is lost")
  t.same(nc:stats().reconnects, 1)
  nc:close()
end)

t.test("reconnect = false gives up: CLOSED with its reason", function()
  local server = t.server()
  local nc = assert(nats.connect(server.url, { reconnect = false }))
  local sub = assert(nc:subscribe("x"))
  server:stop("KILL")
  t.check(wait_event(nc, "closed"), "no closed event")
  t.fails("CLOSED", sub:next(1))
  t.fails("CLOSED", nc:publish("x", "y"))
  t.same(nc:status(), "closed")
end)

t.test("a reconnect buffer that is full refuses", function()
  local server = t.server()
  local nc = assert(nats.connect(server.url, { reconnect_buffer = 1024 }))
  server:stop("KILL")
  t.check(wait_event(nc, "disconnected"))
  local code
  for _ = 1, 100 do
    local fine, _, failed = nc:publish("x", ("y"):rep(100))
    if not fine then
      code = failed
      break
    end
  end
  t.same(code, "LIMIT")
  nc:close()
end)

t.done()
