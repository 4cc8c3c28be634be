-- Messages, the headers they carry, and the batches they come in.

local ffi = require "ffi"
local core = require "nats.core"

local C = core.C
local fail = core.fail
local check_text = core.check_text
local check_table = core.check_table
local check_count = core.check_count
local check_ms = core.check_ms
local waiting = core.waiting

local BATCH_MAX = 1024 -- messages that one call of the library moves
local GET_MAX = 65536  -- messages of one get or dispatch without max

local M = { GET_MAX = GET_MAX, ACK_NONE = 0, ACK_OPEN = 1, ACK_DONE = 2, ACK_UNWANTED = 3 }
local size_box = ffi.new("size_t[1]")

-- ---- headers ----

local header_maps = setmetatable({}, { __mode = "k" }) -- map -> its keys in order

local function add_values(headers, key, value)
  local values = type(value) == "table" and value or { value }
  for _, one in ipairs(values) do
    if type(one) ~= "string" and type(one) ~= "number" then
      core.misuse(("header '%s' must have a string, a number or a list of them, not a %s"):format(
        key, type(one)))
    end
    one = tostring(one)
    local status = C.nats_headers_add(headers, key, #key, one, #one)
    if status ~= 0 then return status end
  end
  return 0
end

-- Pairs of the array part, then the keys in the order in which they came or else sorted.
local function header_entries(map)
  local entries, keys, seen = {}, {}, {}
  for i, pair in ipairs(map) do
    if type(pair) ~= "table" or type(pair[1]) ~= "string" then
      core.misuse(("headers: entry %d must be a pair { key, value }"):format(i))
    end
    entries[#entries + 1] = pair
  end
  for _, key in ipairs(header_maps[map] or {}) do
    if map[key] ~= nil then
      entries[#entries + 1] = { key, map[key] }
      seen[key] = true
    end
  end
  for key in pairs(map) do
    if type(key) == "string" and not seen[key] then
      keys[#keys + 1] = key
    elseif type(key) ~= "string" and type(key) ~= "number" then
      core.misuse(("headers: a key must be a string, not a %s"):format(type(key)))
    end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do entries[#entries + 1] = { key, map[key] } end
  return entries
end

local headers_box = ffi.new("nats_headers *[1]")

-- nil, or a nats_headers that is freed with its last reference; and the status.
function M.make_headers(map)
  if map == nil then return nil, 0 end
  if type(map) ~= "table" then
    core.misuse(("option 'headers' must be a table, not a %s"):format(type(map)))
  end
  local status = C.nats_headers_new(headers_box)
  if status ~= 0 then return nil, status end
  local headers = ffi.gc(headers_box[0], C.nats_headers_free)
  for _, pair in ipairs(header_entries(map)) do
    status = add_values(headers, pair[1], pair[2])
    if status ~= 0 then break end
  end
  return headers, status
end

-- ---- messages ----

local message = {}
local message_fields = {}

function message_fields.headers(msg)
  local map, order = {}, {}
  for key, value in msg:each_header() do
    if not map[key] then
      map[key] = {}
      order[#order + 1] = key
    end
    table.insert(map[key], value)
  end
  header_maps[map] = order
  return map
end

-- Where a message of JetStream has its place, as read_place() below found it; nil of any other.
function message_fields.metadata(msg)
  local place = rawget(msg, "place")
  if not place then return nil end
  local numbers = place.numbers
  return {
    stream = place.stream, consumer = place.consumer, domain = place.domain,
    stream_seq = core.integer(numbers[0]), consumer_seq = core.integer(numbers[1]),
    delivered = core.integer(numbers[2]), pending = core.integer(numbers[3]),
    time = core.seconds_of(numbers[4]), time_ns = core.integer(numbers[4]),
  }
end

local message_meta = {
  __index = function(msg, key)
    local field = message_fields[key]
    if field then return field(msg) end
    return message[key]
  end,
  __tostring = function(msg)
    local place = msg.metadata
    local by = place and place.consumer and ", consumer " .. place.consumer or ""
    local where = place and (", stream %s%s, sequence %s"):format(place.stream, by,
      (tostring(place.stream_seq):gsub("U?LL$", ""))) or ""
    return ("nats.message: %s (%d bytes%s)"):format(msg.subject, #msg.data, where)
  end,
}

local key_box, value_box = ffi.new("const char *[1]"), ffi.new("const char *[1]")
local key_size, value_size = ffi.new("size_t[1]"), ffi.new("size_t[1]")

local function copy_headers(from, raw, msg)
  msg.raw_headers = ffi.string(raw, size_box[0])
  local status = C.nats_msg_status(from)
  if status ~= 0 then
    msg.status = status
    local text = C.nats_msg_description(from, size_box)
    msg.description = ffi.string(text, size_box[0])
  end
  local pairs_of, cursor = {}, ffi.new("size_t[1]")
  while C.nats_msg_next_header(from, cursor, key_box, key_size, value_box, value_size) ~= 0 do
    pairs_of[#pairs_of + 1] = ffi.string(key_box[0], key_size[0])
    pairs_of[#pairs_of + 1] = ffi.string(value_box[0], value_size[0])
  end
  msg.header_pairs = pairs_of
end

local JS_TEXTS = { stream = 16, consumer = 17, domain = 18 }
local JS_UINT_COUNT = 5

-- One of JetStream? It says so by its reply subject, or, when it was got from a stream, by this header.
local function read_place(from, msg)
  local delivered = msg.reply and msg.reply:sub(1, 8) == "$JS.ACK."
  local raw = msg.raw_headers
  if not delivered and not (raw and raw:find("\nNats-Stream:", 1, true)) then return end
  local numbers = ffi.new("uint64_t[?]", JS_UINT_COUNT)
  if C.nats_msg_js_uints(from, numbers) == 0 then return end
  local place = { numbers = numbers }
  for name, what in pairs(JS_TEXTS) do
    local text = C.nats_msg_js_text(from, what, size_box)
    if size_box[0] > 0 then place[name] = ffi.string(text, size_box[0]) end
  end
  msg.place, msg.acks = place, C.nats_msg_ack_state(from)
end

-- A message as a table; the library's copy is freed by who has the batch.
function M.to_lua(from, owner)
  local subject = C.nats_msg_subject(from, size_box)
  local msg = { subject = ffi.string(subject, size_box[0]), owner = owner }
  local data = C.nats_msg_data(from, size_box)
  msg.data = ffi.string(data, size_box[0])
  local reply = C.nats_msg_reply(from, size_box)
  if reply ~= nil then msg.reply = ffi.string(reply, size_box[0]) end
  msg.sid = tonumber(C.nats_msg_sid(from))
  local raw = C.nats_msg_headers_raw(from, size_box)
  if raw ~= nil then copy_headers(from, raw, msg) end
  if msg.reply or raw ~= nil then read_place(from, msg) end
  return setmetatable(msg, message_meta)
end

function message:header(key)
  check_text(key, "key")
  local list = self.header_pairs or {}
  for i = 1, #list, 2 do
    if list[i] == key then return list[i + 1] end
  end
  return nil
end

function message:each_header()
  local list, at = self.header_pairs or {}, -1
  return function()
    at = at + 2
    return list[at], list[at + 1]
  end
end

function message:respond(data, options)
  data = check_text(data, "data", "")
  options = check_table(options, "respond", { "headers" })
  if not self.reply then
    return nil, "the message has no reply subject", "INVALID", "reply"
  end
  return self.owner:publish(self.reply, data, { headers = options.headers })
end

for name, verb in pairs(require("nats.ack")(M)) do message[name] = verb end
core.class("nats.message", message, message_meta)

-- ---- batches ----

local batch = ffi.new("nats_msg *[?]", BATCH_MAX)

-- A list from take(max, ms, batch, count_out), at most max messages.
function M.take_list(take, handle, owner, max, ms)
  local list = {}
  repeat
    local asked = math.min(max - #list, BATCH_MAX)
    local status = waiting(function(left)
      return take(handle, asked, left, batch, size_box)
    end, ms)
    if status ~= 0 then
      if #list > 0 then return list end
      return fail(status)
    end
    local count = tonumber(size_box[0])
    for i = 0, count - 1 do list[#list + 1] = M.to_lua(batch[i], owner) end
    C.nats_msg_free_many(batch, count)
    ms = 0
  until count < asked or #list == max
  return list
end

function M.get_args(options, verb, wait)
  if type(options) == "number" then options = { max = options, wait = wait } end
  options = check_table(options, verb, { "max", "wait" })
  local max = check_count(options.max, "option 'max'", 1, GET_MAX)
  return max, check_ms(options.wait, "option 'wait'", -1)
end

M.box = ffi.new("nats_msg *[1]") -- where the library leaves a single message

-- The message in the box, or nil.
function M.take(owner)
  if M.box[0] == nil then return nil end
  local msg = M.to_lua(M.box[0], owner)
  C.nats_msg_free(M.box[0])
  return msg
end

return M
