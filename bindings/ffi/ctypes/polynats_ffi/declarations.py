"""Written by tools/abi.py: the numbers and the functions of the ABI, as ctypes takes them.

FUNCTIONS: name -> (result, parameters). Handles are addresses. Texts with a length go in as bytes
and come out as addresses; texts that end with their NUL are bytes both ways.
"""

from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p

VOID_OUT = POINTER(c_void_p)
SIZE_OUT = POINTER(c_size_t)
INT32_OUT = POINTER(c_int32)
INT64_OUT = POINTER(c_int64)
UINT64_OUT = POINTER(c_uint64)
DOUBLE_OUT = POINTER(c_double)

# polynats/client.h
NATS_CLIENT_CONNECTED = 1
NATS_CLIENT_RECONNECTING = 2
NATS_CLIENT_DRAINING = 3
NATS_CLIENT_CLOSED = 4
NATS_FD_NEWS_ONLY = 1
NATS_FD_WRITES_IN_TURNS = 2

# polynats/event.h
NATS_EVENT_CONNECTED = 1
NATS_EVENT_DISCONNECTED = 2
NATS_EVENT_RECONNECTED = 3
NATS_EVENT_CLOSED = 4
NATS_EVENT_LAME_DUCK = 5
NATS_EVENT_DISCOVERED = 6
NATS_EVENT_ERROR = 7
NATS_EVENT_SLOW_CONSUMER = 8
NATS_EVENT_STALE = 9
NATS_EVENT_CREDENTIALS = 10
NATS_EVENT_SERVER_CHANGED = 11
NATS_EVENT_TRACE = 12
NATS_LEVEL_ERROR = 1
NATS_LEVEL_WARN = 2
NATS_LEVEL_INFO = 3
NATS_LEVEL_TRACE = 4

# polynats/info.h
NATS_INFO_TEXT = 1
NATS_INFO_INT = 2
NATS_INFO_BOOL = 3
NATS_INFO_JSON = 4

# polynats/jetstream_consume.h
NATS_ACK = 1
NATS_NAK = 2
NATS_IN_PROGRESS = 3
NATS_TERM = 4
NATS_ACK_STATE_NONE = 0
NATS_ACK_STATE_OPEN = 1
NATS_ACK_STATE_DONE = 2
NATS_ACK_STATE_UNWANTED = 3
NATS_JS_STREAM_SEQ = 0
NATS_JS_CONSUMER_SEQ = 1
NATS_JS_DELIVERED = 2
NATS_JS_PENDING = 3
NATS_JS_TIME_NS = 4
NATS_JS_UINT_COUNT = 5
NATS_JS_STREAM = 16
NATS_JS_CONSUMER = 17
NATS_JS_DOMAIN = 18

# polynats/jetstream_publish.h
NATS_PUBLISHER_PUBLISHED = 0
NATS_PUBLISHER_ACKED = 1
NATS_PUBLISHER_DUPLICATES = 2
NATS_PUBLISHER_FAILED = 3
NATS_PUBLISHER_PENDING = 4
NATS_PUBLISHER_STAT_COUNT = 5

# polynats/json.h
NATS_JSON_NULL = 1
NATS_JSON_BOOL = 2
NATS_JSON_INT = 3
NATS_JSON_UINT = 4
NATS_JSON_REAL = 5
NATS_JSON_TEXT = 6
NATS_JSON_ARRAY = 7
NATS_JSON_OBJECT = 8
NATS_JSON_DURATION = 9
NATS_JSON_TIME = 10

# polynats/kind.h
NATS_KIND_NONE = 0
NATS_KIND_UNKNOWN = 1
NATS_KIND_PERMISSION = 2
NATS_KIND_PERMISSION_PUBLISH = 3
NATS_KIND_PERMISSION_SUBSCRIBE = 4
NATS_KIND_AUTH_VIOLATION = 5
NATS_KIND_AUTH_TIMEOUT = 6
NATS_KIND_AUTH_EXPIRED = 7
NATS_KIND_AUTH_REVOKED = 8
NATS_KIND_MAX_CONNECTIONS = 9
NATS_KIND_MAX_ACCOUNT_CONNECTIONS = 10
NATS_KIND_THROTTLED = 11
NATS_KIND_MAX_CONTROL_LINE = 12
NATS_KIND_MAX_SUBSCRIPTIONS = 13
NATS_KIND_MAX_TOKENS = 14
NATS_KIND_MAX_PAYLOAD = 15
NATS_KIND_STALE = 16
NATS_KIND_SHUTDOWN = 17
NATS_KIND_SLOW_CONSUMER = 18
NATS_KIND_BAD_PROTOCOL = 19
NATS_KIND_WRONG_PORT = 20
NATS_KIND_NO_HEADERS = 21
NATS_KIND_VERSION = 22
NATS_KIND_TLS_REQUIRED = 23
NATS_KIND_INVALID_SUBJECT = 24

