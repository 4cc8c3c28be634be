/* Written by tools/abi.py: the whole ABI without macros or attributes, for ffi.cdef() of LuaJIT and
 * cdef() of cffi. C and C++ programs include polynats.h. A length of (size_t)-1 stands for a text that
 * ends with a NUL. */

typedef int32_t nats_status;
typedef struct nats_client nats_client;
typedef struct nats_event nats_event;
typedef struct nats_future nats_future;
typedef struct nats_headers nats_headers;
typedef struct nats_info nats_info;
typedef struct nats_js nats_js;
typedef struct nats_js_publisher nats_js_publisher;
typedef struct nats_js_batch nats_js_batch;
typedef struct nats_json nats_json;
typedef struct nats_msg nats_msg;
typedef struct nats_options nats_options;
typedef struct nats_proto nats_proto;
typedef struct nats_sub nats_sub;

/* polynats/client.h */
enum { NATS_CLIENT_CONNECTED = 1 };
enum { NATS_CLIENT_RECONNECTING = 2 };
enum { NATS_CLIENT_DRAINING = 3 };
enum { NATS_CLIENT_CLOSED = 4 };
enum { NATS_FD_NEWS_ONLY = 1 };
enum { NATS_FD_WRITES_IN_TURNS = 2 };

/* polynats/event.h */
enum { NATS_EVENT_CONNECTED = 1 };
enum { NATS_EVENT_DISCONNECTED = 2 };
enum { NATS_EVENT_RECONNECTED = 3 };
enum { NATS_EVENT_CLOSED = 4 };
enum { NATS_EVENT_LAME_DUCK = 5 };
enum { NATS_EVENT_DISCOVERED = 6 };
enum { NATS_EVENT_ERROR = 7 };
enum { NATS_EVENT_SLOW_CONSUMER = 8 };
enum { NATS_EVENT_STALE = 9 };
enum { NATS_EVENT_CREDENTIALS = 10 };
enum { NATS_EVENT_SERVER_CHANGED = 11 };
enum { NATS_EVENT_TRACE = 12 };
enum { NATS_LEVEL_ERROR = 1 };
enum { NATS_LEVEL_WARN = 2 };
enum { NATS_LEVEL_INFO = 3 };
enum { NATS_LEVEL_TRACE = 4 };

/* polynats/info.h */
enum { NATS_INFO_TEXT = 1 };
enum { NATS_INFO_INT = 2 };
enum { NATS_INFO_BOOL = 3 };
enum { NATS_INFO_JSON = 4 };

/* polynats/jetstream_consume.h */
enum { NATS_ACK = 1 };
enum { NATS_NAK = 2 };
enum { NATS_IN_PROGRESS = 3 };
enum { NATS_TERM = 4 };
enum { NATS_ACK_STATE_NONE = 0 };
enum { NATS_ACK_STATE_OPEN = 1 };
enum { NATS_ACK_STATE_DONE = 2 };
enum { NATS_ACK_STATE_UNWANTED = 3 };
enum { NATS_JS_STREAM_SEQ = 0 };
enum { NATS_JS_CONSUMER_SEQ = 1 };
enum { NATS_JS_DELIVERED = 2 };
enum { NATS_JS_PENDING = 3 };
enum { NATS_JS_TIME_NS = 4 };
enum { NATS_JS_UINT_COUNT = 5 };
enum { NATS_JS_STREAM = 16 };
enum { NATS_JS_CONSUMER = 17 };
enum { NATS_JS_DOMAIN = 18 };

/* polynats/jetstream_publish.h */
enum { NATS_PUBLISHER_PUBLISHED = 0 };
enum { NATS_PUBLISHER_ACKED = 1 };
enum { NATS_PUBLISHER_DUPLICATES = 2 };
enum { NATS_PUBLISHER_FAILED = 3 };
enum { NATS_PUBLISHER_PENDING = 4 };
enum { NATS_PUBLISHER_STAT_COUNT = 5 };

