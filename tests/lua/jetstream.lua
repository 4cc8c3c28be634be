-- JetStream as a script sees it: values, errors, lifetimes. What each verb does on the server is in the
-- conformance suite.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local store = t.shell("mktemp", "-d"):match("%S+")
local server = t.server({ "-js", "-sd", store })
local nc = assert(nats.connect(server.url))
local js = assert(nc:jetstream { timeout = 5 })

local serial = 0

-- A stream of its own for each test, and what its subjects begin with.
local function new_stream(more)
  serial = serial + 1
  local name = "S" .. serial
  local config = { name = name, subjects = { name .. ".>" }, storage = "memory" }
  for key, value in pairs(more or {}) do config[key] = value end
  return assert(js:create_stream(config)), name .. "."
end

-- ---- values ----

t.test("durations are seconds, in and out", function()
  local stream = new_stream { max_age = 90, duplicate_window = 1.5 }
  t.same(stream.config.max_age, 90)
  t.same(stream.config.duplicate_window, 1.5)
  local consumer = assert(stream:create_consumer {
    durable_name = "c", backoff = { 1, 2.5, 60 }, max_deliver = 5,
  })
  t.list(consumer.config.backoff, { 1, 2.5, 60 })
  t.same(stream:create_consumer({ durable_name = "d", ack_wait = "2m" }).config.ack_wait, 120)
end)

