# frozen_string_literal: true

# Asks and prints the answer: ruby requester.rb [subject] [text]
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby requester.rb [subject] [text]"
  exit
end

Polynats.connect do |nc|
  puts nc.request(ARGV.fetch(0, "svc.upper"), ARGV.fetch(1, "hello"), timeout: 2).data
rescue Polynats::Timeout, Polynats::NoResponders => e
  abort "#{e.code}: #{e.message}"
end