# polynats/options.h
NATS_OPTION_TEXT = 1
NATS_OPTION_BOOL = 2
NATS_OPTION_INT = 3
NATS_OPTION_DURATION = 4

# polynats/proto.h
NATS_PROTO_STATE_IDLE = 0
NATS_PROTO_STATE_WAITING = 1
NATS_PROTO_STATE_DIALING = 2
NATS_PROTO_STATE_UPGRADING = 3
NATS_PROTO_STATE_WAITING_INFO = 4
NATS_PROTO_STATE_SECURING = 5
NATS_PROTO_STATE_SIGNING = 6
NATS_PROTO_STATE_WAITING_PONG = 7
NATS_PROTO_STATE_CONNECTED = 8
NATS_PROTO_STATE_CLOSED = 9
NATS_PROTO_DIAL = 1
NATS_PROTO_UPGRADE_WANTED = 2
NATS_PROTO_TLS_WANTED = 3
NATS_PROTO_SIGN_WANTED = 4
NATS_PROTO_CONNECTED = 5
NATS_PROTO_RECONNECTED = 6
NATS_PROTO_DISCONNECTED = 7
NATS_PROTO_CLOSED = 8
NATS_PROTO_MSG = 9
NATS_PROTO_PONG = 10
NATS_PROTO_INFO = 11
NATS_PROTO_DISCOVERED = 12
NATS_PROTO_LAME_DUCK = 13
NATS_PROTO_ERROR = 14
NATS_PROTO_STALE = 15
NATS_PROTO_SUB_DONE = 16

# polynats/status.h
NATS_OK = 0
NATS_ERR_TIMEOUT = -1
NATS_ERR_NO_RESPONDERS = -2
NATS_ERR_CLOSED = -3
NATS_ERR_DISCONNECTED = -4
NATS_ERR_AUTH = -5
NATS_ERR_PERMISSION = -6
NATS_ERR_PROTOCOL = -7
NATS_ERR_MAX_PAYLOAD = -8
NATS_ERR_SLOW_CONSUMER = -9
NATS_ERR_INVALID = -10
NATS_ERR_LIMIT = -11
NATS_ERR_IO = -12
NATS_ERR_TLS = -13
NATS_ERR_NO_MEMORY = -14
NATS_ERR_FORKED = -15
NATS_ERR_NOT_SUPPORTED = -16
NATS_ERR_SERVER = -17
NATS_ERR_INTERRUPTED = -18

# polynats/sub.h
NATS_SUB_SHARED = 0
NATS_SUB_PRIVATE = 1
NATS_SUB_CALLBACK = 2
NATS_SUB_STAT_PENDING_MSGS = 0
NATS_SUB_STAT_PENDING_BYTES = 1
NATS_SUB_STAT_DELIVERED = 2
NATS_SUB_STAT_DROPPED = 3
NATS_SUB_STAT_RECEIVED = 4
NATS_SUB_STAT_COUNT = 5

# polynats/subject.h
NATS_SUBJECT_MAX = 1900

# polynats/version.h
POLYNATS_ABI = 0

