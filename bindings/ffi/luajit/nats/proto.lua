-- The protocol without I/O: the script brings the socket, the loop and the clock.
--
-- Times are seconds of any clock that never goes back; where `now` is left out, nats.now() is
-- meant.

local ffi = require "ffi"
local core = require "nats.core"
local events = require "nats.event"
local messages = require "nats.message"
local options_of = require "nats.options"
local take_info = require "nats.info"

local C, fail, done = core.C, core.fail, core.done
local check_text, check_table, check_count = core.check_text, core.check_table, core.check_count

local SEED_SIZE, SEED_MIN = 32, 16
local INBOX_SIZE = 1024
local NEVER = 2 ^ 63 -- INT64_MAX, as a double
local STATES = {
  [0] = "idle", "waiting", "dialing", "upgrading", "waiting_info", "securing", "signing",
  "waiting_pong", "connected", "closed",
}
local TYPES = {
  "dial", "upgrade_wanted", "tls_wanted", "sign_wanted", "connected", "reconnected",
  "disconnected", "closed", "message", "pong", "info", "discovered", "lame_duck", "error",
  "stale", "sub_done",
}

local proto = {}
local proto_meta = {
  __tostring = function(self) return "nats.proto (" .. self:state() .. ")" end,
}

local proto_box, info_box = ffi.new("nats_proto *[1]"), ffi.new("nats_info *[1]")
local data_box, size_box = ffi.new("const void *[1]"), ffi.new("size_t[1]")
local sid_box = ffi.new("uint64_t[1]")
local int32_box, found_box = ffi.new("int32_t[1]"), ffi.new("int32_t[1]")

local function check_now(now)
  now = now or core.now()
  if type(now) ~= "number" or not (now >= 0 and now <= 9e9) then
    core.misuse("now must be a time in seconds, 0 to 9e9")
  end
  return ffi.cast("int64_t", now * 1e9)
end

local function random_seed()
  local source = assert(io.open("/dev/urandom", "rb"))
  local seed = source:read(SEED_SIZE)
  source:close()
  return seed
end

