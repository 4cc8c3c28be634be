# frozen_string_literal: true

# Takes work from a queue group, in batches: ruby queue_worker.rb [subject] [how many]
# Start several: each piece of work goes to one of them.
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby queue_worker.rb [subject] [how many]"
  exit
end

$stdout.sync = true
subject, left = ARGV.fetch(0, "work"), Float(ARGV.fetch(1, Float::INFINITY))
Polynats.connect do |nc|
  nc.subscribe(subject, queue: "workers")
  nc.flush(timeout: 5)
  puts "waiting for work on #{subject}"
  while left.positive?
    batch = nc.get(max: 100)
    batch.each { |msg| puts "done: #{msg.data}" }
    left -= batch.size
  end
end
