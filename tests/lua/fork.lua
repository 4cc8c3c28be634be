-- After fork() the child's handles answer FORKED, and the parent notices nothing.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local server = t.server()

-- fork() without a library for it. LuaJIT calls it by FFI. Lua 5.4 loads it as if it were a
-- function of Lua's: its result, the child's pid, is then taken for a number of values, which is
-- harmless in a call of which no value is wanted.
local fork
if t.luajit then
  local ffi = require "ffi"
  ffi.cdef "int fork(void);"
  fork = function() ffi.C.fork() end
else
  local libc, why = package.loadlib("libc.so.6", "fork")
  if not libc then t.skip("fork() cannot be had from libc: " .. tostring(why)) end
  fork = function() libc() end
end

local function own_pid()
  local file = assert(io.open("/proc/self/stat", "r"))
  local pid = file:read("*l"):match("^%d+")
  file:close()
  return pid
end

local children = 0

-- Runs fn in a child; its text comes back in a file, which gets its name when it is whole.
local function in_child(fn)
  children = children + 1
  local path = server.folder .. "/child" .. children
  io.stdout:flush()
  fork()
  if own_pid() ~= t.pid then
    local fine, text = pcall(fn)
    local file = assert(io.open(path .. ".part", "w"))
    file:write(fine and "" or "error: ", tostring(text))
    file:close()
    os.rename(path .. ".part", path)
    collectgarbage() -- what is dropped must do no harm either
    os.exit(0, false)
  end
  local text
  t.soon(function()
    local file = io.open(path, "r")
    text = file and file:read("*a")
    if file then file:close() end
    return text
  end, 10)
  return text
end

t.test("every verb of the child says FORKED", function()
  local nc = assert(nats.connect(server.url))
  local sub = assert(nc:subscribe("x"))
  local future = assert(nc:request_start("x", "y", { timeout = 60 }))
  local text = in_child(function()
    local codes = {}
    local function note(_, _, code) codes[#codes + 1] = tostring(code) end
    note(nc:publish("x", "from the child"))
    note(nc:subscribe("x"))
    note(nc:get { wait = 0 })
    note(nc:flush(1))
    note(nc:request("x", "y", { timeout = 1 }))
    note(sub:next(0))
    note(future:wait(0))
    note(nc:close())
    nc, sub, future = nil, nil, nil
    collectgarbage()
    return table.concat(codes, " ")
  end)
  t.same(text, ("FORKED "):rep(8):sub(1, -2))
  t.same(assert(sub:next(5)).data, "y")
  t.check(nc:publish("x", "from the parent"))
  t.same(assert(sub:next(5)).data, "from the parent")
  t.same(nc:status(), "connected")
  t.same(nc:stats().reconnects, 0)
  nc:close()
end)

t.test("a child connects anew", function()
  local nc = assert(nats.connect(server.url))
  local sub = assert(nc:subscribe("child"))
  assert(nc:flush())
  t.same(in_child(function()
    local own = assert(nats.connect(server.url))
    assert(own:publish("child", "hello"))
    assert(own:flush())
    own:close()
    return "done"
  end), "done")
  t.same(assert(sub:next(5)).data, "hello")
  nc:close()
end)

t.done()
