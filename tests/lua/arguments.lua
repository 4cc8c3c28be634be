-- Bad arguments of every function: misuse raises an error that names what is wrong, and what a
-- server or a file might have held fails with nil, text, "INVALID". Nothing is sent either way.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local server = t.server()
local nc = assert(nats.connect(server.url))
local watcher = assert(nats.connect(server.url))
local everything = assert(watcher:subscribe(">"))
assert(watcher:flush())
local sub = assert(nc:subscribe("s"))
local future = assert(nc:request_start("s", "x", { timeout = 60 }))
local msg = assert(sub:next(5))
assert(nc:flush())
while everything:next(0.1) do end

local SENDING = {
  "publish", "publish_many", "subscribe", "request", "request_start", "request_many",
}
local BAD_URLS = {
  "http://x", "nats://", "nats://a:b:c", "nats://127.0.0.1:99999", "nats://[::1", "nats://a b",
}
local NOT_TEXT = { true, {}, print }
local NOT_NUMBER = { "x", true, {}, print }
local NOT_TABLE = { "x", 1, true, print }

-- Subjects to publish to: each is wrong.
local BAD_SUBJECTS = {
  "", " ", "a b", "a\tb", "a\r", "a\n", "a\r\nPUB x 1", "a\0b", ".", "a.", ".a", "a..b", "a.*",
  "a.>", "*", ">", "a\127", "\255\254", ("x"):rep(2000),
}
local BAD_PATTERNS = {
  "", "a b", "a\tb", "a\r\n", "a\0b", "a.", ".a", "a..b", "a.>.b",
  ("x"):rep(2000),
}

t.test("subjects with wrong bytes are refused by every verb", function()
  for _, subject in ipairs(BAD_SUBJECTS) do
    t.fails("INVALID", nc:publish(subject, "x"))
    t.fails("INVALID", nc:publish(subject, "x", { headers = { A = "b" } }))
    t.fails("INVALID", nc:publish_many(subject, { "x" }))
    t.fails("INVALID", nc:request(subject, "x", { timeout = 1 }))
    t.fails("INVALID", nc:request_start(subject, "x", { timeout = 1 }))
    t.fails("INVALID", nc:request_many(subject, "x", { timeout = 1 }))
    t.fails("INVALID", nc:publish("fine", "x", { reply = subject }))
    t.same(nats.subject.valid(subject), false)
  end
  for _, subject in ipairs(BAD_PATTERNS) do
    t.fails("INVALID", nc:subscribe(subject))
    t.same(nats.subject.valid_pattern(subject), false)
  end
  for _, queue in ipairs { "a b", "a\r\n", "a\0b", "\t" } do
    t.fails("INVALID", nc:subscribe("fine", { queue = queue }))
  end
end)

t.test("the error names the argument and the place", function()
  local text, about = t.fails("INVALID", nc:publish("abc def", "x"))
  t.check(text:find("subject", 1, true), text)
  t.check(text:find("3", 1, true), text)
  t.check(about ~= nil)
end)

t.test("wrong types of subject and data raise an error", function()
  for _, bad in ipairs(NOT_TEXT) do
    for _, verb in ipairs(SENDING) do
      t.raises({ "string" }, nc[verb], nc, bad, "x")
    end
    for _, verb in ipairs { "publish", "request", "request_start", "request_many" } do
      t.raises({ "string" }, nc[verb], nc, "fine", bad)
    end
    t.raises({ "string" }, nc.unsubscribe, nc, bad)
    t.raises({ "string" }, msg.header, msg, bad)
    t.raises({ "string" }, msg.respond, msg, bad)
    for name in pairs(nats.subject) do
      t.raises({ "string" }, nats.subject[name], bad, "x")
    end
    t.raises({ "string" }, nats.subject.matches, "x", bad)
  end
  t.raises({ "string" }, nc.publish, nc)
  t.raises({ "string" }, nc.subscribe, nc, nil)
end)

t.test("publish_many takes a list of strings and sends nothing of a bad one", function()
  for _, bad in ipairs(NOT_TABLE) do t.raises({}, nc.publish_many, nc, "fine", bad) end
  local payloads = {}
  for i = 1, 500 do payloads[i] = "x" end
  payloads[400] = {}
  t.raises({ "payload 400" }, nc.publish_many, nc, "fine", payloads)
  t.raises({ "payload 2" }, nc.publish_many, nc, "fine", { "b", nil, "c" })
end)

