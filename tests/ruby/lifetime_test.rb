# frozen_string_literal: true

require_relative "helper"

# Objects, processes, ractors: whatever the order in which they go.
class LifetimeTest < PolynatsTest
  def fds = Dir.children("/proc/self/fd").size
  def native_threads = Dir.children("/proc/self/task").size

  def resident_kb = File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i

  def test_a_subscription_keeps_its_client
    sub = make_sub
    3.times { GC.start }
    sub.client.publish(@subject, "x")
    assert_equal "x", sub.next(timeout: 5).data
  end

  def make_sub = connect.subscribe(@subject)

  def test_forgotten_clients_are_collected
    before = [fds, native_threads]
    20.times { make_sub }
    40.times do
      GC.start
      sleep 0.05
      break if (fds - before[0]) < 10
    end
    # What the conservative collector still sees on the stack may stay.
    assert_operator fds - before[0], :<, 10
    assert_operator native_threads - before[1], :<, 8
  end

  def test_a_message_outlives_all_else
    msg = connect do |nc|
      sub = nc.subscribe(@subject)
      nc.publish(@subject, "kept", reply: "r")
      sub.next(timeout: 5)
    end
    GC.start
    assert_equal "kept", msg.data
    assert_raises(Polynats::Closed) { msg.respond("x") }
  end

  def test_gc_stress
    sub = @nc.subscribe(@subject)
    GC.stress = true
    @nc.publish(@subject, "x", headers: { "A" => %w[b c] }, reply: "r")
    @nc.publish_many(@subject, %w[1 2 3])
    msgs = []
    msgs += sub.get(wait: 5) while msgs.size < 4
    assert_equal %w[x 1 2 3], msgs.map(&:data)
    assert_equal({ "A" => %w[b c] }, msgs[0].headers)
    assert_raises(Polynats::NoResponders) { @nc.request("nobody.#{@subject}", "x") }
    assert_equal :connected, @nc.next_event(wait: 1).type
    @nc.server_info
    proto = Polynats.proto("nats://127.0.0.1:4222")
    proto.start
    assert_equal :dial, proto.next_event.type
  ensure
    GC.stress = false
  end

  def test_objects_go_in_any_order_at_exit
    out = run_ruby(<<~RUBY)
      require "polynats"
      $things = 5.times.flat_map do
        nc = Polynats.connect
        sub = nc.subscribe("#{@subject}")
        nc.publish("#{@subject}", "x")
        [sub.next(timeout: 5), nc.request_start("#{@subject}"), sub, nc, nc.share]
      end.shuffle
      puts "end"
    RUBY
    assert_equal "end\n", out
  end

  def test_what_was_published_before_exit_arrives
    sub = @nc.subscribe(@subject)
    @nc.flush
    run_ruby(%(require "polynats"; Polynats.connect.publish_many("#{@subject}", ["x"] * 500)))
    got = 0
    got += sub.get(wait: 5).size while got < 500
    assert_equal 500, got
  end

  def test_fork
    sub = @nc.subscribe(@subject)
    reader, writer = IO.pipe
    child = fork do
      codes = [-> { @nc.publish("a") }, -> { sub.next(timeout: 0) }, -> { @nc.close }].map do |call|
        call.call
        "OK"
      rescue Polynats::Error => e
        e.code
      end
      GC.start
      Polynats.connect(URL) { |nc| nc.publish(@subject, codes.join(" ")) }
      writer.write("done")
      exit!(0)
    end
    Process.wait(child)
    writer.close
    assert_equal "done", reader.read
    assert_equal "FORKED FORKED FORKED", sub.next(timeout: 5).data
  end

  def test_a_child_that_exits_normally
    child = fork { exit(0) }
    Process.wait(child)
    assert_predicate $?, :success?
    @nc.flush
  end

  def test_ractors_have_clients_of_their_own
    out = run_ruby(<<~RUBY)
      require "polynats"
      ractors = 2.times.map do |i|
        Ractor.new("#{@subject}.\#{i}") do |subject|
          Polynats.connect(ENV["NATS_URL"].dup) do |nc|
            sub = nc.subscribe(subject)
            nc.publish(subject, "from a ractor", headers: { "A" => "b" })
            sub.next(timeout: 5).data
          end
        end
      end
      puts ractors.map(&:take)
    RUBY
    assert_equal ["from a ractor"] * 2, out.lines.map(&:chomp).last(2)
  end

  # A million messages leave memory, descriptors and threads where they were.
  def test_flat_over_a_million_messages
    sub = @nc.subscribe(@subject)
    pass = lambda do |count|
      done = 0
      while done < count
        @nc.publish_many(@subject, ["x" * 128] * 500)
        500.times { @nc.publish(@subject, "y" * 128) }
        got = 0
        got += sub.get(wait: 5).each(&:data).size while got < 1000
        done += 1000
      end
      GC.start
    end
    pass.call(300_000)
    before = [resident_kb, fds, native_threads]
    pass.call(1_000_000)
    assert_operator resident_kb - before[0], :<, 16 * 1024
    assert_equal before.drop(1), [fds, native_threads]
  end
end
