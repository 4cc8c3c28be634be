# frozen_string_literal: true

module Polynats
  # The answer, or answers, to a request that were not waited for.
  #
  # These are written in C:
  #
  # @!method poll
  #   @return [Message, nil] the reply; nil while it is open
  #   @raise [Timeout, NoResponders, Disconnected] once, when it failed
  # @!method wait(timeout: nil)
  #   @return [Message, nil] the reply; of many the next one, and nil at their end
  #   @raise [Timeout] also when only this wait was up: {#done?} is false then
  # @!method done?
  #   @return [Boolean] whether nothing more will come
  # @!method cancel
  #   Gives it up; what comes later is dropped.
  #   @return [nil]
  class Future
    include Enumerable

    # Gives each reply to the block, until the request has ended.
    # @yieldparam message [Message]
    # @return [self, Enumerator]
    def each
      return to_enum unless block_given?

      while (message = wait)
        yield message
      end
      self
    rescue Closed
      self
    end
  end
end
