# frozen_string_literal: true

# The conformance driver for Ruby's Fiddle. It reads command lines, calls the module, prints what
# came of it. The line protocol is in ../README.md. It knows no expectation: those are in the cases.

require "polynats_ffi"

# The driver was asked for what it has not.
class Lost < StandardError
end

# ---- tokens ----

# Bytes to tokens and back.
module Token
  PLAIN = %r{[^!#$&'()*+\-./0-9:;<>?@A-Z\[\\\]^_`a-z\{|\}~]}n.freeze

  module_function

  def decode(token)
    return nil if token.nil? || token == "-"
    return "".b if token == '""'

    token.b.gsub(/%(\h\h)/n) { Regexp.last_match(1).hex.chr }
  end

  # As a script would write it.
  def decode_text(token) = decode(token)&.force_encoding(Encoding::UTF_8)

  def encode(value)
    return "-" if value.nil?
    return '""' if value.empty?
    return "%2d" if value == "-"

    value.b.gsub(PLAIN) { |byte| format("%%%02x", byte.ord) }
  end

  # An option's value as a script would write it.
  def plain(token)
    text = decode_text(token)
    case text
    when "true", "false" then text == "true"
    when /\A-?[0-9]+\z/n then text.to_i
    when /\A-?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?\z/n then text.to_f
    else text
    end
  rescue ArgumentError # of a Regexp on what is not UTF-8
    text
  end
end

# A line: words, and options.
class Command
  attr_reader :words, :options

  def initialize(line)
    @options = {}
    @words = []
    line.split.each do |token|
      key, equals, value = token.partition("=")
      equals.empty? ? @words << token : @options[key] = value
    end
  end

  def word(index)
    @words.fetch(index + 1) { raise Lost, "too few words: #{@words.first}" }
  end

  def rest(index) = @words.drop(index + 1)
  def text(index) = Token.decode_text(word(index))
  def data(index) = Token.decode(word(index))
  def text_option(key) = Token.decode_text(@options[key])
  def number(key) = @options[key]&.to_i

  # A time of the protocol, in ms, as the module takes it.
  def seconds(key, absent = nil)
    ms = (@options[key] || -1).to_i
    ms.negative? ? absent : ms / 1000.0
  end

  # headers=K=v,K=v as pairs, which keep the order.
  def headers
    @options["headers"]&.split(",", -1)&.map do |part|
      key, _, value = part.partition("=")
      [Token.decode_text(key), Token.decode_text(value)]
    end
  end

  # The options of a connection.
  def given = @options.to_h { |key, value| [key.to_sym, Token.plain(value)] }

  # One text, or a list when the case gives several words.
  def servers
    urls = rest(1).map { |word| Token.decode_text(word) }
    urls.size == 1 ? urls.first : urls
  end
end

# ---- answers ----

# What is printed.
module Answers
  EVENT_FIELDS = {
    "code" => ->(event) { event.status || "OK" },
    "kind" => ->(event) { event.kind || "none" },
    "text" => ->(event) { Token.encode(event.text) },
    "level" => ->(event) { event.level },
    "line" => ->(event) { Token.encode(event.line) },
    "url" => ->(event) { Token.encode(event.url || "") },
    "subject" => ->(event) { Token.encode(event.subject || "") },
    "sid" => ->(event) { event.sid || 0 },
    "lost" => ->(event) { event.lost || 0 },
    "unconfirmed" => ->(event) { event.unconfirmed || 0 },
    "recoverable" => ->(event) { event.recoverable ? 1 : 0 },
    "token" => ->(event) { event.token || 0 },
    "rtt_ms" => ->(event) { ((event.rtt || 0) * 1000 + 0.0005).floor }
  }.freeze

  def put(*parts)
    $stdout.write(parts.join(" "), "\n")
  end

  def put_msg(msg)
    headers = msg.pairs.map { |pair| pair.map { |one| Token.encode(one) }.join("=") }.join(",")
    line = ["msg", Token.encode(msg.subject), Token.encode(msg.reply),
            headers.empty? ? "-" : headers, Token.encode(msg.data)]
    line += [msg.status, Token.encode(msg.description)] unless msg.status.zero?
    put(*line)
  end

  def put_list(messages)
    messages.each { |msg| put_msg(msg) }
    put("none") if messages.empty?
  end

  def put_one(command, msg)
    return put("none") if msg.nil?

    put_msg(msg)
    @handles[command.options["as"]] = msg if command.options["as"]
  end

  def put_event(event, fields)
    put("event", event.type, *fields.map { |name| EVENT_FIELDS.fetch(name).call(event) })
  end

  # The fields of an INFO that the case asks for; of a list the first; json is all of it.
  def put_fields(command, verb = :server_info)
    source = handle(command, 0)
    info = source.public_send(verb)
    line = command.rest(1).map do |name|
      value = name == "json" ? source.server_info_json : info[name]
      value = value.first if value.is_a?(Array)
      Token.encode(value&.to_s)
    end
    put("ok", *line)
  end
end

# ---- verbs ----

# Clients and what they make.
module ClientVerbs
  def do_connect(command)
    keep(command, 0, PolynatsFFI.connect(command.servers, **command.given))
  end

  def do_share(command) = keep(command, 1, handle(command, 0).share)
  def do_close(command) = plain(command, :close)
  def do_drain(command) = timed(command, :drain)
  def do_flush(command) = timed(command, :flush)
  def do_process(command) = plain(command, :process)
  def do_reconnect(command) = plain(command, :reconnect)
  def do_wake(command) = plain(command, :wake)
  def do_new_inbox(command) = put("ok", Token.encode(handle(command, 0).new_inbox))
  def do_status(command) = put("ok", handle(command, 0).status)
  def do_max_payload(command) = put("ok", handle(command, 0).max_payload)
  def do_server_info(command) = put_fields(command)
  def do_info(command) = put_fields(command, :info)

  def do_publish(command)
    handle(command, 0).publish(command.text(1), command.data(2), headers: command.headers,
                                                               reply: command.text_option("reply"))
    put("ok")
  end

  def do_publish_many(command)
    payloads = command.rest(2).map { |word| Token.decode(word) }
    put("ok", handle(command, 0).publish_many(command.text(1), payloads))
  end

  def do_respond(command)
    handle(command, 1).respond(command.data(2), headers: command.headers)
    put("ok")
  end

  def do_subscribe(command)
    callback = command.options["callback"] && ->(msg, _) { put_msg(msg) }
    keep(command, 1, handle(command, 0).subscribe(
                       command.text(2), queue: command.text_option("queue"),
                       max: command.number("max"), pending_msgs: command.number("pending_msgs"),
                       pending_bytes: command.number("pending_bytes"), &callback
                     ))
  end

  def do_unsubscribe_sid(command)
    handle(command, 0).unsubscribe(command.word(1).to_i, command.number("after"))
    put("ok")
  end

  def do_unsubscribe_subject(command)
    put("ok", handle(command, 0).unsubscribe(command.text(1), command.number("after")))
  end

  def do_get(command)
    put_list(handle(command, 0).get(max: command.number("max"),
                                    wait: command.seconds("wait_ms", 0)))
  end

  def do_dispatch(command)
    count = handle(command, 0).dispatch(max: command.number("max"),
                                        wait: command.seconds("wait_ms", 0))
    put("none") if count.zero?
  end

  def do_request(command)
    put_one(command, handle(command, 0).request(command.text(1), command.data(2),
                                                **request_options(command)))
  end

  def do_request_start(command)
    keep(command, 1, handle(command, 0).request_start(command.text(2), command.data(3),
                                                      **request_options(command)))
  end

  def do_request_many(command)
    replies = handle(command, 0).request_many(
      command.text(1), command.data(2), max: command.number("max"),
      stall: command.seconds("stall_ms"), sentinel: command.options["sentinel"] == "1",
      **request_options(command)
    )
    replies.each { |msg| put_msg(msg) }
    put("ok")
  end

  def request_options(command)
    { timeout: command.seconds("timeout_ms"), headers: command.headers }
  end

  def do_wait(command)
    put_one(command, handle(command, 0).wait(command.seconds("wait_ms")))
  end

  def do_poll(command)
    future = handle(command, 0)
    msg = future.poll
    msg.nil? && !future.done? ? put("open") : put_one(command, msg)
  end

  def do_future_done(command) = put("ok", handle(command, 0).done? ? 1 : 0)
  def do_cancel(command) = plain(command, :cancel)

  def do_rtt(command)
    put("ok", (handle(command, 0).rtt(command.seconds("timeout_ms")) * 1e9).floor)
  end

  def do_stats(command)
    put("ok", *handle(command, 0).stats.fetch_values(*command.rest(1)))
  end

  # Takes events until one of the wanted type ("-": any) comes.
  def do_next_event(command)
    stop = PolynatsFFI.now + command.seconds("wait_ms", 0)
    loop do
      left = stop - PolynatsFFI.now
      event = handle(command, 0).next_event([left, 0].max)
      return put("none") if event.nil? && left <= 0
      next unless event && ["-", event.type].include?(command.word(1))

      return put_event(event, command.rest(2))
    end
  end

  def do_deadline(command)
    left = handle(command, 0).deadline
    put("ok", left ? (left * 1000).round : -1)
  end

  # Does the descriptor become readable in time?
  def do_wait_fd(command)
    ready = IO.select([handle(command, 0)], nil, nil, command.seconds("wait_ms", 0))
    put("ok", ready ? 1 : 0)
  end

  # What a child of fork() is told by the handles it inherited.
  def do_fork_check(command)
    $stdout.flush
    child = fork { in_child(handle(command, 0), handle(command, 1)) }
    Process.wait(child)
    put("child", $?.to_i) unless $?.success?
  end

  def in_child(client, sub)
    put("ok", code_of { client.publish("forked") }, code_of { client.flush(0.1) },
        code_of { client.get(max: 1, wait: 0) },
        code_of { client.request("forked", timeout: 0.1) }, code_of { client.next_event(0) },
        code_of { sub.next(0) }, code_of { sub.unsubscribe }, code_of { client.drain(0.1) })
    code_of { client.close }
    $stdout.flush
  end

  def code_of
    yield
    "OK"
  rescue PolynatsFFI::Error => e
    e.code
  end
end

# Subscriptions and messages; subjects and options.
module OtherVerbs
  def do_next(command)
    put_one(command, handle(command, 0).next(command.seconds("wait_ms", 0)))
  end

  def do_sub_get(command) = do_get(command)
  def do_sub_drain(command) = timed(command, :drain)

  def do_unsubscribe(command)
    handle(command, 0).unsubscribe(command.number("after"))
    put("ok")
  end

  def do_sub_info(command)
    sub = handle(command, 0)
    put("ok", Token.encode(sub.subject), Token.encode(sub.queue), sub.sid, sub.active? ? 1 : 0)
  end

  def do_sub_stats(command) = put("ok", *handle(command, 0).stats.values)

  def do_iterate(command)
    handle(command, 0).first(command.word(1).to_i).each { |msg| put_msg(msg) }
    put("ok")
  end

  # Answer the next n requests, with data or with what was asked.
  def do_serve(command)
    command.word(2).to_i.times do
      msg = handle(command, 1).next(command.seconds("wait_ms", 0))
      return put("none") if msg.nil?

      msg.respond(command.options.key?("data") ? Token.decode(command.options["data"]) : msg.data)
    end
    handle(command, 0).flush
    put("ok")
  end

  def do_header(command)
    put("ok", Token.encode(handle(command, 0).header(command.text(1))))
  end

  def do_free(command)
    @handles.delete(command.word(0))
    GC.start
    put("ok")
  end

  def do_reset(_command)
    @handles.clear
    @clocks.clear
    GC.start
    put("ok")
  end

  def do_subject_valid(command) = judged(PolynatsFFI::Subject.valid?(command.text(0)))

  def do_subject_valid_pattern(command)
    judged(PolynatsFFI::Subject.valid_pattern?(command.text(0)))
  end

  def do_subject_matches(command)
    judged(PolynatsFFI::Subject.matches?(command.text(0), command.text(1)))
  end

  def judged(yes) = put("ok", yes ? 1 : 0)
  def do_options(_command) = put("ok", *PolynatsFFI.options.map(&:first))
  def do_errtext(_command) = put("ok", Token.encode(@text))
  def do_errabout(_command) = put("ok", Token.encode(@about))
  def do_hello(_command) = put("ok", *verbs)
end

# The protocol without I/O.
module ProtoVerbs
  def do_proto_new(command)
    made = PolynatsFFI::Proto.new(command.servers, seed: "0123456789abcdef", **command.given)
    @clocks[command.word(0)] = 0
    keep(command, 0, made)
  end

  def do_proto_clock(command)
    @clocks[command.word(0)] = command.word(1).to_i
    put("ok")
  end

  def clock(command) = @clocks.fetch(command.word(0), 0) / 1000.0

  { proto_start: :start, proto_up: :transport_up, proto_upgraded: :upgraded,
    proto_secured: :secured, proto_eof: :feed_eof, proto_reconnect: :reconnect,
    proto_tick: :tick }.each do |verb, method|
    define_method("do_#{verb}") do |command|
      handle(command, 0).public_send(method, clock(command))
      put("ok")
    end
  end

  def do_proto_failed(command)
    handle(command, 0).transport_failed(command.word(1), command.text(2), clock(command))
    put("ok")
  end

  def do_proto_feed(command)
    handle(command, 0).feed(command.data(1), clock(command))
    put("ok")
  end

  def do_proto_expect_signature(command)
    handle(command, 0).expect_signature(command.word(1) == "1")
    put("ok")
  end

  def do_proto_sign(command)
    handle(command, 0).sign(command.data(1), public_key: command.text_option("public_key"),
                                             jwt: command.text_option("jwt"), now: clock(command))
    put("ok")
  end

  def next_proto_event(command, fields)
    event = handle(command, 0).next_event
    return false if event.nil?

    event.type == "message" ? put_msg(event.message) : put_event(event, fields)
    true
  end

  def do_proto_event(command)
    put("none") unless next_proto_event(command, command.rest(1))
  end

  def do_proto_events(command)
    return put("none") unless next_proto_event(command, [])

    nil while next_proto_event(command, [])
  end

  def do_proto_tx(command)
    put("ok", Token.encode(handle(command, 0).take(command.number("max"), clock(command))))
  end

  def do_proto_deadline(command)
    at = handle(command, 0).deadline
    put("ok", at ? (at * 1000 - 1e-6).ceil : "never")
  end

  def do_proto_publish(command) = do_publish(command)

  def do_proto_subscribe(command)
    put("ok", handle(command, 0).subscribe(
                command.text(1), queue: command.text_option("queue"),
                                 max: command.number("max"), sid: command.number("sid")
              ))
  end

  def do_proto_unsubscribe(command)
    handle(command, 0).unsubscribe(command.word(1).to_i, command.number("after"))
    put("ok")
  end

  def do_proto_ping(command) = put("ok", handle(command, 0).ping(clock(command)))
  def do_proto_close(command) = plain(command, :close)
  def do_proto_state(command) = put("ok", handle(command, 0).state)
  def do_proto_pending(command) = put("ok", handle(command, 0).pending)
  def do_proto_pings_out(command) = put("ok", handle(command, 0).pings_out)
  def do_proto_offset(command) = put("ok", handle(command, 0).offset)
  def do_proto_info(command) = put_fields(command)
  def do_proto_new_inbox(command) = do_new_inbox(command)

  def do_proto_server(command)
    server = handle(command, 0).server
    put("ok", Token.encode(server[:url]), Token.encode(server[:scheme]),
        Token.encode(server[:host]), server[:port])
  end

  def do_proto_servers(command)
    handle(command, 0).servers.each do |url, attempts, discovered|
      put("server", Token.encode(url), attempts, discovered ? 1 : 0)
    end
  end

  def do_proto_server_add(command)
    handle(command, 0).server_add(command.text(1))
    put("ok")
  end

  def do_proto_server_remove(command)
    handle(command, 0).server_remove(command.text(1))
    put("ok")
  end
end

# ---- the loop ----

# Holds handles by their names.
class Driver
  include Answers
  include ClientVerbs
  include OtherVerbs
  include ProtoVerbs

  def initialize
    @handles = {}
    @clocks = {} # of each proto, in ms
    @text = @about = ""
  end

  def verbs = methods.grep(/\Ado_/).map { |name| name.to_s.delete_prefix("do_") }

  def handle(command, index)
    @handles.fetch(command.word(index)) { |name| raise Lost, "no such handle: #{name}" }
  end

  def keep(command, index, made)
    @handles[command.word(index)] = made
    put("ok")
  end

  def plain(command, method)
    handle(command, 0).public_send(method)
    put("ok")
  end

  def timed(command, method)
    handle(command, 0).public_send(method, command.seconds("timeout_ms"))
    put("ok")
  end

  # What the module raises for misuse is what the C library calls INVALID.
  def run(command)
    verb = "do_#{command.words.first}"
    raise Lost, "no such verb: #{command.words.first}" unless respond_to?(verb)

    public_send(verb, command)
  rescue PolynatsFFI::Error => e
    failed(e.code, e.message, e.about)
  rescue TypeError, ArgumentError => e
    failed("INVALID", e.message, "")
  end

  def failed(code, text, about)
    @text = text
    @about = about
    put("err", code)
  end
end

driver = Driver.new
$stdin.each_line do |line|
  command = Command.new(line)
  next if command.words.empty?

  begin
    driver.run(command)
  rescue Lost => e
    abort "driver: #{e.message}"
  end
  $stdout.write(".\n")
  $stdout.flush
end
