# frozen_string_literal: true

require_relative "core"

module PolynatsFFI
  # The server's INFO as a Hash, in the server's own schema.
  module Info
    module_function

    def value_of(kind, text)
      case kind
      when Declarations::NATS_INFO_BOOL then text == "true"
      when Declarations::NATS_INFO_INT then Integer(text, 10)
      else text
      end
    end

    def to_hash(handle)
      boxes = Array.new(5) { Box.new }
      cursor, name, value, size, in_list = boxes
      found = {}
      until (kind = C.nats_info_next(handle, cursor, name, value, size, in_list)).zero?
        key = Core.text_at(Fiddle::Pointer.new(name.address))
        item = value_of(kind, Core.text_of(Fiddle::Pointer.new(value.address), size.size))
        in_list.int32.zero? ? found[key] = item : (found[key] ||= []) << item
      end
      found
    end

    # What the block leaves in the box it is given, as a Hash or as its JSON text.
    def take(json, &make)
      handle = Handle.new(:nats_info_free, &make)
      return to_hash(handle) unless json

      size = Box.new
      text = C.nats_info_json(handle, size)
      Core.text_of(text, size.size)
    end
  end
end
