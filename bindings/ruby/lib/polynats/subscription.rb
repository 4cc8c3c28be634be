# frozen_string_literal: true

module Polynats
  # A queue of the messages that arrived for one pattern. Made by {Client#subscribe}. It keeps its
  # client alive; when it is collected the subscription goes on, for {Client#get}.
  #
  # These are written in C:
  #
  # @!method next(timeout: nil)
  #   @param timeout [Numeric, nil] seconds to wait; nil: for ever
  #   @return [Message, nil] nil when none came
  #   @raise [Closed] when it has ended and has given all it had
  # @!method get(max: 65_536, wait: nil)
  #   As {Client#get}, of this subscription.
  #   @return [Array<Message>]
  # @!method stats
  #   @return [Hash{Symbol => Integer}] pending (messages), pending_bytes, delivered, dropped, received
  # @!method active?
  #   @return [Boolean] whether messages can still come
  # @!attribute [r] subject
  #   @return [String]
  # @!attribute [r] queue
  #   @return [String, nil]
  # @!attribute [r] sid
  #   @return [Integer]
  class Subscription
    include Enumerable

    PRIVATE = 1
    private_constant :PRIVATE
    private(*instance_methods(false).grep(/\Araw_/))

    # Gives each message to the block, until the subscription ends, or none came for so long. The
    # subscription's messages do not show up in {Client#get} any more.
    # @param timeout [Numeric, nil] seconds
    # @yieldparam message [Message]
    # @return [self, Enumerator] an Enumerator without a block
    def each(timeout: nil)
      return to_enum(:each, timeout: timeout) unless block_given?

      raw_set_mode(PRIVATE)
      while (message = next_or_end(timeout))
        yield message
      end
      self
    end

    # Ends it: now, or exactly after so many messages in all.
    # @return [self]
    def unsubscribe(count = nil, after: count)
      raw_unsubscribe(after || 0)
      self
    end

    # Ends it and waits for what is under way, which can then be taken.
    # @return [self]
    # @raise [Timeout, Disconnected, Closed]
    def drain(seconds = nil, timeout: seconds)
      raw_drain(timeout || client.__send__(:drain_timeout))
      self
    end

    # @return [String]
    def inspect = "#<#{self.class} #{subject} sid=#{sid}#{" queue=#{queue}" if queue}>"

    private

    def next_or_end(timeout)
      raw_next(timeout)
    rescue Closed
      nil
    end
  end
end
