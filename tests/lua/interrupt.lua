-- Ctrl-C ends a script within 100 ms, whatever it waits in; a signal that nobody handles loses
-- nothing.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local LIMIT_MS = 100 * (tonumber(os.getenv("POLYNATS_PATIENCE")) or 1)
local server = t.server()

-- Runs a script that waits for ever, interrupts it once it says that it is ready, and gives the
-- time until it ended, how, and its output.
local function interrupted(body)
  local path = server.folder .. "/waits.lua"
  local file = assert(io.open(path, "w"))
  file:write([[
    arg[0] = arg[1] .. "/waits.lua" -- the harness finds its neighbours by it
    package.path = arg[1] .. "/?.lua;" .. package.path
    require "harness"
    local nats = require "nats"
    local nc = assert(nats.connect(arg[2]))
    local sub = assert(nc:subscribe("quiet"))
    assert(nc:subscribe("quiet", { callback = print }))
    local function ready()
      local mark = assert(io.open(arg[3], "w"))
      mark:close()
    end
  ]] .. body)
  file:close()
  local text = t.shell("sh", t.dir .. "/interrupt.sh", arg[-1], path, t.dir, server.url)
  local ms, code, output = text:match("^(%d+) (%d+)\n(.*)$")
  return tonumber(ms), tonumber(code), output
end

for name, body in pairs {
  ["get"] = 'ready() nc:get()',
  ["get with a wait"] = 'ready() nc:get { wait = 60 }',
  ["sub:next"] = 'ready() sub:next()',
  ["sub:get"] = 'ready() sub:get { max = 5 }',
  ["messages"] = 'ready() for _ in sub:messages() do end',
  ["request"] = 'ready() nc:request("quiet", "x", { timeout = 60 })',
  ["request_many"] = 'ready() nc:request_many("quiet", "x", { timeout = 60 })',
  ["future:wait"] = 'local f = nc:request_start("quiet", "x", { timeout = 60 }) ready() f:wait()',
  ["next_event"] = 'nc:next_event() ready() nc:next_event()',
  ["run"] = 'ready() nc:run()',
  ["dispatch"] = 'ready() nc:dispatch()',
  ["get in a coroutine"] = 'ready() coroutine.wrap(function() nc:get() end)()',
} do
  t.test("Ctrl-C in " .. name, function()
    local ms, code, output
    local tries = 0
    repeat -- once more when the machine was busy with something else
      tries = tries + 1
      ms, code, output = interrupted(body)
      t.check(output:find("interrupted!", 1, true), "no error was raised: " .. output)
      t.same(code, 1, "exit code")
    until ms < LIMIT_MS or tries == 3
    t.check(ms < LIMIT_MS, ("it took %d ms, %d times"):format(ms, tries))
  end)
end

t.test("pcall catches it, and the client works on", function()
  local ms, code, output = interrupted [[
    ready()
    local fine, err = pcall(nc.get, nc)
    assert(not fine and err:find("interrupted!"))
    assert(nc:publish("quiet", "still here"))
    print(assert(sub:next(5)).data)
  ]]
  t.check(ms)
  t.same(code, 0, output)
  t.check(output:find("still here", 1, true), output)
end)

