# frozen_string_literal: true

# Messages, the headers they carry, and the batches they come in.

require_relative "core"

module PolynatsFFI
  # Headers to send: a Hash key => value or list of values, or pairs.
  module Headers
    module_function

    # A nats_headers; nil for nil.
    def make(given)
      return nil if given.nil?
      raise TypeError, "headers must be a Hash or pairs" unless given.respond_to?(:each)

      handle = Handle.new(:nats_headers_free) { |out| C.nats_headers_new(out) }
      given.each do |key, values|
        key = Core.text_in(key.is_a?(Symbol) ? key.name : key, "a header's key")
        (values.is_a?(Array) ? values : [values]).each { |value| add(handle, key, value) }
      end
      handle
    end

    def add(handle, key, value)
      value = value.to_s if value.is_a?(Integer)
      value = Core.text_in(value, "header '#{key}'")
      Core.done(C.nats_headers_add(handle, key, key.bytesize, value, value.bytesize))
    end
  end

  # A copy: the library's message is free again, but one of JetStream's. data is binary; the texts are
  # UTF-8 if they came so.
  class Message
    attr_reader :subject, :data, :reply, :sid, :raw_headers, :status, :description,
                :header_pairs, :native

    ACK_PREFIX = "$JS.ACK." # of the reply subjects of what JetStream delivers

    # from: a pointer to the library's message, which who called frees.
    def initialize(from, owner)
      size = Box.new
      @owner = owner
      @subject = text(size) { C.nats_msg_subject(from, size) }
      @reply = text(size) { C.nats_msg_reply(from, size) }
      data = C.nats_msg_data(from, size)
      @data = data.null? ? "".b : data[0, size.size]
      @sid = C.nats_msg_sid(from)
      @raw_headers = text(size) { C.nats_msg_headers_raw(from, size) }
      number = @raw_headers ? C.nats_msg_status(from) : 0
      @status = number unless number.zero?
      @description = text(size) { C.nats_msg_description(from, size) } if @status
      @header_pairs = @raw_headers ? Message.pairs_of(from) : []
      @stays = Message.of_jetstream?(self, from)
    end

    # Delivered by a consumer, or got from a stream: such a one is an answer, or has headers.
    def self.of_jetstream?(message, from)
      return true if message.reply&.start_with?(ACK_PREFIX)

      perhaps = message.sid.zero? || message.raw_headers
      perhaps && C.nats_msg_js_uint(from, Declarations::NATS_JS_STREAM_SEQ, Box.new) != 0
    end

    # The library's message is the copy's from now on, when it is one of JetStream's. Is it?
    def keep_native(address)
      return false unless @stays

      @native = Handle.new(:nats_msg_free) { |box| (box.address = address) && Core::OK }
      true
    end

    # A message may have thousands: one block of memory takes what the library tells of each.
    def self.pairs_of(from)
      cursor = Box.new
      block = Box.new(4 * Box::SIZE)
      places = Array.new(4) { |at| block.to_ptr + at * Box::SIZE }
      found = []
      while C.nats_msg_next_header(from, cursor, *places) != 0
        key, key_size, value, value_size = block.to_ptr[0, 4 * Box::SIZE].unpack("J4")
        found << [Core.text_of(Fiddle::Pointer.new(key), key_size),
                  Core.text_of(Fiddle::Pointer.new(value), value_size)]
      end
      found
    end

    # key => list of values, in the order in which the keys came; a new Hash each time.
    def headers = @header_pairs.group_by(&:first).transform_values { |list| list.map(&:last) }

    # The first value, or nil; keys are compared to the letter.
    def header(key)
      raise TypeError, "key must be a String, not #{key.class}" unless key.is_a?(String)

      @header_pairs.find { |name, _| name.b == key.b }&.last
    end

    # Publish to the subject of reply.
    def respond(data = "", headers: nil)
      raise PolynatsFFI.invalid("the message has no reply subject", "reply") if @reply.nil?

      @owner.publish(@reply, data, headers: headers)
    end

    def inspect
      place = metadata
      by = " consumer=#{place.consumer}" unless place.nil? || place.consumer.to_s.empty?
      where = " stream=#{place.stream}#{by} seq=#{place.stream_seq}" if place
      "#<#{self.class} #{@subject} (#{@data.bytesize} bytes)#{where}>"
    end

    private

    def text(size)
      pointer = yield
      Core.text_of(pointer, size.size)
    end
  end

  # Messages on their way out of the library into found. What an exception would lose, that of
  # Ctrl-C most of all, empty brings there afterwards.
  class Intake
    MAX = 1024       # messages that one call of the library moves
    GET_MAX = 65_536 # messages of one get or dispatch without max

    def initialize(owner, found, &take)
      @owner = owner
      @found = found
      @take = take
      @room = Box.new(MAX * Fiddle::SIZEOF_VOIDP)
      @count = Box.new
      @base = found.size
    end

    # One wait for messages; the status.
    def fill(most, milliseconds, woken = nil)
      @base = @found.size
      status = Core.sliced(milliseconds, woken) do |left|
        got = @take.call([most, MAX].min, left, @room, @count)
        got == Core::OK && @count.size.zero? ? nil : got
      end
      empty
      status
    end

    # From where an exception broke it off. Freed at the end, once.
    def empty
      count = @count.size
      return if count.zero?

      addresses = @room.to_ptr[0, count * Fiddle::SIZEOF_VOIDP].unpack("J*")
      addresses.drop(@found.size - @base).each do |address|
        @found << Message.new(Fiddle::Pointer.new(address), @owner)
      end
      @count.address = 0
      rest = addresses.each_with_index.map { |address, at| @found[@base + at].keep_native(address) ? 0 : address }
      C.nats_msg_free_many(rest.pack("J*"), count)
    end

    # What was kept (of all, or of one subscription), and what the block gives, most in all.
    def self.list(owner, most, milliseconds, sid = nil, woken = nil, &take)
      found = []
      batch = new(owner, found, &take)
      owner.give_kept(found, most, sid)
      loop do
        before = found.size
        asked = [most - before, MAX].min
        break unless asked.positive?

        status = batch.fill(asked, before.zero? ? milliseconds : 0, woken)
        raise Core.failure(status) if status != Core::OK && found.empty?
        break if status != Core::OK || found.size - before < asked
      end
      found
    rescue Exception
      batch&.empty
      owner.keep(found)
      raise
    end

    def self.args(max, wait)
      [Core.count_in(max, "max", 1, GET_MAX), Core.ms_in(wait, "wait")]
    end
  end
end
