-- JetStream: the noun itself. Its verbs that publish are in publish.lua.

local ffi = require "ffi"
local core = require "nats.core"
local consumers = require "nats.consumer"
local publishing = require "nats.publish"
local streams = require "nats.stream"
local verbs = require "nats.verb"

local C = core.C
local check_text, check_table, check_ms = core.check_text, core.check_table, core.check_ms
local check_option_text = core.check_option_text

local js = {}
local js_meta = { __tostring = function() return "nats.jetstream" end }
local js_box = ffi.new("nats_js *[1]")

-- client:jetstream { domain=, prefix=, timeout= }
local function new(client, options)
  options = check_table(options, "jetstream", { "domain", "prefix", "timeout" })
  local status = C.nats_client_jetstream(client.handle, check_option_text(options.domain, "domain"),
    check_option_text(options.prefix, "prefix"), check_ms(options.timeout, "option 'timeout'", -1),
    js_box)
  if status ~= 0 then return core.fail(status) end
  return setmetatable({ handle = ffi.gc(js_box[0], C.nats_js_free), client = client }, js_meta)
end

-- Any verb of the API, for what has no method.
function js:call_start(verb, arguments, timeout)
  verb = check_text(verb, "verb")
  if type(arguments) == "table" and #arguments > 0 then
    return core.refuse("the arguments are a list: names and their values are wanted", "INVALID",
      "arguments")
  end
  return verbs.start(self, verb, arguments, check_ms(timeout, "timeout", -1), verbs.give_any)
end

function js:call(verb, arguments, timeout)
  if verb == "get_messages" then
    return core.refuse("get_messages gives several: stream:get_many() or js:call_start()",
      "INVALID", "get_messages")
  end
  return verbs.finish(self:call_start(verb, arguments, timeout))
end

function js:stream(name) return streams.new(self, check_text(name, "name")) end

function js:streams(options)
  return verbs.pages(self, "streams", "streams", options, function(info)
    return streams.new(self, info.config.name, info)
  end)
end

function js:stream_names(options) return verbs.pages(self, "stream_names", "streams", options) end

function js:consume_start(how, arguments, timeout)
  return consumers.start(self, check_text(how, "how"), arguments, false, nil,
    check_ms(timeout, "timeout", -1))
end

function js:consume(how, arguments, timeout)
  return consumers.wait(self:consume_start(how, arguments, timeout))
end

local function give_stream(msg, self)
  local info, status = verbs.read(msg)
  if status ~= 0 then return core.fail(status) end
  return streams.new(self, info.config.name, info)
end

verbs.set(js, {
  { "account_info", "account_info", "", verbs.give_table },
  { "create_stream", "create_stream", "config=", give_stream },
  { "update_stream", "update_stream", "config=", give_stream },
  { "create_or_update_stream", "create_or_update_stream", "config=", give_stream },
  { "get_or_create_stream", "get_or_create_stream", "config=", give_stream },
  { "delete_stream", "delete_stream", "stream", verbs.give_true },
})
for name, verb in pairs(publishing.verbs) do js[name] = verb end
core.class("nats.jetstream", js, js_meta)

return new
