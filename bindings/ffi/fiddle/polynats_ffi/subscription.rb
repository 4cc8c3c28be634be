# frozen_string_literal: true

require_relative "message"

module PolynatsFFI
  # Made by Client#subscribe.
  class Subscription
    include Enumerable

    STATS = %i[pending pending_bytes delivered dropped received].freeze

    attr_reader :client, :sid, :handle
    attr_accessor :callback

    def initialize(client, handle, callback)
      @client = client
      @handle = handle
      @callback = callback
      @sid = C.nats_sub_sid(handle)
    end

    def subject
      size = Box.new
      text = C.nats_sub_subject(@handle, size)
      Core.text_of(text, size.size)
    end

    # nil when it is in no queue group.
    def queue
      size = Box.new
      text = C.nats_sub_queue(@handle, size)
      size.size.zero? ? nil : Core.text_of(text, size.size)
    end

    # A message; nil on silence. Closed when it has ended and given all.
    def next(seconds = nil, timeout: seconds)
      ms = Core.ms_in(timeout)
      @client.give_kept(kept = [], 1, @sid)
      return kept.first unless kept.empty?

      Core.take_one(ms, :nats_msg_free, ->(from) { Message.new(from, @client) }, @client.kept,
                    @client.method(:woken?)) do |left, box|
        C.nats_sub_next(@handle, left, box)
      end
    end

    # A list of what has arrived; it waits for the first one.
    def get(most = nil, seconds = nil, max: most, wait: seconds)
      most, ms = Intake.args(max, wait)
      Intake.list(@client, most, ms, @sid, @client.method(:woken?)) do |*to|
        C.nats_sub_get(@handle, *to)
      end
    end

    # Each message until it ends, or nothing came for timeout.
    def each(timeout: nil)
      Core.ms_in(timeout)
      raise TypeError, "each: this subscription has a callback" if @callback

      status = C.nats_sub_set_mode(@handle, Declarations::NATS_SUB_PRIVATE)
      Core.done(status) unless status == Declarations::NATS_ERR_CLOSED
      @client.private_sids[@sid] = true
      return to_enum(:each, timeout: timeout) unless block_given?

      while (msg = next_or_nil(timeout))
        yield msg
      end
    end

    # End it now, or exactly after so many messages in all.
    def unsubscribe(count = nil, after: count)
      after = Core.count_in(after, "after", 0, 0)
      @client.ended = true
      Core.done(Core.waiting(Core::FOR_EVER) { C.nats_sub_unsubscribe(@handle, after) })
    end

    # End it and wait for what is under way, which can then be taken.
    def drain(seconds = nil, timeout: seconds)
      ms = Core.ms_in(timeout)
      @client.ended = true
      Core.done(Core.waiting(ms, @client.drain_ms) do |left|
        C.nats_sub_drain(@handle, left)
      end)
    end

    # What waits in it, and what it has seen.
    def stats
      values = Box.new(STATS.size * Box::SIZE)
      C.nats_sub_stats(@handle, values, STATS.size)
      STATS.zip(values.to_ptr[0, STATS.size * Box::SIZE].unpack("Q*")).to_h
    end

    # Whether messages can still come.
    def active? = C.nats_sub_active(@handle) != 0

    def inspect = "#<#{self.class} #{subject}>"

    private

    def next_or_nil(timeout)
      self.next(timeout: timeout)
    rescue Closed
      nil
    end
  end
end
