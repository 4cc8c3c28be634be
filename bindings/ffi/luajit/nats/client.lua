-- The client. Requests are in request.lua, callbacks in callback.lua.

local ffi = require "ffi"
local core = require "nats.core"
local credentials = require "nats.credentials"
local events = require "nats.event"
local futures = require "nats.future"
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
local SUB_SHARED, SUB_CALLBACK = 0, 2
local STATES = { "connected", "reconnecting", "draining", "closed" }
local INBOX_SIZE = 1024          -- a prefix of 512 bytes, the longest there is, and the unique rest
local STATS_MAX = 64             -- more counters than the library has
local PUBLISH_SLICE = 200        -- payloads of one inner call of publish_many

local client = {}
local client_meta = {
  __tostring = function(self) return "nats.client (" .. self:status() .. ")" end,
}

local client_box = ffi.new("nats_client *[1]")
local sub_box = ffi.new("nats_sub *[1]")
local int64_box, int32_box = ffi.new("int64_t[1]"), ffi.new("int32_t[1]")
local size_box = ffi.new("size_t[1]")

-- What the client uses for an option that is a number.
local function option_of(handle, name)
  C.nats_client_option_int(handle, name, int64_box)
  return tonumber(int64_box[0])
end

-- A client that was closed keeps two descriptors until it is collected, and LuaJIT sees none of them: the collector
-- goes on as if so much memory had been taken. Unless the script has stopped it.
local CLIENT_KB = 256

local function new_client()
  if collectgarbage "isrunning" then collectgarbage("step", CLIENT_KB) end
  local handle = ffi.gc(client_box[0], C.nats_client_forget)
  return setmetatable({
    handle = handle,
    drain_ms = option_of(handle, "drain_timeout"),
    subs = {},   -- subscriptions with callbacks, by sid
    queued = {}, -- messages taken for callbacks and not yet handed over
    next_queued = 1,
    ended = false, -- perhaps a subscription with a callback has: see sweep in callback.lua
    event_callback = false,
    stopped = false,
    closed = false,
  }, client_meta)
end

local no_msg_box = ffi.new("nats_msg *[1]")

local function without(given, name)
  local rest = {}
  for key, value in pairs(given) do rest[key] = value end
  rest[name] = nil
  return rest
end

-- The function that supplies credentials, or nil, and the options for the library.
local function take_hook(given)
  if type(given) ~= "table" or given.credentials == nil then return nil, given end
  local hook = given.credentials
  if type(hook) ~= "function" then
    core.misuse("option 'credentials' must be a function, not a " .. type(hook))
  end
  given = without(without(given, "credentials"), "ask_credentials")
  given.credentials_hook = true
  return hook, given
end

local function connect_start(servers, given)
  local hook
  hook, given = take_hook(given)
  servers = options_of.servers(servers)
  local options, status = options_of.make(given, true)
  if not options then return fail(status) end
  status = C.nats_connect_start(servers, options, client_box, futures.box)
  if status ~= 0 then return fail(status) end
  local made = new_client()
  if hook then credentials.register(made, hook) end
  return made, futures.goal(made)
end

-- By one future: a signal begins no attempt, and no time, anew; and the function that supplies
-- credentials can be called meanwhile.
local function connect_waiting(servers, given)
  local made, future, code, about = connect_start(servers, given)
  if not made then return made, future, code, about end
  local fine, result = pcall(waiting, function(left)
    return C.nats_future_wait(future.handle, left, no_msg_box)
  end, -1)
  if fine and result == 0 then return made end
  if fine then return fail(result) end -- it is closed
  C.nats_client_close(made.handle)
  error(result, 0)
end

-- Without a function the program could answer only once it has the client: both options say so.
local function connect(servers, given)
  if type(given) == "table" and given.credentials == nil and given.ask_credentials then
    given = without(given, "credentials_hook")
    given.credentials_hook = true
  end
  return connect_waiting(servers, given)
end