/* polynats/json.h */
enum { NATS_JSON_NULL = 1 };
enum { NATS_JSON_BOOL = 2 };
enum { NATS_JSON_INT = 3 };
enum { NATS_JSON_UINT = 4 };
enum { NATS_JSON_REAL = 5 };
enum { NATS_JSON_TEXT = 6 };
enum { NATS_JSON_ARRAY = 7 };
enum { NATS_JSON_OBJECT = 8 };
enum { NATS_JSON_DURATION = 9 };
enum { NATS_JSON_TIME = 10 };

/* polynats/kind.h */
enum { NATS_KIND_NONE = 0 };
enum { NATS_KIND_UNKNOWN = 1 };
enum { NATS_KIND_PERMISSION = 2 };
enum { NATS_KIND_PERMISSION_PUBLISH = 3 };
enum { NATS_KIND_PERMISSION_SUBSCRIBE = 4 };
enum { NATS_KIND_AUTH_VIOLATION = 5 };
enum { NATS_KIND_AUTH_TIMEOUT = 6 };
enum { NATS_KIND_AUTH_EXPIRED = 7 };
enum { NATS_KIND_AUTH_REVOKED = 8 };
enum { NATS_KIND_MAX_CONNECTIONS = 9 };
enum { NATS_KIND_MAX_ACCOUNT_CONNECTIONS = 10 };
enum { NATS_KIND_THROTTLED = 11 };
enum { NATS_KIND_MAX_CONTROL_LINE = 12 };
enum { NATS_KIND_MAX_SUBSCRIPTIONS = 13 };
enum { NATS_KIND_MAX_TOKENS = 14 };
enum { NATS_KIND_MAX_PAYLOAD = 15 };
enum { NATS_KIND_STALE = 16 };
enum { NATS_KIND_SHUTDOWN = 17 };
enum { NATS_KIND_SLOW_CONSUMER = 18 };
enum { NATS_KIND_BAD_PROTOCOL = 19 };
enum { NATS_KIND_WRONG_PORT = 20 };
enum { NATS_KIND_NO_HEADERS = 21 };
enum { NATS_KIND_VERSION = 22 };
enum { NATS_KIND_TLS_REQUIRED = 23 };
enum { NATS_KIND_INVALID_SUBJECT = 24 };

/* polynats/options.h */
enum { NATS_OPTION_TEXT = 1 };
enum { NATS_OPTION_BOOL = 2 };
enum { NATS_OPTION_INT = 3 };
enum { NATS_OPTION_DURATION = 4 };

/* polynats/proto.h */
enum { NATS_PROTO_STATE_IDLE = 0 };
enum { NATS_PROTO_STATE_WAITING = 1 };
enum { NATS_PROTO_STATE_DIALING = 2 };
enum { NATS_PROTO_STATE_UPGRADING = 3 };
enum { NATS_PROTO_STATE_WAITING_INFO = 4 };
enum { NATS_PROTO_STATE_SECURING = 5 };
enum { NATS_PROTO_STATE_SIGNING = 6 };
enum { NATS_PROTO_STATE_WAITING_PONG = 7 };
enum { NATS_PROTO_STATE_CONNECTED = 8 };
enum { NATS_PROTO_STATE_CLOSED = 9 };
enum { NATS_PROTO_DIAL = 1 };
enum { NATS_PROTO_UPGRADE_WANTED = 2 };
enum { NATS_PROTO_TLS_WANTED = 3 };
enum { NATS_PROTO_SIGN_WANTED = 4 };
enum { NATS_PROTO_CONNECTED = 5 };
enum { NATS_PROTO_RECONNECTED = 6 };
enum { NATS_PROTO_DISCONNECTED = 7 };
enum { NATS_PROTO_CLOSED = 8 };
enum { NATS_PROTO_MSG = 9 };
enum { NATS_PROTO_PONG = 10 };
enum { NATS_PROTO_INFO = 11 };
enum { NATS_PROTO_DISCOVERED = 12 };
enum { NATS_PROTO_LAME_DUCK = 13 };
enum { NATS_PROTO_ERROR = 14 };
enum { NATS_PROTO_STALE = 15 };
enum { NATS_PROTO_SUB_DONE = 16 };

