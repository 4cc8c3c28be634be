-- Requests and futures: a request waits as a future, so that a signal's hook can run while it
-- does.

local ffi = require "ffi"
local core = require "nats.core"
local messages = require "nats.message"

local C = core.C
local fail = core.fail
local check_text = core.check_text
local check_table = core.check_table
local check_count = core.check_count
local check_ms = core.check_ms
local waiting = core.waiting

local client = {} -- the client's verbs
local int32_box = ffi.new("int32_t[1]")
local future_box = ffi.new("nats_future *[1]")

-- ---- the future's verbs ----

local future = {}
local future_meta = {
  __tostring = function(self)
    return "nats.future (" .. (self:done() and "done" or "open") .. ")"
  end,
}

function future:poll()
  local status = C.nats_future_poll(self.handle, messages.box, int32_box)
  if status ~= 0 then return fail(status) end
  return messages.take(self.client)
end

function future:wait(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  local status = waiting(function(left)
    return C.nats_future_wait(self.handle, left, messages.box)
  end, ms)
  if status ~= 0 then return fail(status) end
  return messages.take(self.client)
end

function future:done() return C.nats_future_done(self.handle) ~= 0 end
function future:cancel() C.nats_future_cancel(self.handle) end

core.class("nats.future", future, future_meta)

-- ---- the client's verbs ----

local function start_request(self, subject, data, options, verb)
  subject, data = check_text(subject, "subject"), check_text(data, "data", "")
  options = check_table(options, verb, { "timeout", "headers" })
  local ms = check_ms(options.timeout, "option 'timeout'", -1)
  local headers, status = messages.make_headers(options.headers)
  if status ~= 0 then return nil, status end
  status = waiting(function()
    return C.nats_client_request_start(self.handle, subject, #subject, headers, data, #data, ms,
      future_box)
  end, -1)
  if status ~= 0 then return nil, status end
  return setmetatable({
    handle = ffi.gc(future_box[0], C.nats_future_free), client = self,
  }, future_meta), 0
end

-- Free now: a loop of requests would else leave the work to the collector.
local function free_future(made)
  C.nats_future_free(ffi.gc(made.handle, nil))
  made.handle = nil
end

function client:request_start(subject, data, options)
  local made, status = start_request(self, subject, data, options, "request_start")
  if not made then return fail(status) end
  return made
end

function client:request(subject, data, options)
  local made, status = start_request(self, subject, data, options, "request")
  if not made then return fail(status) end
  local reply, text, code, about = made:wait()
  free_future(made)
  return reply, text, code, about
end

function client:request_many(subject, data, options)
  subject, data = check_text(subject, "subject"), check_text(data, "data", "")
  options = check_table(options, "request_many",
    { "max", "stall", "timeout", "sentinel", "headers" })
  local max = check_count(options.max, "option 'max'", 0, 0)
  local stall = check_ms(options.stall, "option 'stall'", 0)
  local ms = check_ms(options.timeout, "option 'timeout'", -1)
  if options.sentinel ~= nil and type(options.sentinel) ~= "boolean" then
    core.misuse("option 'sentinel' must be true or false, not a " .. type(options.sentinel))
  end
  local headers, status = messages.make_headers(options.headers)
  if status ~= 0 then return fail(status) end
  status = C.nats_client_request_many(self.handle, subject, #subject, headers, data, #data, max,
    math.max(stall, 0), ms, options.sentinel and 1 or 0, future_box)
  if status ~= 0 then return fail(status) end
  local handle = ffi.gc(future_box[0], C.nats_future_free)
  local list = {}
  repeat
    status = waiting(function() return C.nats_future_wait(handle, -1, messages.box) end, -1)
    local msg = status == 0 and messages.take(self) or nil
    list[#list + 1] = msg
  until not msg
  if status ~= 0 then return fail(status) end
  C.nats_future_free(ffi.gc(handle, nil))
  return list
end

return client
