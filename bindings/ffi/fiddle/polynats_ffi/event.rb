# frozen_string_literal: true

require_relative "core"

module PolynatsFFI
  # What became of the connection: type, text and, where they apply, the facts; others are nil.
  class Event
    FACTS = %i[
      time url subject code kind recoverable sid lost unconfirmed scheme host port message token
      rtt level line
    ].freeze
    ENDS = [Declarations::NATS_EVENT_DISCONNECTED, Declarations::NATS_EVENT_CLOSED].freeze

    attr_reader :type, :text, *FACTS

    def initialize(type, text, **facts)
      @type = type.to_sym
      @text = text
      facts.each { |name, value| instance_variable_set("@#{name}", value) }
    end

    def inspect = "#<#{self.class} #{@type}#{": #{@text}" unless @text.empty?}>"

    def self.filled(text) = text.empty? ? nil : text

    def self.end_facts(from)
      lost = C.nats_event_lost(from)
      return lost.zero? ? {} : { lost: } unless ENDS.include?(C.nats_event_type(from))

      { lost:, unconfirmed: C.nats_event_unconfirmed(from) }
    end

    # What the server meant by an -ERR; nil when there was none.
    def self.kind_name(number) = number.zero? ? nil : Core.text_at(C.nats_kind_name(number))

    # A copy of the library's event, which who called frees.
    def self.from(pointer)
      status = C.nats_event_status(pointer)
      sid = C.nats_event_sid(pointer)
      new(Core.text_at(C.nats_event_name(pointer)), Core.text_at(C.nats_event_text(pointer)),
          time: C.nats_event_time_ns(pointer) / Core::NS,
          level: Core.text_at(C.nats_level_name(C.nats_event_level(pointer))),
          line: Core.text_at(C.nats_event_line(pointer)),
          url: filled(Core.text_at(C.nats_event_url(pointer))),
          subject: filled(Core.text_at(C.nats_event_subject(pointer))),
          code: status.zero? ? nil : Core.status_name(status),
          kind: kind_name(C.nats_event_kind(pointer)),
          recoverable: C.nats_event_recoverable(pointer) != 0,
          sid: sid.zero? ? nil : sid, **end_facts(pointer))
    end
  end
end