/* polynats/status.h */
enum { NATS_OK = 0 };
enum { NATS_ERR_TIMEOUT = -1 };
enum { NATS_ERR_NO_RESPONDERS = -2 };
enum { NATS_ERR_CLOSED = -3 };
enum { NATS_ERR_DISCONNECTED = -4 };
enum { NATS_ERR_AUTH = -5 };
enum { NATS_ERR_PERMISSION = -6 };
enum { NATS_ERR_PROTOCOL = -7 };
enum { NATS_ERR_MAX_PAYLOAD = -8 };
enum { NATS_ERR_SLOW_CONSUMER = -9 };
enum { NATS_ERR_INVALID = -10 };
enum { NATS_ERR_LIMIT = -11 };
enum { NATS_ERR_IO = -12 };
enum { NATS_ERR_TLS = -13 };
enum { NATS_ERR_NO_MEMORY = -14 };
enum { NATS_ERR_FORKED = -15 };
enum { NATS_ERR_NOT_SUPPORTED = -16 };
enum { NATS_ERR_SERVER = -17 };
enum { NATS_ERR_INTERRUPTED = -18 };

/* polynats/sub.h */
enum { NATS_SUB_SHARED = 0 };
enum { NATS_SUB_PRIVATE = 1 };
enum { NATS_SUB_CALLBACK = 2 };
enum { NATS_SUB_STAT_PENDING_MSGS = 0 };
enum { NATS_SUB_STAT_PENDING_BYTES = 1 };
enum { NATS_SUB_STAT_DELIVERED = 2 };
enum { NATS_SUB_STAT_DROPPED = 3 };
enum { NATS_SUB_STAT_RECEIVED = 4 };
enum { NATS_SUB_STAT_COUNT = 5 };

/* polynats/subject.h */
enum { NATS_SUBJECT_MAX = 1900 };

/* polynats/version.h */
enum { POLYNATS_ABI = 0 };

/* polynats/client.h */
nats_status nats_connect(const char *url, const nats_options *options, nats_client **client_out);
nats_status nats_connect_start(const char *url, const nats_options *options,
    nats_client **client_out, nats_future **future_out);
nats_status nats_client_share(nats_client *client, nats_client **client_out);
nats_status nats_client_close(nats_client *client);
nats_status nats_client_drain(nats_client *client, int64_t timeout_ms);
nats_status nats_client_drain_start(nats_client *client, int64_t timeout_ms,
    nats_future **future_out);
void nats_client_free(nats_client *client);
void nats_client_forget(nats_client *client);
nats_status nats_client_reconnect(nats_client *client);
nats_status nats_client_publish(nats_client *client, const char *subject, size_t subject_len,
    const void *data, size_t data_len);
nats_status nats_client_publish_with(nats_client *client, const char *subject, size_t subject_len,
    const char *reply, size_t reply_len, const nats_headers *headers, const void *data,
    size_t data_len);
nats_status nats_client_publish_many(nats_client *client, const char *subject, size_t subject_len,
    const void *const *datas, const size_t *data_lens, size_t count, size_t *published_out);
nats_status nats_client_respond(nats_client *client, const nats_msg *msg,
    const nats_headers *headers, const void *data, size_t data_len);
nats_status nats_client_credentials(nats_client *client, const char *user, const char *password,
    const char *token, const char *jwt, const char *seed, const char *public_key,
    const void *signature, size_t signature_len);
