-- A consumer: its verbs, and how its messages come: as a list (fetch, next) or as an ordinary subscription
-- (consume). An ordered one is made when it is first used.

local ffi = require "ffi"
local core = require "nats.core"
local futures = require "nats.future"
local json = require "nats.json"
local messages = require "nats.message"
local subscription = require "nats.subscription"
local verbs = require "nats.verb"

local C = core.C
local check_table, check_ms, check_count = core.check_table, core.check_ms, core.check_count

local CLOSED = "CLOSED"
local ORDERED_MAX = 100 -- messages that fetch of an ordered one takes at most, unless told
local ORDERED_WAIT = 5 -- seconds that fetch of an ordered one waits at most, unless told: as of any other

local M = {}
local consumer = {}
local consumer_meta = {
  __index = function(self, key)
    if key == "config" then
      local info = rawget(self, "cached_info")
      return info and info.config
    end
    return consumer[key]
  end,
  __tostring = function(self)
    return ("nats.consumer: %s %s"):format(self.stream, rawget(self, "name") or "ordered")
  end,
}

function M.new(js, stream, name, info)
  return setmetatable({ js = js, stream = stream, name = name, cached_info = info }, consumer_meta)
end

function M.ordered(js, stream, config)
  return setmetatable({
    js = js, stream = stream, asked = config, cached_info = { config = config },
  }, consumer_meta)
end

local function is_ordered(self) return rawget(self, "asked") ~= nil end

-- What names it in the arguments of verbs.
function consumer:names() return { stream = self.stream, consumer = rawget(self, "name") } end

-- ---- beginning ----

local sub_box = ffi.new("nats_sub *[1]")

local function arguments_of(self, options, mode)
  if options ~= nil and type(options) ~= "table" then
    core.misuse(("options must be a table, not a %s"):format(type(options)))
  end
  local made = { mode = mode }
  for name, value in pairs(options or {}) do
    if name ~= "callback" and name ~= "timeout" then made[name] = value end
  end
  made.stream = self.stream
  if is_ordered(self) then
    made.config = self.asked
  else
    made.consumer = rawget(self, "name")
  end
  return made
end

-- The server's info of the consumer: an ordered one learns its name, of any other it is what was told
-- last.
local function note(self, msg)
  local info, status = verbs.read(msg)
  if status ~= 0 then return core.fail(status) end
  if self and is_ordered(self) then
    rawset(self, "name", info.name)
  elseif self then
    rawset(self, "cached_info", info)
  end
  return true
end

-- A subscription, and the future that ends when the consumer is there. self: the consumer, or nil.
function M.start(js, how, arguments, callback, self, ms)
  local text = json.write(arguments, how)
  local status = core.waiting(function()
    return C.nats_js_consume_start(js.handle, how, text, #text, ms or -1, sub_box,
      futures.box)
  end, -1)
  if status ~= 0 then return core.fail(status) end
  local sub = subscription(sub_box[0], js.client, callback or nil)
  if callback then js.client.subs[sub.sid] = sub end
  return sub, futures.answer(js.client, function(msg) return note(self, msg) end, true)
end

-- What start gave, once the consumer is there: the subscription.
function M.wait(sub, future, ...)
  if not sub then return nil, future, ... end
  local whole, fine, text, code, about, err_code, server_code, description =
    pcall(futures.finish, future)
  if not whole then
    sub:unsubscribe() -- nobody has it: it would take messages for ever
    error(fine, 0)
  end
  if not fine then return nil, text, code, about, err_code, server_code, description end
  return sub
end

-- ---- consume ----

local function how_of(self)
  if is_ordered(self) then return "ordered" end
  local config = self.config
  return config and config.deliver_subject and "push" or "consume"
end

function consumer:consume_start(options)
  local callback = type(options) == "table" and options.callback or nil
  if callback ~= nil and type(callback) ~= "function" and type(callback) ~= "table" then
    core.misuse("option 'callback' must be a function, not a " .. type(callback))
  end
  local mode = callback and "callback" or "shared"
  local ms = check_ms(type(options) == "table" and options.timeout or nil, "option 'timeout'", -1)
  return M.start(self.js, how_of(self), arguments_of(self, options, mode), callback, self, ms)
end

