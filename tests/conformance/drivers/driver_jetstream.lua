-- The driver's verbs that manage JetStream, consume and acknowledge. d: what the driver's files share.
-- A case says everything as nats_js_call() takes it; here it is called by the method that a script would
-- call, where there is one.

local d = ...
local clients, json = d.clients, d.json
local decode, encode, word, text, handle = d.decode, d.encode, d.word, d.text, d.handle
local integer, option, put = d.integer, d.option, d.put
local try, done, keep, failed = d.try, d.done, d.keep, d.failed
local unpack = table.unpack or unpack
local verbs = {}

-- A time of the protocol as the module takes it: seconds, or nil for the default; negative ones, too.
local function time(key)
    local ms = d.number(key)
    return ms ~= -1 and ms and ms / 1000 or nil
end

function verbs.js()
    local client = handle(0)
    local fine, made = try("jetstream", client, {
        domain = decode(option "domain"), prefix = decode(option "prefix"),
        timeout = time "timeout_ms",
    })
    if fine then
        clients[made] = client
    end
    keep(fine, made, word(1))
end

-- ---- methods ----

local function only(arguments, ...)
    local names = {}
    for _, name in ipairs { ... } do names[name] = true end
    for name in pairs(arguments) do
        if not names[name] then return false end
    end
    return true
end

local function without(arguments, ...)
    local rest = {}
    for name, value in pairs(arguments) do rest[name] = value end
    for _, name in ipairs { ... } do rest[name] = nil end
    return rest
end

-- A new stream or consumer of that jetstream's, with the client that the loop watches.
local function of(js, made)
    clients[made] = clients[js]
    return made
end

local function stream_of(js, a)
    return type(a.stream) == "string" and of(js, js:stream(a.stream)) or nil
end

local function consumer_of(js, a)
    local stream = stream_of(js, a)
    return stream and type(a.consumer) == "string" and of(js, stream:consumer(a.consumer)) or nil
end

-- verb -> object, method, arguments; nil where a script would use js:call.
local methods = {}

function methods.account_info(js) return js, "account_info" end

for _, verb in ipairs { "create_stream", "update_stream", "create_or_update_stream",
                        "get_or_create_stream" } do
    methods[verb] = function(js, a)
        if type(a.config) == "table" and only(a, "config", "pedantic") then
            return js, verb, a.config, { pedantic = a.pedantic }
        end
    end
end

for _, verb in ipairs { "create_consumer", "update_consumer", "create_or_update_consumer",
                        "get_or_create_consumer" } do
    methods[verb] = function(js, a)
        if type(a.config) == "table" and only(a, "config", "stream", "pedantic") then
            return stream_of(js, a), verb, a.config, { pedantic = a.pedantic }
        end
    end
end

function methods.delete_stream(js, a) return stream_of(js, a), "delete" end
function methods.stream_info(js, a) return stream_of(js, a), "info", without(a, "stream") end
function methods.purge_stream(js, a) return stream_of(js, a), "purge", without(a, "stream") end
function methods.seal_stream(js, a) return stream_of(js, a), "seal" end
function methods.change_stream(js, a)
    if type(a.config) == "table" and only(a, "stream", "config", "pedantic") then
        return stream_of(js, a), "update", a.config, { pedantic = a.pedantic }
    end
end
function methods.stream_leader_stepdown(js, a)
    return stream_of(js, a), "leader_stepdown", without(a, "stream")
end
function methods.stream_peer_remove(js, a)
    if a.peer then return stream_of(js, a), "peer_remove", a.peer end
end

function methods.get_message(js, a)
    local stream = stream_of(js, a)
    if not stream then return nil end
    if a.last_by_subj then
        return stream, "get_last", a.last_by_subj, without(a, "stream", "last_by_subj")
    elseif a.next_by_subj then
        return stream, "get_next", a.next_by_subj, a.seq,
            without(a, "stream", "next_by_subj", "seq")
    elseif a.seq then
        return stream, "get", a.seq, without(a, "stream", "seq")
    end
end

function methods.delete_message(js, a)
    if a.seq and only(a, "stream", "seq", "no_erase") then
        return stream_of(js, a), "delete_message", a.seq, { erase = not a.no_erase }
    end
end

function methods.delete_consumer(js, a) return consumer_of(js, a), "delete" end
function methods.consumer_info(js, a) return consumer_of(js, a), "info" end
function methods.pause_consumer(js, a)
    if a.pause_until then return consumer_of(js, a), "pause", a.pause_until end
end
function methods.resume_consumer(js, a) return consumer_of(js, a), "resume" end
function methods.reset_consumer(js, a) return consumer_of(js, a), "reset", a.seq end
function methods.unpin_consumer(js, a)
    if a.group then return consumer_of(js, a), "unpin", a.group end
end
function methods.consumer_leader_stepdown(js, a)
    return consumer_of(js, a), "leader_stepdown", without(a, "stream", "consumer")
end

-- ---- calls ----

-- The arguments of a case as a table; nil when the answer was given.
local function arguments(index)
    local written = d.words()[index + 2]
    local fine, read = pcall(json.read, decode(written))
    if not fine or type(read) ~= "table" then
        failed("the arguments are no JSON object", "INVALID", "arguments")
        return nil
    end
    return read
end

-- What a method gave as the server would have answered.
local function answer_of(verb, value)
    if verb == "purge_stream" then return { purged = value, success = true } end
    if value == true then return { success = true } end
    return value.cached_info or value -- of a stream or a consumer what was told of it
