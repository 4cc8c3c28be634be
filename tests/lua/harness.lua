-- What the test programs share: servers, checks, and a summary that ctest understands (exit 0:
-- all passed, 1: some failed, 77: skipped with its reason). In the common part of Lua 5.4 and
-- LuaJIT's 5.1.

local harness = {}
local unpack = table.unpack or unpack

local dir = (arg and arg[0] or ""):match("^(.*)/[^/]*$") or "."
harness.dir = dir
harness.luajit = jit ~= nil
if harness.luajit then
  package.path = dir .. "/../../bindings/ffi/luajit/?.lua;" .. package.path
end

-- ---- processes ----

local function own_pid()
  local file = assert(io.open("/proc/self/stat", "r"))
  local pid = file:read("*l"):match("^%d+")
  file:close()
  return pid
end

harness.pid = own_pid()

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end
harness.quote = quote

function harness.shell(...)
  local words = { ... }
  for i, word in ipairs(words) do words[i] = quote(word) end
  local pipe = assert(io.popen(table.concat(words, " "), "r"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local servers = {}
local server = {}
server.__index = server

-- options: a list of words for the server's command line; port: nil for a free one.
function harness.server(options, port)
  local text = harness.shell("sh", dir .. "/server.sh", harness.pid, port or -1,
    unpack(options or {}))
  local folder, pid, found = text:match("^(%S+) (%d+) (%d+)")
  if not folder then error("the server did not start: " .. text) end
  local made = setmetatable({
    folder = folder, pid = pid, port = tonumber(found), url = "nats://127.0.0.1:" .. found,
  }, server)
  servers[#servers + 1] = made
  return made
end

function server:signal(name) os.execute("kill -" .. name .. " " .. self.pid .. " 2>/dev/null") end

function server:stop(name)
  if self.stopped then return end
  self.stopped = true
  self:signal(name or "TERM")
end

local function stop_servers()
  for _, one in ipairs(servers) do one:stop("KILL") end
end

-- ---- checks ----

local tests, failed, current = 0, 0, "?"

local function show(value)
  if type(value) ~= "string" then return tostring(value) end
  return string.format("%q", #value > 200 and value:sub(1, 200) .. "…" or value)
end

function harness.fail(text) error(text, 2) end

function harness.same(found, wanted, what)
  if found ~= wanted then
    error(("%s: found %s, wanted %s"):format(what or "value", show(found), show(wanted)), 2)
  end
end

function harness.list(found, wanted, what)
  what = what or "list"
  if type(found) ~= "table" then error(("%s: found %s"):format(what, show(found)), 2) end
  for i = 1, math.max(#found, #wanted) do
    if found[i] ~= wanted[i] then
      error(("%s: at %d found %s, wanted %s"):format(what, i, show(found[i]), show(wanted[i])), 2)
    end
  end
end

function harness.check(value, what)
  if not value then error(what or "check failed", 2) end
  return value
end

-- The results of a call that must fail with this code; returns its text.
function harness.fails(code, value, text, found, about)
  if value ~= nil then error("succeeded with " .. show(value) .. ", wanted " .. code, 2) end
  if found ~= code then
    error(("failed with %s (%s), wanted %s"):format(show(found), show(text), code), 2)
  end
  if type(text) ~= "string" or text == "" then error(code .. " came without a text", 2) end
  return text, about
end

-- A call that must raise an error; every word must be in its text.
function harness.raises(words, fn, ...)
  local fine, err = pcall(fn, ...)
  if fine then error("no error was raised, wanted one with: " .. table.concat(words, ", "), 2) end
  for _, word in ipairs(words) do
    if not tostring(err):find(word, 1, true) then
      error(("the error lacks %s: %s"):format(show(word), tostring(err)), 2)
    end
  end
  return err
end

-- True as soon as condition() is; false after so many seconds.
function harness.soon(condition, within)
  local nats = require "nats"
  local limit = nats.now() + (within or 5)
  repeat
    if condition() then return true end
    os.execute("sleep 0.02")
  until nats.now() > limit
  return false
end

-- ---- programs ----

function harness.test(name, fn)
  tests = tests + 1
  current = name
  local fine, err = xpcall(fn, function(text) return debug.traceback(tostring(text), 2) end)
  if fine then
    print("ok   " .. name)
  else
    failed = failed + 1
    print("FAIL " .. name .. "\n" .. err)
  end
end

local function finish(code)
  stop_servers()
  io.stdout:flush()
  os.exit(code, true)
end

function harness.skip(reason)
  print("SKIP " .. reason)
  finish(77)
end

function harness.done()
  print(("%d tests, %d failed"):format(tests, failed))
  finish(failed == 0 and 0 or 1)
end

return harness
