# frozen_string_literal: true

# Consumes a stream and acknowledges: ruby stream_consumer.rb [stream] [consumer] [how many]
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby stream_consumer.rb [stream] [consumer] [how many]"
  exit
end

name, who, count = ARGV.fetch(0, "NEWS"), ARGV.fetch(1, "reader"), Integer(ARGV.fetch(2, 3))
Polynats.connect do |nc|
  consumer = nc.jetstream.stream(name).get_or_create_consumer(durable_name: who)
  sub = consumer.consume(max_messages: 100)
  count.times do
    msg = sub.next(timeout: 5) or abort "nothing came in 5 s"
    puts "#{msg.metadata.stream_seq}\t#{msg.data}"
    msg.ack_sync # the server has taken note
  end
  sub.unsubscribe
  info = consumer.info
  puts "left: #{info["num_pending"]}, not acknowledged: #{info["num_ack_pending"]}"
end
