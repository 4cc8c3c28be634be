# frozen_string_literal: true

# What the conformance cases cannot ask of the Fiddle module: signals, threads, lifetimes, types.

require "minitest/autorun"
require "open3"
require "rbconfig"
require "timeout"
require "polynats_ffi"
require_relative "../ruby/mute"

# One client for each test.
class FiddleTest < Minitest::Test
  def setup
    @nc = PolynatsFFI.connect
    @sub = @nc.subscribe("fiddle.>")
    @nc.subscribe("unanswered")
    @nc.flush
  end

  def teardown
    @nc.close
  end
end

# Ctrl-C, Timeout and Thread#kill in each call that waits.
class SignalTest < FiddleTest
  SOON = 0.5 # 0.1 s, and what a loaded machine may need on top

  WAITS = {
    get: ->(nc, _) { nc.get(wait: 5) }, next: ->(_, sub) { sub.next(timeout: 5) },
    sub_get: ->(_, sub) { sub.get(wait: 5) },
    request: ->(nc, _) { nc.request("unanswered", timeout: 5) },
    request_many: ->(nc, _) { nc.request_many("unanswered", timeout: 5) },
    dispatch: ->(nc, _) { nc.dispatch(wait: 5) }, run: ->(nc, _) { nc.run(timeout: 5) },
    each: ->(_, sub) { sub.each { nil } },
    next_event: ->(nc, _) { 5.times { nc.next_event(wait: 5) } }
  }.freeze

  def now = PolynatsFFI.now

  WAITS.each do |name, wait|
    define_method("test_interrupt_in_#{name}") do
      sent = nil
      thread = Thread.new do
        sleep 0.1
        sent = now
        Process.kill("INT", Process.pid)
      end
      assert_raises(Interrupt) { wait.call(@nc, @sub) }
      assert_operator now - sent, :<, SOON
      thread.join
    end
  end

  def test_timeout_ends_a_wait
    begun = now
    assert_raises(Timeout::Error) { Timeout.timeout(0.1) { @nc.get } }
    assert_operator now - begun, :<, SOON + 0.1
  end

  # A signal each few milliseconds, whose handler does nothing, lets no call begin anew.
  def under_signals
    old = trap("USR1") { nil }
    sender = Thread.new { loop { sleep(0.03) and Process.kill(:USR1, Process.pid) } }
    yield
  ensure
    sender.kill.join
    trap("USR1", old)
  end

  def test_connect_ends_in_time_under_signals
    silent = TCPServer.new("127.0.0.1", 0)
    begun = now
    under_signals do
      assert_raises(PolynatsFFI::Timeout) do
        PolynatsFFI.connect("nats://127.0.0.1:#{silent.addr[1]}", connect_timeout: 0.4)
      end
    end
    assert_operator now - begun, :<, 0.9 + SOON
  ensure
    silent.close
  end

  def test_one_attempt_and_one_ping_outlast_the_signals
    one_attempt_and_one_ping
  end

  def test_asking_makes_no_attempt_anew
    one_attempt_and_one_ping(token: "t", ask_credentials: true)
  end

  def one_attempt_and_one_ping(**options)
    slow = SlowServer.new(0.2)
    under_signals do
      nc = PolynatsFFI.connect(slow.url, connect_timeout: 5, **options)
      nc.flush(timeout: 5)
      assert_operator nc.rtt(timeout: 5), :>, 0.15
      nc.subscribe("kept").drain(timeout: 5)
      nc.drain(timeout: 5)
    end
    assert_equal [1, 5], [slow.accepted, slow.pings]
  ensure
    slow.close
  end

  def test_what_waits_for_room_ends_in_time_under_signals
    deaf = MuteServer.new(deaf: true)
    verbs = { subscribe: ->(nc, _, _) { nc.subscribe("b" * 1000) },
              unsubscribe: ->(nc, _, i) { nc.unsubscribe("b", after: i) },
              sub_unsubscribe: ->(_, sub, i) { sub.unsubscribe(after: i) } }
    under_signals do
      verbs.each do |name, verb|
        nc = PolynatsFFI.connect(deaf.url, write_deadline: 0.3, reconnect: false)
        sub = nc.subscribe("b")
        assert_raises(PolynatsFFI::Timeout, PolynatsFFI::Closed, PolynatsFFI::Disconnected, name) do
          Waits.behind_publishes(nc) { |i| nc.status == :connected ? verb.call(nc, sub, i) : nc.publish("a") }
        end
        nc.close
      end
    end
  ensure
    deaf.close
  end

  def test_a_waiting_thread_can_be_killed
    thread = Thread.new { @nc.get }
    sleep 0.1
    begun = now
    thread.kill.join
    assert_operator now - begun, :<, SOON
  end

  # Another thread strikes anywhere, again and again, while messages are taken.
  def test_hardly_a_message_is_lost
    total = 2000
    @nc.publish_many("fiddle.all", Array.new(total, &:to_s))
    @nc.flush
    strikes = 0
    seen = []
    taker = Thread.new do
      take(seen, total) { strikes += 1 }
    rescue Strike # the last one may come late
      nil
    end
    while taker.alive?
      sleep 0.0005
      taker.raise(Strike) if taker[:struck] == false
    end
    taker.join
    assert_operator strikes, :>, 0
    got = seen.map { |msg| msg.data.to_i }.sort
    assert_equal got.uniq, got
    # Ruby may raise as a method of Ruby's own returns, when its list is nobody's: one call in many.
    assert_operator total - got.size, :<=, LIST * (1 + strikes / 50)
  end

  LIST = 50 # messages of one get
  class Strike < StandardError
  end

  # Strikes hit the call, not what this does with the result.
  def take(seen, total)
    limit = now + 20
    Thread.handle_interrupt(Strike => :never) do
      while seen.size < total && now < limit
        begin
          Thread.current[:struck] = false
          list = Thread.handle_interrupt(Strike => :immediate) { @nc.get(max: LIST, wait: 0.5) }
          break if list.empty?

          seen.concat(list)
        rescue Strike
          yield
        ensure
          Thread.current[:struck] = true
        end
      end
    end
  end
