-- The worker of the reliability tests, in Lua: README.md has the words it takes and the lines it prints.
local nats = require "nats"

local TICK, FLUSH, PATIENCE, ROUND_MSGS = 0.005, 0.5, 20, 50
local mode, url = arg[1], arg[2]
local words, options = {}, {}
for i = 3, #arg do
  local plus, key, value = arg[i]:match("^(%+?)([^=]+)=(.*)$")
  if plus == "" then
    words[key] = value
  elseif value == "true" or value == "false" then
    options[key] = value == "true"
  else
    options[key] = tonumber(value) or value
  end
end
io.stdout:setvbuf("line")

-- Tell, and wait until the harness has seen it.
local function tell(what)
  print(what)
  if not io.read() then os.exit(1) end
end

local function over(key)
  local file = io.open(words[key or "until"])
  return file ~= nil and file:close()
end

local function put_events(nc)
  for event in function() return nc:next_event(0) end do
    print(("event %s %.6f"):format(event.type, event.time))
  end
end

local function put_done(facts)
  local list = {}
  for key, value in pairs(facts) do list[#list + 1] = key .. "=" .. value end
  print("done " .. table.concat(list, " "))
end

-- ---- echo: publish numbers, and receive them again ----

local function publish_due(self)
  local due = (nats.now() - self.began) * self.rate - self.tried
  local most = self.rate / 10
  if due > most then -- it stood still: what was missed is not made up for
    self.began = self.began + (due - most) / self.rate
    due = most
  end
  for _ = 1, math.floor(due) do
    self.tried = self.tried + 1
    local start = nats.now()
    local ok = self.nc:publish(words.subject, ("%016d"):format(self.tried) .. self.filler)
    self.publish = math.max(self.publish, nats.now() - start)
    if not ok then
      self.refused = self.refused + 1
      return
    end
    self.accepted = self.accepted + 1
  end
end

local function take(self, wait)
  local start = nats.now()
  local batch = assert(self.sub:get { wait = wait })
  self.get = math.max(self.get, nats.now() - start)
  for _, msg in ipairs(batch) do
    local number = math.tointeger(tonumber(msg.data:sub(1, 16)))
    if number <= self.last then self.disorder = self.disorder + 1 end
    self.last = number
  end
  self.received = self.received + #batch
  return #batch > 0
end

local function flush(self, seconds)
  local start = nats.now()
  local ok = self.nc:flush(seconds)
  self.flushing = math.max(self.flushing, nats.now() - start)
  return ok
end

local function go_on(self)
  local every, flushed = tonumber(words.flush), nats.now()
  while not over() do
    publish_due(self)
    take(self, 0)
    if every > 0 and nats.now() - flushed >= every then
      flush(self, FLUSH)
      flushed = nats.now()
    end
    put_events(self.nc)
    take(self, TICK)
  end
end

local function echo()
  local nc <close> = assert(nats.connect(url, options))
  local self = {
    nc = nc, rate = tonumber(words.rate), filler = (" "):rep(tonumber(words.size) - 16),
    sub = assert(nc:subscribe(words.subject, { pending_msgs = -1, pending_bytes = -1 })),
    tried = 0, accepted = 0, refused = 0, received = 0, disorder = 0, last = 0,
    publish = 0, get = 0, flushing = 0,
  }
  tell "ready"
  local start = nats.now()
  self.began = start
  go_on(self)
  local flushing, get, seconds = self.flushing, self.get, nats.now() - start
  local limit = nats.now() + PATIENCE
  repeat until flush(self, PATIENCE) or nats.now() > limit
  repeat until not take(self, 0.5)
  put_events(nc)
  local facts = {
    accepted = self.accepted, refused = self.refused, received = self.received,
    disorder = self.disorder,
    slowest_publish = self.publish, slowest_flush = flushing, slowest_get = get, seconds = seconds,
  }
  for name, value in pairs(nc:stats()) do facts["stat_" .. name] = value end
  put_done(facts)
end

-- ---- idle: no call at all from "ready" until the harness answers ----

local function idle()
  local nc <close> = assert(nats.connect(url, options))
  local sub = assert(nc:subscribe(words.subject))
  assert(nc:flush(PATIENCE))
  tell "ready"
  local got = sub:get { wait = 0 }
  for _, msg in ipairs(got) do print("event got " .. msg.data) end
  put_events(nc)
  put_done { received = #got }
end

-- ---- slow: one subscription is hardly read, another one is asked for its latency ----

local function probe(nc, sub, took)
  local start = nats.now()
  assert(nc:publish(sub.subject, "?"))
  assert(sub:next(PATIENCE), "a probe did not come")
  took[#took + 1] = nats.now() - start
  sub:next(TICK)
end

local function p99(took)
  table.sort(took)
  return took[#took * 99 // 100 + 1]
end

local function slow()
  local nc <close> = assert(nats.connect(url, options))
  local limits = { pending_msgs = -1, pending_bytes = math.tointeger(tonumber(words.limit)) }
  local sub = assert(nc:subscribe(words.subject, limits))
  local quick = assert(nc:subscribe(words.probe))
  assert(nc:flush(PATIENCE))
  local read, unread = {}, {}
  tell "ready"
  while not over "read_until" do
    probe(nc, quick, read)
    sub:get { wait = 0 }
  end
  put_events(nc)
  tell "read"
  local due = nats.now() + 1
  while not over() do
    probe(nc, quick, unread)
    put_events(nc)
    if nats.now() >= due then
      sub:next(0)
      due = due + 1
    end
  end
  tell "full"
  assert(nc:flush(PATIENCE))
  repeat until #sub:get { wait = 0 } == 0
  put_events(nc)
  local stats = sub:stats()
  put_done {
    delivered = stats.delivered, dropped = stats.dropped, pending = stats.pending,
    received = stats.received,
    probes_read = #read, probes_slow = #unread,
    p99_read = p99(read), p99_slow = p99(unread),
  }
end

-- ---- connects: to servers good and bad, again and again ----

local function connect_all(urls, from, to)
  local good = 0
  for number = from, to - 1 do
    local nc = nats.connect(urls[number % #urls + 1], options)
    if nc then
      assert(nc:flush(PATIENCE))
      assert(nc:close())
      good = good + 1
    end
  end
  return good
end

local function connects()
  local urls, warm, count = {}, tonumber(words.warm), tonumber(words.count)
  for one in url:gmatch("[^|]+") do urls[#urls + 1] = one end
  local good = connect_all(urls, 0, warm)
  collectgarbage()
  tell "warm"
  good = good + connect_all(urls, warm, warm + count)
  collectgarbage()
  tell "over"
  put_done { good = good, bad = warm + count - good }
end

-- ---- rounds: whole sessions, while signals come ----

local function play_round()
  local nc <close> = assert(nats.connect(url, options))
  local sub, service = assert(nc:subscribe(words.subject)), assert(nc:subscribe(words.service))
  for _ = 1, ROUND_MSGS do assert(nc:publish(sub.subject, "x")) end
  assert(nc:flush(PATIENCE))
  local received = 0
  while received < ROUND_MSGS and sub:next(PATIENCE) do received = received + 1 end
  local future = assert(nc:request_start(service.subject, "?", { timeout = PATIENCE }))
  assert(assert(service:next(PATIENCE)):respond("!"))
  assert(assert(future:wait(PATIENCE)).data == "!")
  assert(not sub:next(TICK), "one too many")
  return received
end

local function rounds()
  tell "ready"
  local done, received = 0, 0
  while not over() do
    received = received + play_round()
    done = done + 1
  end
  tell "over"
  put_done { rounds = done, received = received, expected = done * ROUND_MSGS, signals = 0 }
end

local function jetstream()
  local modes = dofile((arg[0]:gsub("%.lua$", "_js.lua")))
  local nc <close> = assert(nats.connect(url, options))
  modes[mode]({ tell = tell, over = over, put_events = put_events, put_done = put_done }, words, nc)
end

local modes = {
  echo = echo, idle = idle, slow = slow, connects = connects, rounds = rounds,
  store = jetstream, work = jetstream,
}
modes[mode]()