nats_status nats_client_question(nats_client *client, nats_event **event_out);
nats_status nats_client_flush(nats_client *client, int64_t timeout_ms);
nats_status nats_client_flush_start(nats_client *client, int64_t timeout_ms,
    nats_future **future_out);
nats_status nats_client_subscribe(nats_client *client, const char *subject, size_t subject_len,
    const char *queue, size_t queue_len, uint64_t max, nats_sub **sub_out);
nats_status nats_client_subscribe_with(nats_client *client, const char *subject, size_t subject_len,
    const char *queue, size_t queue_len, uint64_t max, int64_t pending_msgs, int64_t pending_bytes,
    int32_t mode, nats_sub **sub_out);
nats_status nats_client_unsubscribe(nats_client *client, uint64_t sid, uint64_t after);
nats_status nats_client_unsubscribe_subject(nats_client *client, const char *subject,
    size_t subject_len, uint64_t after, size_t *count_out);
nats_status nats_client_get(nats_client *client, size_t max, int64_t wait_ms, nats_msg **batch,
    size_t *count_out);
nats_status nats_client_get_callbacks(nats_client *client, size_t max, int64_t wait_ms,
    nats_msg **batch, size_t *count_out);
nats_status nats_client_wake(nats_client *client);
nats_status nats_client_request(nats_client *client, const char *subject, size_t subject_len,
    const nats_headers *headers, const void *data, size_t data_len, int64_t timeout_ms,
    nats_msg **reply_out);
nats_status nats_client_request_start(nats_client *client, const char *subject, size_t subject_len,
    const nats_headers *headers, const void *data, size_t data_len, int64_t timeout_ms,
    nats_future **future_out);
nats_status nats_client_request_many(nats_client *client, const char *subject, size_t subject_len,
    const nats_headers *headers, const void *data, size_t data_len, size_t max, int64_t stall_ms,
    int64_t timeout_ms, int32_t sentinel, nats_future **future_out);
nats_status nats_client_new_inbox(nats_client *client, char *buffer, size_t size, size_t *len_out);
int32_t nats_client_status(nats_client *client);
nats_status nats_client_rtt(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out);
nats_status nats_client_server_info(nats_client *client, nats_info **info_out);
nats_status nats_client_info(nats_client *client, nats_info **info_out);
int64_t nats_client_max_payload(nats_client *client);
nats_status nats_client_option_int(nats_client *client, const char *name, int64_t *value_out);
uint64_t nats_client_pending(nats_client *client);
uint64_t nats_client_replies(nats_client *client);
size_t nats_client_stats(nats_client *client, uint64_t *values, size_t count);
const char *nats_stats_name(size_t index);
nats_status nats_client_next_event(nats_client *client, int64_t wait_ms, nats_event **event_out);
nats_status nats_client_fd(nats_client *client, int32_t *fd_out);
nats_status nats_client_fd_mode(nats_client *client, int32_t flags);
nats_status nats_client_process(nats_client *client);
int64_t nats_client_deadline_ms(nats_client *client);

/* polynats/event.h */
int32_t nats_event_type(const nats_event *event);
const char *nats_event_name(const nats_event *event);
int32_t nats_event_level(const nats_event *event);
const char *nats_level_name(int32_t level);
const char *nats_event_line(const nats_event *event);
nats_status nats_event_status(const nats_event *event);
int32_t nats_event_kind(const nats_event *event);
int32_t nats_event_recoverable(const nats_event *event);
const char *nats_event_text(const nats_event *event);
const char *nats_event_url(const nats_event *event);
const char *nats_event_subject(const nats_event *event);
uint64_t nats_event_sid(const nats_event *event);
uint64_t nats_event_lost(const nats_event *event);
uint64_t nats_event_unconfirmed(const nats_event *event);
int64_t nats_event_time_ns(const nats_event *event);
void nats_event_free(nats_event *event);

