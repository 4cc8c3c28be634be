# frozen_string_literal: true

module Polynats
  # Publishes to JetStream without waiting for each ack: a window of messages is under way. Made by
  # {JetStream#publisher}.
  #
  # These are written in C:
  #
  # @!method publish(subject, data = nil, headers: nil, **keywords)
  #   Publishes one message; waits only when as many are under way as may be.
  #   @return [Integer] its number, by which a failure is told: the first is 1
  #   @raise [Timeout, Limit, Closed, Invalid]
  # @!method stats
  #   @return [Hash{Symbol => Integer}] published, acked, duplicates, failed, pending
  # @!attribute [r] client
  #   @return [Client]
  class Publisher
    private(*instance_methods(false).grep(/\A(?:raw|open)_/))

    # Publishes many payloads to one subject.
    # @param datas [Array<String>]
    # @return [Integer] the number of the first; those of the others follow
    # @raise [Error] which tells how many were accepted before it: {Error#published}
    def publish_many(subject, datas) = open_many(subject, datas).first

    # Waits until every message has its ack or has failed.
    # @param timeout [Numeric, nil] seconds; nil: the JetStream's
    # @return [self]
    # @raise [Error] of the first that failed since the last flush; {#failures} has all of them
    def flush(seconds = nil, timeout: seconds)
      client.status == :closed ? raw_flush_now : JetStreamValues.finish(open_flush(timeout))
      self
    end

    # As {#flush}, without waiting.
    # @return [Future] which has no reply
    def flush_start(timeout: nil) = open_flush(timeout)

    # Takes what failed. Of {Timeout}, {Disconnected} and {Closed} it is not known whether the stream has the message.
    # Failures that nobody takes are kept, up to max_pending; then {#publish} raises {Limit}.
    # @return [Array<Array(Integer, Error)>] number and error
    def failures
      found = []
      while (failure = raw_next_failure)
        found << failure
      end
      found
    end

    # Waits for all acks as {#flush} does, and publishes no more.
    # @return [nil]
    def close
      flush
      nil
    ensure
      raw_end
    end

    # @return [String]
    def inspect = "#<#{self.class} #{stats[:pending]} under way>"
  end

  # Messages that are stored all, or not at all. Made by {JetStream#batch}. One that is left without {#commit} is
  # abandoned.
  class Batch
    private(*instance_methods(false).grep(/\Aopen_/))

    # @!method abandon
    #   Stores nothing: the server forgets it.
    #   @return [nil]

    # Adds a message, of 1000 at most. The first waits for the server's word that it takes the batch.
    # @return [self]
    # @raise [Server, Limit, NotSupported, Closed, Invalid]
    def add(subject, data = nil, headers: nil, timeout: nil, **keywords)
      JetStreamValues.finish(open_add(subject, data, headers: headers, timeout: timeout, **keywords))
      self
    end

    # As {#add}, without waiting.
    # @return [Future] which has no reply
    def add_start(subject, data = nil, headers: nil, timeout: nil, **keywords)
      open_add(subject, data, headers: headers, timeout: timeout, **keywords)
    end

    # Adds the last message, and stores all. Without a subject there is no last one (nats-server 2.14).
    # @return [Ack] of the last
    def commit(subject = nil, data = nil, headers: nil, timeout: nil, **keywords)
      future = open_commit(subject, data, headers: headers, timeout: timeout, **keywords)
      @committed = true
      Ack.of(JetStreamValues.finish(future))
    end

    # As {#commit}, without waiting.
    # @return [AckFuture]
    def commit_start(subject = nil, data = nil, headers: nil, timeout: nil, **keywords)
      future = open_commit(subject, data, headers: headers, timeout: timeout, **keywords)
      @committed = true
      AckFuture.of(future)
    end

    # @return [Boolean] whether it was committed
    def committed? = @committed || false

    # @return [String]
    def inspect = "#<#{self.class}#{" committed" if committed?}>"
  end
end