t.test("options that are no table raise an error", function()
  for _, bad in ipairs(NOT_TABLE) do
    t.raises({ "table" }, nc.publish, nc, "fine", "x", bad)
    t.raises({ "table" }, nc.request, nc, "fine", "x", bad)
    t.raises({ "table" }, nc.request_start, nc, "fine", "x", bad)
    t.raises({ "table" }, nc.request_many, nc, "fine", "x", bad)
    t.raises({ "table" }, nc.subscribe, nc, "fine", bad)
    if type(bad) ~= "number" then -- which is max
      t.raises({ "table" }, nc.get, nc, bad)
      t.raises({ "table" }, nc.dispatch, nc, bad)
      t.raises({ "table" }, sub.get, sub, bad)
    end
    t.raises({ "table" }, msg.respond, msg, "x", bad)
    t.raises({ "table" }, nats.connect, server.url, bad)
  end
end)

t.test("unknown options are named with the nearest one", function()
  t.raises({ "get", "'mx'", "'max'" }, nc.get, nc, { mx = 1 })
  t.raises({ "get", "'wiat'", "'wait'" }, sub.get, sub, { wiat = 1 })
  t.raises({ "dispatch", "'waits'", "'wait'" }, nc.dispatch, nc, { waits = 1 })
  t.raises({ "publish", "'header'", "'headers'" }, nc.publish, nc, "a", "b", { header = {} })
  t.raises({ "request", "'timeot'", "'timeout'" }, nc.request, nc, "a", "b", { timeot = 1 })
  t.raises({ "request_many", "'stal'", "'stall'" }, nc.request_many, nc, "a", "b", { stal = 1 })
  t.raises({ "subscribe", "'que'", "'queue'" }, nc.subscribe, nc, "a", { que = "q" })
  t.raises({ "subscribe" }, nc.subscribe, nc, "a", { "queue" })
  t.raises({ "unknown option", "'" .. ("x"):rep(100) .. "'" }, nc.get, nc, { [("x"):rep(100)] = 1 })
  t.fails("INVALID", nats.connect(server.url, { keepr = false }))
end)

t.test("the line that is named is the caller's", function()
  local misuses = {
    function() local _ = nc:get { mx = 1 } end,
    function() local _ = nc:get { max = "x" } end,
    function() local _ = sub:get { wait = "x" } end,
    function() local _ = nc:request("a", {}) end,
    function() local _ = nc:request("a", "b", { timeot = 1 }) end,
    function() local _ = nc:request("a", "b", { timeout = "x" }) end,
    function() local _ = nc:request_start({}, "b") end,
    function() local _ = nc:request("a", "b", { headers = { A = print } }) end,
    function() local _ = nc:publish("a", "b", { headers = { A = print } }) end,
    function() local _ = nc:publish({}) end,
    function() local _ = nc:subscribe("a", { max = -1 }) end,
    function() local _ = nc:unsubscribe(-1) end,
    function() local _ = nats.connect(server.url, { name = print }) end,
  }
  for _, misuse in ipairs(misuses) do
    local fine, text = pcall(misuse)
    local line = "arguments.lua:" .. debug.getinfo(misuse, "S").linedefined .. ":"
    t.check(not fine and text:find(line, 1, true), text)
  end
end)

t.test("numbers in options and arguments", function()
  for _, bad in ipairs { 0, -1, 1.5, "x", true, {} } do
    t.raises({ "'max'" }, nc.get, nc, { max = bad, wait = 0 })
    t.raises({ "'max'" }, nc.dispatch, nc, { max = bad, wait = 0 })
  end
  for _, bad in ipairs { -1, 0 / 0, "x", true, { {} } } do
    t.raises({ "'wait'" }, nc.get, nc, { wait = bad })
    t.raises({ "'wait'" }, sub.get, sub, { wait = bad })
    t.raises({ "'timeout'" }, nc.request, nc, "a", "b", { timeout = bad })
    t.raises({ "'stall'" }, nc.request_many, nc, "a", "b", { stall = bad })
    t.raises({ "timeout" }, nc.flush, nc, bad)
    t.raises({ "timeout" }, nc.rtt, nc, bad)
    t.raises({ "timeout" }, nc.drain, nc, bad)
    t.raises({ "timeout" }, nc.run, nc, bad)
    t.raises({ "timeout" }, sub.next, sub, bad)
    t.raises({ "timeout" }, sub.messages, sub, bad)
    t.raises({ "timeout" }, sub.drain, sub, bad)
    t.raises({ "timeout" }, future.wait, future, bad)
    t.raises({ "wait" }, nc.next_event, nc, bad)
  end
  for _, bad in ipairs { -1, 1.5, "x", { {} } } do
    t.raises({}, sub.unsubscribe, sub, bad)
    t.raises({}, nc.unsubscribe, nc, 1, bad)
    if type(bad) == "number" then t.raises({}, nc.unsubscribe, nc, bad) end
    t.raises({ "'max'" }, nc.subscribe, nc, "a", { max = bad })
  end
  for _, bad in ipairs { 0, -2, 1.5, "x" } do
    t.raises({ "pending_msgs" }, nc.subscribe, nc, "a", { pending_msgs = bad })
  end
  for _, bad in ipairs { "x", 1, true } do
    t.raises({ "callback" }, nc.subscribe, nc, "a", { callback = bad })
    t.raises({ "function" }, nc.on_event, nc, bad)
  end
  t.raises({ "'sentinel'" }, nc.request_many, nc, "a", "b", { sentinel = 1 })
  t.raises({ "'queue'" }, nc.subscribe, nc, "a", { queue = 1 })
  t.raises({ "'reply'" }, nc.publish, nc, "a", "b", { reply = 1 })
end)

