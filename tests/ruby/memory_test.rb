# frozen_string_literal: true

require_relative "helper"

# Memory, descriptors and threads are where they were, however often a verb is called and however it ends.
class MemoryTest < PolynatsTest
  def fds = Dir.children("/proc/self/fd").size
  def native_threads = Dir.children("/proc/self/task").size
  def resident_kb = File.read("/proc/self/status")[/VmRSS:\s+(\d+)/, 1].to_i

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

  # What an exception leaves behind on its way through C.
  def failing
    [-> { @nc.publish("a b", "x", headers: { "A" => "b" }) },
     -> { @nc.publish("a", headers: { "A" => "b", "C" => 1 }) },
     -> { @nc.publish("a", "x", reply: "\xff", headers: [%w[a b]] * 50) }, -> { @nc.publish_many("a", ["x", 1]) },
     -> { @nc.request("nobody.#{@subject}", "x", headers: { "A" => "b" }) }, -> { @nc.subscribe("a..b") },
     -> { @nc.request_start("a b", headers: { "A" => "b" }) }, -> { @nc.request("quiet", timeout: 0) },
     -> { Polynats.connect("x", nmae: 1) }, -> { Polynats.connect(["a", 5]) }, -> { Polynats.proto(seed: "x") },
     -> { Polynats.proto("h", name: "\xff") }, -> { @nc.get(max: -1) }, -> { @nc.next_event(wait: "x") },
     -> { Polynats.proto.publish("a b", headers: { "A" => "b" }) }]
  end

  def working
    [-> { @nc.share(&:status) }, -> { @nc.request_start("quiet", timeout: 50) }, -> { @nc.server_info },
     -> { @nc.stats }, -> { @nc.subscribe(@subject, queue: "q").unsubscribe },
     -> { Polynats.proto.tap(&:start).each_event.to_a }, -> { @nc.request_many_start("quiet").cancel },
     -> { @nc.publish(@subject, "x", headers: { "A" => ["b"] * 10 }) }, -> { @nc.new_inbox },
     -> { @nc.publish("é".encode("UTF-16LE"), "x") }, -> { @nc.next_event(wait: 0) }]
  end

  def test_flat_over_failures_and_what_is_seldom_called
    @nc.subscribe("quiet").tap { @nc.flush }
    pass = lambda do |count|
      count.times do
        failing.each { |call| assert_raises(StandardError, &call) }
        working.each(&:call)
        @nc.get(wait: 0)
      end
      GC.start
    end
    pass.call(300)
    before = [resident_kb, fds, native_threads]
    pass.call(600)
    assert_operator resident_kb - before[0], :<, 6 * 1024
    assert_equal before.drop(1), [fds, native_threads]
  end
end
