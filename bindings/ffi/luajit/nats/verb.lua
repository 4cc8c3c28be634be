-- What the methods of JetStream's nouns are made of. A method is a line in a table: the verb of the API and
-- the names of its arguments.

local ffi = require "ffi"
local core = require "nats.core"
local futures = require "nats.future"
local json = require "nats.json"
local messages = require "nats.message"

local C = core.C
local M = {}
local size_box = ffi.new("size_t[1]")

-- The jetstream of a stream, a consumer, or itself.
local function js_of(object) return rawget(object, "js") or object end
M.js_of = js_of

-- ---- what verbs give: give(msg, object) ----

function M.read(msg)
  local text = C.nats_msg_data(msg, size_box)
  return json.read(text, size_box[0])
end

function M.give_table(msg)
  local value, status = M.read(msg)
  if status ~= 0 then return core.fail(status) end
  return value
end

function M.give_true() return true end

function M.give_message(msg, object) return messages.to_lua(msg, js_of(object).client) end

-- The answer of a verb that may be any.
function M.give_any(msg, object)
  if C.nats_msg_js_uint(msg, 0, nil) ~= 0 then return M.give_message(msg, object) end
  return M.give_table(msg)
end

-- The answer is what the object was told last.
function M.give_info(msg, object)
  local info, status = M.read(msg)
  if status ~= 0 then return core.fail(status) end
  rawset(object, "cached_info", info)
  return info
end

function M.give_self(msg, object)
  local info, text, code, about = M.give_info(msg, object)
  if not info then return nil, text, code, about end
  return object
end

-- ---- calls ----

-- A future of the verb; ms: -1 for the jetstream's own time.
function M.start(object, verb, arguments, ms, give)
  local js, text = js_of(object), json.write(arguments, verb)
  local status = core.waiting(function()
    return C.nats_js_call_start(js.handle, verb, text, #text, ms, futures.box)
  end, -1)
  if status ~= 0 then return core.fail(status) end
  return futures.answer(js.client, function(msg) return give(msg, object) end)
end

-- What start gave, waited for.
function M.finish(made, ...)
  if not made then return nil, ... end
  return futures.finish(made)
end

-- ---- methods ----

-- The options that a method has behind its arguments: all that the verb takes besides, and the time. offset: an
-- iterator's own.
local function option_names(verb, words, own, iterator)
  local names, index, given = { "timeout" }, 0, {}
  for word in words:gmatch("[%w_]+") do given[word] = true end
  while true do
    local name = C.nats_js_key_name(verb, index)
    if name == nil then return names end
    name = ffi.string(name)
    if not given[name] and own[name] == nil and not (iterator and name == "offset") then
      names[#names + 1] = name
    end
    index = index + 1
  end
end

-- The method's arguments by the verb's names: "name", "name?" (may be left out), "name=" (a table), behind them its
-- options, and those that name the object itself; and the time in ms.
local function arguments_of(object, method, verb, words, given, iterator)
  local made, at = {}, 0
  for word in words:gmatch("%S+") do
    at = at + 1
    local name, value = word:match("^[%w_]+"), given[at]
    if value ~= nil or not word:find("?", 1, true) then
      if value == nil or (word:find("=", 1, true) and type(value) ~= "table") then
        core.misuse(("bad argument #%d: %s expected, got %s"):format(at, name, type(value)))
      end
      made[name] = value
    end
  end
  local options = given[at + 1]
  local own = object.names and object:names() or {}
  if options ~= nil then
    core.check_table(options, method, option_names(verb, words, own, iterator))
    for key, part in pairs(options) do made[key] = part end
    made.timeout = nil
  end
  for key, part in pairs(own) do made[key] = part end
  return made, core.check_ms(options and options.timeout, "option 'timeout'", -1)
end
M.arguments = arguments_of

-- verbs: { method, verb, words, give }; each method has a form that does not wait, method_start.
function M.set(class, verbs)
  for _, row in ipairs(verbs) do
    local name, verb, words, give = row[1], row[2], row[3], row[4]
    local function start(self, ...)
      local arguments, ms = arguments_of(self, name, verb, words, { ... })
      return M.start(self, verb, arguments, ms, give)
    end
    class[name .. "_start"] = start
    class[name] = function(self, ...) return M.finish(start(self, ...)) end
  end
end

-- An iterator over what a verb lists page by page. each: what is given for an element, which is itself if
-- there is none.
function M.pages(object, verb, list, options, each)
  local arguments, ms = arguments_of(object, verb, verb, "", { options }, true)
  local page, at, offset, total = {}, 0, 0, nil
  local function turn()
    if total and offset >= total then return false end
    arguments.offset = offset
    local answer, text = M.finish(M.start(object, verb, arguments, ms, M.give_table))
    if not answer then error(text, 0) end
    page, at, total = answer[list] or {}, 0, answer.total or 0
    offset = offset + #page
    return #page > 0
  end
  return function()
    if at == #page and not turn() then return nil end
    at = at + 1
    return each and each(page[at]) or page[at]
  end
end

return M
