-- A client in a luv loop: uv_poll on its descriptor, and a timer for what is due.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local found, uv = pcall(require, "luv")
if not found then t.skip("lua-luv is not installed") end
local nats = require "nats"

local server = t.server()

-- Calls on_messages(list) from the loop whenever the client has some. Returns a function that
-- ends it.
local function attach(nc, on_messages)
  local poll, timer = assert(uv.new_poll(nc:fd())), assert(uv.new_timer())
  local function turn()
    assert(nc:process())
    assert(nc:dispatch { wait = 0 })
    local list = assert(nc:get { wait = 0 })
    if #list > 0 then on_messages(list) end
    local due = nc:deadline()
    if due then timer:start(math.max(1, math.ceil(due * 1000)), 0, turn) end
  end
  poll:start("r", function(err) assert(not err, err) turn() end)
  turn()
  return function()
    poll:stop()
    poll:close()
    timer:close()
  end
end

local OPTIONS = { ["with the keeper"] = {}, ["without a keeper"] = { keeper = false } }

for name, options in pairs(OPTIONS) do
  t.test("messages, callbacks and answers from the loop, " .. name, function()
    local nc = assert(nats.connect(server.url, options))
    local service = assert(nats.connect(server.url, options))
    assert(service:subscribe("svc", { callback = function(msg) msg:respond(msg.data:upper()) end }))
    assert(nc:subscribe("in"))
    assert(service:flush())
    local got, reply, ticks = 0, nil, 0
    local future
    local detach, detach_service, ticker, failed
    local function finish()
      detach()
      detach_service()
      ticker:close()
    end
    detach_service = attach(service, function() failed = "the service has no other messages" end)
    detach = attach(nc, function(list) got = got + #list end)
    ticker = uv.new_timer()
    ticker:start(1, 1, function()
      ticks = ticks + 1
      if got == 1000 and not future then
        future = assert(nc:request_start("svc", "hello", { timeout = 5 }))
      end
      if future and not reply then
        local msg, err, code = future:poll()
        if code then failed = err end
        reply = msg
      end
      if reply or failed or ticks > 10000 then finish() end
    end)
    for _ = 1, 1000 do assert(nc:publish("in", "x")) end
    uv.run()
    t.same(failed, nil)
    t.same(got, 1000)
    t.same(reply and reply.data, "HELLO")
    nc:close()
    service:close()
  end)
end

-- What answers is in the same loop: who waited in its place would wait for ever.
t.test("a publisher's level is asked for while the loop goes on", function()
  local nc = assert(nats.connect(server.url))
  local ticks, turned, before, future, failed = 0, nil, nil, nil, nil
  local later, ticker = assert(uv.new_timer()), assert(uv.new_timer())
  assert(nc:subscribe("late.API.INFO", { callback = function(msg)
    later:start(200, 0, function() msg:respond('{"api":{"level":4}}') end)
  end }))
  local js = assert(nc:jetstream { prefix = "late.API", timeout = 5 })
  local publisher = assert(js:publisher())
  local detach = attach(nc, function() failed = "there are no other messages" end)
  ticker:start(5, 5, function()
    ticks = ticks + 1
    if not future then
      local room, why = publisher:room { ttl = 60 }
      if room ~= 0 or why ~= "level" then failed = "the level is known already" end
      future, before = assert(publisher:level_start()), ticks
    elseif future:done() then
      turned = ticks - before
      if future:poll() ~= true then failed = "the level was not told" end
      local id = publisher:publish("late.a", "x", { ttl = 60 })
      if id ~= 1 then failed = "it was not published" end
    end
    if turned or failed or ticks > 2000 then
      detach()
      ticker:close()
      later:close()
    end
  end)
  uv.run()
  t.same(failed, nil)
  t.check(turned and turned > 10, "the loop stood still")
  nc:close()
end)

t.done()
