-- What cases say in JSON of the server's schema, as a script would write it: seconds, integers of
-- 64 bits, tables. And the same back, for what cases look at. The names below are the driver's own: the
-- module has none.

local jit_api = ...
local ffi = jit_api and require "ffi"

local function set(names)
    local found = {}
    for name in names:gmatch("%S+") do found[name] = true end
    return found
end

-- ns on the wire
local DURATIONS = set [[max_age duplicate_window subject_delete_marker_ttl ack_wait backoff expires
    idle_heartbeat max_expires inactive_threshold priority_timeout pause_remaining active]]
-- texts on the wire
local TIMES = set [[created ts first_ts last_ts last_active opt_start_time pause_until time
    start_time up_to_time]]
-- over all of 64 bits
local UNSIGNED = set "seq stream_seq consumer_seq first_seq last_seq opt_start_seq"

-- ---- numbers ----

local unsigned_text, whole
if jit_api then
    whole = function(digits)
        if tonumber(digits) >= 2 ^ 64 then return tonumber(digits) end
        local value = ffi.cast("uint64_t", 0)
        for digit in digits:gmatch("%d") do value = value * 10 + tonumber(digit) end
        if digits:sub(1, 1) == "-" then return -ffi.cast("int64_t", value) end
        return value < ffi.cast("uint64_t", 2) ^ 63 and ffi.cast("int64_t", value) or value
    end
    unsigned_text = function(value) return (tostring(value):gsub("U?LL$", "")) end
else
    whole = load [[local digits = ...
        return math.tointeger(digits) or tonumber(digits)]]
    unsigned_text = load [[local value = ...
        local tenth = (value >> 1) // 5
        return (tenth > 0 and tostring(tenth) or "") .. value - tenth * 10]]
end

local function to_number(digits, name)
    if DURATIONS[name] then -- part of a ns: as the text that it is
        return digits:find("%.") and digits or tonumber(digits) / 1e9
    end
    if digits:find("[.eE]") then
        return tonumber(digits)
    end
    return #digits > 15 and whole(digits) or math.floor(tonumber(digits))
end

local function plain_number(value, name)
    if type(value) == "cdata" then
        return unsigned_text(value)
    end
    if value == math.floor(value) and math.abs(value) < 1e15 then
        return UNSIGNED[name] and value < 0 and unsigned_text(value) or ("%d"):format(value)
    end
    if not jit_api and math.type(value) == "integer" then
        return UNSIGNED[name] and value < 0 and unsigned_text(value) or tostring(value)
    end
    return ("%g"):format(value)
end

local function time_text(value)
    local seconds = math.floor(value)
    local fraction = ("%.6f"):format(value - seconds):sub(2):gsub("%.?0+$", "")
    return os.date("!%Y-%m-%dT%H:%M:%S", seconds) .. fraction .. "Z"
end

-- ---- reading ----

local read

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

local function read_string(text, at)
    local parts = {}
    while true do
        local plain, stop = text:match('^([^"\\]*)()', at)
        parts[#parts + 1] = plain
        local c = text:sub(stop, stop)
        if c == '"' then
            return table.concat(parts), stop + 1
        end
        assert(c == "\\", "not JSON")
        local escape = text:sub(stop + 1, stop + 1)
        assert(escape ~= "u", "the driver reads no \\u")
        parts[#parts + 1] = ESCAPES[escape] or escape
        at = stop + 2
    end
end

local function read_parts(text, at, close, name, list)
    local made = {}
    at = text:match("^%s*()", at)
    if text:sub(at, at) == close then
        return made, at + 1
    end
    repeat
        local key, value = #made + 1, nil
        if not list then
            key, at = read_string(text, assert(text:match('^%s*"()', at), "not JSON"))
            at = assert(text:match("^%s*:()", at), "not JSON")
        end
        value, at = read(text, at, list and name or key)
        made[key] = value
        local c
        c, at = text:match("^%s*(.)()", at)
        assert(c == "," or c == close, "not JSON")
    until c == close
    return made, at
end

function read(text, at, name)
    at = text:match("^%s*()", at)
    local c = text:sub(at, at)
    if c == "{" then
        return read_parts(text, at + 1, "}", name, false)
    elseif c == "[" then
        return read_parts(text, at + 1, "]", name, true)
    elseif c == '"' then
        return read_string(text, at + 1)
    end
    local word, stop = text:match("^([%w%.+-]+)()", at)
    if word == "true" or word == "false" then
        return word == "true", stop
    elseif word == "null" then
        return nil, stop
    end
    assert(word and word:find("^%-?%d") and tonumber(word), "not JSON")
    return to_number(word, name), stop
end

-- ---- writing ----

local write

local function write_parts(value, name)
    local parts = {}
    if value[1] ~= nil then
        for _, part in ipairs(value) do parts[#parts + 1] = write(part, name) end
        return "[" .. table.concat(parts, ",") .. "]"
    end
    for key, part in pairs(value) do
        parts[#parts + 1] = ('"%s":%s'):format(key, write(part, key))
    end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
end

function write(value, name, bare)
    local kind = type(value)
    if kind == "number" and TIMES[name] then
        value, kind = time_text(value), "string"
    end
    if kind == "string" then
        return bare and value or '"' .. value:gsub('["\\]', "\\%0") .. '"'
    elseif kind == "number" and DURATIONS[name] then
        return ("%.0f"):format(value * 1e9)
    elseif kind == "number" or kind == "cdata" then
        return plain_number(value, name)
    elseif kind == "table" then
        return write_parts(value, name)
    end
    return tostring(value)
end

-- "config.sources.0.name"; "#" counts. nil when it is not there.
local function follow(value, path)
    local last
    for name in path:gmatch("[^.]+") do
        if name == "#" then
            local count = 0
            for _ in pairs(value or {}) do count = count + 1 end
            return tostring(count)
        end
        local index = tonumber(name)
        if type(value) ~= "table" then return nil end
        value = value[index and index + 1 or name]
        last = index and last or name
    end
    if value == nil then return nil end
    return write(value, last, true)
end

local M = { follow = follow, number = plain_number }

-- A table of a JSON text; nil, "" an empty one.
function M.read(text)
    if text == nil or text == "" then return {} end
    local value, stop = read(text, 1)
    assert(text:match("^%s*$", stop), "not JSON")
    return value
end

return M
