# frozen_string_literal: true

module Polynats
  # A stream has the message.
  class Ack
    # @return [String] which stream
    attr_reader :stream
    # @return [Integer] the message's sequence in it
    attr_reader :seq
    # @return [Boolean] the stream had a message with this msg_id already, which is the one of seq
    attr_reader :duplicate
    # @return [String, nil] of the stream's servers
    attr_reader :domain
    # @return [Integer, nil] of a counter: what it is now
    attr_reader :value
    # @return [String, nil] of a batch: its id
    attr_reader :batch
    # @return [Integer, nil] of a batch: how many messages it stored
    attr_reader :count

    alias duplicate? duplicate

    PARTS = %i[stream seq duplicate domain value batch count].freeze
    private_constant :PARTS
    private_class_method :new

    # @api private
    def self.of(msg)
      msg && new(JetStreamValues.parse(msg.data)).freeze
    end

    # @api private
    def initialize(facts)
      @stream = facts["stream"] || ""
      @seq = facts["seq"] || 0
      @duplicate = facts["duplicate"] || false
      @domain = facts["domain"]
      @value = facts["val"] && Integer(facts["val"])
      @batch = facts["batch"]
      @count = facts["count"]
    end

    # For pattern matching: `in { stream:, seq: }`.
    # @return [Hash{Symbol => Object}]
    def deconstruct_keys(keys)
      (keys ? keys & PARTS : PARTS).to_h { |key| [key, public_send(key)] }
    end

    # @return [String]
    def inspect = "#<#{self.class} #{stream} #{seq}#{" duplicate" if duplicate}>"
  end

  # What JetStream will answer. Made by {JetStream#call_start}.
  class AnswerFuture
    private_class_method :new

    # @api private
    def self.of(future) = new(future)

    # @api private
    def initialize(future)
      @future = future
    end

    # @param timeout [Numeric, nil] seconds; nil: as long as it may take
    # @return [Object] what the verb gives
    # @raise [Error] why there is nothing; {Timeout} also when only this wait was up: {#done?} is false then
    def wait(seconds = nil, timeout: seconds) = read(@future.wait(timeout: timeout))

    # @return [Object, nil] what the verb gives; nil while there is nothing
    # @raise [Error] once, why there will be nothing
    def poll = read(@future.poll)

    # @return [Boolean] whether nothing more will come out of it
    def done? = @future.done?

    # Gives it up: whether it is done then is not known.
    # @return [nil]
    def cancel = @future.cancel

    # @return [String]
    def inspect = "#<#{self.class} #{done? ? "done" : "open"}>"

    private

    def read(msg) = JetStreamValues.read(msg)
  end

  # The {Ack} to come of {JetStream#publish_start} and {Batch#commit_start}.
  class AckFuture < AnswerFuture
    private

    def read(msg) = Ack.of(msg)
  end
end