end

local function put_paths(first, answer)
    local line, words = { "ok" }, d.words()
    for i = first + 2, #words do
        line[#line + 1] = encode(json.follow(answer, words[i]))
    end
    put(unpack(line))
end

local function call(js, verb, given)
    local timeout = time "timeout_ms"
    local found = not timeout and methods[verb]
    local how = { (found or function() end)(js, given) }
    if how[1] then
        return try(how[2], how[1], how[3], how[4], how[5])
    end
    if verb == "get_messages" then -- which gives several, and so is none for call
        return try("call", { call = function() return js:call(verb, given, timeout) end })
    end
    return try("call", js, verb, given, timeout)
end

function verbs.js_call()
    local js, verb, given = handle(0), word(1), arguments(2)
    if not given then return end
    local fine, value = call(js, verb, given)
    if fine and verb == "get_message" then
        d.put_one(fine, value)
    elseif fine then
        put_paths(3, answer_of(verb, value))
    end
end

function verbs.js_call_start()
    local js, given = handle(0), arguments(3)
    if not given then return end
    local fine, made = try("call_start", js, word(2), given, time "timeout_ms")
    if fine then
        clients[made] = clients[js]
    end
    keep(fine, made, word(1))
end

function verbs.js_call_wait()
    local fine, answer = try("wait", handle(0), time "wait_ms")
    if fine then
        put_paths(1, answer)
    end
end

function verbs.js_get_many()
    local js, given = handle(0), arguments(1)
    if not given then return end
    local stream = stream_of(js, given)
    local fine, future
    if stream then
        fine, future = try("get_many_start", stream, without(given, "stream"))
    else
        fine, future = try("call_start", js, "get_messages", given)
    end
    if not fine then return end
    clients[future] = clients[js]
    while true do
        local got, msg = try("wait", future)
        if not got then return end
        if not msg then break end
        d.put_msg(msg)
    end
    put("ok")
end

-- ---- consuming ----

local function number_of(value) return type(value) == "number" and value or nil end

-- The subscription and the future of what does not wait; or nil and why.
local function consume_start(js, how, given)
    local stream, consumer = stream_of(js, given), consumer_of(js, given)
    if option "timeout_ms" then
        return js:consume_start(how, given, time "timeout_ms")
    elseif how == "ordered" and stream then
        return stream:ordered_consumer(given.config):consume_start(
            without(given, "stream", "config"))
    elseif how == "consume" and consumer then
        return consumer:consume_start(without(given, "stream", "consumer"))
    elseif how == "fetch" and consumer and (number_of(given.max_messages) or 0) >= 1 then
        given.mode = given.mode or "shared"
        return consumer:fetch_start(given.max_messages,
            without(given, "stream", "consumer", "max_messages"))
    end
    return js:consume_start(how, given, time "timeout_ms")
end

local function try_consume(js, how, given)
    local sub, future
    local fine = try("call", { call = function()
        local code, about, err_code, server_code, description
        sub, future, code, about, err_code, server_code, description = consume_start(js, how, given)
        return sub, future, code, about, err_code, server_code, description
    end })
    if not fine then return nil end
    clients[sub], clients[future] = clients[js], clients[js]
    return sub, future
end

function verbs.js_consume()
    local js, given = handle(0), arguments(3)
    if not given then return end
    if option "timeout_ms" then
        local fine, made = try("consume", js, word(2), given, time "timeout_ms")
        if fine then clients[made] = clients[js] end
        keep(fine, made, word(1))
        return
    end
    local sub, future = try_consume(js, word(2), given)
    if sub and try("wait", future) then
        keep(true, sub, word(1))
    end
end

function verbs.js_consume_start()
    local given = arguments(4)
    if not given then return end
    local sub, future = try_consume(handle(0), word(3), given)
    if sub then
        d.handles[word(2)] = future
        keep(true, sub, word(1))
    end
end

function verbs.js_consumer()
    local js = handle(0)
    local made = js:stream(text(2)):consumer(text(3))
    clients[made] = clients[js]
    keep(true, made, word(1))
end

-- By no loop: what does not wait there is consume and fetch_start.
function verbs.js_fetch()
    local consumer = handle(0)
    d.put_list(try("fetch", { fetch = function(_, ...) return consumer:fetch(...) end },
                   d.number("max"), { wait = time "wait_ms" }))
end

function verbs.js_consume_wait() done("wait", handle(0), time "wait_ms") end

-- ---- messages ----

function verbs.msg_ack()
    local msg, how = handle(1), word(2)
    local argument = decode(option "reason")
    if how == "nak" then
        argument = time "delay_ms"
    end
    done(how, msg, argument)
end

function verbs.ack_sync()
    clients[handle(1)] = handle(0)
    done("ack_sync", handle(1), time "timeout_ms")
end

function verbs.ack_many()
    local list, words = {}, d.words()
    for i = 3, #words do
        list[#list + 1] = d.handles[words[i]]
    end
    local fine, count = try("ack_many", handle(0), list)
    if fine then
        put("ok", integer(count))
    end
end

function verbs.msg_meta()
    local metadata, line, words = handle(0).metadata, { "ok" }, d.words()
    if not metadata then
        put("none")
        return
    end
    for i = 3, #words do
        local value = metadata[words[i]] or ""
        line[#line + 1] = type(value) == "string" and encode(value) or json.number(value, "seq")
    end
    put(unpack(line))
end

return verbs
