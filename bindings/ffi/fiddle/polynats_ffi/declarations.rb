# frozen_string_literal: true

# Written by tools/abi.py: the numbers and the functions of the ABI, as Fiddle takes them.
#
# FUNCTIONS: name => [result, parameters].

require "fiddle"

module PolynatsFFI
  module Declarations
    VOID = Fiddle::TYPE_VOID
    INT32 = Fiddle::TYPE_INT
    INT64 = Fiddle::TYPE_LONG_LONG
    UINT64 = -Fiddle::TYPE_LONG_LONG
    SIZE = Fiddle::TYPE_SIZE_T
    DOUBLE = Fiddle::TYPE_DOUBLE
    POINTER = Fiddle::TYPE_VOIDP

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
      nats_connect: [INT32, [POINTER, POINTER, POINTER]],
      nats_connect_start: [INT32, [POINTER, POINTER, POINTER, POINTER]],
      nats_client_share: [INT32, [POINTER, POINTER]],
      nats_client_close: [INT32, [POINTER]],
      nats_client_drain: [INT32, [POINTER, INT64]],
      nats_client_drain_start: [INT32, [POINTER, INT64, POINTER]],
      nats_client_free: [VOID, [POINTER]],
      nats_client_forget: [VOID, [POINTER]],
      nats_client_reconnect: [INT32, [POINTER]],
      nats_client_publish: [INT32, [POINTER, POINTER, SIZE, POINTER, SIZE]],
      nats_client_publish_with: [INT32, [
        POINTER, POINTER, SIZE, POINTER, SIZE, POINTER, POINTER, SIZE]],
      nats_client_publish_many: [INT32, [POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, POINTER]],
      nats_client_respond: [INT32, [POINTER, POINTER, POINTER, POINTER, SIZE]],
      nats_client_credentials: [INT32, [
        POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, SIZE]],
      nats_client_question: [INT32, [POINTER, POINTER]],
      nats_client_flush: [INT32, [POINTER, INT64]],
      nats_client_flush_start: [INT32, [POINTER, INT64, POINTER]],
      nats_client_subscribe: [INT32, [POINTER, POINTER, SIZE, POINTER, SIZE, UINT64, POINTER]],
      nats_client_subscribe_with: [INT32, [
        POINTER, POINTER, SIZE, POINTER, SIZE, UINT64, INT64, INT64, INT32, POINTER]],
      nats_client_unsubscribe: [INT32, [POINTER, UINT64, UINT64]],
      nats_client_unsubscribe_subject: [INT32, [POINTER, POINTER, SIZE, UINT64, POINTER]],
      nats_client_get: [INT32, [POINTER, SIZE, INT64, POINTER, POINTER]],
      nats_client_get_callbacks: [INT32, [POINTER, SIZE, INT64, POINTER, POINTER]],
      nats_client_wake: [INT32, [POINTER]],
      nats_client_request: [INT32, [
        POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_client_request_start: [INT32, [
        POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_client_request_many: [INT32, [
        POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, SIZE, INT64, INT64, INT32, POINTER]],
      nats_client_new_inbox: [INT32, [POINTER, POINTER, SIZE, POINTER]],
      nats_client_status: [INT32, [POINTER]],
      nats_client_rtt: [INT32, [POINTER, INT64, POINTER]],
      nats_client_server_info: [INT32, [POINTER, POINTER]],
      nats_client_info: [INT32, [POINTER, POINTER]],
      nats_client_max_payload: [INT64, [POINTER]],
      nats_client_option_int: [INT32, [POINTER, POINTER, POINTER]],
      nats_client_pending: [UINT64, [POINTER]],
      nats_client_replies: [UINT64, [POINTER]],
      nats_client_stats: [SIZE, [POINTER, POINTER, SIZE]],
      nats_stats_name: [POINTER, [SIZE]],
      nats_client_next_event: [INT32, [POINTER, INT64, POINTER]],
      nats_client_fd: [INT32, [POINTER, POINTER]],
      nats_client_fd_mode: [INT32, [POINTER, INT32]],
      nats_client_process: [INT32, [POINTER]],
      nats_client_deadline_ms: [INT64, [POINTER]],
      nats_event_type: [INT32, [POINTER]],
      nats_event_name: [POINTER, [POINTER]],
      nats_event_level: [INT32, [POINTER]],
      nats_level_name: [POINTER, [INT32]],
      nats_event_line: [POINTER, [POINTER]],
      nats_event_status: [INT32, [POINTER]],
      nats_event_kind: [INT32, [POINTER]],
      nats_event_recoverable: [INT32, [POINTER]],
      nats_event_text: [POINTER, [POINTER]],
      nats_event_url: [POINTER, [POINTER]],
      nats_event_subject: [POINTER, [POINTER]],
      nats_event_sid: [UINT64, [POINTER]],
      nats_event_lost: [UINT64, [POINTER]],
      nats_event_unconfirmed: [UINT64, [POINTER]],
      nats_event_time_ns: [INT64, [POINTER]],
      nats_event_free: [VOID, [POINTER]],
      nats_future_poll: [INT32, [POINTER, POINTER, POINTER]],
      nats_future_wait: [INT32, [POINTER, INT64, POINTER]],
      nats_future_done: [INT32, [POINTER]],
      nats_future_cancel: [VOID, [POINTER]],
      nats_future_free: [VOID, [POINTER]],
      nats_headers_new: [INT32, [POINTER]],
      nats_headers_free: [VOID, [POINTER]],
      nats_headers_add: [INT32, [POINTER, POINTER, SIZE, POINTER, SIZE]],
      nats_headers_clear: [VOID, [POINTER]],
      nats_headers_count: [SIZE, [POINTER]],
      nats_info_json: [POINTER, [POINTER, POINTER]],
      nats_info_text: [POINTER, [POINTER, POINTER, POINTER]],
      nats_info_int: [INT32, [POINTER, POINTER, POINTER]],
      nats_info_next: [INT32, [POINTER, POINTER, POINTER, POINTER, POINTER, POINTER]],
      nats_info_free: [VOID, [POINTER]],
      nats_client_jetstream: [INT32, [POINTER, POINTER, POINTER, INT64, POINTER]],
      nats_js_free: [VOID, [POINTER]],
      nats_js_call: [INT32, [POINTER, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_js_call_start: [INT32, [POINTER, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_js_verb: [POINTER, [SIZE]],
      nats_js_key: [INT32, [POINTER, POINTER, POINTER, POINTER]],
      nats_js_key_name: [POINTER, [POINTER, SIZE]],
      nats_js_consume: [INT32, [POINTER, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_js_consume_start: [INT32, [POINTER, POINTER, POINTER, SIZE, INT64, POINTER, POINTER]],
      nats_client_ack: [INT32, [POINTER, POINTER, INT32, INT64, POINTER, SIZE]],
      nats_client_ack_many: [INT32, [POINTER, POINTER, SIZE, POINTER]],
      nats_client_ack_sync: [INT32, [POINTER, POINTER, INT64]],
      nats_client_ack_sync_start: [INT32, [POINTER, POINTER, INT64, POINTER]],
      nats_msg_ack_state: [INT32, [POINTER]],
      nats_client_ack_reply: [INT32, [POINTER, POINTER, SIZE, INT32, INT64, POINTER, SIZE]],
      nats_client_ack_reply_start: [INT32, [POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_client_ack_replies: [INT32, [POINTER, POINTER, POINTER, SIZE, POINTER]],
      nats_msg_js_uint: [INT32, [POINTER, INT32, POINTER]],
      nats_msg_js_uints: [INT32, [POINTER, POINTER]],
      nats_msg_js_text: [POINTER, [POINTER, INT32, POINTER]],
      nats_js_publish: [INT32, [POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_js_publish_start: [INT32, [
        POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_js_level_start: [INT32, [POINTER, INT64, POINTER]],
      nats_msg_ack_seq: [INT32, [POINTER, POINTER, POINTER]],
      nats_js_header: [POINTER, [POINTER, POINTER]],
      nats_js_keyword: [POINTER, [SIZE]],
      nats_js_publisher_new: [INT32, [POINTER, INT64, POINTER]],
      nats_js_publisher_fast: [INT32, [POINTER, INT64, POINTER]],
      nats_js_publisher_publish: [INT32, [POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, POINTER]],
      nats_js_publisher_room: [INT64, [POINTER, POINTER]],
      nats_js_publisher_level_start: [INT32, [POINTER, INT64, POINTER]],
      nats_js_publisher_publish_many: [INT32, [
        POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, POINTER, POINTER]],
      nats_js_publisher_flush: [INT32, [POINTER, INT64]],
      nats_js_publisher_flush_start: [INT32, [POINTER, INT64, POINTER]],
      nats_js_publisher_next_failure: [INT32, [POINTER, POINTER]],
      nats_js_publisher_stats: [SIZE, [POINTER, POINTER, SIZE]],
      nats_js_publisher_free: [VOID, [POINTER]],
      nats_js_batch_new: [INT32, [POINTER, POINTER]],
      nats_js_batch_add: [INT32, [POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, INT64]],
      nats_js_batch_commit: [INT32, [
        POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_js_batch_add_start: [INT32, [
        POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_js_batch_commit_start: [INT32, [
        POINTER, POINTER, SIZE, POINTER, POINTER, SIZE, INT64, POINTER]],
      nats_js_batch_free: [VOID, [POINTER]],
      nats_json_parse: [INT32, [POINTER, SIZE, POINTER]],
      nats_json_free: [VOID, [POINTER]],
      nats_json_kind: [INT32, [POINTER]],
      nats_json_count: [SIZE, [POINTER]],
      nats_json_get: [POINTER, [POINTER, POINTER]],
      nats_json_at: [POINTER, [POINTER, SIZE]],
      nats_json_member: [POINTER, [POINTER, SIZE, POINTER]],
      nats_json_text: [POINTER, [POINTER, POINTER]],
      nats_json_int: [INT32, [POINTER, POINTER]],
      nats_json_uint: [INT32, [POINTER, POINTER]],
      nats_json_real: [INT32, [POINTER, POINTER]],
      nats_json_time: [INT32, [POINTER, POINTER]],
      nats_kind_name: [POINTER, [INT32]],
      nats_msg_subject: [POINTER, [POINTER, POINTER]],
      nats_msg_reply: [POINTER, [POINTER, POINTER]],
      nats_msg_data: [POINTER, [POINTER, POINTER]],
      nats_msg_sid: [UINT64, [POINTER]],
      nats_msg_status: [INT32, [POINTER]],
      nats_msg_description: [POINTER, [POINTER, POINTER]],
      nats_msg_headers_raw: [POINTER, [POINTER, POINTER]],
      nats_msg_header: [POINTER, [POINTER, POINTER, SIZE, POINTER]],
      nats_msg_next_header: [INT32, [POINTER, POINTER, POINTER, POINTER, POINTER, POINTER]],
      nats_msg_free: [VOID, [POINTER]],
      nats_msg_free_many: [VOID, [POINTER, SIZE]],
      nats_options_new: [INT32, [POINTER]],
      nats_options_free: [VOID, [POINTER]],
      nats_options_set_text: [INT32, [POINTER, POINTER, POINTER, SIZE]],
      nats_options_set_int: [INT32, [POINTER, POINTER, INT64]],
      nats_options_set_double: [INT32, [POINTER, POINTER, DOUBLE]],
      nats_options_set_bool: [INT32, [POINTER, POINTER, INT32]],
      nats_options_name: [POINTER, [SIZE]],
      nats_options_type: [INT32, [POINTER]],
      nats_options_doc: [POINTER, [POINTER]],
      nats_options_default: [INT64, [POINTER]],
      nats_options_min: [INT64, [POINTER]],
      nats_options_max: [INT64, [POINTER]],
      nats_options_nearest: [POINTER, [POINTER, POINTER, SIZE]],
      nats_proto_new: [INT32, [POINTER, POINTER, POINTER, SIZE, POINTER]],
      nats_proto_free: [VOID, [POINTER]],
      nats_proto_start: [INT32, [POINTER, INT64]],
      nats_proto_url: [POINTER, [POINTER]],
      nats_proto_scheme: [POINTER, [POINTER]],
      nats_proto_host: [POINTER, [POINTER]],
      nats_proto_port: [INT32, [POINTER]],
      nats_proto_transport_up: [INT32, [POINTER, INT64]],
      nats_proto_upgraded: [INT32, [POINTER, INT64]],
      nats_proto_secured: [INT32, [POINTER, INT64]],
      nats_proto_transport_failed: [INT32, [POINTER, INT32, POINTER, INT64]],
      nats_proto_expect_signature: [VOID, [POINTER, INT32]],
      nats_proto_credentials: [INT32, [
        POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER, SIZE, INT64]],
      nats_proto_sign: [INT32, [POINTER, POINTER, SIZE, POINTER, POINTER, INT64]],
      nats_proto_feed: [INT32, [POINTER, POINTER, SIZE, INT64]],
      nats_proto_reserve: [INT32, [POINTER, POINTER, POINTER]],
      nats_proto_commit: [INT32, [POINTER, SIZE, INT64]],
      nats_proto_feed_eof: [INT32, [POINTER, INT64]],
      nats_proto_next_event: [INT32, [POINTER]],
      nats_proto_event_take_msg: [POINTER, [POINTER]],
      nats_proto_event_status: [INT32, [POINTER]],
      nats_proto_event_text: [POINTER, [POINTER]],
      nats_proto_event_kind: [INT32, [POINTER]],
      nats_proto_event_recoverable: [INT32, [POINTER]],
      nats_proto_event_sid: [UINT64, [POINTER]],
      nats_proto_event_token: [UINT64, [POINTER]],
      nats_proto_event_rtt_ns: [INT64, [POINTER]],
      nats_proto_event_lost: [UINT64, [POINTER]],
      nats_proto_event_unconfirmed: [UINT64, [POINTER]],
      nats_proto_tx: [VOID, [POINTER, POINTER, POINTER]],
      nats_proto_tx_done: [INT32, [POINTER, SIZE, INT64]],
      nats_proto_tx_pending: [SIZE, [POINTER]],
      nats_proto_deadline_ns: [INT64, [POINTER]],
      nats_proto_tick: [VOID, [POINTER, INT64]],
      nats_proto_publish: [INT32, [POINTER, POINTER, SIZE, POINTER, SIZE, POINTER, POINTER, SIZE]],
      nats_proto_subscribe: [INT32, [
        POINTER, POINTER, SIZE, POINTER, SIZE, UINT64, UINT64, POINTER]],
      nats_proto_unsubscribe: [INT32, [POINTER, UINT64, UINT64]],
      nats_proto_ping: [INT32, [POINTER, INT64, POINTER]],
      nats_proto_close: [VOID, [POINTER]],
      nats_proto_reconnect: [INT32, [POINTER, INT64]],
      nats_proto_state: [INT32, [POINTER]],
      nats_proto_server_info: [INT32, [POINTER, POINTER]],
      nats_proto_pings_out: [INT32, [POINTER]],
      nats_proto_offset: [UINT64, [POINTER]],
      nats_proto_new_inbox: [INT32, [POINTER, POINTER, SIZE, POINTER]],
      nats_proto_server_at: [POINTER, [POINTER, SIZE, POINTER, POINTER]],
      nats_proto_server_add: [INT32, [POINTER, POINTER]],
      nats_proto_server_remove: [INT32, [POINTER, POINTER]],
      nats_status_name: [POINTER, [INT32]],
      nats_status_text: [POINTER, [INT32]],
      nats_last_error: [POINTER, [POINTER]],
      nats_last_status: [INT32, []],
      nats_last_about: [POINTER, []],
      nats_last_err_code: [INT32, []],
      nats_last_code: [INT32, []],
      nats_last_description: [POINTER, []],
      nats_sub_next: [INT32, [POINTER, INT64, POINTER]],
      nats_sub_get: [INT32, [POINTER, SIZE, INT64, POINTER, POINTER]],
      nats_sub_unsubscribe: [INT32, [POINTER, UINT64]],
      nats_sub_drain: [INT32, [POINTER, INT64]],
      nats_sub_drain_start: [INT32, [POINTER, INT64, POINTER]],
      nats_sub_set_mode: [INT32, [POINTER, INT32]],
      nats_sub_set_limits: [INT32, [POINTER, INT64, INT64]],
      nats_sub_stats: [SIZE, [POINTER, POINTER, SIZE]],
      nats_sub_subject: [POINTER, [POINTER, POINTER]],
      nats_sub_queue: [POINTER, [POINTER, POINTER]],
      nats_sub_sid: [UINT64, [POINTER]],
      nats_sub_active: [INT32, [POINTER]],
      nats_sub_free: [VOID, [POINTER]],
      nats_subject_valid: [INT32, [POINTER, SIZE]],
      nats_subject_valid_pattern: [INT32, [POINTER, SIZE]],
      nats_subject_matches: [INT32, [POINTER, SIZE, POINTER, SIZE]],
      nats_version: [POINTER, []],
      nats_abi: [INT32, []]
    }.freeze
  end
end
