# frozen_string_literal: true

# JetStream's verbs for the drivers of Ruby. Arguments are native values, and verbs are the nouns' own methods, as a
# script would write them; what has no method of its own goes by JetStream#call and JetStream#consume.

require "json"
require "time"

# JSON of the cases as Ruby's values, and Ruby's values as the cases have them.
module Native
  VALUES = Polynats.const_get(:JetStreamValues)
  NS = 1_000_000_000
  SECONDS = "%Y-%m-%dT%H:%M:%S"

  module_function

  # Durations are ns there and seconds here; times are Times here, when they are good ones.
  def read(type, given)
    return given unless given.is_a?(Hash)

    given.to_h do |name, value|
      kind, element, of = VALUES.key(type, name) || [0, 0, ""]
      many = kind == VALUES::ARRAY && value.is_a?(Array)
      [name.to_sym, many ? value.map { |item| one(item, element, of) } : one(value, kind, of)]
    end
  end

  def one(value, kind, of)
    case [kind, value]
    in [VALUES::DURATION, Integer] then (value % NS).zero? ? value / NS : value.fdiv(NS)
    in [VALUES::DURATION, Float] then value.to_s # no number of ns: the library is shown it
    in [VALUES::TIME, String] then time(value) || value
    else value.is_a?(Hash) && !of.empty? ? read(of, value) : value
    end
  end

  def time(text)
    made = Time.iso8601(text)
    made if made.getutc.strftime("#{SECONDS}Z") == text
  rescue ArgumentError
    nil
  end

  # As JSON has it.
  def plain(value)
    case value
    when Hash then value.transform_values { |item| plain(item) }
    when Array then value.map { |item| plain(item) }
    when Float then (value * NS).round
    when Time then value.strftime("#{SECONDS}.%9N").sub(/\.?0+\z/, "") << "Z"
    else value
    end
  end

  def show(value)
    value = plain(value)
    Token.encode(value.is_a?(String) ? value : JSON.generate(value))
  end

  # config.sources.0.name; # counts. The token for it.
  def follow(value, path)
    path.split(".").each do |name|
      return value.size.to_s if name == "#"

      name = Integer(name, 10, exception: false) || value.size if value.is_a?(Array)
      there = value.is_a?(Array) ? name < value.size : value.is_a?(Hash) && value.key?(name)
      return "-" unless there

      value = value[name]
    end
    show(value)
  end
end

