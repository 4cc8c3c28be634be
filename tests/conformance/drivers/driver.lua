-- The conformance driver for Lua: one source for Lua 5.4 with the C module (--api lua) and for
-- LuaJIT over FFI (--api luajit). It reads command lines, calls the module, prints what came of it.
-- The line protocol is in ../README.md. It knows no expectation: those are in the cases.
--
-- With --loop cqueues or --loop luv the library never waits for messages, replies or events: that
-- loop does, by the client's descriptor and deadline.

local nats = require "nats"
local jit_api = arg[1] == "--api" and arg[2] == "luajit"
local loop_name = arg[3] == "--loop" and arg[4]
local ffi = jit_api and require "ffi"
local unpack = table.unpack or unpack

local handles = {}
local clocks = {} -- of each proto, in ms
local words, options
local last_text, last_about, last_codes, last_description = "", "", { 0, 0 }, ""

local function die(what, about)
    io.stderr:write("driver: ", what, ": ", tostring(about), "\n")
    os.exit(2)
end

-- ---- tokens ----

local function decode(token)
    if token == nil or token == "-" then
        return nil
    end
    if token == '""' then
        return ""
    end
    return (token:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- All but what stands for itself in a token.
local PLAIN = "[^!#$&'()*+%-./0-9:;<>?@A-Z%[\\%]^_`a-z{|}~]"

local function encode(bytes)
    if bytes == nil then
        return "-"
    end
    if bytes == "" then
        return '""'
    end
    if bytes == "-" then
        return "%2d"
    end
    return (bytes:gsub(PLAIN, function(c) return ("%%%02x"):format(c:byte()) end))
end

local function word(index)
    if words[index + 2] == nil then
        die("too few words", words[1])
    end
    return words[index + 2]
end

local function text(index) return decode(word(index)) end

local function handle(index)
    return handles[word(index)] or die("no such handle", word(index))
end

local function number(key, absent) return tonumber(options[key]) or absent end

-- A time of the protocol, in ms, as the module takes it: seconds, or nil for the default.
local function seconds(key)
    local ms = tonumber(options[key])
    if ms and ms >= 0 then
        return ms / 1000
    end
end

local function integer(value) return ("%d"):format(tonumber(value)) end

local function put(...)
    local line = { ... }
    for i = 1, #line do
        line[i] = tostring(line[i])
    end
    io.write(table.concat(line, " "), "\n")
end

-- ---- answers ----

local function failed(message, code, about, err_code, server_code, description)
    last_text, last_about = message or "", about or ""
    last_codes = { err_code or 0, server_code or 0 }
    last_description = description or ""
    put("err", code, err_code)
end

-- Calls a method; returns true and its result, or prints the error. What the module raises is
-- misuse, which the C library calls INVALID.
local function try(method, object, ...)
    local fine, value, message, code, about, err_code, server_code, description =
        pcall(object[method], object, ...)
    if not fine then
        failed(tostring(value), "INVALID", tostring(value):match("option '([%w_]+)' must"))
        return false
    end
    if value == nil and code ~= nil then
        failed(message, code, about, err_code, server_code, description)
        return false
    end
    return true, value, message
end

local function done(method, object, ...)
    if try(method, object, ...) then put("ok") end
end

local function headers_of(msg)
    local parts = {}
    for key, value in msg:each_header() do
        parts[#parts + 1] = encode(key) .. "=" .. encode(value)
    end
    return #parts > 0 and table.concat(parts, ",") or "-"
end

local function put_msg(msg)
    local line = { "msg", encode(msg.subject), encode(msg.reply), headers_of(msg) }
    line[#line + 1] = encode(msg.data)
    if (msg.status or 0) ~= 0 then
        line[#line + 1] = integer(msg.status)
        line[#line + 1] = encode(msg.description or "")
    end
    put(unpack(line))
end

local function put_list(fine, list)
    if not fine then
        return
    end
    for _, msg in ipairs(list) do
        put_msg(msg)
    end
    if #list == 0 then
        put("none")
    end
end

local function put_one(fine, msg)
    if not fine then
        return
    end
    if msg == nil or msg == true then -- true: of what gives no message, its end
        put("none")
        return
    end
    put_msg(msg)
    if options.as then
        handles[options.as] = msg
    end
end

local function keep(fine, made, name)
    if fine then
        handles[name] = made
        put("ok")
    end
end

-- headers=K=v,K=v as a list of pairs, which keeps the order.
local function headers_given()
    if options.headers == nil then
        return nil
    end
    local list = {}
    for key, value in options.headers:gmatch("([^,=]*)=([^,]*)") do
        list[#list + 1] = { decode(key), decode(value) }
    end
    return list
end

-- What another file of the driver returns.
local function part(name, ...)
    return assert(loadfile((arg[0]:match("^(.*)/") or ".") .. "/" .. name))(...)
end

local hooks = part "driver_hooks.lua"

-- The options of a connection as a script would write them.
local function options_given()
    local given = {}
    for key, value in pairs(options) do
        local plain = decode(value)
        if key == "hook" then
            given.credentials = hooks.of(value)
        elseif plain == "true" or plain == "false" then
            given[key] = plain == "true"
        else
            given[key] = tonumber(plain) or plain
        end
    end
    return given
end

-- The servers to connect to: one text, or a list when the case gives several words.
local function servers_given()
    if #words <= 3 then
        return text(1)
    end
    local list = {}
    for i = 3, #words do
        list[#list + 1] = decode(words[i])
    end
    return list
end

-- ---- waiting ----

-- With a loop: the verbs that wait, and whose client subscriptions and futures are.
local loop
local clients = setmetatable({}, { __mode = "k" })

local try_now = try
if loop_name then
    loop = part("driver_loop.lua", loop_name)
    clients = loop.clients
    local waiting = loop.waiting
    try = function(method, object, ...)
        local wait = loop.started(object, method) or waiting[method]
        if not wait then
            return try_now(method, object, ...)
        end
        return try_now("call", { call = function(_, ...) return wait(object, ...) end }, ...)
    end
end

local function each_message(sub)
    if loop then
        return loop.waiting.messages(sub)
    end
    return sub:messages()
end

local verbs = {}

-- ---- clients ----

function verbs.connect()
    local connect = loop and loop.connect or nats.connect
    local fine, made, message, code, about = pcall(connect, servers_given(), options_given())
    if not fine then
        failed(tostring(made), "INVALID")
    elseif made == nil then
        failed(message, code, about)
    else
        keep(true, made, word(0))
    end
end

function verbs.hook() put("ok", hooks.set(word(0), options, decode)) end
function verbs.hook_calls() put("ok", hooks.calls(word(0))) end
function verbs.credentials() done("credentials", handle(0), hooks.texts(options, decode)) end

function verbs.close() done("close", handle(0)) end
function verbs.drain() done("drain", handle(0), seconds("timeout_ms")) end
function verbs.flush() done("flush", handle(0), seconds("timeout_ms")) end
function verbs.process() done("process", handle(0)) end
function verbs.reconnect() done("reconnect", handle(0)) end

function verbs.share()
    local fine, made = try("share", handle(0))
    keep(fine, made, word(1))
end

function verbs.publish()
    local extra
    if options.reply or options.headers then
        extra = { reply = decode(options.reply), headers = headers_given() }
    end
    done("publish", handle(0), text(1), text(2), extra)
end

function verbs.publish_many()
    local list = {}
    for i = 4, #words do
        list[#list + 1] = decode(words[i])
    end
    -- Its fifth result is how many were published, and no code of JetStream's.
    local client = handle(0)
    local four = {}
    function four:publish_many(...)
        local count, message, code, about = client:publish_many(...)
        return count, message, code, about
    end
    local fine, count = try("publish_many", four, text(1), list)
    if fine then
        put("ok", integer(count))
    end
end

function verbs.respond()
    local headers = headers_given()
    done("respond", handle(1), text(2), headers and { headers = headers })
end

function verbs.subscribe()
    local callback
    if options.callback then
        callback = put_msg
    end
    local client = handle(0)
    local fine, made = try("subscribe", client, text(2), {
        queue = decode(options.queue), max = number("max"), callback = callback,
        pending_msgs = number("pending_msgs"), pending_bytes = number("pending_bytes"),
    })
    if fine then
        clients[made] = client
    end
    keep(fine, made, word(1))
end

function verbs.unsubscribe_sid()
    done("unsubscribe", handle(0), tonumber(word(1)), number("after"))
end

function verbs.unsubscribe_subject()
    local fine, count = try("unsubscribe", handle(0), text(1), number("after"))
    if fine then
        put("ok", integer(count))
    end
end

function verbs.get()
    put_list(try("get", handle(0), { max = number("max"), wait = seconds("wait_ms") or 0 }))
end

function verbs.dispatch()
    local fine, count =
        try("dispatch", handle(0), { max = number("max"), wait = seconds("wait_ms") or 0 })
    if fine and count == 0 then
        put("none")
    end
end

local function request_options()
    return { timeout = seconds("timeout_ms"), headers = headers_given() }
end

function verbs.request()
    put_one(try("request", handle(0), text(1), text(2), request_options()))
end

function verbs.request_start()
    local client = handle(0)
    local fine, made = try("request_start", client, text(2), text(3), request_options())
    if fine then
        clients[made] = client
    end
    keep(fine, made, word(1))
end

function verbs.request_many()
    local given = request_options()
    given.max, given.stall = number("max"), seconds("stall_ms")
    given.sentinel = options.sentinel == "1"
    local fine, list = try("request_many", handle(0), text(1), text(2), given)
    if fine then
        for _, msg in ipairs(list) do
            put_msg(msg)
        end
        put("ok")
    end
end

function verbs.wait() put_one(try("wait", handle(0), seconds("wait_ms"))) end
function verbs.future_done() put("ok", handle(0):done() and 1 or 0) end

function verbs.poll()
    local fine, msg = try("poll", handle(0))
    if fine and msg == nil and not handle(0):done() then
        put("open")
    else
        put_one(fine, msg)
    end
end

function verbs.cancel()
    handle(0):cancel()
    put("ok")
end

function verbs.rtt()
    local fine, rtt = try("rtt", handle(0), seconds("timeout_ms"))
    if fine then
        put("ok", integer(math.floor(rtt * 1e9)))
    end
end

function verbs.new_inbox()
    local fine, inbox = try("new_inbox", handle(0))
    if fine then
        put("ok", encode(inbox))
    end
end

function verbs.stats()
    local stats, line = handle(0):stats(), { "ok" }
    for i = 3, #words do
        line[#line + 1] = integer(stats[words[i]] or die("no such counter", words[i]))
    end
    put(unpack(line))
end

-- The fields of an INFO that the case asks for; of a list the first; "json" is all of it.
local function put_fields(object)
    local fine, info = try(words[1] == "info" and "info" or "server_info", object)
    if not fine then
        return
    end
    local line = { "ok" }
    for i = 3, #words do
        local value = info[words[i]]
        if words[i] == "json" then
            value = object:server_info_json()
        elseif type(value) == "table" then
            value = value[1]
        elseif type(value) == "number" then
            value = integer(value)
        elseif type(value) == "boolean" then
            value = tostring(value)
        end
        line[#line + 1] = encode(value)
    end
    put(unpack(line))
end

function verbs.info() put_fields(handle(0)) end verbs.server_info = verbs.info
function verbs.status() put("ok", handle(0):status()) end
function verbs.max_payload() put("ok", integer(handle(0):max_payload())) end

local event_fields = {
    code = function(event) return event.status or "OK" end,
    text = function(event) return encode(event.text or "") end,
    url = function(event) return encode(event.url or "") end,
    subject = function(event) return encode(event.subject or "") end,
    level = function(e) return e.level end, line = function(e) return encode(e.line) end,
    lost = function(event) return integer(event.lost or 0) end,
    unconfirmed = function(event) return integer(event.unconfirmed or 0) end,
    kind = function(e) return e.kind or "none" end, sid = function(e) return e.sid or 0 end,
    recoverable = function(event) return event.recoverable and 1 or 0 end,
    token = function(event) return integer(event.token or 0) end,
    rtt_ms = function(event) return integer(math.floor((event.rtt or 0) * 1000 + 0.0005)) end,
}

local function put_event(event, first)
    local line = { "event", event.type }
    for i = first, #words do
        local field = event_fields[words[i]] or die("no such field", words[i])
        line[#line + 1] = field(event)
    end
    put(unpack(line))
end

-- Takes events until one of the wanted type ("-": any) comes.
function verbs.next_event()
    local stop = nats.now() + (seconds("wait_ms") or 0)
    while true do
        local left = stop - nats.now()
        local fine, event = try("next_event", handle(0), left > 0 and left or 0)
        if not fine then
            return
        end
        if event == nil and left <= 0 then
            put("none")
            return
        end
        if event ~= nil and (word(1) == "-" or event.type == word(1)) then
            put_event(event, 4)
            return
        end
    end
end

function verbs.deadline()
    local left = handle(0):deadline()
    put("ok", left and integer(math.floor(left * 1000 + 0.5)) or -1)
end

function verbs.errtext() put("ok", encode(last_text)) end
function verbs.errabout() put("ok", encode(last_about)) end
function verbs.errdescription() put("ok", encode(last_description)) end
function verbs.errcodes() put("ok", integer(last_codes[1]), integer(last_codes[2])) end

-- Does the descriptor become readable in time?
local readable
if jit_api then
    ffi.cdef [[
        struct driver_pollfd { int fd; short events; short revents; };
        int poll(struct driver_pollfd *fds, unsigned long nfds, int timeout);
        int fork(void);
        int waitpid(int pid, int *status, int options);
        void _exit(int status);
    ]]
    readable = function(fd, ms)
        local ask = ffi.new("struct driver_pollfd", fd, 1, 0)
        return ffi.C.poll(ask, 1, ms) > 0
    end
else
    local found, socket = pcall(require, "socket")
    if found then
        readable = function(fd, ms)
            local object = { getfd = function() return fd end }
            return #socket.select({ object }, nil, ms / 1000) > 0
        end
    end
end

if readable or loop then
    function verbs.wait_fd()
        local fine, fd = try("fd", handle(0))
        if not fine then
            return
        end
        local ms, ready = number("wait_ms", 0), nil
        if loop then
            ready = loop.watch(handle(0), ms / 1000)
        else
            ready = readable(fd, ms)
        end
        put("ok", ready and 1 or 0)
    end
end

-- What a child of fork() is told by the handles it inherited.
if jit_api then
    function verbs.fork_check()
        local client, sub = handle(0), handle(1)
        io.stdout:flush()
        local child = ffi.C.fork()
        if child == 0 then
            local line = { "ok" }
            local function note(_, _, code) line[#line + 1] = code or "OK" end
            note(client:publish("forked", ""))
            note(client:flush(0.1))
            note(client:get { max = 1, wait = 0 })
            note(client:request("forked", "", { timeout = 0.1 }))
            note(client:next_event(0))
            note(sub:next(0))
            note(sub:unsubscribe())
            note(client:drain(0.1))
            put(unpack(line))
            client:close()
            io.stdout:flush()
            ffi.C._exit(0)
        end
        local status = ffi.new("int[1]", -1)
        ffi.C.waitpid(child, status, 0)
        if status[0] ~= 0 then
            put("child", status[0])
        end
    end
end

-- ---- subscriptions and messages ----

function verbs.next() put_one(try("next", handle(0), seconds("wait_ms") or 0)) end

function verbs.sub_get()
    put_list(try("get", handle(0), { max = number("max"), wait = seconds("wait_ms") or 0 }))
end

function verbs.unsubscribe() done("unsubscribe", handle(0), number("after")) end
function verbs.sub_drain() done("drain", handle(0), seconds("timeout_ms")) end

function verbs.sub_info()
    local sub = handle(0)
    put("ok", encode(sub.subject), encode(sub.queue), integer(sub.sid), sub:active() and 1 or 0)
end

function verbs.sub_stats()
    local stats = handle(0):stats()
    put("ok", integer(stats.pending), integer(stats.pending_bytes), integer(stats.delivered),
        integer(stats.dropped), integer(stats.received))
end

function verbs.iterate()
    local left = tonumber(word(1))
    for msg in each_message(handle(0)) do
        put_msg(msg)
        left = left - 1
        if left == 0 then
            break
        end
    end
    put("ok")
end

-- Answer the next n requests, with data or with what was asked.
function verbs.serve()
    for _ = 1, tonumber(word(2)) do
        local fine, msg = try("next", handle(1), seconds("wait_ms") or 0)
        if not fine then
            return
        end
        if msg == nil then
            put("none")
            return
        end
        if not try("respond", msg, decode(options.data) or msg.data) then
            return
        end
    end
    done("flush", handle(0))
end

function verbs.header() put("ok", encode(handle(0):header(text(1)))) end

function verbs.free()
    handles[word(0)] = nil
    collectgarbage()
    collectgarbage()
    put("ok")
end

function verbs.reset()
    for name in pairs(handles) do handles[name] = nil end
    for name in pairs(clocks) do clocks[name] = nil end
    collectgarbage()
    collectgarbage()
    put("ok")
end

-- ---- subjects and options ----

function verbs.subject_valid() put("ok", nats.subject.valid(text(0)) and 1 or 0) end
function verbs.subject_valid_pattern() put("ok", nats.subject.valid_pattern(text(0)) and 1 or 0) end
function verbs.subject_matches() put("ok", nats.subject.matches(text(0), text(1)) and 1 or 0) end

function verbs.options()
    local line = { "ok" }
    for _, option in ipairs(nats.options()) do
        line[#line + 1] = option.name
    end
    put(unpack(line))
end

-- ---- the other nouns ----

local d = {
    nats = nats, loop = loop, handles = handles, clients = clients, clocks = clocks,
    jit_api = jit_api, decode = decode, encode = encode, word = word, text = text, handle = handle,
    number = number, seconds = seconds, integer = integer, put = put, failed = failed, try = try,
    done = done, keep = keep, put_msg = put_msg, put_list = put_list, put_one = put_one,
    put_event = put_event,
    put_fields = put_fields, headers_given = headers_given, options_given = options_given,
    json = part("driver_json.lua", jit_api),
    words = function() return words end, option = function(key) return options[key] end,
}
for _, noun in ipairs { "proto", "jetstream", "publish" } do
    for verb, run in pairs(part("driver_" .. noun .. ".lua", d)) do verbs[verb] = run end
end

-- ---- the loop ----

function verbs.hello()
    local names = {}
    for name in pairs(verbs) do
        names[#names + 1] = name
    end
    put("ok", unpack(names))
end

local function play(line)
    words, options = {}, {}
    for token in line:gmatch("%S+") do
        local key, value = token:match("^([^=]*)=(.*)$")
        if key then
            options[key] = value
        else
            words[#words + 1] = token
        end
    end
    if words[1] then
        local run = verbs[words[1]] or die("no such verb", words[1])
        run()
        io.write(".\n")
        io.stdout:flush()
    end
end

local function main()
    for line in io.lines() do
        play(line)
    end
end

if loop then
    loop.run(main)
else
    main()
end