function consumer:consume(options)
  if not rawget(self, "cached_info") then
    local timed = type(options) == "table" and { timeout = options.timeout } or nil
    local info, text, code, about, err_code, server_code, description = self:info(timed)
    if not info then return nil, text, code, about, err_code, server_code, description end
  end
  return M.wait(self:consume_start(options))
end

-- ---- lists ----

-- A list that is being filled is the consumer's until it is given: an error out of a hook, as Ctrl-C's is, leaves it
-- there for the next call.
local function kept(self)
  local list = rawget(self, "kept")
  if not list then
    list = {}
    rawset(self, "kept", list)
  end
  return list
end

-- The first max messages of that list; the others stay kept.
local function give(self, max)
  local list, rest = kept(self), nil
  if #list > max then
    rest = {}
    for i = #list, max + 1, -1 do
      rest[i - max], list[i] = list[i], nil
    end
  end
  rawset(self, "kept", rest)
  return list
end

-- At most max messages into that list, until the subscription ends or the time is up: true, or why there are none.
local function collect(self, sub, max, stop)
  local list = kept(self)
  while #list < max do
    local left = stop and math.max(0, stop - core.now()) or nil
    local more, text, code, about, err_code, server_code, description = sub:get {
      max = math.min(max - #list, messages.GET_MAX), wait = left,
    }
    if not more then
      if #list > 0 and code ~= CLOSED then -- the next call tells
        rawset(self, "why", { text, code, about, err_code, server_code, description })
      end
      if #list > 0 or (code == CLOSED and not is_ordered(self)) then return true end
      return nil, text, code, about, err_code, server_code, description
    end
    for _, msg in ipairs(more) do list[#list + 1] = msg end
    if #more == 0 then return true end
  end
  return true
end

-- fetch(max, options), fetch(max, wait), fetch { max = …, wait = … }: max, or nil, and the options.
local function fetch_arguments(max, options, verb)
  if type(max) == "table" then
    if options ~= nil then core.misuse(verb .. ": the options are the first argument already") end
    options = {}
    for name, value in pairs(max) do options[name] = value end
    max, options.max = options.max, nil
  end
  if type(options) == "number" then options = { wait = options } end
  if options ~= nil and type(options) ~= "table" then
    core.misuse(("%s: options must be a table, not a %s"):format(verb, type(options)))
  end
  if options and options.timeout ~= nil then
    core.misuse(("%s: unknown option 'timeout' (the nearest is 'wait')"):format(verb))
  end
  check_ms(options and options.wait, "option 'wait'", -1)
  return check_count(max, "max", 1), options
end

function consumer:fetch_start(max, options)
  max, options = fetch_arguments(max, options, "fetch")
  if is_ordered(self) then core.misuse("an ordered consumer has consume_start, not fetch_start") end
  local arguments = arguments_of(self, options, "private")
  arguments.max = max
  -- No time to wait is what the server calls no_wait.
  if arguments.wait == 0 then arguments.wait, arguments.no_wait = nil, true end
  return M.start(self.js, "fetch", arguments, false, self)
end

-- Why the fetch before it ended behind its messages: nil and that, once.
local function last_end(self)
  local why = rawget(self, "why")
  rawset(self, "why", nil)
  if why then return nil, unpack(why, 1, 6) end
  return true
end

-- What a fetch that an error ended has left: its list, and what has come to its subscription.
local function left(self, max)
  local list, sub = kept(self), rawget(self, "sub")
  if sub then
    sub:unsubscribe()
    local more = sub:get { wait = 0 }
    while more and #more > 0 do
      for _, msg in ipairs(more) do list[#list + 1] = msg end
      more = sub:get { wait = 0 }
    end
    rawset(self, "sub", nil)
  end
  return #list > 0 and give(self, max)
end

local function hold(self, sub, ...)
  rawset(self, "sub", sub)
  return sub, ...
end

local function fetch(self, max, options)
  local most = max or math.huge -- the library knows where it ends
  local found = left(self, max or options and options.max_bytes and most or 1)
  if found then return found end
  local sub, text, code, about, err_code, server_code, description = last_end(self)
  if sub then
    sub, text, code, about, err_code, server_code, description =
      M.wait(hold(self, self:fetch_start(max, options)))
  end
  if sub then
    found, text, code, about, err_code, server_code, description = collect(self, sub, most)
  end
  rawset(self, "sub", nil)
  if not found then return nil, text, code, about, err_code, server_code, description end
  return give(self, most)
end

local function ordered_sub(self)
  local fine, text, code, about, err_code, server_code, description = last_end(self)
  if not fine then return nil, text, code, about, err_code, server_code, description end
  local sub = rawget(self, "sub")
  if sub then return sub end
  sub, text, code, about, err_code, server_code, description =
    M.wait(M.start(self.js, "ordered", arguments_of(self, nil, "private"), false, self))
  if not sub then return nil, text, code, about, err_code, server_code, description end
  rawset(self, "sub", sub)
  return sub
end

-- Its name changes when it is made anew.
local function note_name(self, msg)
  if msg and msg.metadata then rawset(self, "name", msg.metadata.consumer) end
  return msg
end

local function fetch_ordered(self, max, options)
  options = check_table(options, "fetch", { "wait", "no_wait" })
  check_ms(options.wait, "option 'wait'", -1)
  local sub, text, code, about, err_code, server_code, description = ordered_sub(self)
  if not sub then return nil, text, code, about, err_code, server_code, description end
  local wait = options.no_wait and 0 or options.wait or ORDERED_WAIT
  local found
  max = max or ORDERED_MAX
  found, text, code, about, err_code, server_code, description =
    collect(self, sub, max, core.now() + wait)
  if not found then return nil, text, code, about, err_code, server_code, description end
  local list = give(self, max)
  note_name(self, list[#list])
  return list
end

function consumer:fetch(max, options)
  max, options = fetch_arguments(max, options, "fetch")
  return (is_ordered(self) and fetch_ordered or fetch)(self, max, options)
end

function consumer:next(wait)
  local _, options = fetch_arguments(1, wait, "next")
  local list, text, code, about, err_code, server_code, description = self:fetch(1, options)
  if not list then return nil, text, code, about, err_code, server_code, description end
  return list[1]
end

-- An iterator over an ordered one's own subscription, from which fetch and next take too.
function consumer:messages(timeout)
  if not is_ordered(self) then
    core.misuse("messages: an ordered consumer has it; of others consume() does")
  end
  local sub, text = ordered_sub(self)
  if not sub then error(text, 0) end
  local more, why, code, about = sub:messages(timeout)
  if not more then return nil, why, code, about end
  return function()
    return note_name(self, #kept(self) > 0 and give(self, 1)[1] or more())
  end
end
consumer.iterate = consumer.messages

-- Ends what fetch, next and messages take from; the next of them begins anew.
function consumer:close()
  if not is_ordered(self) then
    core.misuse("close: an ordered consumer has it; another stays until delete()")
  end
  local sub = rawget(self, "sub")
  rawset(self, "sub", nil)
  rawset(self, "why", nil)
  rawset(self, "kept", nil)
  if sub then sub:unsubscribe() end
  return true
end

-- ---- verbs ----

function consumer:info_start(options)
  if not rawget(self, "name") then
    return core.refuse("an ordered consumer is made when it is first used: by info, say", "INVALID",
      "consumer")
  end
  local arguments, ms = verbs.arguments(self, "info", "consumer_info", "", { options })
  return verbs.start(self, "consumer_info", arguments, ms, verbs.give_info)
end

-- An ordered one is made by it, if by nothing before.
function consumer:info(options)
  if is_ordered(self) then
    local sub, text, code, about, err_code, server_code, description = ordered_sub(self)
    if not sub then return nil, text, code, about, err_code, server_code, description end
  end
  return verbs.finish(self:info_start(options))
end

verbs.set(consumer, {
  { "delete", "delete_consumer", "", verbs.give_true },
  { "pause", "pause_consumer", "pause_until", verbs.give_table },
  { "resume", "resume_consumer", "", verbs.give_table },
  { "reset", "reset_consumer", "seq?", verbs.give_table },
  { "unpin", "unpin_consumer", "group", verbs.give_true },
  { "leader_stepdown", "consumer_leader_stepdown", "", verbs.give_true },
})
core.class("nats.consumer", consumer, consumer_meta)

return M