end

# Threads and lifetimes.
class LifetimeTest < FiddleTest
  # Closing it would, for two seconds each.
  def test_the_collector_does_not_wait_for_the_server
    mute = MuteServer.new
    Thread.new do
      4.times { PolynatsFFI.connect(mute.url).publish("a", "nobody confirms it") }
    end.join
    began = PolynatsFFI.now
    3.times { GC.start }
    assert_operator PolynatsFFI.now - began, :<, 1
  ensure
    mute.close
  end

  def test_other_threads_run_while_one_waits
    found = nil
    thread = Thread.new { found = @nc.get(wait: 10) }
    @nc.publish("fiddle.threads", "x")
    thread.join(5)
    assert_equal ["x"], found.map(&:data)
  end

  def test_wake_from_another_thread
    thread = Thread.new { sleep(0.1) && @nc.wake }
    assert_equal [], @nc.get(wait: 10)
    thread.join
  end

  def test_many_threads_on_one_subscription
    total = 2000
    taken = Queue.new
    threads = Array.new(8) do
      Thread.new do
        while (msg = @sub.next(timeout: 1))
          taken << msg.data.to_i
        end
      end
    end
    total.times { |at| @nc.publish("fiddle.many", at.to_s) }
    threads.each(&:join)
    assert_equal((0...total).to_a, Array.new(taken.size) { taken.pop }.sort)
  end

  def test_handles_go_in_any_order
    %w[nc sub future].permutation do |order|
      held = { "nc" => PolynatsFFI.connect }
      held["sub"] = held["nc"].subscribe("any")
      held["future"] = held["nc"].request_start("any", timeout: 5)
      order.each do |name|
        held.delete(name)
        GC.start
      end
    end
  end

  def test_under_gc_stress
    GC.stress = true
    @nc.publish("fiddle.stress", "data", headers: { "Key" => %w[a b] })
    msg = @sub.next(timeout: 5)
    GC.stress = false
    assert_equal ["data", { "Key" => %w[a b] }], [msg.data, msg.headers]
  ensure
    GC.stress = false
  end

  def test_closed
    nc = PolynatsFFI.connect
    sub = nc.subscribe("closed")
    2.times { nc.close }
    [-> { nc.publish("a") }, -> { nc.flush }, -> { sub.next(timeout: 1) }, -> { nc.share },
     -> { nc.get(wait: 1) }, -> { nc.request("a") }, -> { nc.dispatch },
     -> { nc.run }].each do |call|
      assert_raises(PolynatsFFI::Closed, &call)
    end
  end

  def at_exit_of(script)
    out, status = Open3.capture2e(RbConfig.ruby, "-rpolynats_ffi", "-e", script)
    assert_equal ["", true], [out, status.success?]
  end

  # What was published goes out although nobody closes; a thread that waits is no harm.
  def test_at_exit
    at_exit_of("c = PolynatsFFI.connect; c.publish('fiddle.exit', '1')")
    at_exit_of("$c = PolynatsFFI.connect; $f = $c.request_start('x'); " \
               "$c.publish('fiddle.exit', '2')")
    at_exit_of("c = PolynatsFFI.connect; c.subscribe('x'); Thread.new { c.get }; sleep 0.1; " \
               "c.publish('fiddle.exit', '3')")
    assert_equal(%w[1 2 3], Array.new(3) { @sub.next(timeout: 5).data })
  end
