# frozen_string_literal: true

# Requests and futures: a request waits as a future, so that Ctrl-C can end the wait.

require_relative "message"

module PolynatsFFI
  # A request under way. One thread at a time.
  class Future
    TIMEOUT = Declarations::NATS_ERR_TIMEOUT
    private_constant :TIMEOUT

    attr_reader :handle

    def initialize(client, handle)
      @client = client
      @handle = handle
      @kept = []
    end

    # The reply, or nil while it is open; its error is raised once.
    def poll
      done = Box.new
      take(0) { |_, box| C.nats_future_poll(@handle, box, done) }
    end

    # The reply. Timeout also when only this wait was up: done? is false then.
    def wait(seconds = nil, timeout: seconds)
      ms = Core.ms_in(timeout)
      deadline = Core.deadline_of(ms)
      take(ms) do |left, box|
        status = C.nats_future_wait(@handle, left, box)
        status = after_timeout(box) if status == TIMEOUT
        status.nil? && Core.ms_left(deadline) != 0 ? Core::INTERRUPTED : ended(status || TIMEOUT)
      end
    end

    # Whether a reply or an error is there, or was taken.
    def done? = C.nats_future_done(@handle) != 0

    # No reply is wanted any more.
    def cancel = C.nats_future_cancel(@handle)

    def inspect = "#<#{self.class} (#{done? ? "done" : "open"})>"

    private

    # Which time was up? nil: only that of the wait. What came since is taken. The words of a wait have no
    # subject; those of a request to the subject "wait" look the same, and then it is over.
    def after_timeout(box)
      problem = Core.failure(TIMEOUT)
      return TIMEOUT unless ["wait", ""].include?(problem.about)
      return unless done?

      status = C.nats_future_wait(@handle, 0, box)
      raise problem if status == Declarations::NATS_ERR_CLOSED

      status
    end

    # That replies are at their end is no silence to wait on.
    def ended(status)
      @ended = status == Core::OK
      status
    end

    def take(milliseconds, &step)
      return @kept.shift unless @kept.empty?

      @ended = false
      Core.take_one(milliseconds, :nats_msg_free, ->(from) { Message.new(from, @client) }, @kept,
                    -> { @ended }, &step)
    end
  end

  # The client's verbs.
  module Requests
    # The reply.
    def request(subject, data = "", timeout: nil, headers: nil)
      future = request_start(subject, data, timeout: timeout, headers: headers)
      future.wait
    ensure
      future&.handle&.free # now: the collector may come late
    end

    # A future.
    def request_start(subject, data = "", timeout: nil, headers: nil)
      subject = Core.text_in(subject, "subject")
      data = Core.data_in(data)
      ms = Core.ms_in(timeout)
      headers = Headers.make(headers)
      start_future do |out|
        C.nats_client_request_start(@handle, subject, subject.bytesize, headers, data,
                                    data.bytesize, ms, out)
      end
    end

    # Replies until max came, none came for stall seconds after one, an empty one came (sentinel),
    # or the time is up, which is the normal end.
    def request_many(subject, data = "", max: nil, stall: nil, timeout: nil, sentinel: false,
                     headers: nil)
      raise TypeError, "sentinel must be true or false" unless [true, false].include?(sentinel)

      subject = Core.text_in(subject, "subject")
      data = Core.data_in(data)
      most = Core.count_in(max, "max", 0, 0)
      stall_ms = [Core.ms_in(stall, "stall", 0), 0].max # for ever: as long as the whole may take
      ms = Core.ms_in(timeout)
      headers = Headers.make(headers)
      future = start_future do |out|
        C.nats_client_request_many(@handle, subject, subject.bytesize, headers, data,
                                   data.bytesize, most, stall_ms, ms, sentinel ? 1 : 0, out)
      end
      replies_of(future)
    end

    private

    # While the server takes nothing, starting a request waits as a publish does.
    def start_future
      Future.new(self, Handle.new(:nats_future_free) do |out|
        Core.waiting(Core::FOR_EVER) { yield out }
      end)
    end

    def replies_of(future)
      replies = []
      while (reply = future.wait)
        replies << reply
      end
      replies
    ensure
      future.handle.free
    end
  end
end