t.test("connect: servers and values of options", function()
  for _, bad in ipairs { true, print, {}, { 1 == 1 }, { name = "x" }, 4222, { 4222 } } do
    t.raises({}, nats.connect, bad)
    t.raises({}, nats.proto, bad)
  end
  t.raises({ "NUL" }, nats.connect, "nats://127.0.0.1\0:4222")
  t.raises({ "NUL" }, nats.connect, server.url, { ["name\0"] = "x" })
  t.raises({ "'name'" }, nats.connect, server.url, { name = {} })
  t.raises({}, nats.connect, server.url, { "name" })
  for _, url in ipairs(BAD_URLS) do
    t.fails("INVALID", nats.connect(url))
  end
  for name, value in pairs {
    name = "a\r\nb", inbox_prefix = "a b", connect_timeout = -1, max_pings_out = 0,
    verbose = "perhaps",
    pending_msgs = 0, reconnect_wait = "soon", user = "a\0b",
  } do
    local text = t.fails("INVALID", nats.connect(server.url, { [name] = value }))
    t.check(text:find(name, 1, true), text)
  end
end)

t.test("methods on the wrong object raise an error", function()
  local objects = { nc, sub, msg, future }
  for i, object in ipairs(objects) do
    local method = ({ "flush", "stats", "header", "poll" })[i]
    for j, other in ipairs(objects) do
      if i ~= j then t.raises({ "expected" }, object[method], other) end
    end
    for _, other in ipairs { 1, "x", {}, io.stdout } do
      t.raises({ "expected" }, object[method], other)
    end
    t.raises({ "expected" }, object[method])
  end
end)

t.test("a forgotten colon is told at the line of the call", function()
  local line
  for _, call in ipairs {
    function()
      line = debug.getinfo(1, "l").currentline + 1
      local sent = nc.publish("a", "x")
      return sent
    end,
    function()
      line = debug.getinfo(1, "l").currentline + 1
      local flushed = nc.flush()
      return flushed
    end,
    function()
      line = debug.getinfo(1, "l").currentline + 1
      local taken = sub.next(nc, 1)
      return taken
    end,
  } do
    local text = t.raises({ "expected" }, call)
    t.check(text:find("arguments.lua:" .. line .. ":", 1, true), text)
  end
end)

t.test("nothing can be assigned to objects, metatables cannot be reached", function()
  for _, object in ipairs { nc, sub, msg, future, assert(nats.proto()) } do
    t.raises({ "x" }, function() object.x = 1 end)
  end
  -- In LuaJIT messages are plain tables.
  if not t.luajit then t.raises({}, function() msg.data = "y" end) end
  t.same(getmetatable(nc), "nats.client")
  t.same(getmetatable(sub), "nats.subscription")
  t.same(getmetatable(msg), "nats.message")
  t.same(getmetatable(future), "nats.future")
  t.same(msg.nothing, nil)
  t.same(msg[1], nil)
  t.same(sub[{}], nil)
end)

t.test("all that left nothing on the wire and the client usable", function()
  assert(nc:flush(5))
  assert(watcher:flush(5))
  local stray = everything:next(0.1)
  t.same(stray and stray.subject, nil)
  t.same(nc:status(), "connected")
  t.check(nc:publish("fine", "x"))
  t.same(assert(everything:next(5)).data, "x")
end)

nc:close()
watcher:close()
t.done()
