# frozen_string_literal: true

module Polynats
  # @api private
  # What a fetch had that was ended by an exception: the next one gives it.
  class Kept
    def initialize
      @messages = []
    end

    # At most so many of them; nil: all.
    def take(max) = @messages.empty? ? [] : @messages.shift(max || @messages.size)

    def drop = @messages.clear

    # What the block fills. When it is interrupted, what there is then is kept. A thread is interrupted where it waits
    # only; under a Fiber scheduler the thread is not ours alone.
    def collect(found, &fill)
      return fill_or_keep(found, &fill) if Fiber.current_scheduler

      Thread.handle_interrupt(Object => :on_blocking) { fill_or_keep(found, &fill) }
    end

    private

    def fill_or_keep(found)
      yield found
      done = true
      found
    ensure
      @messages.unshift(*found) unless done
    end
  end
  private_constant :Kept

  # A consumer of a stream, by its name. Made by {Stream#consumer} and those that make or list consumers.
  class Consumer
    # @return [Stream]
    attr_reader :stream
    # @return [String]
    attr_reader :name
    # @return [Hash{String => Object}, nil] what the server told last; nil: it was not asked
    attr_reader :cached_info

    private_class_method :new

    # @api private
    def self.of(stream, name, info) = new(stream, name, info)

    # @api private
    def initialize(stream, name, info)
      @stream = stream
      @name = name
      @cached_info = info
      @kept = Kept.new
    end

    # @return [String]
    def stream_name = stream.name

    # @return [Hash{String => Object}, nil] its configuration as it was told last
    def config = cached_info && cached_info["config"]

    # @return [Hash{String => Object}] configuration and state
    # @raise [Server] err_code 10014 when there is none
    def info(timeout: nil) = @cached_info = ask("consumer_info", timeout)

    # @return [nil]
    def delete(timeout: nil)
      ask("delete_consumer", timeout)
      nil
    end

    # Has it deliver nothing until then. Needs nats-server 2.11.
    # @param time [Time, Numeric, String] seconds since 1970 when it is a number
    # @return [Hash{String => Object}]
    def pause(time, timeout: nil) = ask("pause_consumer", timeout, pause_until: time)

    # Has it deliver again.
    # @return [Hash{String => Object}]
    def resume(timeout: nil) = ask("resume_consumer", timeout)

    # Has it go on from a sequence; nil: after the last message that was acknowledged. Needs nats-server 2.14.
    # @return [Hash{String => Object}]
    def reset(seq = nil, timeout: nil) = ask("reset_consumer", timeout, seq: seq)

    # Has another client of a priority group pinned.
    # @return [nil]
    def unpin(group, timeout: nil)
      ask("unpin_consumer", timeout, group: group)
      nil
    end

    # Has another server lead it.
    # @return [nil]
    def leader_stepdown(placement: nil, timeout: nil)
      ask("consumer_leader_stepdown", timeout, placement: placement)
      nil
    end

    # Asks for messages, and takes what comes in time. What a fetch had when an exception ended it (Ctrl-C, Timeout) is
    # given by the next one of this object, at once.
    # @param max [Integer, nil] at most so many; nil: one, or as many as max_bytes has room for
    # @param wait [Numeric, nil] seconds; nil: the JetStream's timeout; 0: what there is
    # @param heartbeat [Numeric, nil] seconds of silence after which the server tells that it is there
    # @param options max_bytes, no_wait, group, min_pending, min_ack_pending, priority: see docs/jetstream.md
    # @return [Array<Message>] empty on silence
    # @raise [Error] why none came when it was not silence: {Server} with status 409 when the consumer was deleted …
    #   What ended a fetch behind some messages is raised by the next one.
    def fetch(most = nil, seconds = nil, max: most, wait: seconds, heartbeat: nil, **options)
      JetStreamValues.refuse_timeout("fetch", options)
      tell_end
      kept = @kept.take(max || (options.key?(:max_bytes) ? nil : 1))
      return kept unless kept.empty?

      wait, options = nil, { no_wait: true, **options } if wait == 0 # rubocop:disable Style/NumericPredicate
      @kept.collect([]) do |messages|
        sub, = js.__send__(:begin_consume, "fetch",
                           { **place, max: max, wait: wait, heartbeat: heartbeat, **options },
                           JetStream::PRIVATE, nil)
        take_all(sub, messages)
      end
    end

    # The next message.
    # @param wait [Numeric, nil] as of {#fetch}
    # @return [Message, nil] nil when none came in time
    def next(seconds = nil, wait: seconds, **options)
      JetStreamValues.refuse_timeout("next", options)
      fetch(1, wait: wait, **options).first
    end

    # A subscription to all that the consumer delivers, without end: it asks for more before it runs dry, and goes on
    # over a reconnect, a new leader, a restart of the server. When it ends by itself, next and get tell why once.
    # @param options max_messages, max_bytes, expires, group, min_pending …: see docs/jetstream.md
    # @yieldparam message [Message] as of {Client#subscribe}
    # @return [Subscription]
    def consume(heartbeat: nil, timeout: nil, **options, &callback)
      config || info
      how = config["deliver_subject"] ? "push" : "consume"
      js.consume(how, { **place, heartbeat: heartbeat, **options }, timeout: timeout, &callback)
    end

    # @return [String]
    def inspect = "#<#{self.class} #{name} of #{stream_name}>"

    private

    def js = stream.js
    def place = { stream: stream_name, consumer: name }
    def ask(verb, timeout, **arguments) = js.call(verb, { **place, **arguments }, timeout: timeout)

    # Why the fetch before it ended behind its messages, once.
    def tell_end
      why, @why = @why, nil
      raise why if why
    end

    # What came before an error is not lost; nor what waits when it is interrupted.
    def take_all(sub, messages)
      loop { messages.concat(sub.get) }
    rescue Closed
      ended = true
    rescue Error => e
      ended = true
      raise if messages.empty?

      @why = e # the next call tells
    ensure
      sub.unsubscribe if sub.active?
      take_rest(sub, messages) unless ended
    end

    def take_rest(sub, messages)
      loop do
        some = sub.get(wait: 0)
        break if some.empty?

        messages.concat(some)
      end
    rescue Error
      nil # it is the end
    end
  end

  # All of a stream in order, without holes or duplicates. Made by {Stream#ordered_consumer}.
  #
  # {#fetch} and {#next} take from one subscription, which begins with the first of them; each {#consume} begins
  # anew.
  class OrderedConsumer
    include Enumerable

    # How many messages a fetch takes, and how many seconds it waits, when nothing is said.
    FETCH_MAX = 100
    FETCH_WAIT = 5
    private_constant :FETCH_MAX, :FETCH_WAIT

    # @return [Stream]
    attr_reader :stream
    # @return [Hash{String => Object}] what was asked for
    attr_reader :config
    # @return [Hash{String => Object}, nil] what the server told of the consumer that it made
    attr_reader :cached_info

    private_class_method :new

    # @api private
    def self.of(stream, config) = new(stream, config)

    # @api private
    def initialize(stream, config)
      @stream = stream
      @config = config
      @kept = Kept.new
    end

    # A subscription to all messages, in order and without end.
    # @yieldparam message [Message] as of {Client#subscribe}
    # @return [Subscription]
    def consume(timeout: nil, **options, &callback) = start(nil, timeout, options, callback).first

    # The next messages. What a fetch had when an exception ended it (Ctrl-C, Timeout) is given by the next call.
    # @param max [Integer, nil] at most so many; nil: 100
    # @param wait [Numeric, nil] seconds to wait for them; nil: 5
    # @return [Array<Message>]
    def fetch(most = nil, seconds = nil, max: most, wait: seconds)
      max ||= FETCH_MAX
      wait ||= FETCH_WAIT
      JetStreamValues.at_least(1, "max", max)
      JetStreamValues.at_least(0, "wait", wait)
      deadline = Polynats.now + wait
      sub = own
      messages = @kept.collect(@kept.take(max)) { |found| fill(found, sub, max, deadline) }
      note(messages.last)
      messages
    end

    # The next message.
    # @param wait [Numeric, nil] seconds; nil: 5
    # @return [Message, nil] nil when none came in time
    def next(seconds = nil, wait: seconds)
      sub = own
      note(@kept.take(1).first || sub.next(timeout: wait || FETCH_WAIT))
    end

    # Gives each message to the block, without end, or until none came for so long.
    # @param timeout [Numeric, nil] seconds; nil: for ever
    # @yieldparam message [Message]
    # @return [self, Enumerator] an Enumerator without a block
    def each(timeout: nil)
      return to_enum(:each, timeout: timeout) unless block_given?

      sub = own
      while (message = @kept.take(1).first)
        yield note(message)
      end
      sub.each(timeout: timeout) { |one| yield note(one) }
      self
    end

    # @return [Hash{String => Object}] configuration and state of the consumer that there is now
    def info(timeout: nil)
      own
      @cached_info = stream.consumer(@name || cached_info["name"]).info(timeout: timeout)
    end

    # Ends what {#fetch} and {#next} take from.
    # @return [nil]
    def close
      sub, @sub = @sub, nil
      @name = @why = nil
      @kept.drop
      sub&.unsubscribe
      nil
    end

    # @return [String]
    def inspect = "#<#{self.class} of #{stream.name}>"

    private

    def own
      why, @why = @why, nil
      raise why if why

      @sub || begin_own
    end

    # The first of those who begin it at the same time has it.
    def begin_own
      sub, info = start(JetStream::PRIVATE, nil, {}, nil)
      if @sub
        sub.unsubscribe
      else
        @sub = sub
        @cached_info = info
      end
      @sub
    end

    # Who brought the last message may be another one than the first.
    def note(message)
      @name = message.metadata.consumer if message&.metadata
      message
    end

    def start(mode, timeout, options, callback)
      arguments = { stream: stream.name, config: config, **options }
      made = stream.js.__send__(:consume_from, "ordered", arguments, mode, timeout, callback)
      @cached_info ||= made.last
      made
    end

    def fill(messages, sub, max, deadline)
      while messages.size < max
        some = sub.get(max: max - messages.size, wait: [deadline - Polynats.now, 0].max)
        break if some.empty?

        messages.concat(some)
      end
    rescue Error => e
      raise if messages.empty?

      @why = e # the next call tells
    end
  end
end
