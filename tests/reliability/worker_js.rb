# frozen_string_literal: true

# JetStream's part of the worker in Ruby: README.md has the words it takes and the lines it prints.

CALL = 2.0 # of what waits for the server
# A server that was killed has forgotten some of what it delivered, does not answer acks of that, and delivers it again.
ACK_CALL = 0.25
QUEUE = 10 # messages that may wait to be acknowledged
SETTLE = 60
SILENCE = 0.3 # longer ones are told
PAUSE = 0.05 # after a failure
BURST = 500 # messages between two looks at the rest
WINDOW = 256

# Tells when nothing came for longer than usual.
class Pulse
  attr_writer :last

  def initialize(name)
    @name = name
    @last = nil
  end

  def beat
    now = Polynats.now
    if @last && now - @last > SILENCE
      puts format("event %s_silent %.6f", @name, @last)
      puts format("event %s_heard %.6f", @name, now)
    end
    @last = now
  end
end

# Publish numbers, each until its ack comes, always with the same id.
class Writer
  attr_reader :acked, :unknown, :duplicates, :misplaced

  def initialize(stream_client)
    @js = stream_client
    @rate = WORDS["rate"].to_f
    @subject = WORDS["subject"]
    @next = 1
    @acked = @unknown = @duplicates = @misplaced = 0
    @pulse = Pulse.new("ack")
  end

  def begin = @began = @pause = Polynats.now

  def due
    return 0 if Polynats.now < @pause

    [((Polynats.now - @began) * @rate).to_i - @acked, BURST].min
  end

  # Who takes nothing now is left in peace for a moment.
  def failed
    @unknown += 1
    @pause = Polynats.now + PAUSE
  end

  def done(count)
    return if count.zero?

    @acked += count
    @pulse.beat
  end
end

# One after the other: a message's number is its sequence, or something was lost or stored twice.
class SyncWriter < Writer
  def turn(more)
    (more ? due : 0).times do
      ack = @js.publish(@subject, @next.to_s, msg_id: @next.to_s, timeout: CALL)
      @duplicates += 1 if ack.duplicate?
      @misplaced += 1 if ack.seq != @next
      @next += 1
      done(1)
    rescue Polynats::Error
      return failed
    end
  end

  def settled? = true
end

# Many under way: those that fail are published again, behind the others.
class WindowWriter < Writer
  def initialize(stream_client)
    super
    @publisher = @js.publisher(max_pending: WINDOW)
    @under_way = {}
    @again = []
  end

  def publish(number)
    id = @publisher.publish(@subject, number.to_s, msg_id: number.to_s)
    @under_way[id] = number
    true
  rescue Polynats::Error
    @again << number
    false
  end

  def publish_all(more)
    todo = @again
    @again = []
    stopped = todo.index { |number| !publish(number) }
    @again.concat(todo.drop(stopped + 1)) if stopped
    return unless more && @again.empty?

    [due - todo.size, 0].max.times do
      @next += 1
      break unless publish(@next - 1)
    end
  end

  def turn(more)
    publish_all(more) if @under_way.empty? && Polynats.now >= @pause
    begin
      @publisher.flush(timeout: CALL)
    rescue Polynats::Error
      nil # failures has them one by one
    end
    settle
  end

  def settle
    stats = @publisher.stats
    @publisher.failures.each do |id, _|
      @again << @under_way.delete(id)
      failed
    end
    @duplicates = stats[:duplicates]
    return unless stats[:pending].zero?

    done(@under_way.size)
    @under_way = {}
  end

  def settled? = @under_way.empty? && @again.empty?
end

# What is stored comes to a consumer, at least once, and to an ordered one, once and in order.
class Reader
  attr_reader :redelivered, :last, :wrong

  def initialize(client, stream)
    @client = client
    heartbeat = WORDS["heartbeat"].to_f
    @sub = stream.consumer(WORDS["consumer"]).consume(heartbeat: heartbeat)
    @ordered = stream.ordered_consumer.consume(idle_heartbeat: heartbeat)
    @seen = {}
    @redelivered = @last = @wrong = 0
    @pulses = [Pulse.new("consumer"), Pulse.new("ordered")]
  end

  def consumed = @seen.size

  def turn(wait)
    take(@sub.get(wait: wait))
    check(@ordered.get(wait: 0))
  end

  def take(batch)
    batch.each do |msg|
      number = msg.data.to_i
      @redelivered += 1 if @seen[number]
      @seen[number] = true
    end
    return if batch.empty?

    @client.ack_many(batch)
    @pulses[0].beat
  end

  def check(batch)
    batch.each do |msg|
      seq = msg.metadata.stream_seq
      @wrong += 1 if seq != @last + 1
      @last = seq
    end
    @pulses[1].beat if batch.any?
  end

  def facts = { consumed: consumed, redelivered: @redelivered, ordered: @last, wrong: @wrong }
end

def all_there?(writer, reader)
  writer.settled? && (!reader || (reader.consumed >= writer.acked && reader.last >= writer.acked))
end

def store
  client = Polynats.connect(URL, **OPTIONS)
  js = client.jetstream(timeout: CALL)
  reader = Reader.new(client, js.stream(WORDS["stream"])) if WORDS["consumer"]
  writer = (WORDS["kind"] == "window" ? WindowWriter : SyncWriter).new(js)
  tell("ready")
  start = writer.begin
  limit = nil
  until limit && (all_there?(writer, reader) || Polynats.now > limit)
    limit = Polynats.now + SETTLE if !limit && over?
    writer.turn(!limit)
    reader ? reader.turn(TICK) : sleep(TICK)
    put_events(client)
  end
  put_done(acked: writer.acked, unknown: writer.unknown, duplicates: writer.duplicates,
           misplaced: writer.misplaced, seconds: Polynats.now - start, **(reader ? reader.facts : {}))
  client.close
end

# Acknowledge each message twice over: none of those comes again behind the answer.
class Acks
  attr_reader :acked, :seen, :unknown, :redelivered

  def initialize(sub)
    @sub = sub
    @acked = {}
    @seen = {}
    @taken = @unknown = @redelivered = 0
  end

  def take(msg)
    number = msg.data.to_i
    @taken += 1
    @redelivered += 1 if @seen[number]
    @seen[number] = true
    # What was sent before the answer was in the queue by then.
    before, queued = @acked[number]
    puts format("event again %.6f", before) if before && @taken > queued
    msg.ack_sync(timeout: ACK_CALL)
    @acked[number] = [Polynats.now, @sub.stats.values_at(:delivered, :pending).sum]
  rescue Polynats::Error
    @unknown += 1
  end
end

def work
  client = Polynats.connect(URL, **OPTIONS)
  consumer = client.jetstream(timeout: CALL).stream(WORDS["stream"]).consumer(WORDS["consumer"])
  sub = consumer.consume(heartbeat: WORDS["heartbeat"].to_f, max_messages: QUEUE)
  acks = Acks.new(sub)
  pulse = Pulse.new("message")
  tell("ready")
  began = Polynats.now
  until over?
    put_events(client)
    if acks.acked.size > (Polynats.now - began) * WORDS["rate"].to_f
      sleep(TICK)
      pulse.last = Polynats.now
    elsif (msg = sub.next(timeout: TICK))
      pulse.beat
      acks.take(msg)
    end
  end
  put_done(seen: acks.seen.size, acked: acks.acked.size, unknown: acks.unknown, redelivered: acks.redelivered)
  client.close
end
