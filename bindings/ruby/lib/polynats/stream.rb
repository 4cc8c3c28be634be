# frozen_string_literal: true

module Polynats
  # A stream, by its name. Made by {JetStream#stream} and those that make or list streams.
  class Stream
    # @return [JetStream]
    attr_reader :js
    # @return [String]
    attr_reader :name
    # @return [Hash{String => Object}, nil] what the server told last of its configuration and state; nil: it was not
    #   asked
    attr_reader :cached_info

    private_class_method :new

    # @api private
    def self.of(js, name, info) = new(js, name, info)

    # @api private
    def initialize(js, name, info)
      @js = js
      @name = name
      @cached_info = info
    end

    # @return [Hash{String => Object}, nil] its configuration as it was told last
    def config = cached_info && cached_info["config"]

    # Configuration and state.
    # @param subjects_filter [String, nil] with how many messages each of these subjects has, as state's subjects
    # @param deleted_details [Boolean] with the sequences of deleted messages
    # @return [Hash{String => Object}]
    # @raise [Server] err_code 10059 when there is none
    def info(subjects_filter: nil, deleted_details: false, timeout: nil)
      arguments = { subjects_filter: subjects_filter, deleted_details: deleted_details || nil }
      found = ask("stream_info", timeout, **arguments)
      add_subjects(found, arguments, timeout)
      @cached_info = found
    end

    # Changes its configuration: what is left out, or nil, stays. An Array or a Hash is replaced as a whole; an empty
    # one takes out what is there.
    # @return [Hash{String => Object}] the info
    def update(changes = nil, pedantic: false, timeout: nil, **more)
      config = JetStreamValues.config_of(changes, more)
      @cached_info = ask("change_stream", timeout, config: config, pedantic: pedantic || nil)
    end

    # Deletes it and all that is in it.
    # @return [nil]
    def delete(timeout: nil)
      ask("delete_stream", timeout)
      nil
    end

    # Deletes messages: all, those of a subject, those before a sequence, or all but so many.
    # @return [Integer] how many
    def purge(subject: nil, keep: nil, seq: nil, timeout: nil)
      ask("purge_stream", timeout, subject: subject, keep: keep, seq: seq)["purged"] || 0
    end

    # Lets nothing in or out any more, for ever.
    # @return [nil]
    def seal(timeout: nil)
      @cached_info = ask("seal_stream", timeout)
      nil
    end

    # Has another server lead it.
    # @return [nil]
    def leader_stepdown(placement: nil, timeout: nil)
      ask("stream_leader_stepdown", timeout, placement: placement)
      nil
    end

    # Has its copy on another server than this, by name or id.
    # @return [nil]
    def peer_remove(peer, timeout: nil)
      ask("stream_peer_remove", timeout, peer: peer)
      nil
    end

    # ---- messages ----

    # @param options no_hdr, direct: see docs/jetstream.md
    # @return [Message] of that sequence
    # @raise [Server] err_code 10037 when there is none
    def get(seq, timeout: nil, **options) = ask("get_message", timeout, seq: seq, **options)

    # @return [Message] the last of a subject, or of a pattern
    def get_last(subject, timeout: nil, **options)
      ask("get_message", timeout, last_by_subj: subject, **options)
    end

    # @return [Message] the first of a subject, or of a pattern, from a sequence on
    def get_next(subject, seq = 1, timeout: nil, **options)
      ask("get_message", timeout, next_by_subj: subject, seq: seq, **options)
    end

    # Messages of the stream, read in one request: from a sequence or a time on, of a subject, or the last of each of
    # several. Needs nats-server 2.11 and a stream with allow_direct.
    # @param options batch, seq, start_time, next_by_subj, multi_last, max_bytes, up_to_seq, up_to_time, no_hdr
    # @yieldparam message [Message]
    # @return [self, Enumerator] an Enumerator without a block
    def get_many(timeout: nil, **options)
      return to_enum(:get_many, timeout: timeout, **options) unless block_given?

      future = js.__send__(:ask, "get_messages", { stream: name, **options }, timeout)
      begin
        while (message = future.wait)
          yield message
        end
      ensure
        future.cancel
      end
      self
    end

    # Deletes a message, and overwrites its bytes when it is to be erased.
    # @return [nil]
    def delete_message(seq, erase: true, timeout: nil)
      ask("delete_message", timeout, seq: seq, no_erase: erase ? nil : true)
      nil
    end

    # ---- consumers ----

    # Makes a consumer. Its configuration is a Hash in the server's own schema, keywords, or both: keywords win. One of
    # that name and the same configuration will do.
    # @return [Consumer]
    def create_consumer(config = nil, pedantic: false, timeout: nil, **more)
      ask_consumer("create_consumer", config, more, pedantic, timeout)
    end

    # Has a consumer as this says: what is left out is as if it were new.
    # @return [Consumer]
    def update_consumer(config = nil, pedantic: false, timeout: nil, **more)
      ask_consumer("update_consumer", config, more, pedantic, timeout)
    end

    # Has a consumer as this says, whether there is one or not.
    # @return [Consumer]
    def create_or_update_consumer(config = nil, pedantic: false, timeout: nil, **more)
      ask_consumer("create_or_update_consumer", config, more, pedantic, timeout)
    end

    # Takes the consumer of that name as it is, or makes it.
    # @return [Consumer]
    def get_or_create_consumer(config = nil, pedantic: false, timeout: nil, **more)
      ask_consumer("get_or_create_consumer", config, more, pedantic, timeout)
    end

    # @return [nil]
    def delete_consumer(name, timeout: nil)
      ask("delete_consumer", timeout, consumer: name)
      nil
    end

    # The consumer of that name. Nobody is asked whether there is one: {Consumer#info} does.
    # @return [Consumer]
    def consumer(name) = Consumer.of(self, name, nil)

    # Its consumers. Each knows its info.
    # @yieldparam consumer [Consumer]
    # @return [self, Enumerator]
    def consumers(timeout: nil)
      return to_enum(:consumers, timeout: timeout) unless block_given?

      list("consumers", timeout) { |info| yield Consumer.of(self, info["name"], info) }
    end

    # @yieldparam name [String]
    # @return [self, Enumerator]
    def consumer_names(timeout: nil, &block)
      return to_enum(:consumer_names, timeout: timeout) unless block

      list("consumer_names", timeout, &block)
    end

    # All of the stream in order, without holes or duplicates: a consumer that is made anew wherever a message is
    # missed. It acknowledges nothing.
    # @return [OrderedConsumer]
    def ordered_consumer(config = nil, **more) = OrderedConsumer.of(self, JetStreamValues.config_of(config, more))

    # @return [String]
    def inspect = "#<#{self.class} #{name}>"

    private

    def ask(verb, timeout, **arguments) = js.call(verb, { stream: name, **arguments }, timeout: timeout)

    def list(verb, timeout, &block)
      js.__send__(:list, verb, "consumers", { stream: name }, timeout, &block)
      self
    end

    def ask_consumer(verb, config, more, pedantic, timeout)
      found = ask(verb, timeout, config: JetStreamValues.config_of(config, more), pedantic: pedantic || nil)
      Consumer.of(self, found["name"], found)
    end

    # The server has pages of them.
    def add_subjects(info, arguments, timeout)
      subjects = info["state"]["subjects"]
      while subjects && subjects.size < (info["total"] || 0)
        before = subjects.size
        page = ask("stream_info", timeout, **arguments, offset: before)
        subjects.merge!(page["state"]["subjects"] || {})
        break if subjects.size == before
      end
    end
  end
end
