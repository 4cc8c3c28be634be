# frozen_string_literal: true

# JetStream's part of the ABI: what its nouns (jetstream.rb, stream.rb, consumer.rb, publisher.rb) stand on.

require_relative "message"
require_relative "request"
require_relative "subscription"

module PolynatsFFI
  # JSON, and the tables by which values become such.
  module JetStreamValues
    D = Declarations
    private_constant :D

    class << self
      # Durations are seconds, times are Times in UTC.
      def parse(text)
        text = Core.data_in(text, "text")
        document = Handle.new(:nats_json_free) { |out| C.nats_json_parse(text, text.bytesize, out) }
        value_at(document)
      ensure
        document&.free
      end

      # [kind, kind of its elements, type of object], or nil
      def key(type, name)
        name = Core.text_in(name, "key")
        return nil if name.include?("\0")

        element = Box.new
        of = Box.new
        kind = C.nats_js_key(Core.c_text_in(type, "type"), name, element, of)
        [kind, element.int32, of.filled? ? Core.text_at(Fiddle::Pointer.new(of.address)) : ""] unless kind.zero?
      end

      # Those of publish, with the kind of each.
      def keywords
        kind = Box.new
        (0..).lazy.map { |at| C.nats_js_keyword(at) }.take_while { |name| !name.null? }.to_h do |name|
          C.nats_js_header(name, kind)
          [Core.text_at(name).to_sym, kind.int32]
        end
      end

      def invalid(about, text) = raise(PolynatsFFI.invalid(text, about))

      # A time in ns since 1970, in UTC.
      def time_at(number) = Time.at(number / NS, number % NS, :nsec, in: "UTC")

      # What is published with these keywords: a nats_headers, or nil.
      def headers(given, keywords)
        handle = Headers.make(given)
        kind = Box.new
        keywords.each do |name, value|
          header = C.nats_js_header(Core.c_text_in(name.to_s, "keyword"), kind)
          refuse_keyword(name.to_s) if header.null?
          next if value.nil?

          handle ||= Headers.make({})
          Headers.add(handle, Core.text_at(header).b, keyword_words(name, kind.int32, value))
        end
        handle
      end

      private

      # The depth of a document is bounded by whoever has read it.
      def value_at(at)
        case C.nats_json_kind(at)
        when D::NATS_JSON_BOOL then whole_at(at) == 1
        when D::NATS_JSON_INT, D::NATS_JSON_UINT then whole_at(at)
        when D::NATS_JSON_REAL then real_at(at)
        when D::NATS_JSON_TEXT then string_at(at)
        when D::NATS_JSON_ARRAY then Array.new(C.nats_json_count(at)) { |index| value_at(C.nats_json_at(at, index)) }
        when D::NATS_JSON_OBJECT then hash_at(at)
        when D::NATS_JSON_DURATION then real_at(at) / NS
        when D::NATS_JSON_TIME then moment_at(at)
        end
      end

      def whole_at(at)
        number = Box.new
        return number.int64 unless C.nats_json_int(at, number).zero?

        C.nats_json_uint(at, number)
        number.uint64
      end

      def real_at(at)
        number = Box.new
        C.nats_json_real(at, number)
        number.to_ptr[0, 8].unpack1("d")
      end

      def string_at(at)
        size = Box.new
        Core.text_of(C.nats_json_text(at, size), size.size).freeze
      end

      # nil for what is out of the range of ns: so JetStream says never.
      def moment_at(at)
        number = Box.new
        time_at(number.int64) unless C.nats_json_time(at, number).zero?
      end

      def hash_at(at)
        name = Box.new
        Array.new(C.nats_json_count(at)) do |index|
          member = C.nats_json_member(at, index, name)
          [Core.text_at(Fiddle::Pointer.new(name.address)), value_at(member)]
        end.to_h
      end

      def keyword_words(name, kind, value)
        return value.name if value.is_a?(Symbol)
        return value if value.is_a?(String)
        return seconds_words(name, value) if kind == DURATION && value.is_a?(Numeric)

        whole = value.is_a?(Integer) && [D::NATS_JSON_INT, D::NATS_JSON_UINT].include?(kind)
        return format(kind == D::NATS_JSON_INT ? "%+d" : "%d", value) if whole

        wanted = { D::NATS_JSON_TEXT => "a String", DURATION => "a number of seconds or a String" }
        raise TypeError, "#{name} must be #{wanted.fetch(kind, "an Integer or a String")}, not #{value.class}"
      end

      # A duration as a header has it.
      def seconds_words(name, value)
        unless value >= 0 && value.to_f.finite?
          invalid(name.to_s, "#{name} must be a time of 0 seconds or more, not #{value}")
        end
        ms = ((value * 1000) - 1e-6).ceil
        (ms % 1000).zero? ? "#{ms / 1000}s" : "#{ms}ms"
      end
    end
  end

  # What begins a call, and what becomes of it.
  module Beginning
    private

    # While the server takes nothing, starting waits as a publish does.
    def start(client)
      Future.new(client, Handle.new(:nats_future_free) { |out| Core.waiting(Core::FOR_EVER) { yield out } })
    end

    # The arguments of what publishes. A subject may be absent.
    def storing(subject, data, headers, keywords, optional: false)
      subject = optional && subject.nil? ? nil : Core.text_in(subject, "subject")
      data = Core.data_in(data)
      [subject, subject&.bytesize || 0, JetStreamValues.headers(headers, keywords), data, data.bytesize]
    end
  end

  # A nats_js.
  class JetStream
    include Beginning

    attr_reader :client

    def initialize(client, domain, prefix, timeout)
      domain = domain && Core.c_text_in(domain, "domain")
      prefix = prefix && Core.c_text_in(prefix, "prefix")
      ms = Core.ms_in(timeout)
      @client = client
      @handle = Handle.new(:nats_js_free) { |out| C.nats_client_jetstream(client.handle, domain, prefix, ms, out) }
    end

    def open_call(verb, words, timeout)
      verb = Core.c_text_in(verb, "verb")
      ms = Core.ms_in(timeout)
      start(@client) { |out| C.nats_js_call_start(@handle, verb, words, words.bytesize, ms, out) }
    end

    # [subscription, future]
    def open_consume(how, words, timeout, mode)
      how = Core.c_text_in(how, "how")
      ms = Core.ms_in(timeout)
      box = Box.new
      future = nil
      sub = Handle.new(:nats_sub_free) do |out|
        status = Core.waiting(Core::FOR_EVER) do
          C.nats_js_consume_start(@handle, how, words, words.bytesize, ms, out, box)
        end
        future = Handle.new(:nats_future_free) { |to| (to.address = box.take) && Core::OK } if status == Core::OK
        status
      end
      made = Subscription.new(@client, sub, nil)
      @client.private_sids[made.sid] = true if mode == Declarations::NATS_SUB_PRIVATE
      [made, Future.new(@client, future)]
    end

    def open_publish(subject, data = nil, headers: nil, timeout: nil, **keywords)
      what = storing(subject, data, headers, keywords)
      ms = Core.ms_in(timeout)
      start(@client) { |out| C.nats_js_publish_start(@handle, *what, ms, out) }
    end

    def open_publisher(max_pending, fast)
      most = Core.count_in(max_pending, "max_pending", 0, 0)
      Publisher.new(@client, Handle.new(:nats_js_publisher_free) do |out|
        next C.nats_js_publisher_new(@handle, most, out) unless fast

        Core.waiting(Core::FOR_EVER) { C.nats_js_publisher_fast(@handle, most, out) }
      end)
    end

    def open_batch = Batch.new(@client, Handle.new(:nats_js_batch_free) { |out| C.nats_js_batch_new(@handle, out) })
  end

  # A nats_js_publisher.
  class Publisher
    include Beginning

    STATS = %i[published acked duplicates failed pending].freeze
    SLICE = 200 # payloads of one inner call
    private_constant :STATS, :SLICE

    attr_reader :client

    def initialize(client, handle)
      @client = client
      @handle = handle
      @ended = false
    end

    # Its number.
    def publish(subject, data = nil, headers: nil, **keywords)
      check_open
      what = storing(subject, data, headers, keywords)
      number = Box.new
      Core.done(Core.waiting(Core::FOR_EVER) { C.nats_js_publisher_publish(@handle, *what, number) })
      number.uint64
    end

    def stats
      values = Box.new(STATS.size * Box::SIZE)
      C.nats_js_publisher_stats(@handle, values, STATS.size)
      STATS.zip(values.to_ptr[0, STATS.size * Box::SIZE].unpack("Q*")).to_h
    end

    # [number of the first, how many]
    def open_many(subject, datas)
      check_open
      subject = Core.text_in(subject, "subject")
      raise TypeError, "datas must be an Array of Strings, not #{datas.class}" unless datas.is_a?(Array)

      datas = datas.map { |one| Core.data_in(one, "datas") }
      first = total = 0
      while total < datas.size
        status, id, count = publish_slice(subject, datas[total, SLICE])
        first = id if total.zero?
        total += count
        next Credentials.answer_all if status == Core::INTERRUPTED
        next if status == Core::OK

        raise Core.failure(status).tap { |problem| problem.counted(first, total) }
      end
      [first, total]
    end

    def open_flush(timeout)
      check_open
      ms = Core.ms_in(timeout)
      start(@client) { |out| C.nats_js_publisher_flush_start(@handle, ms, out) }
    end

    # Without waiting, for nobody could.
    def raw_flush_now = Core.done(C.nats_js_publisher_flush(@handle, 0))

    # [number, error], or nil
    def raw_next_failure
      number = Box.new
      status = C.nats_js_publisher_next_failure(@handle, number)
      return nil if status == Core::OK
      raise Core.failure(status) unless number.filled?

      [number.uint64, Core.failure(status)]
    end

    def raw_end
      @ended = true
      nil
    end

    private

    def check_open
      raise PolynatsFFI.error("CLOSED", "the publisher is closed", "publisher") if @ended
    end

    def publish_slice(subject, datas)
      pointers = datas.map { |one| Fiddle::Pointer[one] } # which keep the payloads in place
      first = Box.new
      published = Box.new
      status = C.nats_js_publisher_publish_many(@handle, subject, subject.bytesize, pointers.map(&:to_i).pack("J*"),
                                                datas.map(&:bytesize).pack("J*"), datas.size, first, published)
      [status, first.uint64, published.size]
    end
  end

  # A nats_js_batch; of one that was abandoned the handle is free.
  class Batch
    include Beginning

    def initialize(client, handle)
      @client = client
      @handle = handle
    end

    def open_add(subject, data = nil, headers: nil, timeout: nil, **keywords)
      begin_by(:nats_js_batch_add_start, storing(subject, data, headers, keywords), timeout)
    end

    def open_commit(subject = nil, data = nil, headers: nil, timeout: nil, **keywords)
      begin_by(:nats_js_batch_commit_start, storing(subject, data, headers, keywords, optional: true), timeout)
    end

    def abandon
      @handle.free
      nil
    end

    private

    def begin_by(function, what, timeout)
      raise PolynatsFFI.error("CLOSED", "the batch was abandoned", "batch") if @handle.to_ptr.nil?

      ms = Core.ms_in(timeout)
      start(@client) { |out| C.public_send(function, @handle, *what, ms, out) }
    end
  end

  # What JetStream says of a message's place.
  Metadata = Struct.new(:stream, :consumer, :stream_seq, :consumer_seq, :delivered, :pending, :time, :domain)

  # What a message of JetStream's can besides.
  class Message
    include Beginning

    # Its place in the stream; nil: it is none of JetStream's.
    def metadata
      values = Box.new(Declarations::NATS_JS_UINT_COUNT * Box::SIZE)
      return nil if @native.nil? || C.nats_msg_js_uints(@native, values).zero?

      numbers = values.to_ptr[0, Declarations::NATS_JS_UINT_COUNT * Box::SIZE].unpack("Q*")
      Metadata.new(place(Declarations::NATS_JS_STREAM), place(Declarations::NATS_JS_CONSUMER), *numbers.first(4),
                   JetStreamValues.time_at([numbers[4]].pack("Q").unpack1("q")), domain).freeze
    end

    # Acknowledge it: it is done.
    def ack = settle(Declarations::NATS_ACK, nil, nil)

    # Have it delivered again: at once, or in so many seconds.
    def nak(seconds = nil, delay: seconds) = settle(Declarations::NATS_NAK, delay, nil)

    # Ask for more time.
    def in_progress = settle(Declarations::NATS_IN_PROGRESS, nil, nil)

    # Have it never delivered again.
    def term(words = nil, reason: words) = settle(Declarations::NATS_TERM, nil, reason)

    # Acknowledge it, and wait until the server has taken note.
    def ack_sync(seconds = nil, timeout: seconds)
      ms = Core.ms_in(timeout)
      native = delivered
      JetStreamValues.finish(start(@owner) { |out| C.nats_client_ack_sync_start(@owner.handle, native, ms, out) })
      self
    end

    private

    def place(what)
      size = Box.new
      Core.text_of(C.nats_msg_js_text(@native, what, size), size.size) || ""
    end

    def domain
      found = place(Declarations::NATS_JS_DOMAIN)
      found unless found.empty?
    end

    def delivered
      @native || raise(PolynatsFFI.invalid("msg was not delivered by a consumer of JetStream: there is nothing to " \
                                           "acknowledge", "msg"))
    end

    def settle(how, delay, reason)
      ms = Core.ms_in(delay, "delay", 0)
      reason = Core.text_or_nil(reason, "reason")
      native = delivered
      Core.done(Core.waiting(Core::FOR_EVER) do
        C.nats_client_ack(@owner.handle, native, how, ms, reason, reason&.bytesize || 0)
      end)
      self
    end
  end

  # The client's part.
  class Client
    # JetStream on this connection. timeout: what stands for those that are not given; nil: 5.
    def jetstream(domain: nil, prefix: nil, timeout: nil) = JetStream.new(self, domain, prefix, timeout)

    # Acknowledge those of the messages that are a consumer's and were not acknowledged yet; how many.
    def ack_many(messages)
      raise TypeError, "messages must be an Array of Messages, not #{messages.class}" unless messages.is_a?(Array)

      messages.each_with_index do |msg, at|
        raise TypeError, "messages[#{at}] must be a Message, not #{msg.class}" unless msg.is_a?(Message)
      end
      addresses = messages.map { |msg| msg.native&.to_ptr.to_i }.pack("J*")
      acked = Box.new
      total = 0
      Core.done(Core.waiting(Core::FOR_EVER) do
        status = C.nats_client_ack_many(@handle, addresses, messages.size, acked)
        total += acked.size
        status
      end)
      total
    end

    private

    def adopt(sub, callback)
      sub.callback = callback
      keep_sub(sub)
    end
  end
end
