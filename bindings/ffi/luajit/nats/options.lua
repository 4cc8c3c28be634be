-- Options of a connection, by name; and the servers.

local ffi = require "ffi"
local core = require "nats.core"

local C = core.C

local OPTION_DURATION = 4
local OPTION_TYPES = { "text", "boolean", "integer", "seconds" }

local M = {}
local options_box = ffi.new("nats_options *[1]")

local function set_option(options, name, value)
  local kind = type(value)
  if kind == "boolean" then return C.nats_options_set_bool(options, name, value and 1 or 0) end
  if kind == "string" then return C.nats_options_set_text(options, name, value, #value) end
  if kind ~= "number" then
    core.misuse(("option '%s' must be a string, a number or a boolean, not a %s"):format(name,
      kind))
  end
  if value % 1 == 0 and C.nats_options_type(name) ~= OPTION_DURATION then
    return C.nats_options_set_int(options, name, value)
  end
  return C.nats_options_set_double(options, name, value)
end

-- interruptible: Ctrl-C in a waiting call must reach the script.
function M.make(given, interruptible)
  if given ~= nil and type(given) ~= "table" then
    core.misuse(("options must be a table, not a %s"):format(type(given)))
  end
  local status = C.nats_options_new(options_box)
  if status ~= 0 then return nil, status end
  local options = ffi.gc(options_box[0], C.nats_options_free)
  if interruptible then C.nats_options_set_bool(options, "interruptible", 1) end
  for name, value in pairs(given or {}) do
    if type(name) ~= "string" then core.misuse("options have names, such as 'name'") end
    if name:find("\0", 1, true) then core.misuse("the name of an option holds no NUL byte") end
    status = set_option(options, name, value)
    if status ~= 0 then return nil, status end
  end
  return options, 0
end

-- "a,b" of { "a", "b" }, a string as it is, nil for nil.
function M.servers(servers)
  if type(servers) == "table" then
    if #servers == 0 then core.misuse("a URL or a list of URLs expected (options come second)") end
    for i = 1, #servers do
      if type(servers[i]) ~= "string" then core.misuse("a list of URLs holds strings only") end
    end
    servers = table.concat(servers, ",")
  elseif servers ~= nil and type(servers) ~= "string" then
    core.misuse("a URL is a string, not a " .. type(servers))
  end
  if servers and servers:find("\0", 1, true) then core.misuse("a URL holds no NUL byte") end
  return servers
end

function M.list()
  local list, index = {}, 0
  while true do
    local name = C.nats_options_name(index)
    if name == nil then return list end
    list[index + 1] = {
      name = ffi.string(name),
      type = OPTION_TYPES[C.nats_options_type(name)] or "unknown",
      doc = ffi.string(C.nats_options_doc(name)),
    }
    index = index + 1
  end
end

return M
