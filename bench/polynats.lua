-- The Lua module doing what bench/raw.c does. Same flags, same line of results.
--
-- Needs `nats` and `benchkit` (bench/benchkit.c) on LUA_CPATH.

local kit = require "benchkit"
local nats = require "nats"

local WARMUP <const> = 200 -- as BENCH_WARMUP
local BATCH <const> = 1000
local LONE_GAP_NS <const> = 1000000
local WAIT <const> = 30
local WINDOW <const>, PULL <const>, AHEAD <const>, ACKS <const> = 4000, 500, 10000, 10000 -- as in bench.h

local function fail(...)
    io.stderr:write(string.format(...), "\n")
    os.exit(1)
end

-- ---- flags and results ----

local args = { url = "nats://127.0.0.1:4222", msgs = 1000000, size = 128, subject = "bench",
    storage = "memory" }
local settings = { pending_msgs = -1, pending_bytes = -1 }

local function read_flags()
    args.work = arg[1]
        or fail("usage: WORK [--url u] [--msgs n] [--size n] [--subject s] [--set o=v]")
    for i = 2, #arg, 2 do
        local name, value = arg[i]:match("^%-%-(%a+)$"), arg[i + 1]
        if not name or not value then
            fail("bad flag: %s", arg[i])
        elseif name == "set" then
            local option, text = value:match("^([%w_]+)=(.*)$")
            settings[option or fail("--set: not option=value: %s", value)] = text
        elseif args[name] then
            args[name] = math.type(args[name]) == "integer" and math.tointeger(value) or value
        else
            fail("unknown flag: %s", arg[i])
        end
    end
end

local function start()
    return { wall = kit.now_ns(), cpu = kit.cpu_ns() }
end

local function stop(began)
    return { wall = kit.now_ns() - began.wall, cpu = kit.cpu_ns() - began.cpu }
end

local function print_line(took, p50, p99)
    local seconds = took.wall / 1e9
    io.write(string.format("polynats-lua,%s,%d,%d,%.6f,%.0f,%.2f,%s,%s,\n", args.work, args.size,
        args.msgs, seconds, args.msgs / seconds, took.cpu / args.msgs, p50 or "", p99 or ""))
end

local function print_times(took, samples)
    print_line(took, string.format("%.2f", samples:percentile_us(0.50)),
        string.format("%.2f", samples:percentile_us(0.99)))
end

local function ready()
    io.write("ready\n")
    io.flush()
end

-- ---- works ----

local function connect()
    return assert(nats.connect(args.url, settings))
end

local function subscribe(nc)
    local sub = assert(nc:subscribe(args.subject))
    assert(nc:flush(WAIT))
    return sub
end

local works = {}

function works.pub()
    local nc <close> = connect()
    local subject, data = args.subject, ("x"):rep(args.size)
    local began = start()
    for _ = 1, args.msgs do
        assert(nc:publish(subject, data))
    end
    assert(nc:flush(WAIT))
    print_line(stop(began))
end

-- A list of messages at a time, the data of each made a string.
function works.sub()
    local nc <close> = connect()
    local sub = subscribe(nc)
    ready()
    local how = { max = BATCH, wait = WAIT }
    local msgs, bytes = 0, 0
    local began = start()
    while msgs < args.msgs do
        local batch = assert(nc:get(how))
        if #batch == 0 then
            fail("only %d messages came", msgs)
        end
        if msgs == 0 then
            began.wall = kit.now_ns()
        end
        for i = 1, #batch do
            bytes = bytes + #batch[i].data
        end
        msgs = msgs + #batch
    end
    local took = stop(began)
    if msgs ~= args.msgs or bytes ~= msgs * args.size then
        fail("%d messages with %d bytes came", msgs, bytes)
    end
    print_line(took)
    return sub
end

