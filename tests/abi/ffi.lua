-- The ABI without a compiler: LuaJIT takes polynats_ffi.h as it is, then publishes, gets, requests and reads errors.
local ffi = require "ffi"

local function read(path)
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  return text
end

ffi.cdef(read(assert(os.getenv("POLYNATS_FFI_H"), "POLYNATS_FFI_H is not set")))
local nats = ffi.load(assert(os.getenv("POLYNATS_LIB"), "POLYNATS_LIB is not set"))
local Z = ffi.cast("size_t", ffi.cast("intptr_t", -1)) -- a double becomes another number

local function check(status, wanted)
  if status ~= (wanted or nats.NATS_OK) then
    local name = ffi.string(nats.nats_status_name(status))
    error(name .. ": " .. ffi.string(nats.nats_last_error(nil)), 2)
  end
end

local function out(kind) return ffi.new(kind .. " *[1]") end

local function data_of(msg)
  local len = ffi.new("size_t[1]")
  return ffi.string(nats.nats_msg_data(msg, len), len[0])
end

local client_out = out "nats_client"
check(nats.nats_connect(nil, nil, client_out))
local client = client_out[0]
local payload = "bytes \0 \r\n \255"

-- publish and get
check(nats.nats_client_subscribe(client, "ffi.*", Z, nil, 0, 0, nil))
check(nats.nats_client_publish(client, "ffi.one", Z, payload, #payload))
check(nats.nats_client_flush(client, 10000))
local batch, count = ffi.new("nats_msg *[10]"), ffi.new("size_t[1]")
check(nats.nats_client_get(client, 10, 10000, batch, count))
assert(count[0] == 1, "one message was published")
assert(ffi.string(nats.nats_msg_subject(batch[0], nil)) == "ffi.one")
assert(data_of(batch[0]) == payload)
nats.nats_msg_free_many(batch, count[0])

-- request: the question comes as a message, the answer to the future
local future_out, reply_out, sub_out = out "nats_future", out "nats_msg", out "nats_sub"
check(nats.nats_client_subscribe(client, "double", Z, nil, 0, 0, sub_out))
check(nats.nats_client_request_start(client, "double", Z, nil, "21", 2, 10000, future_out))
check(nats.nats_sub_next(sub_out[0], 10000, reply_out))
local answer = tostring(tonumber(data_of(reply_out[0])) * 2)
check(nats.nats_client_respond(client, reply_out[0], nil, answer, #answer))
nats.nats_msg_free(reply_out[0])
check(nats.nats_future_wait(future_out[0], -1, reply_out))
assert(data_of(reply_out[0]) == "42")
nats.nats_msg_free(reply_out[0])
nats.nats_future_free(future_out[0])
nats.nats_sub_free(sub_out[0])

-- errors
check(nats.nats_client_request(client, "nobody", Z, nil, nil, 0, 10000, reply_out),
  nats.NATS_ERR_NO_RESPONDERS)
check(nats.nats_client_publish(client, "a b", Z, nil, 0), nats.NATS_ERR_INVALID)
assert(ffi.string(nats.nats_last_about()) == "subject")
check(nats.nats_client_publish(client, "a", Z, "no length", Z), nats.NATS_ERR_INVALID)
assert(ffi.string(nats.nats_last_error(nil)):find("data needs its length", 1, true))

check(nats.nats_client_close(client))
check(nats.nats_client_publish(client, "ffi.one", Z, nil, 0), nats.NATS_ERR_CLOSED)
nats.nats_client_free(client)
print("publish, get and request without a compiler")
