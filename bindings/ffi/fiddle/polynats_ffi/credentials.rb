# frozen_string_literal: true

require_relative "event"

module PolynatsFFI
  # Functions that supply credentials. A call that waits is interrupted when a server wants them; it
  # runs the function, in its own thread, and goes on.
  module Credentials
    TEXTS = %i[user password token jwt seed public_key].freeze
    NAMES = [*TEXTS, :signature].freeze

    @clients = ObjectSpace::WeakMap.new # those that have a function

    module_function

    # Answer what the client is asked; nil: not used.
    def give(handle, given)
      texts = TEXTS.map { |name| given[name] && Core.c_text_in(given[name], name.to_s) }
      signature = given[:signature] && Core.data_in(given[:signature], "signature")
      Core.done(C.nats_client_credentials(handle, *texts, signature, signature&.bytesize || 0))
    end

    def check(given)
      given = (given || {}).transform_keys(&:to_sym)
      odd = given.keys.find { |name| !NAMES.include?(name) }
      return given unless odd

      raise PolynatsFFI.invalid("credentials: #{odd} is none of #{NAMES.join(", ")}", odd.to_s)
    end

    # The nonce to sign, or an empty text; nil when nothing is asked, or somebody took it.
    def question(handle)
      box = Box.new
      Core.done(C.nats_client_question(handle, box))
      return nil unless box.filled?

      begin
        Core.text_at(C.nats_event_text(box.to_ptr.ptr))
      ensure
        C.nats_event_free(box.take)
      end
    end

    def register(client)
      @clients[client] = true
    end

    def answer_all
      @clients.keys.each { |client| client.answer unless client.status == "closed" }
    end
  end
end
