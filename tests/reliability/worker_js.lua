-- JetStream's part of the worker in Lua: README.md has the words it takes and the lines it prints.
local nats = require "nats"

local TICK = 0.005
local CALL = 2 -- of what waits for the server
-- A server that was killed has forgotten some of what it delivered: it does not answer acks of that, and delivers
-- it again.
local ACK_CALL = 0.25
local QUEUE = 10 -- messages that may wait to be acknowledged
local PATIENCE = 60
local SILENCE = 0.3 -- longer ones are told
local PAUSE = 0.05 -- after a failure
local BURST = 500 -- messages between two looks at the rest
local WINDOW = 256

local function pulse(name) return { name = name } end

-- Tells when nothing came for longer than usual.
local function beat(self)
  local now = nats.now()
  if self.last and now - self.last > SILENCE then
    print(("event %s_silent %.6f"):format(self.name, self.last))
    print(("event %s_heard %.6f"):format(self.name, now))
  end
  self.last = now
end

-- Nobody is waited for: there is nothing to sleep with but a subscription to nothing.
local function sleeper(nc)
  local nothing = assert(nc:subscribe(nc:new_inbox()))
  return function(seconds) nothing:next(seconds) end
end

-- ---- store: publish numbers, each until its ack comes, always with the same id ----

local function due(self)
  if nats.now() < self.pause then return 0 end
  return math.min(math.floor((nats.now() - self.began) * self.rate) - self.acked, BURST)
end

-- Who takes nothing now is left in peace for a moment.
local function failed(self)
  self.unknown = self.unknown + 1
  self.pause = nats.now() + PAUSE
end

local function done(self, count)
  if count > 0 then
    self.acked = self.acked + count
    beat(self.pulse)
  end
end

-- One after the other: a message's number is its sequence, or something was lost or stored twice.
local function turn_sync(self, more)
  for _ = 1, more and due(self) or 0 do
    local text = tostring(self.next)
    local ack = self.js:publish(self.subject, text, { msg_id = text, timeout = CALL })
    if not ack then return failed(self) end
    if ack.duplicate then self.duplicates = self.duplicates + 1 end
    if ack.seq ~= self.next then self.misplaced = self.misplaced + 1 end
    self.next = self.next + 1
    done(self, 1)
  end
end

