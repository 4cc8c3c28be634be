# frozen_string_literal: true

require_relative "helper"

# What a script author was promised: the names, and the forms in which a verb may be called.
class ContractTest < PolynatsTest
  def test_times_and_counts_need_no_name
    sub = @nc.subscribe(@subject)
    assert_nil sub.next(0)
    @nc.publish_many(@subject, %w[1 2 3 4])
    @nc.flush(1)
    assert_equal(%w[1], @nc.get(1, 1).map(&:data))
    assert_equal(%w[2], sub.get(1, 1).map(&:data))
    assert_equal "3", sub.next(1).data
    assert_equal "4", sub.next(timeout: 1).data
    assert_equal :connected, @nc.next_event(1).type
    assert_operator @nc.rtt(1), :<, 1
    assert_equal 0, @nc.dispatch(1, 0)
    assert_raises(ArgumentError) { sub.next(1, 2) }
    assert_match(/did you mean 'timeout'/, assert_raises(ArgumentError) { sub.next(wait: 1) }.message)
    assert_match(/did you mean 'wait'/, assert_raises(ArgumentError) { sub.get(timeout: 1) }.message)
    assert_raises(ArgumentError) { sub.get(1, 2, 3) }
    sub.unsubscribe(5)
    assert_predicate sub, :active?
  end

  def test_a_callback_is_a_block_or_a_keyword
    got = []
    @nc.subscribe(@subject, callback: ->(msg) { got << msg.data })
    @nc.publish(@subject, "x")
    @nc.dispatch(1, 1)
    assert_equal %w[x], got
    assert_raises(TypeError) { @nc.subscribe(@subject, callback: 1) }
  end

  def test_names
    sub = @nc.subscribe(@subject)
    @nc.publish(@subject)
    @nc.flush
    assert_equal [1, 0, 0], sub.stats.values_at(:pending, :delivered, :dropped)
    error = assert_raises(Polynats::NoResponders) { @nc.request("nobody.#{@subject}", timeout: 1) }
    assert_equal ["nobody.#{@subject}", error.message], [error.about, error.text]
    assert Polynats::Subject.valid("a.b")
    assert Polynats::Subject.valid_pattern("a.*")
    assert Polynats::Subject.matches("a.*", "a.b")
  end

  def test_jetstream
    js = @nc.jetstream
    stream = js.create_stream(name: "CONTRACT#{Process.pid}", subjects: ["#{@subject}.>"], storage: "memory")
    js.publish_many("#{@subject}.a", %w[1 2 3 4 5])
    consumer = stream.create_consumer(durable_name: "c")
    assert_equal(%w[1], consumer.fetch(1, 1).map(&:data))
    assert_equal(%w[2], consumer.fetch(max: 1, wait: 1).map(&:data))
    consumer.next(1).nak(60)
    consumer.next(wait: 1).term("bad")
    consumer.next(1).ack_sync(1)
    assert_nil consumer.next(0)
    error = assert_raises(Polynats::Invalid) { consumer.fetch(1, timeout: 1) }
    assert_match(/did you mean 'wait'/, error.message)
    assert_match(/'wait'/, assert_raises(Polynats::Invalid) { consumer.next(timeout: 1) }.message)
    assert_match(/'timeout'/, assert_raises(Polynats::Invalid) { js.publish(@subject, "", wait: 1) }.message)
    ordered = stream.ordered_consumer
    assert_equal(%w[1 2], ordered.first(2).map(&:data))
    assert_equal(%w[3 4 5], ordered.each(timeout: 0.1).map(&:data))
    assert_nil ordered.next(0)
  ensure
    stream&.delete
  end
end
