# frozen_string_literal: true

require_relative "helper"
require "timeout"

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
    refused(TypeError, /credentials/) { connect(credentials: { user: "me" }) }
  end

  # Nothing begins with a time that is none: a drain would end the client.
  def test_no_time
    [[-1, Polynats::Invalid], [Float::NAN, Polynats::Invalid], ["1", TypeError]].each do |wrong, kind|
      %i[drain run flush rtt].each { |verb| refused(kind, /timeout must be/) { @nc.public_send(verb, timeout: wrong) } }
      refused(kind, /wait must be/) { @nc.next_event(wait: wrong) }
      refused(kind, /now must be/) { Polynats.proto("nats://a").start(wrong) }
    end
    refused(Polynats::Invalid, /now must be/) { Polynats.proto("nats://a").tick(1e300) }
    assert_equal :connected, @nc.status
  end

  def test_numbers_that_fit_nowhere
    refused(Polynats::Invalid, /max does not fit/) { @nc.get(max: 2**70) }
    refused(Polynats::Invalid, /pending_msgs does not fit/) { @nc.subscribe("a", pending_msgs: -2**70) }
    refused(Polynats::Invalid, /max_pings_out does not fit/) { connect(max_pings_out: 2**64) }
    refused(Polynats::Invalid, /sid does not fit/) { @nc.unsubscribe(2**64) }
  end

  def test_nothing_is_published_of_a_list_with_a_wrong_one
    sub = @nc.subscribe(@subject)
    assert_raises(TypeError) { @nc.publish_many(@subject, ["x"] * 1000 + [nil, 5]) }
    @nc.flush
    assert_equal [], sub.get(wait: 0)
  end

  def test_a_subject_that_changes_while_the_data_is_asked_for
    sub = @nc.subscribe("#{@subject}.>")
    subject = "#{@subject}.#{"a" * 1000}"
    data = Object.new
    data.define_singleton_method(:to_str) do
      subject.replace(subject.sub(/a+\z/, "b"))
      GC.start
      "data"
    end
    @nc.publish(subject, data)
    assert_equal "#{@subject}.b", sub.next(timeout: 5).subject
  end

  def test_strings_of_subclasses_and_what_converts_itself
    like = Object.new
    def like.to_str = "like a string"
    def like.to_ary = %w[a b]
    text = Class.new(String).new(@subject)
    sub = @nc.subscribe(text)
    @nc.publish(text, like)
    @nc.publish_many(text, like)
    @nc.publish(text, Class.new(String).new("sub"))
    assert_equal ["like a string", "a", "b", "sub"], Array.new(4) { sub.next(timeout: 5).data }
  end

  def test_wrong_arity_and_keywords
    assert_raises(ArgumentError) { @nc.publish }
    assert_raises(ArgumentError) { @nc.publish("a", "b", "c") }
    assert_raises(ArgumentError) { @nc.get(1, 0, 0) }
    refused(ArgumentError, /unknown keyword: :heders/) { @nc.publish("a", "b", heders: {}) }
    refused(ArgumentError, /unknown keyword: :tmeout/) { @nc.request("a", tmeout: 1) }
    refused(ArgumentError, /unknown keyword/) { @nc.subscribe("a", que: "x") }
    refused(Polynats::Invalid, /nmae.*name/m) { connect(nmae: "x") }
    refused(Polynats::Invalid, /nmae/) { connect(nmae: nil) }
    refused(Polynats::Invalid, /nmae/) { connect("nmae" => 1) }
    refused(TypeError, /name must be a String/) { connect(name: ["x"]) }
    refused(Polynats::Invalid, /ping_interval/) { connect(ping_interval: -5) }
    refused(Polynats::Invalid, /ping_interval/) { connect(ping_interval: Float::NAN) }
    refused(Polynats::Invalid, /max_pings_out/) { connect(max_pings_out: 1.5) }
    refused(Polynats::Invalid, /./) { connect(max_pings_out: 2**80) }
    public_verbs.each do |object, verb|
      error = assert_raises(ArgumentError, TypeError, verb) { object.public_send(verb, *([nil] * 9)) }
      assert_match(/argument/, error.message)
    end
  end

  # Every verb with every wrong type in its first place: an exception or an answer, never a crash.
  def test_anything_anywhere
    things = [nil, true, 1, -1, 2**70, 1.5, Float::NAN, :sym, "", "\0", "a\xff", [], [[]], {}, { a: 1 },
              Object, Object.new, @nc, -> {}, (1..2), Thread.current]
    public_verbs.each do |object, verb|
      next if %i[close drain fd to_io run inspect stop].include?(verb)

      things.each do |thing|
        Timeout.timeout(0.02) { object.public_send(verb, thing) }
      rescue StandardError, ScriptError
        next
      end
    end
    @nc.flush
  end

  def public_verbs
    sub = @nc.subscribe("quiet")
    [@nc, sub, @nc.request_start("quiet"), Polynats.proto].flat_map do |object|
      object.class.public_instance_methods(false).map { |verb| [object, verb] }
    end
  end

  def test_closed_handles
    sub = @nc.subscribe(@subject)
    future = @nc.request_start(@subject)
    other = @nc.share.tap(&:close)
    @nc.close
    [@nc, other].each do |nc|
      [-> { nc.publish("a") }, -> { nc.publish("a", "b", headers: { "A" => "b" }) }, -> { nc.publish_many("a", ["b"]) },
       -> { nc.publish_many("a", []) }, -> { nc.subscribe("a") }, -> { nc.get }, -> { nc.request("a") },
       -> { nc.request_start("a") }, -> { nc.request_many("a") }, -> { nc.flush }, -> { nc.rtt }, -> { nc.drain },
       -> { nc.share }, -> { nc.new_inbox }, -> { nc.fd }, -> { nc.to_io }, -> { nc.process }, -> { nc.dispatch },
       -> { nc.unsubscribe("a") }, -> { nc.unsubscribe(1) },
       -> { loop { nc.next_event or break } }].each_with_index do |call, i|
        assert_raises(Polynats::Closed, "call #{i}", &call)
      end
      assert_nil nc.close
      assert_equal [:closed, true], [nc.status, nc.closed?]
      assert_kind_of Hash, nc.stats
      assert_kind_of Hash, nc.server_info
      assert_same nc, nc.run
    end
    assert_raises(Polynats::Closed) { sub.next }
    assert_raises(Polynats::Closed) { sub.get }
    assert_equal 0, sub.each.count
    assert_raises(Polynats::Closed) { future.wait }
    refute_predicate sub, :active?
    assert_equal @subject, sub.subject
  end

  def test_oversize_payloads
    limit = @nc.max_payload
    big = "x" * (limit + 1)
    sub = @nc.subscribe(@subject)
    @nc.publish(@subject, "q", reply: @subject)
    msg = sub.next(timeout: 5)
    [-> { @nc.publish("a", big) }, -> { @nc.publish_many("a", ["x", big]) }, -> { @nc.request("a", big) },
     -> { @nc.request_start("a", big) }, -> { @nc.request_many("a", big) }, -> { msg.respond(big) },
     -> { @nc.publish("a", "x" * limit, headers: { "A" => "b" }) },
     -> { @nc.publish("a", headers: { "A" => big }) }].each_with_index do |call, i|
      error = assert_raises(Polynats::MaxPayload, Polynats::Limit, "call #{i}", &call)
      assert_match(/#{limit}|\d{4}/, error.message)
    end
    assert_raises(Polynats::Error) { @nc.publish("s" * 100_000) }
    @nc.publish(@subject, "y" * limit)
    assert_equal limit, sub.next(timeout: 10).data.bytesize
  end

  def test_wrong_values
    refused(Polynats::Invalid, /timeout.*0 or more/) { @nc.request("a", timeout: -1) }
    refused(Polynats::Invalid, /timeout.*0 or more/) { @nc.request("a", timeout: Float::NAN) }
    refused(Polynats::Invalid, /max must be 0 or more/) { @nc.get(max: -1) }
    refused(Polynats::Invalid, /max must be 1 or more, not 0/) { @nc.get(max: 0, wait: 0) }
    refused(Polynats::Invalid, /max must be 1 or more, not 0/) { @nc.dispatch(max: 0, wait: 0) }
    refused(Polynats::Invalid, /pending_msgs must be 1 or more/) { @nc.subscribe("a", pending_msgs: 0) }
    refused(Polynats::Invalid, /pending_bytes must be 1 or more/) { @nc.subscribe("a", pending_bytes: 0) }
    refused(Polynats::Invalid, /./) { @nc.get(max: 2**70) }
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
    assert_raises(Polynats::Invalid) { @nc.publish_many("a\0", ["x"]) }
    assert_raises(Polynats::Invalid) { @nc.request_start("a\0") }
    assert_equal 0, @nc.unsubscribe("a\0") # there is none of that name
    assert_raises(Polynats::Invalid) { received.respond("x", headers: { "A\n" => "b" }) }
    assert_nil received.header("A\0")
    assert_equal [false] * 3, ["a\0", "a\xff", ""].map { |text| Polynats::Subject.valid?(text) }
    proto = Polynats.proto
    [-> { proto.publish("a\0") }, -> { proto.subscribe("a\0") }, -> { proto.server_add("a\0") },
     -> { proto.transport_failed(:IO, "a\0") }, -> { proto.sign("sig", jwt: "a\0") }, -> { proto.feed("x") },
     -> { Polynats.proto("h", name: "\xff") }].each_with_index do |call, i|
      assert_raises(Polynats::Invalid, "call #{i}", &call)
    end
    refused(Polynats::Invalid, /Shift_JIS/) { @nc.publish("a\x81".dup.force_encoding("Shift_JIS")) }
    refused(Polynats::Invalid, /./) { @nc.publish("a".encode("UTF-16").dup.force_encoding("UTF-7")) }
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
