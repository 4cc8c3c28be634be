-- So many messages through a stream, in Lua: README.md has what it does and prints.
local nats = require "nats"

local CHUNK, PULL, WAIT = 1000, 500, 60
local url, count = arg[1], math.tointeger(tonumber(arg[2]))
local step = count // 10
local zeros = ("0"):rep(112)
io.stdout:setvbuf("line")

local function tell(what, done, more)
  if done // step ~= (done - more) // step then print(what, done) end
end

local function publish(js)
  local publisher <close> = assert(js:publisher())
  for first = 1, count, CHUNK do
    local datas = {}
    for number = first, math.min(first + CHUNK - 1, count) do
      datas[#datas + 1] = zeros .. ("%016d"):format(number)
    end
    assert(publisher:publish_many("million", datas))
    tell("published", first + #datas - 1, #datas)
  end
  assert(publisher:flush(WAIT))
  local stats = publisher:stats()
  assert(stats.acked == count and stats.duplicates == 0, "some were not acknowledged")
end

-- Each is the next one.
local function take(batch, done)
  for i, msg in ipairs(batch) do
    local place, number = msg.metadata, done + i
    assert(tonumber(msg.data) == number and place.stream_seq == number and
      place.consumer_seq == number and place.delivered == 1, "not the next one")
  end
end

local function consume(nc, consumer)
  local sub <close> = assert(consumer:consume { max_messages = PULL })
  local done = 0
  while done < count do
    local batch = assert(sub:get { max = CHUNK, wait = WAIT })
    assert(#batch > 0, "the next one did not come")
    take(batch, done)
    done = done + #batch
    local more = #batch
    local last = done == count and table.remove(batch)
    assert(assert(nc:ack_many(batch)) == #batch)
    if last then assert(last:ack_sync(WAIT)) end -- the server has all of them then
    tell("consumed", done, more)
  end
end

local nc <close> = assert(nats.connect(url))
local js = assert(nc:jetstream { timeout = WAIT })
local stream = assert(js:create_stream {
  name = "MILLION", subjects = { "million" }, storage = "file",
})
publish(js)
local consumer = assert(stream:create_consumer {
  durable_name = "reader", ack_policy = "explicit", ack_wait = 600,
})
consume(nc, consumer)
local info, stored = assert(consumer:info()), assert(stream:info()).state.messages
print("done", stored, info.ack_floor.stream_seq, info.num_ack_pending, info.num_pending)