/* polynats/future.h */
nats_status nats_future_poll(nats_future *future, nats_msg **msg_out, int32_t *done_out);
nats_status nats_future_wait(nats_future *future, int64_t wait_ms, nats_msg **msg_out);
int32_t nats_future_done(nats_future *future);
void nats_future_cancel(nats_future *future);
void nats_future_free(nats_future *future);

/* polynats/headers.h */
nats_status nats_headers_new(nats_headers **headers_out);
void nats_headers_free(nats_headers *headers);
nats_status nats_headers_add(nats_headers *headers, const char *key, size_t key_len,
    const char *value, size_t value_len);
void nats_headers_clear(nats_headers *headers);
size_t nats_headers_count(const nats_headers *headers);

/* polynats/info.h */
const char *nats_info_json(const nats_info *info, size_t *len_out);
const char *nats_info_text(const nats_info *info, const char *name, size_t *len_out);
int32_t nats_info_int(const nats_info *info, const char *name, int64_t *value_out);
int32_t nats_info_next(const nats_info *info, size_t *cursor, const char **name_out,
    const char **value_out, size_t *value_len_out, int32_t *in_list_out);
void nats_info_free(nats_info *info);

/* polynats/jetstream.h */
nats_status nats_client_jetstream(nats_client *client, const char *domain, const char *prefix,
    int64_t timeout_ms, nats_js **js_out);
void nats_js_free(nats_js *js);
nats_status nats_js_call(nats_js *js, const char *verb, const char *arguments, size_t arguments_len,
    int64_t timeout_ms, nats_msg **result_out);
nats_status nats_js_call_start(nats_js *js, const char *verb, const char *arguments,
    size_t arguments_len, int64_t timeout_ms, nats_future **future_out);
const char *nats_js_verb(size_t index);
int32_t nats_js_key(const char *object, const char *name, int32_t *element_out,
    const char **object_out);
const char *nats_js_key_name(const char *object, size_t index);

/* polynats/jetstream_consume.h */
nats_status nats_js_consume(nats_js *js, const char *how, const char *arguments,
    size_t arguments_len, int64_t timeout_ms, nats_sub **sub_out);
nats_status nats_js_consume_start(nats_js *js, const char *how, const char *arguments,
    size_t arguments_len, int64_t timeout_ms, nats_sub **sub_out, nats_future **future_out);
nats_status nats_client_ack(nats_client *client, nats_msg *msg, int32_t how, int64_t delay_ms,
    const char *reason, size_t reason_len);
nats_status nats_client_ack_many(nats_client *client, nats_msg *const *batch, size_t count,
    size_t *acked_out);
nats_status nats_client_ack_sync(nats_client *client, nats_msg *msg, int64_t timeout_ms);
nats_status nats_client_ack_sync_start(nats_client *client, nats_msg *msg, int64_t timeout_ms,
    nats_future **future_out);
int32_t nats_msg_ack_state(const nats_msg *msg);
nats_status nats_client_ack_reply(nats_client *client, const char *reply, size_t reply_len,
    int32_t how, int64_t delay_ms, const char *reason, size_t reason_len);
nats_status nats_client_ack_reply_start(nats_client *client, const char *reply, size_t reply_len,
    int64_t timeout_ms, nats_future **future_out);
nats_status nats_client_ack_replies(nats_client *client, const char *const *replies,
    const size_t *reply_lens, size_t count, size_t *acked_out);
int32_t nats_msg_js_uint(const nats_msg *msg, int32_t what, uint64_t *out);
int32_t nats_msg_js_uints(const nats_msg *msg, uint64_t *values);
const char *nats_msg_js_text(const nats_msg *msg, int32_t what, size_t *len_out);

/* polynats/jetstream_publish.h */
nats_status nats_js_publish(nats_js *js, const char *subject, size_t subject_len,
    const nats_headers *headers, const void *data, size_t data_len, int64_t timeout_ms,
    nats_msg **ack_out);
nats_status nats_js_publish_start(nats_js *js, const char *subject, size_t subject_len,
    const nats_headers *headers, const void *data, size_t data_len, int64_t timeout_ms,
    nats_future **future_out);
