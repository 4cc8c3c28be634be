# frozen_string_literal: true

require_relative "helper"
require "async"
require "timeout"

# JetStream as Ruby has it: what the conformance suite cannot say of types, idioms and lifetimes.
class JetStreamTest < PolynatsTest
  HOUR = 3600

  def setup
    super
    @js = @nc.jetstream
    @subject = "js.#{name}.#{Process.pid}".tr("?", "")
    @stream = make(subjects: ["#{@subject}.>"], allow_direct: true)
  end

  def teardown
    super
    connect do |nc|
      js = nc.jetstream
      js.stream_names.select { |name| name.start_with?(own) }.each { |name| js.delete_stream(name) }
    end
  end

  def own = "S#{Process.pid}-#{name}".tr("?", "")

  def make(more = "", **config) = @js.create_stream(name: own + more, storage: "memory", **config)

  def invalid(about = nil, text = //)
    error = assert_raises(Polynats::Invalid) { yield }
    assert_match text, error.message
    assert_equal about, error.about if about
  end

  # ---- values ----

  def test_durations_are_seconds
    c = @stream.create_consumer(durable_name: "c", ack_wait: 12.5, max_deliver: 4, backoff: [1, 120r],
                                inactive_threshold: "90s")
    assert_equal [1.0, 120.0], c.config["backoff"]
    assert_same Float, c.config["inactive_threshold"].class
    assert_equal HOUR, @stream.update(max_age: HOUR)["config"]["max_age"]
    assert_equal HOUR, @stream.config["max_age"]
    [Object.new, [1], true].each { |odd| assert_raises(TypeError) { make("x", max_age: odd) } }
    [1e300, Float::INFINITY, Float::NAN, 10**10].each { |odd| invalid("max_age") { make("x", max_age: odd) } }
  end

  def test_times_are_times
    assert_in_delta Time.now, @stream.cached_info["created"], HOUR
    assert_predicate @stream.cached_info["created"], :utc?
    till = Time.utc(2035, 1, 2, 3, 4, 5, 678_901.234r)
    c = @stream.create_consumer(durable_name: "c", pause_until: till)
    assert_equal till, c.config["pause_until"]
    assert_equal till, c.pause(till.getlocal("+05:00"))["pause_until"]
    assert_equal till, c.pause(till.to_r)["pause_until"]
    assert_equal till, c.pause("2035-01-02T03:04:05.678901234Z")["pause_until"]
    assert_equal false, c.resume["paused"]
    assert_raises(TypeError) { c.pause(Object.new) }
    [Float::NAN, 1e300].each { |odd| invalid("pause_until") { c.pause(odd) } }
  end

  def test_numbers_keep_64_bits
    first = (2**63) + 12_345
    make("x", subjects: ["#{@subject}x"], first_seq: first)
    assert_equal first, @js.publish("#{@subject}x").seq
    assert_equal first, @js.stream("#{own}x").info["state"]["last_seq"]
  end

  def test_a_hash_and_keywords
    given = { "name" => "#{own}x", subjects: ["#{@subject}x"], max_msgs: 5 }.freeze
    stream = @js.create_stream(given, max_msgs: 7, storage: :memory, description: nil)
    assert_equal 7, stream.config["max_msgs"]
    assert_nil @js.stream(stream.name).cached_info
    assert_raises(TypeError) { @js.create_stream("name") }
    assert_raises(TypeError) { @js.create_stream({ 7 => 8 }) }
    invalid("name") { @js.create_stream(name: "\xff") }
    assert_equal "é", @stream.update(description: "é".encode("ISO-8859-1"))["config"]["description"]
  end

  # ---- what is wrong ----

  def test_the_nearest_name_is_told
    invalid(nil, /'subjets'.*did you mean 'subjects'/) { make("x", subjets: []) }
    invalid("expct_last_seq", /did you mean 'expect_last_seq'/) { @js.publish(@subject, expct_last_seq: 1) }
    invalid("msgid", /did you mean 'msg_id'/) { @js.publisher.publish(@subject, msgid: "x") }
    invalid(nil, /'create_stream'/) { @js.call(:create_strem) }
    invalid("verb") { @js.call(:get_messages, { stream: own }) }
    assert_raises(TypeError) { @js.call(:stream_info, "S") }
    %i[ttl expect_last_seq msg_id].each do |word|
      assert_match(/#{word}/, assert_raises(TypeError) { @js.publish(@subject, word => [1]) }.message)
    end
    invalid("ttl") { @js.publish(@subject, ttl: -1) }
  end

  def test_errors_of_the_server
    error = assert_raises(Polynats::Server) { @js.stream("nothing-there").info }
    assert_equal ["SERVER", 10_059, 404], [error.code, error.err_code, error.status]
    assert_equal "stream_info of stream nothing-there: stream not found (10059)", error.text
    assert_equal ["nothing-there", "stream not found"], [error.about, error.description]
    other = assert_raises(Polynats::Timeout) { @nc.subscribe("x") && @nc.request("x", timeout: 0) }
    assert_equal other.message, other.description
    assert_equal [0, 0, 0, 0, []], [other.err_code, other.status, other.first, other.published, other.failures]
  end

  # ---- publish ----

  def test_acks
    ack = @js.publish("#{@subject}.a", "1", headers: { "A" => "b" }, msg_id: "x", expect_last_seq: 0)
    assert_equal [own, 1, false], [ack.stream, ack.seq, ack.duplicate?]
    assert_nil ack.domain || ack.value || ack.batch || ack.count
    assert_predicate ack, :frozen?
    assert_predicate @js.publish("#{@subject}.a", msg_id: "x"), :duplicate?
    got = @stream.get(1)
    assert_equal %w[1 b], [got.data, got.header("A")]
    future = @js.publish_start("#{@subject}.b", "2")
    assert_equal 2, future.wait(timeout: 5).seq
    assert_predicate future, :done?
    @js.publish("#{@subject}.a", "3").then { |(it)| assert_equal 3, it.seq }
    case @js.publish("#{@subject}.a")
    in { stream:, seq: } then assert_equal [own, 4], [stream, seq]
    end
  end

  def test_counters
    make("x", subjects: ["#{@subject}x"], allow_msg_counter: true, allow_direct: true)
    assert_equal 5, @js.publish("#{@subject}x", incr: 5).value
    assert_equal 3, @js.publish("#{@subject}x", incr: -2).value
    assert_equal (10**40) + 3, @js.publish("#{@subject}x", incr: 10**40).value
  end

  def test_a_publisher
    kept = nil
    assert_equal(7, @js.publisher(max_pending: 8) do |publisher|
      kept = publisher
      assert_equal 1, publisher.publish("#{@subject}.a", "1", msg_id: "a")
      assert_equal 2, publisher.publish_many("#{@subject}.b", (1..1000).map(&:to_s))
      publisher.flush(timeout: 5)
      assert_equal({ published: 1001, acked: 1001, duplicates: 0, failed: 0, pending: 0 }, publisher.stats)
      7
    end)
    assert_equal 1001, @stream.info["state"]["messages"]
    assert_raises(Polynats::Closed) { kept.publish("#{@subject}.a") }
    assert_raises(TypeError) { @js.publisher.publish_many(@subject, "text") }
    assert_raises(TypeError) { @js.publisher.publish_many(@subject, [1]) }
  end

  def test_a_fast_publisher
    make("x", subjects: ["#{@subject}x"], allow_batched: true)
    @js.publisher(fast: true) do |publisher|
      publisher.publish_many("#{@subject}x", %w[1 2 3])
      publisher.publish("#{@subject}x", "4")
    end
    assert_equal 4, @js.stream("#{own}x").info["state"]["messages"]
  end

  def test_more_failures_than_may_wait_are_told
    error = assert_raises(Polynats::NoResponders) { @js.publish_many("nobody.#{@subject}", ["x"] * 9000) }
    assert_includes 4000...9000, error.published
    assert_equal (0..error.published).to_a, error.failures.map(&:first)
    assert_kind_of Polynats::Limit, error.failures.last.last
  end

  def test_failures_are_told_by_their_place
    kept = nil
    error = assert_raises(Polynats::Server) do
      @js.publisher { |it| kept = it and [0, 9, 1].each { |seq| it.publish("#{@subject}.a", expect_last_seq: seq) } }
    end
    assert_equal 10_071, error.err_code
    assert_equal([[2, 10_071]], kept.failures.map { |number, problem| [number, problem.err_code] })
    assert_empty kept.failures
    error = assert_raises(Polynats::NoResponders) { @js.publish_many("nobody.#{@subject}", %w[1 2]) }
    assert_equal [0, 1], error.failures.map(&:first)
    assert_equal 3, @js.publish_many("#{@subject}.a", ["1", "2", nil])
  end

  def test_an_error_in_the_block_is_not_hidden
    assert_raises(ZeroDivisionError) { @js.publisher { |it| it.publish("nobody.#{@subject}") / 0 } }
  end

  def test_batches
    make("x", subjects: [to = "#{@subject}x"], allow_atomic: true)
    ack = @js.batch do |batch|
      batch.add(to, "1").add(to, "2")
      batch.commit(to, "3")
    end
    assert_equal [3, 3], [ack.seq, ack.count]
    batch = @js.batch { |it| it.add(to, "4") }
    assert_raises(Polynats::Closed) { batch.add(to, "5") }
    assert_raises(RuntimeError) { @js.batch { |it| it.add(to, "6") && raise } }
    assert_equal 3, @js.stream("#{own}x").info["state"]["messages"]
  end

  # ---- streams ----

  def test_lists_page
    made = Array.new(270) { |i| make("-#{i}", subjects: ["l.#{@subject}.#{i}"]) }
    names = @js.stream_names.to_a
    assert_empty made.map(&:name) - names
    assert_equal names.sort, @js.streams.map(&:name).sort
    assert_equal [made[7].name], @js.streams(subject: "l.#{@subject}.7").map(&:name)
    assert_same @js, @js.streams(subject: @subject) { flunk }
    assert_kind_of String, @js.streams.next.config["storage"]
  end

  def test_messages_of_a_stream
    5.times { |i| @js.publish("#{@subject}.#{i % 2}", i.to_s) }
    assert_equal "3", @stream.get_last("#{@subject}.1").data
    assert_equal 4, @stream.get_next("#{@subject}.1", 3).metadata.stream_seq
    assert_equal %w[1 2 3], @stream.get_many(batch: 3, seq: 2).map(&:data)
    assert_equal "0", @stream.get_many(batch: 3).first.data
    assert_equal %w[3 4], @stream.get_many(multi_last: ["#{@subject}.*"]).map(&:data)
    @stream.delete_message(1)
    assert_equal 10_037, assert_raises(Polynats::Server) { @stream.get(1) }.err_code
    assert_equal({ "#{@subject}.0" => 2, "#{@subject}.1" => 2 },
                 @stream.info(subjects_filter: ">")["state"]["subjects"])
    assert_equal [2, 1], [@stream.purge(subject: "#{@subject}.1"), @stream.purge(keep: 1)]
  end

  # ---- consumers ----

  def test_fetch_and_next
    @js.publish_many("#{@subject}.a", (0..19).map(&:to_s))
    c = @stream.create_consumer(durable_name: "c")
    some = c.fetch(8, wait: 5)
    assert_equal (0..7).map(&:to_s), some.map(&:data)
    assert_equal [own, "c", 1, 1, 1, 19], some.first.metadata.to_a.first(6)
    assert_predicate some.first.metadata.time, :utc?
    assert_equal "#<Polynats::Message #{@subject}.a 1 bytes stream=#{own} consumer=c seq=1>", some.first.inspect
    assert_equal "#<Polynats::Message #{@subject}.a 1 bytes stream=#{own} seq=2>", @stream.get(2).inspect
    assert_equal [8, 0], [@nc.ack_many(some), @nc.ack_many(some)]
    assert_equal "8", c.next(wait: 5).data
    assert_equal 11, c.fetch(100, wait: 0).size
    assert_equal [[], nil], [c.fetch(1, wait: 0), c.next(wait: 0.05)]
    assert_raises(TypeError) { @nc.ack_many([some[0], 1]) }
    c.delete
    assert_raises(Polynats::Server, Polynats::NoResponders) { c.fetch(1, wait: 1) }
  end

  def test_a_message_is_acknowledged_once
    @js.publish_many("#{@subject}.a", %w[1 2 3])
    c = @stream.create_consumer(durable_name: "c")
    one, two, three = c.fetch(3, wait: 5)
    assert_same one, one.in_progress.ack
    %i[ack nak term ack_sync in_progress].each { |verb| invalid(nil, /acknowledged/) { one.public_send(verb) } }
    two.nak(delay: 0.01)
    three.term(reason: "no use")
    again = c.next(wait: 5)
    assert_equal ["2", 2], [again.data, again.metadata.delivered]
    again.ack_sync(timeout: 5)
    assert_equal 0, c.info["num_ack_pending"]
  end

  def test_other_messages_are_not_acknowledged
    sub = @nc.subscribe(@subject)
    @nc.publish(@subject, reply: "a.b")
    msg = sub.next(timeout: 5)
    assert_nil msg.metadata
    %i[ack nak term ack_sync in_progress].each { |verb| invalid(nil, /JetStream/) { msg.public_send(verb) } }
  end

  def test_consume_with_a_callback_and_as_an_enumerator
    @js.publish_many("#{@subject}.a", (1..500).map(&:to_s))
    c = @stream.create_consumer(durable_name: "c", max_ack_pending: 100)
    seen = []
    sub = c.consume(max_messages: 50) do |msg|
      seen << msg.ack.data
      @nc.stop if seen.size == 500
    end
    @nc.run(timeout: 10)
    assert_equal (1..500).map(&:to_s), seen
    sub.unsubscribe
    @js.publish("#{@subject}.a", "more")
    assert_equal("more", c.consume(heartbeat: 1).each(timeout: 5) { |msg| break msg.ack.data })
  end

  def test_push
    @js.publish_many("#{@subject}.a", %w[1 2])
    c = @stream.create_consumer(durable_name: "p", deliver_subject: @nc.new_inbox)
    assert_equal %w[1 2], c.consume.first(2).map(&:data)
    assert_equal %w[p], @stream.consumer_names.to_a
    assert_equal %w[p], @stream.consumers.map(&:name)
  end

  def test_an_ordered_consumer
    @js.publish_many("#{@subject}.a", (1..300).map(&:to_s))
    ordered = @stream.ordered_consumer(deliver_policy: "all")
    assert_equal "1", ordered.next(wait: 5).data
    assert_equal 100, ordered.fetch.size
    assert_equal 199, ordered.fetch(1000, wait: 0.3).size
    first = ordered.info["name"]
    @stream.delete_consumer(first)
    assert_equal(%w[more], [@js.publish("#{@subject}.b", "more")] && ordered.fetch(1, wait: 20).map(&:data))
    refute_equal first, ordered.info["name"]
    ordered.close
    assert_equal [*(1..300).map(&:to_s), "more"], ordered.consume.first(301).map(&:data)
  end

  def test_an_ordered_consumer_that_ends_behind_messages_tells_why
    @js.publish_many("#{@subject}.a", %w[0 1])
    ordered = @stream.ordered_consumer
    assert_equal "0", ordered.next(wait: 5).data
    @stream.delete
    assert_equal %w[1], ordered.fetch(9, wait: 5).map(&:data)
    assert_equal 10_059, assert_raises(Polynats::Server) { ordered.next(wait: 5) }.err_code
    assert_raises(Polynats::Closed) { ordered.fetch(wait: 5) }
    ordered.close
  end

  def test_a_subscription_that_ends_tells_why
    sub = (c = @stream.create_consumer(durable_name: "c")).consume
    sleep 0.01 until c.info["num_waiting"].positive? # a request that the server has not read has no answer
    c.delete
    assert_equal 409, assert_raises(Polynats::Server) { sub.next(timeout: 5) }.status
    assert_raises(Polynats::Closed) { sub.next(timeout: 5) }
  end

  # ---- threads, interrupts, fibers, lifetimes ----

  def test_waits_are_interrupted
    c = @stream.create_consumer(durable_name: "c")
    took = took { assert_raises(::Timeout::Error) { ::Timeout.timeout(0.1) { c.fetch(1, wait: 30) } } }
    assert_operator took, :<, 0.1 + PROMPT
    @nc.subscribe("#{@subject}-silent")
    late = @nc.jetstream(prefix: "#{@subject}-silent")
    @nc.subscribe("#{@subject}-silent.>")
    took = took { assert_raises(::Timeout::Error) { ::Timeout.timeout(0.1) { late.account_info } } }
    assert_operator took, :<, 0.1 + PROMPT
    @js.publish("#{@subject}.a", "after")
    assert_equal "after", c.next(wait: 5).data
  end

  def test_a_fetch_that_is_interrupted_loses_nothing
    %w[1 2 3].each { |data| @js.publish("#{@subject}.a", data) }
    [@stream.ordered_consumer, @stream.create_consumer(ack_policy: "none")].each do |made|
      assert_raises(::Timeout::Error) { ::Timeout.timeout(0.3) { made.fetch(5, wait: 20) } }
      assert_equal "1", made.next(wait: 0.2).data
      assert_equal %w[2 3], made.fetch(5, wait: 0.2).map(&:data)
      fourth = @js.publish("#{@subject}.a", "4")
      assert_equal %w[4], made.fetch(1, wait: 5).map(&:data)
      @stream.delete_message(fourth.seq)
    end
  end

  def test_an_ordered_consumer_goes_on_with_what_an_interrupt_left
    @js.publish_many("#{@subject}.a", %w[1 2 3])
    ordered = @stream.ordered_consumer
    fetching = Thread.new { ordered.fetch(5, wait: 20) }
    fetching.report_on_exception = false
    sleep 0.3
    fetching.raise(Interrupt)
    assert_raises(Interrupt) { fetching.join }
    @js.publish("#{@subject}.a", "4")
    assert_equal %w[1 2 3 4], ordered.each(timeout: 5).first(4).map(&:data)
    ordered.close
  end

  def test_a_fetch_of_a_fiber_that_is_stopped_loses_nothing
    @js.publish_many("#{@subject}.a", %w[1 2 3])
    [@stream.ordered_consumer, @stream.create_consumer(ack_policy: "none")].each do |made|
      Async do |task|
        assert_raises(Async::TimeoutError) { task.with_timeout(0.3) { made.fetch(5, wait: 20) } }
        assert_equal %w[1 2 3], made.fetch(5, wait: 0.2).map(&:data)
      end.wait
    end
  end

  def test_an_ordered_consumer_that_several_begin_is_one
    @js.publish_many("#{@subject}.a", ["x"] * 40)
    ordered = @stream.ordered_consumer
    seen = Array.new(4) do
      Thread.new { Array.new(10) { ordered.next(wait: 5).metadata.stream_seq } }
    end.flat_map(&:value)
    assert_equal (1..40).to_a, seen.sort
    assert_includes @stream.consumer_names, ordered.info["name"]
    ordered.close
  end

  def test_how_many_and_how_long_are_looked_at
    [{ max: 0 }, { max: -1 }, { wait: -1 }, { wait: Float::NAN }].each do |arguments|
      invalid(arguments.keys.first.to_s) { @stream.ordered_consumer.fetch(**arguments) }
    end
    assert_raises(TypeError) { @stream.ordered_consumer.fetch("x") }
    assert_raises(TypeError) { @stream.ordered_consumer.fetch(1, wait: "x") }
    assert_empty @stream.consumer_names.to_a
  end

  def test_lists_take_a_timeout
    @stream.create_consumer(durable_name: "c")
    assert_equal ["c"], @stream.consumers(timeout: 5).map(&:name)
    assert_equal ["c"], @stream.consumer_names(timeout: 5).to_a
    assert_equal [@stream.name], @js.streams(subject: "#{@subject}.a", timeout: 5).map(&:name)
    assert_equal [@stream.name], @js.stream_names(subject: "#{@subject}.a", timeout: 5).to_a
  end

  def test_threads_share_a_publisher
    @js.publisher(max_pending: 16) do |publisher|
      Array.new(4) { |at| Thread.new { 250.times { |i| publisher.publish("#{@subject}.#{at}", i.to_s) } } }.each(&:join)
    end
    assert_equal 1000, @stream.info["state"]["messages"]
  end

  def test_fibers_wait_beside_each_other
    found = []
    ticks = 0
    Async do |task|
      consumer = @stream.create_consumer(durable_name: "f")
      ticker = task.async { loop { sleep(0.01) && ticks += 1 } }
      waiter = task.async { found.concat(consumer.fetch(2, wait: 10).map { |msg| msg.ack_sync.data }) }
      sleep 0.1
      @js.publisher(fast: false) { |it| %w[1 2].each { |data| it.publish("#{@subject}.a", data) } }
      waiter.wait
      found << @stream.ordered_consumer.consume.next(timeout: 5).data
      ticker.stop
    end
    assert_equal %w[1 2 1], found
    assert_operator ticks, :>, 3
  end

  # What answers is a fiber of the same scheduler: who waited in its place would wait for ever.
  def test_fibers_run_while_it_asks_what_the_server_can_do
    Async do |task|
      prefix = "late.#{@subject}"
      ticks = 0
      ticker = task.async do
        loop do
          task.sleep(0.005)
          ticks += 1
        end
      end
      asked = @nc.subscribe("#{prefix}.INFO")
      stored = @nc.subscribe("#{prefix}.a")
      teller = task.async { loop { asked.next.tap { task.sleep(0.2) }.respond('{"api":{"level":4}}') } }
      store = task.async { loop { stored.next.respond('{"stream":"S","seq":1}') } }
      ways = [->(js) { js.publisher.publish("#{prefix}.a", "x", ttl: 60) },
              ->(js) { js.publisher.publish("#{prefix}.a", headers: { "Nats-TTL" => "60s" }) },
              ->(js) { js.publisher(fast: true) }]
      ways.each do |way|
        before = ticks
        way.call(@nc.jetstream(prefix: prefix, timeout: 5))
        assert_operator ticks - before, :>, 10
      end
      [ticker, teller, store].each(&:stop)
    end
  end

  # Nor do other threads stand still: the GVL is given up.
  def test_threads_run_while_it_asks_what_the_server_can_do
    prefix = "late.#{@subject}"
    asked = @nc.subscribe("#{prefix}.INFO")
    teller = Thread.new { asked.next.tap { sleep(0.2) }.respond('{"api":{"level":4}}') }
    publisher = @nc.jetstream(prefix: prefix, timeout: 5).publisher
    assert_equal 1, publisher.publish("#{prefix}.a", "x", ttl: 60)
    teller.join
  end

  def test_publish_many_tells_where_it_stopped
    large = "x" * (@nc.max_payload + 1)
    [0, 1, 299].each do |place|
      payloads = (["x"] * place) + [large] + (["y"] * 300)
      error = assert_raises(Polynats::MaxPayload) { @js.publish_many("#{@subject}.a", payloads) }
      assert_equal [place, [place]], [error.published, error.failures.map(&:first)]
      publisher = @js.publisher
      error = assert_raises(Polynats::MaxPayload) { publisher.publish_many("#{@subject}.a", payloads) }
      assert_equal [place, place.zero? ? 0 : 1], [error.published, error.first]
      error = assert_raises(TypeError) { publisher.publish_many("#{@subject}.a", (["x"] * place) + [7]) }
      assert_match(/datas\[#{place}\]/, error.message)
      publisher.flush
      assert_equal [place, place], publisher.stats.values_at(:published, :acked)
    end
    assert_equal 600, @stream.info["state"]["messages"]
  end

  def test_a_fetch_that_is_cut_short_tells_why_at_the_next_one
    c = @stream.create_consumer(durable_name: "c")
    @js.publish("#{@subject}.a", "x")
    Thread.new { sleep(0.1) and c.delete }
    assert_equal ["x"], c.fetch(5, wait: 10).map(&:data)
    error = assert_raises(Polynats::Server) { c.next(wait: 1) }
    assert_equal 409, error.status
    assert_raises(Polynats::Error) { c.fetch(1, wait: 1) }
  end

  def test_a_fetch_of_a_client_that_is_closed_gives_what_it_has
    @stream.create_consumer(durable_name: "c")
    @js.publish("#{@subject}.a", "x")
    nc = Polynats.connect(URL)
    c = nc.jetstream.stream(own).consumer("c")
    Thread.new { sleep(0.1) and nc.close }
    assert_equal ["x"], c.fetch(5, wait: 10).map(&:data)
    assert_raises(Polynats::Closed) { c.fetch(1, wait: 1) }
  end

  def test_what_is_let_go_of_is_collected
    @js.publish_many("#{@subject}.a", (1..50).map(&:to_s))
    c = @stream.create_consumer(durable_name: "c")
    20.times do
      @js.publisher.publish("#{@subject}.a", "x")
      @js.batch
      @js.call_start(:account_info)
      c.fetch(1, wait: 5).each(&:nak)
      @stream.ordered_consumer.next(wait: 5)
    end
    GC.start
    js = connect.jetstream
    GC.start
    assert_kind_of Hash, js.account_info
    js.client.close
    assert_raises(Polynats::Closed) { js.account_info }
    assert_raises(Polynats::Closed) { js.publish("x") }
  end
end
