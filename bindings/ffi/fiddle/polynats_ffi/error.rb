# frozen_string_literal: true

require "timeout"

module PolynatsFFI
  # In every error of this module. code: the status's name; about: the subject, option, argument or
  # limit that it is about; published: of publish_many, how many were accepted before, first: the
  # number of the first of them; failures: all that failed. status and err_code: of the server's answer, 0 without
  # one. The classes, and what else they are, are those of the gem.
  module Error
    attr_reader :code, :about
    attr_accessor :published, :first, :status, :err_code, :failures

    def initialize(text, code, about = "")
      super(text)
      @code = code
      @about = about
      @published = @first = @status = @err_code = 0
      @failures = []
    end

    attr_writer :description

    def text = message

    # The server's own words; where it said nothing the whole text.
    def description = @description || message

    def counted(first, published)
      @first = first
      @published = published
    end
  end

  # A class for each status.
  CLASSES = {
    "TIMEOUT" => [:Timeout, ::Timeout::Error], "NO_RESPONDERS" => [:NoResponders, StandardError],
    "CLOSED" => [:Closed, ::IOError], "DISCONNECTED" => [:Disconnected, ::IOError],
    "AUTH" => [:Auth, StandardError], "PERMISSION" => [:Permission, StandardError],
    "PROTOCOL" => [:Protocol, StandardError], "MAX_PAYLOAD" => [:MaxPayload, ArgumentError],
    "SLOW_CONSUMER" => [:SlowConsumer, StandardError], "INVALID" => [:Invalid, ArgumentError],
    "LIMIT" => [:Limit, StandardError], "IO" => [:IOError, ::IOError], "TLS" => [:TLS, ::IOError],
    "NO_MEMORY" => [:NoMemory, NoMemoryError], "FORKED" => [:Forked, ::IOError],
    "NOT_SUPPORTED" => [:NotSupported, StandardError], "SERVER" => [:Server, StandardError],
    "INTERRUPTED" => [:Interrupted, StandardError]
  }.transform_values { |name, base| const_set(name, Class.new(base) { include Error }) }.freeze

  # What a newer library has gained is the server's class, with a code of its own.
  def self.error(code, text, about = "") = CLASSES.fetch(code, Server).new(text, code, about)

  def self.invalid(text, about = "") = error("INVALID", text, about)
end
