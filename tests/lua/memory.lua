-- Memory stays flat over a million messages, in Lua and in the process.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local TOTAL = tonumber(arg[1]) or 1000000
local BATCH = 1000
local GROUP = 20
local GROWTH_KB = 1024 -- of the resident set, between a quarter of the way and the end

local function resident_kb()
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^VmRSS:%s+(%d+)")
    if kb then return tonumber(kb) end
  end
end

local function settled_kb()
  collectgarbage()
  collectgarbage()
  return collectgarbage("count")
end

local server = t.server()
local nc = assert(nats.connect(server.url, { pending_bytes = -1 }))

-- Runs step(BATCH) until TOTAL / share messages went through; the growth over the last three
-- quarters is checked.
local function flat(share, step)
  local total = TOTAL / share
  local lua_kb, process_kb
  local done = 0
  while done < total do
    step(BATCH)
    done = done + BATCH
    if not lua_kb and done >= total / 4 then
      lua_kb, process_kb = settled_kb(), resident_kb()
    end
  end
  local grown, process_grown = settled_kb() - lua_kb, resident_kb() - process_kb
  t.check(grown < 64, ("Lua's memory grew by %.0f KiB"):format(grown))
  t.check(process_grown < GROWTH_KB, ("the process grew by %d KiB"):format(process_grown))
end

t.test("publish and get", function()
  local sub = assert(nc:subscribe("m"))
  local payloads = {}
  for i = 1, BATCH do payloads[i] = ("%08d"):format(i):rep(16) end
  flat(1, function(count)
    assert(nc:publish_many("m", payloads))
    local got = 0
    while got < count do
      local list = assert(nc:get { max = count - got, wait = 10 })
      t.check(#list > 0, "messages are missing")
      for i = 1, #list do
        if #list[i].data ~= 128 or list[i].subject ~= "m" then t.fail("a message changed") end
      end
      got = got + #list
    end
  end)
  t.check(sub:unsubscribe())
end)

t.test("large payloads, next, headers and callbacks", function()
  local sub = assert(nc:subscribe("big"))
  local calls = 0
  local called = assert(nc:subscribe("call", { callback = function(msg)
    if msg:header("Id") == "7" and msg.headers.Id[2] == "8" then calls = calls + 1 end
  end }))
  local data = ("x"):rep(5000)
  flat(50, function(count)
    for _ = 1, count / 2, GROUP do -- few at a time, so that what waits is always as little
      calls = 0
      for _ = 1, GROUP do
        assert(nc:publish("big", data))
        assert(nc:publish("call", "y", { headers = { Id = { 7, 8 } } }))
      end
      for _ = 1, GROUP do
        if #assert(sub:next(10)).data ~= 5000 then t.fail("a payload changed") end
      end
      while calls < GROUP do t.check(nc:dispatch { wait = 10 } > 0, "callbacks are missing") end
    end
  end)
  sub:unsubscribe()
  called:unsubscribe()
end)

t.test("requests, futures and subscriptions", function()
  local sub = assert(nc:subscribe("svc"))
  flat(50, function(count)
    for _ = 1, count / 10 do
      local future = assert(nc:request_start("svc", "?", { timeout = 10 }))
      assert(sub:next(10)):respond("!")
      t.same(assert(future:wait(10)).data, "!")
      local code = select(3, nc:request("nobody.there", "?", { timeout = 10 }))
      t.same(code, "NO_RESPONDERS")
      assert(assert(nc:subscribe("short.lived")):unsubscribe())
    end
  end)
end)

nc:close()
t.done()
