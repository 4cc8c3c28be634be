-- Callbacks: run from dispatch and run only, with errors that lose nothing.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local server = t.server()
local function connect(options) return assert(nats.connect(server.url, options)) end

t.test("dispatch calls, counts, and nothing is called elsewhere", function()
  local nc = connect()
  local got, given = {}, nil
  local sub = assert(nc:subscribe("c.*", { callback = function(msg, from)
    got[#got + 1] = msg.data
    given = from
  end }))
  for i = 1, 5 do nc:publish("c.x", tostring(i)) end
  nc:flush()
  t.same(#got, 0)
  t.same(#assert(nc:get { wait = 0 }), 0, "get must not see them")
  t.same(nc:dispatch { max = 2, wait = 1 }, 2)
  t.list(got, { "1", "2" })
  t.same(nc:dispatch { wait = 1 }, 3)
  t.list(got, { "1", "2", "3", "4", "5" })
  t.check(rawequal(given, sub), "the subscription is the second argument")
  t.same(nc:dispatch { wait = 0 }, 0)
  t.same(nc:dispatch { wait = 0.02 }, 0)
  t.raises({ "callback" }, sub.messages, sub)
  nc:close()
end)

t.test("an error comes with its traceback, and the rest is delivered later", function()
  local nc = connect()
  local got = {}
  assert(nc:subscribe("e", { callback = function(msg)
    if msg.data == "2" then error("two is bad") end
    got[#got + 1] = msg.data
  end }))
  for i = 1, 4 do nc:publish("e", tostring(i)) end
  nc:flush()
  t.raises({ "two is bad", "traceback" }, nc.dispatch, nc, { wait = 1 })
  t.list(got, { "1" })
  t.same(nc:dispatch { wait = 1 }, 2)
  t.list(got, { "1", "3", "4" })
  local object = { code = 7 }
  assert(nc:subscribe("o", { callback = function() error(object) end }))
  nc:publish("o", "x")
  local fine, err = pcall(nc.dispatch, nc, { wait = 5 })
  t.same(fine, false)
  t.check(rawequal(err, object), "an error object goes through unchanged")
  nc:close()
end)

t.test("run until stop, until the time is up, and until closed", function()
  local nc = connect()
  local count = 0
  assert(nc:subscribe("r", { callback = function(msg)
    count = count + 1
    if msg.data == "stop" then nc:stop() end
    if msg.data == "close" then nc:close() end
  end }))
  nc:publish("r", "a")
  nc:publish("r", "stop")
  nc:publish("r", "b")
  t.same(nc:run(5), true)
  t.same(count, 2)
  local before = nats.now()
  t.same(nc:run(0.1), true)
  t.same(count, 3)
  t.check(nats.now() - before >= 0.09, "run came back too early")
  nc:publish("r", "close")
  nc:publish("r", "never seen")
  t.same(nc:run(5), true)
  t.same(count, 4)
  t.same(nc:status(), "closed")
  t.fails("CLOSED", nc:run(1))
end)

t.test("callbacks may publish, request, subscribe and unsubscribe", function()
  local nc, service = connect(), connect()
  assert(service:subscribe("svc", { callback = function(msg) msg:respond(msg.data:upper()) end }))
  assert(service:flush())
  local answer, more
  local sub
  sub = assert(nc:subscribe("work", { callback = function(msg)
    local asked = assert(nc:request_start("svc", msg.data, { timeout = 5 }))
    assert(nc:flush())
    assert(service:dispatch { wait = 5 } == 1)
    answer = assert(asked:wait(5)).data
    assert(nc:subscribe("more", { callback = function(inner) more = inner.data end }))
    assert(sub:unsubscribe())
  end }))
  nc:publish("work", "hello")
  t.same(nc:dispatch { max = 1, wait = 5 }, 1)
  t.same(answer, "HELLO")
  nc:publish("more", "x")
  nc:publish("work", "again")
  t.same(nc:dispatch { max = 1, wait = 5 }, 1)
  t.same(more, "x")
  t.same(nc:dispatch { wait = 0.05 }, 0)
  nc:close()
  service:close()
end)

t.test("a callback that ends with max lets its function go", function()
  local nc = connect()
  local calls = 0
  local held = setmetatable({}, { __mode = "v" })
  do
    local callback = function() calls = calls + 1 end
    held[1] = callback
    assert(nc:subscribe("once", { max = 2, callback = callback }))
  end
  collectgarbage()
  collectgarbage()
  t.check(held[1], "the function was collected while it was needed")
  for _ = 1, 3 do nc:publish("once", "x") end
  nc:flush()
  t.same(nc:dispatch { wait = 1 }, 2)
  t.same(nc:dispatch { wait = 0 }, 0)
  t.same(calls, 2)
  collectgarbage()
  collectgarbage()
  t.same(held[1], nil, "the function is still held")
  nc:close()
end)

t.test("drain calls with what was under way, then closes", function()
  local nc = connect()
  local count = 0
  assert(nc:subscribe("d", { callback = function() count = count + 1 end }))
  for _ = 1, 500 do nc:publish("d", "x") end
  t.same(nc:drain(5), true)
  t.same(count, 500)
  t.same(nc:status(), "closed")
end)

t.test("on_event hears of events from dispatch", function()
  local nc = connect()
  local heard = {}
  t.same(nc:on_event(function(event) heard[event.type] = event end), true)
  nc:dispatch { wait = 0 }
  t.check(heard.connected, "no connected event")
  server:stop("KILL")
  t.check(t.soon(function()
    nc:dispatch { wait = 0.02 }
    return heard.disconnected
  end), "no disconnected event")
  server = t.server(nil, server.port)
  t.check(t.soon(function()
    nc:dispatch { wait = 0.02 }
    return heard.reconnected
  end, 10), "no reconnected event")
  nc:on_event(nil)
  nc:close()
end)

t.done()
