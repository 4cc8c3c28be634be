-- Lua values to JSON texts, and back. What a name means (seconds that JetStream has in nanoseconds, a time,
-- a list that may be empty) the library tells: nats_js_key() and nats_json_kind(). Nothing is listed here.

local ffi = require "ffi"
local core = require "nats.core"

local C = core.C

local NULL, BOOL, INT, UINT, REAL, TEXT = 1, 2, 3, 4, 5, 6
local ARRAY, OBJECT, DURATION, TIME = 7, 8, 9, 10
local DEPTH_MAX = 32 -- as deep as the library reads; a table that holds itself ends here
local EXACT = 2 ^ 53
local NS_PER_S = ffi.cast("int64_t", 1e9)
local SECONDS_MAX = 2 ^ 63 / 1e9
local TIME_LEAST, TIME_MOST = -62135596800, 253402300799 -- the years 1 to 9999

local M = {}

local function is_cdata_integer(value)
  return ffi.istype("int64_t", value) or ffi.istype("uint64_t", value)
end

local function digits_of(value)
  if type(value) == "number" then return ("%.0f"):format(value) end
  return (tostring(value):gsub("U?LL$", ""))
end
M.digits_of = digits_of

-- ---- writing ----

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }

local function quote(text)
  return '"' .. text:gsub('[%z\1-\31"\\]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function duration(value, name)
  if type(value) ~= "number" then return digits_of(value * NS_PER_S) end
  if not (math.abs(value) < SECONDS_MAX) then
    core.misuse(("'%s' must be a number of seconds, of less than 292 years, not %s"):format(name,
      tostring(value)))
  end
  local whole = math.floor(value)
  local ns = math.floor((value - whole) * 1e9 + 0.5)
  return digits_of(ffi.cast("int64_t", whole) * NS_PER_S + ffi.cast("int64_t", ns))
end

local function time_text(value, name)
  if type(value) ~= "number" or not (value >= TIME_LEAST and value <= TIME_MOST) then
    core.misuse(("'%s' must be seconds since 1970 in the years 1 to 9999, not %s"):format(name,
      tostring(value)))
  end
  local whole = math.floor(value)
  local ns = math.floor((value - whole) * 1e9 + 0.5)
  if ns == 1e9 then whole, ns = whole + 1, 0 end
  local parts = os.date("!*t", whole)
  return ('"%04d-%02d-%02dT%02d:%02d:%02d.%09dZ"'):format(parts.year, parts.month, parts.day,
    parts.hour, parts.min, parts.sec, ns)
end

local function number_text(value, kind, name)
  if kind == DURATION then return duration(value, name) end
  if kind == TIME then return time_text(value, name) end
  if type(value) ~= "number" then return digits_of(value) end
  if value % 1 == 0 and math.abs(value) < EXACT then return ("%d"):format(value) end
  if value ~= value or math.abs(value) == math.huge then
    core.misuse(("'%s' must be a number that JSON has, not %s"):format(name, tostring(value)))
  end
  return ("%.17g"):format(value)
end

local write
local element_box, object_box = ffi.new("int32_t[1]"), ffi.new("const char *[1]")

-- What the library knows of a member: kind, that of a list's elements, the type of the objects.
local function meant(object, name)
  if not object or name:find("\0", 1, true) then return 0, 0, nil end
  object_box[0] = nil
  element_box[0] = 0
  local kind = C.nats_js_key(object, name, element_box, object_box)
  local of = object_box[0]
  return kind, element_box[0], of ~= nil and ffi.string(of) or nil
end

local function write_list(value, name, element, object, depth)
  local parts, count = {}, 0
  for _ in pairs(value) do count = count + 1 end
  for i, part in ipairs(value) do parts[i] = write(part, name, element, 0, object, depth + 1) end
  if count ~= #parts then
    core.misuse(("'%s' must be a list: values at 1, 2, 3 …, and no others"):format(name))
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

-- Names sorted: tables have no order, and the same configuration is to be the same text.
local function write_object(value, name, object, depth)
  local parts, keys = {}, {}
  for key in pairs(value) do
    if type(key) ~= "string" then
      core.misuse(("'%s' must have names as its keys; found a %s"):format(name, type(key)))
    end
    keys[#keys + 1] = key
  end
  table.sort(keys)
  for i, key in ipairs(keys) do
    local kind, element, of = meant(object, key)
    parts[i] = quote(key) .. ":" .. write(value[key], key, kind, element, of, depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function write_table(value, name, kind, element, object, depth)
  if depth >= DEPTH_MAX then
    core.misuse(("'%s' is nested more than %d deep"):format(name, DEPTH_MAX))
  end
  if kind == ARRAY or (kind ~= OBJECT and value[1] ~= nil) then
    return write_list(value, name, element, object, depth)
  end
  return write_object(value, name, object, depth)
end

function write(value, name, kind, element, object, depth)
  local found = type(value)
  if found == "string" then return quote(value) end
  if found == "boolean" then return tostring(value) end
  if found == "table" then return write_table(value, name, kind, element, object, depth) end
  if found == "number" or is_cdata_integer(value) then return number_text(value, kind, name) end
  core.misuse(("'%s' must be a text, a number, a boolean or a table, not a %s"):format(name, found))
end

-- The table (nil: an empty one) as an object of that type: see nats_js_key().
function M.write(value, object)
  if value == nil then return "{}" end
  if type(value) ~= "table" then
    core.misuse(("%s: a table of arguments is wanted, not a %s"):format(object, type(value)))
  end
  return write_table(value, object, OBJECT, 0, object, 0)
end

-- ---- reading ----

local read
local size_box, name_box = ffi.new("size_t[1]"), ffi.new("const char *[1]")
local int_box, uint_box = ffi.new("int64_t[1]"), ffi.new("uint64_t[1]")
local real_box = ffi.new("double[1]")

local readers = {}

readers[NULL] = function() return nil end
readers[0] = readers[NULL]

readers[BOOL] = function(value)
  C.nats_json_int(value, int_box)
  return int_box[0] ~= 0
end

readers[INT] = function(value)
  C.nats_json_int(value, int_box)
  return core.integer(int_box[0])
end

readers[UINT] = function(value)
  C.nats_json_uint(value, uint_box)
  return core.integer(uint_box[0])
end

readers[REAL] = function(value)
  C.nats_json_real(value, real_box)
  return real_box[0]
end

readers[TEXT] = function(value)
  local text = C.nats_json_text(value, size_box)
  return ffi.string(text, size_box[0])
end

readers[DURATION] = function(value)
  C.nats_json_int(value, int_box)
  return core.seconds_of(int_box[0])
end

-- "0001-01-01T00:00:00Z" is how the server says that it never happened: nil.
readers[TIME] = function(value)
  if C.nats_json_time(value, int_box) ~= 0 then return core.seconds_of(int_box[0]) end
  local text = readers[TEXT](value)
  return text:sub(1, 5) ~= "0001-" and text or nil
end

readers[ARRAY] = function(value)
  local list = {}
  for i = 1, tonumber(C.nats_json_count(value)) do list[i] = read(C.nats_json_at(value, i - 1)) end
  return list
end

readers[OBJECT] = function(value)
  local map = {}
  for i = 0, tonumber(C.nats_json_count(value)) - 1 do
    local member = C.nats_json_member(value, i, name_box)
    local name = ffi.string(name_box[0])
    map[name] = read(member)
  end
  return map
end

function read(value) return readers[C.nats_json_kind(value)](value) end

local json_box = ffi.new("nats_json *[1]")

-- A value of a JSON text; or nil and the status.
function M.read(text, size)
  local status = C.nats_json_parse(text, size, json_box)
  if status ~= 0 then return nil, status end
  local json = ffi.gc(json_box[0], C.nats_json_free)
  local value = read(json)
  C.nats_json_free(ffi.gc(json, nil))
  return value, 0
end

return M
