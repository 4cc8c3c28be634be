-- What the driver for Lua does with --loop: the verbs that wait, moved by a loop of cqueues or luv. It
-- watches the client's descriptor and deadline; the library itself never waits.

local nats = require "nats"
local loop_name = ...

-- watch(client, seconds): whether its descriptor became readable in time, as the loop tells.
-- run_in_loop(main): main in the loop.
local watch, run_in_loop

if loop_name == "cqueues" then
    local cqueues = require "cqueues"
    watch = function(client, seconds)
        local fd = client:pollfd()
        local ready = cqueues.poll({ pollfd = fd, events = "r" }, seconds)
        cqueues.cancel(fd) -- the client may be closed before the next time
        return type(ready) == "table"
    end
    run_in_loop = function(main)
        local loop = cqueues.new()
        loop:wrap(main)
        assert(loop:loop())
    end
elseif loop_name == "luv" then
    local uv = require "luv"
    watch = function(client, seconds)
        local waiting = coroutine.running()
        local poll, timer = assert(uv.new_poll(client:fd())), assert(uv.new_timer())
        local function go_on(ready)
            poll:close()
            timer:close()
            assert(coroutine.resume(waiting, ready))
        end
        poll:start("r", function() go_on(true) end)
        if seconds then
            timer:start(math.ceil(seconds * 1000), 0, function() go_on(false) end)
        end
        return coroutine.yield()
    end
    run_in_loop = function(main)
        assert(coroutine.resume(coroutine.create(main)))
        uv.run()
    end
end

local clients = setmetatable({}, { __mode = "k" }) -- of subscriptions and futures

-- Of a future that had ended before: what it gives once more, but not that it was at its end already.
local function last(value, message, code, ...)
    if value == nil and code == "CLOSED" then
        return nil
    end
    return value, message, code, ...
end

-- Takes without waiting, again and again while the loop turns, until there is something: not nil.
-- enough(): nothing more will come, and that is no error.
local function await(client, seconds, take, enough)
    local stop = seconds and nats.now() + seconds
    while true do
        local value, message, code, about, err_code, server_code, description = take()
        local left = stop and stop - nats.now()
        if value ~= nil or code or (left and left <= 0) then
            return value, message, code, about, err_code, server_code, description
        end
        if enough and enough() then
            return last(take()) -- it may have ended since it was last looked at
        end
        local due = client:deadline()
        watch(client, due and left and math.min(due, left) or due or left)
        client:process()
    end
end

-- The verbs that wait, moved by the loop: as methods of a client, a subscription or a future.
local waiting = {}

function waiting.get(object, given)
    local take = function()
        local list, message, code, about, err_code, server_code, description =
            object:get { max = given.max, wait = 0 }
        return list and list[1] and list or nil, message, code, about, err_code, server_code,
            description
    end
    local list, message, code, about, err_code, server_code, description =
        await(clients[object] or object, given.wait, take)
    return list or (not code and {}) or nil, message, code, about, err_code, server_code,
        description
end

function waiting.next(sub, timeout)
    return await(clients[sub], timeout, function() return sub:next(0) end)
end

function waiting.next_event(client, wait)
    return await(client, wait, function() return client:next_event(0) end)
end

-- The descriptor tells of messages; which of them are for callbacks, dispatch knows.
function waiting.dispatch(client, given)
    local call = function()
        local count, message, code, about = client:dispatch { max = given.max, wait = 0 }
        return count ~= 0 and count or nil, message, code, about
    end
    local count, message, code, about = await(client, given.wait, call)
    return count or (not code and 0) or nil, message, code, about
end

function waiting.wait(future, timeout)
    local done = function() return future:done() end
    local value, message, code, about, err_code, server_code, description =
        await(clients[future], timeout, function() return future:poll() end, done)
    if value or code or done() then
        return value, message, code, about, err_code, server_code, description
    end
    return nil, "no reply yet: the request is still open", "TIMEOUT", "wait"
end

function waiting.request(client, subject, data, given)
    local future, message, code, about = client:request_start(subject, data, given)
    if not future then
        return nil, message, code, about
    end
    return await(client, nil, function() return future:poll() end)
end

-- What is waited for without a message: true at its end.
local function reach(client, start, ...)
    local future, message, code, about = start(...)
    if not future then
        return nil, message, code, about
    end
    return await(client, nil, function() return future:poll() end)
end

-- The client, or nil and why there is none.
local function connect(servers, options)
    local client, future, code, about = nats.connect_start(servers, options)
    if not client then
        return nil, future, code, about
    end
    local fine, message
    fine, message, code, about = await(client, nil, function() return future:poll() end)
    return fine and client, message, code, about
end

function waiting.flush(client, timeout)
    return reach(client, client.flush_start, client, timeout)
end

function waiting.rtt(client, timeout)
    local began = nats.now()
    local fine, message, code, about = waiting.flush(client, timeout)
    return fine and nats.now() - began, message, code, about
end

-- Of a client or a subscription. What was under way for callbacks is called then.
function waiting.drain(object, timeout)
    local client = clients[object]
    local fine, message, code, about =
        reach(client or object, object.drain_start, object, timeout)
    while fine and not client and (object:dispatch { wait = 0 } or 0) > 0 do end
    return fine, message, code, about
end

-- A method of a noun of JetStream that has a form which does not wait: that one, and its future. Of what
-- gives a subscription besides, the subscription. nil: it is no such method.
local function started(object, method)
    local client = clients[object]
    local start = client and object[method .. "_start"]
    return start and function(...)
        local made, future, code, about, err_code, server_code, description = start(...)
        if made == nil and code == "CLOSED" and method == "flush" then
            return object:flush(0) -- of a publisher whose client is closed: nothing is under way
        end
        if made == nil then
            return nil, future, code, about, err_code, server_code, description
        end
        local sub = future and made
        future = future or made
        local value, message
        value, message, code, about, err_code, server_code, description =
            await(client, nil, function() return future:poll() end,
                  function() return future:done() end)
        if value and sub then
            clients[sub] = client
            value = sub
        end
        return value, message, code, about, err_code, server_code, description
    end
end

-- A publisher's, once it is known what the server can do. For room the library waits.
function waiting.publish(object, subject, data, given)
    local _, why
    if object.room then
        _, why = object:room(given)
    end
    if why == "level" then
        local fine, message, code, about =
            reach(clients[object], object.level_start, object)
        if not fine then return nil, message, code, about end
    end
    return object:publish(subject, data, given)
end

function waiting.publisher(js, given)
    local client = clients[js]
    if given.fast then
        local fine, message, code, about = reach(client, js.level_start, js)
        if not fine then return nil, message, code, about end
    end
    return js:publisher(given)
end

function waiting.messages(sub)
    sub:messages() -- from now on they are its own
    return function() return (waiting.next(sub)) end
end

return {
    watch = watch, run = run_in_loop, waiting = waiting, started = started, clients = clients,
    connect = connect,
}
