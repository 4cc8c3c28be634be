# frozen_string_literal: true

# A stream and a consumer that may be there already; publish, receive, acknowledge: ruby events.rb [stream]
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby events.rb [stream]"
  exit
end

name = ARGV.fetch(0, "mystream")
Polynats.connect do |nc|
  js = nc.jetstream
  config = {
    name: name,
    subjects: ["#{name}.events.>", "#{name}.notifications.>"],
    retention: "limits",
    max_msgs: 1000,
    max_age: 7 * 24 * 3600
  }
  if nc.server_info["api_lvl"] # a newer server takes these, too
    config[:consumer_limits] = { inactive_threshold: 3600, max_ack_pending: 1000 }
  end
  stream = js.get_or_create_stream(config)

  future = js.publish_start("#{name}.events.user.created", "User created data")
  puts "published as #{future.wait.seq}"

  consumer = stream.get_or_create_consumer(durable_name: "myconsumer", deliver_policy: "all", ack_policy: "explicit",
                                           max_deliver: 3)
  consumer.consume.each do |msg|
    puts "received: #{msg.data}"
    msg.ack_sync
    break
  end
  js.delete_stream(name)
end
