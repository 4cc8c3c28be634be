---@meta nats
-- Annotations for LuaLS. What fails at run time returns nil, text, code, about; misuse raises an error.

---@alias nats.Code "TIMEOUT"|"NO_RESPONDERS"|"CLOSED"|"DISCONNECTED"|"AUTH"|"PERMISSION"|"PROTOCOL"|"MAX_PAYLOAD"|"SLOW_CONSUMER"|"INVALID"|"LIMIT"|"IO"|"TLS"|"NO_MEMORY"|"FORKED"|"NOT_SUPPORTED"|"SERVER"|"INTERRUPTED"
---@alias nats.HeaderValue string|number|(string|number)[]
---@alias nats.Headers table<string, nats.HeaderValue>|{ [1]: string, [2]: nats.HeaderValue }[]

---@class nats
---@field status table<string, integer> the codes' numbers in the C library, OK = 0 included
---@field subject nats.subject
local nats = {}

---@class nats.subject
local subject = {}
---Whether a message can be published to it.
---@param subject string
---@return boolean
function subject.valid(subject) end
---Whether it can be subscribed to.
---@param pattern string
---@return boolean
function subject.valid_pattern(pattern) end
---Whether a message to subject reaches a subscription to pattern.
---@param pattern string
---@param subject string
---@return boolean
function subject.matches(pattern, subject) end

---Options of a connection; nats.options() lists their names, types and meanings, docs/options.md their defaults too.
---Times are in seconds, or text with a unit such as "250ms".
---@class nats.Credentials
---@field user? string
---@field password? string
---@field token? string
---@field jwt? string
---@field seed? string
---@field public_key? string
---@field signature? string raw bytes

---@class nats.Options
---@field name? string
---@field user? string
---@field password? string
---@field token? string
---@field verbose? boolean
---@field pedantic? boolean
---@field no_echo? boolean
---@field inbox_prefix? string
---@field max_payload? integer
---@field connect_timeout? number|string
---@field request_timeout? number|string
---@field drain_timeout? number|string
---@field write_deadline? number|string
---@field ping_interval? number|string
---@field max_pings_out? integer
---@field reconnect? boolean
---@field max_reconnects? integer
---@field reconnect_wait? number|string
---@field reconnect_wait_max? number|string
---@field reconnect_buffer? integer
---@field no_randomize? boolean
---@field ignore_discovered? boolean
---@field pending_msgs? integer
---@field pending_bytes? integer
---@field keeper? boolean
---@field interruptible? boolean true in Lua when it is not given
---@field creds? string
---@field nkey? string
---@field jwt? string
---@field ask_credentials? boolean
---@field auth_retry? boolean
---@field tls_required? boolean
---@field tls_first? boolean
---@field tls_ca? string
---@field tls_cert? string
---@field tls_key? string
---@field local_address? string
---@field retry_on_connect? boolean
---@field lame_duck_move? number
---@field credentials_hook? boolean
---@field credentials? fun(nonce: string): nats.Credentials? called at each connect, by the call that waits
---@field ws_headers? string
---@field ws_compression? boolean
---@field trace? boolean

---Connect, and return when the server has answered.
---@param servers? string|string[] default: $NATS_URL, else nats://127.0.0.1:4222
---@param options? nats.Options
---@return nats.Client? client
---@return string? text
---@return nats.Code? code
---@return string? about
function nats.connect(servers, options) end
---Begin to connect, and do not wait: for event loops. The future gives true when the server has answered.
---@param servers? string|string[]
---@param options? nats.Options
---@return nats.Client? client
---@return nats.Future|string|nil future
---@return nats.Code? code
---@return string? about
function nats.connect_start(servers, options) end
---The protocol without I/O.
---@param servers? string|string[]
---@param options? nats.Options
---@param seed? string 16 random bytes or more; the same seed gives the same choices
---@return nats.Proto? proto
---@return string? text
---@return nats.Code? code
---@return string? about
function nats.proto(servers, options, seed) end
---@return { name: string, type: "text"|"boolean"|"integer"|"seconds", doc: string }[]
function nats.options() end
---What a publish to JetStream may say besides, by its name and the header that it is.
---@return { name: string, header: string, type: "text"|"integer"|"unsigned"|"seconds" }[]
function nats.keywords() end
---The library's version.
---@return string
function nats.version() end
---Seconds of the monotonic clock.
---@return number
function nats.now() end

