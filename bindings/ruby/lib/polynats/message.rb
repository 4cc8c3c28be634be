# frozen_string_literal: true

module Polynats
  # A message that was received. Its parts become Ruby's when they are asked for. It shares the
  # memory it was read into with its neighbours: who keeps a few messages for long keeps their data.
  #
  # These are written in C:
  #
  # @!attribute [r] subject
  #   @return [String] frozen, UTF-8
  # @!attribute [r] data
  #   @return [String] frozen, ASCII-8BIT
  # @!attribute [r] reply
  #   @return [String, nil] the subject to answer to
  # @!attribute [r] headers
  #   @return [Hash{String => Array<String>}] frozen, in the order in which they came
  # @!attribute [r] header_pairs
  #   @return [Array<Array(String, String)>] every header as it came
  # @!attribute [r] raw_headers
  #   @return [String, nil] the header block
  # @!attribute [r] sid
  #   @return [Integer] of its subscription; 0 for the answer to a request
  # @!attribute [r] status
  #   @return [Integer, nil] such as 503
  # @!attribute [r] description
  #   @return [String, nil] the words after the status
  # @!attribute [r] client
  #   @return [Client, nil] that it came by
  # @!method header(key)
  #   @return [String, nil] the first value; keys are compared to the letter
  # @!method respond(data = nil, headers: nil)
  #   Publishes to its reply subject.
  #   @return [self]
  #   @raise [Invalid] when no answer is asked for
  # @!method ack
  #   Acknowledges a message of a consumer: it is done. Once; it does not wait.
  #   @return [self]
  #   @raise [Invalid] it is none of a consumer's, or was acknowledged
  # @!method nak(delay: nil)
  #   Has it delivered again: at once, or in so many seconds.
  #   @return [self]
  # @!method in_progress
  #   Asks for more time, any number of times.
  #   @return [self]
  # @!method term(reason: nil)
  #   Has it never delivered again. The reason needs nats-server 2.10.4.
  #   @return [self]
  # @!attribute [r] metadata
  #   @return [Metadata, nil] its place in a stream; nil: it is no message of JetStream's
  class Message
    PARTS = %i[subject data reply headers sid status description].freeze
    private_constant :PARTS
    private :open_ack_sync

    # Acknowledges it, and waits until the server has taken note. After {Timeout} and {Disconnected} it may be called
    # again.
    # @param timeout [Numeric, nil] seconds; nil: the option request_timeout
    # @return [self]
    def ack_sync(seconds = nil, timeout: seconds)
      JetStreamValues.finish(open_ack_sync(timeout: timeout))
      self
    end

    # For pattern matching: `in { subject:, data: }`.
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(keys)
      (keys ? keys & PARTS : PARTS).to_h { |key| [key, public_send(key)] }
    end

    # @return [String]
    def inspect
      place = metadata
      more = place ? " #{where(place)}" : (" reply=#{reply}" if reply)
      "#<#{self.class} #{subject} #{data.bytesize} bytes#{more}>"
    end

    private

    def where(place)
      by = " consumer=#{place.consumer}" unless place.consumer.to_s.empty?
      "stream=#{place.stream}#{by} seq=#{place.stream_seq}"
    end
  end
end
