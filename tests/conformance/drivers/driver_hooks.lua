-- Functions that supply what the case says as credentials, and count how often they were asked.

local hooks = {}
local M = {}

function M.texts(options, decode)
    local given = {}
    for key, value in pairs(options) do
        given[key] = decode(value)
    end
    return given
end

-- How often it was called so far.
function M.set(name, options, decode)
    local hook = hooks[name] or { calls = 0 }
    hooks[name] = hook
    hook.values = M.texts(options, decode)
    hook.call = hook.call or function()
        hook.calls = hook.calls + 1
        return hook.values
    end
    return hook.calls
end

function M.of(name) return hooks[name].call end
function M.calls(name) return hooks[name].calls end

return M