local store = t.shell("mktemp", "-d"):match("%S+")
local keeping = t.server({ "-js", "-sd", store })
for name, made in pairs {
  ["an ordered consumer"] = 'stream:ordered_consumer()',
  ["a consumer"] = 'assert(stream:create_consumer { ack_policy = "none" })',
} do
  t.test("Ctrl-C in a fetch of " .. name .. " loses nothing", function()
    local ms, code, output = interrupted([[
      local nc = assert(nats.connect("]] .. keeping.url .. [["))
      local js = assert(nc:jetstream())
      local stream = assert(js:create_stream {
        name = "S", subjects = { "S.>" }, storage = "memory",
      })
      assert(js:publish_many("S.a", { "1", "2", "3" }))
      local consumer = ]] .. made .. [[

      ready()
      local fine, err = pcall(consumer.fetch, consumer, 5, { wait = 60 })
      assert(not fine and err:find("interrupted!"), err)
      local got = { assert(consumer:next(0.2)).data }
      for _, msg in ipairs(assert(consumer:fetch(5, 0.2))) do got[#got + 1] = msg.data end
      assert(js:publish("S.a", "4"))
      if consumer.messages and ]] .. tostring(made:find("ordered") ~= nil) .. [[ then
        got[#got + 1] = consumer:messages(5)().data
      else
        got[#got + 1] = assert(consumer:next(5)).data
      end
      assert(stream:delete())
      print(table.concat(got, ","))
    ]])
    t.check(ms)
    t.same(code, 0, output)
    t.check(output:find("1,2,3,4", 1, true), output)
  end)
end

t.test("Ctrl-C in a consume leaves no subscription behind", function()
  local ms, code, output = interrupted([[
    local other = assert(nats.connect(arg[2]))
    local api = assert(other:subscribe("silent.>"))
    assert(other:flush(5))
    local js = assert(nc:jetstream { prefix = "silent", timeout = 60 })
    local arguments = { stream = "S", consumer = "C" }
    ready()
    local fine, err = pcall(js.consume, js, "consume", arguments)
    assert(not fine and err:find("interrupted!"), err)
    local asked = assert(api:next(5))
    asked:respond('{"name":"C","stream_name":"S","config":{"ack_policy":"explicit"}}')
    assert(other:flush(5) and nc:flush(5))
    assert(nc:publish("silent.end"))
    print(assert(api:next(5)).subject)
  ]])
  t.check(ms)
  t.same(code, 0, output)
  t.check(output:find("silent.end", 1, true), output)
end)
keeping:stop("KILL")
os.execute("rm -rf " .. t.quote(store))

t.test("a signal without a hook interrupts no wait and loses no reply", function()
  -- SIGCHLD of a child that ends: io.popen's shell, with a handler set by nobody, comes while a
  -- request waits.
  local nc = assert(nats.connect(server.url))
  local sub = assert(nc:subscribe("svc"))
  local future = assert(nc:request_start("svc", "x", { timeout = 10 }))
  local pid = t.pid
  os.execute(("(for i in 1 2 3 4 5; do sleep 0.05; kill -WINCH %s; done) &"):format(pid))
  local before = nats.now()
  t.same(nc:next_event(0) ~= nil, true)
  local list = assert(nc:get { max = 1, wait = 5 })
  t.same(#list, 1)
  t.same(#assert(nc:get { wait = 0.4 }), 0)
  t.check(nats.now() - before >= 0.39, "the signal ended the wait")
  t.check(list[1]:respond("y"))
  t.same(assert(future:wait(5)).data, "y")
  t.check(sub)
  nc:close()
end)

-- ---- a signal whose handler does nothing ----

-- Lua 5.4 has luaposix for it, if that is here; LuaJIT gives the system a function of C.
local function handle_usr1()
  if t.luajit then
    local ffi = require "ffi"
    ffi.cdef "void (*signal(int number, void (*handler)(int)))(int); int abs(int);"
    ffi.C.signal(10, ffi.cast("void (*)(int)", ffi.C.abs))
    return true
  end
  local found, posix = pcall(require, "posix.signal")
  if found then posix.signal(posix.SIGUSR1, function() end) end
  return found
end

if handle_usr1() then
  local function connect_once(options)
    local silent = t.server()
    silent:signal("STOP")
    os.execute(("(for i in $(seq 60); do kill -USR1 %s || exit; sleep 0.03; done) 2>/dev/null &")
      :format(t.pid))
    local before = nats.now()
    local nc, _, code = nats.connect(silent.url, options)
    local took = nats.now() - before
    silent:signal("CONT")
    t.same(nc, nil)
    t.same(code, "TIMEOUT")
    t.check(took >= 0.39 and took < 1.4, ("connect took %.2f s"):format(took))
  end
  t.test("such signals do not make connect begin again", function()
    connect_once { connect_timeout = 0.4 }
    connect_once { connect_timeout = 0.4, token = "t", ask_credentials = true }
  end)

  for _, name in ipairs { "subscribe", "unsubscribe", "sub:unsubscribe", "request_many" } do
    t.test("such signals do not end a " .. name .. " that waits for room", function()
      local deaf = t.server()
      local nc = assert(nats.connect(deaf.url, { write_deadline = 0.4, reconnect = false }))
      local sub = assert(nc:subscribe("b"))
      local after = 1000000
      local verbs = {
        subscribe = function() return nc:subscribe(("b"):rep(1000)) end,
        unsubscribe = function() return nc:unsubscribe("b", after) end,
        ["sub:unsubscribe"] = function() return sub:unsubscribe(after) end,
        request_many = function() return nc:request_many("b", ("x"):rep(1000), { timeout = 0 }) end,
      }
      deaf:signal("STOP")
      os.execute(("(for i in $(seq 40); do kill -USR1 %s || exit; sleep 0.03; done) 2>/dev/null &")
        :format(t.pid))
      local fine, code, _
      -- Of the large ones, one is being written and one waits.
      while nc:stats().unwritten_bytes < 131000 do assert(nc:publish("a", ("x"):rep(130000))) end
      repeat
        after = after + 1
        fine, _, code = verbs[name]()
        if fine and nc:status() ~= "connected" then fine, _, code = nc:publish("a") end
      until not fine
      deaf:signal("CONT")
      t.check(code == "TIMEOUT" or code == "CLOSED" or code == "DISCONNECTED", code)
      nc:close()
    end)
  end
end

t.done()
