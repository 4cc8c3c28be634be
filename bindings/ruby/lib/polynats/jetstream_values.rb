# frozen_string_literal: true

module Polynats
  # How Ruby's values become JSON of the server's schema, and its answers Ruby's values.
  # In C are parse(text), key(type, name), keywords, and invalid(about, text).
  # @api private
  module JetStreamValues
    # Kinds of value, as the library numbers them.
    ARRAY = 7
    OBJECT = 8
    DURATION = 9
    TIME = 10

    NS = 1_000_000_000
    NS_MAX = (2**63) - 1

    class << self
      # The arguments of a verb, as a text. nil stands for what is not given.
      def encode(verb, arguments)
        require "json"
        JSON.generate(object(verb, map_of(arguments, "arguments")))
      end

      # A map, keywords, or both: keywords win.
      def config_of(given, more)
        given.nil? ? texts(more) : texts(map_of(given, "config")).merge(texts(more))
      end

      # Waits for what a future gives; it is given up when who waits does.
      def finish(future)
        future.wait
      ensure
        future.cancel
      end

      # What a verb was answered: the message that was asked for, or the answer's value.
      def read(msg)
        return msg if msg.nil? || msg.metadata

        msg.data.empty? ? {} : parse(msg.data)
      end

      # What may find nothing waits; a timeout is for what must have an answer.
      def refuse_timeout(verb, options)
        return unless options.key?(:timeout)

        invalid("timeout", "#{verb}: unknown key 'timeout': did you mean 'wait'?")
      end

      # Of a method that names its options.
      def refuse_options(verb, options, *known)
        return if options.empty?

        name = options.keys.first
        invalid(name.to_s, "#{verb}: unknown key '#{name}'#{nearest(name.to_s, known)}")
      end

      def at_least(least, name, value)
        raise TypeError, "#{name} must be a number, not #{value.class}" unless value.is_a?(Numeric)

        invalid(name, "#{name} must be #{least} or more, not #{value}") unless value >= least
      end

      def refuse_keyword(name)
        invalid(name, "publish has no keyword '#{name}'#{hint(name)}")
      end

      private

      def map_of(value, what)
        Hash.try_convert(value) || raise(TypeError, "#{what} must be a Hash, not #{value.class}")
      end

      def texts(map) = map.transform_keys { |key| name_of(key) }

      def name_of(key)
        return key.name if key.is_a?(Symbol)
        raise TypeError, "a key must be a String or a Symbol, not #{key.class}" unless key.is_a?(String)

        text("key", key)
      end

      # Names that are not in the library's table go through: it refuses them, and tells the nearest.
      def object(type, given)
        given.compact.to_h do |key, value|
          name = name_of(key)
          [name, value_of(name, value, *(key(type, name) || [0, 0, ""]))]
        end
      end

      def value_of(name, value, kind, element, of)
        many = kind == ARRAY && list_of(value)
        return many.map { |one| value_of(name, one, element, 0, of) } if many

        case kind
        when DURATION then duration(name, value)
        when TIME then time(name, value)
        else plain(name, value, kind == OBJECT ? of : "")
        end
      end

      def list_of(value) = defined?(Set) && value.is_a?(Set) ? value.to_a : Array.try_convert(value)

      def plain(name, value, of)
        case value
        when nil, true, false, Integer then value
        when String then text(name, value)
        when Symbol then value.name
        when Float, Rational then real(name, value)
        when Hash then object(of, value)
        when Array then value.map { |one| plain(name, one, of) }
        else raise TypeError, "#{name} cannot be of the class #{value.class}"
        end
      end

      def real(name, value)
        number = value.to_f
        return number if number.finite?

        invalid(name, "#{name} is no number that JSON has: #{number}")
      end

      # Bytes are taken for UTF-8.
      def text(name, value)
        binary = value.encoding == Encoding::BINARY
        made = binary ? value.dup.force_encoding(Encoding::UTF_8) : value.encode(Encoding::UTF_8)
        made.valid_encoding? ? made : invalid(name, "#{name} has bytes that are no UTF-8")
      rescue EncodingError
        invalid(name, "#{name} has bytes that have no form in UTF-8")
      end

      # Nanoseconds, of seconds; a text such as "2m" is the library's to read.
      def duration(name, value)
        return text(name, value) if value.is_a?(String)
        unless value.is_a?(Integer) || value.is_a?(Float) || value.is_a?(Rational)
          raise TypeError, "#{name} must be a number of seconds or a String, not #{value.class}"
        end

        real(name, value)
        ns = value * NS
        ns.abs > NS_MAX ? invalid(name, "#{name} is over 292 years") : ns.round
      end

      # RFC 3339, of a Time, of what becomes one, or of seconds since 1970.
      def time(name, value)
        case value
        when String then text(name, value)
        when Time then moment(value)
        when Integer, Float, Rational then since_1970(name, value)
        else
          return moment(value.to_time) if value.respond_to?(:to_time)

          raise TypeError, "#{name} must be a Time, seconds since 1970 or a String, not #{value.class}"
        end
      end

      def since_1970(name, value)
        invalid(name, "#{name} is no time: #{value}") unless real(name, value).abs * NS <= NS_MAX
        moment(Time.at(value))
      end

      def moment(time)
        utc = time.getutc
        utc.strftime(utc.subsec.zero? ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%S.%9NZ")
      end

      def hint(name)
        return ": did you mean 'timeout'?" if name == "wait"
        return " here: the timeout of nc.jetstream holds" if name == "timeout"

        nearest(name, keywords.keys.map(&:name))
      end

      def nearest(name, known)
        return "" unless defined?(DidYouMean::SpellChecker)

        near = DidYouMean::SpellChecker.new(dictionary: known).correct(name).first
        near ? ": did you mean '#{near}'?" : ""
      end
    end
  end
  private_constant :JetStreamValues
end
