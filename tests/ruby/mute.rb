# frozen_string_literal: true

require "socket"

# A server that answers the first PING and nothing after it: whoever waits for it waits. One that is
# deaf does not even read, so that who publishes waits too.
class MuteServer
  INFO = %(INFO {"server_id":"m","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}\r\n)

  def initialize(deaf: false)
    @server = TCPServer.new("127.0.0.1", 0)
    @sockets = []
    @thread = Thread.new { loop { serve(@server.accept, deaf) } }
  end

  def url = "nats://127.0.0.1:#{@server.addr[1]}"

  def close
    @thread.kill.join
    [@server, *@sockets].each(&:close)
  end

  private

  def serve(socket, deaf)
    @sockets << socket
    socket.write(INFO)
    nil until socket.gets.start_with?("PING")
    socket.write("PONG\r\n")
    Thread.new { swallow(socket) } unless deaf
  end

  def swallow(socket)
    nil while socket.readpartial(65_536)
  rescue ::IOError, SystemCallError
    nil
  end
end

# A server that answers each PING so many seconds after it came, and counts.
class SlowServer
  attr_reader :accepted, :pings

  def initialize(seconds)
    @server = TCPServer.new("127.0.0.1", 0)
    @seconds = seconds
    @accepted = @pings = 0
    @threads = [Thread.new { loop { serve(@server.accept) } }]
  end

  def url = "nats://127.0.0.1:#{@server.addr[1]}"

  def close
    @threads.each { |thread| thread.kill.join }
    @server.close
  end

  private

  def serve(socket)
    @accepted += 1
    socket.write(MuteServer::INFO)
    @threads << Thread.new { answer(socket) }
  end

  def answer(socket)
    while (line = socket.gets)
      next unless line.start_with?("PING")

      @pings += 1
      @threads << Thread.new { sleep(@seconds) and socket.write("PONG\r\n") }
    end
  rescue ::IOError, SystemCallError
    nil
  end
end

# Every verb that waits, on servers that let it wait. Each gets a client of its own.
module Waits
  LONG = 60
  BIG = ("x" * 262_144).freeze

  MUTE = {
    "next" => ->(nc, sub) { sub.next and nc }, "each" => ->(_, sub) { sub.each { nil } },
    "get" => ->(nc, _) { nc.get }, "sub.get" => ->(_, sub) { sub.get },
    "request" => ->(nc, _) { nc.request("svc", timeout: LONG) },
    "request_many" => ->(nc, _) { nc.request_many("svc", timeout: LONG) },
    "future" => ->(nc, _) { nc.request_start("svc", timeout: LONG).wait },
    "next_event" => ->(nc, _) { loop { nc.next_event } },
    "dispatch" => ->(nc, _) { nc.dispatch }, "run" => ->(nc, _) { nc.run },
    "flush" => ->(nc, _) { nc.flush(timeout: LONG) }, "rtt" => ->(nc, _) { nc.rtt(timeout: LONG) },
    "drain" => ->(nc, _) { nc.drain(timeout: LONG) },
    "sub.drain" => ->(_, sub) { sub.drain(timeout: LONG) },
    "close" => ->(nc, _) { nc.publish("a") and nc.close }
  }.freeze

  DEAF = {
    "publish" => ->(nc, _) { loop { nc.publish("a", BIG) } },
    "publish with a reply" => ->(nc, _) { loop { nc.publish("a", BIG, reply: "b", headers: { "K" => "v" }) } },
    "publish_many" => ->(nc, _) { nc.publish_many("a", [BIG] * 200) },
    "request_start" => ->(nc, _) { loop { nc.request_start("a", BIG, timeout: LONG) } },
    "subscribe" => ->(nc, _) { behind_publishes(nc) { nc.subscribe("b" * 1000) } },
    "unsubscribe" => ->(nc, sub) { behind_publishes(nc) { |i| nc.unsubscribe(sub.subject, after: i) } },
    "unsubscribe by sid" => ->(nc, sub) { behind_publishes(nc) { |i| nc.unsubscribe(sub.sid, after: i) } },
    "sub.unsubscribe" => ->(nc, sub) { behind_publishes(nc) { |i| sub.unsubscribe(after: i) } }
  }.freeze

  module_function

  # There is no room any more for what the block has to write: of the large ones, one is being written and one waits.
  def behind_publishes(nc)
    nc.publish("a", "x" * 130_000) while nc.stats[:unwritten_bytes] < 131_000
    (1_000_000..).each { |i| yield i }
  end

  # Gives a name and a call that waits, for each.
  def each
    mute = MuteServer.new
    deaf = MuteServer.new(deaf: true)
    MUTE.each { |name, call| yield name, prepared(mute, call) }
    DEAF.each { |name, call| yield name, prepared(deaf, call) }
    silent = TCPServer.new("127.0.0.1", 0)
    yield "connect", -> { Polynats.connect("127.0.0.1:#{silent.addr[1]}", connect_timeout: LONG) }
  ensure
    [mute, deaf, silent].compact.each(&:close)
  end

  def prepared(server, call)
    nc = Polynats.connect(server.url, write_deadline: LONG, reconnect: false)
    sub = nc.subscribe("quiet")
    -> { call.call(nc, sub) }
  end
end
