# frozen_string_literal: true

require "io/wait"
require "polynats/polynats"
require "polynats/credentials"
require "polynats/client"
require "polynats/event_log"
require "polynats/subscription"
require "polynats/message"
require "polynats/future"
require "polynats/proto"
require "polynats/error"
require "polynats/jetstream_values"
require "polynats/ack"
require "polynats/publisher"
require "polynats/consumer"
require "polynats/stream"
require "polynats/jetstream"

# A client for NATS, the messaging system. See docs/ruby.md.
#
#     Polynats.connect("nats://127.0.0.1:4222", name: "demo") do |nc|
#       sub = nc.subscribe("greet.*")
#       nc.publish("greet.joe", "hello", headers: { "Lang" => ["en", "fr"] })
#       puts sub.next(timeout: 1).data
#     end
module Polynats
  # Of the library and of this gem.
  VERSION = version.freeze

  # Subjects and patterns.
  module Subject
    # @return [Boolean] whether a message can be published to it
    def self.valid?(subject) = Polynats.subject_valid(subject)

    # @return [Boolean] whether it can be subscribed to
    def self.valid_pattern?(pattern) = Polynats.subject_valid_pattern(pattern)

    # @return [Boolean] whether a message to subject reaches a subscription to pattern
    def self.matches?(pattern, subject) = Polynats.subject_matches(pattern, subject)

    class << self
      # By the names that they have in the other languages.
      alias valid valid?
      alias valid_pattern valid_pattern?
      alias matches matches?
    end
  end

  class << self
    # Connects, and returns once the server has answered.
    #
    # With a block the client is given to it and closed at its end, whichever way that is left.
    #
    # @param url [String, Array<String>, nil] a URL, several with commas, or a list of them; absent:
    #   $NATS_URL, else nats://127.0.0.1:4222
    # @param logger [Logger, nil] is told what happens to the connection
    # @param options options of the connection, see docs/options.md; times are in seconds
    # @param credentials [#call, nil] is called with the server's nonce whenever this connection is
    #   made, by the call that waits for it, and returns a Hash of user, password, token, jwt, seed,
    #   public_key and signature: see docs/authentication.md
    # @yieldparam client [Client]
    # @return [Client, Object] the client, or what the block returned
    # @raise [Invalid, Timeout, IOError, Auth, Protocol, Disconnected, NotSupported]
    def connect(url = nil, logger: nil, credentials: nil, **options)
      client = credentials ? Client.__send__(:open_asking, url, credentials, options)
                           : Client.__send__(:open, url, options)
      client.__send__(:set_up, logger)
      return client unless block_given?

      begin
        yield client
      ensure
        client.close
      end
    end

    # The protocol without I/O: bring your own transport and clock.
    #
    # @param url as for {connect}, but $NATS_URL is not looked at
    # @param seed [String, nil] 16 random bytes or more; the same seed gives the same choices
    # @return [Proto]
    def proto(url = nil, seed: nil, **options)
      Proto.__send__(:open, url, options, seed || Random.urandom(32))
    end
  end
end
