# frozen_string_literal: true

# Two fibers on one thread: one waits for messages, the other publishes them. ruby event_loop_async.rb [how many]
require "async"
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby event_loop_async.rb [how many]"
  exit
end

count = Integer(ARGV.fetch(0, 3))
Async do |task|
  nc = Polynats.connect
  sub = nc.subscribe("tick", max: count)
  task.async do
    count.times do |i|
      task.sleep(0.05)
      nc.publish("tick", (i + 1).to_s)
    end
  end
  sub.each { |msg| puts "got #{msg.data}" } # waits, and the other fiber goes on
  nc.close
end
