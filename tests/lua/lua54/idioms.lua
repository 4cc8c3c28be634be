-- What belongs to Lua 5.4: <close>, __gc, tostring, handles that keep what they need alive.
-- Run by ../idioms.lua, which keeps it from LuaJIT: <close> is not in its grammar.
local t = require "harness"
local nats = require "nats"

local server = t.server()
local function connect(options) return assert(nats.connect(server.url, options)) end

-- Clients as the server counts them, by its log-free way: the file descriptors of this process.
local function open_files()
  local count = 0
  for _ in t.shell("ls", "/proc/" .. t.pid .. "/fd"):gmatch("\n") do count = count + 1 end
  return count
end

-- The shell that counts is a child with descriptors of its own coming and going: the fewest of a few
-- looks is what this program has.
local function fewest_open_files()
  local fewest = open_files()
  for _ = 1, 4 do fewest = math.min(fewest, open_files()) end
  return fewest
end

local function threads()
  for line in io.lines("/proc/self/status") do
    local count = line:match("^Threads:%s+(%d+)")
    if count then return tonumber(count) end
  end
end

t.test("<close> closes client, subscription and future", function()
  local kept_client, kept_sub, kept_future
  do
    local nc <close> = connect()
    local sub <close> = assert(nc:subscribe("a"))
    local future <close> = assert(nc:request_start("a", "x", { timeout = 60 }))
    kept_client, kept_sub, kept_future = nc, sub, future
  end
  t.same(kept_client:status(), "closed")
  t.same(kept_sub:active(), false)
  t.same(kept_future:done(), true)
end)

t.test("<close> ends a publisher and abandons a batch", function()
  local nc <close> = connect()
  local js = assert(nc:jetstream())
  local kept_publisher, kept_batch
  do
    local publisher <close> = assert(js:publisher())
    local batch <close> = assert(js:batch())
    kept_publisher, kept_batch = publisher, batch
    t.check(tostring(publisher):find("open", 1, true))
  end
  t.fails("CLOSED", kept_publisher:publish("a", "x"))
  t.fails("CLOSED", kept_batch:add("a", "x"))
  t.check(tostring(kept_publisher):match("^nats.publisher: .*closed"))
  t.check(tostring(kept_batch):match("^nats.batch: .*abandoned"))
  t.check(tostring(js:stream("S")):match("^nats.stream: .*%(S%)$"))
  t.check(tostring(js:stream("S"):consumer("c")):match("^nats.consumer: .*%(S c%)$"))
end)

t.test("<close> of a subscription alone ends it", function()
  local nc <close> = connect()
  do
    local sub <close> = assert(nc:subscribe("a"))
    nc:publish("a", "1")
    t.same(assert(sub:next(5)).data, "1")
  end
  nc:publish("a", "2")
  nc:flush()
  t.same(#assert(nc:get { wait = 0 }), 0)
end)

t.test("<close> happens on errors too", function()
  local kept
  t.raises({ "oops" }, function()
    local nc <close> = connect()
    kept = nc
    error("oops")
  end)
  t.same(kept:status(), "closed")
end)

t.test("a dropped subscription's messages still come through get", function()
  local nc <close> = connect()
  do local _ = assert(nc:subscribe("a")) end
  collectgarbage()
  collectgarbage()
  nc:publish("a", "1")
  t.same(assert(nc:get { wait = 5 })[1].data, "1")
end)

t.test("subscription, future and message keep their client alive", function()
  local sub, future, msg
  do
    local nc = connect()
    sub = assert(nc:subscribe("a"))
    future = assert(nc:request_start("a", "x", { timeout = 60 }))
    msg = assert(sub:next(5))
  end
  collectgarbage()
  collectgarbage()
  t.same(msg:respond("y"), true)
  t.same(assert(future:wait(5)).data, "y")
  t.same(sub:active(), true)
end)

t.test("collecting closes: no descriptor and no thread is left", function()
  collectgarbage()
  collectgarbage()
  local files, before = fewest_open_files(), threads()
  for _ = 1, 50 do
    local nc = connect()
    nc:subscribe("a", { callback = function() return nc end }) -- a cycle through the callback
    nc:request_start("a", "x")
    nc:publish("a", "y")
  end
  for _ = 1, 3 do collectgarbage() end
  t.same(fewest_open_files(), files)
  t.same(threads(), before)
end)

t.test("failed connects leave nothing behind", function()
  local files, before = fewest_open_files(), threads()
  for _ = 1, 50 do t.fails("IO", nats.connect("nats://127.0.0.1:1", { reconnect = false })) end
  for _ = 1, 3 do collectgarbage() end
  t.same(fewest_open_files(), files)
  t.same(threads(), before)
end)

t.test("tostring", function()
  local nc <close> = connect()
  local sub = assert(nc:subscribe("a.b"))
  nc:publish("a.b", "12345")
  t.check(tostring(nc):find("^nats%.client: .*%(connected%)"), tostring(nc))
  t.check(tostring(sub):find("^nats%.subscription: .*%(a%.b%)"), tostring(sub))
  t.same(tostring(sub:next(5)), "nats.message: a.b (5 bytes)")
  t.check(tostring(nc:request_start("x", "")):find("^nats%.future: "))
  t.check(tostring(nats.proto()):find("^nats%.proto: .*%(idle%)"))
end)

t.test("a finalizer that uses the client during get harms nothing", function()
  local nc <close> = connect()
  local sub <close> = assert(nc:subscribe("g"))
  local seen, n = {}, 5000
  local function count(msg)
    t.check(not seen[msg.data], "twice: " .. msg.data)
    seen[msg.data] = true
  end
  local busy = false
  local function trap()
    setmetatable({}, { __gc = function()
      if busy then return end
      for _, msg in ipairs(nc:get { max = 3, wait = 0 } or {}) do count(msg) end
      for _, msg in ipairs(sub:get { max = 2, wait = 0 } or {}) do count(msg) end
      trap()
    end })
  end
  trap()
  collectgarbage("incremental", 100, 1000)
  for i = 1, n do nc:publish("g", tostring(i)) end
  nc:flush()
  local total = 0
  repeat
    for _, msg in ipairs(assert(nc:get { wait = 0.2 })) do count(msg) end
    total = 0
    for _ in pairs(seen) do total = total + 1 end
  until total == n or sub:stats().pending == 0
  busy = true
  collectgarbage("incremental", 200, 100)
  total = 0
  for _ in pairs(seen) do total = total + 1 end
  t.same(total, n)
end)

t.test("a coroutine may wait, and iterate", function()
  local nc <close> = connect()
  local sub = assert(nc:subscribe("co", { max = 3 }))
  for i = 1, 3 do nc:publish("co", tostring(i)) end
  local got = {}
  local step = coroutine.wrap(function()
    for msg in sub:messages() do coroutine.yield(msg.data) end
  end)
  for data in step do got[#got + 1] = data end
  t.list(got, { "1", "2", "3" })
end)

t.test("a closed state takes everything along", function()
  local path = server.folder .. "/left_open.lua"
  local file = assert(io.open(path, "w"))
  file:write([[
    local nats = require "nats"
    nc = assert(nats.connect(arg[1]))
    sub = assert(nc:subscribe("x", { callback = print }))
    future = assert(nc:request_start("x", "y"))
    nc:publish("left.open", "written before the end")
  ]])
  file:close()
  local nc <close> = connect()
  local sub = assert(nc:subscribe("left.open"))
  assert(nc:flush())
  t.check(os.execute(("%s %s %s"):format(t.quote(arg[-1]), t.quote(path), server.url)))
  t.same(assert(sub:next(5)).data, "written before the end")
end)

t.done()
