# frozen_string_literal: true

# Publishes into a stream, within a window: ruby stream_publisher.rb [stream] [text] [how many]
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby stream_publisher.rb [stream] [text] [how many]"
  exit
end

name, text, count = ARGV.fetch(0, "NEWS"), ARGV.fetch(1, "hello"), Integer(ARGV.fetch(2, 3))
Polynats.connect do |nc|
  js = nc.jetstream
  js.get_or_create_stream(name: name, subjects: ["#{name}.>"], storage: "memory")
  stats = js.publisher(max_pending: 100) do |publisher| # up to 100 under way
    (1..count).each { |number| publisher.publish("#{name}.said", "#{text} #{number}") }
    publisher.flush.stats # until all have their ack
  end
  puts "stored #{stats[:acked]} in #{name}"
end
