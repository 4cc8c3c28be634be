# frozen_string_literal: true

module PolynatsFFI
  # One family. code: the status's name; about: the subject, option, argument or limit that it is
  # about; published: of publish_many, how many were accepted before.
  class Error < StandardError
    attr_reader :code, :about
    attr_accessor :published

    def initialize(text, code, about = "")
      super(text)
      @code = code
      @about = about
    end
  end

  # A class for each status; Error itself for one that a newer library has gained.
  CLASSES = {
    "TIMEOUT" => :Timeout, "NO_RESPONDERS" => :NoResponders, "CLOSED" => :Closed,
    "DISCONNECTED" => :Disconnected, "AUTH" => :AuthError, "PERMISSION" => :PermissionDenied,
    "PROTOCOL" => :ProtocolError, "MAX_PAYLOAD" => :MaxPayload, "SLOW_CONSUMER" => :SlowConsumer,
    "INVALID" => :Invalid, "LIMIT" => :LimitReached, "IO" => :IOFailed, "TLS" => :TLSError,
    "NO_MEMORY" => :NoMemory, "FORKED" => :Forked, "NOT_SUPPORTED" => :NotSupported,
    "SERVER" => :ServerError, "INTERRUPTED" => :Interrupted
  }.transform_values { |name| const_set(name, Class.new(Error)) }.freeze

  def self.error(code, text, about = "")
    CLASSES.fetch(code, Error).new(text, code, about)
  end

  def self.invalid(text, about = "") = error("INVALID", text, about)
end
