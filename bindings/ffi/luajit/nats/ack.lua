-- Acknowledging messages of JetStream: verbs of a message. A message here is a copy, which knows whether
-- it was acknowledged; what is sent, the library knows.

local core = require "nats.core"

local C = core.C
local check_ms, check_text, refuse = core.check_ms, core.check_text, core.refuse

local ACK, NAK, IN_PROGRESS, TERM = 1, 2, 3, 4

-- states: the module of messages.
return function(states)
  local message = {}

  -- nil, or why it cannot be acknowledged.
  local function refused(msg)
    local acks = rawget(msg, "acks") or states.ACK_NONE
    if acks == states.ACK_NONE then
      return "the message was not delivered by a consumer of JetStream"
    elseif acks == states.ACK_DONE then
      return "the message was acknowledged already"
    end
  end

  local function send(client, msg, how, delay, reason)
    if msg.acks == states.ACK_UNWANTED then return true end -- its consumer's ack_policy is none
    local status = core.waiting(function()
      return C.nats_client_ack_reply(client.handle, msg.reply, #msg.reply, how, delay or 0, reason,
        reason and #reason or 0)
    end, -1)
    if status ~= 0 then return core.fail(status) end
    if how ~= IN_PROGRESS then msg.acks = states.ACK_DONE end
    return true
  end

  local function tell(msg, how, delay, reason)
    local why = refused(msg)
    if why then return refuse(why, "INVALID", "msg") end
    return send(msg.owner, msg, how, delay, reason)
  end

  function message:ack() return tell(self, ACK) end
  function message:nak(delay) return tell(self, NAK, check_ms(delay, "delay", 0)) end
  function message:in_progress() return tell(self, IN_PROGRESS) end

  function message:term(reason)
    if type(reason) == "table" then
      reason = core.check_table(reason, "term", { "reason" }).reason
    end
    return tell(self, TERM, 0, reason ~= nil and check_text(reason, "reason") or nil)
  end

  local function acknowledged() return true end

  -- After a failure it may be called again.
  local function sync_start(msg, timeout)
    local ms, why = check_ms(timeout, "timeout", -1), refused(msg)
    if not why and msg.acks == states.ACK_UNWANTED then
      why = "the message's consumer takes no acks: its ack_policy is none"
    end
    if why then return refuse(why, "INVALID", "msg") end
    local futures = require "nats.future"
    local status = core.waiting(function()
      return C.nats_client_ack_reply_start(msg.owner.handle, msg.reply, #msg.reply, ms, futures.box)
    end, -1)
    if status ~= 0 then return core.fail(status) end
    msg.acks = states.ACK_DONE
    return futures.answer(msg.owner, acknowledged, false, msg)
  end

  function message:ack_sync_start(timeout) return sync_start(self, timeout) end

  function message:ack_sync(timeout)
    local made, text, code, about, err_code, server_code, description = sync_start(self, timeout)
    if not made then return nil, text, code, about, err_code, server_code, description end
    return require("nats.future").finish(made)
  end

  -- Of a client: what is none of JetStream's, or was acknowledged, is passed over.
  function states.ack_many(client, list)
    local count = 0
    for _, msg in ipairs(list) do
      if rawget(msg, "acks") == states.ACK_OPEN then
        local done, text, code, about = send(client, msg, ACK)
        if not done then return nil, text, code, about end
        count = count + 1
      end
    end
    return count
  end

  return message
end
