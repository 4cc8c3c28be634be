# frozen_string_literal: true

# Answers requests, by a callback: ruby responder.rb [subject] [how many]
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby responder.rb [subject] [how many]"
  exit
end

$stdout.sync = true
subject, left = ARGV.fetch(0, "svc.upper"), Float(ARGV.fetch(1, Float::INFINITY))
Polynats.connect do |nc|
  nc.subscribe(subject, queue: "responders") do |msg|
    msg.respond(msg.data.upcase)
    left -= 1
    nc.stop if left <= 0
  end
  nc.flush(timeout: 5)
  puts "answering on #{subject}"
  nc.run
  nc.flush(timeout: 5)
end
