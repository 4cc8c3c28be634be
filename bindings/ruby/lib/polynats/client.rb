# frozen_string_literal: true

module Polynats
  # What a program holds of a connection. Made by {Polynats.connect} and {#share}.
  #
  # Threads and fibers may share a client. Calls that wait let other threads run, and under a Fiber
  # scheduler other fibers; Ctrl-C, Thread#kill and Timeout.timeout end them.
  #
  # These are written in C:
  #
  # @!method publish(subject, data = nil, reply: nil, headers: nil)
  #   Publishes one message: the bytes are in the connection's buffer when it returns.
  #   @param subject [String]
  #   @param data [String, nil] sent byte for byte
  #   @param reply [String, nil] the subject to answer to
  #   @param headers [Hash{String => String, Array<String>}, Array<Array(String, String)>, nil]
  #   @return [self]
  #   @raise [Invalid, MaxPayload, Timeout, Limit, Closed]
  # @!method publish_many(subject, datas)
  #   Publishes many payloads to one subject.
  #   @param datas [Array<String>]
  #   @return [Integer] how many: all
  # @!method get(max: 65_536, wait: nil)
  #   Takes all that has arrived for this client's subscriptions, oldest first.
  #   @param max [Integer] at most so many
  #   @param wait [Numeric, nil] seconds to wait for the first one; nil: for ever
  #   @return [Array<Message>] empty on silence
  #   @raise [Closed]
  # @!method request(subject, data = nil, timeout: nil, headers: nil)
  #   Sends a request and waits for its reply.
  #   @param timeout [Numeric, nil] seconds; nil: the option request_timeout
  #   @return [Message]
  #   @raise [Timeout, NoResponders, Disconnected, Permission, Closed]
  # @!method request_start(subject, data = nil, timeout: nil, headers: nil)
  #   Sends a request and does not wait.
  #   @return [Future]
  # @!method request_many_start(subject, data = nil, max: nil, stall: nil, timeout: nil, sentinel: false, headers: nil)
  #   As {#request_many}, and does not wait.
  #   @return [Future] which gives one reply after the other
  # @!method ack_many(messages)
  #   Acknowledges those of the messages that are a consumer's and were not acknowledged yet.
  #   @param messages [Array<Message>]
  #   @return [Integer] how many
  # @!method new_inbox
  #   @return [String] a new subject that nobody else has
  # @!method status
  #   @return [Symbol] :connected, :reconnecting, :draining or :closed
  # @!method stats
  #   @return [Hash{Symbol => Integer}] the connection's counters
  # @!method server_info
  #   @return [Hash{String => Object}] what the server said of itself
  # @!method max_payload
  #   @return [Integer] bytes that a message may have
  # @!method reconnect
  #   Drops the connection and dials the next server at once, without waiting: {#flush} waits for it.
  #   @return [nil]
  # @!method deadline
  #   @return [Float, nil] in how many seconds {#process} is due even if {#fd} stays quiet
  # @!method fd
  #   @return [Integer] a descriptor that is readable when there is something to do or to take
  # @!method wake
  #   Makes a call that waits in get or next_event return empty.
  class Client
    # Longest time that an event waits in {#run} while no message comes.
    EVENT_SLICE = 0.1
    # Of a subscription, as the library numbers them.
    MODES = { shared: 0, private: 1, callback: 2 }.freeze
    private_constant :EVENT_SLICE, :MODES
    private_class_method :open, :open_start
    private(*instance_methods(false).grep(/\A(?:raw|open)_/))

    # Ends this client: its subscriptions end, its blocked calls raise {Closed}. Messages that were
    # not taken are dropped. Twice is fine.
    # @return [nil]
    def close
      raw_close
      forget_callbacks
      nil
    end

    # @return [Boolean]
    def closed? = status == :closed

    # Stops without loss: subscriptions end, what is under way is received and callbacks are called,
    # what was published is flushed. Messages that wait can still be taken; then it is closed.
    # @param timeout [Numeric, nil] seconds; nil: the option drain_timeout
    # @return [nil]
    # @raise [Timeout, Disconnected, Closed]
    def drain(seconds = nil, timeout: seconds)
      deadline = moment_in(timeout || @drain_timeout, "timeout")
      drain_callbacks(deadline)
      raw_drain([deadline - Polynats.now, 0].max)
      nil
    ensure
      forget_callbacks if closed?
    end

    # Answers the event credentials, which comes with the option ask_credentials.
    # @return [nil]
    # @raise [Invalid] nothing is asked for now, or what is given is of no use
    def credentials(**given)
      raw_credentials(*Credentials.values(given))
      nil
    end

    # Does what is due, without waiting: for event loops.
    # @return [nil]
    def process
      raw_process
      answer_question
      nil
    end

    # Waits until the server has processed what was sent before.
    # @param timeout [Numeric, nil] seconds; nil: the option request_timeout
    # @return [self]
    # @raise [Timeout, Disconnected, Closed]
    def flush(seconds = nil, timeout: seconds)
      raw_flush(timeout || @request_timeout)
      self
    end

    # @return [Float] seconds that a PING and its PONG take
    def rtt(seconds = nil, timeout: seconds) = raw_rtt(timeout || @request_timeout)

    # Another client on this connection, with subscriptions, {#get} and events of its own. With a
    # block it is closed at the block's end.
    # @return [Client, Object]
    def share
      made = open_share
      made.__send__(:answer_with, @credentials)
      made.__send__(:set_up, nil)
      return made unless block_given?

      begin
        yield made
      ensure
        made.close
      end
    end

    # Subscribes to a pattern. With a block, each message is given to it inside {#dispatch} and
    # {#run}, and nowhere else.
    # @param subject [String]
    # @param queue [String, nil] a group, of which one member gets each message
    # @param max [Integer, nil] end after so many messages
    # @param pending_msgs [Integer, nil] how many may wait; -1: no limit
    # @param pending_bytes [Integer, nil] likewise in bytes
    # @param callback [#call, nil] in place of a block
    # @yieldparam message [Message]
    # @yieldparam subscription [Subscription]
    # @return [Subscription]
    def subscribe(subject, queue: nil, max: nil, callback: nil, pending_msgs: nil, pending_bytes: nil, &block)
      callback = callback.nil? ? block : callable(callback)
      # Its messages are for nobody until it is known whom to call: other threads may dispatch.
      mode = callback ? MODES[:private] : MODES[:shared]
      sub = open_sub(subject, queue: queue, max: max, pending_msgs: pending_msgs,
                              pending_bytes: pending_bytes, mode: mode)
      adopt(sub, callback)
    end

    # Ends a subscription by its sid, or all of this client's to exactly a subject.
    # @param which [Integer, String]
    # @param after [Integer, nil] end it when so many have arrived in all
    # @return [Integer] how many subscriptions
    def unsubscribe(which, count = nil, after: count)
      return raw_unsubscribe_subject(which, after || 0) unless which.is_a?(Integer)

      raw_unsubscribe_sid(which, after || 0)
      1
    end

    # Sends a request that several may answer, and collects the replies: until max came, none came
    # for stall seconds after one, an empty one came (sentinel), or the time is up.
    # @return [Array<Message>, nil] nil with a block, which gets each reply as it comes
    # @raise [NoResponders]
    def request_many(subject, data = nil, max: nil, stall: nil, timeout: nil, sentinel: false,
                     headers: nil)
      future = request_many_start(subject, data, max: max, stall: stall, timeout: timeout,
                                                 sentinel: sentinel, headers: headers)
      return future.to_a unless block_given?

      future.each { |message| yield message }
      nil
    ensure
      future&.cancel
    end

    # The oldest event.
    # @param wait [Numeric, nil] seconds; nil: for ever
    # @return [Event, nil] nil when none came
    # @raise [Closed] when it is closed and there is none left
    def next_event(seconds = nil, wait: seconds) = @log ? @log.next_event(wait) : raw_next_event(wait)

    # JetStream on this connection: streams, consumers and messages that are kept.
    # @param domain [String, nil] of the leaf or hub to talk to
    # @param prefix [String, nil] of the API's subjects, where an account has them under another one
    # @param timeout [Numeric, nil] seconds that stand for those that are not given; nil: 5
    # @return [JetStream]
    def jetstream(domain: nil, prefix: nil, timeout: nil) = open_js(domain, prefix, timeout)

    # ---- callbacks ----

    # Calls the callbacks of what has arrived.
    # @return [Integer] how many were called
    def dispatch(most = 65_536, seconds = nil, max: most, wait: seconds)
      call_on_event
      @waiting.concat(get_callbacks(max: max, wait: wait)) if @waiting.empty?
      call_waiting(max)
    end

    # Dispatches until {#stop}, the client's end, or the time is up.
    # @return [self]
    def run(seconds = nil, timeout: seconds)
      deadline = moment_in(timeout, "timeout")
      @stopped = false
      until @stopped || closed?
        left = deadline && (deadline - Polynats.now)
        break if left && left <= 0

        dispatch(wait: @on_event ? [left, EVENT_SLICE].compact.min : left)
      end
      self
    rescue Closed
      raise unless closed? # it may be of something that a callback used

      self
    end

    # Ends {#run} after the callback that runs now; from another thread, at once.
    # @return [nil]
    def stop
      @stopped = true
      wake
    end

    # The block is given each event inside {#dispatch} and {#run}. Without a block that ends.
    # @yieldparam event [Event]
    # @return [nil]
    def on_event(&block)
      @on_event = block
      nil
    end

    # @return [IO] of {#fd}, to be waited for; it is not to be read or closed
    # @raise [Closed] when the client is: the descriptor belongs to somebody else by then
    def to_io
      number = fd
      @to_io = IO.for_fd(number, autoclose: false) unless @to_io&.fileno == number
      @to_io
    end

    # @return [String]
    def inspect = "#<#{self.class} #{status}>"

    # The handle comes first: what is asked is asked of it.
    def self.open_asking(url, hook, options)
      raise TypeError, "credentials must respond to call" unless hook.respond_to?(:call)

      asked = options.reject { |name, _| name.to_s == "ask_credentials" } # the function is
      client, future = open_start(url, asked.merge(credentials_hook: true))
      client.__send__(:answer_with, hook)
      begin
        future.wait
      rescue Exception # rubocop:disable Lint/RescueException
        client.__send__(:raw_close)
        raise
      end
      client
    end
    private_class_method :open_asking

    private

    attr_reader :drain_timeout

    def callable(callback)
      raise TypeError, "callback must respond to call, not #{callback.class}" unless callback.respond_to?(:call)

      callback
    end

    # A block may leave the subscription out; so may a lambda, or a method.
    def for_two(callback)
      strict = callback.respond_to?(:lambda?) ? callback.lambda? : true
      arity = (callback.respond_to?(:arity) ? callback : callback.method(:call)).arity
      strict && arity == 1 ? ->(message, _) { callback.call(message) } : callback
    end

    def adopt(sub, callback)
      return sub unless callback

      @callbacks[sub.sid] = [for_two(callback), sub]
      sub.__send__(:raw_set_mode, MODES[:callback])
      sub
    end

    def answer_with(hook)
      @credentials = hook
      Credentials.register(self) if hook
    end

    def answer_question
      return if @credentials.nil? || closed?

      event = raw_question
      raw_credentials(*Credentials.values(@credentials.call(event.text))) if event
    end

    def set_up(logger)
      @request_timeout = raw_option_int("request_timeout") / 1000.0
      @drain_timeout = raw_option_int("drain_timeout") / 1000.0
      @callbacks = {}
      @waiting = []
      @log = EventLog.new(self, logger) if logger
    end

    # An error in a callback leaves by here; the messages after it wait for the next dispatch.
    def call_waiting(max)
      called = 0
      called += 1 while called < max && call_first(@waiting, @callbacks)
      forget_ended if called.positive?
      called
    end

    def call_on_event
      while @on_event && (event = next_event_or_end)
        @on_event.call(event)
      end
    end

    def next_event_or_end
      next_event(wait: 0)
    rescue Closed
      nil
    end

    def forget_ended
      @callbacks.delete_if { |_, (_, sub)| !sub.active? && sub.stats[:pending].zero? } if @waiting.empty?
    end

    # A client that is drained calls what has callbacks first.
    def drain_callbacks(deadline)
      @callbacks.values.each do |_, sub| # rubocop:disable Style/HashEachMethods -- others may subscribe
        sub.drain(timeout: [deadline - Polynats.now, 0].max)
      rescue Timeout, Closed
        next
      end
      nil while dispatch(wait: 0).positive?
    rescue Closed
      raise unless closed?
    end

    def forget_callbacks
      @callbacks = {}
      @waiting = []
    end
  end
end
