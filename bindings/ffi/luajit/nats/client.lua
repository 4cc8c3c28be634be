-- The client. Requests are in request.lua, callbacks in callback.lua.

local ffi = require "ffi"
local core = require "nats.core"
local events = require "nats.event"
local messages = require "nats.message"
local options_of = require "nats.options"
local subscription = require "nats.subscription"
local take_info = require "nats.info"

local C = core.C
local fail = core.fail
local done = core.done
local check_text = core.check_text
local check_option_text = core.check_option_text
local check_count = core.check_count
local check_table = core.check_table
local check_ms = core.check_ms
local waiting = core.waiting

local INTERRUPTED = -18
local SUB_CALLBACK = 2
local STATES = { "connected", "reconnecting", "draining", "closed" }
local INBOX_SIZE = 1024          -- a prefix of 512 bytes, the longest there is, and the unique rest
local STATS_MAX = 64             -- more counters than the library has
local PUBLISH_SLICE = 200        -- payloads of one inner call of publish_many
-- The library's defaults, which hold where the options say nothing.
local REQUEST_TIMEOUT_MS, DRAIN_TIMEOUT_MS = 10000, 30000
local PENDING_MSGS, PENDING_BYTES = 65536, 67108864

local client = {}
local client_meta = {
  __index = client,
  __tostring = function(self) return "nats.client (" .. self:status() .. ")" end,
}

local client_box = ffi.new("nats_client *[1]")
local sub_box = ffi.new("nats_sub *[1]")
local int64_box, int32_box = ffi.new("int64_t[1]"), ffi.new("int32_t[1]")
local size_box = ffi.new("size_t[1]")

local function new_client(limits)
  return setmetatable({
    handle = ffi.gc(client_box[0], C.nats_client_free),
    limits = limits,
    subs = {},   -- subscriptions with callbacks, by sid
    queued = {}, -- messages taken for callbacks and not yet handed over
  }, client_meta)
end

local function connect(servers, given)
  servers = options_of.servers(servers)
  local options, status = options_of.make(given, true)
  if not options then return fail(status) end
  status = waiting(function() return C.nats_connect(servers, options, client_box) end, -1)
  if status ~= 0 then return fail(status) end
  given = given or {}
  return new_client {
    msgs = tonumber(given.pending_msgs) or PENDING_MSGS,
    bytes = tonumber(given.pending_bytes) or PENDING_BYTES,
    request_ms = options_of.ms(given.request_timeout) or REQUEST_TIMEOUT_MS,
    drain_ms = options_of.ms(given.drain_timeout) or DRAIN_TIMEOUT_MS,
  }
end

function client:share()
  local status = C.nats_client_share(self.handle, client_box)
  if status ~= 0 then return fail(status) end
  return new_client(self.limits)
end

function client:close()
  self.closed, self.subs, self.queued = true, {}, {}
  return done(C.nats_client_close(self.handle))
end

