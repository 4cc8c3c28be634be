-- Callbacks: called from dispatch and run, never by the library and never in another thread.

local ffi = require "ffi"
local core = require "nats.core"
local messages = require "nats.message"

local C, fail, done, check_ms, waiting = core.C, core.fail, core.done, core.check_ms, core.waiting

local CLOSED, TIMEOUT = -3, -1
local BATCH_MAX = 1024         -- messages that one call of the library moves
local EVENT_SLICE_MS = 100     -- how late a function of on_event may learn of an event

local client = {} -- the client's verbs
local batch, size_box = ffi.new("nats_msg *[?]", BATCH_MAX), ffi.new("size_t[1]")

local function traceback(err)
  return type(err) == "string" and debug.traceback(err, 2) or err
end

-- The error, with its traceback, is raised to who called dispatch.
local function call(fn, ...)
  local args, count = { ... }, select("#", ...)
  local fine, err = xpcall(function() fn(unpack(args, 1, count)) end, traceback)
  if not fine then error(err, 0) end
end

-- Let go of functions whose subscriptions have ended.
local function sweep(self)
  self.ended = false
  for sid, sub in pairs(self.subs) do
    if not sub:active() and sub:stats().pending == 0 then self.subs[sid] = nil end
  end
end

local function call_events(self)
  while self.event_callback do
    local event = self:next_event(0)
    if not event then return true end
    call(self.event_callback, event)
  end
  return false
end

-- Messages for callbacks into self.queued; they stay there until they are handed over.
local function fill(self, max, ms)
  local status = waiting(function(left)
    return C.nats_client_get_callbacks(self.handle, math.min(max, BATCH_MAX), left, batch, size_box)
  end, ms)
  local count = status == 0 and tonumber(size_box[0]) or 0
  for i = 0, count - 1 do self.queued[i + 1] = messages.to_lua(batch[i], self) end
  C.nats_msg_free_many(batch, count)
  self.next_queued = 1
  return status
end

local function await(self, max, ms)
  local limit = ms > 0 and core.now() + ms / 1000
  while true do
    local events = call_events(self)
    local slice = ms
    if events and (ms < 0 or ms > EVENT_SLICE_MS) then slice = EVENT_SLICE_MS end
    local status = fill(self, max, slice)
    if limit then ms = math.max(0, math.ceil((limit - core.now()) * 1000)) end
    if status ~= 0 or #self.queued > 0 or self.stopped or self.closed then return status end
    if not events or ms == 0 then return 0 end
  end
end

local function call_next(self)
  local at = self.next_queued
  local msg = self.queued[at]
  if not msg then
    if at > 1 then self.queued, self.next_queued = {}, 1 end
    return false
  end
  self.next_queued = at + 1
  local sub = self.subs[msg.sid]
  if sub then
    if not sub:active() then self.ended = true end
    call(sub.callback, msg, sub)
  end
  return true
end

local function dispatch(self, max, ms)
  local count = 0
  while count < max and not self.stopped and not self.closed do
    if call_next(self) then
      count = count + 1
    else
      if self.ended then sweep(self) end
      local status = await(self, max - count, count > 0 and 0 or ms)
      if status ~= 0 then return count, count > 0 and 0 or status end
      if #self.queued == 0 then return count, 0 end
    end
  end
  return count, 0
end

local function fail_closed() return nil, "the client is closed", "CLOSED", "client" end

function client:dispatch(options, wait)
  local max, ms = messages.get_args(options, "dispatch", wait)
  if self.closed then return fail_closed() end
  self.stopped = false
  local count, status = dispatch(self, max, ms)
  if status ~= 0 and count == 0 then return fail(status) end
  return count
end

function client:run(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  if self.closed then return fail_closed() end
  local limit = ms >= 0 and core.now() + ms / 1000
  self.stopped = false
  local status
  repeat
    local left = limit and math.max(0, math.ceil((limit - core.now()) * 1000)) or -1
    status = select(2, dispatch(self, messages.GET_MAX, left))
  until status ~= 0 or self.stopped or self.closed or (limit and core.now() >= limit)
  return self.closed or done(status)
end

function client:stop() self.stopped = true end

function client:on_event(callback)
  if callback ~= nil and type(callback) ~= "function" then
    core.misuse("on_event: a function or nil expected, not a " .. type(callback))
  end
  self.event_callback = callback or false
  return true
end

-- Subscriptions with callbacks first: their functions get what was under way.
function client:drain(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  local limit = core.now() + ms / 1000
  -- Without a time each step has the client's own, drain_timeout.
  local function left()
    return ms < 0 and -1 or math.max(0, math.ceil((limit - core.now()) * 1000))
  end
  local subs, status = {}, 0
  for _, sub in pairs(self.subs) do subs[#subs + 1] = sub end
  for _, sub in ipairs(subs) do
    status = waiting(function(wait) return C.nats_sub_drain(sub.handle, wait) end, left(),
      self.drain_ms)
    if status ~= 0 then break end
  end
  if status ~= 0 and status ~= CLOSED and status ~= TIMEOUT then return fail(status) end
  self.stopped = false
  repeat until dispatch(self, messages.GET_MAX, 0) == 0 or self.stopped
  return done(waiting(function(wait) return C.nats_client_drain(self.handle, wait) end, left(),
    self.drain_ms))
end

return client