# Who has a method for a verb: the arguments that it has, those that it must have, and the call.
module Methods
  TABLE = {}
  WITHOUT_ANSWER = %w[delete_stream delete_message delete_consumer unpin_consumer stream_leader_stepdown
                      stream_peer_remove consumer_leader_stepdown].freeze
  LISTS = %w[streams stream_names consumers consumer_names].freeze
  WAYS = %i[seq last_by_subj next_by_subj].freeze

  def self.add(name, known, wanted, &call) = TABLE[name] = [known, wanted, call]

  def self.stream(js, given) = js.stream(given.delete(:stream))
  def self.consumer(js, given) = stream(js, given).consumer(given.delete(:consumer))

  # nil: it goes by JetStream#call.
  def self.find(name, given, paths)
    known, wanted, call = TABLE[name]
    return unless call && given.is_a?(Hash) && (given.keys - known).empty? && (wanted - given.keys).empty?
    return if WITHOUT_ANSWER.include?(name) && !paths.empty?
    return if name == "get_message" && !one_way?(given)
    return if name.end_with?("_stream") && known.include?(:config) && !given[:config].is_a?(Hash)

    call
  end

  def self.one_way?(given)
    ways = WAYS & given.keys
    ways.size == 1 || ways == %i[seq next_by_subj]
  end

  # The iterator's, as the answer would have them on one page.
  def self.whole(member, found)
    found = found.map { |one| one.respond_to?(:cached_info) ? one.cached_info : one }
    { member => found, "total" => found.size, "offset" => 0 }
  end

  add("account_info", [], []) { |js, _, more| js.account_info(**more) }
  add("streams", %i[subject], []) { |js, given, _| whole("streams", js.streams(**given)) }
  add("stream_names", %i[subject], []) { |js, given, _| whole("streams", js.stream_names(**given)) }
  add("consumers", %i[stream], %i[stream]) { |js, given, _| whole("consumers", stream(js, given).consumers) }
  add("consumer_names", %i[stream], %i[stream]) { |js, given, _| whole("consumers", stream(js, given).consumer_names) }

  %w[create update create_or_update get_or_create].each do |verb|
    add("#{verb}_stream", %i[config pedantic], %i[config]) do |js, given, more|
      js.public_send("#{verb}_stream", given.delete(:config), **given, **more).cached_info
    end
    add("#{verb}_consumer", %i[stream config pedantic], %i[stream]) do |js, given, more|
      stream = stream(js, given)
      stream.public_send("#{verb}_consumer", given.delete(:config), **given, **more).cached_info
    end
  end

  add("delete_stream", %i[stream], %i[stream]) { |js, given, more| js.delete_stream(given[:stream], **more) }
  add("stream_info", %i[stream subjects_filter deleted_details], %i[stream]) do |js, given, more|
    stream(js, given).info(**given, **more)
  end
  add("purge_stream", %i[stream subject seq keep], %i[stream]) do |js, given, more|
    { "purged" => stream(js, given).purge(**given, **more) }
  end
  add("seal_stream", %i[stream], %i[stream]) do |js, given, more|
    stream = stream(js, given)
    stream.seal(**more)
    stream.cached_info
  end
  add("change_stream", %i[stream config pedantic], %i[stream config]) do |js, given, more|
    stream = stream(js, given)
    stream.update(given.delete(:config), **given, **more)
  end
  add("stream_leader_stepdown", %i[stream placement], %i[stream]) do |js, given, more|
    stream(js, given).leader_stepdown(**given, **more)
  end
  add("stream_peer_remove", %i[stream peer], %i[stream peer]) do |js, given, more|
    stream(js, given).peer_remove(given[:peer], **more)
  end
  add("get_message", %i[stream seq last_by_subj next_by_subj no_hdr direct], %i[stream]) do |js, given, more|
    stream = stream(js, given)
    if given.key?(:last_by_subj)
      stream.get_last(given.delete(:last_by_subj), **given, **more)
    elsif given.key?(:next_by_subj)
      stream.get_next(given.delete(:next_by_subj), *given.delete(:seq), **given, **more)
    else
      stream.get(given.delete(:seq), **given, **more)
    end
  end
  add("delete_message", %i[stream seq no_erase], %i[stream seq]) do |js, given, more|
    stream(js, given).delete_message(given[:seq], erase: !given[:no_erase], **more)
  end

  add("delete_consumer", %i[stream consumer], %i[stream consumer]) do |js, given, more|
    consumer(js, given).delete(**more)
  end
  add("consumer_info", %i[stream consumer], %i[stream consumer]) { |js, given, more| consumer(js, given).info(**more) }
  add("pause_consumer", %i[stream consumer pause_until], %i[stream consumer pause_until]) do |js, given, more|
    consumer(js, given).pause(given[:pause_until], **more)
  end
  add("resume_consumer", %i[stream consumer], %i[stream consumer]) do |js, given, more|
    consumer(js, given).resume(**more)
  end
  add("reset_consumer", %i[stream consumer seq], %i[stream consumer]) do |js, given, more|
    consumer(js, given).reset(given[:seq], **more)
  end
  add("unpin_consumer", %i[stream consumer group], %i[stream consumer group]) do |js, given, more|
    consumer(js, given).unpin(given[:group], **more)
  end
  add("consumer_leader_stepdown", %i[stream consumer placement], %i[stream consumer]) do |js, given, more|
    consumer(js, given).leader_stepdown(**given.slice(:placement), **more)
  end
end