function client:publish(subject, data, options)
  subject, data = check_text(subject, "subject"), check_text(data, "data", "")
  if options == nil then
    local status = C.nats_client_publish(self.handle, subject, #subject, data, #data)
    if status == 0 then return true end
    if status ~= INTERRUPTED then return fail(status) end
    options = {}
  end
  options = check_table(options, "publish", { "reply", "headers" })
  local reply = check_option_text(options.reply, "reply")
  local headers, status = messages.make_headers(options.headers)
  if status ~= 0 then return fail(status) end
  return done(waiting(function()
    return C.nats_client_publish_with(self.handle, subject, #subject, reply, reply and #reply or 0,
      headers, data, #data)
  end, -1))
end

local slice_data = ffi.new("const void *[?]", PUBLISH_SLICE)
local slice_size = ffi.new("size_t[?]", PUBLISH_SLICE)

function client:publish_many(subject, payloads)
  subject = check_text(subject, "subject")
  if type(payloads) ~= "table" then error("publish_many: payloads must be a list of strings", 2) end
  local texts = {}
  for i, one in ipairs(payloads) do texts[i] = check_text(one, "payload " .. i) end
  local total, at = 0, 0
  while at < #texts do
    local count = math.min(#texts - at, PUBLISH_SLICE)
    for i = 0, count - 1 do
      local text = texts[at + i + 1]
      slice_data[i], slice_size[i] = ffi.cast("const char *", text), #text
    end
    local status = C.nats_client_publish_many(self.handle, subject, #subject, slice_data,
      slice_size, count, size_box)
    total = total + tonumber(size_box[0])
    at = at + tonumber(size_box[0])
    if status ~= 0 and status ~= INTERRUPTED then
      local _, text, code, about = fail(status)
      return nil, text, code, about, total
    end
  end
  return total
end

function client:subscribe(subject, options)
  subject = check_text(subject, "subject")
  options = check_table(options, "subscribe",
    { "queue", "max", "callback", "pending_msgs", "pending_bytes" })
  local queue = check_option_text(options.queue, "queue")
  local max = check_count(options.max, "option 'max'", 0, 0)
  local msgs = check_count(options.pending_msgs, "option 'pending_msgs'", -1, self.limits.msgs)
  local bytes = check_count(options.pending_bytes, "option 'pending_bytes'", -1, self.limits.bytes)
  if msgs == 0 or bytes == 0 then
    error("options pending_msgs and pending_bytes must be 1 or more, or -1, not 0", 2)
  end
  local callback = options.callback
  if callback ~= nil and type(callback) ~= "function" and type(callback) ~= "table" then
    error("option 'callback' must be a function, not a " .. type(callback), 2)
  end
  local status = C.nats_client_subscribe(self.handle, subject, #subject, queue,
    queue and #queue or 0, max, sub_box)
  if status ~= 0 then return fail(status) end
  local made = subscription(sub_box[0], self, callback)
  if callback then
    status = C.nats_sub_set_mode(made.handle, SUB_CALLBACK)
    self.subs[made.sid] = made
  end
  if status == 0 and (options.pending_msgs or options.pending_bytes) then
    status = C.nats_sub_set_limits(made.handle, msgs, bytes)
  end
  if status ~= 0 then return fail(status) end
  return made
end

function client:unsubscribe(which, after)
  after = check_count(after, "after", 0, 0)
  if type(which) == "number" then
    return done(C.nats_client_unsubscribe(self.handle, which, after))
  end
  which = check_text(which, "subject")
  local status = C.nats_client_unsubscribe_subject(self.handle, which, #which, after, size_box)
  if status ~= 0 then return fail(status) end
  return tonumber(size_box[0])
end

function client:get(options)
  local max, ms = messages.get_args(options, "get")
  return messages.take_list(C.nats_client_get, self.handle, self, max, ms)
end

-- ---- round trips, and what it knows ----

function client:flush(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  return done(waiting(function(left) return C.nats_client_flush(self.handle, left) end, ms,
    self.limits.request_ms))
end

function client:rtt(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  local status = waiting(function(left)
    return C.nats_client_rtt(self.handle, left, int64_box)
  end, ms, self.limits.request_ms)
  if status ~= 0 then return fail(status) end
  return tonumber(int64_box[0]) / 1e9
end

local inbox = ffi.new("char[?]", INBOX_SIZE)

function client:new_inbox()
  local status = C.nats_client_new_inbox(self.handle, inbox, INBOX_SIZE, size_box)
  if status ~= 0 then return fail(status) end
  return ffi.string(inbox, size_box[0])
end

function client:stats()
  local values, named = ffi.new("uint64_t[?]", STATS_MAX), {}
  local count = tonumber(C.nats_client_stats(self.handle, values, STATS_MAX))
  for i = 0, math.min(count, STATS_MAX) - 1 do
    named[ffi.string(C.nats_stats_name(i))] = tonumber(values[i])
  end
  return named
end

function client:status() return STATES[C.nats_client_status(self.handle)] or "closed" end
function client:max_payload() return tonumber(C.nats_client_max_payload(self.handle)) end

local info_box = ffi.new("nats_info *[1]")

function client:server_info()
  return take_info(C.nats_client_server_info(self.handle, info_box), info_box, false)
end

function client:server_info_json()
  return take_info(C.nats_client_server_info(self.handle, info_box), info_box, true)
end

local event_box = ffi.new("nats_event *[1]")

function client:next_event(wait)
  local ms = check_ms(wait, "wait", -1)
  local status = waiting(function(left)
    return C.nats_client_next_event(self.handle, left, event_box)
  end, ms)
  if status ~= 0 then return fail(status) end
  if event_box[0] == nil then return nil end
  local event = events.to_lua(event_box[0])
  C.nats_event_free(event_box[0])
  return event
end

-- ---- foreign event loops ----

function client:fd()
  local status = C.nats_client_fd(self.handle, int32_box)
  if status ~= 0 then return fail(status) end
  return int32_box[0]
end
client.pollfd = client.fd

function client:events() return "r" end
function client:process() return done(C.nats_client_process(self.handle)) end
function client:deadline() return core.seconds(C.nats_client_deadline_ms(self.handle)) end
client.timeout = client.deadline

for _, part in ipairs { "nats.request", "nats.callback" } do
  for name, verb in pairs(require(part)) do client[name] = verb end
end

return connect
