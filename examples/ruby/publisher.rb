# frozen_string_literal: true

# Publishes a few messages, one with headers: ruby publisher.rb [subject] [text]
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby publisher.rb [subject] [text]"
  exit
end

subject, text = ARGV.fetch(0, "greet.joe"), ARGV.fetch(1, "hello")
Polynats.connect do |nc|
  nc.publish(subject, text)
  nc.publish(subject, text, headers: { "Lang" => %w[en fr] })
  nc.publish_many(subject, %w[one two three])
  nc.flush(timeout: 5) # the server has them now
end
puts "published 5 messages to #{subject}"
