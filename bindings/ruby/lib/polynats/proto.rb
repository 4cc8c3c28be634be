# frozen_string_literal: true

module Polynats
  # The NATS protocol without I/O. Made by {Polynats.proto}. It opens no socket and asks no clock but
  # {Polynats.now} where `now` is left out: feed it bytes in any pieces, take bytes and events out.
  # examples/ruby/own_transport.rb is a whole client on an IO.
  #
  # These are wrappers of the library's functions; times are seconds of a clock that never goes back:
  # start, transport_up, upgraded, secured, expect_signature, feed, feed_eof, pending, next_event,
  # deadline, tick, ping, close, reconnect, state, url, scheme, host, port, server_info,
  # server_info_json, pings_out, offset, new_inbox, servers, server_add, server_remove.
  class Proto
    private_class_method :open
    private(*instance_methods(false).grep(/\Araw_/))

    # The connection failed, or could not be made.
    # @param code [String, Symbol] such as :IO
    # @return [nil]
    def transport_failed(code, text = nil, now = Polynats.now) = raw_transport_failed(code, text, now)

    # Answers sign_wanted.
    # @return [nil]
    def sign(signature, public_key: nil, jwt: nil, now: Polynats.now)
      raw_sign(signature, public_key, jwt, now)
    end

    # @param max [Integer, nil] at most so many
    # @return [String] bytes to send, which count as sent
    def take(max: nil, now: Polynats.now) = raw_take(max || 0, now)

    # As {Client#publish}, into the buffer.
    # @return [self]
    def publish(subject, data = nil, reply: nil, headers: nil)
      raw_publish(subject, data, reply, headers)
      self
    end

    # @param sid [Integer, nil] one of your own choice, or nil for the next free one
    # @return [Integer] the sid
    def subscribe(subject, queue: nil, max: nil, sid: nil)
      raw_subscribe(subject, queue || "", max || 0, sid || 0)
    end

    # @return [self]
    def unsubscribe(sid, count = nil, after: count)
      raw_unsubscribe(sid, after || 0)
      self
    end

    # Gives each event there is to the block.
    # @yieldparam event [ProtoEvent]
    # @return [self, Enumerator]
    def each_event
      return to_enum(:each_event) unless block_given?

      while (event = next_event)
        yield event
      end
      self
    end

    # The server in use or being tried.
    # @return [Hash{Symbol => Object}]
    def server = { url: url, scheme: scheme, host: host, port: port }
  end
end