nats_status nats_js_level_start(nats_js *js, int64_t timeout_ms, nats_future **future_out);
int32_t nats_msg_ack_seq(const nats_msg *ack, uint64_t *seq_out, int32_t *duplicate_out);
const char *nats_js_header(const char *keyword, int32_t *kind_out);
const char *nats_js_keyword(size_t index);
nats_status nats_js_publisher_new(nats_js *js, int64_t max_pending,
    nats_js_publisher **publisher_out);
nats_status nats_js_publisher_fast(nats_js *js, int64_t max_pending,
    nats_js_publisher **publisher_out);
nats_status nats_js_publisher_publish(nats_js_publisher *publisher, const char *subject,
    size_t subject_len, const nats_headers *headers, const void *data, size_t data_len,
    uint64_t *id_out);
int64_t nats_js_publisher_room(nats_js_publisher *publisher, const nats_headers *headers);
nats_status nats_js_publisher_level_start(nats_js_publisher *publisher, int64_t timeout_ms,
    nats_future **future_out);
nats_status nats_js_publisher_publish_many(nats_js_publisher *publisher, const char *subject,
    size_t subject_len, const void *const *datas, const size_t *data_lens, size_t count,
    uint64_t *first_id_out, size_t *published_out);
nats_status nats_js_publisher_flush(nats_js_publisher *publisher, int64_t timeout_ms);
nats_status nats_js_publisher_flush_start(nats_js_publisher *publisher, int64_t timeout_ms,
    nats_future **future_out);
nats_status nats_js_publisher_next_failure(nats_js_publisher *publisher, uint64_t *id_out);
size_t nats_js_publisher_stats(nats_js_publisher *publisher, uint64_t *values, size_t count);
void nats_js_publisher_free(nats_js_publisher *publisher);
nats_status nats_js_batch_new(nats_js *js, nats_js_batch **batch_out);
nats_status nats_js_batch_add(nats_js_batch *batch, const char *subject, size_t subject_len,
    const nats_headers *headers, const void *data, size_t data_len, int64_t timeout_ms);
nats_status nats_js_batch_commit(nats_js_batch *batch, const char *subject, size_t subject_len,
    const nats_headers *headers, const void *data, size_t data_len, int64_t timeout_ms,
    nats_msg **ack_out);
nats_status nats_js_batch_add_start(nats_js_batch *batch, const char *subject, size_t subject_len,
    const nats_headers *headers, const void *data, size_t data_len, int64_t timeout_ms,
    nats_future **future_out);
nats_status nats_js_batch_commit_start(nats_js_batch *batch, const char *subject,
    size_t subject_len, const nats_headers *headers, const void *data, size_t data_len,
    int64_t timeout_ms, nats_future **future_out);
void nats_js_batch_free(nats_js_batch *batch);

/* polynats/json.h */
nats_status nats_json_parse(const char *text, size_t len, nats_json **json_out);
void nats_json_free(nats_json *json);
int32_t nats_json_kind(const nats_json *value);
size_t nats_json_count(const nats_json *value);
const nats_json *nats_json_get(const nats_json *object, const char *name);
const nats_json *nats_json_at(const nats_json *array, size_t index);
const nats_json *nats_json_member(const nats_json *object, size_t index, const char **name_out);
const char *nats_json_text(const nats_json *value, size_t *len_out);
int32_t nats_json_int(const nats_json *value, int64_t *out);
int32_t nats_json_uint(const nats_json *value, uint64_t *out);
int32_t nats_json_real(const nats_json *value, double *out);
int32_t nats_json_time(const nats_json *value, int64_t *ns_out);

/* polynats/kind.h */
const char *nats_kind_name(int32_t kind);