local function new(servers, given, seed)
  seed = seed == nil and random_seed() or check_text(seed, "seed")
  if #seed < SEED_MIN then core.misuse("seed must have 16 bytes or more") end
  local options, status = options_of.make(given, false)
  if not options then return fail(status) end
  status = C.nats_proto_new(options_of.servers(servers), options, seed, #seed, proto_box)
  if status ~= 0 then return fail(status) end
  return setmetatable({ handle = ffi.gc(proto_box[0], C.nats_proto_free) }, proto_meta)
end

-- ---- the transport ----

function proto:start(now) return done(C.nats_proto_start(self.handle, check_now(now))) end

function proto:transport_up(now)
  return done(C.nats_proto_transport_up(self.handle, check_now(now)))
end

function proto:upgraded(now) return done(C.nats_proto_upgraded(self.handle, check_now(now))) end
function proto:secured(now) return done(C.nats_proto_secured(self.handle, check_now(now))) end

function proto:transport_failed(code, text, now)
  local status = core.status[check_text(code, "code")]
  if not status or status == 0 then
    core.misuse("code must be the name of an error, such as 'IO'")
  end
  text = check_text(text, "text", "")
  return done(C.nats_proto_transport_failed(self.handle, status, text, check_now(now)))
end

function proto:expect_signature(yes)
  if type(yes) ~= "boolean" then core.misuse("a boolean expected: is a signature expected?") end
  C.nats_proto_expect_signature(self.handle, yes and 1 or 0)
  return true
end

function proto:sign(signature, options, now)
  signature = check_text(signature, "signature")
  options = check_table(options, "sign", { "public_key", "jwt" })
  return done(C.nats_proto_sign(self.handle, signature, #signature, options.public_key,
    options.jwt, check_now(now)))
end

-- ---- bytes ----

function proto:feed(data, now)
  data = check_text(data, "data")
  return done(C.nats_proto_feed(self.handle, data, #data, check_now(now)))
end

function proto:feed_eof(now) return done(C.nats_proto_feed_eof(self.handle, check_now(now))) end

function proto:take(max, now)
  max = check_count(max, "max", 1, math.huge)
  now = check_now(now)
  local parts, taken = {}, 0
  while taken < max do
    C.nats_proto_tx(self.handle, data_box, size_box)
    local len = math.min(tonumber(size_box[0]), max - taken)
    if len == 0 then break end
    parts[#parts + 1] = ffi.string(data_box[0], len)
    C.nats_proto_tx_done(self.handle, len, now)
    taken = taken + len
  end
  return table.concat(parts)
end

function proto:pending() return tonumber(C.nats_proto_tx_pending(self.handle)) end

-- ---- time ----

function proto:deadline()
  local at = tonumber(C.nats_proto_deadline_ns(self.handle))
  return at < NEVER and at / 1e9 or nil
end

function proto:tick(now) C.nats_proto_tick(self.handle, check_now(now)) end

-- ---- verbs ----

function proto:publish(subject, data, options)
  subject, data = check_text(subject, "subject"), check_text(data, "data", "")
  options = check_table(options, "publish", { "reply", "headers" })
  local reply = core.check_option_text(options.reply, "reply")
  local headers, status = messages.make_headers(options.headers)
  if status ~= 0 then return fail(status) end
  return done(C.nats_proto_publish(self.handle, subject, #subject, reply, reply and #reply or 0,
    headers, data, #data))
end

function proto:subscribe(subject, options)
  subject = check_text(subject, "subject")
  options = check_table(options, "subscribe", { "queue", "max", "sid" })
  local queue = core.check_option_text(options.queue, "queue")
  local max = check_count(options.max, "option 'max'", 0, 0)
  local sid = check_count(options.sid, "option 'sid'", 1, 0)
  local status = C.nats_proto_subscribe(self.handle, subject, #subject, queue,
    queue and #queue or 0, max, sid, sid_box)
  if status ~= 0 then return fail(status) end
  return tonumber(sid_box[0])
end

function proto:unsubscribe(sid, after)
  sid, after = check_count(sid, "sid", 1), check_count(after, "after", 0, 0)
  if not sid then core.misuse("sid must be a whole number") end
  return done(C.nats_proto_unsubscribe(self.handle, sid, after))
end

function proto:ping(now)
  local status = C.nats_proto_ping(self.handle, check_now(now), sid_box)
  if status ~= 0 then return fail(status) end
  return tonumber(sid_box[0])
end

function proto:close() C.nats_proto_close(self.handle) end
function proto:reconnect(now) return done(C.nats_proto_reconnect(self.handle, check_now(now))) end

-- ---- events ----

local function add_server(self, facts)
  facts.url = ffi.string(C.nats_proto_url(self.handle))
  facts.scheme = ffi.string(C.nats_proto_scheme(self.handle))
  facts.host = ffi.string(C.nats_proto_host(self.handle))
  facts.port = C.nats_proto_port(self.handle)
  return facts
end

local function add_end(self, event)
  event.kind = events.kind_name(C.nats_proto_event_kind(self.handle))
  event.lost = tonumber(C.nats_proto_event_lost(self.handle))
  event.unconfirmed = tonumber(C.nats_proto_event_unconfirmed(self.handle))
end

local function add_sid(self, event) event.sid = tonumber(C.nats_proto_event_sid(self.handle)) end

-- The facts of each type, as proto.h lists them.
local FACTS = {
  dial = add_server, upgrade_wanted = add_server, tls_wanted = add_server,
  connected = add_server, reconnected = add_server,
  disconnected = add_end, closed = add_end, sub_done = add_sid,
  message = function(self, event)
    add_sid(self, event)
    messages.box[0] = C.nats_proto_event_take_msg(self.handle)
    event.message = messages.take(self)
  end,
  pong = function(self, event)
    event.token = tonumber(C.nats_proto_event_token(self.handle))
    event.rtt = tonumber(C.nats_proto_event_rtt_ns(self.handle)) / 1e9
  end,
  error = function(self, event)
    event.recoverable = C.nats_proto_event_recoverable(self.handle) ~= 0
    event.kind = events.kind_name(C.nats_proto_event_kind(self.handle))
    local sid = tonumber(C.nats_proto_event_sid(self.handle))
    local lost = tonumber(C.nats_proto_event_lost(self.handle))
    event.sid = sid ~= 0 and sid or nil
    event.lost = lost ~= 0 and lost or nil
  end,
}

function proto:next_event()
  local number = C.nats_proto_next_event(self.handle)
  if number == 0 then return nil end
  local status = C.nats_proto_event_status(self.handle)
  local event = {
    type = TYPES[number] or "unknown",
    text = ffi.string(C.nats_proto_event_text(self.handle)),
    status = status ~= 0 and core.status_name(status) or nil,
  }
  local add = FACTS[event.type]
  if add then add(self, event) end
  return setmetatable(event, events.meta)
end

-- ---- what it knows ----

function proto:state() return STATES[C.nats_proto_state(self.handle)] or "unknown" end
function proto:server() return add_server(self, {}) end

function proto:server_info()
  return take_info(C.nats_proto_server_info(self.handle, info_box), info_box, false)
end

function proto:server_info_json()
  return take_info(C.nats_proto_server_info(self.handle, info_box), info_box, true)
end

function proto:pings_out() return C.nats_proto_pings_out(self.handle) end
function proto:offset() return tonumber(C.nats_proto_offset(self.handle)) end

function proto:new_inbox()
  local inbox = ffi.new("char[?]", INBOX_SIZE)
  local status = C.nats_proto_new_inbox(self.handle, inbox, INBOX_SIZE, size_box)
  if status ~= 0 then return fail(status) end
  return ffi.string(inbox, size_box[0])
end

function proto:servers()
  local list, index = {}, 0
  while true do
    local url = C.nats_proto_server_at(self.handle, index, int32_box, found_box)
    if url == nil then return list end
    index = index + 1
    list[index] = {
      url = ffi.string(url), attempts = int32_box[0], discovered = found_box[0] ~= 0,
    }
  end
end

function proto:server_add(url)
  return done(C.nats_proto_server_add(self.handle, check_text(url, "url")))
end

function proto:server_remove(url)
  return done(C.nats_proto_server_remove(self.handle, check_text(url, "url")))
end

core.class("nats.proto", proto, proto_meta)

return new
