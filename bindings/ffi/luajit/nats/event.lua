-- Events: plain tables with their facts.

local ffi = require "ffi"
local core = require "nats.core"

local C = core.C

local EVENT_DISCONNECTED, EVENT_CLOSED, EVENT_ERROR = 2, 4, 7

local event_meta = {
  __tostring = function(event)
    return "nats.event: " .. event.type .. (event.text ~= "" and ": " .. event.text or "")
  end,
}

local function filled(text)
  text = ffi.string(text)
  return text ~= "" and text or nil
end

local function kind_name(kind)
  return kind ~= 0 and ffi.string(C.nats_kind_name(kind)) or nil
end

-- event: of the library; it is read, not kept.
local function event_table(event)
  local number, status = C.nats_event_type(event), C.nats_event_status(event)
  local sid, lost = tonumber(C.nats_event_sid(event)), tonumber(C.nats_event_lost(event))
  local ends = number == EVENT_DISCONNECTED or number == EVENT_CLOSED
  local recoverable = nil
  if number == EVENT_ERROR then recoverable = C.nats_event_recoverable(event) ~= 0 end
  return setmetatable({
    type = ffi.string(C.nats_event_name(event)),
    text = ffi.string(C.nats_event_text(event)),
    level = ffi.string(C.nats_level_name(C.nats_event_level(event))),
    line = ffi.string(C.nats_event_line(event)),
    time = tonumber(C.nats_event_time_ns(event)) / 1e9,
    url = filled(C.nats_event_url(event)),
    subject = filled(C.nats_event_subject(event)),
    status = status ~= 0 and core.status_name(status) or nil,
    kind = kind_name(C.nats_event_kind(event)),
    recoverable = recoverable,
    sid = sid ~= 0 and sid or nil,
    lost = (ends or lost ~= 0) and lost or nil,
    unconfirmed = ends and tonumber(C.nats_event_unconfirmed(event)) or nil,
  }, event_meta)
end

return { to_lua = event_table, meta = event_meta, kind_name = kind_name }
