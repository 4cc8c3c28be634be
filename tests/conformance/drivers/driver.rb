# frozen_string_literal: true

# The conformance driver for Ruby: it reads command lines, calls the gem, prints what came of it. The
# line protocol is in ../README.md. It knows no expectation: those are in the cases.
#
#     driver.rb [--fiber | --fiddle]

# The gem, and the Fiddle module, have the same nouns and verbs.
if ARGV.include?("--fiddle")
  require "polynats_ffi"
  Polynats = PolynatsFFI
else
  require "polynats"
end

# Tokens of the line protocol.
module Token
  ODD = /[^!#$&'()*+\-.\/0-9:;<>?@A-Z\[\\\]^_`a-z{|}~]/n

  ESCAPES = (0..255).to_h { |byte| [byte.chr.b, format("%%%02x", byte).b] }.freeze

  BYTES = Hash.new { |_, code| code[1, 2].hex.chr.b }.merge!(ESCAPES.invert)

  def self.decode(token)
    return nil if token.nil? || token == "-"
    return "" if token == '""'

    token.b.gsub(/%\h\h/n, BYTES)
  end

  def self.encode(bytes)
    return "-" if bytes.nil?
    return '""' if bytes.empty?
    return "%2d" if bytes == "-"

    bytes.b.gsub(ODD, ESCAPES)
  end
end

# Supplies what the case says, and counts how often it was asked.
class Hook
  attr_accessor :values, :calls

  def call(_nonce)
    @calls = (@calls || 0) + 1
    @values
  end
end

# One verb of the protocol is one public method of this.
class Driver
  def initialize
    @handles = {}
    @hooks = Hash.new { |hooks, name| hooks[name] = Hook.new }
    @clocks = {}
    @text = @about = ""
    @numbers = [0, 0]
  end

  def play(line)
    words = line.split
    @options = {}
    @words = words.reject do |word|
      key, value = word.split("=", 2)
      value && @options[key] = value
    end
    verb = @words.first or return
    die("no such verb", verb) unless Driver.public_method_defined?(verb, false) && verb != "play"
    begin
      public_send(verb)
    rescue Polynats::Error => e
      failed(e)
    rescue ArgumentError, TypeError, RangeError => e
      @text, @about, @numbers = e.message, e.message[/\S+/].to_s, [0, 0] # such texts begin with the name
      put("err", "INVALID")
    end
    puts "."
    $stdout.flush
  end

  def hello
    put("ok", *(Driver.public_instance_methods(false) - %i[play]))
  end

  # ---- clients ----

  def connect
    urls = @words.size > 3 ? @words.drop(2).map { |url| Token.decode(url) } : text(1)
    keep(0, Polynats.connect(urls, **options_given))
  end

  def hook = done { @hooks[word(0)].values = texts_given }
  def hook_calls = put("ok", @hooks[word(0)].calls || 0)
  def credentials = done { handle(0).credentials(**texts_given) }

  def close = done { handle(0).close }
  def drain = done { handle(0).drain(timeout: seconds("timeout_ms")) }
  def flush = done { handle(0).flush(timeout: seconds("timeout_ms")) }
  def process = done { handle(0).process }
  def reconnect = done { handle(0).reconnect }
  def wake = done { handle(0).wake }
  def share = keep(1, handle(0).share)

  def publish
    more = { reply: Token.decode(@options["reply"]), headers: headers_given }.compact
    done { handle(0).publish(text(1), text(2), **more) }
  end

  def publish_many
    put("ok", handle(0).publish_many(text(1), @words.drop(3).map { |data| Token.decode(data) }))
  end

  def respond = done { handle(1).respond(text(2), headers: headers_given) }

  def subscribe
    callback = @options["callback"] && proc { |msg| put_msg(msg) }
    keep(1, handle(0).subscribe(text(2), queue: Token.decode(@options["queue"]),
                                         max: number("max"), pending_msgs: number("pending_msgs"),
                                         pending_bytes: number("pending_bytes"), &callback))
  end

  def unsubscribe_sid
    done { handle(0).unsubscribe(Integer(word(1)), after: number("after")) }
  end

  def unsubscribe_subject
    put("ok", handle(0).unsubscribe(text(1), after: number("after")))
  end

  def get = put_list(handle(0).get(**limits))

  def dispatch
    put("none") if handle(0).dispatch(**limits).zero?
  end

  def request
    put_one(handle(0).request(text(1), text(2), **asking))
  end

  def request_start
    keep(1, handle(0).request_start(text(2), text(3), **asking))
  end

  def request_many
    replies = handle(0).request_many(text(1), text(2), **asking, max: number("max"),
                                     stall: seconds("stall_ms"),
                                     sentinel: @options["sentinel"] == "1")
    replies.each { |msg| put_msg(msg) }
    put("ok")
  end

  def wait = put_one(handle(0).wait(timeout: seconds("wait_ms")))
  def future_done = put("ok", handle(0).done? ? 1 : 0)
  def cancel = done { handle(0).cancel }

  def poll
    msg = handle(0).poll
    msg || handle(0).done? ? put_one(msg) : put("open")
  end

  def rtt = put("ok", (handle(0).rtt(timeout: seconds("timeout_ms")) * 1e9).floor)
  def new_inbox = put("ok", Token.encode(handle(0).new_inbox))
  def status = put("ok", handle(0).status)
  def max_payload = put("ok", handle(0).max_payload)

  def stats
    stats = handle(0).stats
    put("ok", *@words.drop(2).map { |name| stats.fetch(name.to_sym) })
  end

  # The fields of an INFO that the case asks for; of a list the first; "json" is all of it.
  def info = server_info(handle(0).info)

  def server_info(info = handle(0).server_info)
    fields = @words.drop(2).map do |name|
      value = name == "json" ? handle(0).server_info_json : info[name]
      value = value.first if value.is_a?(Array)
      Token.encode(value&.to_s)
    end
    put("ok", *fields)
  end

  # Takes events until one of the wanted type ("-": any) comes.
  def next_event
    deadline = Polynats.now + (seconds("wait_ms") || 0)
    loop do
      left = deadline - Polynats.now
      event = handle(0).next_event(wait: [left, 0].max)
      return put("none") if event.nil? && left <= 0
      wanted = event && ["-", event.type.to_s].include?(word(1))
      return put_event(event, 3) if wanted
    end
  end

  def deadline
    left = handle(0).deadline
    put("ok", left ? (left * 1000).round : -1)
  end

  def errtext = put("ok", Token.encode(@text))
  def errabout = put("ok", Token.encode(@about))
  def errcodes = put("ok", *@numbers)
  def errdescription = put("ok", Token.encode(@description))

  # Does the descriptor become readable in time?
  def wait_fd
    ready = handle(0).to_io.wait_readable((number("wait_ms") || 0) / 1000.0)
    put("ok", ready ? 1 : 0)
  end

  # What a child of fork() is told by the handles it inherited.
  def fork_check
    client, sub = handle(0), handle(1)
    $stdout.flush
    child = fork do
      # A scheduler does not outlive a fork: the child is to do without the parent's.
      Fiber.new(blocking: true) { put("ok", *codes_in_child(client, sub)) }.resume
      client.close rescue Polynats::Forked
      $stdout.flush
      exit!(0)
    end
    Process.wait(child)
    put("child", $?.inspect) unless $?.success?
  end

  # ---- subscriptions and messages ----

  def next = put_one(handle(0).next(timeout: seconds("wait_ms") || 0))
  def sub_get = put_list(handle(0).get(**limits))
  def unsubscribe = done { handle(0).unsubscribe(after: number("after")) }
  def sub_drain = done { handle(0).drain(timeout: seconds("timeout_ms")) }

  def sub_info
    sub = handle(0)
    put("ok", Token.encode(sub.subject), Token.encode(sub.queue), sub.sid, sub.active? ? 1 : 0)
  end

  def sub_stats
    stats = handle(0).stats
    put("ok", *stats.values_at(:pending, :pending_bytes, :delivered, :dropped, :received))
  end

  def iterate
    handle(0).each.first(Integer(word(1))).each { |msg| put_msg(msg) }
    put("ok")
  end

  # Answer the next n requests, with data or with what was asked.
  def serve
    Integer(word(2)).times do
      msg = handle(1).next(timeout: seconds("wait_ms") || 0)
      return put("none") unless msg

      msg.respond(Token.decode(@options["data"]) || msg.data)
    end
    done { handle(0).flush }
  end

  def header = put("ok", Token.encode(handle(0).header(text(1))))

  def free
    @handles.delete(word(0))
    overwrite_stack
    GC.start
    put("ok")
  end

  # What earlier calls left on the stack looks alive to the collector.
  def overwrite_stack(depth = 100) = depth.zero? ? nil : [depth].each { |n| overwrite_stack(n - 1) }

  def reset
    @handles = {}
    @clocks = {}
    GC.start
    put("ok")
  end

  # ---- subjects and options ----

  def subject_valid = put("ok", Polynats::Subject.valid?(text(0)) ? 1 : 0)
  def subject_valid_pattern = put("ok", Polynats::Subject.valid_pattern?(text(0)) ? 1 : 0)
  def subject_matches = put("ok", Polynats::Subject.matches?(text(0), text(1)) ? 1 : 0)
  def options = put("ok", *Polynats.options.map { |option| option[:name] })

  # ---- the protocol without I/O ----

  def proto_new
    made = Polynats.proto(text(1), seed: "0123456789abcdef", **options_given)
    @clocks[word(0)] = 0
    keep(0, made)
  end

  def proto_clock
    @clocks[word(0)] = Integer(word(1))
    put("ok")
  end

  def proto_start = done { handle(0).start(now) }
  def proto_up = done { handle(0).transport_up(now) }
  def proto_upgraded = done { handle(0).upgraded(now) }
  def proto_secured = done { handle(0).secured(now) }
  def proto_eof = done { handle(0).feed_eof(now) }
  def proto_reconnect = done { handle(0).reconnect(now) }
  def proto_failed = done { handle(0).transport_failed(word(1), text(2), now) }
  def proto_feed = done { handle(0).feed(text(1), now) }
  def proto_expect_signature = done { handle(0).expect_signature(text(1) == "1") }

  def proto_sign
    done do
      handle(0).sign(text(1), public_key: Token.decode(@options["public_key"]),
                              jwt: Token.decode(@options["jwt"]), now: now)
    end
  end

  def proto_event
    event = handle(0).next_event
    event ? put_proto_event(event, 2) : put("none")
  end

  def proto_events
    events = handle(0).each_event.to_a
    events.each { |event| put_proto_event(event, @words.size) }
    put("none") if events.empty?
  end

  def proto_tx = put("ok", Token.encode(handle(0).take(max: number("max"), now: now)))
  def proto_pending = put("ok", handle(0).pending)

  def proto_deadline
    at = handle(0).deadline
    put("ok", at ? ((at * 1000) - 1e-6).ceil : "never")
  end

  def proto_tick = done { handle(0).tick(now) }

  def proto_publish
    more = { reply: Token.decode(@options["reply"]), headers: headers_given }
    done { handle(0).publish(text(1), text(2), **more) }
  end

  def proto_subscribe
    put("ok", handle(0).subscribe(text(1), queue: Token.decode(@options["queue"]),
                                           max: number("max"), sid: number("sid")))
  end

  def proto_unsubscribe
    done { handle(0).unsubscribe(Integer(word(1)), after: number("after")) }
  end

  def proto_ping = put("ok", handle(0).ping(now))
  def proto_close = done { handle(0).close }
  def proto_state = put("ok", handle(0).state)
  def proto_pings_out = put("ok", handle(0).pings_out)
  def proto_offset = put("ok", handle(0).offset)
  def proto_info = server_info
  def proto_new_inbox = new_inbox

  def proto_server
    server = handle(0).server
    put("ok", *server.values_at(:url, :scheme, :host).map { |part| Token.encode(part) },
        server[:port])
  end

  def proto_servers
    handle(0).servers.each do |server|
      put("server", Token.encode(server[:url]), server[:attempts], server[:discovered] ? 1 : 0)
    end
  end

  def proto_server_add = done { handle(0).server_add(text(1)) }
  def proto_server_remove = done { handle(0).server_remove(text(1)) }

  private

  def die(what, about)
    warn("driver: #{what}: #{about}")
    exit!(2)
  end

  def word(index) = @words[index + 1] || die("too few words", @words.first)
  def text(index) = Token.decode(word(index))
  def handle(index) = @handles[word(index)] || die("no such handle", word(index))
  def number(key) = @options[key] && Integer(@options[key])

  # A time of the protocol, in ms, as the gem takes it: seconds, or nil for the default.
  def seconds(key)
    ms = number(key)
    ms / 1000.0 if ms && ms >= 0
  end

  def now = @clocks.fetch(word(0), 0) / 1000.0
  def put(*parts) = puts(parts.join(" "))

  def done
    yield
    put("ok")
  end

  def keep(index, made)
    @handles[word(index)] = made
    put("ok")
  end

  def failed(error)
    @text, @about, @numbers = error.message, error.about, [error.err_code, error.status]
    @description = error.description
    put(*error_words(error))
  end

  # The server's own number is behind the code.
  def error_words(error) = ["err", error.code, *(error.err_code unless error.err_code.zero?)]

  def limits = { max: number("max"), wait: seconds("wait_ms") || 0 }.compact
  def asking = { timeout: seconds("timeout_ms"), headers: headers_given }

  # headers=K=v,K=v as a list of pairs, which keeps the order.
  def headers_given
    @options["headers"]&.split(",")&.map do |pair|
      pair.split("=", 2).map { |part| Token.decode(part) || "" }
    end
  end

  def texts_given = @options.to_h { |key, value| [key.to_sym, Token.decode(value)] }

  # The options of a connection as a script would write them.
  def options_given
    @options.to_h do |key, value|
      next [:credentials, @hooks[value]] if key == "hook"

      plain = Token.decode(value)
      typed = case plain
              when "true", "false" then plain == "true"
              when /\A-?\d+\z/ then Integer(plain, 10)
              when /\A-?\d+\.\d+\z/ then Float(plain)
              else plain&.dup&.force_encoding(Encoding::UTF_8)
              end
      [key.to_sym, typed]
    end
  end

  def put_msg(msg)
    headers = msg.header_pairs.map { |pair| pair.map { |part| Token.encode(part) }.join("=") }
    line = [Token.encode(msg.subject), Token.encode(msg.reply),
            headers.empty? ? "-" : headers.join(","), Token.encode(msg.data)]
    line.push(msg.status, Token.encode(msg.description)) if msg.status
    put("msg", *line)
  end

  def put_list(list)
    list.each { |msg| put_msg(msg) }
    put("none") if list.empty?
  end

  def put_one(msg)
    return put("none") unless msg

    put_msg(msg)
    @handles[@options["as"]] = msg if @options["as"]
  end

  FIELDS = {
    "code" => ->(event) { event.code || "OK" },
    "text" => ->(event) { Token.encode(event.text || "") },
    "level" => ->(event) { event.level },
    "line" => ->(event) { Token.encode(event.line) },
    "url" => ->(event) { Token.encode(event.url || "") },
    "subject" => ->(event) { Token.encode(event.subject || "") },
    "sid" => ->(event) { event.sid || 0 },
    "lost" => ->(event) { event.lost },
    "unconfirmed" => ->(event) { event.unconfirmed },
    "kind" => ->(event) { event.kind || "none" },
    "recoverable" => ->(event) { event.recoverable ? 1 : 0 },
    "token" => ->(event) { event.token || 0 },
    "rtt_ms" => ->(event) { (((event.rtt || 0) * 1000) + 0.0005).floor }
  }.freeze

  def put_event(event, first)
    fields = @words.drop(first).map do |name|
      (FIELDS[name] || die("no such field", name)).call(event)
    end
    put("event", event.type, *fields)
  end

  def put_proto_event(event, first)
    event.message ? put_msg(event.message) : put_event(event, first)
  end

  def codes_in_child(client, sub)
    calls = [
      -> { client.publish("forked", "") }, -> { client.flush(timeout: 0.1) },
      -> { client.get(max: 1, wait: 0) }, -> { client.request("forked", "", timeout: 0.1) },
      -> { client.next_event(wait: 0) }, -> { sub.next(timeout: 0) }, -> { sub.unsubscribe },
      -> { client.drain(timeout: 0.1) }
    ]
    calls.map do |call|
      call.call
      "OK"
    rescue Polynats::Error => e
      e.code
    end
  end
end

require_relative "driver_js"

# With --fiber all of it runs in a fiber with a scheduler, that of the gem async.
def play_all
  driver = Driver.new
  $stdin.binmode
  $stdout.binmode
  while (line = $stdin.gets)
    driver.play(line)
  end
end

if ARGV.include?("--fiber")
  require "async"
  Async { play_all }
else
  play_all
end