function client:share()
  local status = C.nats_client_share(self.handle, client_box)
  if status ~= 0 then return fail(status) end
  local made = new_client()
  credentials.register(made, credentials.of(self))
  return made
end

-- Answers the event credentials, which comes with the option ask_credentials.
function client:credentials(given) return done(credentials.give(self, given)) end

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
  if type(payloads) ~= "table" then
    core.misuse("publish_many: payloads must be a list of strings")
  end
  local texts = {}
  -- # may stop at a hole.
  for i = 1, table.maxn(payloads) do texts[i] = check_text(payloads[i], "payload " .. i) end
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
    if status == INTERRUPTED then
      core.interrupted()
    elseif status ~= 0 then
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
  local msgs = check_count(options.pending_msgs, "option 'pending_msgs'", -1)
  local bytes = check_count(options.pending_bytes, "option 'pending_bytes'", -1)
  if msgs == 0 or bytes == 0 then
    core.misuse("options pending_msgs and pending_bytes must be 1 or more, or -1, not 0")
  end
  local callback = options.callback
  if callback ~= nil and type(callback) ~= "function" and type(callback) ~= "table" then
    core.misuse("option 'callback' must be a function, not a " .. type(callback))
  end
  local status = waiting(function() -- as a publish: while the server takes nothing
    return C.nats_client_subscribe_with(self.handle, subject, #subject, queue, queue and #queue or 0,
      max, msgs or 0, bytes or 0, callback and SUB_CALLBACK or SUB_SHARED, sub_box)
  end, -1)
  if status ~= 0 then return fail(status) end
  local made = subscription(sub_box[0], self, callback)
  if callback then self.subs[made.sid] = made end
  return made
end

function client:unsubscribe(which, after)
  after = core.check_after(after)
  if type(which) == "number" then
    check_count(which, "sid", 0)
    return done(waiting(function()
      return C.nats_client_unsubscribe(self.handle, which, after)
    end, -1))
  end
  which = check_text(which, "subject")
  local status = waiting(function()
    return C.nats_client_unsubscribe_subject(self.handle, which, #which, after, size_box)
  end, -1)
  if status ~= 0 then return fail(status) end
  return tonumber(size_box[0])
end

function client:get(options, wait)
  local max, ms = messages.get_args(options, "get", wait)
  return messages.take_list(C.nats_client_get, self.handle, self, max, ms)
end

-- ---- round trips, and what it knows ----

-- By one future, and so one PING: a signal sends no other.
local function flush(self, ms)
  local status = C.nats_client_flush_start(self.handle, ms, futures.box)
  if status ~= 0 then return status end
  local future = futures.goal(self)
  status = waiting(function(left)
    return C.nats_future_wait(future.handle, left, no_msg_box)
  end, -1)
  C.nats_future_free(ffi.gc(future.handle, nil))
  return status
end

function client:flush(timeout)
  return done(flush(self, check_ms(timeout, "timeout", -1)))
end

function client:rtt(timeout)
  local ms, began = check_ms(timeout, "timeout", -1), core.now()
  local status = flush(self, ms)
  if status ~= 0 then return fail(status) end
  return core.now() - began
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

function client:info()
  return take_info(C.nats_client_info(self.handle, info_box), info_box, false)
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
function client:reconnect() return done(C.nats_client_reconnect(self.handle)) end
function client:process()
  local status = C.nats_client_process(self.handle)
  credentials.answer(self)
  return done(status)
end
function client:deadline() return core.seconds(C.nats_client_deadline_ms(self.handle)) end
client.timeout = client.deadline

function client:jetstream(options) return require("nats.jetstream")(self, options) end

function client:ack_many(list)
  if type(list) ~= "table" then
    core.misuse("ack_many: a list of messages is wanted, not a " .. type(list))
  end
  return messages.ack_many(self, list)
end

for _, part in ipairs { "nats.request", "nats.callback" } do
  for name, verb in pairs(require(part)) do client[name] = verb end
end
core.class("nats.client", client, client_meta)

return { connect = connect, connect_start = connect_start }
