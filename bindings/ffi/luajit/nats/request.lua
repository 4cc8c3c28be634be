-- Requests and futures: a request waits as a future, so that a signal's hook can run while it
-- does.

local ffi = require "ffi"
local core = require "nats.core"
local futures = require "nats.future"
local messages = require "nats.message"

local C = core.C
local fail = core.fail
local check_text = core.check_text
local check_table = core.check_table
local check_count = core.check_count
local check_ms = core.check_ms
local waiting = core.waiting

local client = {} -- the client's verbs
local future_box = futures.box

-- ---- round trips that are not waited for ----

function client:flush_start(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  local status = C.nats_client_flush_start(self.handle, ms, future_box)
  if status ~= 0 then return fail(status) end
  return futures.goal(self)
end

-- What waits can be taken, and who finds none left closes the client.
local function close_unless_pending(self)
  if C.nats_client_pending(self.handle) == 0 then self:close() end
end

function client:drain_start(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  local status = C.nats_client_drain_start(self.handle, ms, future_box)
  if status ~= 0 then return fail(status) end
  return futures.goal(self, close_unless_pending)
end

-- ---- requests ----

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
  return futures.new(self), 0
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
  status = waiting(function()
    return C.nats_client_request_many(self.handle, subject, #subject, headers, data, #data, max,
      math.max(stall, 0), ms, options.sentinel and 1 or 0, future_box)
  end, -1)
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