# The verbs.
class Driver
  # ---- management ----

  def js
    keep(1, handle(0).jetstream(domain: Token.decode(@options["domain"]), prefix: Token.decode(@options["prefix"]),
                                timeout: timeout("timeout_ms")))
  end

  def js_call
    name, paths = word(1), @words.drop(4)
    given = arguments(2, name)
    more = { timeout: timeout("timeout_ms") }
    found = Methods.find(name, given, paths)
    put_answer(found ? found.call(handle(0), given, more) : handle(0).call(name, given, **more), paths)
  end

  def js_call_start
    keep(1, handle(0).call_start(word(2), arguments(3, word(2)), timeout: timeout("timeout_ms")))
  end

  def js_call_wait = put_answer(handle(0).wait(timeout: timeout("wait_ms")), @words.drop(2))

  def js_get_many
    given = arguments(1, "get_messages")
    stream = handle(0).stream(given.delete(:stream))
    stream.get_many(**given, timeout: timeout("timeout_ms")) { |msg| put_msg(msg) }
    put("ok")
  end

  # ---- publish ----

  def js_publish = put_ack(handle(0).publish(*message(1), **storing, timeout: timeout("timeout_ms")), @words.drop(4))

  def js_publish_start
    keep(1, handle(0).publish_start(*message(2), **storing, timeout: timeout("timeout_ms")))
  end

  def js_wait
    ack = handle(0).wait(timeout: timeout("wait_ms"))
    ack ? put_ack(ack, @words.drop(2)) : put("none")
  end

  def js_publisher = keep(1, handle(0).publisher(max_pending: number("max"), fast: @options["fast"] == "1"))
  def js_pub = put("ok", handle(0).publish(*message(1), **storing))

  def js_pub_many
    datas = @words.drop(3).map { |data| Token.decode(data) }
    put("ok", handle(0).publish_many(text(1), datas), datas.size)
  rescue Polynats::Error => e
    failed(e)
    put("ok", e.first, e.published)
  end

  def js_publish_many
    datas = @words.drop(3).map { |data| Token.decode(data) }
    put("ok", handle(0).publish_many(text(1), datas, timeout: timeout("timeout_ms")))
  rescue Polynats::Error => e
    failed(e)
    e.failures.each { |place, error| put("failure", place, *error_words(error)) }
    put("ok", e.published)
  end

  def js_flush = done { handle(0).flush(timeout: timeout("timeout_ms")) }
  def js_flush_start = keep(1, handle(0).flush_start(timeout: timeout("timeout_ms")))

  def js_failures
    found = handle(0).failures
    found.each { |number, error| put("failure", number, *error_words(error)) }
    put("none") if found.empty?
  end

  def js_publisher_stats = put("ok", *handle(0).stats.values)
  def js_batch = keep(1, handle(0).batch)
  def js_batch_add = done { handle(0).add(*message(1), **storing, timeout: timeout("timeout_ms")) }

  def js_batch_add_start
    keep(1, handle(0).add_start(*message(2), **storing, timeout: timeout("timeout_ms")))
  end

  def js_batch_commit
    put_ack(handle(0).commit(*message(1), **storing, timeout: timeout("timeout_ms")), @words.drop(4))
  end

  def js_batch_commit_start
    keep(1, handle(0).commit_start(*message(2), **storing, timeout: timeout("timeout_ms")))
  end

  # ---- consume ----

  def js_consume
    keep(1, handle(0).consume(word(2), arguments(3, word(2)), timeout: timeout("timeout_ms")))
  end

  def js_consume_start
    sub, @handles[word(2)] =
      handle(0).consume_start(word(3), arguments(4, word(3)), timeout: timeout("timeout_ms"))
    keep(1, sub)
  end

  def js_consumer = keep(1, handle(0).stream(text(2)).consumer(text(3)))
  def js_fetch = put_list(handle(0).fetch(max: number("max"), wait: timeout("wait_ms")))

  def js_consume_wait = done { handle(0).wait(timeout: timeout("wait_ms")) }

  def msg_ack
    msg = handle(1)
    done do
      case word(2)
      when "ack" then msg.ack
      when "in_progress" then msg.in_progress
      when "nak" then msg.nak(delay: timeout("delay_ms"))
      when "term" then msg.term(reason: Token.decode(@options["reason"]))
      else raise TypeError, "#{word(2)} is no way to acknowledge"
      end
    end
  end

  def ack_sync = done { handle(1).ack_sync(timeout: timeout("timeout_ms")) }
  def ack_many = put("ok", handle(0).ack_many(@words.drop(2).map { |name| @handles.fetch(name) }))

  def msg_meta
    place = handle(0).metadata or return put("none")
    values = @words.drop(2).map { |name| name == "time_ns" ? (place.time.to_r * Native::NS).to_i : place[name] || "" }
    put("ok", *values.map { |value| value.is_a?(Integer) ? value : Token.encode(value) })
  end

  private

  # As the gem takes it: nil for -1, and what is wrong stays wrong.
  def timeout(key)
    ms = number(key)
    ms / 1000.0 unless ms.nil? || ms == -1
  end

  # A text when they are no JSON.
  def arguments(index, type)
    text = Token.decode(@words[index + 1])
    return {} if text.nil? || text.empty?

    text = text.dup.force_encoding(Encoding::UTF_8)
    Native.read(type, JSON.parse(text))
  rescue JSON::ParserError
    text
  end

  def put_paths(answer, paths)
    put("ok", *paths.map { |path| Native.follow(answer, Token.decode(path)) })
  end

  def put_answer(answer, paths)
    answer.is_a?(Polynats::Message) ? put_one(answer) : put_paths(answer, paths)
  end

  ACK_PARTS = { "val" => :value }.freeze

  def put_ack(ack, fields)
    return put("ok", Token.encode(ack.stream), ack.seq, ack.duplicate ? 1 : 0) if fields.empty?

    put("ok", *fields.map do |name|
      value = ack.public_send(ACK_PARTS.fetch(name, name))
      value = value ? 1 : 0 if [true, false].include?(value)
      Token.encode(value&.to_s)
    end)
  end

  # Subject and data from word `index` on.
  def message(index) = [Token.decode(@words[index + 1]), Token.decode(@words[index + 2])]

  def storing
    known = Native::VALUES.keywords.keys.select { |name| @options.key?(name.to_s) }
    { headers: headers_given, **known.to_h { |name| [name, Token.decode(@options[name.to_s])] } }
  end
end
