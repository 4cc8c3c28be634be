# frozen_string_literal: true

require_relative "helper"
require_relative "mute"
require "async"

# Calls that wait let others run, and end when they are told to.
class WaitingTest < PolynatsTest
  def test_other_threads_run_meanwhile
    ticks = 0
    ticker = Thread.new { loop { sleep(0.01) and ticks += 1 } }
    @nc.subscribe(@subject).next(timeout: 0.4)
    ticker.kill.join
    assert_operator ticks, :>, 5
  end

  def test_a_trap_handler_runs_and_the_call_goes_on
    seen = []
    old = trap("USR1") { seen << :usr1 }
    sub = @nc.subscribe(@subject)
    sender = Thread.new do
      sleep 0.1
      Process.kill(:USR1, Process.pid)
      sleep 0.1
      @nc.publish(@subject, "after")
    end
    assert_equal "after", sub.next(timeout: 10).data
    assert_equal [:usr1], seen
  ensure
    sender.join
    trap("USR1", old)
  end

  # ---- signals that return begin nothing anew ----

  # A signal each few milliseconds, whose handler does nothing.
  def under_signals(every)
    old = trap("USR1") { nil }
    sender = Thread.new { loop { sleep(every) and Process.kill(:USR1, Process.pid) } }
    yield
  ensure
    sender.kill.join
    trap("USR1", old)
  end

  def test_connect_ends_in_time_under_signals
    silent = TCPServer.new("127.0.0.1", 0)
    url = "nats://127.0.0.1:#{silent.addr[1]}"
    seconds = took do
      under_signals(0.05) do
        assert_raises(Polynats::Timeout) { Polynats.connect(url, connect_timeout: 0.4) }
      end
    end
    assert_operator seconds, :<, 0.4 + PROMPT
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
    under_signals(0.03) do
      nc = Polynats.connect(slow.url, connect_timeout: 5, **options)
      nc.subscribe("kept")
      nc.flush(timeout: 5)
      assert_operator nc.rtt(timeout: 5), :>, 0.15
      nc.subscribe("more").drain(timeout: 5)
      nc.drain(timeout: 5)
      assert_predicate nc, :closed?
    end
    assert_equal [1, 5], [slow.accepted, slow.pings]
  ensure
    slow.close
  end

  def test_close_from_another_thread
    sub = @nc.subscribe(@subject)
    closer = Thread.new { sleep(0.1) and @nc.close }
    assert_raises(Polynats::Closed) { sub.next }
    closer.join
  end

  def test_a_future_is_for_one_thread_at_a_time
    sub = @nc.subscribe("#{@subject}.mute")
    @nc.flush
    future = @nc.request_start(sub.subject, timeout: 5)
    waiter = Thread.new { future.wait rescue $! }
    sleep 0.1
    assert_match(/another thread/, assert_raises(Polynats::Invalid) { future.wait }.message)
    sub.next(timeout: 5).respond("x")
    assert_equal "x", waiter.value.data
  end

  # ---- the Fiber scheduler ----

  def test_fibers_run_while_one_waits
    ticks = 0
    Async do |task|
      sub = @nc.subscribe(@subject)
      ticker = task.async do
        loop do
          task.sleep(0.01)
          ticks += 1
        end
      end
      publisher = task.async do
        task.sleep(0.3)
        @nc.publish(@subject, "x")
      end
      assert_equal "x", sub.next.data
      publisher.wait
      ticker.stop
    end
    assert_operator ticks, :>, 5
  end

  def test_fibers_ask_and_answer
    Async do |task|
      sub = @nc.subscribe(@subject)
      server = task.async { 20.times { sub.next.respond("answer") } }
      answers = Array.new(4) { task.async { Array.new(5) { @nc.request(@subject, timeout: 10).data } } }
      assert_equal ["answer"] * 20, answers.flat_map(&:wait)
      server.wait
      assert_same @nc, @nc.flush(timeout: 5)
      assert_kind_of Float, @nc.rtt
    end
  end

  def test_a_fiber_that_is_stopped_loses_nothing
    Async do |task|
      sub = @nc.subscribe(@subject)
      got = []
      60.times do |i|
        waiter = task.async { got << sub.next.data }
        task.sleep(0.002)
        @nc.publish(@subject, i.to_s)
        task.sleep(0.001 * (i % 3))
        waiter.stop
      end
      got << sub.next(timeout: 5).data while got.size < 60
      assert_equal (0..59).map(&:to_s), got
    end
  end

  # Connecting, flushing and draining are moved by the scheduler: no thread waits in a fiber's place.
  def test_fibers_flush_and_drain_without_a_thread
    made = counting_threads do
      Async do |task|
        nc = Polynats.connect(URL)
        sub = nc.subscribe(@subject)
        10.times.map { |i| task.async { nc.publish(@subject, i.to_s) and nc.flush(timeout: 5) } }.each(&:wait)
        assert_equal (0..9).map(&:to_s), nc.get(max: 10, wait: 0).map(&:data)
        assert_operator nc.rtt, :<, 5
        assert_same sub, sub.drain
        nc.drain(timeout: 5)
        assert_predicate nc, :closed?
      end
    end
    assert_equal 0, made
  end

  def test_fibers_drain_subscriptions_at_once
    Async do |task|
      subs = Array.new(5) { |i| @nc.subscribe("#{@subject}.#{i}") }
      5.times { |i| @nc.publish("#{@subject}.#{i}", "x") }
      assert_operator took { subs.map { |sub| task.async { sub.drain(timeout: 5) } }.each(&:wait) }, :<, 2
      assert_equal ["x"] * 5, subs.map { |sub| sub.next(timeout: 0).data }
    end
  end

  def test_a_drain_in_a_fiber_keeps_what_waits
    Async do
      nc = Polynats.connect(URL, keeper: false)
      sub = nc.subscribe(@subject)
      3.times { |i| nc.publish(@subject, i.to_s) }
      nc.drain(timeout: 5)
      assert_equal [:draining, %w[0 1 2]], [nc.status, Array.new(3) { sub.next(timeout: 1).data }]
      assert_raises(Polynats::Closed) { sub.next(timeout: 1) }
    end
  end

  def test_what_fails_in_a_fiber_says_why
    Async do |task|
      assert_raises(Polynats::IOError) { Polynats.connect("nats://127.0.0.1:1") }
      silent = TCPServer.new("127.0.0.1", 0)
      url = "nats://127.0.0.1:#{silent.addr[1]}"
      assert_raises(Polynats::Timeout) { Polynats.connect(url, connect_timeout: 0.1) }
      connecting = task.async { Polynats.connect(url, connect_timeout: 10) }
      assert_operator took { connecting.stop }, :<, PROMPT
      silent.close
      @nc.close
      assert_raises(Polynats::Closed) { @nc.flush }
      assert_raises(Polynats::Closed) { @nc.drain }
    end
  end

  def counting_threads
    made = 0
    trace = TracePoint.new(:thread_begin) { made += 1 }
    trace.enable
    yield
    made
  ensure
    trace.disable
  end

  def test_fibers_that_stop_end_a_wait_promptly
    Async do |task|
      waiter = task.async { @nc.get }
      task.sleep(0.05)
      assert_operator took { waiter.stop }, :<, PROMPT
    end
  end

  # The wait never began, and nothing refers to it.
  def test_a_thread_that_cannot_be_made
    sub = @nc.subscribe(@subject)
    other = Thread.new do
      ThreadGroup.new.tap { |group| group.add(Thread.current) }.freeze
      Async { assert_raises(ThreadError) { sub.next(timeout: 5) } and nil }.wait
    end
    other.join
    waiter = Thread.new { sub.next(timeout: 5) }
    @nc.publish(@subject, "x")
    assert_equal "x", waiter.value.data
    Async { |task| task.async { sub.next }.stop }.wait
    @nc.publish(@subject, "y")
    assert_equal "y", sub.next(timeout: 5).data
  end
end
