# frozen_string_literal: true

# The Ruby gem doing what bench/raw.c does. Same flags, same line of results. Needs `polynats` on RUBYLIB.

require "polynats"

WARMUP = 200 # as BENCH_WARMUP
BATCH = 1000
LONE_GAP = 0.001
WAIT = 30
WINDOW = 4000 # these as in bench.h
PULL = 500
AHEAD = 10_000
ACKS = 10_000

# ---- flags and results ----

ARGS = { url: "nats://127.0.0.1:4222", msgs: 1_000_000, size: 128, subject: "bench", storage: "memory" }
SETTINGS = { pending_msgs: -1, pending_bytes: -1 }

def read_flags
  work = ARGV.shift or abort "usage: WORK [--url u] [--msgs n] [--size n] [--subject s] [--set o=v]"
  ARGV.each_slice(2) do |flag, value|
    name = flag.delete_prefix("--").to_sym
    abort "bad flag: #{flag}" unless flag.start_with?("--") && value
    if name == :set
      option, text = value.split("=", 2)
      SETTINGS[option.to_sym] = text || abort("--set: not option=value: #{value}")
    else
      ARGS[name] = ARGS.fetch(name) { abort "unknown flag: #{flag}" }.is_a?(Integer) ? Integer(value) : value
    end
  end
  work
end

def wall = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
def cpu = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID, :nanosecond)
def start = [wall, cpu]
def stop(began) = [wall - began[0], cpu - began[1]]

def print_line(took, p50 = nil, p99 = nil)
  seconds = took[0] / 1e9
  puts format("polynats-ruby,%s,%d,%d,%.6f,%.0f,%.2f,%s,%s,", WORK, ARGS[:size], ARGS[:msgs], seconds,
              ARGS[:msgs] / seconds, took[1].to_f / ARGS[:msgs], p50, p99)
end

def print_times(took, samples)
  samples.sort!
  rank = ->(part) { format("%.2f", samples[((samples.size - 1) * part).round] / 1e3) }
  print_line(took, rank[0.50], rank[0.99])
end

def ready
  puts "ready"
  $stdout.flush
end

# ---- works ----

def connect = Polynats.connect(ARGS[:url], **SETTINGS)

def subscribe(nc)
  sub = nc.subscribe(ARGS[:subject])
  nc.flush(timeout: WAIT)
  sub
end

def pub
  nc = connect
  subject = ARGS[:subject]
  data = ("x" * ARGS[:size]).b
  left = ARGS[:msgs]
  began = start
  while left > 0
    nc.publish(subject, data)
    left -= 1
  end
  nc.flush(timeout: WAIT)
  print_line(stop(began))
end

# A list of messages at a time, the data of each made a string.
def sub
  nc = connect
  kept = subscribe(nc)
  ready
  msgs = bytes = 0
  began = start
  while msgs < ARGS[:msgs]
    batch = nc.get(max: BATCH, wait: WAIT)
    abort "only #{msgs} messages came" if batch.empty?
    began[0] = wall if msgs.zero?
    batch.each { |msg| bytes += msg.data.bytesize }
    msgs += batch.size
  end
  took = stop(began)
  abort "#{msgs} messages with #{bytes} bytes came" if msgs != ARGS[:msgs] || bytes != msgs * ARGS[:size]
  print_line(took)
  kept.unsubscribe
end

def req
  nc = connect
  data = ("x" * ARGS[:size]).b
  samples = []
  began = nil
  (ARGS[:msgs] + WARMUP).times do |i|
    began = start if i == WARMUP
    asked = wall
    reply = nc.request(ARGS[:subject], data, timeout: WAIT)
    samples << (wall - asked) if i >= WARMUP
    abort "a reply has #{reply.data.bytesize} bytes" if reply.data.bytesize != ARGS[:size]
  end
  print_times(stop(began), samples)
end

def respond
  nc = connect
  kept = subscribe(nc)
  ready
  done = 0
  began = start
  while done < ARGS[:msgs] + WARMUP
    batch = nc.get(max: BATCH, wait: WAIT)
    abort "only #{done} requests came" if batch.empty?
    batch.each { |msg| msg.respond(msg.data) }
    done += batch.size
  end
  nc.flush(timeout: WAIT)
  print_line(stop(began))
  kept.unsubscribe
