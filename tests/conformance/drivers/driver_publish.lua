-- The driver's verbs that publish to JetStream. d: what the driver's files share.

local d = ...
local nats, clients = d.nats, d.clients
local decode, encode, word, text, handle = d.decode, d.encode, d.word, d.text, d.handle
local number, integer, option, put = d.number, d.integer, d.option, d.put
local try, done, keep, failed = d.try, d.done, d.keep, d.failed
local json = d.json
local verbs = {}

-- A time of the protocol as the module takes it: seconds, or nil for the default; negative ones, too.
local function time(key)
    local ms = d.number(key)
    return ms ~= -1 and ms and ms / 1000 or nil
end

local KINDS = { text = 6, seconds = 9, integer = 3, unsigned = 4 }

-- What a publish says besides, each keyword as its text: the module takes it for any of them.
local function given()
    local made = { timeout = time "timeout_ms", headers = d.headers_given() }
    for _, keyword in ipairs(nats.keywords()) do
        made[keyword.name] = decode(option(keyword.name))
    end
    return next(made) and made or nil
end

local function put_ack(ack, first)
    local line = { "ok" }
    local words = d.words()
    if first + 2 <= #words then
        for i = first + 2, #words do
            local value = ack[words[i] == "val" and "value" or words[i]]
            if value == nil then
                value = "-"
            elseif type(value) == "boolean" then
                value = value and 1 or 0
            elseif type(value) == "string" then
                value = encode(value)
            else
                value = json.number(value, "seq")
            end
            line[#line + 1] = value
        end
    else
        line = { "ok", encode(ack.stream), json.number(ack.seq, "seq"), ack.duplicate and 1 or 0 }
    end
    put((table.unpack or unpack)(line))
end

local function ack_of(first, fine, ack)
    if fine then
        put_ack(ack, first)
    end
end

local function start(object, method, name, ...)
    local fine, made = try(method, object, ...)
    if fine then
        clients[made] = clients[object]
    end
    keep(fine, made, name)
end

function verbs.js_publish() ack_of(3, try("publish", handle(0), text(1), text(2), given())) end
function verbs.js_publish_start()
    start(handle(0), "publish_start", word(1), text(2), text(3), given())
end

function verbs.js_wait()
    local fine, ack = try("wait", handle(0), time "wait_ms")
    if fine and type(ack) == "table" then
        put_ack(ack, 1)
    elseif fine then
        put("none")
    end
end

function verbs.js_publisher()
    local client = clients[handle(0)]
    local fine, made = try("publisher", handle(0), {
        max_pending = number("max"), fast = option "fast" and true or nil,
    })
    if fine then
        clients[made] = client
    end
    keep(fine, made, word(1))
end

function verbs.js_pub()
    local fine, id = try("publish", handle(0), text(1), text(2), given())
    if fine then
        put("ok", integer(id))
    end
end

function verbs.js_pub_many()
    local list, words = {}, d.words()
    for i = 4, #words do
        list[#list + 1] = decode(words[i])
    end
    local fine, first, message, code, about, published, first_id =
        pcall(handle(0).publish_many, handle(0), text(1), list)
    if not fine then
        failed(tostring(first), "INVALID")
    elseif first == nil then
        failed(message, code, about)
        put("ok", integer(first_id), integer(published))
    else
        put("ok", integer(first), integer(message))
    end
end

function verbs.js_publish_many()
    local list, words = {}, d.words()
    for i = 4, #words do
        list[#list + 1] = decode(words[i])
    end
    local js = handle(0)
    local fine, count, message, code, about, err_code, server_code, _, failures, sent = pcall(
        js.publish_many, js, text(1), list, { timeout = time "timeout_ms" })
    if not fine then
        failed(tostring(count), "INVALID")
    elseif count then
        put("ok", integer(count))
    else
        failed(message, code, about, err_code, server_code)
        for _, failure in ipairs(failures) do
            put("failure", integer(failure.id) - 1, "err", failure.code, failure.err_code)
        end
        put("ok", integer(sent))
    end
end

function verbs.js_flush() done("flush", handle(0), time "timeout_ms") end
function verbs.js_flush_start() start(handle(0), "flush_start", word(1), time "timeout_ms") end

function verbs.js_failures()
    local list = handle(0):failures()
    for _, failure in ipairs(list) do
        put("failure", integer(failure.id), "err", failure.code, failure.err_code)
    end
    if #list == 0 then
        put("none")
    end
end

function verbs.js_publisher_stats()
    local stats = handle(0):stats()
    put("ok", integer(stats.published), integer(stats.acked), integer(stats.duplicates),
        integer(stats.failed), integer(stats.pending))
end

function verbs.js_batch()
    local client = clients[handle(0)]
    local fine, made = try("batch", handle(0))
    if fine then
        clients[made] = client
    end
    keep(fine, made, word(1))
end

function verbs.js_batch_add() done("add", handle(0), text(1), text(2), given()) end
function verbs.js_batch_add_start()
    start(handle(0), "add_start", word(1), text(2), text(3), given())
end
function verbs.js_batch_commit() ack_of(3, try("commit", handle(0), text(1), text(2), given())) end
function verbs.js_batch_commit_start()
    start(handle(0), "commit_start", word(1), text(2), text(3), given())
end

function verbs.js_keywords()
    local line = { "ok" }
    for _, keyword in ipairs(nats.keywords()) do
        line[#line + 1] = keyword.name
    end
    put((table.unpack or unpack)(line))
end

function verbs.js_header()
    for _, keyword in ipairs(nats.keywords()) do
        if keyword.name == text(0) then
            put("ok", keyword.header, KINDS[keyword.type])
            return
        end
    end
    put("ok", "-", 0)
end

return verbs
