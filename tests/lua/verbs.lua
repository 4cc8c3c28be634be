-- Every verb of client, subscription, message, future and event, on a real server.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local server = t.server()

local function connect(options, url) return assert(nats.connect(url or server.url, options)) end

local function datas(list)
  local texts = {}
  for i, msg in ipairs(list) do texts[i] = msg.data end
  return texts
end

t.test("version and constants", function()
  t.check(nats.version():match("^%d+%.%d+%.%d+$"), nats.version())
  t.same(nats.status.OK, 0)
  t.same(nats.status.TIMEOUT, -1)
  t.same(nats.status.INTERRUPTED, -18)
  t.check(nats.now() > 0)
end)

t.test("options lists every option with its type and its line", function()
  local by_name = {}
  for _, option in ipairs(nats.options()) do
    t.check(option.doc ~= "", option.name)
    by_name[option.name] = option.type
  end
  t.same(by_name.name, "text")
  t.same(by_name.verbose, "boolean")
  t.same(by_name.max_pings_out, "integer")
  t.same(by_name.connect_timeout, "seconds")
end)

t.test("subject functions", function()
  t.same(nats.subject.valid("a.b"), true)
  t.same(nats.subject.valid("a.*"), false)
  t.same(nats.subject.valid("a\0b"), false)
  t.same(nats.subject.valid_pattern("a.*.>"), true)
  t.same(nats.subject.valid_pattern("a.>.b"), false)
  t.same(nats.subject.matches("a.*", "a.b"), true)
  t.same(nats.subject.matches("a.*", "a.b.c"), false)
end)

t.test("connect takes a URL, a list of URLs, and options", function()
  for _, servers in ipairs { server.url, { "nats://127.0.0.1:1", server.url } } do
    local nc = assert(nats.connect(servers, { name = "demo", connect_timeout = 5 }))
    t.same(nc:status(), "connected")
    t.same(nc:close(), true)
    t.same(nc:status(), "closed")
    t.same(nc:close(), true, "closing twice")
  end
end)

t.test("connect fails with a code", function()
  t.fails("IO", nats.connect("nats://127.0.0.1:1", { reconnect = false }))
  local text = t.fails("INVALID", nats.connect(server.url, { naem = "x" }))
  t.check(text:find("naem", 1, true) and text:find("name", 1, true), text)
  t.fails("INVALID", nats.connect(server.url, { max_pings_out = "many" }))
  t.fails("INVALID", nats.connect("http://127.0.0.1"))
end)