t.test("times are seconds since 1970, or texts", function()
  local stream, subject = new_stream()
  assert(js:publish(subject .. "a", "x"))
  local at = stream:get(1).metadata.time
  t.check(math.abs(at - os.time()) < 60, at)
  t.check(math.abs(stream:info().created - os.time()) < 60)
  local consumer = assert(stream:create_consumer {
    durable_name = "c", deliver_policy = "by_start_time", opt_start_time = 1700000000.25,
  })
  t.same(consumer.config.opt_start_time, 1700000000.25)
  t.same(#assert(consumer:fetch(5, { no_wait = true })), 1)
  local later = assert(stream:create_consumer {
    durable_name = "d", deliver_policy = "by_start_time", opt_start_time = "2099-01-01T00:00:00Z",
  })
  t.same(later.config.opt_start_time, 4070908800)
  t.same(#assert(later:fetch(5, { no_wait = true })), 0)
end)

t.test("subjects of a stream come in pages", function()
  local COUNT = 100001 -- the server's page has 100,000
  local stream, subject = new_stream { allow_direct = false }
  local publisher = assert(js:publisher())
  for i = 1, COUNT do assert(publisher:publish(subject .. i)) end
  assert(publisher:flush(20))
  publisher:close()
  local info = assert(stream:info { subjects_filter = ">" })
  local count = 0
  for _, messages in pairs(info.state.subjects) do count = count + messages end
  t.same(count, COUNT)
  t.same(stream.cached_info, info)
  assert(stream:delete())
end)

t.test("whole numbers stay exact in 64 bits", function()
  local stream = new_stream()
  local big = assert(load("return 9007199254740993" .. (t.luajit and "LL" or "")))()
  assert(stream:purge { seq = big })
  stream = assert(js:create_stream {
    name = "BIG", subjects = { "BIG.>" }, storage = "memory", first_seq = big,
  })
  t.same(stream.config.first_seq, big)
  t.same(assert(js:publish("BIG.a", "x")).seq, big)
  t.same(stream:get(big).metadata.stream_seq, big)
  t.same(stream:info().state.last_seq, big)
end)

t.test("beyond 63 bits a number has the same bits", function()
  local text = t.luajit and "9223372036854775818ULL" or "math.mininteger + 10"
  local beyond = assert(load("return " .. text))()
  local stream = assert(js:create_stream {
    name = "BEYOND", subjects = { "BEYOND.>" }, storage = "memory", first_seq = beyond,
  })
  t.same(stream.config.first_seq, beyond)
  t.same(assert(js:publish("BEYOND.a", "x")).seq, beyond)
  t.same(stream:get(beyond).metadata.stream_seq, beyond)
  local consumer = assert(stream:create_consumer {
    durable_name = "c", deliver_policy = "by_start_sequence", opt_start_seq = beyond,
  })
  t.same(assert(consumer:next(5)).metadata.stream_seq, beyond)
  t.same(stream:purge { seq = beyond + 1 }, 1)
end)

t.test("an empty list is a list, an empty map a map", function()
  local stream = new_stream { metadata = {} }
  t.same(assert(stream:create_consumer { durable_name = "c", filter_subjects = {} }).name, "c")
end)

t.test("bytes pass unchanged", function()
  local stream, subject = new_stream()
  local all = {}
  for i = 0, 255 do all[i + 1] = string.char(i) end
  local text = table.concat(all)
  assert(js:publish(subject .. "a", text, { headers = { Key = { "a", "b" } } }))
  local msg = assert(stream:get(1))
  t.same(msg.data, text)
  t.list(msg.headers.Key, { "a", "b" })
  local large = ("x"):rep(100000)
  assert(js:publish(subject .. "a", large))
  t.same(assert(stream:get_last(subject .. "a")).data, large)
end)

-- ---- errors ----

t.test("the server's errors have their codes", function()
  local _, text, code, about, err_code, server_code, description = js:stream("NOBODY"):info()
  t.same(code, "SERVER")
  t.same(err_code, 10059)
  t.same(server_code, 404)
  t.same(text, "stream_info of stream NOBODY: stream not found (10059)")
  t.same(about, "NOBODY")
  t.same(description, "stream not found")
  local stream, subject = new_stream()
  assert(js:publish(subject .. "a", "x"))
  t.same(select(5, js:publish(subject .. "a", "y", { expect_last_seq = 7 })), 10071)
  t.same(select(5, stream:get(99)), 10037)
  t.same(select("#", nc:request("nobody." .. serial, "", { timeout = 1 })), 4)
end)

t.test("an unknown key is refused with the nearest", function()
  local text, about = t.fails("INVALID", js:create_stream { name = "X", subjcts = { "x" } })
  t.check(text:find("subjects", 1, true), text)
  t.same(about, "subjcts")
  t.fails("INVALID", js:call("strem_info", {}))
  t.fails("INVALID", js:call("stream_info", { "X" }))
  t.fails("INVALID", js:create_stream { name = "a.b" })
  local consumer = assert(new_stream():create_consumer { durable_name = "c" })
  text, about = t.fails("INVALID", consumer:consume { max = 3 })
  t.check(text:find("unknown key 'max'", 1, true), text)
  t.same(about, "max")
end)

if not t.luajit then
  t.test("an ordered consumer is closed with its block", function()
    local stream, subject = new_stream()
    assert(js:publish(subject .. "a", "1"))
    local first = assert(load [[
      local stream = ...
      local ordered <close> = stream:ordered_consumer()
      local other <close> = stream:consumer("other") -- stays until delete()
      return ordered:next(5).data
    ]])
    t.same(first(stream), "1")
  end)
end

t.test("misuse is an error that names it", function()
  local stream = new_stream()
  local itself = {}
  itself.metadata = itself
  t.raises({ "nested" }, js.create_stream, js, itself)
  t.raises({ "metadata", "function" }, js.create_stream, js, { name = "X", metadata = print })
  t.raises({ "subjects", "list" }, js.create_stream, js, { name = "X", subjects = { a = "b" } })
  t.raises({ "placement", "names" }, js.create_stream, js, { name = "X", placement = { "a" } })
  t.raises({ "max_age" }, js.create_stream, js, { name = "X", max_age = 1e300 })
  t.raises({ "msgid", "msg_id" }, js.publish, js, "a", "x", { msgid = "1" })
  t.raises({ "timeout" }, js.publish, js, "a", "x", { timeout = -1 })
  t.raises({ "domian", "domain" }, nc.jetstream, nc, { domian = "x" })
  t.raises({}, stream.get, stream)
  t.raises({}, stream.info, js)
  t.raises({}, js.create_stream, js)
end)

t.test("what is not as it should be in time tells so", function()
  local nobody = assert(nc:jetstream { domain = "nobody", timeout = 1 })
  t.fails("NO_RESPONDERS", nobody:account_info())
  t.fails("NO_RESPONDERS", js:publish("not.in.any.stream", "x"))
end)

-- ---- options of methods ----

-- Each method that asks the server, its arguments before the options, and how many that are.
local function methods_of(silent)
  local stream = silent:stream("S")
  local consumer = stream:consumer("c")
  local list = {}
  local function add(object, count, names, ...)
    local arguments = { ... }
    for name in names:gmatch("%S+") do
      list[#list + 1] = { name = name, object = object, count = count, arguments = arguments }
    end
  end
  add(silent, 0, "account_info")
  add(silent, 1, "create_stream update_stream create_or_update_stream get_or_create_stream", {
    name = "S",
  })
  add(silent, 1, "delete_stream", "S")
  add(stream, 0, "info delete purge seal leader_stepdown")
  add(stream, 1, "update", { max_msgs = 1 })
  add(stream, 1, "get delete_message", 1)
  add(stream, 1, "get_last peer_remove", "a")
  add(stream, 2, "get_next", "a")
  add(stream, 1, "create_consumer")
  add(stream, 1, "update_consumer create_or_update_consumer get_or_create_consumer", {
    durable_name = "c",
  })
  add(stream, 1, "delete_consumer", "c")
  add(consumer, 0, "info delete resume leader_stepdown")
  add(consumer, 1, "pause", 4e9)
  add(consumer, 1, "reset")
  add(consumer, 1, "unpin", "g")
  return list
end

local function call(method, options, suffix)
  local arguments = { unpack = table.unpack or unpack }
  for i = 1, method.count do arguments[i] = method.arguments[i] end
  arguments[method.count + 1] = options
  return method.object[method.name .. (suffix or "")](method.object,
    arguments.unpack(arguments, 1, method.count + 1))
end

t.test("what asks the server takes a timeout, with its own name told", function()
  local other = assert(nats.connect(server.url))
  assert(other:subscribe("SILENT.>"))
  assert(other:flush())
  local silent = assert(nc:jetstream { prefix = "SILENT", timeout = 30 })
  local first = nats.now()
  for _, method in ipairs(methods_of(silent)) do
    local began = nats.now()
    local _, text, code = call(method, { timeout = 0.05 })
    t.same(code, "TIMEOUT", method.name .. ": " .. tostring(text))
    t.check(nats.now() - began < 5, method.name)
    local future = assert(call(method, { timeout = 0.02 }, "_start"))
    t.fails("TIMEOUT", future:wait(5))
    t.check(future:done(), method.name)
    t.raises({ method.name .. ":", "timout", "'timeout'" }, call, method, { timout = 1 })
    t.raises({ method.name .. ":", "timout", "'timeout'" }, call, method, { timout = 1 }, "_start")
    t.raises({ "timeout" }, call, method, { timeout = -1 })
    t.raises({ "timeout" }, call, method, { timeout = "1" })
    t.raises({ "table" }, call, method, 5)
  end
  t.check(nats.now() - first < 25)
  other:close()
end)

t.test("iterators and consume take a timeout, too", function()
  local other = assert(nats.connect(server.url))
  assert(other:subscribe("SILENT.>"))
  assert(other:flush())
  local silent = assert(nc:jetstream { prefix = "SILENT", timeout = 30 })
  local stream = silent:stream("S")
  local began = nats.now()
  for object, names in pairs {
    [silent] = { "streams", "stream_names" },
    [stream] = { "consumers", "consumer_names" },
  } do
    for _, name in ipairs(names) do
      t.raises({ "in time" }, function()
        for _ in object[name](object, { timeout = 0.05 }) do end
      end)
      t.raises({ name .. ":", "'timeout'" }, object[name], object, { timout = 1 })
    end
  end
  t.raises({ "in time" }, function()
    for _ in stream:get_many { batch = 1, timeout = 0.05 } do end
  end)
  t.raises({ "get_many:", "'timeout'" }, stream.get_many, stream, { batch = 1, timout = 1 })
  t.raises({ "streams:", "offset" }, silent.streams, silent, { offset = 1 })
  local consumer = stream:consumer("c")
  t.fails("TIMEOUT", consumer:consume { timeout = 0.05 })
  local _, future = assert(consumer:consume_start { timeout = 0.05 })
  t.fails("TIMEOUT", future:wait(5))
  t.fails("TIMEOUT", stream:ordered_consumer({}):consume { timeout = 0.05 })
  t.raises({ "timeout" }, consumer.consume, consumer, { timeout = -1 })
  t.check(nats.now() - began < 20)
  other:close()
end)

t.test("pedantic is an option of what takes a configuration", function()
  local config = { name = "PED", subjects = { "ped" }, storage = "memory", max_age = 10 }
  for _, name in ipairs { "create_stream", "create_or_update_stream", "get_or_create_stream" } do
    t.fails("SERVER", js[name](js, config, { pedantic = true }))
    local future = assert(js[name .. "_start"](js, config, { pedantic = true }))
    t.fails("SERVER", future:wait(5))
    t.raises({ name .. ":", "pedantc", "'pedantic'" }, js[name], js, config, { pedantc = true })
  end
  t.raises({ "update_stream", "'pedantic'" }, js.update_stream, js, config, { pedantc = true })
  local stream = assert(js:create_stream(config, { pedantic = false, timeout = 5 }))
  local wrong = { durable_name = "p", ack_policy = "explicit", ack_wait = 1, backoff = { 2, 3 },
                  max_deliver = 5 }
  for _, name in ipairs { "create_consumer", "create_or_update_consumer",
                          "get_or_create_consumer" } do
    t.fails("SERVER", stream[name](stream, wrong, { pedantic = true }))
    t.raises({ name .. ":", "'pedantic'" }, stream[name], stream, wrong, { pedantc = true })
  end
  assert(stream:create_consumer(wrong, { pedantic = false }))
  t.fails("SERVER", stream:update_consumer(wrong, { pedantic = true }))
  assert(stream:update({ description = "x" }, { pedantic = true, timeout = 5 }))
  t.raises({ "update:", "'pedantic'" }, stream.update, stream, {}, { pedantc = true })
  t.raises({ "delete:", "pedantic" }, stream.delete, stream, { pedantic = true })
end)

t.test("what an object or an argument says is no option", function()
  local stream, subject = new_stream()
  assert(js:publish(subject .. "a", "x"))
  t.raises({ "info:", "stream" }, stream.info, stream, { stream = "OTHER" })
  t.raises({ "get:", "seq" }, stream.get, stream, 1, { seq = 2 })
  t.raises({ "create_consumer:", "config" }, stream.create_consumer, stream, {}, { config = {} })
  t.raises({ "delete:", "consumer" }, stream:consumer("c").delete, stream:consumer("c"),
    { consumer = "d" })
  t.same(stream:get(1, { no_hdr = false, timeout = 5 }).data, "x")
end)

-- ---- publishing ----

t.test("acks are tables, futures give them", function()
  local _, subject = new_stream()
  local ack = assert(js:publish(subject .. "a", "x", { msg_id = "1" }))
  t.same(ack.stream, "S" .. serial)
  t.same(ack.seq, 1)
  t.same(ack.duplicate, false)
  t.same(assert(js:publish(subject .. "a", "x", { msg_id = "1" })).duplicate, true)
  local future = assert(js:publish_start(subject .. "a", "y"))
  t.same(assert(future:wait(5)).seq, 2)
end)

t.test("a counter's value is a whole number, beyond 63 bits a text", function()
  assert(js:create_stream {
    name = "COUNT", subjects = { "count.>" }, storage = "memory", allow_msg_counter = true,
  })
  local function count(incr, wanted)
    t.same(assert(js:publish("count.a", "", { incr = incr })).value, wanted)
  end
  local function long(text)
    return assert(load("return " .. text .. (t.luajit and "LL" or "")))()
  end
  count(5, 5)
  count(-7, -2)
  count("+9007199254740993", long "9007199254740991")
  count(2, long "9007199254740993")
  count("+9214364837600034814", long "9223372036854775807")
  count(1, "9223372036854775808")
  count("+9223372036854775808", "18446744073709551616")
  count("-27670116110564327424", long "-9223372036854775807" - 1)
  count(-1, "-9223372036854775809")
  count("+9223372036854775809", 0)
  local future = assert(js:publish_start("count.a", "", { incr = 3 }))
  t.same(future:wait(5).value, 3)
end)

t.test("keywords are listed with their headers", function()
  local by_name = {}
  for _, keyword in ipairs(nats.keywords()) do by_name[keyword.name] = keyword end
  t.same(by_name.msg_id.header, "Nats-Msg-Id")
  t.same(by_name.msg_id.type, "text")
  t.same(by_name.ttl.type, "seconds")
  t.same(by_name.expect_last_seq.type, "unsigned")
end)

t.test("many payloads, and the list of what failed", function()
  local stream, subject = new_stream { max_msgs = 3, discard = "new" }
  t.same(js:publish_many(subject .. "a", { "1", "2", "3" }), 3)
  local none, text, code, _, err_code, _, description, failures =
    js:publish_many(subject .. "a", { "4", "5" })
  t.same(none, nil)
  t.same(code, "SERVER")
  t.same(err_code, 10077)
  t.same(#failures, 2)
  t.same(failures[2].id, 2)
  t.same(failures[2].err_code, 10077)
  t.same(description, "maximum messages exceeded")
  t.same(failures[2].description, description)
  t.same(failures[2].about, subject .. "a")
  t.check(text ~= "")
  t.same(stream:info().state.messages, 3)
  t.same(js:publish_many(subject .. "b", {}), 0)
end)

t.test("more failures than may wait are told", function()
  local payloads = {}
  for i = 1, 9000 do payloads[i] = "x" end
  local none, _, code, _, _, _, _, failures, sent = js:publish_many("nobody", payloads)
  t.same(none, nil)
  t.same(code, "NO_RESPONDERS")
  t.check(sent >= 4000 and sent < 9000, sent)
  t.same(#failures, sent + 1)
  t.same(failures[#failures].id, sent + 1)
  t.same(failures[#failures].code, "LIMIT")
end)

t.test("publish_many tells where it stopped", function()
  local stream, subject = new_stream()
  local large = ("x"):rep(nc:max_payload() + 1)
  for _, place in ipairs { 1, 2, 300 } do
    local payloads = {}
    for i = 1, place + 300 do payloads[i] = i == place and large or "x" end
    local none, _, code, _, _, _, _, failures, sent = js:publish_many(subject .. "a", payloads)
    t.same(none, nil)
    t.list({ code, sent, #failures, failures[1].id, failures[1].code },
      { "MAX_PAYLOAD", place - 1, 1, place, "MAX_PAYLOAD" })
    local publisher = assert(js:publisher())
    local _, _, its_code, _, published, first = publisher:publish_many(subject .. "a", payloads)
    t.list({ its_code, published, first }, { "MAX_PAYLOAD", place - 1, place > 1 and 1 or 0 })
    t.check(publisher:flush(5))
    t.same(publisher:stats().acked, place - 1)
  end
  t.same(stream:info().state.messages, 600)
end)

t.test("a publisher that is closed says so", function()
  local publisher = assert(js:publisher { max_pending = 4 })
  publisher:close()
  publisher:close()
  t.fails("CLOSED", publisher:publish("a", "x"))
  t.fails("CLOSED", publisher:flush())
  t.fails("CLOSED", publisher:stats())
  local text, about = t.fails("INVALID", js:publisher { max_pending = -1 })
  t.same(about, "max_pending", text)
end)

t.test("a batch is stored whole", function()
  local stream, subject = new_stream { allow_atomic = true }
  local batch = assert(js:batch())
  t.same(batch:add(subject .. "a", "1"), true)
  t.same(batch:add(subject .. "b", "2"), true)
  local ack = assert(batch:commit(subject .. "c", "3"))
  t.same(ack.count, 3)
  t.same(stream:info().state.messages, 3)
  local other = assert(js:batch())
  assert(other:add(subject .. "a", "4"))
  other:abandon()
  t.fails("CLOSED", other:commit(subject .. "b", "5"))
  t.same(stream:info().state.messages, 3)
end)

-- ---- streams and consumers ----

t.test("a stream knows what it was told last", function()
  local stream, subject = new_stream()
  t.same(stream.cached_info.state.messages, 0)
  assert(js:publish(subject .. "a", "x"))
  t.same(stream.cached_info.state.messages, 0)
  t.same(stream:info().state.messages, 1)
  t.same(stream.cached_info.state.messages, 1)
  t.same(stream:update({ max_msgs = 10 }).config.max_msgs, 10)
  t.same(stream.config.max_msgs, 10)
  local unknown = js:stream(stream.name)
  t.same(unknown.config, nil)
  assert(unknown:update { max_msgs = 20 })
  t.same(unknown.config.max_msgs, 20)
  local future = assert(unknown:update_start { max_bytes = 4000 })
  t.same(future:wait().config.max_msgs, 20)
  t.same(unknown.config.max_bytes, 4000)
  t.same(unknown:purge(), 1)
end)

t.test("lists are iterators that turn pages", function()
  local stream = new_stream()
  for i = 1, 300 do
    assert(stream:create_consumer { durable_name = "c" .. i, mem_storage = true })
  end
  local names, objects = 0, 0
  for name in stream:consumer_names() do names = names + (name:match("^c%d+$") and 1 or 0) end
  for consumer in stream:consumers() do
    t.same(consumer.stream, stream.name)
    t.check(consumer.config.durable_name == consumer.name)
    objects = objects + 1
  end
  t.same(names, 300)
  t.same(objects, 300)
  local found = {}
  for other in js:streams { subject = stream.name .. ".x" } do found[#found + 1] = other.name end
  t.list(found, { stream.name })
  for _ in js:stream_names { subject = "nothing.there" } do t.fail("a name") end
  t.raises({ "stream not found" }, function() for _ in js:stream("NO"):consumers() do end end)
end)

t.test("messages one by one", function()
  local stream, subject = new_stream { allow_direct = true }
  js:publish_many(subject .. "a", { "1", "2", "3" })
  local got = {}
  for msg in stream:get_many { seq = 2, batch = 5 } do got[#got + 1] = msg.data end
  t.list(got, { "2", "3" })
  t.same(assert(stream:get_next(subject .. "a", 2)).data, "2")
  t.same(stream:delete_message(2), true)
  t.same(assert(stream:get_next(subject .. "a", 2)).data, "3")
  t.same(assert(stream:get_next(subject .. "*")).data, "1")
  t.raises({ "NOBODY" }, function()
    for _ in js:stream("NOBODY"):get_many { seq = 1, batch = 1 } do end
  end)
end)

t.test("fetch gives what is there, next one or nothing", function()
  local stream, subject = new_stream()
  local consumer = assert(stream:create_consumer { durable_name = "c" })
  js:publish_many(subject .. "a", { "1", "2", "3" })
  t.same(#assert(consumer:fetch(2, { wait = 5 })), 2)
  t.same(assert(consumer:next(5)).data, "3")
  t.same(select("#", consumer:next(0.05)), 1)
  t.same(consumer:next(0.05), nil)
  t.same(#assert(consumer:fetch(5, { no_wait = true })), 0)
  t.fails("INVALID", consumer:fetch(1, { mx = 1 }))
  t.raises({}, consumer.fetch, consumer, 0)
  t.same(select(2, stream:consumer("none"):fetch(1, { wait = 1 })) ~= nil, true)
end)

t.test("a fetch by bytes gives all that comes", function()
  local COUNT = 70000 -- one get has 65,536
  local stream, subject = new_stream()
  local publisher = assert(js:publisher())
  for _ = 1, COUNT do assert(publisher:publish(subject .. "a")) end
  assert(publisher:flush(20))
  publisher:close()
  local consumer = assert(stream:create_consumer { ack_policy = "none" })
  t.same(#assert(consumer:fetch { max_bytes = 64 * 1024 * 1024, no_wait = true }), COUNT)
  assert(stream:delete())
end)

t.test("consume gives an ordinary subscription", function()
  local stream, subject = new_stream()
  local consumer = assert(stream:create_consumer { durable_name = "c" })
  local sub = assert(consumer:consume())
  js:publish_many(subject .. "a", { "1", "2" })
  t.same(assert(sub:next(5)).data, "1")
  t.same(assert(nc:get { wait = 5 })[1].data, "2")
  assert(sub:unsubscribe())
  local called = {}
  assert(consumer:consume { callback = function(msg) called[#called + 1] = msg.data end })
  assert(js:publish(subject .. "a", "3"))
  t.check(t.soon(function() nc:dispatch { wait = 0.1 } return called[1] == "3" end))
  local pushed = assert(stream:create_consumer { durable_name = "p", deliver_subject = "to.p" })
  local first = assert(pushed:consume())
  t.same(assert(first:next(5)).data, "1")
  assert(first:unsubscribe())
  t.check(t.soon(function() return stream:consumer("p"):consume() ~= nil end))
end)

t.test("an ordered consumer goes on where it was", function()
  local stream, subject = new_stream()
  js:publish_many(subject .. "a", { "1", "2", "3" })
  local ordered = stream:ordered_consumer { filter_subject = subject .. "a" }
  t.same(ordered.config.filter_subject, subject .. "a")
  t.same(assert(ordered:next(5)).data, "1")
  t.same(#assert(ordered:fetch(2, { wait = 5 })), 2)
  t.same(#assert(ordered:fetch(1, { no_wait = true })), 0)
  local fine, why = pcall(function()
    for _ in js:stream("NOBODY"):ordered_consumer():messages(1) do end
  end)
  t.same(fine, false)
  t.check(tostring(why):find("stream not found", 1, true), why)
  t.same(assert(ordered:info()).stream_name, stream.name)
  local sub = assert(ordered:consume())
  t.same(assert(sub:next(5)).data, "1")
  t.same(ordered.config.filter_subject ~= nil, true)
end)

t.test("an ordered consumer that ends behind messages tells why", function()
  local stream, subject = new_stream()
  js:publish_many(subject .. "a", { "0", "1" })
  local ordered = stream:ordered_consumer {}
  t.same(assert(ordered:next(5)).data, "0")
  assert(stream:delete())
  local list = assert(ordered:fetch(9, 5))
  t.same(#list, 1)
  t.same(list[1].data, "1")
  local _, _, code, _, err_code = ordered:next(5)
  t.same(code, "SERVER")
  t.same(err_code, 10059)
  t.fails("CLOSED", ordered:fetch(1, 5))
  assert(ordered:close())
  t.fails("SERVER", ordered:next(5)) -- it begins anew, and there is no such stream
end)

t.test("an ordered consumer that was closed begins anew", function()
  local stream, subject = new_stream()
  js:publish_many(subject .. "a", { "0", "1" })
  local ordered = stream:ordered_consumer {}
  t.same(#assert(ordered:fetch(2, 5)), 2)
  assert(ordered:close())
  t.same(assert(ordered:next(5)).data, "0")
  t.raises({ "close", "ordered" }, function() stream:consumer("x"):close() end)
end)

-- ---- messages ----

t.test("a message is acknowledged once", function()
  local stream, subject = new_stream()
  local consumer = assert(stream:create_consumer { durable_name = "c", max_deliver = 3 })
  js:publish_many(subject .. "a", { "1", "2", "3", "4", "5" })
  local list = assert(consumer:fetch(5, { wait = 5 }))
  t.same(list[1]:in_progress(), true)
  t.same(list[1]:ack(), true)
  t.fails("INVALID", list[1]:ack())
  t.fails("INVALID", list[1]:nak())
  t.fails("INVALID", list[1]:in_progress())
  t.fails("INVALID", list[1]:ack_sync(5))
  t.same(list[2]:ack_sync(5), true)
  t.fails("INVALID", list[2]:ack_sync(5))
  t.same(list[3]:term("no use"), true)
  t.same(list[4]:nak(0), true)
  local again = assert(consumer:next(5))
  t.same(again.data, "4")
  t.same(again.metadata.delivered, 2)
  t.same(nc:ack_many { list[1], again, list[5] }, 2)
  t.same(nc:ack_many { list[1], again, list[5] }, 0)
  t.check(t.soon(function() return consumer:info().num_ack_pending == 0 end))
  t.raises({}, list[1].nak, list[1], -1)
end)

t.test("an ack that nobody takes may be tried again", function()
  local sub = assert(nc:subscribe("plain." .. serial))
  nc:publish("plain." .. serial, "x", { reply = "$JS.ACK.S.c.1.1.1.1700000000000000000.0" })
  local msg = sub:next(1)
  if not msg then return end -- a server that keeps such subjects for itself
  t.same(select(3, msg:ack_sync(0.2)) ~= nil, true)
  t.same(msg:ack(), true)
end)

t.test("metadata tells a message's place", function()
  local stream, subject = new_stream()
  js:publish_many(subject .. "a", { "1", "2" })
  local consumer = assert(stream:create_consumer { durable_name = "c" })
  local negative = t.raises({ "wait" }, consumer.fetch, consumer, 1, { wait = -1 })
  t.check(negative:find("not %-1$"), negative)
  local first = assert(consumer:next(5))
  local place = first.metadata
  t.same(tostring(first), ("nats.message: %sa (1 bytes, stream %s, consumer c, sequence 1)"):format(
    subject, stream.name))
  t.same(tostring(stream:get(2)),
    ("nats.message: %sa (1 bytes, stream %s, sequence 2)"):format(subject, stream.name))
  t.same(place.stream, stream.name)
  t.same(place.consumer, "c")
  t.same(place.domain, nil)
  t.same(place.stream_seq, 1)
  t.same(place.consumer_seq, 1)
  t.same(place.delivered, 1)
  t.same(place.pending, 1)
  t.check(place.time > 1.7e9)
  t.same(stream:get(2).metadata.consumer, nil)
  local sub = assert(nc:subscribe("plain"))
  nc:publish("plain", "x")
  local msg = assert(sub:next(5))
  t.same(msg.metadata, nil)
  t.fails("INVALID", msg:ack())
  t.same(nc:ack_many { msg }, 0)
end)

-- ---- life ----

t.test("objects keep what they need", function()
  local _, subject = new_stream()
  local consumer
  do
    local own = assert(nats.connect(server.url))
    local stream = assert(own:jetstream()):stream("S" .. serial)
    consumer = assert(stream:create_consumer { durable_name = "c" })
  end
  collectgarbage()
  collectgarbage()
  assert(js:publish(subject .. "a", "x"))
  local msg = assert(consumer:next(5))
  consumer = nil
  collectgarbage()
  collectgarbage()
  t.same(msg:ack_sync(5), true)
end)

t.test("what belongs to a closed client fails as it does", function()
  local stream, subject = new_stream()
  assert(js:publish(subject .. "a", "x"))
  local own = assert(nats.connect(server.url))
  local theirs = assert(own:jetstream())
  local consumer = assert(theirs:stream(stream.name):create_consumer { durable_name = "c" })
  local msg = assert(consumer:next(5))
  own:close()
  t.fails("CLOSED", theirs:account_info())
  t.fails("CLOSED", theirs:publish(subject .. "a", "y"))
  t.fails("CLOSED", consumer:next(1))
  t.fails("CLOSED", msg:ack())
  t.fails("CLOSED", own:jetstream())
end)

t.test("an ordered consumer tells of the consumer that there is now", function()
  local stream, subject = new_stream()
  assert(js:publish(subject .. "a", "1"))
  local ordered = stream:ordered_consumer()
  local first = assert(ordered:info()).name
  t.same(ordered:messages(5)().data, "1")
  assert(stream:delete_consumer(first))
  assert(js:publish(subject .. "a", "2"))
  t.same(ordered:messages(10)().data, "2")
  t.check(assert(ordered:info()).name ~= first, first)
  t.check(ordered:close())
end)

-- ---- annotations ----

t.test("editors know the methods that there are", function()
  local path = t.dir .. "/../../lua/nats.jetstream.meta.lua"
  local stream = new_stream()
  local objects = {
    jetstream = js, stream = stream, publisher = assert(js:publisher()), batch = assert(js:batch()),
    consumer = assert(stream:create_consumer { durable_name = "c" }),
  }
  local known = {}
  for line in io.lines(path) do
    local noun, method = line:match("^function (%w+):([%w_]+)%(")
    if not noun then noun, method = line:match("^(%w+)%.([%w_]+) =") end
    if noun then
      known[noun .. ":" .. method] = true
      t.same(type(objects[noun][method]), "function", noun .. ":" .. method)
    end
  end
  if t.luajit then return end -- where methods are is Lua 5.4's to tell
  local told = 0
  for noun, object in pairs(objects) do
    local index = debug.getmetatable(object).__index
    if type(index) == "function" then index = select(2, debug.getupvalue(index, 1)) end
    for method, value in pairs(index) do
      if type(value) == "function" then
        told = told + 1
        t.check(known[noun .. ":" .. method], "the annotations have no " .. noun .. ":" .. method)
      end
    end
  end
  t.check(told > 60, told)
end)

nc:close()
server:stop("KILL")
os.execute("rm -rf " .. t.quote(store))
t.done()
