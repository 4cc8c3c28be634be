# frozen_string_literal: true

module Polynats
  # What all errors of polynats are: `rescue Polynats::Error` takes each of them.
  #
  # @!attribute [r] code
  #   @return [String] the name of the status, such as "TIMEOUT"
  # @!attribute [r] about
  #   @return [String] the argument, option, subject or limit that it is about; may be empty
  # @!attribute [r] err_code
  #   @return [Integer] of JetStream's errors which one, such as 10059 for a stream that is not there; else 0
  # @!attribute [r] status
  #   @return [Integer] what the server said besides, as HTTP has it, such as 404; else 0
  module Error
    # @return [String] what happened, in words
    def text = message

    # @return [String] the server's own words for it, such as "stream not found"; where it said nothing the whole
    #   text
    def description = @description || message

    # @return [Integer] of a publisher's publish_many: how many were accepted before it
    def published = @published || 0

    # @return [Integer] of a publisher's publish_many: the number of the first of these
    def first = @first || 0

    # @return [Array<Array(Integer, Error)>] of JetStream's publish_many: all that failed, by their place
    def failures = @failures || []
  end
end