/* polynats/msg.h */
const char *nats_msg_subject(const nats_msg *msg, size_t *len_out);
const char *nats_msg_reply(const nats_msg *msg, size_t *len_out);
const void *nats_msg_data(const nats_msg *msg, size_t *len_out);
uint64_t nats_msg_sid(const nats_msg *msg);
int32_t nats_msg_status(const nats_msg *msg);
const char *nats_msg_description(const nats_msg *msg, size_t *len_out);
const char *nats_msg_headers_raw(const nats_msg *msg, size_t *len_out);
const char *nats_msg_header(const nats_msg *msg, const char *key, size_t key_len, size_t *len_out);
int32_t nats_msg_next_header(const nats_msg *msg, size_t *cursor, const char **key_out,
    size_t *key_len_out, const char **value_out, size_t *value_len_out);
void nats_msg_free(nats_msg *msg);
void nats_msg_free_many(nats_msg **batch, size_t count);

/* polynats/options.h */
nats_status nats_options_new(nats_options **options_out);
void nats_options_free(nats_options *options);
nats_status nats_options_set_text(nats_options *options, const char *name, const char *value,
    size_t value_len);
nats_status nats_options_set_int(nats_options *options, const char *name, int64_t value);
nats_status nats_options_set_double(nats_options *options, const char *name, double value);
nats_status nats_options_set_bool(nats_options *options, const char *name, int32_t value);
const char *nats_options_name(size_t index);
int32_t nats_options_type(const char *name);
const char *nats_options_doc(const char *name);
int64_t nats_options_default(const char *name);
int64_t nats_options_min(const char *name);
int64_t nats_options_max(const char *name);
const char *nats_options_nearest(const char *name, const char *const *names, size_t count);

/* polynats/proto.h */
nats_status nats_proto_new(const char *urls, const nats_options *options, const void *seed,
    size_t seed_len, nats_proto **proto_out);
void nats_proto_free(nats_proto *proto);
nats_status nats_proto_start(nats_proto *proto, int64_t now_ns);
const char *nats_proto_url(const nats_proto *proto);
const char *nats_proto_scheme(const nats_proto *proto);
const char *nats_proto_host(const nats_proto *proto);
int32_t nats_proto_port(const nats_proto *proto);
nats_status nats_proto_transport_up(nats_proto *proto, int64_t now_ns);
nats_status nats_proto_upgraded(nats_proto *proto, int64_t now_ns);
nats_status nats_proto_secured(nats_proto *proto, int64_t now_ns);
nats_status nats_proto_transport_failed(nats_proto *proto, nats_status status, const char *text,
    int64_t now_ns);
void nats_proto_expect_signature(nats_proto *proto, int32_t expect);
nats_status nats_proto_credentials(nats_proto *proto, const char *user, const char *password,
    const char *token, const char *jwt, const char *public_key, const void *signature,
    size_t signature_len, int64_t now_ns);
nats_status nats_proto_sign(nats_proto *proto, const void *signature, size_t signature_len,
    const char *public_key, const char *jwt, int64_t now_ns);
nats_status nats_proto_feed(nats_proto *proto, const void *data, size_t len, int64_t now_ns);
nats_status nats_proto_reserve(nats_proto *proto, void **space_out, size_t *size_out);
nats_status nats_proto_commit(nats_proto *proto, size_t len, int64_t now_ns);
nats_status nats_proto_feed_eof(nats_proto *proto, int64_t now_ns);
int32_t nats_proto_next_event(nats_proto *proto);
nats_msg *nats_proto_event_take_msg(nats_proto *proto);
nats_status nats_proto_event_status(const nats_proto *proto);
const char *nats_proto_event_text(const nats_proto *proto);
int32_t nats_proto_event_kind(const nats_proto *proto);
int32_t nats_proto_event_recoverable(const nats_proto *proto);
uint64_t nats_proto_event_sid(const nats_proto *proto);
uint64_t nats_proto_event_token(const nats_proto *proto);
int64_t nats_proto_event_rtt_ns(const nats_proto *proto);
uint64_t nats_proto_event_lost(const nats_proto *proto);
uint64_t nats_proto_event_unconfirmed(const nats_proto *proto);
void nats_proto_tx(nats_proto *proto, const void **data_out, size_t *len_out);
nats_status nats_proto_tx_done(nats_proto *proto, size_t len, int64_t now_ns);
size_t nats_proto_tx_pending(const nats_proto *proto);
int64_t nats_proto_deadline_ns(const nats_proto *proto);
void nats_proto_tick(nats_proto *proto, int64_t now_ns);
nats_status nats_proto_publish(nats_proto *proto, const char *subject, size_t subject_len,
    const char *reply, size_t reply_len, const nats_headers *headers, const void *data,
    size_t data_len);
