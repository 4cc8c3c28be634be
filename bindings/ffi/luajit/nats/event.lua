-- Events: plain tables with their facts.

local ffi = require "ffi"
local core = require "nats.core"

local C = core.C

local EVENT_DISCONNECTED, EVENT_CLOSED = 2, 4

local event_meta = {
  __tostring = function(event)
    return "nats.event: " .. event.type .. (event.text ~= "" and ": " .. event.text or "")
  end,
}

local function filled(text)
  text = ffi.string(text)
  return text ~= "" and text or nil
end

-- event: of the library; it is read, not kept.
local function event_table(event)
  local kind, status = C.nats_event_type(event), C.nats_event_status(event)
  local sid = tonumber(C.nats_event_sid(event))
  local ends = kind == EVENT_DISCONNECTED or kind == EVENT_CLOSED
  return setmetatable({
    type = ffi.string(C.nats_event_name(event)),
    text = ffi.string(C.nats_event_text(event)),
    time = tonumber(C.nats_event_time_ns(event)) / 1e9,
    url = filled(C.nats_event_url(event)),
    subject = filled(C.nats_event_subject(event)),
    status = status ~= 0 and core.status_name(status) or nil,
    sid = sid ~= 0 and sid or nil,
    lost = ends and tonumber(C.nats_event_lost(event)) or nil,
    unconfirmed = ends and tonumber(C.nats_event_unconfirmed(event)) or nil,
  }, event_meta)
end

return { to_lua = event_table, meta = event_meta }