---@class nats.Client
local client = {}
---End this client; closing twice is fine.
---@return true?, string?, nats.Code?
function client:close() end
---Call callbacks with what is under way, end the subscriptions, flush, and close when nothing waits to be taken.
---@param timeout? number|{ timeout: number }
---@return true?, string?, nats.Code?
function client:drain(timeout) end
---Begin to drain, and do not wait: the future gives true when all that was under way is here.
---@param timeout? number|{ timeout: number }
---@return nats.Future?, string?, nats.Code?
function client:drain_start(timeout) end
---Another client on the same connection.
---@return nats.Client?, string?, nats.Code?
function client:share() end
---@param subject string
---@param data? string
---@param options? { reply?: string, headers?: nats.Headers }
---@return true?, string?, nats.Code?, string?
function client:publish(subject, data, options) end
---@param subject string
---@param payloads string[]
---@return integer? published, string? text, nats.Code? code, string? about, integer? published_before_the_error
function client:publish_many(subject, payloads) end
---@param subject string a pattern
---@param options? { queue?: string, max?: integer, callback?: fun(msg: nats.Message, sub: nats.Subscription), pending_msgs?: integer, pending_bytes?: integer }
---@return nats.Subscription?, string?, nats.Code?, string?
function client:subscribe(subject, options) end
---@param which integer|string a sid, or a subject: all subscriptions to exactly it
---@param after? integer|{ after: integer } end after that many messages in all
---@return true|integer|nil, string?, nats.Code?, string?
function client:unsubscribe(which, after) end
---Everything that has arrived, at most max; waits for the first message.
---@param options? integer|{ max?: integer, wait?: number } a number: max; wait absent: for ever; 0: not at all
---@return nats.Message[]?, string?, nats.Code?
function client:get(options) end
---@param subject string
---@param data? string
---@param options? { timeout?: number, headers?: nats.Headers }
---@return nats.Message?, string?, nats.Code?, string?
function client:request(subject, data, options) end
---@param subject string
---@param data? string
---@param options? { timeout?: number, headers?: nats.Headers }
---@return nats.Future?, string?, nats.Code?, string?
function client:request_start(subject, data, options) end
---@param subject string
---@param data? string
---@param options? { max?: integer, stall?: number, timeout?: number, sentinel?: boolean, headers?: nats.Headers }
---@return nats.Message[]?, string?, nats.Code?, string?
function client:request_many(subject, data, options) end
---@param options? { domain?: string, prefix?: string, timeout?: number }
---@return nats.JetStream?, string?, nats.Code?, string?
function client:jetstream(options) end
---Acknowledge those that are a consumer's and were not yet.
---@param messages nats.Message[]
---@return integer? acknowledged, string? text, nats.Code? code
function client:ack_many(messages) end
---@param timeout? number|{ timeout: number }
---@return true?, string?, nats.Code?
function client:flush(timeout) end
---The same without waiting: the future gives true when the server has processed it.
---@param timeout? number|{ timeout: number }
---@return nats.Future?, string?, nats.Code?
function client:flush_start(timeout) end
---@param timeout? number|{ timeout: number }
---@return number? seconds, string? text, nats.Code? code
function client:rtt(timeout) end
---@return string?, string?, nats.Code?
function client:new_inbox() end
---@return table<string, integer>
function client:stats() end
---@return "connected"|"reconnecting"|"draining"|"closed"
function client:status() end
---@return integer
function client:max_payload() end
---@return table?, string?, nats.Code?
function client:server_info() end
---@return string?, string?, nats.Code?
function client:server_info_json() end

---What this client knows of its connection: status, url, server_id, server_name, version, cluster, client_id, tls,
---tls_version, tls_cipher, tls_resumed, last_error, last_error_code.
---@return table
function client:info() end
---@param wait? number|{ wait: number } absent: for ever; 0: not at all
---@return nats.Event?, string?, nats.Code?
function client:next_event(wait) end
---@param callback? fun(event: nats.Event) called from dispatch and run; nil: none
---@return true
function client:on_event(callback) end
---@return integer?, string?, nats.Code?
function client:fd() end
---As fd(), for cqueues.
---@return integer?, string?, nats.Code?
function client:pollfd() end
---For cqueues.
---@return "r"
function client:events() end
---As deadline(), for cqueues.
---@return number?
function client:timeout() end
---@return true?, string?, nats.Code?
function client:process() end
---Drop the connection and dial the next server at once.
---@return true?, string?, nats.Code?
function client:reconnect() end
---Seconds until process() is due; nil: never.
---@return number?
function client:deadline() end
---@param options? integer|{ max?: integer, wait?: number } a number: max
---@return integer? called, string? text, nats.Code? code
function client:dispatch(options) end
---@param timeout? number|{ timeout: number }
---@return true?, string?, nats.Code?
function client:run(timeout) end
function client:stop() end

