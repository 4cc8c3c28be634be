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

  def test_a_block_that_is_left_otherwise_closes_too
    kept = []
    catch(:out) { connect { |nc| kept << nc and throw :out } }
    [1].each { connect { |nc| kept << nc and break } }
    Thread.new { connect { |nc| kept << nc and Thread.exit } }.join
    @nc.share { |nc| kept << nc and next }
    assert_equal [true] * 4, kept.map(&:closed?)
  end

  def test_a_client_that_was_closed_in_its_block
    assert_equal(1, connect { |nc| nc.close or 1 })
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

  def test_break_and_external_enumerators
    sub = @nc.subscribe(@subject)
    @nc.publish_many(@subject, ("a".."h").to_a)
    assert_equal("a", sub.each { |msg| break msg.data })
    enum = sub.each(timeout: 0.2)
    assert_equal %w[b c], [enum.next.data, enum.next.data]
    assert_equal [["d", 0], ["e", 1]], sub.each_with_index.first(2).map { |msg, i| [msg.data, i] }
    assert_equal %w[F G], sub.lazy.map { |msg| msg.data.upcase }.first(2)
    assert_equal(["h"], enum.map(&:data))
  end

  def test_errors_in_a_block_leave_the_subscription_as_it_is
    sub = @nc.subscribe(@subject)
    @nc.publish_many(@subject, %w[1 2 3])
    assert_raises(KeyError) { sub.each { raise KeyError } }
    assert_equal "2", sub.next(timeout: 5).data
    assert_predicate sub, :active?
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
    @nc.publish(@subject, "y")
    assert(case sub.next(timeout: 5)
           in { respond: _ } then false
           in { data: "y" } then true
           end)
    case @nc.next_event(wait: 1)
    in { type: :connected, url: } then assert_includes url, "127.0.0.1"
    end
  end

  def test_errors_are_one_family_and_kinds_of_rubys_own
    mute = subscribe_mute
    error = assert_raises(Polynats::Timeout) { @nc.request(mute, "x", timeout: 0.05) }
    assert_kind_of Polynats::Error, error
    assert_kind_of ::Timeout::Error, error
    assert_equal ["TIMEOUT", mute], [error.code, error.about]
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

  # Of another client, that is: of its own there is nobody to tell.
  def test_what_a_callback_raises_is_told_whatever_it_is
    other = connect.tap(&:close)
    verbs = { "run" => -> { @nc.run(timeout: 5) }, "dispatch" => -> { @nc.dispatch(wait: 5) }, "drain" => -> { @nc.drain } }
    [-> { other.publish("a") }, -> { [].each.next }].each do |wrong|
      verbs.each do |name, verb|
        @nc = connect
        @nc.subscribe(@subject) { wrong.call }
        @nc.publish(@subject, "x")
        @nc.flush
        assert_raises(Polynats::Closed, StopIteration, name) { verb.call }
        @nc.close
      end
    end
  end

  def test_what_a_block_of_events_raises_is_told_too
    other = connect.tap(&:close)
    @nc.on_event { other.publish("a") }
    assert_raises(Polynats::Closed) { @nc.run(timeout: 5) }
    @nc.on_event
    assert_equal :connected, @nc.status
  end

  # As when another thread is in dispatch while this one is in subscribe.
  def test_a_message_before_its_callback_is_known_waits_for_it
    early = []
    nc = @nc
    subject = @subject
    callbacks = nc.instance_variable_get(:@callbacks)
    callbacks.define_singleton_method(:[]=) do |sid, entry|
      nc.publish(subject, "early").flush
      nc.dispatch(wait: 0.05)
      super(sid, entry)
    end
    nc.subscribe(subject) { |msg| early << msg.data }
    nc.dispatch(wait: 5)
    assert_equal ["early"], early
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

  def test_a_logger_is_told_of_lines_without_secrets
    out = StringIO.new
    nc = connect(logger: Logger.new(out), token: "hunter2-token", trace: true)
    nc.publish("traced", "payload")
    nc.flush
    deadline = Polynats.now + 5
    sleep 0.01 until out.string.include?("PUB traced") || Polynats.now > deadline
    nc.close
    assert_match(/DEBUG -- : nats: -> PUB traced 7$/, out.string)
    refute_match(/hunter2-token/, out.string)
  end

  def test_a_logger_that_fails_takes_no_event_with_it
    bad = Logger.new(StringIO.new)
    def bad.info(*) = raise("disk full")
    nc = nil
    told = capture_io do
      nc = connect(logger: bad)
      assert_equal :connected, nc.next_event(wait: 5).type
      sleep 0.05
    end
    assert_match(/the logger failed: disk full/, told[1])
  ensure
    nc.close
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

  def test_futures_that_are_over
    @nc.subscribe(@subject) { |msg| msg.respond("x") }
    future = @nc.request_start(@subject)
    @nc.dispatch(wait: 5)
    assert_equal ["x"], future.map(&:data)
    assert_equal [], future.to_a
    assert_raises(Polynats::Closed) { future.wait }
    many = @nc.request_many_start(@subject, timeout: 20)
    @nc.dispatch(wait: 5)
    assert_equal(["x"], many.map { |msg| many.cancel || msg.data })
    failed = @nc.request_many_start("nobody.#{@subject}")
    assert_raises(Polynats::NoResponders) { failed.to_a }
    open = @nc.request_many_start(@subject, timeout: 20)
    closer = Thread.new { sleep(0.05) and @nc.close }
    assert_raises(Polynats::Closed) { open.to_a }
    closer.join
  end

  def test_options_in_rubys_own_types
    nc = connect(request_timeout: 1/20r, drain_timeout: "2s", name: :symbol, pending_msgs: 2, no_echo: false)
    sub = nc.subscribe(@subject)
    nc.publish_many(@subject, %w[1 2 3]).then { nc.flush(timeout: 5) }
    assert_equal 2, sub.stats[:pending]
    assert_operator took { assert_raises(Polynats::Timeout) { nc.request(@subject) } }, :<, 1
  ensure
    nc.close
  end

  def test_credentials_come_from_a_proc
    asked = []
    nc = connect(credentials: ->(nonce) { { user: "me", password: nonce }.tap { asked << Thread.current } })
    nc.share { |other| other.flush(timeout: 5) }
    assert_equal [Thread.current], asked
    nc.close
    assert_raises(KeyError) { connect(credentials: ->(_) { {}.fetch(:secret) }) }
    assert_raises(ArgumentError) { connect(credentials: ->(_) { { pasword: "x" } }) }
  end

  def test_to_io_can_be_selected
    sub = @nc.subscribe(@subject)
    @nc.next_event(wait: 1)
    @nc.publish(@subject, "x")
    assert IO.select([@nc], nil, nil, 5)
    @nc.process
    assert_equal 1, sub.get(wait: 1).size
    assert_same @nc.to_io, @nc.to_io
    @nc.close
    assert_raises(Polynats::Closed) { @nc.to_io }
  end

  private

  def subscribe_mute = @nc.subscribe("#{@subject}.mute").subject.tap { @nc.flush }
end