nats_status nats_proto_subscribe(nats_proto *proto, const char *subject, size_t subject_len,
    const char *queue, size_t queue_len, uint64_t max, uint64_t sid, uint64_t *sid_out);
nats_status nats_proto_unsubscribe(nats_proto *proto, uint64_t sid, uint64_t after);
nats_status nats_proto_ping(nats_proto *proto, int64_t now_ns, uint64_t *token_out);
void nats_proto_close(nats_proto *proto);
nats_status nats_proto_reconnect(nats_proto *proto, int64_t now_ns);
int32_t nats_proto_state(const nats_proto *proto);
nats_status nats_proto_server_info(const nats_proto *proto, nats_info **info_out);
int32_t nats_proto_pings_out(const nats_proto *proto);
uint64_t nats_proto_offset(const nats_proto *proto);
nats_status nats_proto_new_inbox(nats_proto *proto, char *buffer, size_t size, size_t *len_out);
const char *nats_proto_server_at(const nats_proto *proto, size_t index, int32_t *attempts_out,
    int32_t *discovered_out);
nats_status nats_proto_server_add(nats_proto *proto, const char *url);
nats_status nats_proto_server_remove(nats_proto *proto, const char *url);

/* polynats/status.h */
const char *nats_status_name(nats_status status);
const char *nats_status_text(nats_status status);
const char *nats_last_error(const struct nats_client *client);
nats_status nats_last_status(void);
const char *nats_last_about(void);
int32_t nats_last_err_code(void);
int32_t nats_last_code(void);
const char *nats_last_description(void);

/* polynats/sub.h */
nats_status nats_sub_next(nats_sub *sub, int64_t wait_ms, nats_msg **msg_out);
nats_status nats_sub_get(nats_sub *sub, size_t max, int64_t wait_ms, nats_msg **batch,
    size_t *count_out);
nats_status nats_sub_unsubscribe(nats_sub *sub, uint64_t after);
nats_status nats_sub_drain(nats_sub *sub, int64_t timeout_ms);
nats_status nats_sub_drain_start(nats_sub *sub, int64_t timeout_ms, nats_future **future_out);
nats_status nats_sub_set_mode(nats_sub *sub, int32_t mode);
nats_status nats_sub_set_limits(nats_sub *sub, int64_t pending_msgs, int64_t pending_bytes);
size_t nats_sub_stats(nats_sub *sub, uint64_t *values, size_t count);
const char *nats_sub_subject(const nats_sub *sub, size_t *len_out);
const char *nats_sub_queue(const nats_sub *sub, size_t *len_out);
uint64_t nats_sub_sid(const nats_sub *sub);
int32_t nats_sub_active(nats_sub *sub);
void nats_sub_free(nats_sub *sub);

/* polynats/subject.h */
int32_t nats_subject_valid(const char *subject, size_t subject_len);
int32_t nats_subject_valid_pattern(const char *pattern, size_t pattern_len);
int32_t nats_subject_matches(const char *pattern, size_t pattern_len, const char *subject,
    size_t subject_len);

/* polynats/version.h */
const char *nats_version(void);
int32_t nats_abi(void);
