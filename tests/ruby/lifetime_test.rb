# frozen_string_literal: true

require_relative "helper"
require_relative "mute"
require "logger"

# Objects, processes, ractors: whatever the order in which they go.
class LifetimeTest < PolynatsTest
  def fds = Dir.children("/proc/self/fd").size
  def native_threads = Dir.children("/proc/self/task").size

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

  # On a server that answers nothing, where each close would wait for 2 s.
  def test_the_collector_does_not_wait_for_the_server
    mute = MuteServer.new
    make = lambda do |_|
      nc = Polynats.connect(mute.url)
      nc.publish("a", "x")
      [nc.subscribe("b"), nc.request_start("c")]
    end
    Thread.new { 4.times(&make) }.join
    assert_operator took { 3.times { GC.start } }, :<, PROMPT
  ensure
    mute.close
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

  # Every reference of ours holds when the collector moves what it may move.
  def test_gc_compact
    out = run_ruby(<<~RUBY)
      require "polynats"
      GC.auto_compact = true
      moved = GC.respond_to?(:verify_compaction_references)
      moved &&= -> { GC.verify_compaction_references(double_heap: true, toward: :empty) }
      moved ||= -> { GC.compact }
      nc = Polynats.connect
      sub = nc.subscribe("#{@subject}.*")
      calls = []
      nc.subscribe("call.#{@subject}") { |msg| calls << msg.data }
      20.times do |i|
        nc.publish("#{@subject}.\#{"é" * 30}", "data \#{i}", headers: { "Key" => ["a" * 40] }, reply: "r")
        nc.publish("call.#{@subject}", i.to_s)
        msg = sub.next(timeout: 5)
        moved.call if i == 10
        abort "lost" unless sub.client.equal?(nc) && msg.client.equal?(nc)
        abort msg.inspect unless msg.header("Key") == "a" * 40 && msg.data.start_with?("data")
      end
      future = nc.request_start("nobody.#{@subject}")
      GC.compact
      begin
        future.wait
      rescue Polynats::NoResponders
        nc.dispatch(wait: 1)
      end
      GC.compact
      puts calls.size
    RUBY
    assert_equal "20\n", out
  end

  def test_gc_stress_of_what_is_seldom_called
    sub = @nc.subscribe(@subject, queue: "q", max: 50, pending_msgs: 10)
    seen = []
    @nc.subscribe("#{@subject}.svc") { |msg| seen << msg.respond(msg.data, headers: { "A" => "b" }) }
    GC.stress = true
    @nc.share { |other| other.flush }
    future = @nc.request_start("#{@subject}.svc", "hello")
    @nc.dispatch(wait: 5)
    assert_equal ["b"], future.to_a.map { |msg| msg.header("A") }
    assert_raises(Polynats::Invalid) { @nc.publish("a b") }
    assert_raises(Polynats::Timeout) { @nc.request(sub.subject, timeout: 0.01) }
    assert_equal [1, 1], sub.stats.values_at(:received, :pending)
    assert_equal 0, @nc.stats[:unwritten_bytes].clamp(0, 0)
    assert_kind_of Polynats::Message, sub.first
  ensure
    GC.stress = false
  end

  def test_a_thread_that_waits_does_not_keep_a_program_from_its_end
    out = nil
    seconds = took do
      out = run_ruby(<<~RUBY)
        require "polynats"
        require "logger"
        require "stringio"
        nc = Polynats.connect(logger: Logger.new(StringIO.new))
        sub = nc.subscribe("#{@subject}")
        3.times { Thread.new { sub.next } }
        Thread.new { nc.get }
        sleep 0.05
        puts "end"
      RUBY
    end
    assert_equal "end\n", out
    assert_operator seconds, :<, 5
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

  # As a preforking server does it: workers connect for themselves, and go as processes go.
  def test_workers_of_a_preforking_server
    logged = connect(logger: Logger.new(File::NULL))
    logged.next_event(wait: 5)
    @nc.subscribe(@subject, queue: "parent")
    results = @nc.subscribe("#{@subject}.done").tap { @nc.flush }
    workers = Array.new(3) do
      fork do
        codes = [-> { @nc.get }, -> { logged.next_event }, -> { @nc.share }, -> { @nc.to_io }].map do |call|
          call.call && "OK"
        rescue Polynats::Error => e
          e.code
        end
        connect { |nc| nc.publish("#{@subject}.done", codes.join(" ")) }
        Minitest.allow_fork if Minitest.respond_to?(:allow_fork)
        exit!(0) if codes.uniq != ["FORKED"]
        exit(true) # with all that runs at a normal end
      end
    end
    workers.each { |pid| Process.wait(pid) and assert_predicate $?, :success? }
    got = []
    got += results.get(wait: 5).map(&:data) while got.size < 3
    assert_equal ["FORKED FORKED FORKED FORKED"] * 3, got
    @nc.flush
  ensure
    logged.close
  end

  # The best of some, of the processor's time: others use it too.
  def test_requiring_is_quick
    program = <<~RUBY
      clock = -> { Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID) }
      began = clock.call
      require "polynats"
      print clock.call - began
    RUBY
    assert_operator Array.new(6) { IO.popen(["ruby", "-e", program], &:read).to_f }.min, :<,
                    0.030 * ENV.fetch("POLYNATS_PATIENCE", "1").to_i
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

  # There, too, interrupts are looked at, and functions supply credentials.
  def test_ractors_are_interrupted_and_asked
    out = run_ruby(<<~RUBY)
      require "polynats"
      require "timeout"
      ractor = Ractor.new("#{@subject}") do |subject|
        asked = 0
        Polynats.connect(ENV["NATS_URL"].dup, credentials: ->(_) { asked += 1 and {} }) do |nc|
          sub = nc.subscribe(subject)
          waits = Thread.new { sub.next(timeout: 2) }
          sleep 0.05
          waits.wakeup
          sleep 0.05
          nc.publish(subject, "still waiting")
          [waits.value.data, asked]
        end
      end
      p ractor.take
    RUBY
    assert_equal ["still waiting", 1].inspect, out.lines.last.chomp
  end

  # Whatever is shared with them by name can be, and what cannot is refused in words.
  def test_what_ractors_may_not_have
    out = run_ruby(<<~RUBY)
      require "polynats"
      require "logger"
      require "stringio"
      nc = Polynats.connect
      sub = nc.subscribe("#{@subject}.r")
      nc.publish("#{@subject}.r", "x")
      [nc, sub, sub.next(timeout: 5), nc.request_start("a"), Polynats.proto].each do |object|
        [-> { Ractor.new(object) { |it| it } }, -> { Ractor.make_shareable(object) },
         -> { Ractor.new { receive }.send(object, move: true) }].each do |call|
          call.call
          puts "\#{object.class} went through"
        rescue TypeError, Ractor::Error => e
          puts e.message unless e.message.match?(/Polynats/)
        end
      end
      ractor = Ractor.new("#{@subject}.in") do |subject|
        out = StringIO.new
        Polynats.connect(ENV["NATS_URL"].dup, logger: Logger.new(out)) do |nc|
          nc.subscribe(subject) { |msg| msg.respond(msg.data.upcase) }
          future = nc.request_start(subject, "from inside")
          nc.dispatch(wait: 5)
          wrong = begin
            nc.request("nobody.\#{subject}")
          rescue Polynats::Error => e
            e.code
          end
          [future.wait.data, wrong, nc.status, Polynats::Subject.valid?("a"), nc.next_event(wait: 5).type,
           nc.stats.size > 5, Polynats.options.size > 5, nc.inspect.frozen?.class, Polynats::VERSION]
        end
      end
      p ractor.take
    RUBY
    wanted = ["FROM INSIDE", "NO_RESPONDERS", :connected, true, :connected, true, true]
    assert_equal wanted.inspect.chop, out.lines.last[0, wanted.inspect.size - 1], out
    assert_equal 2, out.lines.size, out # the warning that ractors are experimental comes first
  end
end