---@class nats.Subscription
---@field subject string
---@field queue string?
---@field sid integer
local subscription = {}
---@param timeout? number|{ timeout: number } absent: for ever; 0: not at all
---@return nats.Message? msg nil alone: silence
---@return string? text
---@return nats.Code? code
function subscription:next(timeout) end
---@param options? integer|{ max?: integer, wait?: number } a number: max
---@return nats.Message[]?, string?, nats.Code?
function subscription:get(options) end
---Until the subscription ends, or nothing came for so long.
---@param timeout? number|{ timeout: number }
---@return fun(): nats.Message?
function subscription:messages(timeout) end
---@param timeout? number|{ timeout: number }
---@return fun(): nats.Message?
function subscription:iterate(timeout) end
---@param after? integer|{ after: integer }
---@return true?, string?, nats.Code?
function subscription:unsubscribe(after) end
---@param timeout? number|{ timeout: number }
---@return true?, string?, nats.Code?
function subscription:drain(timeout) end
---@param timeout? number|{ timeout: number }
---@return nats.Future?, string?, nats.Code?
function subscription:drain_start(timeout) end
---@return { pending: integer, pending_bytes: integer, delivered: integer, dropped: integer, received: integer }
function subscription:stats() end
---@return boolean
function subscription:active() end

---@class nats.Message
---@field subject string
---@field data string
---@field reply string?
---@field headers table<string, string[]> a new table with each reading
---@field raw_headers string?
---@field status integer?
---@field description string?
---@field sid integer 0 for the answer to a request
---@field metadata nats.Metadata? nil of a message that is none of JetStream's
local message = {}
---Done: never again, once.
---@return true?, string?, nats.Code?, string?
function message:ack() end
---The same, and wait until the server has taken note.
---@param timeout? number|{ timeout: number }
---@return true?, string?, nats.Code?, string?
function message:ack_sync(timeout) end
---@param timeout? number|{ timeout: number }
---@return nats.Future?, string?, nats.Code?, string?
function message:ack_sync_start(timeout) end
---Again, after so many seconds.
---@param delay? number|{ delay: number }
---@return true?, string?, nats.Code?, string?
function message:nak(delay) end
---More time.
---@return true?, string?, nats.Code?, string?
function message:in_progress() end
---Never again.
---@param reason? string|{ reason: string }
---@return true?, string?, nats.Code?, string?
function message:term(reason) end
---The first value.
---@param key string
---@return string?
function message:header(key) end
---All pairs in their order.
---@return fun(): string?, string?
function message:each_header() end
---@param data? string
---@param options? { headers?: nats.Headers }
---@return true?, string?, nats.Code?, string?
function message:respond(data, options) end

---@class nats.Metadata
---@field stream string
---@field consumer string? nil of a message that was got from the stream
---@field domain string?
---@field stream_seq integer
---@field consumer_seq integer
---@field delivered integer how often, this time included
---@field pending integer messages behind it
---@field time number seconds since 1970
---@field time_ns integer

---What a method of JetStream gives, or a message.
---@class nats.Future
local future = {}
---@return any msg nil alone: still open
---@return string? text
---@return nats.Code? code
function future:poll() end
---@param timeout? number|{ timeout: number } absent: as long as the request's own timeout
---@return any, string?, nats.Code?
function future:wait(timeout) end
---@return boolean
function future:done() end
function future:cancel() end

---@class nats.Event
---@field type "connected"|"disconnected"|"reconnected"|"closed"|"lame_duck"|"discovered"|"error"|"slow_consumer"|"stale"|"credentials"|"server_changed"|"trace"
---@field text string
---@field level "error"|"warn"|"info"|"trace"
---@field line string
---@field time number
---@field url string?
---@field subject string?
---@field status nats.Code?
---@field kind nats.Kind?
---@field recoverable boolean?
---@field sid integer?
---@field lost integer?
---@field unconfirmed integer?

