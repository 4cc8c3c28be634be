-- Publishing to JetStream: one message, a window of them, an atomic batch.

local ffi = require "ffi"
local core = require "nats.core"
local futures = require "nats.future"
local json = require "nats.json"
local messages = require "nats.message"
local verbs = require "nats.verb"

local C = core.C
local fail, waiting, refuse = core.fail, core.waiting, core.refuse
local check_text, check_table, check_ms = core.check_text, core.check_table, core.check_ms

local INTERRUPTED = -18
local INT, UINT, DURATION = 3, 4, 9
local EXACT = 2 ^ 53 -- whole numbers below are numbers, those above are cdata
local PUBLISH_SLICE = 200 -- payloads of one inner call of publish_many
local STATS = { "published", "acked", "duplicates", "failed", "pending" }

local M = { verbs = {} }
local js = M.verbs -- of the jetstream
local int32_box, size_box = ffi.new("int32_t[1]"), ffi.new("size_t[1]")
local id_box = ffi.new("uint64_t[1]")

-- ---- what a publish says besides its data ----

local KINDS = { [DURATION] = "seconds", [INT] = "integer", [UINT] = "unsigned" }
local keywords = {} -- { name=, header=, type= }
do
  local index = 0
  while true do
    local name = C.nats_js_keyword(index)
    if name == nil then break end
    local header = ffi.string(C.nats_js_header(name, int32_box))
    keywords[index + 1] = {
      name = ffi.string(name), header = header, type = KINDS[int32_box[0]] or "text",
    }
    index = index + 1
  end
end

-- nats.keywords()
function M.keywords()
  local list = {}
  for i, keyword in ipairs(keywords) do
    list[i] = { name = keyword.name, header = keyword.header, type = keyword.type }
  end
  return list
end

