# frozen_string_literal: true

# The protocol over an IO of one's own: ruby own_transport.rb
require "socket"
require "polynats"

if %w[--help -h].include?(ARGV[0])
  puts "usage: ruby own_transport.rb"
  exit
end

# Answers what the protocol asks for and prints what comes.
class OwnTransport
  def initialize(url)
    @proto = Polynats.proto(url)
    @proto.start
  end

  def run
    until @finished
      @proto.each_event { |event| handle(event) }
      move_bytes if @io
      @proto.tick
    end
  end

  private

  def handle(event)
    case event
    in { type: :dial, host:, port: } then dial(host, port)
    in { type: :connected, url: }
      puts "connected to #{url}"
      @proto.subscribe("own.*")
      @proto.publish("own.transport", "hello")
    in { type: :message, message: }
      puts "#{message.subject}\t#{message.data}"
      @finished = true
    in { type: :error, text: } then warn text
    in { type: :disconnected } then @io = @io&.close
    in { type: :closed } then @finished = true
    else nil
    end
  end

  def dial(host, port)
    @io = Socket.tcp(host, port, connect_timeout: 5)
    @proto.transport_up
  rescue SystemCallError => e
    @proto.transport_failed(:IO, e.message)
  end

  def move_bytes
    @io.write(@proto.take)
    return if @finished

    left = (@proto.deadline || Float::INFINITY) - Polynats.now
    @proto.feed(@io.readpartial(65_536)) if @io.wait_readable(left.clamp(0, 1))
  rescue EOFError, SystemCallError
    @proto.feed_eof
  end
end

OwnTransport.new(ENV.fetch("NATS_URL", nil)).run