end

# Bad input.
class ArgumentTest < FiddleTest
  def test_wrong_types
    nc = @nc
    [-> { nc.publish(1) }, -> { nc.publish("a", 1) }, -> { nc.publish("a", headers: 3) },
     -> { nc.publish("a", headers: { "k" => 1.5 }) }, -> { nc.get(max: "1") },
     -> { nc.get(wait: "1") }, -> { nc.publish_many("a", "text") }, -> { PolynatsFFI.connect(1) },
     -> { PolynatsFFI.connect(name: []) }, -> { nc.unsubscribe(nil) },
     -> { nc.publish(:a) }].each { |call| assert_raises(TypeError, &call) }
    assert_raises(ArgumentError) { nc.request("a", nonsense: 1) }
  end

  def test_bad_values
    nc = @nc
    [-> { nc.publish("a\0b") }, -> { nc.publish("a\xED\xA0\x80") },
     -> { nc.publish("a", reply: "\0") }, -> { PolynatsFFI.connect("nats://a\0b") },
     -> { PolynatsFFI.connect([]) }, -> { PolynatsFFI.connect(max_pings_out: 2**70) },
     -> { nc.get(max: 0) }, -> { nc.get(max: 2**70) }, -> { nc.get(wait: -1) },
     -> { nc.get(wait: Float::NAN) }, -> { nc.subscribe("a", max: 2**64) },
     -> { nc.subscribe("a", pending_msgs: 0) }, -> { PolynatsFFI.connect(nmae: "x") },
     -> { PolynatsFFI.proto("nats://a\0") },
     -> { PolynatsFFI.proto(seed: "short") }].each do |call|
      problem = assert_raises(PolynatsFFI::Invalid, &call)
      refute_empty problem.message
    end
  end

  def test_bytes_of_all_encodings
    data = (0..255).to_a.pack("C*")
    [data, data.dup.force_encoding("UTF-8"), "ž", "ž".encode("UTF-16LE")].each do |given|
      @nc.publish("fiddle.bytes", given)
      found = @sub.next(timeout: 5).data
      assert_equal [given.b, Encoding::BINARY], [found, found.encoding]
    end
  end

  # The request's own time is no slice's, whatever its subject is called.
  def test_a_request_to_wait
    @nc.subscribe("wait")
    problem = assert_raises(PolynatsFFI::Timeout) { @nc.request("wait", timeout: 0.12) }
    assert_equal "wait", problem.about
  end

  def test_an_exception_in_a_callback
    @nc.subscribe("callback") { raise KeyError, "mine" }
    @nc.publish_many("callback", %w[1 2])
    2.times { assert_raises(KeyError) { @nc.dispatch(wait: 5) } }
    assert_equal 0, @nc.dispatch(wait: 0)
  end

  def rss = File.read("/proc/self/statm").split[1].to_i * 4096

  def work(rounds)
    rounds.times do
      @nc.publish_many("fiddle.memory", ["x" * 128] * 500)
      left = 500
      left -= @sub.get(wait: 5).size while left.positive?
    end
    GC.start
    rss
  end

  def test_memory_stays
    before = work(20)
    assert_operator work(80) - before, :<, 8 << 20
  end
