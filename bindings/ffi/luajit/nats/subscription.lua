-- Subscriptions.

local ffi = require "ffi"
local core = require "nats.core"
local futures = require "nats.future"
local messages = require "nats.message"

local C = core.C
local fail = core.fail
local done = core.done
local check_count = core.check_count
local check_ms = core.check_ms
local waiting = core.waiting

local CLOSED = -3
local SUB_PRIVATE = 1
local STATS = { "pending", "pending_bytes", "delivered", "dropped", "received" }

local size_box = ffi.new("size_t[1]")
local sub = {}
local sub_fields = {
  subject = function(self)
    local text = C.nats_sub_subject(self.handle, size_box)
    return ffi.string(text, size_box[0])
  end,
  queue = function(self)
    local text = C.nats_sub_queue(self.handle, size_box)
    return size_box[0] > 0 and ffi.string(text, size_box[0]) or nil
  end,
  sid = function(self) return tonumber(C.nats_sub_sid(self.handle)) end,
}
local sub_meta = {
  __index = function(self, key)
    local field = sub_fields[key]
    if field then return field(self) end
    return sub[key]
  end,
  __tostring = function(self) return "nats.subscription: " .. self.subject end,
}

local function sub_next(self, ms)
  local status = waiting(function(left)
    return C.nats_sub_next(self.handle, left, messages.box)
  end, ms)
  if status ~= 0 then return nil, status end
  return messages.take(self.client), 0
end

function sub:next(timeout)
  local msg, status = sub_next(self, check_ms(timeout, "timeout", -1))
  if status ~= 0 then return fail(status) end
  return msg
end

function sub:get(options, wait)
  local max, ms = messages.get_args(options, "get", wait)
  return messages.take_list(C.nats_sub_get, self.handle, self.client, max, ms)
end

function sub:messages(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  if self.callback then core.misuse("messages: this subscription has a callback") end
  local status = C.nats_sub_set_mode(self.handle, SUB_PRIVATE)
  if status ~= 0 and status ~= CLOSED then return fail(status) end
  return function()
    local msg, failed = sub_next(self, ms)
    if failed ~= 0 and failed ~= CLOSED then error((select(2, fail(failed))), 2) end
    return msg
  end
end
sub.iterate = sub.messages

function sub:unsubscribe(after)
  after = core.check_after(after)
  self.client.ended = true
  return done(waiting(function() return C.nats_sub_unsubscribe(self.handle, after) end, -1))
end

function sub:drain(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  self.client.ended = true
  return done(waiting(function(left) return C.nats_sub_drain(self.handle, left) end, ms,
    self.client.drain_ms))
end

function sub:drain_start(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  self.client.ended = true
  local status = C.nats_sub_drain_start(self.handle, ms, futures.box)
  if status ~= 0 then return fail(status) end
  return futures.goal(self.client)
end

function sub:stats()
  local values, named = ffi.new("uint64_t[?]", #STATS), {}
  C.nats_sub_stats(self.handle, values, #STATS)
  for i, name in ipairs(STATS) do named[name] = tonumber(values[i - 1]) end
  return named
end

function sub:active() return C.nats_sub_active(self.handle) ~= 0 end

core.class("nats.subscription", sub, sub_meta)

-- handle: of the library, now the subscription's own.
return function(handle, client, callback)
  return setmetatable({
    handle = ffi.gc(handle, C.nats_sub_free), client = client, callback = callback,
  }, sub_meta)
end
