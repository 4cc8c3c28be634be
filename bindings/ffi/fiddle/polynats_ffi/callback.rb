# frozen_string_literal: true

# Callbacks: called from dispatch and run, never by the library and never in another thread.

require_relative "message"

module PolynatsFFI
  # The part of a client that calls.
  module Callbacks
    EVENT_SLICE_MS = 100 # how late a block of on_event may learn of an event

    attr_writer :ended

    # The block is called with each event by dispatch and run; none ends it.
    def on_event(&callback)
      @event_callback = callback
    end

    # End run after the current callback.
    def stop
      @stopped = true
    end

    # Call the callbacks of what has arrived; how many were called.
    def dispatch(most = nil, seconds = nil, max: most, wait: seconds)
      most, ms = Intake.args(max, wait)
      check_open
      @stopped = false
      count, status = call_some(most, ms)
      raise Core.failure(status) if status != Core::OK && count.zero?

      count
    end

    # Call callbacks until stop, close in a callback, or the timeout.
    def run(seconds = nil, timeout: seconds)
      deadline = Core.deadline_of(Core.ms_in(timeout))
      check_open
      @stopped = false
      until @stopped || @closed || Core.ms_left(deadline).zero?
        status = call_some(Intake::GET_MAX, Core.ms_left(deadline)).last
        Core.done(status) unless @closed
      end
    end

    # Stop without a loss. Callbacks get what was under way; other messages can be taken.
    def drain(seconds = nil, timeout: seconds)
      deadline = Core.deadline_of(Core.ms_in(timeout))
      drain_callbacks(deadline)
      @stopped = false
      loop { break if call_some(Intake::GET_MAX, 0).first.zero? || @stopped }
      Core.done(Core.waiting(Core.ms_left(deadline), drain_ms) do |left|
        C.nats_client_drain(@handle, left)
      end)
    end

    private

    def check_open
      raise PolynatsFFI.error("CLOSED", "the client is closed", "client") if @closed
    end

    def drain_callbacks(deadline)
      @subs.values.each do |sub|
        status = Core.waiting(Core.ms_left(deadline), drain_ms) do |left|
          C.nats_sub_drain(sub.handle, left)
        end
        return if status == Declarations::NATS_ERR_TIMEOUT

        Core.done(status) unless status == Declarations::NATS_ERR_CLOSED
      end
    end

    # [how many were called, the status]
    def call_some(most, milliseconds)
      count = 0
      while count < most && !@stopped && !@closed
        if (msg = @queued.shift)
          call_sub(msg)
          count += 1
          next
        end
        sweep if @ended
        status = await(most - count, count.zero? ? milliseconds : 0)
        return [count, count.zero? ? status : Core::OK] if status != Core::OK || @queued.empty?
      end
      [count, Core::OK]
    end

    def call_sub(msg)
      sub = @subs[msg.sid]
      return unless sub

      @ended = true unless sub.active?
      sub.callback.call(*[msg, sub].first(words_of(sub.callback)))
    end

    # A block may leave the subscription out; so may a lambda, or a method.
    def words_of(callback)
      strict = callback.respond_to?(:lambda?) ? callback.lambda? : true
      arity = (callback.respond_to?(:arity) ? callback : callback.method(:call)).arity
      strict && arity == 1 ? 1 : 2
    end

    # Let go of callbacks whose subscriptions have ended.
    def sweep
      @ended = false
      @subs.delete_if { |_, sub| !sub.active? && sub.stats[:pending].zero? }
    end

    # Messages for callbacks into @queued, whatever strikes; the status.
    def await(most, milliseconds)
      deadline = Core.deadline_of(milliseconds)
      batch = Intake.new(self, @queued) { |*to| C.nats_client_get_callbacks(@handle, *to) }
      loop do
        events = call_events
        left = Core.ms_left(deadline)
        left = EVENT_SLICE_MS if events && !left.between?(0, EVENT_SLICE_MS)
        status = fill(batch, most, left)
        return status if status != Core::OK || !@queued.empty? || @stopped || @closed
        return Core::OK if !events || Core.ms_left(deadline).zero?
      end
    end

    def fill(batch, most, milliseconds)
      batch.fill(most, milliseconds, method(:woken?))
    ensure
      batch.empty
    end

    # Whether there is somebody to call.
    def call_events
      while @event_callback
        event = next_event(wait: 0)
        return true unless event

        @event_callback.call(event)
      end
      false
    end
  end
end
