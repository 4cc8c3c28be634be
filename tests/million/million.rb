# frozen_string_literal: true

# So many messages through a stream, in Ruby: README.md has what it does and prints.
require "polynats"

CHUNK = 1000
PULL = 500
WAIT = 60
URL, COUNT = ARGV[0], Integer(ARGV[1])
STEP = COUNT / 10
$stdout.sync = true

def tell(what, done, more)
  puts "#{what} #{done}" if done / STEP != (done - more) / STEP
end

def publish(js)
  stats = js.publisher do |publisher|
    (1..COUNT).each_slice(CHUNK) do |numbers|
      publisher.publish_many("million", numbers.map { |number| format("%0128d", number) })
      tell("published", numbers.last, numbers.size)
    end
    publisher.flush(timeout: WAIT)
    publisher.stats
  end
  abort stats.to_s unless stats[:acked] == COUNT && stats[:duplicates].zero?
end

# Each is the next one.
def take(batch, done)
  batch.each.with_index(done + 1) do |msg, number|
    place = msg.metadata
    found = [msg.data.to_i, place.stream_seq, place.consumer_seq, place.delivered]
    abort "#{found} is not #{number}" unless found == [number, number, number, 1]
  end
end

def consume(nc, consumer)
  sub = consumer.consume(max_messages: PULL)
  done = 0
  while done < COUNT
    batch = sub.get(max: CHUNK, wait: WAIT)
    abort "message #{done + 1} did not come" if batch.empty?
    take(batch, done)
    done += more = batch.size
    last = done == COUNT ? batch.pop : nil
    abort "acks" unless nc.ack_many(batch) == batch.size
    last&.ack_sync(timeout: WAIT) # the server has all of them then
    tell("consumed", done, more)
  end
  sub.unsubscribe
end

Polynats.connect(URL) do |nc|
  js = nc.jetstream(timeout: WAIT)
  stream = js.create_stream(name: "MILLION", subjects: ["million"], storage: "file")
  publish(js)
  consumer = stream.create_consumer(durable_name: "reader", ack_policy: "explicit", ack_wait: 600)
  consume(nc, consumer)
  info = consumer.info
  puts ["done", stream.info["state"]["messages"], info["ack_floor"]["stream_seq"],
        info["num_ack_pending"], info["num_pending"]].join(" ")
end
