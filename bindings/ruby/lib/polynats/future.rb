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
  #   Gives it up; what comes later is dropped, what had come can still be taken.
  #   @return [nil]
  class Future
    include Enumerable

    private :next_reply

    # Gives each reply to the block, until the request has ended or was cancelled.
    # @yieldparam message [Message]
    # @return [self, Enumerator]
    # @raise [Timeout, NoResponders, Disconnected, Permission, Closed] when it failed
    def each
      return to_enum unless block_given?

      while (message = next_reply)
        yield message
      end
      self
    end
  end
end
