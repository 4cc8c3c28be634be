-- Futures: of requests, and of what is waited for without a message.

local ffi = require "ffi"
local core = require "nats.core"
local messages = require "nats.message"

local C = core.C
local fail = core.fail
local check_ms = core.check_ms
local waiting = core.waiting

local int32_box = ffi.new("int32_t[1]")
local future_box = ffi.new("nats_future *[1]")

local future = {}
local future_meta = {
  __tostring = function(self)
    return "nats.future (" .. (self:done() and "done" or "open") .. ")"
  end,
}

-- What a verb of JetStream gives for the reply in the box.
local function give_answer(self)
  local msg = ffi.gc(messages.box[0], C.nats_msg_free)
  messages.box[0] = nil
  local a, b, c, d, e, f, g = self.give(msg, self.client)
  C.nats_msg_free(ffi.gc(msg, nil))
  return a, b, c, d, e, f, g
end

-- The reply that came, or nil. Of what gives none (connect_start and its like) true at its end.
local function take(self)
  if self.give and messages.box[0] ~= nil then return give_answer(self) end
  if not self.goal then return messages.take(self.client) end
  if not self:done() then return nil end
  if self.at_end then self.at_end(self.client) end
  return true
end

-- An ack that failed: its message is to be acknowledged again.
local function failed(self, status)
  if self.acked and self:done() then self.acked.acks = messages.ACK_OPEN end
  return fail(status)
end

function future:poll()
  local status = C.nats_future_poll(self.handle, messages.box, int32_box)
  if status ~= 0 then return failed(self, status) end
  return take(self)
end

function future:wait(timeout)
  local ms = check_ms(timeout, "timeout", -1)
  local status = waiting(function(left)
    return C.nats_future_wait(self.handle, left, messages.box)
  end, ms)
  if status ~= 0 then return failed(self, status) end
  return take(self)
end

function future:done() return C.nats_future_done(self.handle) ~= 0 end
function future:cancel() C.nats_future_cancel(self.handle) end

core.class("nats.future", future, future_meta)

local futures = { box = future_box }

local function new(client, goal, at_end, give, acked)
  return setmetatable({
    handle = ffi.gc(future_box[0], C.nats_future_free), client = client, goal = goal,
    at_end = at_end, give = give or false, acked = acked or false,
  }, future_meta)
end

-- What the call of C that made it has left in the box.
function futures.new(client) return new(client, false, false) end

-- The same of one that gives true at its end, and no reply. at_end(client): what that brings about.
function futures.goal(client, at_end) return new(client, true, at_end or false) end

-- Of a verb of JetStream. give(msg, client): what it gives for the library's reply; goal: true when there
-- was none; acked: the message that it acknowledges.
function futures.answer(client, give, goal, acked)
  return new(client, goal or false, false, give, acked)
end

-- Wait for what has its own time, and be done with it.
function futures.finish(made)
  local a, b, c, d, e, f, g = made:wait()
  C.nats_future_free(ffi.gc(made.handle, nil))
  made.handle = nil
  return a, b, c, d, e, f, g
end

return futures
