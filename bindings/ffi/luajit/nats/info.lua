-- The server's INFO as a table, in the server's own schema.

local ffi = require "ffi"
local core = require "nats.core"

local C, fail = core.C, core.fail

local INFO_INT, INFO_BOOL = 2, 3

local size_box, int32_box = ffi.new("size_t[1]"), ffi.new("int32_t[1]")
local name_box, value_box = ffi.new("const char *[1]"), ffi.new("const char *[1]")
local value_size = ffi.new("size_t[1]")

local function info_value(kind, value)
  if kind == INFO_BOOL then return value == "true" end
  if kind == INFO_INT then return tonumber(value) end
  return value
end

local function info_table(info)
  local cursor, fields = ffi.new("size_t[1]"), {}
  while true do
    local kind = C.nats_info_next(info, cursor, name_box, value_box, value_size, int32_box)
    if kind == 0 then return fields end
    local name = ffi.string(name_box[0])
    local value = info_value(kind, ffi.string(value_box[0], value_size[0]))
    if int32_box[0] ~= 0 then
      fields[name] = fields[name] or {}
      table.insert(fields[name], value)
    else
      fields[name] = value
    end
  end
end

-- What take leaves in the box it is given, as a table or as its JSON text.
return function(status, info_box, json)
  if status ~= 0 then return fail(status) end
  local info = ffi.gc(info_box[0], C.nats_info_free)
  if not json then return info_table(info) end
  local text = C.nats_info_json(info, size_box)
  return ffi.string(text, size_box[0])
end