function works.req()
    local nc <close> = connect()
    local subject, data, how = args.subject, ("x"):rep(args.size), { timeout = WAIT }
    local samples = kit.samples()
    local began
    for i = 1, args.msgs + WARMUP do
        if i == WARMUP + 1 then
            began = start()
        end
        local asked = kit.now_ns()
        local reply = assert(nc:request(subject, data, how))
        if i > WARMUP then
            samples:add(kit.now_ns() - asked)
        end
        if #reply.data ~= args.size then
            fail("a reply has %d bytes", #reply.data)
        end
    end
    print_times(stop(began), samples)
end

function works.respond()
    local nc <close> = connect()
    local sub = subscribe(nc)
    ready()
    local how = { max = BATCH, wait = WAIT }
    local done = 0
    local began = start()
    while done < args.msgs + WARMUP do
        local batch = assert(nc:get(how))
        if #batch == 0 then
            fail("only %d requests came", done)
        end
        for i = 1, #batch do
            assert(batch[i]:respond(batch[i].data))
        end
        done = done + #batch
    end
    assert(nc:flush(WAIT))
    print_line(stop(began))
    return sub
end

-- Lua has one thread: it publishes on one connection, then waits on the other. The other programs wait while they
-- publish, so this figure is for trends of Lua's own.
function works.lone()
    local out <close> = connect()
    local inn <close> = connect()
    local sub = subscribe(inn)
    local how = { max = 1, wait = WAIT }
    local data = ("x"):rep(args.size)
    local samples = kit.samples()
    local began = start()
    for i = 1, args.msgs do
        kit.sleep_ns(LONE_GAP_NS)
        local sent = kit.now_ns()
        assert(out:publish(args.subject, data))
        local batch = assert(inn:get(how))
        if #batch ~= 1 then
            fail("only %d messages came", i - 1)
        end
        samples:add(kit.now_ns() - sent)
    end
    print_times(stop(began), samples)
    return sub
end

-- ---- JetStream ----

local function drop(ok, text, _, _, _, server_code)
    if not ok and server_code ~= 404 then
        fail("%s", text)
    end
end

local function jetstream(nc)
    return assert(nc:jetstream { timeout = WAIT })
end

-- Many in a call.
local function publish_to_stream(fast)
    local nc <close> = connect()
    local js = jetstream(nc)
    drop(js:delete_stream("BENCH"))
    assert(js:create_stream { name = "BENCH", subjects = { args.subject }, storage = args.storage,
        allow_batched = fast or nil })
    local publisher = assert(js:publisher { max_pending = WINDOW, fast = fast })
    local subject, datas = args.subject, {}
    for i = 1, math.min(BATCH, args.msgs) do
        datas[i] = ("x"):rep(args.size)
    end
    local began = start()
    for _ = 1, args.msgs // BATCH do
        assert(publisher:publish_many(subject, datas))
    end
    if args.msgs % BATCH > 0 then
        assert(publisher:publish_many(subject, { table.unpack(datas, 1, args.msgs % BATCH) }))
    end
    assert(publisher:flush(WAIT))
    local took = stop(began)
    local acked = publisher:stats().acked
    if acked ~= args.msgs then
        fail("only %d messages were acknowledged", acked)
    end
    publisher:close()
    drop(js:delete_stream("BENCH"))
    print_line(took)
end

works["js-pub"] = function() publish_to_stream(false) end
works["js-fast"] = function() publish_to_stream(true) end

local function filled(nc)
    return jetstream(nc):stream("FILLED_" .. args.storage)
end

local function make_consumer(nc)
    local stream = filled(nc)
    drop(stream:delete_consumer("bench"))
    return assert(stream:create_consumer { durable_name = "bench", ack_policy = "explicit",
        max_ack_pending = ACKS })
end

-- Takes lists from next_batch(left) until all have come. ack(batch, last): what is done with one.
local function read_all(next_batch, ack)
    local msgs, bytes = 0, 0
    local began = start()
    while msgs < args.msgs do
        local batch = assert(next_batch(args.msgs - msgs))
        if #batch == 0 then
            fail("only %d messages came", msgs)
        end
        for i = 1, #batch do
            bytes = bytes + #batch[i].data
        end
        msgs = msgs + #batch
        ack(batch, msgs == args.msgs)
    end
    local took = stop(began)
    if msgs ~= args.msgs or bytes ~= msgs * args.size then
        fail("%d messages with %d bytes came", msgs, bytes)
    end
    return took
end

-- Many in a call; the last of all by a double ack, so that the server has taken note of all before it.
local function acker(nc)
    return function(batch, last)
        local final = last and table.remove(batch)
        assert(nc:ack_many(batch))
        if final then
            assert(final:ack_sync(WAIT))
        end
    end
end

local function finish(consumer, took)
    local floor = assert(consumer:info()).ack_floor.stream_seq
    if floor ~= args.msgs then
        fail("acks are in as far as message %d", floor)
    end
    assert(consumer:delete())
    print_line(took)
end

works["js-fetch"] = function()
    local nc <close> = connect()
    local consumer = make_consumer(nc)
    finish(consumer, read_all(function(left)
        return consumer:fetch(math.min(PULL, left), { wait = WAIT })
    end, acker(nc)))
end

local function get_from(sub)
    local how = { max = BATCH, wait = WAIT }
    return function(left)
        how.max = math.min(BATCH, left)
        return sub:get(how)
    end
end

works["js-consume"] = function()
    local nc <close> = connect()
    local consumer = make_consumer(nc)
    local sub <close> = assert(consumer:consume { max_messages = PULL })
    finish(consumer, read_all(get_from(sub), acker(nc)))
end

works["js-ordered"] = function()
    local nc <close> = connect()
    local ordered = assert(filled(nc):ordered_consumer())
    local sub <close> = assert(ordered:consume { max_messages = AHEAD })
    print_line(read_all(get_from(sub), function() end))
end

read_flags()
local work = works[args.work] or fail("unknown work: %s", args.work)
work()
