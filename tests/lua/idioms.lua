-- The idioms of Lua 5.4, which LuaJIT's grammar does not have: see lua54/idioms.lua.
package.path = (arg[0]:match("^(.*)/") or ".") .. "/?.lua;" .. package.path
local t = require "harness"
if t.luajit then t.skip("<close> and its like are in Lua 5.4 only") end
dofile(t.dir .. "/lua54/idioms.lua")
