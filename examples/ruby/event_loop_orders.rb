# frozen_string_literal: true

# JetStream in two fibers on one thread: one publishes orders, the other works them off as they come.
# ruby event_loop_orders.rb [how many]
require "async"
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby event_loop_orders.rb [how many]"
  exit
end

count = Integer(ARGV.fetch(0, 3))
Async do |task|
  nc = Polynats.connect
  js = nc.jetstream
  stream = js.create_stream(name: "LOOP_ORDERS", subjects: ["loop.orders.>"], storage: "memory")
  sub = stream.create_consumer(durable_name: "desk").consume # asks for more by itself, without end
  task.async do
    count.times do |i|
      task.sleep(0.02)
      js.publish("loop.orders.new", "order #{i + 1}", msg_id: i.to_s) # it is stored now
    end
  end
  sub.first(count).each do |msg| # waits, and the other fiber goes on
    puts "done: #{msg.data}"
    msg.ack_sync
  end
  stream.delete
  nc.close
end