---What the server meant by an -ERR.
---@alias nats.Kind "unknown"|"permission"|"permission_publish"|"permission_subscribe"|"auth_violation"|"auth_timeout"|"auth_expired"|"auth_revoked"|"max_connections"|"max_account_connections"|"throttled"|"max_control_line"|"max_subscriptions"|"max_tokens"|"max_payload"|"stale"|"shutdown"|"slow_consumer"|"bad_protocol"|"wrong_port"|"no_headers"|"version"|"tls_required"|"invalid_subject"

---@class nats.ProtoEvent
---@field type "dial"|"upgrade_wanted"|"tls_wanted"|"sign_wanted"|"connected"|"reconnected"|"disconnected"|"closed"|"message"|"pong"|"info"|"discovered"|"lame_duck"|"error"|"stale"|"sub_done"
---@field text string
---@field status nats.Code?
---@field kind nats.Kind?
---@field url string?
---@field scheme string?
---@field host string?
---@field port integer?
---@field message nats.Message?
---@field sid integer?
---@field token integer?
---@field rtt number?
---@field recoverable boolean?
---@field lost integer?
---@field unconfirmed integer?

---now is a time in seconds of any clock that never goes back; absent: nats.now().
---@class nats.Proto
local proto = {}
---@param now? number
---@return true?, string?, nats.Code?
function proto:start(now) end
---@param now? number
---@return true?, string?, nats.Code?
function proto:transport_up(now) end
---@param now? number
---@return true?, string?, nats.Code?
function proto:upgraded(now) end
---@param now? number
---@return true?, string?, nats.Code?
function proto:secured(now) end
---@param code nats.Code
---@param text? string
---@param now? number
---@return true?, string?, nats.Code?
function proto:transport_failed(code, text, now) end
--- A nonce in INFO is to be signed: `sign_wanted` comes before CONNECT.
---@param yes boolean
---@return true?, string?, nats.Code?
function proto:expect_signature(yes) end
---@param signature string
---@param options? { public_key?: string, jwt?: string }
---@param now? number
---@return true?, string?, nats.Code?
function proto:sign(signature, options, now) end
---@param bytes string
---@param now? number
---@return true?, string?, nats.Code?
function proto:feed(bytes, now) end
---@param now? number
---@return true?, string?, nats.Code?
function proto:feed_eof(now) end
---The bytes to send, which count as sent.
---@param max? integer
---@param now? number
---@return string
function proto:take(max, now) end
---@return integer
function proto:pending() end
---@return nats.ProtoEvent?
function proto:next_event() end
---When tick() is due; nil: never.
---@return number?
function proto:deadline() end
---@param now? number
function proto:tick(now) end
---@param subject string
---@param data? string
---@param options? { reply?: string, headers?: nats.Headers }
---@return true?, string?, nats.Code?, string?
function proto:publish(subject, data, options) end
---@param subject string
---@param options? { queue?: string, max?: integer, sid?: integer }
---@return integer? sid, string? text, nats.Code? code, string? about
function proto:subscribe(subject, options) end
---@param sid integer
---@param after? integer
---@return true?, string?, nats.Code?
function proto:unsubscribe(sid, after) end
---@param now? number
---@return integer? token, string? text, nats.Code? code
function proto:ping(now) end
function proto:close() end
---@param now? number
---@return true?, string?, nats.Code?
function proto:reconnect(now) end
---@return "idle"|"waiting"|"dialing"|"upgrading"|"waiting_info"|"securing"|"signing"|"waiting_pong"|"connected"|"closed"
function proto:state() end
---@return { url: string, scheme: string, host: string, port: integer }
function proto:server() end
---@return table?, string?, nats.Code?
function proto:server_info() end
---@return string?, string?, nats.Code?
function proto:server_info_json() end
---@return integer
function proto:pings_out() end
---@return integer
function proto:offset() end
---@return string?, string?, nats.Code?
function proto:new_inbox() end
---@return { url: string, attempts: integer, discovered: boolean }[]
function proto:servers() end
---@param url string
---@return true?, string?, nats.Code?
function proto:server_add(url) end
---@param url string
---@return true?, string?, nats.Code?
function proto:server_remove(url) end

return nats
