# frozen_string_literal: true

require_relative "helper"

# Bad input: an error of the right class that names the argument, never a crash or a truncation.
class ArgumentsTest < PolynatsTest
  def refused(kind, words)
    error = assert_raises(kind) { yield }
    assert_match words, error.message
  end

  def test_wrong_types
    refused(TypeError, /subject must be a String, not Integer/) { @nc.publish(1, "x") }
    refused(TypeError, /data must be a String or nil, not Symbol/) { @nc.publish("a", :x) }
    refused(TypeError, /data must be a String or nil, not Integer/) { @nc.request("a", 5) }
    refused(TypeError, /headers must be a Hash/) { @nc.publish("a", "b", headers: 1) }
    refused(TypeError, /a header's value must be a String/) { @nc.publish("a", headers: { "K" => 1 }) }
    refused(TypeError, /entry 1 of the Array is no/) { @nc.publish("a", headers: [%w[a b], %w[c]]) }
    refused(TypeError, /timeout must be a number of seconds/) { @nc.request("a", timeout: "1") }
    refused(TypeError, /max must be an Integer/) { @nc.get(max: "1") }
    refused(TypeError, /data must be an Array/) { @nc.publish_many("a", "b") }
    refused(TypeError, /entry 1 must be a String/) { @nc.publish_many("a", ["b", 2]) }
    refused(TypeError, /key must be a String/) { received.header(1) }
    refused(TypeError, /url must be a String/) { Polynats.connect(5) }
    refused(TypeError, /url must be a String/) { Polynats.connect(["nats://a", 5]) }
  end

  def test_wrong_arity_and_keywords
    assert_raises(ArgumentError) { @nc.publish }
    assert_raises(ArgumentError) { @nc.publish("a", "b", "c") }
    assert_raises(ArgumentError) { @nc.get(1) }
    refused(ArgumentError, /unknown keyword: :heders/) { @nc.publish("a", "b", heders: {}) }
    refused(ArgumentError, /unknown keyword: :tmeout/) { @nc.request("a", tmeout: 1) }
    refused(ArgumentError, /unknown keyword/) { @nc.subscribe("a", que: "x") }
    refused(Polynats::Invalid, /nmae.*name/m) { connect(nmae: "x") }
    refused(Polynats::Invalid, /nmae/) { connect(nmae: nil) }
  end

  def test_wrong_values
    refused(Polynats::Invalid, /timeout.*0 or more/) { @nc.request("a", timeout: -1) }
    refused(Polynats::Invalid, /timeout.*0 or more/) { @nc.request("a", timeout: Float::NAN) }
    refused(Polynats::Invalid, /max must be 0 or more/) { @nc.get(max: -1) }
    refused(RangeError, /./) { @nc.get(max: 2**70) }
    refused(Polynats::Invalid, /list of servers is empty/) { Polynats.connect([]) }
    assert_raises(Polynats::Invalid) { @nc.unsubscribe(12_345) }
    refused(Polynats::Invalid, /no reply subject/) { received.respond("x") }
  end

  def test_odd_bytes_in_every_text
    ["a\0b", "a\xffb", "a\xed\xb0\x80", "a\r\nb", ""].each do |text|
      assert_raises(Polynats::Invalid, text.inspect) { @nc.publish(text) }
      assert_raises(Polynats::Invalid, text.inspect) { @nc.subscribe(text) }
      assert_raises(Polynats::Invalid, text.inspect) { @nc.request(text) }
      assert_raises(Polynats::Invalid, text.inspect) { @nc.publish("a", reply: text) } unless text.empty?
      assert_raises(Polynats::Invalid, text.inspect) { @nc.publish("a", headers: { text => "v" }) }
    end
    assert_raises(Polynats::Invalid) { @nc.publish("a", headers: { "K" => "a\0b" }) }
    assert_raises(Polynats::Invalid) { @nc.subscribe("a", queue: "q\0") }
    assert_raises(Polynats::Invalid) { connect(name: "a\0b") }
    assert_raises(Polynats::Invalid) { Polynats.connect("nats://127.0.0.1\0:4222") }
    assert_raises(Polynats::Invalid) { @nc.publish("a".encode("UTF-16LE") + "\xd8".b.force_encoding("UTF-16LE")) }
  end

  def test_objects_come_from_verbs_only
    [Polynats::Client, Polynats::Subscription, Polynats::Future, Polynats::Message, Polynats::Proto]
      .each do |kind|
        assert_raises(NoMethodError) { kind.new }
        assert_raises(TypeError) { kind.allocate }
        assert_raises(TypeError) { Marshal.dump(@nc) }
      end
    assert_raises(TypeError, NoMethodError) { @nc.dup.publish("a") }
  end

  def test_a_forged_self
    assert_raises(TypeError) { Polynats::Client.instance_method(:publish).bind(Object.new) }
  end

  def received
    sub = @nc.subscribe(@subject)
    @nc.publish(@subject, "x")
    sub.next(timeout: 5)
  end
end
