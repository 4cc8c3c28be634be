-- A client in a cqueues loop: the client itself is what cqueues polls.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local found, cqueues = pcall(require, "cqueues")
if not found then t.skip("lua-cqueues is not installed") end
local nats = require "nats"

local server = t.server()

local function loop_test(name, options)
  t.test("publish, receive and request in one loop, " .. name, function()
    local nc = assert(nats.connect(server.url, options))
    local service = assert(nats.connect(server.url, options))
    assert(nc:subscribe("in"))
    assert(service:subscribe("svc", { callback = function(msg) msg:respond(msg.data:upper()) end }))
    assert(service:flush())
    local loop = cqueues.new()
    local got, ticks, reply, finished = 0, 0, nil, false

    loop:wrap(function() -- receive
      while got < 2000 do
        cqueues.poll(nc)
        assert(nc:process())
        got = got + #assert(nc:get { wait = 0 })
      end
      local future = assert(nc:request_start("svc", "hello", { timeout = 5 }))
      while not reply do
        local msg, err, code = future:poll()
        if code then error(err) end
        reply = msg
        if not reply then
          cqueues.poll(nc)
          assert(nc:process())
        end
      end
      finished = true
    end)
    loop:wrap(function() -- answer
      while not finished do
        cqueues.poll(service, 0.05)
        assert(service:process())
        assert(service:dispatch { wait = 0 })
      end
    end)
    loop:wrap(function() -- publish
      for i = 1, 2000 do
        assert(nc:publish("in", "x"))
        if i % 100 == 0 then cqueues.sleep(0.001) end
      end
      assert(nc:process())
    end)
    loop:wrap(function() -- the loop goes on meanwhile
      while not finished do
        ticks = ticks + 1
        cqueues.sleep(0.001)
      end
    end)
    local limit = nats.now() + 20
    while not finished and nats.now() < limit do assert(loop:step(1)) end
    t.same(got, 2000)
    t.same(reply and reply.data, "HELLO")
    t.check(ticks > 5, "the loop stood still")
    cqueues.cancel(nc:pollfd())
    cqueues.cancel(service:pollfd())
    nc:close()
    service:close()
  end)
end

loop_test("with the keeper", {})
loop_test("without a keeper", { keeper = false })

-- What answers is in the same loop: who waited in its place would wait for ever.
t.test("a publisher's level is asked for while the loop goes on", function()
  local nc = assert(nats.connect(server.url))
  local loop = cqueues.new()
  local ticks, turned, finished = 0, nil, false
  assert(nc:subscribe("late.API.INFO", { callback = function(msg)
    loop:wrap(function()
      cqueues.sleep(0.2)
      msg:respond('{"api":{"level":4}}')
    end)
  end }))
  assert(nc:subscribe("late.a", {
    callback = function(msg) msg:respond('{"stream":"S","seq":1}') end,
  }))
  local js = assert(nc:jetstream { prefix = "late.API", timeout = 5 })
  local publisher = assert(js:publisher())
  local options = { ttl = 60 }
  local function ended(future)
    while not future:done() do cqueues.sleep(0.001) end
    return future:poll()
  end
  loop:wrap(function()
    t.same(publisher:room(), 4000)
    t.list({ publisher:room(options) }, { 0, "level" })
    local before = ticks
    t.same(ended(assert(publisher:level_start())), true)
    turned = ticks - before
    t.same(publisher:room(options), 4000)
    t.same(publisher:publish("late.a", "x", options), 1)
    t.same(ended(assert(publisher:flush_start(5))), true)
    t.same(ended(assert(js:level_start())), true)
    t.check(js:publisher { fast = true })
    finished = true
  end)
  loop:wrap(function() -- the client
    while not finished do
      cqueues.poll(nc, 0.01)
      assert(nc:process())
      assert(nc:dispatch { wait = 0 })
    end
  end)
  loop:wrap(function() -- the loop goes on meanwhile
    while not finished do
      ticks = ticks + 1
      cqueues.sleep(0.005)
    end
  end)
  local limit = nats.now() + 20
  while not finished and nats.now() < limit do assert(loop:step(1)) end
  t.check(finished and turned > 10, "the loop stood still")
  cqueues.cancel(nc:pollfd())
  nc:close()
end)

t.done()
