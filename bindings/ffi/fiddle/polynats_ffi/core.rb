# frozen_string_literal: true

# What all parts share: the library, results, the checks of arguments, and waiting.

require "fiddle"
require_relative "declarations"
require_relative "error"

module PolynatsFFI
  # The functions of the library by their names.
  module C
    # Those that wait, or free what waits: other threads run meanwhile. The rest is over before a
    # thread switch would be.
    WAITING = %i[
      nats_connect nats_client_close nats_client_drain nats_client_forget nats_client_publish
      nats_client_subscribe_with nats_client_unsubscribe nats_client_unsubscribe_subject
      nats_client_publish_with nats_client_publish_many nats_client_flush nats_client_get
      nats_client_get_callbacks nats_client_request_start nats_client_request_many
      nats_client_rtt nats_client_next_event nats_client_process nats_future_wait nats_sub_next
      nats_sub_get nats_sub_drain nats_sub_unsubscribe
      nats_client_ack nats_client_ack_many nats_client_ack_sync_start
      nats_js_call_start nats_js_consume_start nats_js_publish_start nats_js_publisher_fast
      nats_js_publisher_publish nats_js_publisher_publish_many nats_js_publisher_flush
      nats_js_publisher_flush_start nats_js_publisher_free nats_js_batch_add_start
      nats_js_batch_commit_start nats_js_batch_free
    ].freeze

    def self.open_library
      named = ENV["POLYNATS_LIB"]
      return Fiddle.dlopen(named) if named

      Fiddle.dlopen("libpolynats.so.#{Declarations::POLYNATS_ABI}")
    end

    LIBRARY = open_library

    def self.address(name)
      LIBRARY[name.to_s]
    rescue Fiddle::DLError
      raise LoadError, "the library has no #{name}: it is older than this module"
    end

    Declarations::FUNCTIONS.each do |name, (result, parameters)|
      function = Fiddle::Function.new(address(name), parameters, result,
                                      name: name.to_s, need_gvl: !WAITING.include?(name))
      define_singleton_method(name) { |*args| function.call(*args) }
    end

    found = nats_abi
    unless found == Declarations::POLYNATS_ABI
      raise LoadError, "the library has ABI #{found}, this module speaks ABI " \
                       "#{Declarations::POLYNATS_ABI}"
    end
  end

  # Memory that the library writes to: outside of Ruby's heap, where nothing moves.
  class Box
    SIZE = 8

    attr_reader :to_ptr

    def initialize(bytes = SIZE)
      @to_ptr = Fiddle::Pointer.malloc(bytes, Fiddle::RUBY_FREE)
      @to_ptr[0, bytes] = "\0" * bytes
    end

    def size = @to_ptr[0, 8].unpack1("J")
    alias address size
    def int32 = @to_ptr[0, 4].unpack1("l")
    def int64 = @to_ptr[0, 8].unpack1("q")
    def uint64 = @to_ptr[0, 8].unpack1("Q")
    def filled? = address != 0
    def address=(value)
      @to_ptr[0, 8] = [value].pack("J")
    end

    # The address, which is in the box no more: whoever takes it frees it.
    def take
      found = address
      self.address = 0
      found
    end
  end

  # A handle of the library, freed with the last reference to it.
  class Handle
    def self.freeing(box, free) = proc { C.public_send(free, box.take) if box.filled? }

    # The handle that the block leaves in the box. It owns what comes before anything can strike.
    def initialize(free)
      @box = Box.new
      @free = Handle.freeing(@box, free)
      ObjectSpace.define_finalizer(self, @free)
      Core.done(yield(@box))
      @to_ptr = Fiddle::Pointer.new(@box.address)
    end

    attr_reader :to_ptr

    # Now, and not again.
    def free
      @to_ptr = nil
      @free.call
    end
  end

  # Checks, results and waiting.
  module Core
    OK = Declarations::NATS_OK
    INTERRUPTED = Declarations::NATS_ERR_INTERRUPTED
    INT64_MAX = 2**63 - 1
    WAIT_MS_MAX = 4_000_000_000_000 # 126 years, which still fit into ns: what is longer is cut to it
    FOR_EVER = -1
    # Ruby cannot interrupt a call of Fiddle's: Thread#kill, Timeout and traps are heard in between.
    SLICE_MS = 50
    NS = 1e9

    module_function

    # ---- results ----

    def text_at(pointer) = pointer.null? ? nil : pointer.to_s.force_encoding(Encoding::UTF_8)

    # Texts from the network: UTF-8 if they are that.
    def text_of(pointer, length) = pointer.null? ? nil : pointer[0, length].force_encoding("UTF-8")

    def status_name(status) = text_at(C.nats_status_name(status))

    # The error that the thread's last call left, to be raised.
    def failure(status)
      text = text_at(C.nats_last_error(nil))
      about = text_at(C.nats_last_about)
      code = C.nats_last_code
      err_code = C.nats_last_err_code
      said = text_at(C.nats_last_description)
      if C.nats_last_status != status || text.empty?
        # A finalizer or a trap called the library in between.
        text = text_at(C.nats_status_text(status))
        about = ""
        code = err_code = 0
        said = ""
      end
      PolynatsFFI.error(status_name(status), text, about).tap do |problem|
        problem.status = code
        problem.err_code = err_code
        problem.description = said unless said.empty?
      end
    end

    def done(status)
      raise failure(status) unless status == OK
    end

    # ---- arguments ----

    # The bytes of a text. The library looks at them: it is told their length.
    def text_in(value, what)
      raise TypeError, "#{what} must be a String, not #{value.class}" unless value.is_a?(String)

      utf8 = [Encoding::UTF_8, Encoding::BINARY, Encoding::US_ASCII].include?(value.encoding)
      utf8 ? value.b : value.encode(Encoding::UTF_8).b
    rescue EncodingError => e
      raise PolynatsFFI.invalid("#{what} cannot be made UTF-8: #{e.message}", what)
    end

    def text_or_nil(value, what) = value.nil? ? nil : text_in(value, what)

    # A text for a parameter that ends with its NUL.
    def c_text_in(value, what)
      text = text_in(value, what)
      raise PolynatsFFI.invalid("#{what} holds a NUL byte", what) if text.include?("\0")

      text
    end

    # The bytes of a payload, as they are; a copy, which no other thread can change.
    def data_in(value, what = "data")
      return "".b if value.nil?
      raise TypeError, "#{what} must be a String, not #{value.class}" unless value.is_a?(String)

      value.b
    end

    def count_in(value, what, least, default = nil)
      return default if value.nil? && default
      raise TypeError, "#{what} must be an Integer, not #{value.class}" unless value.is_a?(Integer)
      return value if value.between?(least, INT64_MAX)

      raise PolynatsFFI.invalid("#{what} must be #{least} or more, not #{value}", what)
    end

    # Seconds to ms, rounded up so that a short wait is not none.
    def ms_in(value, what = "timeout", default = FOR_EVER)
      return default if value.nil?
      raise TypeError, "#{what} must be a number, not #{value.class}" unless value.is_a?(Numeric)
      raise PolynatsFFI.invalid("#{what} must be 0 or more, not #{value}", what) unless value >= 0

      value * 1000 > WAIT_MS_MAX ? WAIT_MS_MAX : (value * 1000 - 1e-6).ceil
    end

    def seconds(milliseconds) = milliseconds.negative? ? nil : milliseconds / 1000.0

    # ---- waiting ----

    def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

    def deadline_of(milliseconds) = milliseconds.negative? ? nil : now + milliseconds / 1000.0

    def ms_left(deadline)
      deadline ? [((deadline - now) * 1000).ceil, 0].max : FOR_EVER
    end

    # Call the block with ms until no signal interrupted it. Ruby runs traps between two calls, so
    # Ctrl-C raises Interrupt from here.
    def waiting(milliseconds, default_ms = nil)
      deadline = deadline_of(milliseconds.negative? ? default_ms || FOR_EVER : milliseconds)
      status = yield milliseconds
      while status == INTERRUPTED
        Credentials.answer_all
        status = yield ms_left(deadline)
      end
      status
    end

    # The same in slices: the block returns nil when nothing came in the ms it was given. In the
    # end the status, OK for silence.
    def sliced(milliseconds, woken = nil)
      deadline = deadline_of(milliseconds)
      loop do
        left = deadline ? ms_left(deadline) : SLICE_MS
        status = yield [left, SLICE_MS].min
        if status == INTERRUPTED
          Credentials.answer_all
          next
        end
        return status unless status.nil?
        return OK if deadline && ms_left(deadline).zero?
        return OK if woken&.call
      end
    end

    def empty(box, found, free, convert)
      return unless box.filled?

      found << convert.call(Fiddle::Pointer.new(box.address)) if found.empty?
      made = found.first
      address = box.take
      C.public_send(free, address) unless made.respond_to?(:keep_native) && made.keep_native(address)
    end

    # What the block leaves in the box, or nil. An exception may strike between any two lines, that
    # of Ctrl-C most of all: what the box held then goes to kept.
    def take_one(milliseconds, free, convert, kept, woken = nil)
      box = Box.new
      found = []
      begin
        done(sliced(milliseconds, woken) do |left|
          status = yield(left, box)
          status == OK && !box.filled? ? nil : status
        end)
        empty(box, found, free, convert)
      rescue Exception
        empty(box, found, free, convert)
        kept.concat(found)
        raise
      end
      found.first
    end
  end

  # The numbers run down from 0 without a gap.
  STATUS = (0..).lazy.map { |at| [Core.status_name(-at), -at] }
                .take_while { |name, _| name != "UNKNOWN" }.to_h.freeze

  # The library's version.
  def self.version = Core.text_at(C.nats_version)

  # The number in the library's SONAME.
  def self.abi = C.nats_abi

  # Seconds of the monotonic clock.
  def self.now = Core.now
end
