-- Headers: what is sent from each form of table, and what comes back.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
local nats = require "nats"

local server = t.server()
local nc = assert(nats.connect(server.url))
local sub = assert(nc:subscribe("h"))

-- Sends with these headers and returns the message that comes back.
local function echo(headers)
  assert(nc:publish("h", "data", { headers = headers }))
  return assert(sub:next(5), "nothing came back")
end

local function wire(msg)
  local lines = {}
  for key, value in msg:each_header() do lines[#lines + 1] = key .. "=" .. value end
  return lines
end

t.test("a string, a number and a list as the value", function()
  local msg = echo { One = "1", Two = 2, More = { "a", "b", "a" } }
  t.same(msg:header("One"), "1")
  t.same(msg:header("Two"), "2")
  t.same(msg:header("More"), "a")
  t.list(msg.headers.More, { "a", "b", "a" })
  t.same(msg.data, "data")
end)

t.test("case is kept and matters", function()
  local msg = echo { ["X-Id"] = "1", ["x-id"] = "2" }
  t.same(msg:header("X-Id"), "1")
  t.same(msg:header("x-id"), "2")
  t.same(msg:header("X-ID"), nil)
end)

t.test("a map is sent with its keys sorted", function()
  local map = {}
  for i = 100, 120 do map["K" .. i] = "v" end
  local lines = wire(echo(map))
  for i = 100, 120 do t.same(lines[i - 99], "K" .. i .. "=v") end
end)

t.test("a list of pairs is sent as it stands", function()
  local msg = echo { { "B", "1" }, { "A", "2" }, { "B", { "3", "4" } } }
  t.list(wire(msg), { "B=1", "A=2", "B=3", "B=4" })
  t.list(msg.headers.B, { "1", "3", "4" })
end)

t.test("headers that came are sent on in their order", function()
  local first = echo { { "Z", "1" }, { "M", "2" }, { "A", { "3", "4" } } }
  local headers = first.headers
  t.list(wire(echo(headers)), { "Z=1", "M=2", "A=3", "A=4" })
  headers.M = nil
  headers.New = "5"
  t.list(wire(echo(headers)), { "Z=1", "A=3", "A=4", "New=5" })
end)

t.test("pairs() walks them in their order", function()
  if t.luajit then return end -- 5.1 has no __pairs
  local keys = {}
  for key, values in pairs(echo { { "Z", "1" }, { "M", "2" }, { "A", "3" } }.headers) do
    keys[#keys + 1] = key
    t.same(type(values), "table")
  end
  t.list(keys, { "Z", "M", "A" })
end)

t.test("values with odd bytes", function()
  for _, value in ipairs { "", "a b", "a:b", "\1\127\255", "ü", ("x"):rep(10000) } do
    t.same(echo { K = value }:header("K"), value)
  end
end)

t.test("no headers: an empty table, no raw block", function()
  local msg = echo(nil)
  t.same(next(msg.headers), nil)
  t.same(msg.raw_headers, nil)
  t.list(wire(msg), {})
  local with = echo { A = "b" }
  t.same(with.raw_headers, "NATS/1.0\r\nA: b\r\n\r\n")
  t.same(with.status, nil)
end)

t.test("many keys", function()
  local pairs_of = {}
  for i = 1, 3000 do pairs_of[i] = { "Key-" .. i, "value " .. i } end
  local headers = echo(pairs_of).headers
  for i = 1, 3000 do t.same(headers["Key-" .. i][1], "value " .. i) end
end)

t.test("bad keys and values fail with INVALID and name themselves", function()
  for _, key in ipairs { "", "a b", "a:b", "a\r", "a\n", "a\0b", "\127", "ü" } do
    t.fails("INVALID", nc:publish("h", "x", { headers = { [key] = "v" } }))
  end
  for _, value in ipairs { "a\r", "a\n", "a\0" } do
    t.fails("INVALID", nc:publish("h", "x", { headers = { Key = value } }))
    t.fails("INVALID", nc:request("h", "x", { headers = { Key = { "fine", value } } }))
  end
  t.check(nc:flush(5))
  t.same(sub:next(0), nil, "something was sent")
end)

t.test("wrong types raise an error", function()
  for _, headers in ipairs {
    "text", 7, { Key = true }, { Key = { {} } }, { "text" }, { { 1, "v" } }, { [true] = "v" },
    { Key = function() end },
  } do
    t.raises({ "header" }, nc.publish, nc, "h", "x", { headers = headers })
  end
  t.same(sub:next(0), nil, "something was sent")
end)

t.test("respond sends headers too", function()
  local answers = assert(nc:subscribe("answers"))
  assert(nc:publish("h", "q", { reply = "answers" }))
  local asked = assert(sub:next(5))
  t.check(asked:respond("a", { headers = { Of = asked.data } }))
  t.same(assert(answers:next(5)):header("Of"), "q")
  t.raises({ "unknown option 'header'", "headers" }, asked.respond, asked, "a", { header = {} })
end)

nc:close()
t.done()