local function publish(self, number)
  local id = self.publisher:publish(self.subject, tostring(number), { msg_id = tostring(number) })
  if not id then
    self.again[#self.again + 1] = number
    return false
  end
  self.under_way[id] = number
  self.count = self.count + 1
  return true
end

local function publish_all(self, more)
  local todo = self.again
  self.again = {}
  local at = 1
  while at <= #todo and publish(self, todo[at]) do at = at + 1 end
  table.move(todo, at + 1, #todo, #self.again + 1, self.again)
  for _ = 1, more and #self.again == 0 and due(self) - #todo or 0 do
    self.next = self.next + 1
    if not publish(self, self.next - 1) then return end
  end
end

-- Those that failed are published again; when none is under way any more the rest is acknowledged.
local function settle(self)
  local stats = self.publisher:stats()
  for _, failure in ipairs(self.publisher:failures()) do
    self.again[#self.again + 1] = self.under_way[failure.id]
    self.under_way[failure.id] = nil
    self.count = self.count - 1
    failed(self)
  end
  self.duplicates = stats.duplicates
  if stats.pending == 0 then
    done(self, self.count)
    self.under_way, self.count = {}, 0
  end
end

local function turn_window(self, more)
  if self.count == 0 and nats.now() >= self.pause then publish_all(self, more) end
  self.publisher:flush(CALL)
  settle(self)
end

-- ---- what is stored comes to a consumer, at least once, and to an ordered one, once and in order ----

local function reader_of(nc, stream, words)
  local heartbeat = tonumber(words.heartbeat)
  return {
    nc = nc,
    sub = assert(stream:consumer(words.consumer):consume { heartbeat = heartbeat }),
    ordered = assert(stream:ordered_consumer():consume { idle_heartbeat = heartbeat }),
    seen = {}, consumed = 0, redelivered = 0, last = 0, wrong = 0,
    pulses = { pulse "consumer", pulse "ordered" },
  }
end

local function take(self, wait)
  local batch = assert(self.sub:get { wait = wait })
  for _, msg in ipairs(batch) do
    local number = tonumber(msg.data)
    if self.seen[number] then
      self.redelivered = self.redelivered + 1
    else
      self.seen[number] = true
      self.consumed = self.consumed + 1
    end
  end
  if #batch > 0 then
    self.nc:ack_many(batch)
    beat(self.pulses[1])
  end
  local more = assert(self.ordered:get { wait = 0 })
  for _, msg in ipairs(more) do
    local seq = msg.metadata.stream_seq
    if seq ~= self.last + 1 then self.wrong = self.wrong + 1 end
    self.last = seq
  end
  if #more > 0 then beat(self.pulses[2]) end
end

local function all_there(writer, reader)
  return writer.count == 0 and #writer.again == 0
    and (not reader or (reader.consumed >= writer.acked and reader.last >= writer.acked))
end

local function store(worker, words, nc)
  local js = assert(nc:jetstream { timeout = CALL })
  local sleep = sleeper(nc)
  local reader = words.consumer and reader_of(nc, js:stream(words.stream), words)
  local writer = {
    js = js, subject = words.subject, rate = tonumber(words.rate), next = 1,
    again = {}, under_way = {},
    count = 0, acked = 0, unknown = 0, duplicates = 0, misplaced = 0, pulse = pulse "ack",
  }
  local turn = turn_sync
  if words.kind == "window" then
    turn = turn_window
    writer.publisher = assert(js:publisher { max_pending = WINDOW })
  end
  worker.tell "ready"
  local start, limit = nats.now(), nil
  writer.began, writer.pause = start, start
  repeat
    if not limit and worker.over() then limit = nats.now() + PATIENCE end
    turn(writer, not limit)
    if reader then take(reader, TICK) else sleep(TICK) end
    worker.put_events(nc)
  until limit and (all_there(writer, reader) or nats.now() > limit)
  local facts = {
    acked = writer.acked, unknown = writer.unknown, duplicates = writer.duplicates,
    misplaced = writer.misplaced, seconds = nats.now() - start,
  }
  if reader then
    facts.consumed, facts.redelivered = reader.consumed, reader.redelivered
    facts.ordered, facts.wrong = reader.last, reader.wrong
  end
  worker.put_done(facts)
end

-- ---- work: acknowledge each message twice over; none of those comes again behind the answer ----

local function work(worker, words, nc)
  local stream = assert(nc:jetstream { timeout = CALL }):stream(words.stream)
  local how = { heartbeat = tonumber(words.heartbeat), max_messages = QUEUE }
  local sub = assert(stream:consumer(words.consumer):consume(how))
  local sleep, rate, beating = sleeper(nc), tonumber(words.rate), pulse "message"
  local acked, queued, seen = {}, {}, {}
  local facts = { seen = 0, acked = 0, unknown = 0, redelivered = 0 }
  local function count(name) facts[name] = facts[name] + 1 end
  local taken = 0
  local function acknowledge(msg)
    local number = tonumber(msg.data)
    taken = taken + 1
    count(seen[number] and "redelivered" or "seen")
    seen[number] = true
    -- What was sent before the answer was in the queue by then.
    if acked[number] and taken > queued[number] then
      print(("event again %.6f"):format(acked[number]))
    end
    if not msg:ack_sync(ACK_CALL) then return count "unknown" end
    local stats = sub:stats()
    if not acked[number] then count "acked" end
    acked[number], queued[number] = nats.now(), stats.delivered + stats.pending
  end
  worker.tell "ready"
  local began = nats.now()
  while not worker.over() do
    worker.put_events(nc)
    if facts.acked > (nats.now() - began) * rate then
      sleep(TICK)
      beating.last = nats.now()
    else
      local msg, text = sub:next(TICK)
      assert(msg or not text, text)
      if msg then
        beat(beating)
        acknowledge(msg)
      end
    end
  end
  worker.put_done(facts)
end

return { store = store, work = work }
