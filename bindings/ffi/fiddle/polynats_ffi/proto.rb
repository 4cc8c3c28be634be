# frozen_string_literal: true

require_relative "event"
require_relative "info"
require_relative "message"
require_relative "options"

module PolynatsFFI
  # The protocol of one connection. servers and options are as for connect, but $NATS_URL is not
  # looked at. seed: 16 random bytes or more; the same seed gives the same choices.
  def self.proto(servers = nil, seed: nil, **given) = Proto.new(servers, seed, given)

  # The protocol without I/O: the program brings the socket, the loop and the clock. Times are
  # seconds of any clock that never goes back; where now is left out, PolynatsFFI.now is meant. One
  # thread at a time.
  class Proto
    SEED_SIZE = 32
    SEED_MIN = 16
    INBOX_SIZE = 1024
    NOW_MAX = 9e9 # seconds that are ns in 64 bits
    STATES = %i[
      idle waiting dialing upgrading waiting_info securing signing waiting_pong connected closed
    ].freeze
    TYPES = [
      nil, "dial", "upgrade_wanted", "tls_wanted", "sign_wanted", "connected", "reconnected",
      "disconnected", "closed", "message", "pong", "info", "discovered", "lame_duck", "error",
      "stale", "sub_done"
    ].freeze

    def initialize(servers, seed, given)
      seed = seed.nil? ? Random.urandom(SEED_SIZE) : Core.data_in(seed, "seed")
      if seed.bytesize < SEED_MIN
        raise PolynatsFFI.invalid("seed must have #{SEED_MIN} bytes or more", "seed")
      end

      servers = Options.servers_of(servers)
      options = Options.make(given, false)
      @handle = Handle.new(:nats_proto_free) do |out|
        C.nats_proto_new(servers, options, seed, seed.bytesize, out)
      end
    end

    def inspect = "#<#{self.class} (#{state})>"

    # ---- the transport ----

    def start(now = nil) = Core.done(C.nats_proto_start(@handle, now_in(now)))
    def transport_up(now = nil) = Core.done(C.nats_proto_transport_up(@handle, now_in(now)))
    def upgraded(now = nil) = Core.done(C.nats_proto_upgraded(@handle, now_in(now)))
    def secured(now = nil) = Core.done(C.nats_proto_secured(@handle, now_in(now)))

    # code: the name of a status.
    def transport_failed(code, text = "", now = nil)
      status = STATUS.fetch(code, 0)
      raise PolynatsFFI.invalid("code must be an error's name, such as IO", "code") if status.zero?

      text = Core.c_text_in(text, "text")
      Core.done(C.nats_proto_transport_failed(@handle, status, text, now_in(now)))
    end

    def expect_signature(expect)
      raise TypeError, "true or false expected" unless [true, false].include?(expect)

      C.nats_proto_expect_signature(@handle, expect ? 1 : 0)
    end

    def sign(signature, public_key: nil, jwt: nil, now: nil)
      signature = Core.data_in(signature, "signature")
      public_key = public_key && Core.c_text_in(public_key, "public_key")
      jwt = jwt && Core.c_text_in(jwt, "jwt")
      Core.done(C.nats_proto_sign(@handle, signature, signature.bytesize, public_key, jwt,
                                  now_in(now)))
    end

    # ---- bytes ----

    def feed(data, now = nil)
      data = Core.data_in(data)
      Core.done(C.nats_proto_feed(@handle, data, data.bytesize, now_in(now)))
    end

    def feed_eof(now = nil) = Core.done(C.nats_proto_feed_eof(@handle, now_in(now)))

    # Bytes to send, which count as sent then.
    def take(max: nil, now: nil)
      most = Core.count_in(max, "max", 1, Core::INT64_MAX)
      now = now_in(now)
      bytes = "".b
      data = Box.new
      size = Box.new
      loop do
        C.nats_proto_tx(@handle, data, size)
        length = [size.size, most - bytes.bytesize].min
        return bytes if length.zero?

        bytes << Fiddle::Pointer.new(data.address)[0, length]
        Core.done(C.nats_proto_tx_done(@handle, length, now))
      end
    end

    # Bytes that wait to be taken.
    def pending = C.nats_proto_tx_pending(@handle)

    # ---- time ----

    # When tick is due; nil: never.
    def deadline
      at = C.nats_proto_deadline_ns(@handle)
      at == Core::INT64_MAX ? nil : at / Core::NS
    end

    def tick(now = nil) = C.nats_proto_tick(@handle, now_in(now))

    # ---- verbs ----

    def publish(subject, data = "", reply: nil, headers: nil)
      subject = Core.text_in(subject, "subject")
      data = Core.data_in(data)
      reply = Core.text_or_nil(reply, "reply")
      Core.done(C.nats_proto_publish(@handle, subject, subject.bytesize, reply,
                                     reply&.bytesize || 0, Headers.make(headers), data,
                                     data.bytesize))
    end

    # The sid.
    def subscribe(subject, queue: nil, max: nil, sid: nil)
      subject = Core.text_in(subject, "subject")
      queue = Core.text_or_nil(queue, "queue")
      made = Box.new
      Core.done(C.nats_proto_subscribe(
                  @handle, subject, subject.bytesize, queue, queue&.bytesize || 0,
                  Core.count_in(max, "max", 0, 0), Core.count_in(sid, "sid", 1, 0), made
                ))
      made.uint64
    end

    def unsubscribe(sid, count = nil, after: count)
      sid = Core.count_in(sid, "sid", 1)
      Core.done(C.nats_proto_unsubscribe(@handle, sid, Core.count_in(after, "after", 0, 0)))
    end

    # The token that the event pong has.
    def ping(now = nil)
      token = Box.new
      Core.done(C.nats_proto_ping(@handle, now_in(now), token))
      token.uint64
    end

    def close = C.nats_proto_close(@handle)
    def reconnect(now = nil) = Core.done(C.nats_proto_reconnect(@handle, now_in(now)))

    # ---- events ----

    # The next event with its facts, or nil.
    def next_event
      number = C.nats_proto_next_event(@handle)
      return nil if number.zero?

      status = C.nats_proto_event_status(@handle)
      type = TYPES[number] || "unknown"
      Event.new(type, Core.text_at(C.nats_proto_event_text(@handle)),
                code: status.zero? ? nil : Core.status_name(status),
                kind: Event.kind_name(C.nats_proto_event_kind(@handle)), **facts_of(type))
    end

    # All events that there are.
    def each_event
      return to_enum(:each_event) unless block_given?

      while (event = next_event)
        yield event
      end
      self
    end

    # ---- what it knows ----

    def state = STATES[C.nats_proto_state(@handle)]

    # The server that is being dialled, or that it is connected to.
    def server
      { url: Core.text_at(C.nats_proto_url(@handle)),
        scheme: Core.text_at(C.nats_proto_scheme(@handle)),
        host: Core.text_at(C.nats_proto_host(@handle)), port: C.nats_proto_port(@handle) }
    end

    def server_info = Info.take(false) { |out| C.nats_proto_server_info(@handle, out) }
    def server_info_json = Info.take(true) { |out| C.nats_proto_server_info(@handle, out) }
    def pings_out = C.nats_proto_pings_out(@handle)

    # Bytes of the stream that were read.
    def offset = C.nats_proto_offset(@handle)

    def new_inbox
      inbox = Box.new(INBOX_SIZE)
      size = Box.new
      Core.done(C.nats_proto_new_inbox(@handle, inbox, INBOX_SIZE, size))
      Core.text_of(inbox.to_ptr, size.size)
    end

    # The pool, as hashes.
    def servers
      found = []
      attempts = Box.new
      discovered = Box.new
      loop do
        url = C.nats_proto_server_at(@handle, found.size, attempts, discovered)
        return found if url.null?

        found << { url: Core.text_at(url), attempts: attempts.int32,
                   discovered: discovered.int32 != 0 }
      end
    end

    def server_add(url)
      Core.done(C.nats_proto_server_add(@handle, Core.c_text_in(url, "url")))
    end

    def server_remove(url)
      Core.done(C.nats_proto_server_remove(@handle, Core.c_text_in(url, "url")))
    end

    private

    def now_in(now)
      now ||= PolynatsFFI.now
      unless now.is_a?(Numeric) && now >= 0 && now <= NOW_MAX
        raise PolynatsFFI.invalid("now must be a time in seconds, 0 to 9e9", "now")
      end

      (now * Core::NS).to_i
    end

    # The facts of each type, as proto.h lists them.
    def facts_of(type)
      case type
      when "dial", "upgrade_wanted", "tls_wanted", "connected", "reconnected" then server
      when "disconnected", "closed" then end_facts
      when "message" then message_facts
      when "sub_done" then { sid: C.nats_proto_event_sid(@handle) }
      when "pong" then pong_facts
      when "error" then error_facts
      else {}
      end
    end

    def end_facts
      { lost: C.nats_proto_event_lost(@handle),
        unconfirmed: C.nats_proto_event_unconfirmed(@handle) }
    end

    def error_facts
      { recoverable: C.nats_proto_event_recoverable(@handle) != 0,
        lost: C.nats_proto_event_lost(@handle) }
    end

    def pong_facts
      { token: C.nats_proto_event_token(@handle),
        rtt: C.nats_proto_event_rtt_ns(@handle) / Core::NS }
    end

    def message_facts
      taken = C.nats_proto_event_take_msg(@handle)
      message = Message.new(taken, self)
      { message: message, sid: C.nats_proto_event_sid(@handle) }
    ensure
      C.nats_msg_free(taken)
    end
  end
end
