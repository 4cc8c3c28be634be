# frozen_string_literal: true

require_relative "helper"
require "logger"
require "stringio"

# What a Ruby user expects beyond the verbs, which the conformance suite tests.
class IdiomsTest < PolynatsTest
  def test_a_block_closes_and_returns_what_it_returned
    kept = nil
    assert_equal 42, connect { |nc| kept = nc and 42 }
    assert_predicate kept, :closed?
  end

  def test_a_block_that_raises_closes_too
    kept = nil
    assert_raises(RuntimeError) { connect { |nc| kept = nc and raise "no" } }
    assert_predicate kept, :closed?
  end

  def test_share_with_a_block
    assert_equal :connected, @nc.share(&:status)
    assert_equal :connected, @nc.status
  end

  def test_each_is_an_enumerator_and_enumerable
    sub = @nc.subscribe(@subject)
    5.times { |i| @nc.publish(@subject, i.to_s) }
    assert_equal %w[0 1], sub.first(2).map(&:data)
    assert_equal %w[2 3 4], sub.each(timeout: 0.2).map(&:data)
    assert_instance_of Enumerator, sub.each
    assert_equal "#<Polynats::Subscription #{@subject} sid=#{sub.sid}>", sub.inspect
  end

  def test_each_ends_with_the_subscription
    sub = @nc.subscribe(@subject, max: 2)
    3.times { @nc.publish(@subject, "x") }
    assert_equal 2, sub.each.count
  end

  def test_strings_are_frozen_and_have_their_encodings
    sub = @nc.subscribe("#{@subject}.*")
    @nc.publish("#{@subject}.é", "\xff\x00é", reply: "r", headers: { "Lang" => %w[en fr], Odd: "ü" })
    msg = sub.next(timeout: 5)
    assert_equal "#{@subject}.é", msg.subject
    assert_equal "\xff\x00é".b, msg.data
    assert_equal [Encoding::UTF_8, Encoding::BINARY, Encoding::UTF_8],
                 [msg.subject, msg.data, msg.reply].map(&:encoding)
    assert_equal({ "Lang" => %w[en fr], "Odd" => ["ü"] }, msg.headers)
    assert_equal "ü", msg.header(:Odd)
    assert_equal [%w[Lang en], %w[Lang fr], %w[Odd ü]], msg.header_pairs
    [msg.subject, msg.data, msg.reply, msg.headers, msg.headers["Lang"], msg.header("Odd")]
      .each { |part| assert_predicate part, :frozen? }
    assert_same msg.data, msg.data
  end

  def test_a_subject_in_another_encoding_is_sent_as_utf8
    sub = @nc.subscribe("#{@subject}.*")
    @nc.publish("#{@subject}.é".encode("ISO-8859-1"), "é".encode("UTF-16LE"))
    msg = sub.next(timeout: 5)
    assert_equal "#{@subject}.é", msg.subject
    assert_equal "é".encode("UTF-16LE").b, msg.data
  end

  def test_pattern_matching
    sub = @nc.subscribe(@subject)
    @nc.publish(@subject, "x", headers: { "A" => "b" })
    case sub.next(timeout: 5)
    in { data: "x", headers: } then assert_equal ["b"], headers["A"]
    end
    case @nc.next_event(wait: 1)
    in { type: :connected, url: } then assert_includes url, "127.0.0.1"
    end
  end

  def test_errors_are_one_family_and_kinds_of_rubys_own
    error = assert_raises(Polynats::Timeout) { @nc.request(subscribe_mute, "x", timeout: 0.05) }
    assert_kind_of Polynats::Error, error
    assert_kind_of ::Timeout::Error, error
    assert_equal %w[TIMEOUT timeout], [error.code, error.about]
    assert_raises(Polynats::NoResponders) { @nc.request("nobody.#{@subject}") }
    assert_kind_of ArgumentError, (assert_raises(Polynats::Invalid) { @nc.publish("a b") })
    assert_kind_of ArgumentError, (assert_raises(Polynats::MaxPayload) { @nc.publish("a", "x" * 2**21) })
    @nc.close
    assert_kind_of ::IOError, (assert_raises(Polynats::Closed) { @nc.publish("a") })
    assert_raises(Polynats::Closed) { @nc.get(wait: 0) }
    assert_raises(Polynats::IOError) { Polynats.connect("127.0.0.1:1") }
  end

  def test_callbacks_run_in_dispatch_and_run
    seen = []
    sub = @nc.subscribe(@subject) { |msg, from| seen << [msg.data, from.sid] }
    3.times { |i| @nc.publish(@subject, i.to_s) }
    @nc.flush
    assert_equal 3, @nc.dispatch(wait: 1)
    assert_equal [["0", sub.sid], ["1", sub.sid], ["2", sub.sid]], seen
    @nc.publish(@subject, "end")
    stopper = @nc.subscribe(@subject) { @nc.stop }
    @nc.publish(@subject, "end")
    assert_same @nc, @nc.run(timeout: 10)
    assert_predicate stopper, :active?
  end

  def test_an_error_in_a_callback_leaves_the_rest_for_later
    seen = []
    @nc.subscribe(@subject) { |msg| msg.data == "0" ? raise("bad") : seen << msg.data }
    3.times { |i| @nc.publish(@subject, i.to_s) }
    @nc.flush
    assert_equal("bad", assert_raises(RuntimeError) { @nc.dispatch(wait: 1) }.message)
    @nc.dispatch(wait: 0)
    assert_equal %w[1 2], seen
  end

  def test_run_ends_from_another_thread
    @nc.subscribe(@subject) { nil }
    stopper = Thread.new { sleep 0.1 and @nc.stop }
    assert_operator took { @nc.run }, :<, 5
    stopper.join
  end

  def test_drain_calls_what_was_under_way
    seen = []
    @nc.subscribe(@subject) { |msg| seen << msg.data }
    3.times { |i| @nc.publish(@subject, i.to_s) }
    @nc.drain
    assert_equal %w[0 1 2], seen
    assert_predicate @nc, :closed?
  end

  def test_a_logger_is_told_and_events_are_kept
    out = StringIO.new
    nc = connect(logger: Logger.new(out))
    assert_equal :connected, nc.next_event(wait: 5).type
    nc.close
    assert_equal :closed, nc.next_event(wait: 5)&.type if out.string.include?("closed")
    assert_match(/nats: connected nats:/, out.string)
  end

  def test_on_event
    types = []
    @nc.on_event { |event| types << event.type }
    @nc.run(timeout: 0.2)
    assert_includes types, :connected
  end

  def test_request_many_and_futures
    helper = connect
    2.times { |i| helper.subscribe(@subject) { |msg| msg.respond(i.to_s) } }
    helper.flush
    server = Thread.new { helper.run(timeout: 20) }
    assert_equal %w[0 1], @nc.request_many(@subject, max: 2).map(&:data).sort
    assert_includes %w[0 1], @nc.request_start(@subject).wait(timeout: 5).data
    seen = []
    assert_nil @nc.request_many(@subject, timeout: 0.2) { |msg| seen << msg.data }
    assert_equal 2, seen.size
  ensure
    helper.close
    server.join
  end

  def test_to_io_can_be_selected
    sub = @nc.subscribe(@subject)
    @nc.next_event(wait: 1)
    @nc.publish(@subject, "x")
    assert IO.select([@nc], nil, nil, 5)
    @nc.process
    assert_equal 1, sub.get(wait: 1).size
  end

  private

  def subscribe_mute = @nc.subscribe("#{@subject}.mute").subject.tap { @nc.flush }
end