FUNCTIONS = {
    "nats_connect": (c_int32, (c_char_p, c_void_p, VOID_OUT)),
    "nats_connect_start": (c_int32, (c_char_p, c_void_p, VOID_OUT, VOID_OUT)),
    "nats_client_share": (c_int32, (c_void_p, VOID_OUT)),
    "nats_client_close": (c_int32, (c_void_p,)),
    "nats_client_drain": (c_int32, (c_void_p, c_int64)),
    "nats_client_drain_start": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_client_free": (None, (c_void_p,)),
    "nats_client_forget": (None, (c_void_p,)),
    "nats_client_reconnect": (c_int32, (c_void_p,)),
    "nats_client_publish": (c_int32, (c_void_p, c_char_p, c_size_t, c_void_p, c_size_t)),
    "nats_client_publish_with": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t)),
    "nats_client_publish_many": (c_int32, (
        c_void_p, c_char_p, c_size_t, VOID_OUT, SIZE_OUT, c_size_t, SIZE_OUT)),
    "nats_client_respond": (c_int32, (c_void_p, c_void_p, c_void_p, c_void_p, c_size_t)),
    "nats_client_credentials": (c_int32, (
        c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_char_p, c_char_p, c_void_p, c_size_t)),
    "nats_client_question": (c_int32, (c_void_p, VOID_OUT)),
    "nats_client_flush": (c_int32, (c_void_p, c_int64)),
    "nats_client_flush_start": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_client_subscribe": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_uint64, VOID_OUT)),
    "nats_client_subscribe_with": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_uint64, c_int64, c_int64, c_int32,
        VOID_OUT)),
    "nats_client_unsubscribe": (c_int32, (c_void_p, c_uint64, c_uint64)),
    "nats_client_unsubscribe_subject": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_uint64, SIZE_OUT)),
    "nats_client_get": (c_int32, (c_void_p, c_size_t, c_int64, VOID_OUT, SIZE_OUT)),
    "nats_client_get_callbacks": (c_int32, (c_void_p, c_size_t, c_int64, VOID_OUT, SIZE_OUT)),
    "nats_client_wake": (c_int32, (c_void_p,)),
    "nats_client_request": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_int64, VOID_OUT)),
    "nats_client_request_start": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_int64, VOID_OUT)),
    "nats_client_request_many": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_size_t, c_int64, c_int64,
        c_int32, VOID_OUT)),
    "nats_client_new_inbox": (c_int32, (c_void_p, c_char_p, c_size_t, SIZE_OUT)),
    "nats_client_status": (c_int32, (c_void_p,)),
    "nats_client_rtt": (c_int32, (c_void_p, c_int64, INT64_OUT)),
    "nats_client_server_info": (c_int32, (c_void_p, VOID_OUT)),
    "nats_client_info": (c_int32, (c_void_p, VOID_OUT)),
    "nats_client_max_payload": (c_int64, (c_void_p,)),
    "nats_client_option_int": (c_int32, (c_void_p, c_char_p, INT64_OUT)),
    "nats_client_pending": (c_uint64, (c_void_p,)),
    "nats_client_replies": (c_uint64, (c_void_p,)),
    "nats_client_stats": (c_size_t, (c_void_p, UINT64_OUT, c_size_t)),
    "nats_stats_name": (c_char_p, (c_size_t,)),
    "nats_client_next_event": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_client_fd": (c_int32, (c_void_p, INT32_OUT)),
    "nats_client_fd_mode": (c_int32, (c_void_p, c_int32)),
    "nats_client_process": (c_int32, (c_void_p,)),
    "nats_client_deadline_ms": (c_int64, (c_void_p,)),
    "nats_event_type": (c_int32, (c_void_p,)),
    "nats_event_name": (c_char_p, (c_void_p,)),
    "nats_event_level": (c_int32, (c_void_p,)),
    "nats_level_name": (c_char_p, (c_int32,)),
    "nats_event_line": (c_char_p, (c_void_p,)),
    "nats_event_status": (c_int32, (c_void_p,)),
    "nats_event_kind": (c_int32, (c_void_p,)),
    "nats_event_recoverable": (c_int32, (c_void_p,)),
    "nats_event_text": (c_char_p, (c_void_p,)),
    "nats_event_url": (c_char_p, (c_void_p,)),
    "nats_event_subject": (c_char_p, (c_void_p,)),
    "nats_event_sid": (c_uint64, (c_void_p,)),
    "nats_event_lost": (c_uint64, (c_void_p,)),
    "nats_event_unconfirmed": (c_uint64, (c_void_p,)),
    "nats_event_time_ns": (c_int64, (c_void_p,)),
    "nats_event_free": (None, (c_void_p,)),
    "nats_future_poll": (c_int32, (c_void_p, VOID_OUT, INT32_OUT)),
    "nats_future_wait": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_future_done": (c_int32, (c_void_p,)),
    "nats_future_cancel": (None, (c_void_p,)),
    "nats_future_free": (None, (c_void_p,)),
    "nats_headers_new": (c_int32, (VOID_OUT,)),
    "nats_headers_free": (None, (c_void_p,)),
    "nats_headers_add": (c_int32, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    "nats_headers_clear": (None, (c_void_p,)),
    "nats_headers_count": (c_size_t, (c_void_p,)),
    "nats_info_json": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_info_text": (c_void_p, (c_void_p, c_char_p, SIZE_OUT)),
    "nats_info_int": (c_int32, (c_void_p, c_char_p, INT64_OUT)),
    "nats_info_next": (c_int32, (c_void_p, SIZE_OUT, VOID_OUT, VOID_OUT, SIZE_OUT, INT32_OUT)),
    "nats_info_free": (None, (c_void_p,)),
    "nats_client_jetstream": (c_int32, (c_void_p, c_char_p, c_char_p, c_int64, VOID_OUT)),
    "nats_js_free": (None, (c_void_p,)),
    "nats_js_call": (c_int32, (c_void_p, c_char_p, c_char_p, c_size_t, c_int64, VOID_OUT)),
    "nats_js_call_start": (c_int32, (c_void_p, c_char_p, c_char_p, c_size_t, c_int64, VOID_OUT)),
    "nats_js_verb": (c_char_p, (c_size_t,)),
    "nats_js_key": (c_int32, (c_char_p, c_char_p, INT32_OUT, VOID_OUT)),
    "nats_js_key_name": (c_char_p, (c_char_p, c_size_t)),
    "nats_js_consume": (c_int32, (c_void_p, c_char_p, c_char_p, c_size_t, c_int64, VOID_OUT)),
    "nats_js_consume_start": (c_int32, (
        c_void_p, c_char_p, c_char_p, c_size_t, c_int64, VOID_OUT, VOID_OUT)),
    "nats_client_ack": (c_int32, (c_void_p, c_void_p, c_int32, c_int64, c_char_p, c_size_t)),
    "nats_client_ack_many": (c_int32, (c_void_p, VOID_OUT, c_size_t, SIZE_OUT)),
    "nats_client_ack_sync": (c_int32, (c_void_p, c_void_p, c_int64)),
    "nats_client_ack_sync_start": (c_int32, (c_void_p, c_void_p, c_int64, VOID_OUT)),
    "nats_msg_ack_state": (c_int32, (c_void_p,)),
    "nats_client_ack_reply": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_int32, c_int64, c_char_p, c_size_t)),
    "nats_client_ack_reply_start": (c_int32, (c_void_p, c_char_p, c_size_t, c_int64, VOID_OUT)),
    "nats_client_ack_replies": (c_int32, (c_void_p, VOID_OUT, SIZE_OUT, c_size_t, SIZE_OUT)),
    "nats_msg_js_uint": (c_int32, (c_void_p, c_int32, UINT64_OUT)),
    "nats_msg_js_uints": (c_int32, (c_void_p, UINT64_OUT)),
    "nats_msg_js_text": (c_void_p, (c_void_p, c_int32, SIZE_OUT)),
    "nats_js_publish": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_int64, VOID_OUT)),
    "nats_js_publish_start": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_int64, VOID_OUT)),
    "nats_js_level_start": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_msg_ack_seq": (c_int32, (c_void_p, UINT64_OUT, INT32_OUT)),
    "nats_js_header": (c_char_p, (c_char_p, INT32_OUT)),
    "nats_js_keyword": (c_char_p, (c_size_t,)),
    "nats_js_publisher_new": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_js_publisher_fast": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_js_publisher_publish": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, UINT64_OUT)),
    "nats_js_publisher_room": (c_int64, (c_void_p, c_void_p)),
    "nats_js_publisher_level_start": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_js_publisher_publish_many": (c_int32, (
        c_void_p, c_char_p, c_size_t, VOID_OUT, SIZE_OUT, c_size_t, UINT64_OUT, SIZE_OUT)),
    "nats_js_publisher_flush": (c_int32, (c_void_p, c_int64)),
    "nats_js_publisher_flush_start": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_js_publisher_next_failure": (c_int32, (c_void_p, UINT64_OUT)),
    "nats_js_publisher_stats": (c_size_t, (c_void_p, UINT64_OUT, c_size_t)),
    "nats_js_publisher_free": (None, (c_void_p,)),
    "nats_js_batch_new": (c_int32, (c_void_p, VOID_OUT)),
    "nats_js_batch_add": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_int64)),
    "nats_js_batch_commit": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_int64, VOID_OUT)),
    "nats_js_batch_add_start": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_int64, VOID_OUT)),
    "nats_js_batch_commit_start": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t, c_int64, VOID_OUT)),
    "nats_js_batch_free": (None, (c_void_p,)),
    "nats_json_parse": (c_int32, (c_char_p, c_size_t, VOID_OUT)),
    "nats_json_free": (None, (c_void_p,)),
    "nats_json_kind": (c_int32, (c_void_p,)),
    "nats_json_count": (c_size_t, (c_void_p,)),
    "nats_json_get": (c_void_p, (c_void_p, c_char_p)),
    "nats_json_at": (c_void_p, (c_void_p, c_size_t)),
    "nats_json_member": (c_void_p, (c_void_p, c_size_t, VOID_OUT)),
    "nats_json_text": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_json_int": (c_int32, (c_void_p, INT64_OUT)),
    "nats_json_uint": (c_int32, (c_void_p, UINT64_OUT)),
    "nats_json_real": (c_int32, (c_void_p, DOUBLE_OUT)),
    "nats_json_time": (c_int32, (c_void_p, INT64_OUT)),
    "nats_kind_name": (c_char_p, (c_int32,)),
    "nats_msg_subject": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_msg_reply": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_msg_data": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_msg_sid": (c_uint64, (c_void_p,)),
    "nats_msg_status": (c_int32, (c_void_p,)),
    "nats_msg_description": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_msg_headers_raw": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_msg_header": (c_void_p, (c_void_p, c_char_p, c_size_t, SIZE_OUT)),
    "nats_msg_next_header": (c_int32, (c_void_p, SIZE_OUT, VOID_OUT, SIZE_OUT, VOID_OUT, SIZE_OUT)),
    "nats_msg_free": (None, (c_void_p,)),
    "nats_msg_free_many": (None, (VOID_OUT, c_size_t)),
    "nats_options_new": (c_int32, (VOID_OUT,)),
    "nats_options_free": (None, (c_void_p,)),
    "nats_options_set_text": (c_int32, (c_void_p, c_char_p, c_char_p, c_size_t)),
    "nats_options_set_int": (c_int32, (c_void_p, c_char_p, c_int64)),
    "nats_options_set_double": (c_int32, (c_void_p, c_char_p, c_double)),
    "nats_options_set_bool": (c_int32, (c_void_p, c_char_p, c_int32)),
    "nats_options_name": (c_char_p, (c_size_t,)),
    "nats_options_type": (c_int32, (c_char_p,)),
    "nats_options_doc": (c_char_p, (c_char_p,)),
    "nats_options_default": (c_int64, (c_char_p,)),
    "nats_options_min": (c_int64, (c_char_p,)),
    "nats_options_max": (c_int64, (c_char_p,)),
    "nats_options_nearest": (c_char_p, (c_char_p, VOID_OUT, c_size_t)),
    "nats_proto_new": (c_int32, (c_char_p, c_void_p, c_void_p, c_size_t, VOID_OUT)),
    "nats_proto_free": (None, (c_void_p,)),
    "nats_proto_start": (c_int32, (c_void_p, c_int64)),
    "nats_proto_url": (c_char_p, (c_void_p,)),
    "nats_proto_scheme": (c_char_p, (c_void_p,)),
    "nats_proto_host": (c_char_p, (c_void_p,)),
    "nats_proto_port": (c_int32, (c_void_p,)),
    "nats_proto_transport_up": (c_int32, (c_void_p, c_int64)),
    "nats_proto_upgraded": (c_int32, (c_void_p, c_int64)),
    "nats_proto_secured": (c_int32, (c_void_p, c_int64)),
    "nats_proto_transport_failed": (c_int32, (c_void_p, c_int32, c_char_p, c_int64)),
    "nats_proto_expect_signature": (None, (c_void_p, c_int32)),
    "nats_proto_credentials": (c_int32, (
        c_void_p, c_char_p, c_char_p, c_char_p, c_char_p, c_char_p, c_void_p, c_size_t, c_int64)),
    "nats_proto_sign": (c_int32, (c_void_p, c_void_p, c_size_t, c_char_p, c_char_p, c_int64)),
    "nats_proto_feed": (c_int32, (c_void_p, c_void_p, c_size_t, c_int64)),
    "nats_proto_reserve": (c_int32, (c_void_p, VOID_OUT, SIZE_OUT)),
    "nats_proto_commit": (c_int32, (c_void_p, c_size_t, c_int64)),
    "nats_proto_feed_eof": (c_int32, (c_void_p, c_int64)),
    "nats_proto_next_event": (c_int32, (c_void_p,)),
    "nats_proto_event_take_msg": (c_void_p, (c_void_p,)),
    "nats_proto_event_status": (c_int32, (c_void_p,)),
    "nats_proto_event_text": (c_char_p, (c_void_p,)),
    "nats_proto_event_kind": (c_int32, (c_void_p,)),
    "nats_proto_event_recoverable": (c_int32, (c_void_p,)),
    "nats_proto_event_sid": (c_uint64, (c_void_p,)),
    "nats_proto_event_token": (c_uint64, (c_void_p,)),
    "nats_proto_event_rtt_ns": (c_int64, (c_void_p,)),
    "nats_proto_event_lost": (c_uint64, (c_void_p,)),
    "nats_proto_event_unconfirmed": (c_uint64, (c_void_p,)),
    "nats_proto_tx": (None, (c_void_p, VOID_OUT, SIZE_OUT)),
    "nats_proto_tx_done": (c_int32, (c_void_p, c_size_t, c_int64)),
    "nats_proto_tx_pending": (c_size_t, (c_void_p,)),
    "nats_proto_deadline_ns": (c_int64, (c_void_p,)),
    "nats_proto_tick": (None, (c_void_p, c_int64)),
    "nats_proto_publish": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_void_p, c_void_p, c_size_t)),
    "nats_proto_subscribe": (c_int32, (
        c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_uint64, c_uint64, UINT64_OUT)),
    "nats_proto_unsubscribe": (c_int32, (c_void_p, c_uint64, c_uint64)),
    "nats_proto_ping": (c_int32, (c_void_p, c_int64, UINT64_OUT)),
    "nats_proto_close": (None, (c_void_p,)),
    "nats_proto_reconnect": (c_int32, (c_void_p, c_int64)),
    "nats_proto_state": (c_int32, (c_void_p,)),
    "nats_proto_server_info": (c_int32, (c_void_p, VOID_OUT)),
    "nats_proto_pings_out": (c_int32, (c_void_p,)),
    "nats_proto_offset": (c_uint64, (c_void_p,)),
    "nats_proto_new_inbox": (c_int32, (c_void_p, c_char_p, c_size_t, SIZE_OUT)),
    "nats_proto_server_at": (c_char_p, (c_void_p, c_size_t, INT32_OUT, INT32_OUT)),
    "nats_proto_server_add": (c_int32, (c_void_p, c_char_p)),
    "nats_proto_server_remove": (c_int32, (c_void_p, c_char_p)),
    "nats_status_name": (c_char_p, (c_int32,)),
    "nats_status_text": (c_char_p, (c_int32,)),
    "nats_last_error": (c_char_p, (c_void_p,)),
    "nats_last_status": (c_int32, ()),
    "nats_last_about": (c_char_p, ()),
    "nats_last_err_code": (c_int32, ()),
    "nats_last_code": (c_int32, ()),
    "nats_last_description": (c_char_p, ()),
    "nats_sub_next": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_sub_get": (c_int32, (c_void_p, c_size_t, c_int64, VOID_OUT, SIZE_OUT)),
    "nats_sub_unsubscribe": (c_int32, (c_void_p, c_uint64)),
    "nats_sub_drain": (c_int32, (c_void_p, c_int64)),
    "nats_sub_drain_start": (c_int32, (c_void_p, c_int64, VOID_OUT)),
    "nats_sub_set_mode": (c_int32, (c_void_p, c_int32)),
    "nats_sub_set_limits": (c_int32, (c_void_p, c_int64, c_int64)),
    "nats_sub_stats": (c_size_t, (c_void_p, UINT64_OUT, c_size_t)),
    "nats_sub_subject": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_sub_queue": (c_void_p, (c_void_p, SIZE_OUT)),
    "nats_sub_sid": (c_uint64, (c_void_p,)),
    "nats_sub_active": (c_int32, (c_void_p,)),
    "nats_sub_free": (None, (c_void_p,)),
    "nats_subject_valid": (c_int32, (c_char_p, c_size_t)),
    "nats_subject_valid_pattern": (c_int32, (c_char_p, c_size_t)),
    "nats_subject_matches": (c_int32, (c_char_p, c_size_t, c_char_p, c_size_t)),
    "nats_version": (c_char_p, ()),
    "nats_abi": (c_int32, ()),
}
