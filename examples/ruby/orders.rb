# frozen_string_literal: true

# An order book that is kept: ruby orders.rb [stream]
# A stream of orders, published with a window, worked off by a consumer, and read again in order.
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby orders.rb [stream]"
  exit
end

name = ARGV.fetch(0, "ORDERS")
Polynats.connect do |nc|
  js = nc.jetstream
  stream = js.create_stream(name: name, subjects: ["#{name}.>"], storage: "memory")

  stats = js.publisher(max_pending: 100) do |publisher| # up to 100 under way
    (1..5).each { |number| publisher.publish("#{name}.new", "order #{number}", msg_id: number.to_s) }
    publisher.publish("#{name}.new", "order 5, sent twice", msg_id: "5")
    publisher.flush.stats
  end
  puts "stored #{stats[:acked] - stats[:duplicates]}"

  desk = stream.create_consumer(durable_name: "desk", ack_wait: 30)
  desk.fetch(3, wait: 5).each do |msg|
    puts "done: #{msg.data}"
    msg.ack_sync
  end
  puts "left for the desk: #{desk.info["num_pending"]}"

  ack = js.publish("#{name}.closed", "book", expect_last_seq: 5) # nobody was quicker
  stream.ordered_consumer.fetch(ack.seq, wait: 5).each do |msg|
    puts "#{msg.metadata.stream_seq} #{msg.subject.split(".")[1]} #{msg.data}"
  end
  stream.delete
end