t.test("publish and get", function()
  local nc = connect()
  local sub = assert(nc:subscribe("greet.*"))
  t.same(nc:publish("greet.joe", "hello"), true)
  t.same(nc:publish("greet.ann", "hi", { reply = "answers", headers = { Lang = "en" } }), true)
  t.same(nc:publish("greet.empty"), true)
  local got = {}
  while #got < 3 do
    for _, msg in ipairs(assert(nc:get { max = 10, wait = 2 })) do got[#got + 1] = msg end
  end
  t.same(got[1].subject, "greet.joe")
  t.same(got[1].data, "hello")
  t.same(got[1].reply, nil)
  t.same(got[1].sid, sub.sid)
  t.same(got[1].status, nil)
  t.same(got[1].description, nil)
  t.same(next(got[1].headers), nil)
  t.same(got[1]:header("Lang"), nil)
  t.same(got[2].reply, "answers")
  t.same(got[2]:header("Lang"), "en")
  t.same(got[3].data, "")
  t.same(#assert(nc:get { wait = 0 }), 0)
  nc:close()
end)

t.test("get takes at most max and nothing on silence", function()
  local nc = connect()
  assert(nc:subscribe("many"))
  for i = 1, 2500 do nc:publish("many", tostring(i)) end
  nc:flush()
  local first = assert(nc:get { max = 7, wait = 2 })
  t.list(datas(first), { "1", "2", "3", "4", "5", "6", "7" })
  local rest = {}
  while #rest < 2493 do
    local list = assert(nc:get { wait = 2 })
    t.check(#list > 0, "messages are missing after " .. #rest)
    for _, msg in ipairs(list) do rest[#rest + 1] = msg end
  end
  t.same(rest[1].data, "8")
  t.same(rest[2493].data, "2500")
  local before = nats.now()
  t.same(#assert(nc:get { wait = 0.05 }), 0)
  t.check(nats.now() - before >= 0.045, "it did not wait")
  nc:close()
end)

t.test("publish_many keeps the order and tells how many", function()
  local nc = connect()
  local sub = assert(nc:subscribe("bulk"))
  local payloads = {}
  for i = 1, 1001 do payloads[i] = "p" .. i end
  t.same(nc:publish_many("bulk", payloads), 1001)
  t.same(nc:publish_many("bulk", {}), 0)
  nc:flush()
  local list = assert(sub:get { max = 2000, wait = 2 })
  t.same(#list, 1001)
  t.list(datas(list), payloads)
  nc:close()
end)

t.test("payloads arrive unchanged, small and large", function()
  local nc = connect()
  local sub = assert(nc:subscribe("bytes"))
  local all = {}
  for i = 0, 255 do all[#all + 1] = string.char(i) end
  all = table.concat(all)
  local payloads = {
    "", "\0", "PING\r\n", "MSG x 1 3\r\nabc\r\n", all, all:rep(4), all:rep(4) .. "x",
    all:rep(64), all:rep(4096),
  }
  for _, data in ipairs(payloads) do t.check(nc:publish("bytes", data)) end
  for i, data in ipairs(payloads) do
    local msg = assert(sub:next(5))
    t.check(msg.data == data, "payload " .. i .. " changed")
    t.check(msg.data == data, "payload " .. i .. " changed when it was read again")
    t.same(msg.subject, "bytes")
  end
  nc:close()
end)

t.test("a payload over the limit is refused", function()
  local nc = connect()
  t.fails("MAX_PAYLOAD", nc:publish("x", ("a"):rep(nc:max_payload() + 1)))
  t.check(nc:publish("x", ("a"):rep(nc:max_payload())))
  t.check(nc:flush(5))
  nc:close()
end)

t.test("sub:next and sub:get", function()
  local nc = connect()
  local sub = assert(nc:subscribe("next.>"))
  local nothing, err = sub:next(0)
  t.same(nothing, nil)
  t.same(err, nil, "silence is no error")
  for i = 1, 5 do nc:publish("next." .. i, "x" .. i) end
  nc:flush()
  t.same(assert(sub:next(1)).subject, "next.1")
  t.list(datas(assert(sub:get { max = 2, wait = 1 })), { "x2", "x3" })
  t.list(datas(assert(sub:get { wait = 1 })), { "x4", "x5" })
  t.same(#assert(sub:get { wait = 0 }), 0)
  t.same(sub.subject, "next.>")
  t.same(sub.queue, nil)
  t.check(sub.sid > 0)
  t.same(sub:active(), true)
  nc:close()
end)

t.test("a message is delivered once", function()
  local nc = connect()
  local sub = assert(nc:subscribe("once"))
  for i = 1, 4 do nc:publish("once", tostring(i)) end
  nc:flush()
  t.same(assert(sub:next(1)).data, "1")
  t.same(assert(nc:get { max = 1, wait = 1 })[1].data, "2")
  t.same(assert(sub:next(1)).data, "3")
  t.list(datas(assert(nc:get { wait = 1 })), { "4" })
  nc:close()
end)

t.test("messages() iterates, hides from get, and ends with the subscription", function()
  local nc = connect()
  local sub = assert(nc:subscribe("iter", { max = 3 }))
  for i = 1, 5 do nc:publish("iter", tostring(i)) end
  local step = sub:messages()
  nc:flush()
  t.same(#assert(nc:get { wait = 0 }), 0)
  local got = {}
  for msg in step do got[#got + 1] = msg.data end
  t.list(got, { "1", "2", "3" })
  t.fails("CLOSED", sub:next(1))
  t.same(sub:active(), false)
  local other = assert(nc:subscribe("silent"))
  for _ in other:iterate(0.05) do t.fail("nothing was published") end
  nc:close()
end)

t.test("queue groups share the messages", function()
  local nc = connect()
  local a = assert(nc:subscribe("work", { queue = "workers" }))
  local b = assert(nc:subscribe("work", { queue = "workers" }))
  t.same(a.queue, "workers")
  for i = 1, 200 do nc:publish("work", tostring(i)) end
  nc:flush()
  local from_a, from_b = #assert(a:get { wait = 0 }), #assert(b:get { wait = 0 })
  t.same(from_a + from_b, 200)
  t.check(from_a > 0 and from_b > 0, "one worker got nothing")
  nc:close()
end)

t.test("unsubscribe by handle, sid and subject, now and after n", function()
  local nc = connect()
  local one, two = assert(nc:subscribe("u.1")), assert(nc:subscribe("u.2"))
  local same_a, same_b = assert(nc:subscribe("u.3")), assert(nc:subscribe("u.3"))
  t.same(one:unsubscribe(), true)
  t.same(one:unsubscribe(), true, "once more")
  t.same(nc:unsubscribe(two.sid), true)
  t.same(nc:unsubscribe("u.3"), 2)
  t.same(nc:unsubscribe("u.3"), 0)
  t.fails("INVALID", nc:unsubscribe(123456))
  for i = 1, 3 do nc:publish("u." .. i, "x") end
  nc:flush()
  t.same(#assert(nc:get { wait = 0 }), 0)
  for _, sub in ipairs { one, two, same_a, same_b } do t.same(sub:active(), false) end
  local later = assert(nc:subscribe("u.4"))
  t.same(later:unsubscribe(2), true)
  for i = 1, 4 do nc:publish("u.4", tostring(i)) end
  nc:flush()
  t.list(datas(assert(later:get { wait = 1 })), { "1", "2" })
  nc:close()
end)

t.test("drain keeps what was under way", function()
  local nc = connect()
  local sub = assert(nc:subscribe("d"))
  for i = 1, 10 do nc:publish("d", tostring(i)) end
  t.same(sub:drain(2), true)
  t.same(sub:active(), false)
  t.same(#assert(sub:get { wait = 0 }), 10)
  t.same(nc:publish("d", "last"), true)
  t.same(nc:drain(2), true)
  t.same(nc:status(), "closed")
end)

t.test("request, respond and headers of the reply", function()
  local nc, service = connect(), connect()
  local sub = assert(service:subscribe("svc"))
  assert(service:flush())
  local pending = assert(nc:request_start("svc", "2+2", { timeout = 5, headers = { Id = "7" } }))
  local asked = assert(sub:next(5))
  t.same(asked.data, "2+2")
  t.same(asked:header("Id"), "7")
  t.check(asked.reply)
  t.same(asked:respond("4", { headers = { Unit = "none" } }), true)
  local reply = assert(pending:wait(5))
  t.same(reply.data, "4")
  t.same(reply:header("Unit"), "none")
  t.same(reply.sid, 0)
  t.fails("INVALID", reply:respond("again"))
  nc:close()
  service:close()
end)

t.test("request fails as the contract says", function()
  local nc = connect()
  local before = nats.now()
  t.fails("NO_RESPONDERS", nc:request("nobody", "x", { timeout = 5 }))
  t.check(nats.now() - before < 2, "503 did not end the request")
  assert(nc:subscribe("deaf"))
  before = nats.now()
  t.fails("TIMEOUT", nc:request("deaf", "x", { timeout = 0.1 }))
  local took = nats.now() - before
  t.check(took > 0.09 and took < 2, "the timeout took " .. took)
  t.fails("INVALID", nc:request("a b", "x", { timeout = 1 }))
  nc:close()
end)

t.test("futures: poll, wait, done, cancel", function()
  local nc, service = connect(), connect()
  local sub = assert(service:subscribe("f"))
  assert(service:flush())
  local futures = {}
  for i = 1, 20 do futures[i] = assert(nc:request_start("f", tostring(i), { timeout = 5 })) end
  t.same(futures[1]:poll(), nil)
  t.same(futures[1]:done(), false)
  t.fails("TIMEOUT", futures[1]:wait(0.02))
  t.same(futures[1]:done(), false, "the wait was up, not the request")
  for _ = 1, 20 do
    local asked = assert(sub:next(5))
    asked:respond("re " .. asked.data)
  end
  for i = 20, 1, -1 do t.same(assert(futures[i]:wait(5)).data, "re " .. i) end
  t.same(futures[1]:done(), true)
  local given_up = assert(nc:request_start("f", "x", { timeout = 5 }))
  given_up:cancel()
  given_up:cancel()
  t.fails("CLOSED", given_up:wait(1))
  local refused = assert(nc:request_start("nobody", "", { timeout = 5 }))
  t.fails("NO_RESPONDERS", refused:wait(5))
  nc:close()
  service:close()
end)

t.test("request_many: max, stall, timeout, sentinel", function()
  local nc = connect()
  local responder = [[
    arg[0] = arg[1] .. "/responder.lua" -- the harness finds its neighbours by it
    package.path = arg[1] .. "/?.lua;" .. package.path
    local t = require "harness"
    local nats = require "nats"
    local nc = assert(nats.connect(arg[2]))
    assert(nc:subscribe("m", { callback = function(msg)
      for word in msg.data:gmatch("%S+") do msg:respond(word ~= "end" and word or "") end
    end }))
    assert(nc:subscribe("m.stop", { callback = function(msg) msg:respond("bye") nc:stop() end }))
    assert(nc:flush())
    nc:publish("m.ready", "")
    nc:run(20)
    nc:close()
  ]]
  local ready = assert(nc:subscribe("m.ready"))
  assert(nc:flush())
  local path = server.folder .. "/responder.lua"
  local file = assert(io.open(path, "w"))
  file:write(responder)
  file:close()
  os.execute(("%s %s %s %s &"):format(t.quote(arg[-1]), t.quote(path), t.quote(t.dir), server.url))
  t.check(ready:next(10), "the responder did not start")
  t.list(datas(assert(nc:request_many("m", "a b c d", { max = 3, timeout = 5 }))),
    { "a", "b", "c" })
  local before = nats.now()
  t.list(datas(assert(nc:request_many("m", "a b", { stall = 0.1, timeout = 5 }))), { "a", "b" })
  t.check(nats.now() - before < 2, "stall did not end it")
  t.list(datas(assert(nc:request_many("m", "a b end c", { sentinel = true, timeout = 5 }))),
    { "a", "b" })
  t.list(datas(assert(nc:request_many("m", "a", { timeout = 0.1 }))), { "a" })
  t.fails("NO_RESPONDERS", nc:request_many("nobody", "x", { timeout = 2 }))
  t.same(assert(nc:request("m.stop", "", { timeout = 5 })).data, "bye")
  nc:close()
end)

t.test("share: own subscriptions, one connection", function()
  local nc = connect()
  local other = assert(nc:share())
  local third = assert(other:share())
  assert(other:subscribe("s"))
  nc:publish("s", "1")
  nc:flush()
  t.same(#assert(nc:get { wait = 0 }), 0)
  t.same(#assert(other:get { wait = 1 }), 1)
  other:close()
  t.same(nc:status(), "connected")
  nc:close()
  t.same(third:status(), "connected")
  t.check(third:flush(2))
  third:close()
end)

t.test("flush, rtt, new_inbox, max_payload", function()
  local nc = connect { inbox_prefix = "mine" }
  t.same(nc:flush(), true)
  t.same(nc:flush(2), true)
  local rtt = assert(nc:rtt(2))
  t.check(rtt > 0 and rtt < 2, rtt)
  local a, b = assert(nc:new_inbox()), assert(nc:new_inbox())
  t.check(a:match("^mine%.") and a ~= b, a)
  t.check(nats.subject.valid(a))
  t.same(nc:max_payload(), 1048576)
  nc:close()
end)

t.test("stats of client and subscription", function()
  local nc = connect()
  local sub = assert(nc:subscribe("st", { pending_msgs = 5 }))
  for _ = 1, 8 do nc:publish("st", "abc") end
  nc:flush()
  local stats = sub:stats()
  t.same(stats.received, 8)
  t.same(stats.pending, 5)
  t.same(stats.dropped, 3)
  t.same(stats.delivered, 0)
  t.check(stats.pending_bytes > 0)
  t.same(#assert(sub:get { wait = 1 }), 5)
  t.same(sub:stats().delivered, 5)
  local of_client = nc:stats()
  t.same(of_client.received, 8)
  t.same(of_client.received, of_client.delivered + of_client.dropped + of_client.pending)
  local event = assert(nc:next_event(1))
  while event.type ~= "slow_consumer" do event = assert(nc:next_event(1)) end
  t.same(event.sid, sub.sid)
  t.same(event.subject, "st")
  nc:close()
end)

t.test("server_info as a table and as JSON", function()
  local nc = connect()
  local info = assert(nc:server_info())
  t.same(type(info.server_id), "string")
  t.same(info.max_payload, 1048576)
  t.same(info.headers, true)
  t.same(info.port, server.port)
  t.check(assert(nc:server_info_json()):match("^{.*}%s*$"))
  nc:close()
end)

t.test("events: connected first, closed last", function()
  local nc = connect()
  local first = assert(nc:next_event(2))
  t.same(first.type, "connected")
  t.check(first.url:find(tostring(server.port), 1, true), first.url)
  t.check(first.time > 0)
  t.check(tostring(first):find("connected", 1, true))
  t.same(nc:next_event(0), nil)
  nc:close()
  local last = nc:next_event(0)
  t.same(last and last.type, "closed")
end)

t.test("a closed client says CLOSED, a closed subscription too", function()
  local nc = connect()
  local sub = assert(nc:subscribe("x"))
  nc:close()
  t.fails("CLOSED", nc:publish("x", "y"))
  t.fails("CLOSED", nc:publish("x", "y", { headers = { A = "b" } }))
  t.fails("CLOSED", nc:publish_many("x", { "y" }))
  t.fails("CLOSED", nc:subscribe("x"))
  t.fails("CLOSED", nc:get { wait = 0 })
  t.fails("CLOSED", nc:request("x", "y"))
  t.fails("CLOSED", nc:request_start("x", "y"))
  t.fails("CLOSED", nc:request_many("x", "y"))
  t.fails("CLOSED", nc:flush())
  t.fails("CLOSED", nc:rtt())
  t.fails("CLOSED", nc:share())
  t.fails("CLOSED", nc:dispatch { wait = 0 })
  t.fails("CLOSED", nc:unsubscribe("x"))
  t.fails("CLOSED", nc:drain())
  t.fails("CLOSED", nc:process())
  t.fails("CLOSED", sub:next(0))
  t.fails("CLOSED", sub:get { wait = 0 })
  t.same(type(nc:stats()), "table")
  t.same(sub.subject, "x")
  for _ in sub:messages() do t.fail("a closed subscription gave a message") end
end)

t.test("fd, process and deadline drive a client without a keeper", function()
  local nc = connect { keeper = false }
  t.check(nc:fd() >= 0)
  t.same(nc:pollfd(), nc:fd())
  t.same(nc:events(), "r")
  assert(nc:subscribe("loop"))
  nc:publish("loop", "1")
  local got = 0
  t.check(t.soon(function()
    t.check(nc:process())
    local deadline = nc:deadline()
    t.check(deadline == nil or deadline >= 0)
    got = got + #assert(nc:get { wait = 0 })
    return got == 1
  end))
  nc:close()
end)

t.done()
