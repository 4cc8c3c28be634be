# frozen_string_literal: true

require_relative "helper"
require_relative "mute"
require "async"
require "timeout"

# Whatever ends a call that waits ends it promptly, and no message is lost by it.
class InterruptTest < PolynatsTest
  class Stop < RuntimeError; end

  def test_thread_kill_ends_every_wait
    Waits.each do |name, call|
      thread = Thread.new(&call)
      sleep 0.03
      assert_operator took { thread.kill.join }, :<, PROMPT, name
    end
  end

  def test_timeout_ends_every_wait
    Waits.each do |name, call|
      assert_operator took { assert_raises(Timeout::Error, name) { Timeout.timeout(0.05) { call.call } } }, :<,
                      0.05 + PROMPT, name
    end
  end

  # Within 100 ms, where the machine has time for us: the best of three tries counts.
  def test_ctrl_c_ends_every_wait
    out = run_ruby(<<~RUBY)
      require "polynats"
      require "mute"
      def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      slowest = Hash.new(9)
      3.times do
        Waits.each do |name, call|
          next if slowest[name] < 0.1
          pressed = nil
          presser = Thread.new { sleep(0.04); pressed = clock; Process.kill(:INT, Process.pid) }
          begin
            call.call
            slowest[name] = 8
          rescue Interrupt
            slowest[name] = [slowest[name], clock - pressed].min
          end
          presser.join
        end
      end
      late = slowest.reject { |_, seconds| seconds < 0.1 }
      puts late.empty? ? "\#{slowest.size} in time" : late
      $stdout.flush
      exit!(0)
    RUBY
    assert_equal "#{Waits::MUTE.size + Waits::DEAF.size + 1} in time\n", out
  end

  def test_fibers_run_while_one_waits_in_any_verb
    Waits.each do |name, call|
      Async do |task|
        ticks = 0
        ticker = task.async do
          loop do
            task.sleep(0.002)
            ticks += 1
          end
        end
        waiter = task.async { call.call }
        task.sleep(0.03)
        before = ticks
        deadline = clock + 5
        task.sleep(0.01) until ticks - before > 3 || clock > deadline
        assert_operator ticks - before, :>, 3, name
        assert_operator took { waiter.stop }, :<, PROMPT, name
        ticker.stop
      end
    end
  end

  # ---- nothing is lost ----

  # What is left to lose is a list between our return and the caller's next step, some 100 ns. Each
  # call took milliseconds before, in which all of it was lost.
  SIGNALS = <<~RUBY
    require "polynats"
    class Stop < RuntimeError; end
    COUNT = 60_000
    nc = Polynats.connect(pending_msgs: -1, pending_bytes: -1)
    got = []
    keep = ->(msg, _) { got.push(msg) }
    sub = nc.subscribe("signals.\#{Process.pid}", &(HOW == :get ? nil : keep))
    nc.publish_many(sub.subject, ["x"] * COUNT)
    nc.flush
    armed = false
    trap(:USR1) { armed and (armed = false or raise Stop) }
    parent = Process.pid
    sender = fork do
      begin
        3000.times { sleep(0.001) and Process.kill(:USR1, parent) }
      ensure
        exit!
      end
    end
    over = false
    until over
      begin
        armed = true
        if HOW == :get
          list = nc.get(max: 2000, wait: 0)
          got.concat(list)
          over = list.empty?
        else
          over = nc.dispatch(max: 2000, wait: 0).zero?
        end
        armed = false
      rescue Stop
        over = false
      end
    end
    Process.kill(:KILL, sender)
    Process.wait(sender)
    print COUNT - got.size
    $stdout.flush
    exit!(0)
  RUBY

  def test_signals_while_a_list_is_made
    assert_includes [0, 2000], run_ruby(SIGNALS.gsub("HOW", ":get")).to_i
  end

  def test_signals_while_callbacks_are_called
    assert_operator run_ruby(SIGNALS.gsub("HOW", ":dispatch")).to_i, :<=, 1
  end

  COUNT = 1500

  # Runs the block, which takes what it can and gives it, while Stop is raised in its thread again
  # and again; the messages 0, 1, 2… are published meanwhile.
  def harass(publisher: -> { publish_numbers }, &take)
    got = []
    taker = stoppable do
      while got.size < COUNT
        begin
          got.concat(take.call)
        rescue Stop
          next
        end
      end
    end
    harasser = Thread.new { sleep(rand * 0.0006) and taker.raise(Stop) while taker.alive? }
    publisher.call
    flunk "#{got.size} of #{COUNT} came" unless taker.join(20)
    harasser.join
    got
  end

  # A thread in which Stop is raised only where it waits. It is born deaf to it, and deaf again at the
  # end: several may come after the last wait.
  def stoppable
    Thread.handle_interrupt(Stop => :never) do
      Thread.new { Thread.handle_interrupt(Stop => :on_blocking) { yield } }
    end
  end

  def publish_numbers
    out = connect
    COUNT.times do |i|
      out.publish(@subject, i.to_s)
      sleep(0.0002) if (i % 5).zero?
    end
    out.flush
  ensure
    out&.close
  end

  NUMBERS = (0...COUNT).map(&:to_s).freeze

  def test_next_loses_nothing
    sub = @nc.subscribe(@subject).tap { @nc.flush }
    assert_equal NUMBERS, harass { [sub.next.data] }
  end

  def test_get_loses_nothing
    @nc.subscribe(@subject).tap { @nc.flush }
    assert_equal NUMBERS, harass { @nc.get.map(&:data) }
  end

  # What next() was to give is there for the client's get() too, as it would have been before.
  def test_next_and_get_by_turns_lose_nothing
    sub = @nc.subscribe(@subject).tap { @nc.flush }
    turn = 0
    got = harass do
      (turn += 1).even? ? [sub.next(timeout: 0.01)&.data].compact : @nc.get(wait: 0.01).map(&:data)
    end
    assert_equal NUMBERS, got
  end

  def test_iterating_loses_nothing
    sub = @nc.subscribe(@subject).tap { @nc.flush }
    assert_equal NUMBERS, harass { sub.each { |msg| break [msg.data] } }
  end

  def test_callbacks_lose_nothing
    seen = []
    @nc.subscribe(@subject) { |msg| seen << msg.data }
    @nc.flush
    assert_equal NUMBERS, harass { @nc.dispatch and seen.slice!(0..) }
  end

  def test_futures_lose_nothing
    served = connect
    served.subscribe(@subject).tap { served.flush }
    server = Thread.new { COUNT.times { |i| served.get(max: 1)[0].respond(i.to_s) } }
    future = nil
    got = harass(publisher: -> {}) do
      future ||= @nc.request_start(@subject, timeout: 20)
      reply = future.wait(timeout: 20)
      future = nil
      [reply.data]
    end
    assert_equal NUMBERS, got
  ensure
    server.kill.join
    served.close
  end

  def test_events_are_not_lost
    types = []
    subs = Array.new(20) { |i| @nc.subscribe("#{@subject}.#{i}", pending_msgs: 1) }
    @nc.flush
    taker = stoppable do
      until types.count(:slow_consumer) == subs.size
        begin
          types << @nc.next_event.type
        rescue Stop
          next
        end
      end
    end
    harasser = Thread.new { sleep(0.0005) and taker.raise(Stop) while taker.alive? }
    subs.each { |sub| @nc.publish_many(sub.subject, %w[1 2]) and sleep(0.002) }
    assert taker.join(10), types.tally.to_s
    harasser.join
  end

  # Two that take from one subscription, one of them stopped again and again.
  def test_fibers_that_are_stopped_lose_nothing_to_others
    sub = @nc.subscribe(@subject).tap { @nc.flush }
    got = []
    Async do |task|
      keeper = task.async do
        while got.size < 200
          msg = sub.next(timeout: 0.1)
          got << msg.data if msg
        end
      end
      200.times do |i|
        victim = task.async { got << sub.next.data }
        @nc.publish(@subject, i.to_s)
        task.sleep(0.0005 * (i % 3))
        victim.stop
      end
      keeper.wait
    end
    assert_equal (0...200).to_a, got.map(&:to_i).sort
  end
end
