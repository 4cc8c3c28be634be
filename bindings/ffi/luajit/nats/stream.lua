-- A stream: its name, what was told of it last, and the verbs.

local core = require "nats.core"
local consumers = require "nats.consumer"
local verbs = require "nats.verb"

local check_text, check_table = core.check_text, core.check_table

local stream = {}
local stream_meta = {
  __index = function(self, key)
    if key == "config" then
      local info = rawget(self, "cached_info")
      return info and info.config
    end
    return stream[key]
  end,
  __tostring = function(self) return "nats.stream: " .. self.name end,
}

local function new(js, name, info)
  return setmetatable({ js = js, name = name, cached_info = info }, stream_meta)
end

-- What names it in the arguments of verbs.
local function names(self) return { stream = self.name } end
stream.names = names

-- ---- its consumers ----

function stream:consumer(name)
  return consumers.new(self.js, self.name, check_text(name, "name"))
end

function stream:ordered_consumer(config)
  if config ~= nil and type(config) ~= "table" then
    core.misuse("ordered_consumer: config must be a table, not a " .. type(config))
  end
  return consumers.ordered(self.js, self.name, config or {})
end

function stream:consumers(options)
  return verbs.pages(self, "consumers", "consumers", options, function(info)
    return consumers.new(self.js, self.name, info.name, info)
  end)
end

function stream:consumer_names(options)
  return verbs.pages(self, "consumer_names", "consumers", options)
end

-- ---- messages ----

function stream:get_many_start(options)
  local arguments, ms = verbs.arguments(self, "get_many", "get_messages", "", { options })
  return verbs.start(self, "get_messages", arguments, ms, verbs.give_message)
end

function stream:get_many(options)
  local future, text = self:get_many_start(options)
  if not future then error(text, 0) end
  return function()
    local msg, why, failed = future:wait()
    if failed then error(why, 0) end
    return msg
  end
end

function stream:delete_message_start(seq, options)
  options = check_table(options, "delete_message", { "erase", "timeout" })
  local ms = core.check_ms(options.timeout, "option 'timeout'", -1)
  local arguments = verbs.arguments(self, "delete_message", "delete_message", "seq", { seq })
  if options.erase == false then arguments.no_erase = true end
  return verbs.start(self, "delete_message", arguments, ms, verbs.give_true)
end

function stream:delete_message(seq, options)
  return verbs.finish(self:delete_message_start(seq, options))
end

-- ---- verbs ----

local function give_consumer(msg, self)
  local info, status = verbs.read(msg)
  if status ~= 0 then return core.fail(status) end
  return consumers.new(self.js, info.stream_name, info.name, info)
end

local function give_purged(msg)
  local answer, status = verbs.read(msg)
  if status ~= 0 then return core.fail(status) end
  return answer.purged
end

verbs.set(stream, {
  { "info", "stream_info", "", verbs.give_info },
  { "update", "change_stream", "config=", verbs.give_info },
  { "delete", "delete_stream", "", verbs.give_true },
  { "purge", "purge_stream", "", give_purged },
  { "seal", "seal_stream", "", verbs.give_self },
  { "get", "get_message", "seq", verbs.give_message },
  { "get_last", "get_message", "last_by_subj", verbs.give_message },
  { "get_next", "get_message", "next_by_subj seq?", verbs.give_message },
  { "create_consumer", "create_consumer", "config=?", give_consumer },
  { "update_consumer", "update_consumer", "config=", give_consumer },
  { "create_or_update_consumer", "create_or_update_consumer", "config=", give_consumer },
  { "get_or_create_consumer", "get_or_create_consumer", "config=", give_consumer },
  { "delete_consumer", "delete_consumer", "consumer", verbs.give_true },
  { "leader_stepdown", "stream_leader_stepdown", "", verbs.give_true },
  { "peer_remove", "stream_peer_remove", "peer", verbs.give_true },
})

-- Subjects come in pages; who names an offset wants that one.
function stream:info(options)
  local info, text, code, about, err_code, server_code, description =
    verbs.finish(self:info_start(options))
  if not info then return nil, text, code, about, err_code, server_code, description end
  local subjects = info.state.subjects
  if not subjects or options.offset then return info end
  local count, before = 0, -1
  for _ in pairs(subjects) do count = count + 1 end
  while count < (info.total or 0) and count > before do
    local asked = { offset = count }
    for name, value in pairs(options) do asked[name] = value end
    local page, arguments, ms
    arguments, ms = verbs.arguments(self, "info", "stream_info", "", { asked })
    page, text, code, about, err_code, server_code, description = verbs.finish(
      verbs.start(self, "stream_info", arguments, ms, verbs.give_table))
    if not page then return nil, text, code, about, err_code, server_code, description end
    before = count
    for subject, messages in pairs(page.state.subjects or {}) do
      if not subjects[subject] then count = count + 1 end
      subjects[subject] = messages
    end
  end
  return info
end
core.class("nats.stream", stream, stream_meta)

return { new = new }
