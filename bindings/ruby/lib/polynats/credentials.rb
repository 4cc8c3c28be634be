# frozen_string_literal: true

module Polynats
  # Those who have a function that supplies credentials. A call that waits is interrupted when a
  # server wants them; it calls the function, in its own thread, and goes on.
  module Credentials
    NAMES = %i[user password token jwt seed public_key signature].freeze

    class << self
      # @return [Array] the values in the order in which C takes them
      def values(given)
        given = (given || {}).to_h.transform_keys(&:to_sym)
        odd = given.keys.find { |name| !NAMES.include?(name) }
        raise ArgumentError, "credentials: #{odd} is none of #{NAMES.join(", ")}" if odd

        given.values_at(*NAMES)
      end

      # Each ractor has its own.
      def register(client)
        (Ractor.current[:polynats_clients] ||= ObjectSpace::WeakMap.new)[client] = true
      end

      def answer_all
        Ractor.current[:polynats_clients]&.each_key { |client| client.__send__(:answer_question) }
      end
    end
  end
  private_constant :Credentials

  class << self
    private

    # Called by C, by whoever was interrupted.
    def answer_questions = Credentials.answer_all
  end
end
