# frozen_string_literal: true

module Polynats
  # Tells a Logger what happens to a connection, and keeps the events for who asks for them.
  # A thread of Ruby's waits for them; it ends with the client.
  class EventLog
    # The library keeps as many.
    KEPT_MAX = 1024
    LEVELS = { disconnected: :warn, error: :error, slow_consumer: :warn, stale: :warn,
               lame_duck: :warn }.freeze
    private_constant :KEPT_MAX, :LEVELS

    def initialize(client, logger)
      @logger = logger
      @events = []
      @lock = Mutex.new
      @came = ConditionVariable.new
      @over = nil
      @thread = Thread.new { follow(client) }
      @thread.name = "polynats events"
      @thread.report_on_exception = true
    end

    # As {Client#next_event}.
    def next_event(wait)
      deadline = wait && (Polynats.now + wait)
      @lock.synchronize do
        while @events.empty?
          raise @over if @over

          left = deadline && (deadline - Polynats.now)
          return nil if left && left <= 0

          @came.wait(@lock, left)
        end
        @events.shift
      end
    end

    private

    def follow(client)
      loop { keep(client.__send__(:raw_next_event, nil)) }
    rescue Error => e
      @lock.synchronize do
        @over = e
        @came.broadcast
      end
    end

    def keep(event)
      return if event.nil?

      @logger.public_send(LEVELS.fetch(event.type, :info)) { words(event) }
      @lock.synchronize do
        @events.shift if @events.size >= KEPT_MAX
        @events.push(event)
        @came.signal
      end
    end

    def words(event)
      parts = ["nats: #{event.type}", event.url, event.subject, event.text].compact
      parts << "#{event.lost} publishes lost" if event.lost.positive?
      parts.join(" ")
    end
  end
  private_constant :EventLog
end
