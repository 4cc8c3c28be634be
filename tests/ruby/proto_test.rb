# frozen_string_literal: true

require_relative "helper"

# The protocol without I/O, over an IO of Ruby's.
class ProtoTest < PolynatsTest
  def test_over_a_socket
    proto = Polynats.proto(URL)
    proto.start
    dial = proto.next_event
    assert_equal :dial, dial.type
    socket = TCPSocket.new(dial.host, dial.port)
    proto.transport_up
    seen = []
    proto.subscribe(@subject)
    until seen.include?("hello")
      proto.each_event do |event|
        proto.publish(@subject, "hello", headers: { "A" => "b" }) if event.type == :connected
        seen << event.message.data if event.message
      end
      socket.write(proto.take)
      proto.feed(socket.readpartial(65_536)) if socket.wait_readable(0.1)
      proto.tick
    end
    assert_equal :connected, proto.state
    proto.close
    assert_includes proto.each_event.map(&:type), :closed
  ensure
    socket&.close
  end

  # A number of the program's own whose to_f changes what was given beside it.
  class Changing < Numeric
    def initialize(&block)
      super()
      @block = block
    end

    def to_f = @block.call.then { Polynats.now }
  end

  def info(id) = %(INFO {"server_id":"#{id}","version":"2.10.0","proto":1,"max_payload":1024,"headers":true}\r\n)

  def test_bytes_that_change_while_the_time_is_asked_for
    proto = Polynats.proto("nats://127.0.0.1:4222")
    proto.start
    assert_equal [:dial], proto.each_event.map(&:type)
    proto.transport_up
    data = info("old")
    proto.feed(data, Changing.new { data.replace(info("n" * 5000)) and GC.start })
    assert_empty proto.each_event.to_a
    assert_equal "n" * 5000, proto.server_info["server_id"]
    text = "old #{"x" * 100}"
    proto.transport_failed(:IO, text, Changing.new { text.replace("new #{"y" * 5000}") and GC.start })
    assert_includes proto.each_event.map(&:text).compact.join(" "), "new y"
  end

  def test_errors
    proto = Polynats.proto
    assert_raises(Polynats::Invalid) { proto.feed("x") }
    assert_raises(Polynats::Invalid) { Polynats.proto("nats://127.0.0.1", seed: "short") }
    assert_raises(TypeError) { proto.start("now") }
    assert_raises(Polynats::Invalid) { proto.transport_failed("NO_SUCH_CODE") }
  end
end
