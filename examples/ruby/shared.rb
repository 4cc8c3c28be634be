# frozen_string_literal: true

# Two clients on one connection, each with its own subscriptions and its own get: ruby shared.rb
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby shared.rb"
  exit
end

Polynats.connect do |nc|
  nc.share do |audit|
    nc.subscribe("order.new")
    audit.subscribe("order.>")
    nc.publish("order.new", "book")
    nc.publish("order.paid", "book")
    nc.flush(timeout: 5)
    nc.get(wait: 1).each { |msg| puts "work\t#{msg.subject}\t#{msg.data}" }
    audit.get(wait: 1).each { |msg| puts "audit\t#{msg.subject}\t#{msg.data}" }
  end
end