local function names_of(more)
  local names = { "headers", more }
  for _, keyword in ipairs(keywords) do names[#names + 1] = keyword.name end
  return names
end

local PUBLISH_NAMES, PUBLISHER_NAMES = names_of("timeout"), names_of(nil)

local function keyword_text(keyword, value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind ~= "number" and kind ~= "cdata" then
    core.misuse(("option '%s' must be a text or a number, not a %s"):format(keyword.name, kind))
  end
  if keyword.type == "seconds" then
    return ("%.0fms"):format(check_ms(value, keyword.name, 0))
  end
  local whole = kind == "cdata" or value % 1 == 0
  local digits = whole and json.digits_of(value) or tostring(value)
  return keyword.type == "integer" and digits:sub(1, 1) ~= "-" and "+" .. digits or digits
end

local headers_box = ffi.new("nats_headers *[1]")

-- The headers that options say, or nil; and the status.
local function make_headers(options)
  local headers, status = messages.make_headers(options.headers)
  for _, keyword in ipairs(keywords) do
    local value = options[keyword.name]
    if status == 0 and value ~= nil then
      local text = keyword_text(keyword, value)
      if not headers then
        status = C.nats_headers_new(headers_box)
        if status ~= 0 then return nil, status end
        headers = ffi.gc(headers_box[0], C.nats_headers_free)
      end
      status = C.nats_headers_add(headers, keyword.header, #keyword.header, text, #text)
    end
  end
  return headers, status
end

-- headers or nil, the status, the time in ms.
local function read_options(options, verb)
  if options == nil then return nil, 0, -1 end
  options = check_table(options, verb, PUBLISH_NAMES)
  local ms = check_ms(options.timeout, "option 'timeout'", -1)
  local headers, status = make_headers(options)
  return headers, status, ms
end

-- ---- one message ----

-- A counter's value, of a text: a whole number. One beyond 63 bits stays a text, as in Lua 5.4.
local function value_of(text)
  if type(text) ~= "string" then return text end
  local number = json.read(text, #text)
  local exact = type(number) == "number" and math.abs(number) < EXACT
  return (exact or ffi.istype("int64_t", number)) and number or text
end

-- The server says "val" for a counter's value.
local function give_ack(msg)
  local ack, status = verbs.read(msg)
  if status ~= 0 then return fail(status) end
  ack.value, ack.val = value_of(ack.val), nil
  ack.duplicate = ack.duplicate or false
  return ack
end

function js:publish_start(subject, data, options)
  subject, data = check_text(subject, "subject"), check_text(data, "data", "")
  local headers, status, ms = read_options(options, "publish")
  if status ~= 0 then return fail(status) end
  status = waiting(function()
    return C.nats_js_publish_start(self.handle, subject, #subject, headers, data, #data, ms,
      futures.box)
  end, -1)
  if status ~= 0 then return fail(status) end
  return futures.answer(self.client, give_ack)
end

function js:publish(subject, data, options)
  return verbs.finish(self:publish_start(subject, data, options))
end

-- ---- a publisher ----

local publisher = {}
local publisher_meta = {
  __tostring = function(self)
    return "nats.publisher (" .. (self.handle and "open" or "closed") .. ")"
  end,
}
local publisher_box = ffi.new("nats_js_publisher *[1]")

-- A fast one asks the server first.
local function new_publisher(self, max_pending, fast)
  local make = fast and C.nats_js_publisher_fast or C.nats_js_publisher_new
  local status = waiting(function()
    return make(self.handle, max_pending or 0, publisher_box)
  end, -1)
  if status ~= 0 then return nil, status end
  return setmetatable({
    handle = ffi.gc(publisher_box[0], C.nats_js_publisher_free), js = self, client = self.client,
  }, publisher_meta), 0
end

local function check_max_pending(options)
  local value = options.max_pending
  if value ~= nil and (type(value) ~= "number" or value % 1 ~= 0) then
    core.misuse("option 'max_pending' must be a whole number, not " .. tostring(value))
  end
  return value
end

function js:publisher(options)
  options = check_table(options, "publisher", { "max_pending", "fast" })
  if options.fast ~= nil and type(options.fast) ~= "boolean" then
    core.misuse("option 'fast' must be true or false, not a " .. type(options.fast))
  end
  local made, status = new_publisher(self, check_max_pending(options), options.fast)
  if not made then return fail(status) end
  return made
end

-- A future that gives true once it is known what the server can do.
function js:level_start(timeout)
  local status = C.nats_js_level_start(self.handle, check_ms(timeout, "timeout", -1), futures.box)
  if status ~= 0 then return fail(status) end
  return futures.goal(self.client)
end

local function closed() return refuse("the publisher is closed", "CLOSED", "publisher") end

function publisher:publish(subject, data, options)
  if not self.handle then return closed() end
  subject, data = check_text(subject, "subject"), check_text(data, "data", "")
  local headers, status
  if options ~= nil then
    headers, status = make_headers(check_table(options, "publish", PUBLISHER_NAMES))
    if status ~= 0 then return fail(status) end
  end
  status = C.nats_js_publisher_publish(self.handle, subject, #subject, headers, data, #data, id_box)
  if status == INTERRUPTED then
    status = waiting(function()
      return C.nats_js_publisher_publish(self.handle, subject, #subject, headers, data, #data,
        id_box)
    end, -1)
  end
  if status ~= 0 then return fail(status) end
  return core.integer(id_box[0])
end

-- How many messages go now without waiting; 0 and "level": those with such options not before
-- publisher:level_start() has ended.
function publisher:room(options)
  if not self.handle then return closed() end
  local headers, status
  if options ~= nil then
    headers, status = make_headers(check_table(options, "room", PUBLISHER_NAMES))
    if status ~= 0 then return fail(status) end
  end
  local room = tonumber(C.nats_js_publisher_room(self.handle, headers))
  if room < 0 then return 0, "level" end
  return room
end

function publisher:level_start(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  if not self.handle then return closed() end
  local status = C.nats_js_publisher_level_start(self.handle, ms, futures.box)
  if status ~= 0 then return fail(status) end
  return futures.goal(self.client)
end

local slice_data = ffi.new("const void *[?]", PUBLISH_SLICE)
local slice_size = ffi.new("size_t[?]", PUBLISH_SLICE)

local function check_payloads(payloads)
  if type(payloads) ~= "table" then
    core.misuse("publish_many: payloads must be a list of strings")
  end
  local texts = {}
  -- # may stop at a hole.
  for i = 1, table.maxn(payloads) do texts[i] = check_text(payloads[i], "payload " .. i) end
  return texts
end

-- The status, how many were accepted, and the id of the first.
local function publish_texts(handle, subject, texts)
  local done, first = 0, 0
  while done < #texts do
    local count = math.min(#texts - done, PUBLISH_SLICE)
    for i = 0, count - 1 do
      local text = texts[done + i + 1]
      slice_data[i], slice_size[i] = ffi.cast("const char *", text), #text
    end
    local status = C.nats_js_publisher_publish_many(handle, subject, #subject, slice_data,
      slice_size, count, id_box, size_box)
    local accepted = tonumber(size_box[0])
    if done == 0 and accepted > 0 then first = core.integer(id_box[0]) end
    done = done + accepted
    if status ~= 0 and status ~= INTERRUPTED then return status, done, first end
    if status ~= 0 then core.when_interrupted() end
  end
  return 0, done, first
end
jit.off(publish_texts) -- a signal's hook runs between two slices

function publisher:publish_many(subject, payloads)
  if not self.handle then return closed() end
  subject = check_text(subject, "subject")
  local texts = check_payloads(payloads)
  local status, done, first
  if #texts == 0 then return 0, 0 end
  status, done, first = publish_texts(self.handle, subject, texts)
  if status ~= 0 then
    local _, text, code, about = fail(status)
    return nil, text, code, about, done, first
  end
  return first, done
end

-- The status. A closed client has no futures; nothing of its publishers is under way then.
local function flush(handle, ms)
  local status = C.nats_js_publisher_flush_start(handle, ms, futures.box)
  if status ~= 0 then return C.nats_js_publisher_flush(handle, 0) end
  local future = ffi.gc(futures.box[0], C.nats_future_free)
  return waiting(function(left) return C.nats_future_wait(future, left, messages.box) end, -1)
end

function publisher:flush(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  if not self.handle then return closed() end
  return core.done(flush(self.handle, ms))
end

function publisher:flush_start(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  if not self.handle then return closed() end
  local status = C.nats_js_publisher_flush_start(self.handle, ms, futures.box)
  if status ~= 0 then return fail(status) end
  return futures.goal(self.client)
end

local function failure_of(status, id)
  local _, text, code, about, err_code, server_code, description = fail(status)
  return {
    id = id, text = text, code = code, about = about, err_code = err_code,
    server_code = server_code, description = description,
  }
end

local function failures_of(handle)
  local list = {}
  while true do
    local status = C.nats_js_publisher_next_failure(handle, id_box)
    if id_box[0] == 0 then return list end
    list[#list + 1] = failure_of(status, core.integer(id_box[0]))
  end
end

function publisher:failures()
  if not self.handle then return closed() end
  return failures_of(self.handle)
end

function publisher:stats()
  if not self.handle then return closed() end
  local values, named = ffi.new("uint64_t[?]", #STATS), {}
  C.nats_js_publisher_stats(self.handle, values, #STATS)
  for i, name in ipairs(STATS) do named[name] = tonumber(values[i - 1]) end
  return named
end

local function close(self, free)
  local handle = self.handle
  self.handle = false
  if handle then free(ffi.gc(handle, nil)) end
end

function publisher:close() close(self, C.nats_js_publisher_free) end

core.class("nats.publisher", publisher, publisher_meta)

-- Through a publisher of its own: all, then their acks. How many; or nil and why, and the list of failures
-- at the eighth place, and how many were sent: where that is not all, the last failure is why the next one was not.
function js:publish_many(subject, payloads, options)
  subject = check_text(subject, "subject")
  local texts = check_payloads(payloads)
  options = check_table(options, "publish_many", { "timeout", "max_pending" })
  local ms = check_ms(options.timeout, "option 'timeout'", -1)
  local made, status = new_publisher(self, check_max_pending(options))
  if not made then return fail(status) end
  local done
  status, done = publish_texts(made.handle, subject, texts)
  local stopped = status ~= 0 and failure_of(status, done + 1) or nil
  local flushed = done > 0 and flush(made.handle, ms) or 0
  if flushed == 0 and not stopped then
    made:close()
    return done
  end
  local why = flushed ~= 0 and failure_of(flushed) or stopped -- a message's failure says more
  local failures = failures_of(made.handle)
  failures[#failures + 1] = stopped
  made:close()
  return nil, why.text, why.code, why.about, why.err_code, why.server_code, why.description,
    failures, done
end

-- ---- an atomic batch (ADR-50) ----

local batch = {}
local batch_meta = {
  __tostring = function(self)
    return "nats.batch (" .. (self.handle and "open" or "abandoned") .. ")"
  end,
}
local batch_box = ffi.new("nats_js_batch *[1]")

function js:batch()
  local status = C.nats_js_batch_new(self.handle, batch_box)
  if status ~= 0 then return fail(status) end
  return setmetatable({
    handle = ffi.gc(batch_box[0], C.nats_js_batch_free), js = self, client = self.client,
  }, batch_meta)
end

local function step(self, call, verb, subject, data, options)
  if not self.handle then return nil, "the batch was abandoned", "CLOSED", "batch" end
  data = check_text(data, "data", "")
  local headers, status, ms = read_options(options, verb)
  if status ~= 0 then return fail(status) end
  status = waiting(function()
    return call(self.handle, subject, subject and #subject or 0, headers, data, #data, ms,
      futures.box)
  end, -1)
  if status ~= 0 then return fail(status) end
  return true
end

function batch:add_start(subject, data, options)
  local fine, text, code, about, err_code, server_code, description =
    step(self, C.nats_js_batch_add_start, "add", check_text(subject, "subject"), data, options)
  if not fine then return nil, text, code, about, err_code, server_code, description end
  return futures.answer(self.client, verbs.give_true, true)
end

function batch:add(subject, data, options)
  return verbs.finish(self:add_start(subject, data, options))
end

-- Without a subject there is no last message: the batch is what was added (nats-server 2.14).
function batch:commit_start(subject, data, options)
  subject = subject ~= nil and check_text(subject, "subject") or nil
  local fine, text, code, about, err_code, server_code, description =
    step(self, C.nats_js_batch_commit_start, "commit", subject, data, options)
  if not fine then return nil, text, code, about, err_code, server_code, description end
  return futures.answer(self.client, give_ack)
end

function batch:commit(subject, data, options)
  return verbs.finish(self:commit_start(subject, data, options))
end

function batch:abandon() close(self, C.nats_js_batch_free) end

core.class("nats.batch", batch, batch_meta)

return M
