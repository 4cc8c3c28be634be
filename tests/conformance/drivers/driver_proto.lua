-- The driver's verbs of the protocol without I/O. d: what the driver's files share.

local d = ...
local nats, handles, clocks = d.nats, d.handles, d.clocks
local decode, encode, word, text, handle = d.decode, d.encode, d.word, d.text, d.handle
local number, integer, option, put, failed = d.number, d.integer, d.option, d.put, d.failed
local try, done, keep, put_msg, put_event = d.try, d.done, d.keep, d.put_msg, d.put_event
local put_fields, headers_given, options_given = d.put_fields, d.headers_given, d.options_given
local verbs = {}

local function now()
    return (clocks[word(0)] or 0) / 1000
end

function verbs.proto_new()
    local fine, made, message, code, about =
        pcall(nats.proto, text(1), options_given(), "0123456789abcdef")
    if not fine then
        failed(tostring(made), "INVALID")
    elseif made == nil then
        failed(message, code, about)
    else
        clocks[word(0)] = 0
        keep(true, made, word(0))
    end
end

function verbs.proto_clock()
    clocks[word(0)] = tonumber(word(1))
    put("ok")
end

for verb, method in pairs {
    proto_start = "start", proto_up = "transport_up", proto_upgraded = "upgraded",
    proto_secured = "secured", proto_eof = "feed_eof", proto_reconnect = "reconnect",
} do
    verbs[verb] = function() done(method, handle(0), now()) end
end

function verbs.proto_failed() done("transport_failed", handle(0), word(1), text(2), now()) end
function verbs.proto_feed() done("feed", handle(0), text(1), now()) end

function verbs.proto_expect_signature() done("expect_signature", handle(0), text(1) == "1") end

function verbs.proto_sign()
    local extra = { public_key = decode(option "public_key"), jwt = decode(option "jwt") }
    done("sign", handle(0), text(1), extra, now())
end

local function next_proto_event(first)
    local event = handle(0):next_event()
    if event == nil then
        return false
    end
    if event.type == "message" then
        put_msg(event.message)
    else
        put_event(event, first)
    end
    return true
end

function verbs.proto_event()
    if not next_proto_event(3) then
        put("none")
    end
end

function verbs.proto_events()
    local any = false
    while next_proto_event(#d.words() + 1) do
        any = true
    end
    if not any then
        put("none")
    end
end

function verbs.proto_tx() put("ok", encode(handle(0):take(number("max"), now()))) end
function verbs.proto_pending() put("ok", integer(handle(0):pending())) end

function verbs.proto_deadline()
    local at = handle(0):deadline()
    put("ok", at and integer(math.ceil(at * 1000 - 1e-6)) or "never")
end

function verbs.proto_tick()
    handle(0):tick(now())
    put("ok")
end

function verbs.proto_publish()
    local extra = { reply = decode(option "reply"), headers = headers_given() }
    done("publish", handle(0), text(1), text(2), extra)
end

function verbs.proto_subscribe()
    local extra = { queue = decode(option "queue"), max = number("max"), sid = number("sid") }
    local fine, sid = try("subscribe", handle(0), text(1), extra)
    if fine then
        put("ok", integer(sid))
    end
end

function verbs.proto_unsubscribe()
    done("unsubscribe", handle(0), tonumber(word(1)), number("after"))
end

function verbs.proto_ping()
    local fine, token = try("ping", handle(0), now())
    if fine then
        put("ok", integer(token))
    end
end

function verbs.proto_close()
    handle(0):close()
    put("ok")
end

function verbs.proto_state() put("ok", handle(0):state()) end
function verbs.proto_pings_out() put("ok", integer(handle(0):pings_out())) end
function verbs.proto_offset() put("ok", integer(handle(0):offset())) end

function verbs.proto_server()
    local server = handle(0):server()
    put("ok", encode(server.url), encode(server.scheme), encode(server.host), integer(server.port))
end

function verbs.proto_servers()
    for _, server in ipairs(handle(0):servers()) do
        put("server", encode(server.url), integer(server.attempts), server.discovered and 1 or 0)
    end
end

function verbs.proto_server_add() done("server_add", handle(0), text(1)) end
function verbs.proto_server_remove() done("server_remove", handle(0), text(1)) end
function verbs.proto_info() put_fields(handle(0)) end

function verbs.proto_new_inbox()
    local fine, inbox = try("new_inbox", handle(0))
    if fine then
        put("ok", encode(inbox))
    end
end

return verbs
