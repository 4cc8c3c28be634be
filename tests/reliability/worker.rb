# frozen_string_literal: true

# The worker of the reliability tests, in Ruby: README.md has the words it takes and the lines it prints.

require "polynats"

TICK = 0.005
FLUSH = 0.5
PATIENCE = 20.0
ROUND_MSGS = 50

MODE, URL, *REST = ARGV
$stdout.sync = true
plus, plain = REST.partition { |word| word.start_with?("+") }
WORDS = plain.to_h { |word| word.split("=", 2) }.freeze
OPTIONS = plus.to_h do |word|
  key, value = word[1..].split("=", 2)
  typed = case value
          when "true", "false" then value == "true"
          when /\A\d+\z/ then Integer(value, 10)
          when /\A\d+\.\d+\z/ then Float(value)
          else value
          end
  [key.to_sym, typed]
end.freeze

# Tell, and wait until the harness has seen it.
def tell(what)
  puts what
  $stdin.gets or exit(1)
end

def over?(key = "until") = File.exist?(WORDS[key])

def put_events(client)
  while (event = client.next_event(wait: 0))
    puts format("event %s %.6f", event.type, event.time)
  end
end

def put_done(**facts) = puts("done #{facts.map { |key, value| "#{key}=#{value}" }.join(" ")}")

# Publish numbers, and receive them again.
class Echo
  def initialize(client)
    @client = client
    @subject = WORDS["subject"]
    @sub = client.subscribe(@subject, pending_msgs: -1, pending_bytes: -1)
    @rate = WORDS["rate"].to_f
    @filler = " " * (WORDS["size"].to_i - 16)
    @tried = @accepted = @refused = @received = @disorder = @last = 0
    @slowest = { publish: 0.0, flush: 0.0, get: 0.0 }
  end

  def timed(what)
    start = Polynats.now
    yield
  ensure
    took = Polynats.now - start
    @slowest[what] = took if took > @slowest[what]
  end

  def publish_due
    due = (Polynats.now - @began) * @rate - @tried
    most = @rate / 10
    if due > most # it stood still: what was missed is not made up for
      @began += (due - most) / @rate
      due = most
    end
    due.to_i.times do
      data = format("%016d", @tried += 1) << @filler
      timed(:publish) { @client.publish(@subject, data) }
      @accepted += 1
    rescue Polynats::Error
      @refused += 1
      return
    end
  end

  def take(wait)
    batch = timed(:get) { @sub.get(wait: wait) }
    batch.each do |msg|
      number = msg.data.to_i
      @disorder += 1 if number <= @last
      @last = number
    end
    @received += batch.size
    batch.any?
  end

  def flush(seconds)
    timed(:flush) { @client.flush(timeout: seconds) }
    true
  rescue Polynats::Error
    false
  end

  def go_on
    flushed = @began
    until over?
      publish_due
      take(0)
      if WORDS["flush"].to_f.positive? && Polynats.now - flushed >= WORDS["flush"].to_f
        flush(FLUSH)
        flushed = Polynats.now
      end
      put_events(@client)
      take(TICK)
    end
  end

  def run
    tell("ready")
    start = @began = Polynats.now
    go_on
    slowest = @slowest.transform_keys { |what| :"slowest_#{what}" }
    seconds = Polynats.now - start
    limit = Polynats.now + PATIENCE
    nil until flush(PATIENCE) || Polynats.now > limit
    nil while take(0.5)
    put_events(@client)
    put_done(accepted: @accepted, refused: @refused, received: @received, disorder: @disorder, seconds: seconds,
             **slowest, **@client.stats.transform_keys { |name| :"stat_#{name}" })
  end
end

def echo = Polynats.connect(URL, **OPTIONS) { |client| Echo.new(client).run }

# No call at all from "ready" until the harness answers.
def idle
  Polynats.connect(URL, **OPTIONS) do |client|
    sub = client.subscribe(WORDS["subject"])
    client.flush(timeout: PATIENCE)
    tell("ready")
    got = sub.get(wait: 0)
    got.each { |msg| puts "event got #{msg.data}" }
    put_events(client)
    put_done(received: got.size)
  end
end

def probe(client, sub, took)
  start = Polynats.now
  client.publish(sub.subject, "?")
  sub.next(timeout: PATIENCE) or abort("a probe did not come")
  took << (Polynats.now - start)
  sub.next(timeout: TICK)
end

def p99(took) = took.sort[took.size * 99 / 100]

# One message a second is taken from sub.
def starve(client, sub, quick, took)
  due = Polynats.now + 1
  until over?
    probe(client, quick, took)
    put_events(client)
    next if Polynats.now < due

    sub.next(timeout: 0)
    due += 1
  end
end

# One subscription is hardly read, another one is asked for its latency.
def slow
  client = Polynats.connect(URL, **OPTIONS)
  sub = client.subscribe(WORDS["subject"], pending_msgs: -1, pending_bytes: WORDS["limit"].to_i)
  quick = client.subscribe(WORDS["probe"])
  client.flush(timeout: PATIENCE)
  read = []
  unread = []
  tell("ready")
  until over?("read_until")
    probe(client, quick, read)
    sub.get(wait: 0)
  end
  put_events(client)
  tell("read")
  starve(client, sub, quick, unread)
  tell("full")
  client.flush(timeout: PATIENCE)
  nil while sub.get(wait: 0).any?
  put_events(client)
  delivered, dropped, pending, received = sub.stats.values_at(:delivered, :dropped, :pending, :received)
  put_done(delivered: delivered, dropped: dropped, pending: pending, received: received, probes_read: read.size,
           probes_slow: unread.size, p99_read: p99(read), p99_slow: p99(unread))
  client.close
end

def connect_all(urls, numbers)
  numbers.count do |number|
    client = Polynats.connect(urls[number % urls.size], **OPTIONS)
    client.flush(timeout: PATIENCE)
    client.close
    true
  rescue Polynats::Error
    false
  end
end

def connects
  urls = URL.split("|")
  warm = WORDS["warm"].to_i
  count = WORDS["count"].to_i
  good = connect_all(urls, 0...warm)
  GC.start
  tell("warm")
  good += connect_all(urls, warm...warm + count)
  GC.start
  tell("over")
  put_done(good: good, bad: warm + count - good)
end

def play_round
  client = Polynats.connect(URL, **OPTIONS)
  sub = client.subscribe(WORDS["subject"])
  service = client.subscribe(WORDS["service"])
  ROUND_MSGS.times { client.publish(sub.subject, "x") }
  client.flush(timeout: PATIENCE)
  received = (1..ROUND_MSGS).count { sub.next(timeout: PATIENCE) }
  future = client.request_start(service.subject, "?", timeout: PATIENCE)
  service.next(timeout: PATIENCE).respond("!")
  abort("no reply") unless future.wait(timeout: PATIENCE).data == "!"
  abort("one too many") if sub.next(timeout: TICK)
  received
ensure
  client&.close
end

def rounds
  signals = 0
  trap(:ALRM) { signals += 1 } if WORDS["alarm"] == "1"
  tell("ready")
  done = received = 0
  until over?
    received += play_round
    done += 1
  end
  tell("over")
  put_done(rounds: done, received: received, expected: done * ROUND_MSGS, signals: signals)
end

require_relative "worker_js" if %w[store work].include?(MODE)
send({ "echo" => :echo, "idle" => :idle, "slow" => :slow, "connects" => :connects, "rounds" => :rounds,
       "store" => :store, "work" => :work }.fetch(MODE))
