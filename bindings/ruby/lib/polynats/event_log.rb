# frozen_string_literal: true

module Polynats
  # Tells a Logger what happens to a connection, and keeps the events for who asks for them.
  # A thread of Ruby's waits for them; it ends with the client.
  class EventLog
    # The library keeps as many.
    KEPT_MAX = 1024
    # Logger has no level below debug.
    LEVELS = { error: :error, warn: :warn, info: :info, trace: :debug }.freeze
    private_constant :KEPT_MAX, :LEVELS

    def initialize(client, logger)
      @client = client
      @logger = logger
      @events = []
      @lock = Mutex.new
      @came = ConditionVariable.new
      @over = nil
      @thread = Thread.new { follow }
      @thread.name = "polynats events"
    end

    # As {Client#next_event}. Where the thread is gone (a child of fork has only the thread that
    # forked) the client itself is asked.
    def next_event(wait)
      deadline = @client.__send__(:moment_in, wait, "wait")
      event = @lock.synchronize { take(deadline) }
      return event unless event == :gone

      @client.__send__(:raw_next_event, deadline && [deadline - Polynats.now, 0].max)
    end

    private

    # Under the lock: an event, nil when the time is up, or :gone.
    def take(deadline)
      while @events.empty?
        raise @over if @over
        return :gone unless @thread.alive?

        left = deadline && (deadline - Polynats.now)
        return nil if left && left <= 0

        @came.wait(@lock, left)
      end
      @events.shift
    end

    def follow
      loop { keep(@client.__send__(:raw_next_event, nil)) }
    rescue Error => e
      @lock.synchronize { @over = e }
    ensure
      @came.broadcast
    end

    def keep(event)
      return if event.nil?

      @lock.synchronize do
        @events.shift if @events.size >= KEPT_MAX
        @events.push(event)
        @came.signal
      end
      tell(event)
    end

    # A logger that fails must not end the events.
    def tell(event)
      @logger.public_send(LEVELS.fetch(event.level)) { "nats: #{event.line}" }
    rescue StandardError => e
      warn("polynats: the logger failed: #{e.message} (#{e.class})")
    end
  end
  private_constant :EventLog
end
