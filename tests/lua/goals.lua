-- Connecting, flushing and draining that are not waited for: futures that give true at their end.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local server = t.server()

-- What a loop of one's own does: it never waits in a call. Returns what poll gave at last.
local function reach(nc, future)
  local stop = nats.now() + 10
  while nats.now() < stop do
    local fine, text, code, about = future:poll()
    if fine ~= nil or code then return fine, text, code, about end
    nc:process()
  end
  return nil, "it took too long"
end

for _, keeper in ipairs { true, false } do
  local with = keeper and ", with a keeper" or ", without a keeper"

  t.test("connect, flush and drain by polling" .. with, function()
    local nc, future = assert(nats.connect_start(server.url, { keeper = keeper }))
    t.same(assert(reach(nc, future)), true)
    t.same(future:done(), true)
    t.same(nc:status(), "connected")
    local sub = assert(nc:subscribe("goals.polled"))
    assert(nc:publish("goals.polled", "1"))
    t.same(assert(reach(nc, assert(nc:flush_start(5)))), true)
    t.same(assert(reach(nc, assert(sub:drain_start(5)))), true)
    t.same(sub:active(), false)
    t.same(assert(sub:next(0)).data, "1")
    t.same(assert(reach(nc, assert(nc:drain_start(5)))), true)
    t.same(nc:status(), "closed")
  end)

  t.test("a drain keeps what waits" .. with, function()
    local nc = assert(nats.connect(server.url, { keeper = keeper }))
    assert(nc:subscribe("goals.kept"))
    local called = {}
    assert(nc:subscribe("goals.called", {
      callback = function(msg) called[#called + 1] = msg.data end,
    }))
    assert(nc:publish_many("goals.kept", { "1", "2" }))
    assert(nc:publish("goals.called", "3"))
    t.same(assert(reach(nc, assert(nc:drain_start(5)))), true)
    t.same(nc:status(), "draining")
    t.same(assert(nc:dispatch { wait = 0 }), 1)
    t.same(table.concat(called), "3")
    t.same(#assert(nc:get { wait = 0 }), 2)
    t.same(select(3, nc:get { wait = 0 }), "CLOSED")
    t.same(nc:status(), "closed")
  end)
end

t.test("they can be waited for, and say so once", function()
  local nc, future = assert(nats.connect_start(server.url))
  t.same(assert(future:wait(10)), true)
  t.same(select(3, future:wait(0)), "CLOSED")
  t.same(assert(assert(nc:flush_start()):wait()), true)
  nc:close()
  t.same(select(3, nc:flush_start()), "CLOSED")
  t.same(select(3, nc:drain_start()), "CLOSED")
end)

t.test("why there is no connection", function()
  local nc, future = assert(nats.connect_start("nats://127.0.0.1:1"))
  local _, text, code = reach(nc, future)
  t.same(code, "IO")
  t.check(text:find("127.0.0.1", 1, true), text)
  t.same(nc:status(), "closed")
  t.same(select(3, nats.connect_start(server.url, { nmae = "x" })), "INVALID")
end)

t.test("what is forgotten leaves nothing behind", function()
  for _ = 1, 20 do
    local nc = nats.connect_start(server.url)
    nc:flush_start(5)
    nc:drain_start(5)
  end
  collectgarbage()
  collectgarbage()
end)

-- Closing it would wait two seconds for the server.
t.test("who is forgotten is collected without waiting for a server that is stopped", function()
  local frozen = t.server()
  local kept = setmetatable({ assert(nats.connect(frozen.url)) }, { __mode = "v" })
  frozen:signal("STOP")
  assert(kept[1]:publish("a", "nobody confirms it"))
  local before = nats.now()
  collectgarbage()
  collectgarbage()
  local took = nats.now() - before
  frozen:signal("CONT")
  t.check(kept[1] == nil, "it was not collected")
  t.check(took < 1, "the collection took " .. took .. " s")
  frozen:stop()
end)

t.test("arguments", function()
  local nc = assert(nats.connect(server.url))
  t.check(not pcall(nc.flush_start, nc, "soon"))
  t.check(not pcall(nc.drain_start, nc, -1))
  t.check(not pcall(nats.connect_start, 1))
  nc:close()
end)

t.done()