end

# JetStream, whose messages stay the library's until they are let go of.
class JetStreamTest < FiddleTest
  def setup
    super
    @js = @nc.jetstream
    @subject = "fjs.#{name}"
    @stream = @js.create_stream(name: "F#{Process.pid}-#{name}", subjects: ["#{@subject}.>"], storage: "memory")
    @desk = @stream.create_consumer(durable_name: "desk")
  end

  def teardown
    @stream.delete
    super
  end

  def test_messages_outlive_what_they_came_by
    @js.publish_many("#{@subject}.a", (1..300).map(&:to_s))
    kept = @desk.fetch(300, wait: 5)
    1000.times { @nc.new_inbox } && GC.start
    assert_equal (1..300).map(&:to_s), kept.map(&:data)
    assert_equal (1..300).to_a, kept.map { |msg| msg.metadata.stream_seq }
    assert_equal [100, 200], [@nc.ack_many(kept.first(100)), @nc.ack_many(kept)]
    acked = (1..500).any? { @desk.info["num_ack_pending"].zero? || (sleep(0.01) && false) }
    assert acked, "the server takes note of acks on its own time"
    assert_raises(TypeError) { @nc.ack_many([7]) }
  end

  def test_an_interrupt_in_each_that_waits
    silent = @nc.jetstream(prefix: "fiddle.silent")
    [-> { @desk.fetch(1, wait: 9) }, -> { @desk.next(wait: 9) },
     -> { silent.account_info }, -> { @stream.ordered_consumer.next }].each do |wait|
      begun = PolynatsFFI.now
      assert_raises(Timeout::Error) { Timeout.timeout(0.2) { wait.call } }
      assert_operator PolynatsFFI.now - begun, :<, 1
    end
    @js.publish("#{@subject}.a", "after")
    assert_equal("after", @desk.fetch(1, wait: 5).first.ack_sync.data)
  end

  def test_publishers_and_batches
    stats = @js.publisher(max_pending: 4) do |publisher|
      Array.new(3) { |at| Thread.new { 20.times { publisher.publish("#{@subject}.#{at}", "x") } } }.each(&:join)
      publisher.flush.stats
    end
    assert_equal [60, 60, 0], stats.values_at(:published, :acked, :pending)
    error = assert_raises(PolynatsFFI::NoResponders) { @js.publish_many("nobody.#{@subject}", %w[1 2]) }
    assert_equal [0, 1], error.failures.map(&:first)
    assert_raises(PolynatsFFI::Closed) { @js.batch(&:itself).add("#{@subject}.a") }
  end

  # A wait goes in slices. What it failed with when one is up, before that is looked at, is why; no slice is.
  def test_a_failure_between_two_slices
    plain = PolynatsFFI::C.method(:nats_future_wait)
    future = @js.publish_start("nobody.#{@subject}") # tried for 0.5 s
    first = true
    replace_wait do |handle, left, box|
      status = plain.call(handle, first ? 0 : left, box)
      sleep 0.001 until !first || future.done?
      first = false
      status
    end
    assert_raises(PolynatsFFI::NoResponders) { future.wait }
  ensure
    replace_wait(&plain) if plain
  end

  def replace_wait(&block)
    PolynatsFFI::C.singleton_class.remove_method(:nats_future_wait)
    PolynatsFFI::C.define_singleton_method(:nats_future_wait, &block)
  end

  def test_values
    made = @stream.update(max_age: 900.5, description: "é")
    assert_equal [900.5, "é"], made["config"].values_at("max_age", "description")
    assert_predicate made["created"], :utc?
    error = assert_raises(PolynatsFFI::Server) { @stream.get(77) }
    assert_equal [10_037, 404], [error.err_code, error.status]
    assert_equal "msgid", assert_raises(PolynatsFFI::Invalid) { @js.publish(@subject, msgid: 1) }.about
    assert_raises(TypeError) { @js.publish("#{@subject}.a", expect_last_seq: [1]) }
    assert_equal 1, @js.publish("#{@subject}.a", nil, expect_last_seq: 0, msg_id: :a).seq
    assert_predicate @js.publish("#{@subject}.a", nil, msg_id: "a"), :duplicate?
  end
end
