# frozen_string_literal: true

# Prints what arrives: ruby subscriber.rb [pattern] [how many]
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby subscriber.rb [pattern] [how many]"
  exit
end

$stdout.sync = true
pattern, count = ARGV.fetch(0, "greet.*"), Integer(ARGV.fetch(1, 0))
Polynats.connect do |nc|
  sub = nc.subscribe(pattern, max: count)
  nc.flush(timeout: 5)
  puts "listening to #{pattern}"
  sub.each do |msg|
    puts "#{msg.subject}\t#{msg.data}"
    msg.header_pairs.each { |key, value| puts "\t#{key}: #{value}" }
  end
end
