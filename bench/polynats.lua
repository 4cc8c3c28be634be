-- The Lua module doing what bench/raw.c does. Same flags, same line of results.
--
-- Needs `nats` and `benchkit` (bench/benchkit.c) on LUA_CPATH.

local kit = require "benchkit"
local nats = require "nats"

local WARMUP <const> = 200 -- as BENCH_WARMUP
local BATCH <const> = 1000
local LONE_GAP_NS <const> = 1000000
local WAIT <const> = 30

local function fail(...)
    io.stderr:write(string.format(...), "\n")
    os.exit(1)
end

-- ---- flags and results ----

local args = { url = "nats://127.0.0.1:4222", msgs = 1000000, size = 128, subject = "bench" }
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

read_flags()
local work = works[args.work] or fail("unknown work: %s", args.work)
work()
