-- What all parts of the module share: the library, results, the checks of arguments, and waiting.

local ffi = require "ffi"

local core = {}

-- ---- loading ----

local function read(path)
  local file = path and io.open(path, "r")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

local here = debug.getinfo(1, "S").source:match("^@(.*[/\\])") or "./"

local function declarations()
  local named = os.getenv("POLYNATS_FFI_H")
  if named then return assert(read(named), "POLYNATS_FFI_H: cannot read " .. named) end
  local tried = {
    here .. "../polynats_ffi.h",
    here .. "../../../../libnats/include/polynats_ffi.h", -- in a checkout
    here .. "../../../../include/polynats_ffi.h", -- installed in share/lua/5.1 of a prefix
  }
  for template in package.path:gmatch("[^;]+") do
    if template:match("%?%.lua$") then
      tried[#tried + 1] = template:gsub("%?%.lua$", "polynats_ffi.h")
    end
  end
  for _, path in ipairs(tried) do
    local text = read(path)
    if text then return text end
  end
  error("polynats_ffi.h was not found; looked at:\n\t" .. table.concat(tried, "\n\t"))
end

local function load_library()
  local named = os.getenv("POLYNATS_LIB")
  if named then return ffi.load(named) end
  -- The one that was installed under the same prefix, which the system's loader need not know of.
  for _, folder in ipairs { "lib", "lib64" } do
    local path = here .. "../../../../" .. folder .. "/libpolynats.so.0"
    local file = io.open(path, "r")
    if file then
      file:close()
      return ffi.load(path)
    end
  end
  local found, library = pcall(ffi.load, "polynats")
  if found then return library end
  return ffi.load("libpolynats.so.0") -- without the development package's symbolic link
end

ffi.cdef((declarations()))
local C = load_library()
core.C = C

-- ---- results ----

local INTERRUPTED = -18
local names = {} -- of the statuses, by number

-- nats.status: the statuses by name. The numbers run down from 0 without a gap.
core.status = {}
do
  local number = 0
  while true do
    local name = ffi.string(C.nats_status_name(number))
    if name == "UNKNOWN" then break end
    core.status[name] = number
    names[number] = name
    number = number - 1
  end
end

function core.status_name(status)
  return names[status] or ffi.string(C.nats_status_name(status))
end

function core.fail(status)
  local text = ffi.string(C.nats_last_error(nil))
  if text == "" or C.nats_last_status() ~= status then
    return nil, ffi.string(C.nats_status_text(status)), core.status_name(status), ""
  end
  local err_code, code = C.nats_last_err_code(), C.nats_last_code()
  local about = ffi.string(C.nats_last_about())
  if err_code == 0 and code == 0 then return nil, text, core.status_name(status), about end
  return nil, text, core.status_name(status), about, err_code ~= 0 and err_code or nil,
    code ~= 0 and code or nil, ffi.string(C.nats_last_description())
end

-- The same without an error of the library's.
function core.refuse(text, code, about) return nil, text, code, about end

function core.done(status)
  if status ~= 0 then return core.fail(status) end
  return true
end

-- ---- arguments: misuse raises an error where the verb was called ----

local HERE = debug.getinfo(1, "S").source:match("^(.*[/\\])") -- "@…/nats/"

-- However deep in the module it is noticed: the line of the caller's that is named is the first
-- outside of it.
function core.misuse(text)
  local level = 2
  local frame = debug.getinfo(level, "S")
  while frame and HERE and (frame.what == "C" or frame.source:sub(1, #HERE) == HERE or
      frame.source == HERE:sub(1, -2) .. ".lua") do
    level = level + 1
    frame = debug.getinfo(level, "S")
  end
  error(text, level)
end

function core.check_text(value, what, default)
  if value == nil and default then return default end
  local kind = type(value)
  if kind == "number" then return tostring(value) end
  if kind ~= "string" then
    core.misuse(("bad argument: %s must be a string, not a %s"):format(what, kind))
  end
  return value
end

function core.check_count(value, what, least, default)
  if value == nil then return default end
  if type(value) ~= "number" or value < least or value % 1 ~= 0 then
    core.misuse(("%s must be a whole number of %d or more, not %s"):format(what, least,
      tostring(value)))
  end
  return value
end

local WAIT_MS_MAX = 4e12 -- 126 years: what is longer becomes this, for -1 may stand for the default

-- Seconds to ms, rounded up so that a short wait is not none; nil gives the default. { timeout = 1 } says
-- what 1 says: each verb's options may be given by name.
function core.check_ms(value, what, default)
  if value == nil then return default end
  if type(value) == "table" and not what:find(" ", 1, true) then
    return core.check_ms(core.check_table(value, what, { what })[what], "option '" .. what .. "'",
      default)
  end
  if type(value) ~= "number" or not (value >= 0) then
    core.misuse(("%s must be a number of seconds of 0 or more, not %s"):format(what,
      tostring(value)))
  end
  local ms = math.ceil(value * 1000 - 1e-6)
  return math.min(ms, WAIT_MS_MAX)
end

function core.seconds(ms)
  ms = tonumber(ms)
  if ms < 0 then return nil end
  return ms / 1000
end

-- The name among names that was probably meant, or nil.
local function nearest(name, names)
  local found = C.nats_options_nearest(name, ffi.new("const char *[?]", #names, names), #names)
  return found ~= nil and ffi.string(found) or nil
end

function core.check_table(options, verb, names)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.misuse(("%s: options must be a table, not a %s"):format(verb, type(options)))
  end
  for key in pairs(options) do
    local known = false
    for _, name in ipairs(names) do known = known or key == name end
    if not known then
      local meant = nearest(tostring(key), names)
      core.misuse(("%s: unknown option '%s'%s"):format(verb, tostring(key),
        meant and (" (the nearest is '%s')"):format(meant) or ""))
    end
  end
  return options
end

-- After how many messages a subscription ends: a number, or { after = … }.
function core.check_after(value)
  if type(value) == "table" then
    value = core.check_table(value, "unsubscribe", { "after" }).after
  end
  return core.check_count(value, "after", 0, 0)
end

function core.check_option_text(value, name)
  if value ~= nil and type(value) ~= "string" then
    core.misuse(("option '%s' must be a string, not a %s"):format(name, type(value)))
  end
  return value
end

-- ---- objects: tables, of which a name in the metatable tells what they are ----

-- Four arguments are as many as any verb takes. The call at the end leaves no frame.
local function guarded(kind, name, verb)
  return function(self, a, b, c)
    local found = getmetatable(self)
    if found ~= kind then
      found = type(found) == "string" and found or type(self)
      core.misuse(("bad argument #1 to '%s' (%s expected, got %s): call it with a colon"):format(
        name, kind, found))
    end
    return verb(self, a, b, c)
  end
end

-- Completes a metatable: the verbs refuse what is not of that kind, and no field can be added. So
-- an object is made with all fields of its own.
function core.class(kind, verbs, meta)
  for name, verb in pairs(verbs) do verbs[name] = guarded(kind, name, verb) end
  meta.__index = meta.__index or verbs
  meta.__newindex = function(_, key)
    core.misuse(("a %s has no field '%s' to assign to"):format(kind, tostring(key)))
  end
  meta.__metatable = kind
  return meta
end

-- A number of 64 bits: a Lua number while it is exact, else the cdata that it is.
local EXACT = 2 ^ 53

function core.integer(value)
  local number = tonumber(value)
  if number > -EXACT and number < EXACT then return number end
  return value
end

-- ns of 64 bits as seconds, in two parts: all of the ns would be rounded once more.
function core.seconds_of(ns)
  return tonumber(ns / 1000000000) + tonumber(ns % 1000000000) / 1e9
end

-- ---- waiting ----

local timespec = pcall(ffi.cdef, [[
  typedef struct { long seconds; long nanoseconds; } polynats_timespec;
  int clock_gettime(int clock, polynats_timespec *now);
]]) and ffi.new("polynats_timespec[1]")
local CLOCK_MONOTONIC = 1

function core.now()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, timespec)
  return tonumber(timespec[0].seconds) + tonumber(timespec[0].nanoseconds) / 1e9
end

function core.when_interrupted() end -- see credentials.lua

-- Call step(ms) until it was not interrupted by a signal. A signal's hook runs between two steps,
-- in the interpreter: compiled code looks at no hooks.
function core.waiting(step, ms, default_ms)
  local status = step(ms)
  if status ~= INTERRUPTED then return status end
  local limit = ms
  if ms < 0 then limit = default_ms end -- nil: for ever
  local deadline = limit and core.now() + limit / 1000
  while status == INTERRUPTED do
    core.when_interrupted()
    local left = deadline and math.max(0, math.ceil((deadline - core.now()) * 1000)) or -1
    status = step(left)
  end
  return status
end
jit.off(core.waiting)

-- After a call that was interrupted, and is made again by its caller: as core.waiting does.
function core.interrupted() core.when_interrupted() end
jit.off(core.interrupted)

return core
