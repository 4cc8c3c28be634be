-- Functions that supply credentials. A call that waits is interrupted when a server wants them; it
-- runs the function, in its own thread, and goes on.

local ffi = require "ffi"
local core = require "nats.core"

local C = core.C
local TEXTS = { "user", "password", "token", "jwt", "seed", "public_key" }
local STATE_CLOSED = 4

local M = {}
local hooks = setmetatable({}, { __mode = "k" }) -- client -> function
local event_box = ffi.new("nats_event *[1]")

function M.register(client, hook) hooks[client] = hook end
function M.of(client) return hooks[client] end

-- Answer what the client is asked. The status of the library's call.
function M.give(client, given)
  core.check_table(given, "credentials",
    { "user", "password", "token", "jwt", "seed", "public_key", "signature" })
  local texts = {}
  for i, name in ipairs(TEXTS) do texts[i] = core.check_option_text(given[name], name) end
  local signature = core.check_option_text(given.signature, "signature")
  return C.nats_client_credentials(client.handle, texts[1], texts[2], texts[3], texts[4], texts[5],
    texts[6], signature, signature and #signature or 0)
end

-- The nonce to sign, or an empty text; nil when nothing is asked, or somebody took it.
local function question(client)
  if C.nats_client_question(client.handle, event_box) ~= 0 or event_box[0] == nil then
    return nil
  end
  local nonce = ffi.string(C.nats_event_text(event_box[0]))
  C.nats_event_free(event_box[0])
  return nonce
end

-- If it is asked, and has a function for it.
function M.answer(client)
  local hook = hooks[client]
  local nonce = hook and question(client)
  if not nonce then return end
  local status = M.give(client, hook(nonce) or {})
  if status ~= 0 then
    local _, text = core.fail(status)
    core.misuse("credentials: " .. text)
  end
end

function core.when_interrupted()
  local asked = {}
  for client in pairs(hooks) do asked[#asked + 1] = client end
  for _, client in ipairs(asked) do
    if C.nats_client_status(client.handle) ~= STATE_CLOSED then M.answer(client) end
  end
end

return M
