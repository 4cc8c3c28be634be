# frozen_string_literal: true

require "io/wait" # of what to_io gives
require_relative "callback"
require_relative "credentials"
require_relative "event"
require_relative "info"
require_relative "options"
require_relative "request"
require_relative "subscription"

module PolynatsFFI
  # A client, once the server has answered; with a block, the block's value, and it is closed then.
  # servers: a URL, several with commas, or a list; nil: $NATS_URL, else nats://127.0.0.1:4222.
  # Options: docs/options.md.
  def self.connect(servers = nil, **given)
    client = Client.connect(servers, given)
    return client unless block_given?

    begin
      yield client
    ensure
      client.close
    end
  end

  # What a program holds of a connection. Any number of threads may use it, but for callbacks,
  # which belong to one.
  class Client
    include Callbacks
    include Requests

    STATES = [nil, :connected, :reconnecting, :draining, :closed].freeze
    INBOX_SIZE = 1024   # a prefix of 512 bytes, the longest there is, and the unique rest
    STATS_MAX = 64      # more counters than the library has
    PUBLISH_SLICE = 200 # payloads of one inner call of publish_many

    attr_reader :handle, :drain_ms, :kept, :private_sids

    def self.connect(servers, given)
      hook = given[:credentials]
      raise TypeError, "credentials must respond to call" unless hook.nil? || hook.respond_to?(:call)

      given = given.merge(credentials: nil, ask_credentials: false) if hook
      # Without a function the program could answer only once it has the client: both options say so.
      given = given.merge(credentials_hook: true) if hook || given[:ask_credentials]
      servers = Options.servers_of(servers)
      options = Options.make(given, true)
      connect_waiting(servers, options, hook)
    end

    # By one future: a signal begins no attempt, and no time, anew.
    def self.connect_waiting(servers, options, hook)
      future = nil
      client = new(Handle.new(:nats_client_forget) do |out|
        box = Box.new
        status = C.nats_connect_start(servers, options, out, box)
        future = Handle.new(:nats_future_free) { |to| (to.address = box.take) && Core::OK } if
          status == Core::OK
        status
      end, hook)
      client.opened(future)
    end
    private_class_method :connect_waiting

    def initialize(handle, hook = nil)
      @handle = handle
      @drain_ms = option("drain_timeout")
      @subs = {}   # subscriptions with callbacks, by sid
      @queued = [] # messages taken for callbacks and not yet handed over
      @kept = []   # what an exception would have lost
      @kept_events = []
      @private_sids = {} # of which get gives nothing
      @woken = @stopped = @closed = @ended = false
      @hook = hook
      Credentials.register(self) if hook
    end

    # The connection is made, or the client closed.
    def opened(future)
      Future.new(self, future).wait
      self
    rescue Exception
      close
      raise
    ensure
      future.free
    end

    # The event credentials, which comes with the option ask_credentials: user, password, token,
    # jwt, seed, public_key, signature.
    def credentials(**given) = Credentials.give(@handle, Credentials.check(given))

    # If it is asked, and has a function for it.
    def answer
      nonce = @hook && Credentials.question(@handle)
      Credentials.give(@handle, Credentials.check(@hook.call(nonce))) if nonce
    end

    # ---- life ----

    # Another client on this connection, with its own subscriptions, get and events.
    def share
      Client.new(Handle.new(:nats_client_forget) { |out| C.nats_client_share(@handle, out) }, @hook)
    end

    # End it; also the second time.
    def close
      @closed = true
      Core.done(C.nats_client_close(@handle))
      @subs.clear
    end

    def inspect = "#<#{self.class} (#{status})>"

    # ---- publish ----

    # The bytes are in the connection's buffer then (docs/delivery.md).
    def publish(subject, data = "", reply: nil, headers: nil)
      subject = Core.text_in(subject, "subject")
      data = Core.data_in(data)
      if reply.nil? && headers.nil?
        status = C.nats_client_publish(@handle, subject, subject.bytesize, data, data.bytesize)
        return Core.done(status) unless status == Core::INTERRUPTED
      end
      publish_with(subject, data, Core.text_or_nil(reply, "reply"), Headers.make(headers))
    end

    # Payloads to one subject, in order; how many: all. An error has published, the number of those
    # that were accepted before it.
    def publish_many(subject, payloads)
      subject = Core.text_in(subject, "subject")
      raise TypeError, "payloads must be an Array" unless payloads.is_a?(Array)

      payloads = payloads.map.with_index(1) { |one, at| Core.data_in(one, "payload #{at}") }
      total = 0
      while total < payloads.size
        status, count = publish_slice(subject, payloads[total, PUBLISH_SLICE])
        total += count
        next Credentials.answer_all if status == Core::INTERRUPTED

        raise Core.failure(status).tap { |problem| problem.published = total } if status != Core::OK
      end
      total
    end

    # ---- subscribe and receive ----

    # max: end after so many. The limits: what may wait, -1 for no limit. With a block, messages go
    # to it, from dispatch and run.
    def subscribe(subject, queue: nil, max: nil, callback: nil, pending_msgs: nil, pending_bytes: nil, &block)
      callback = block if callback.nil?
      raise TypeError, "callback must respond to call" unless callback.nil? || callback.respond_to?(:call)

      subject = Core.text_in(subject, "subject")
      queue = Core.text_or_nil(queue, "queue")
      most = Core.count_in(max, "max", 0, 0)
      msgs = limit_in(pending_msgs, "pending_msgs")
      bytes = limit_in(pending_bytes, "pending_bytes")
      mode = callback ? Declarations::NATS_SUB_CALLBACK : Declarations::NATS_SUB_SHARED
      handle = Handle.new(:nats_sub_free) do |out|
        again do
          C.nats_client_subscribe_with(@handle, subject, subject.bytesize, queue,
                                       queue&.bytesize || 0, most, msgs, bytes, mode, out)
        end
      end
      keep_sub(Subscription.new(self, handle, callback))
    end

    # A sid; or a subject: how many subscriptions to exactly it ended.
    def unsubscribe(which, count = nil, after: count)
      after = Core.count_in(after, "after", 0, 0)
      if which.is_a?(Integer)
        which = Core.count_in(which, "sid", 0)
        Core.done(again { C.nats_client_unsubscribe(@handle, which, after) })
        return 1
      end
      which = Core.text_in(which, "subject")
      count = Box.new
      Core.done(again do
        C.nats_client_unsubscribe_subject(@handle, which, which.bytesize, after, count)
      end)
      count.size
    end

    # A list of all that has arrived, oldest first; it waits for the first one. Empty on silence.
    def get(most = nil, seconds = nil, max: most, wait: seconds)
      most, ms = Intake.args(max, wait)
      Intake.list(self, most, ms, nil, method(:woken?)) do |*to|
        C.nats_client_get(@handle, *to)
      end
    end

    # What was taken and could not be handed over comes first next time.
    def keep(messages)
      @kept.replace(messages | @kept)
    end

    # Of one subscription, or of all that get looks at.
    # They are in found before they are not kept: an exception in between has keep see them twice.
    def give_kept(found, most, sid = nil)
      return if @kept.empty?

      found.concat(@kept.select { |msg| sid ? msg.sid == sid : !@private_sids[msg.sid] }.first(most))
      @kept.replace(@kept - found)
    end

    # ---- round trips, and what it knows ----

    # The server has processed then what was sent before.
    def flush(seconds = nil, timeout: seconds)
      # By one future, and so one PING: a signal sends no other.
      ms = Core.ms_in(timeout)
      future = Handle.new(:nats_future_free) { |out| C.nats_client_flush_start(@handle, ms, out) }
      Future.new(self, future).wait
    ensure
      future&.free
    end

    # Seconds that a PING and its PONG take.
    def rtt(seconds = nil, timeout: seconds)
      began = Core.now
      flush(timeout: timeout)
      Core.now - began
    end

    def new_inbox
      inbox = Box.new(INBOX_SIZE)
      size = Box.new
      Core.done(C.nats_client_new_inbox(@handle, inbox, INBOX_SIZE, size))
      Core.text_of(inbox.to_ptr, size.size)
    end

    # The connection's counters.
    def stats
      values = Box.new(STATS_MAX * Box::SIZE)
      count = [C.nats_client_stats(@handle, values, STATS_MAX), STATS_MAX].min
      numbers = values.to_ptr[0, count * Box::SIZE].unpack("Q*")
      numbers.map.with_index { |value, at| [Core.text_at(C.nats_stats_name(at)).to_sym, value] }.to_h
    end

    # connected, reconnecting, draining or closed.
    def status = STATES[C.nats_client_status(@handle)]
    def max_payload = C.nats_client_max_payload(@handle)

    # Drop the connection and dial the next server at once, without waiting.
    def reconnect = Core.done(C.nats_client_reconnect(@handle))

    # The server's INFO as a Hash.
    def server_info = Info.take(false) { |out| C.nats_client_server_info(@handle, out) }
    def info = Info.take(false) { |out| C.nats_client_info(@handle, out) }
    def server_info_json = Info.take(true) { |out| C.nats_client_server_info(@handle, out) }

    # The oldest event, or nil.
    def next_event(seconds = nil, wait: seconds)
      ms = Core.ms_in(wait, "wait")
      return @kept_events.shift unless @kept_events.empty?

      Core.take_one(ms, :nats_event_free, Event.method(:from), @kept_events,
                    method(:woken?)) do |left, box|
        C.nats_client_next_event(@handle, left, box)
      end
    end

    # ---- other threads, foreign event loops ----

    # Make a get or next_event that waits in another thread return empty.
    def wake
      @woken = true
      Core.done(C.nats_client_wake(@handle))
    end

    # Was it woken? Once.
    def woken?
      woken = @woken
      @woken = false
      woken
    end

    # Readable when there is something to do or to take.
    def fd
      found = Box.new
      Core.done(C.nats_client_fd(@handle, found))
      found.int32
    end

    # The same for IO.select and IO#wait. It is not for reading, and not closed with the IO.
    def to_io = IO.for_fd(fd, autoclose: false)

    # Do what is due, without waiting.
    def process
      Core.done(C.nats_client_process(@handle))
      answer
    end

    # Seconds after which process is due; nil: never.
    def deadline = Core.seconds(C.nats_client_deadline_ms(@handle))

    private

    # While the server takes nothing these wait, and a signal interrupts them.
    def again(&step) = Core.waiting(Core::FOR_EVER, &step)

    def publish_with(subject, data, reply, headers)
      Core.done(again do
        C.nats_client_publish_with(@handle, subject, subject.bytesize, reply, reply&.bytesize || 0,
                                   headers, data, data.bytesize)
      end)
    end

    def publish_slice(subject, payloads)
      pointers = payloads.map { |one| Fiddle::Pointer[one] } # which keep the payloads in place
      published = Box.new
      status = C.nats_client_publish_many(
        @handle, subject, subject.bytesize, pointers.map(&:to_i).pack("J*"),
        payloads.map(&:bytesize).pack("J*"), payloads.size, published
      )
      [status, published.size]
    end

    def option(name)
      value = Box.new
      Core.done(C.nats_client_option_int(@handle, name, value))
      value.int64
    end

    # What may wait: 0, which the library takes for the client's option, is said with nil.
    def limit_in(value, what)
      return 0 if value.nil?

      value = Core.count_in(value, what, -1)
      raise PolynatsFFI.invalid("#{what} must be 1 or more, or -1, not 0", what) if value.zero?

      value
    end

    def keep_sub(sub)
      return sub unless sub.callback

      @subs[sub.sid] = sub
    end
  end
end
