-- What a script author was promised: the names, and the forms in which a verb may be called.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local store = t.shell("mktemp", "-d"):match("%S+")
local server = t.server({ "-js", "-sd", store })
local nc = assert(nats.connect(server.url))
local js = assert(nc:jetstream())

t.test("times and counts stand by themselves, or have their names", function()
  local sub = assert(nc:subscribe("form"))
  for _, form in ipairs { 0, { timeout = 0 } } do
    t.same(sub:next(form), nil)
  end
  for _ = 1, 3 do nc:publish("form", "x") end
  assert(nc:flush { timeout = 1 })
  t.same(#nc:get(1, 1), 1)
  t.same(#sub:get(1, 1), 1)
  t.same(#nc:get { max = 100, wait = 1 }, 1)
  t.same(nc:next_event { wait = 0 }.type, "connected")
  t.check(nc:rtt { timeout = 1 } < 1)
  t.same(nc:dispatch(1, 0), 0)
  t.same(assert(sub:unsubscribe { after = 4 }), true)
  t.same(sub:active(), true)
  nc:publish("form", "last")
  t.same(sub:next { timeout = 1 }.data, "last")
  t.same(select(3, sub:next(1)), "CLOSED")
  t.raises({ "wait", "timeout" }, sub.next, sub, { wait = 1 })
  t.raises({ "timeout", "wait" }, nc.get, nc, { timeout = 1 })
  t.raises({ "wait", "timeout" }, nc.request, nc, "a", "b", { wait = 1 })
  t.raises({ "after" }, sub.unsubscribe, sub, { aftr = 1 })
  t.raises({ "max" }, nc.get, nc, 0, 1)
end)

t.test("what waits in a subscription is pending", function()
  local sub = assert(nc:subscribe("waits"))
  nc:publish("waits", "x")
  nc:flush()
  local stats = sub:stats()
  t.same(stats.pending, 1)
  t.same(stats.delivered + stats.dropped, 0)
  sub:unsubscribe()
end)

t.test("a failed request is about its subject", function()
  local _, _, code, about = nc:request("nobody.here", "", { timeout = 1 })
  t.same(code, "NO_RESPONDERS")
  t.same(about, "nobody.here")
end)

t.test("fetch and next in every form; no time to wait is none", function()
  local stream = assert(js:create_stream {
    name = "FORMS", subjects = { "forms" }, storage = "memory",
  })
  local consumer = assert(stream:create_consumer { durable_name = "c" })
  t.same(#assert(consumer:fetch(5, { wait = 0 })), 0)
  t.same(consumer:next(0), nil)
  t.same(select("#", consumer:next(0)), 1)
  assert(js:publish_many("forms", { "1", "2", "3", "4", "5", "6" }))
  t.same(#assert(consumer:fetch(1, 1)), 1)
  t.same(#assert(consumer:fetch(1, { wait = 1 })), 1)
  local list = assert(consumer:fetch { max = 1, wait = 1 })
  t.same(#list, 1)
  t.same(list[1].metadata.stream_seq, 3)
  t.same(assert(list[1]:nak { delay = 60 }), true)
  t.same(assert(consumer:next { wait = 1 }).data, "4")
  t.same(assert(assert(consumer:next(1)):term { reason = "bad" }), true)
  t.same(#assert(consumer:fetch()), 1)
  t.raises({ "timeout", "wait" }, consumer.fetch, consumer, 1, { timeout = 1 })
  t.raises({ "timeout", "wait" }, consumer.next, consumer, { timeout = 1 })
  t.raises({ "1 or more" }, consumer.fetch, consumer, 0)

  local ordered, seen = assert(stream:ordered_consumer()), {}
  for msg in ordered:messages(1) do
    seen[#seen + 1] = msg.data
    if #seen == 2 then break end
  end
  t.list(seen, { "1", "2" })
  t.same(ordered:next { wait = 1 }.data, "3")
  t.same(#assert(ordered:fetch { max = 2, wait = 1 }), 2)
  t.raises({ "consume" }, consumer.messages, consumer)
  assert(stream:delete())
end)

nc:close()
server:stop("KILL")
os.execute("rm -rf " .. t.quote(store))
t.done()
