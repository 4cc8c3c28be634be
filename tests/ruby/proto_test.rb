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

  def test_errors
    proto = Polynats.proto
    assert_raises(Polynats::Invalid) { proto.feed("x") }
    assert_raises(Polynats::Invalid) { Polynats.proto("nats://127.0.0.1", seed: "short") }
    assert_raises(TypeError) { proto.start("now") }
    assert_raises(Polynats::Invalid) { proto.transport_failed("NO_SUCH_CODE") }
  end
end
