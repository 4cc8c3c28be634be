# frozen_string_literal: true

require_relative "core"

module PolynatsFFI
  # Subjects and patterns.
  module Subject
    class << self
      # By the names that they have in the other languages.
      def valid(subject) = valid?(subject)
      def valid_pattern(pattern) = valid_pattern?(pattern)
      def matches(pattern, subject) = matches?(pattern, subject)
    end

    module_function

    def valid?(subject)
      subject = Core.text_in(subject, "subject")
      C.nats_subject_valid(subject, subject.bytesize) != 0
    end

    def valid_pattern?(pattern)
      pattern = Core.text_in(pattern, "pattern")
      C.nats_subject_valid_pattern(pattern, pattern.bytesize) != 0
    end

    def matches?(pattern, subject)
      pattern = Core.text_in(pattern, "pattern")
      subject = Core.text_in(subject, "subject")
      C.nats_subject_matches(pattern, pattern.bytesize, subject, subject.bytesize) != 0
    end
  end
end
