# frozen_string_literal: true

# Written by tools/ruby_ffi.py from bindings/ruby/lib/polynats/jetstream.rb.

module PolynatsFFI
  # JetStream as a client sees it: streams, consumers and messages that are kept. Made by {Client#jetstream}.
  #
  #     js = client.jetstream
  #     js.create_stream(name: "ORDERS", subjects: ["orders.>"], max_age: 3600)
  #     js.publish("orders.new", "42", msg_id: "42").seq
  #     js.stream("ORDERS").ordered_consumer.consume.each { |message| puts message.data }
  #
  # Configurations are Hashes in the server's own schema; durations in them are seconds, times are Times.
  class JetStream
    # @api private
    # Whose messages a subscription's are, in the order of the library's numbers.
    MODES = %w[shared private callback].freeze
    PRIVATE = 1
    private(*instance_methods(false).grep(/\Aopen_/))

    # Asks JetStream for something: the verbs and their arguments are in docs/jetstream.md, and most have a method of
    # their own.
    # @param verb [String, Symbol]
    # @param arguments [Hash, nil]
    # @param timeout [Numeric, nil] seconds; nil: what {Client#jetstream} was given
    # @return [Hash{String => Object}, Message] the server's answer, or the message that was asked for
    # @raise [Invalid, Server, NotSupported, NoResponders, Timeout, Protocol]
    def call(verb, arguments = nil, timeout: nil)
      verb = verb.to_s
      JetStreamValues.invalid("verb", "get_messages gives several: Stream#get_many has them") if verb == "get_messages"
      JetStreamValues.read(JetStreamValues.finish(ask(verb, arguments, timeout)))
    end

    # As {#call}, without waiting.
    # @return [AnswerFuture]
    def call_start(verb, arguments = nil, timeout: nil)
      AnswerFuture.of(ask(verb.to_s, arguments, timeout))
    end

    # @return [Hash{String => Object}] what the account has, and may have
    def account_info(timeout: nil) = call("account_info", nil, timeout: timeout)

    # ---- streams ----

    # Makes a stream. Its configuration is a Hash in the server's own schema, keywords, or both: keywords win. One of
    # that name and the same configuration will do.
    # @param pedantic [Boolean] have the server refuse what it would set right
    # @return [Stream]
    def create_stream(config = nil, pedantic: false, timeout: nil, **more)
      ask_stream("create_stream", JetStreamValues.config_of(config, more), pedantic, timeout)
    end

    # Has a stream as this says: what is left out is as if it were new. {Stream#update} changes some.
    # @return [Stream]
    def update_stream(config = nil, pedantic: false, timeout: nil, **more)
      ask_stream("update_stream", JetStreamValues.config_of(config, more), pedantic, timeout)
    end

    # Has a stream as this says, whether there is one or not.
    # @return [Stream]
    def create_or_update_stream(config = nil, pedantic: false, timeout: nil, **more)
      ask_stream("create_or_update_stream", JetStreamValues.config_of(config, more), pedantic, timeout)
    end

    # Takes the stream of that name as it is, or makes it.
    # @return [Stream]
    def get_or_create_stream(config = nil, pedantic: false, timeout: nil, **more)
      ask_stream("get_or_create_stream", JetStreamValues.config_of(config, more), pedantic, timeout)
    end

    # Deletes a stream and all that is in it.
    # @return [nil]
    def delete_stream(name, timeout: nil)
      call("delete_stream", { stream: name }, timeout: timeout)
      nil
    end

    # The stream of that name. Nobody is asked whether there is one: {Stream#info} does.
    # @return [Stream]
    def stream(name) = Stream.of(self, name, nil)

    # Streams, or those that store a subject. Each knows its info.
    # @param timeout [Numeric, nil] seconds for each page that is asked for
    # @yieldparam stream [Stream]
    # @return [self, Enumerator]
    def streams(subject: nil, timeout: nil)
      return to_enum(:streams, subject: subject, timeout: timeout) unless block_given?

      list("streams", "streams", { subject: subject }, timeout) do |info|
        yield Stream.of(self, info["config"]["name"], info)
      end
    end

    # @yieldparam name [String]
    # @return [self, Enumerator]
    def stream_names(subject: nil, timeout: nil, &block)
      return to_enum(:stream_names, subject: subject, timeout: timeout) unless block

      list("stream_names", "streams", { subject: subject }, timeout, &block)
    end

    # ---- publish ----

    # Publishes, and waits until the stream has the message. When no stream answers it is sent again, twice.
    # @param keywords msg_id, expect_stream, expect_last_seq, expect_last_subject_seq, expect_last_msg_id, ttl …: see
    #   docs/jetstream.md
    # @return [Ack]
    # @raise [NoResponders] no stream takes this subject
    # @raise [Timeout] the stream may have it, or not
    # @raise [Server] err_code 10071 when an expectation does not hold
    def publish(subject, data = nil, headers: nil, timeout: nil, **keywords)
      Ack.of(JetStreamValues.finish(open_publish(subject, data, headers: headers, timeout: timeout, **keywords)))
    end

    # As {#publish}, without waiting. For many messages a {#publisher} is cheaper.
    # @return [AckFuture]
    def publish_start(subject, data = nil, headers: nil, timeout: nil, **keywords)
      AckFuture.of(open_publish(subject, data, headers: headers, timeout: timeout, **keywords))
    end

    # Publishes many payloads to one subject, and waits until the stream has them all.
    # @param datas [Array<String>]
    # @return [Integer] how many
    # @raise [Error] of the first that failed; its failures are all of them, by their place, and published how many
    #   were sent: where that is not all, the last failure is why the one at this place was not
    def publish_many(subject, datas, timeout: nil)
      publisher = open_publisher(nil, false)
      first, count, stopped = store_all(publisher, subject, datas)
      late = count.zero? ? nil : flush_all(publisher, timeout)
      raise failed(publisher, first, count, late, stopped) if late || stopped

      count
    ensure
      publisher&.__send__(:raw_end)
    end

    # A publisher that has up to max_pending messages under way. With a block it is closed at the block's end, which
    # waits for all acks, and raises what the first message failed with.
    # @param max_pending [Integer, nil] nil: 4000
    # @param fast [Boolean] by fast ingest: nats-server 2.14, and one stream, with allow_batched
    # @yieldparam publisher [Publisher]
    # @return [Publisher, Object] the publisher, or what the block returned
    def publisher(max_pending: nil, fast: false, **unknown)
      JetStreamValues.refuse_options("publisher", unknown, "max_pending", "fast")
      made = open_publisher(max_pending, fast)
      return made unless block_given?

      begin
        result = yield made
        made.close
        result
      ensure
        made.__send__(:raw_end)
      end
    end

    # A batch of messages that are stored all, or not at all. Needs nats-server 2.12 and a stream with allow_atomic.
    # With a block it is abandoned at the block's end unless it was committed.
    # @yieldparam batch [Batch]
    # @return [Batch, Object] the batch, or what the block returned
    def batch
      made = open_batch
      return made unless block_given?

      begin
        yield made
      ensure
        made.abandon unless made.committed?
      end
    end

    # ---- consume ----

    # A subscription to what a consumer delivers; {Consumer#consume}, {Consumer#fetch} and {Stream#ordered_consumer}
    # stand on it.
    # @param how [String, Symbol] consume, fetch, push or ordered; docs/jetstream.md has the arguments of each
    # @yieldparam message [Message] as of {Client#subscribe}
    # @return [Subscription]
    def consume(how, arguments = nil, timeout: nil, &callback)
      consume_from(how.to_s, arguments, nil, timeout, callback).first
    end

    # As {#consume}, without waiting.
    # @return [Array(Subscription, AnswerFuture)] the future tells of the consumer when it is known to be there
    def consume_start(how, arguments = nil, timeout: nil, &callback)
      sub, future = begin_consume(how.to_s, arguments, nil, timeout, callback)
      [sub, AnswerFuture.of(future)]
    end

    # @return [String]
    def inspect = "#<#{self.class} of #{client.inspect}>"

    private

    def ask(verb, arguments, timeout)
      open_call(verb, JetStreamValues.encode(verb, arguments.nil? ? {} : arguments), timeout)
    end

    def ask_stream(verb, config, pedantic, timeout)
      info = call(verb, { config: config, pedantic: pedantic || nil }, timeout: timeout)
      Stream.of(self, info["config"]["name"], info)
    end

    # The server has pages of them.
    def list(verb, member, arguments, timeout)
      offset = 0
      loop do
        answer = call(verb, { **arguments, offset: offset }, timeout: timeout)
        page = answer[member] || []
        page.each { |one| yield one }
        offset += page.size
        return self if page.empty? || offset >= (answer["total"] || 0)
      end
    end

    # The number of the first, how many were sent, and why the rest was not.
    def store_all(publisher, subject, datas)
      publisher.__send__(:open_many, subject, datas)
    rescue Error => e
      [e.first, e.published, e]
    end

    # Why not all have their acks, or nil.
    def flush_all(publisher, timeout)
      publisher.flush(timeout: timeout) && nil
    rescue Error => e
      e
    end

    def failed(publisher, first, count, late, stopped)
      failures = publisher.failures.map { |number, error| [number - first, error] }
      problem = failures.empty? ? late || stopped : failures.first.last
      failures << [count, stopped] if stopped
      problem.instance_variable_set(:@failures, failures)
      problem.instance_variable_set(:@published, count)
      problem
    end

    # The subscription, and a future for what the server tells of the consumer.
    def begin_consume(how, arguments, mode, timeout, callback = nil)
      given = JetStreamValues.config_of(arguments, {})
      mode = MODES.index(given["mode"]) || mode || (callback ? PRIVATE : 0) # see Client#subscribe
      words = JetStreamValues.encode(how, { "mode" => MODES[mode] }.merge(given))
      sub, future = open_consume(how, words, timeout, mode)
      [client.__send__(:adopt, sub, callback), future]
    end

    def consume_from(how, arguments, mode, timeout, callback)
      sub, future = begin_consume(how, arguments, mode, timeout, callback)
      made = [sub, JetStreamValues.read(JetStreamValues.finish(future))]
    ensure
      sub&.unsubscribe unless made
    end
  end
end
