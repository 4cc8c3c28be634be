# frozen_string_literal: true

# Options of a connection, by name; and the servers.

require_relative "core"

module PolynatsFFI
  module Options
    TYPES = {
      Declarations::NATS_OPTION_TEXT => :text, Declarations::NATS_OPTION_BOOL => :bool,
      Declarations::NATS_OPTION_INT => :integer, Declarations::NATS_OPTION_DURATION => :seconds
    }.freeze

    module_function

    def set_number(handle, name, value)
      if value.is_a?(Integer) && value.abs > Core::INT64_MAX
        return set_text(handle, name, value.to_s) # the library says what is wrong with it
      end

      duration = C.nats_options_type(name) == Declarations::NATS_OPTION_DURATION
      return C.nats_options_set_int(handle, name, value) if value.is_a?(Integer) && !duration

      C.nats_options_set_double(handle, name, value.to_f)
    end

    def set_text(handle, name, value)
      text = Core.text_in(value, "option '#{name}'")
      C.nats_options_set_text(handle, name, text, text.bytesize)
    end

    def set(handle, name, value)
      case value
      when true, false then C.nats_options_set_bool(handle, name, value ? 1 : 0)
      when Numeric then set_number(handle, name, value)
      else set_text(handle, name, value)
      end
    end

    # interruptible: Ctrl-C in a waiting call must reach the program.
    def make(given, interruptible)
      handle = Handle.new(:nats_options_free) { |out| C.nats_options_new(out) }
      Core.done(C.nats_options_set_bool(handle, "interruptible", 1)) if interruptible
      given.compact.each do |name, value|
        Core.done(set(handle, Core.c_text_in(name.to_s, "an option's name"), value))
      end
      handle
    end

    # "a,b" of ["a", "b"]; a text as it is; nil for nil.
    def servers_of(servers)
      return nil if servers.nil?
      return Core.c_text_in(servers, "url") unless servers.is_a?(Array)
      raise PolynatsFFI.invalid("a URL or a list of them expected", "url") if servers.empty?

      servers.map { |url| Core.c_text_in(url, "a URL of the list") }.join(",")
    end
  end

  # Every option of connect, as hashes.
  def self.options
    (0..).lazy.map { |index| Core.text_at(C.nats_options_name(index)) }.take_while(&:itself)
         .map do |name|
           { name: name.to_sym, doc: Core.text_at(C.nats_options_doc(name)),
             type: Options::TYPES.fetch(C.nats_options_type(name), :unknown) }
         end.to_a
  end
end