end

# It publishes on one connection, then waits on the other, in one thread as bench/polynats.lua.
def lone
  out = connect
  inn = connect
  kept = subscribe(inn)
  data = ("x" * ARGS[:size]).b
  samples = []
  began = start
  ARGS[:msgs].times do |i|
    sleep LONE_GAP
    sent = wall
    out.publish(ARGS[:subject], data)
    abort "only #{i} messages came" unless kept.next(timeout: WAIT)
    samples << (wall - sent)
  end
  print_times(stop(began), samples)
end

# ---- JetStream ----

def drop
  yield
rescue Polynats::Server => e
  raise unless e.status == 404
end

# Many in a call.
def js_pub(fast: false)
  js = connect.jetstream(timeout: WAIT)
  drop { js.delete_stream("BENCH") }
  more = fast ? { allow_batched: true } : {}
  js.create_stream(name: "BENCH", subjects: [ARGS[:subject]], storage: ARGS[:storage], **more)
  publisher = js.publisher(max_pending: WINDOW, fast: fast)
  subject = ARGS[:subject]
  datas = [("x" * ARGS[:size]).b] * BATCH
  left = ARGS[:msgs]
  began = start
  while left > 0
    publisher.publish_many(subject, left < BATCH ? datas.first(left) : datas)
    left -= BATCH
  end
  publisher.flush(timeout: WAIT)
  took = stop(began)
  acked = publisher.stats[:acked]
  abort "only #{acked} messages were acknowledged" if acked != ARGS[:msgs]
  publisher.close
  drop { js.delete_stream("BENCH") }
  print_line(took)
end

def js_fast = js_pub(fast: true)

def filled(nc) = nc.jetstream(timeout: WAIT).stream("FILLED_#{ARGS[:storage]}")

def make_consumer(nc)
  stream = filled(nc)
  drop { stream.delete_consumer("bench") }
  stream.create_consumer(durable_name: "bench", ack_policy: "explicit", max_ack_pending: ACKS)
end

# Gives how many are to come, takes lists of them, until all have come.
def read_all(acker = nil)
  msgs = bytes = 0
  began = start
  while msgs < ARGS[:msgs]
    batch = yield ARGS[:msgs] - msgs
    abort "only #{msgs} messages came" if batch.empty?
    batch.each { |msg| bytes += msg.data.bytesize }
    msgs += batch.size
    acknowledge(acker, batch, msgs == ARGS[:msgs]) if acker
  end
  took = stop(began)
  abort "#{msgs} messages with #{bytes} bytes came" if msgs != ARGS[:msgs] || bytes != msgs * ARGS[:size]
  took
end

# Many in a call; the last of all by a double ack, so that the server has taken note of all before it.
def acknowledge(nc, batch, last)
  final = last ? batch.pop : nil
  nc.ack_many(batch)
  final&.ack_sync(timeout: WAIT)
end

def finish(consumer, took)
  floor = consumer.info["ack_floor"]["stream_seq"]
  abort "acks are in as far as message #{floor}" if floor != ARGS[:msgs]
  consumer.delete
  print_line(took)
end

def js_fetch
  nc = connect
  consumer = make_consumer(nc)
  finish(consumer, read_all(nc) { |left| consumer.fetch([PULL, left].min, wait: WAIT) })
end

def js_consume
  nc = connect
  consumer = make_consumer(nc)
  kept = consumer.consume(max_messages: PULL)
  finish(consumer, read_all(nc) { |left| kept.get(max: [BATCH, left].min, wait: WAIT) })
  kept.unsubscribe
end

def js_ordered
  kept = filled(connect).ordered_consumer.consume(max_messages: AHEAD)
  print_line(read_all { |left| kept.get(max: [BATCH, left].min, wait: WAIT) })
  kept.unsubscribe
end

WORK = read_flags
WORKS = %w[pub sub req respond lone js-pub js-fast js-fetch js-consume js-ordered].freeze
abort "unknown work: #{WORK}" unless WORKS.include?(WORK)
send(WORK.tr("-", "_"))
