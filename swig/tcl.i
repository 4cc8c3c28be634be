/* Tcl: how its values become C's and back, and the verbs of each handle. A wrapper gets the handle
 * as its clientData and only what the function takes besides; what the script left out is NULL.
 * The verbs that must be quick, that wait or that take several options, and all that is about
 * Tcl's commands and its event loop, are written by hand in bindings/tcl. */
%module polynats_raw

%begin %{
#include "tnats.h"
%}

%{
/* Buffer for an inbox: a prefix of 512 bytes, the longest there is, and the unique rest. */
#define INBOX_SIZE_MAX 1024
%}

/* ---- handles: commands of ours, not SWIG's pointers in text ---- */

%typemap(in, numinputs=0) struct nats_client *, struct nats_sub *, struct nats_future *,
                          struct nats_proto *
    "$1 = ((tnats_handle *)clientData)->object;"

/* ---- arguments: by the names that polynats.i applies these to ---- */

%define TEXT_ARGUMENT(TEXT, TEXT_LEN)
%typemap(in) (const char *TEXT, size_t TEXT_LEN) (tnats_bytes text) {
    tnats_text($input, &text);
    $1 = (char *)text.ptr;
    $2 = text.len;
}
%typemap(arginit) (const char *TEXT, size_t TEXT_LEN) "text$argnum.heap = NULL;"
%typemap(freearg) (const char *TEXT, size_t TEXT_LEN) "tnats_bytes_free(&text$argnum);"
%enddef
TEXT_ARGUMENT(TEXT, TEXT_LEN)
TEXT_ARGUMENT(subject, subject_len)
TEXT_ARGUMENT(pattern, pattern_len)
%define DATA_ARGUMENT(DATA, DATA_LEN)
%typemap(in) (const void *DATA, size_t DATA_LEN) (tnats_bytes data) {
    if (tnats_data(tnats_state_of(interp), $input, &data) != TCL_OK) {
        SWIG_fail;
    }
    $1 = (void *)data.ptr;
    $2 = data.len;
}
%typemap(arginit) (const void *DATA, size_t DATA_LEN) "data$argnum.heap = NULL;"
%typemap(freearg) (const void *DATA, size_t DATA_LEN) "tnats_bytes_free(&data$argnum);"
%enddef
DATA_ARGUMENT(DATA, DATA_LEN)
DATA_ARGUMENT(data, data_len)
DATA_ARGUMENT(signature, signature_len)
%typemap(in) const char * (tnats_bytes words) {
    if (tnats_words(interp, $input, "$1_name", &words) != TCL_OK) {
        SWIG_fail;
    }
    $1 = (char *)words.ptr;
}
%typemap(arginit) const char * "words$argnum.heap = NULL;"
%typemap(freearg) const char * "tnats_bytes_free(&words$argnum);"
%apply const char * { const char *WORDS, const char *WORDS_OR_NONE };
%typemap(in) int64_t SECONDS_MS, int64_t timeout, int64_t wait {
    if (tnats_seconds(interp, $input, "-$1_name", -1, &$1) != TCL_OK) {
        SWIG_fail;
    }
}
%typemap(in) int64_t NOW_NS, int64_t now {
    if (tnats_moment(interp, $input, &$1) != TCL_OK) {
        SWIG_fail;
    }
}
/* Limits: -1 for none. */
%typemap(in) int64_t {
    if (tnats_number(interp, $input, "$1_name", -1, -1, &$1) != TCL_OK) {
        SWIG_fail;
    }
}
%typemap(in) uint64_t (int64_t number) {
    if (tnats_number(interp, $input, "$1_name", 0, 0, &number) != TCL_OK) {
        SWIG_fail;
    }
    $1 = (uint64_t)number;
}
%typemap(in) int32_t (int64_t number) {
    if (tnats_number(interp, $input, "$1_name", 0, 0, &number) != TCL_OK) {
        SWIG_fail;
    }
    $1 = (int32_t)number;
}
%typemap(in) int32_t FLAG (int flag) {
    if (tnats_boolean(interp, $input, "$1_name", &flag) != TCL_OK) {
        SWIG_fail;
    }
    $1 = flag;
}
%typemap(in) nats_status CODE {
    if (tnats_status_of(interp, $input, &$1) != TCL_OK) {
        SWIG_fail;
    }
}

/* ---- results ---- */

%typemap(out) nats_status {
    if ($1 != NATS_OK) {
        tnats_fail(interp, $1);
        SWIG_fail;
    }
}
%typemap(out) const char * "Tcl_SetObjResult(interp, tnats_word_new($1));"
%typemap(out) int32_t, int64_t "Tcl_SetObjResult(interp, Tcl_NewWideIntObj($1));"
%typemap(out) uint64_t, size_t "Tcl_SetObjResult(interp, tnats_count_new($1));"
/* Names for what the library numbers, and seconds for what it counts in ms and ns. */
%typemap(out) int32_t nats_client::status
    "Tcl_SetObjResult(interp, tnats_word_new(tnats_client_status_name($1)));"
%typemap(out) int32_t nats_proto::state
    "Tcl_SetObjResult(interp, tnats_word_new(tnats_proto_state_name($1)));"
%typemap(out) int64_t nats_client::deadline_ms {
    if ($1 >= 0) {
        Tcl_SetObjResult(interp, Tcl_NewDoubleObj((double)$1 / 1e3));
    }
}
%typemap(out) int64_t nats_proto::deadline_ns {
    if ($1 != INT64_MAX) {
        Tcl_SetObjResult(interp, Tcl_NewDoubleObj((double)$1 / 1e9));
    }
}

%typemap(in, numinputs=0) int64_t *NS_OUT (int64_t ns = 0) "$1 = &ns;"
%typemap(argout) int64_t *NS_OUT "Tcl_SetObjResult(interp, Tcl_NewDoubleObj((double)*$1 / 1e9));"
%typemap(in, numinputs=0) size_t *COUNT_OUT (size_t count = 0) "$1 = &count;"
%typemap(argout) size_t *COUNT_OUT "Tcl_SetObjResult(interp, tnats_count_new(*$1));"
%typemap(in, numinputs=0) int64_t *NUMBER_OUT (int64_t value = 0) "$1 = &value;"
%typemap(in, numinputs=0) uint64_t *NUMBER_OUT (uint64_t value = 0) "$1 = &value;"
%typemap(in, numinputs=0) int32_t *NUMBER_OUT (int32_t value = 0) "$1 = &value;"
%typemap(argout) int64_t *NUMBER_OUT, uint64_t *NUMBER_OUT, int32_t *NUMBER_OUT
    "Tcl_SetObjResult(interp, Tcl_NewWideIntObj((Tcl_WideInt)*$1));"
%typemap(in, numinputs=0) (char *INBOX_OUT, size_t INBOX_SIZE, size_t *INBOX_LEN)
    (char inbox[INBOX_SIZE_MAX], size_t inbox_len = 0)
    "$1 = inbox; $2 = sizeof(inbox); $3 = &inbox_len;"
%typemap(argout) (char *INBOX_OUT, size_t INBOX_SIZE, size_t *INBOX_LEN)
    "Tcl_SetObjResult(interp, tnats_text_new($1, *$3));"
%typemap(in, numinputs=0) size_t *TEXT_LEN_OUT (size_t len = 0) "$1 = &len;"
%typemap(argout) size_t *TEXT_LEN_OUT "Tcl_SetObjResult(interp, tnats_text_new(result, *$1));"
%typemap(in, numinputs=0) nats_info **INFO_OUT (nats_info *info = NULL) "$1 = &info;"
%typemap(argout) nats_info **INFO_OUT {
    Tcl_SetObjResult(interp, tnats_info_new(*$1));
    nats_info_free(*$1);
}
%typemap(in, numinputs=0) nats_event **EVENT_OUT (nats_event *event = NULL) "$1 = &event;"
%typemap(argout) nats_event **EVENT_OUT {
    if (*$1 != NULL) {
        Tcl_SetObjResult(interp, tnats_event_new(tnats_state_of(interp), *$1));
        nats_event_free(*$1);
    }
}
%typemap(in, numinputs=0) (uint64_t *CLIENT_STATS_OUT, size_t STATS_COUNT) "$1 = NULL; $2 = 0;"
%typemap(argout) (uint64_t *CLIENT_STATS_OUT, size_t STATS_COUNT)
    "Tcl_SetObjResult(interp, tnats_stats_new(((tnats_handle *)clientData)->object));"
%typemap(in, numinputs=0) (uint64_t *SUB_STATS_OUT, size_t STATS_COUNT) "$1 = NULL; $2 = 0;"
%typemap(argout) (uint64_t *SUB_STATS_OUT, size_t STATS_COUNT)
    "Tcl_SetObjResult(interp, tnats_sub_stats_new(((tnats_handle *)clientData)->object));"

/* Those that wait give way to cancelling and to limits: written by hand. So are those whose
 * arguments are options of one verb. */
%ignore nats_client::close;
%ignore nats_client::drain;
%ignore nats_client::flush;
%ignore nats_client::rtt;
%ignore nats_client::unsubscribe;
%ignore nats_client::wake;
%ignore nats_client::unsubscribe_subject;
%ignore nats_client::next_event;
%ignore nats_client::credentials;
%ignore nats_client::question;
%ignore nats_client::process;
%ignore nats_sub::drain;
%ignore nats_sub::unsubscribe;
%ignore nats_js_publisher::stats;

%include "polynats.i"

/* ---- the verbs of each handle, and the module's commands ---- */

%wrapper %{
static const char *const now_option[] = {"-now", NULL};
static const char *const sign_options[] = {"-public_key", "-jwt", "-now", NULL};

static const tnats_verb client_verbs[] = {
    {"ack", tnats_client_ack, NULL, "message", 1, 1, NULL},
    {"ack_many", tnats_client_ack_many, NULL, "messages", 1, 1, NULL},
    {"ack_sync", tnats_client_ack_sync, NULL, "message ?-timeout seconds?", 1, -1, NULL},
    {"close", tnats_client_close, NULL, "", 0, 0, NULL},
    {"credentials", tnats_client_credentials, NULL, "dict", 1, 1, NULL},
    {"deadline", NULL, _wrap_Client_deadline_ms, "", 0, 0, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"dispatch", tnats_client_dispatch, NULL, "?-max count? ?-wait seconds?", 0, -1, NULL},
    {"drain", tnats_client_drain, NULL, "?-timeout seconds?", 0, -1, NULL},
    {"fd", NULL, _wrap_Client_fd, "", 0, 0, NULL},
    {"flush", tnats_client_flush, NULL, "?-timeout seconds?", 0, -1, NULL},
    {"get", tnats_client_get, NULL, "?-max count? ?-wait seconds?", 0, -1, NULL},
    {"info", NULL, _wrap_Client_info, "", 0, 0, NULL},
    {"in_progress", tnats_client_in_progress, NULL, "message", 1, 1, NULL},
    {"jetstream", tnats_client_jetstream, NULL,
     "?-domain name? ?-prefix subject? ?-timeout seconds?", 0, -1, NULL},
    {"max_payload", NULL, _wrap_Client_max_payload, "", 0, 0, NULL},
    {"nak", tnats_client_nak, NULL, "message ?-delay seconds?", 1, -1, NULL},
    {"new_inbox", NULL, _wrap_Client_new_inbox, "", 0, 0, NULL},
    {"next_event", tnats_client_next_event, NULL, "?-wait seconds?", 0, -1, NULL},
    {"on_event", tnats_client_on_event, NULL, "prefix", 1, 1, NULL},
    {"option_int", NULL, _wrap_Client_option_int, "name", 1, 1, NULL},
    {"process", tnats_client_process, NULL, "", 0, 0, NULL},
    {"publish", tnats_client_publish, NULL, "subject ?data? ?-reply subject? ?-headers dict?", 1,
     -1, NULL},
    {"publish_many", tnats_client_publish_many, NULL, "subject list", 2, 2, NULL},
    {"reconnect", NULL, _wrap_Client_reconnect, "", 0, 0, NULL},
    {"request", tnats_client_request, NULL,
     "subject ?data? ?-timeout seconds? ?-headers dict?", 1, -1, NULL},
    {"request_many", tnats_client_request_many, NULL,
     "subject ?data? ?-max count? ?-stall seconds? ?-timeout seconds? ?-sentinel boolean? "
     "?-headers dict?", 1, -1, NULL},
    {"request_start", tnats_client_request_start, NULL,
     "subject ?data? ?-timeout seconds? ?-headers dict?", 1, -1, NULL},
    {"respond", tnats_client_respond, NULL, "message ?data? ?-headers dict?", 1, -1, NULL},
    {"rtt", tnats_client_rtt, NULL, "?-timeout seconds?", 0, -1, NULL},
    {"run", tnats_client_run, NULL, "?-timeout seconds?", 0, -1, NULL},
    {"server_info", NULL, _wrap_Client_server_info, "", 0, 0, NULL},
    {"server_info_json", tnats_client_server_info_json, NULL, "", 0, 0, NULL},
    {"share", tnats_client_share, NULL, "", 0, 0, NULL},
    {"stats", NULL, _wrap_Client_stats, "", 0, 0, NULL},
    {"status", NULL, _wrap_Client_status, "", 0, 0, NULL},
    {"stop", tnats_client_stop, NULL, "", 0, 0, NULL},
    {"subscribe", tnats_client_subscribe, NULL,
     "pattern ?-queue name? ?-max count? ?-pending_msgs count? ?-pending_bytes count? "
     "?-command prefix?", 1, -1, NULL},
    {"term", tnats_client_term, NULL, "message ?-reason text?", 1, -1, NULL},
    {"unsubscribe", tnats_client_unsubscribe, NULL, "sid|subject ?-after count?", 1, 3, NULL},
    {"unwatch", tnats_client_unwatch, NULL, "prefix", 1, 1, NULL},
    {"wake", tnats_client_wake, NULL, "", 0, 0, NULL},
    {"watch", tnats_client_watch, NULL, "prefix", 1, 1, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

static const tnats_verb sub_verbs[] = {
    {"active", NULL, _wrap_Subscription_active, "", 0, 0, NULL},
    {"close", tnats_sub_close, NULL, "", 0, 0, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"drain", tnats_sub_drain, NULL, "?-timeout seconds?", 0, -1, NULL},
    {"foreach", tnats_sub_foreach, NULL, "variable ?-timeout seconds? body", 2, 4, NULL},
    {"get", tnats_sub_get, NULL, "?-max count? ?-wait seconds?", 0, -1, NULL},
    {"next", tnats_sub_next, NULL, "?-timeout seconds?", 0, -1, NULL},
    {"queue", NULL, _wrap_Subscription_queue, "", 0, 0, NULL},
    {"set_limits", NULL, _wrap_Subscription_set_limits, "pending_msgs pending_bytes", 2, 2, NULL},
    {"sid", NULL, _wrap_Subscription_sid, "", 0, 0, NULL},
    {"stats", NULL, _wrap_Subscription_stats, "", 0, 0, NULL},
    {"subject", NULL, _wrap_Subscription_subject, "", 0, 0, NULL},
    {"unsubscribe", tnats_sub_unsubscribe, NULL, "?-after count?", 0, 2, NULL},
    {"unwatch", tnats_client_unwatch, NULL, "prefix", 1, 1, NULL},
    {"watch", tnats_client_watch, NULL, "prefix", 1, 1, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

static const tnats_verb future_verbs[] = {
    {"cancel", NULL, _wrap_Future_cancel, "", 0, 0, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"done", NULL, _wrap_Future_done, "", 0, 0, NULL},
    {"poll", tnats_future_poll, NULL, "", 0, 0, NULL},
    {"unwatch", tnats_client_unwatch, NULL, "prefix", 1, 1, NULL},
    {"wait", tnats_future_wait, NULL, "?-timeout seconds?", 0, -1, NULL},
    {"watch", tnats_client_watch, NULL, "prefix", 1, 1, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

static const tnats_verb proto_verbs[] = {
    {"close", NULL, _wrap_Proto_close, "", 0, 0, NULL},
    {"deadline", NULL, _wrap_Proto_deadline_ns, "", 0, 0, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"expect_signature", NULL, _wrap_Proto_expect_signature, "boolean", 1, 1, NULL},
    {"feed", NULL, _wrap_Proto_feed, "bytes ?-now seconds?", 1, 1, now_option},
    {"feed_eof", NULL, _wrap_Proto_feed_eof, "?-now seconds?", 0, 0, now_option},
    {"new_inbox", NULL, _wrap_Proto_new_inbox, "", 0, 0, NULL},
    {"next_event", tnats_proto_next_event, NULL, "", 0, 0, NULL},
    {"offset", NULL, _wrap_Proto_offset, "", 0, 0, NULL},
    {"pending", NULL, _wrap_Proto_tx_pending, "", 0, 0, NULL},
    {"ping", NULL, _wrap_Proto_ping, "?-now seconds?", 0, 0, now_option},
    {"pings_out", NULL, _wrap_Proto_pings_out, "", 0, 0, NULL},
    {"publish", tnats_proto_publish, NULL, "subject ?data? ?-reply subject? ?-headers dict?", 1,
     -1, NULL},
    {"reconnect", NULL, _wrap_Proto_reconnect, "?-now seconds?", 0, 0, now_option},
    {"secured", NULL, _wrap_Proto_secured, "?-now seconds?", 0, 0, now_option},
    {"server", tnats_proto_server, NULL, "", 0, 0, NULL},
    {"server_add", NULL, _wrap_Proto_server_add, "url", 1, 1, NULL},
    {"server_info", NULL, _wrap_Proto_server_info, "", 0, 0, NULL},
    {"server_info_json", tnats_proto_server_info_json, NULL, "", 0, 0, NULL},
    {"server_remove", NULL, _wrap_Proto_server_remove, "url", 1, 1, NULL},
    {"servers", tnats_proto_servers, NULL, "", 0, 0, NULL},
    {"sign", NULL, _wrap_Proto_sign,
     "signature ?-public_key text? ?-jwt text? ?-now seconds?", 1, 1, sign_options},
    {"start", NULL, _wrap_Proto_start, "?-now seconds?", 0, 0, now_option},
    {"state", NULL, _wrap_Proto_state, "", 0, 0, NULL},
    {"subscribe", tnats_proto_subscribe, NULL, "pattern ?-queue name? ?-max count? ?-sid sid?", 1,
     -1, NULL},
    {"take", tnats_proto_take, NULL, "?-max count? ?-now seconds?", 0, -1, NULL},
    {"tick", NULL, _wrap_Proto_tick, "?-now seconds?", 0, 0, now_option},
    {"transport_failed", NULL, _wrap_Proto_transport_failed, "code ?text? ?-now seconds?", 1, 2,
     now_option},
    {"transport_up", NULL, _wrap_Proto_transport_up, "?-now seconds?", 0, 0, now_option},
    {"unsubscribe", NULL, _wrap_Proto_unsubscribe, "sid ?after?", 1, 2, NULL},
    {"upgraded", NULL, _wrap_Proto_upgraded, "?-now seconds?", 0, 0, now_option},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

#define STORE_USAGE "?-headers dict? ?-timeout seconds? ?-keyword value ...?"
#define CONFIG_USAGE "?config? ?-config dict? ?-key value ...? ?-pedantic boolean? ?-timeout seconds?"
#define TIME_USAGE "?-timeout seconds?"

static const tnats_verb js_verbs[] = {
    {"account_info", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"batch", tnats_js_batch, NULL, "", 0, 0, NULL},
    {"call", tnats_js_call, NULL, "verb ?arguments? ?-timeout seconds? ?-json boolean?", 1, -1,
     NULL},
    {"call_start", tnats_js_call_start, NULL,
     "verb ?arguments? ?-timeout seconds? ?-json boolean?", 1, -1, NULL},
    {"consume", tnats_js_consume, NULL,
     "how ?arguments? ?-command prefix? ?-timeout seconds?", 1, -1, NULL},
    {"consume_start", tnats_js_consume_start, NULL,
     "how ?arguments? ?-command prefix? ?-timeout seconds?", 1, -1, NULL},
    {"create_or_update_stream", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {"create_stream", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {"delete_stream", tnats_scripted, NULL, "name ?-timeout seconds?", 1, -1, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"get_many", tnats_js_get_many, NULL, "arguments ?-timeout seconds?", 1, -1, NULL},
    {"get_or_create_stream", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {"publish", tnats_js_publish, NULL, "subject ?data? " STORE_USAGE, 1, -1, NULL},
    {"publish_many", tnats_scripted, NULL, "subject list ?-timeout seconds?", 2, -1, NULL},
    {"publish_start", tnats_js_publish_start, NULL, "subject ?data? " STORE_USAGE, 1, -1, NULL},
    {"publisher", tnats_js_publisher, NULL, "?-max_pending count? ?-fast boolean?", 0, -1, NULL},
    {"stream", tnats_scripted, NULL, "name", 1, 1, NULL},
    {"stream_names", tnats_scripted, NULL, "?-subject pattern? ?-timeout seconds?", 0, -1, NULL},
    {"streams", tnats_scripted, NULL, "?-subject pattern? ?-timeout seconds?", 0, -1, NULL},
    {"update_stream", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

static const tnats_verb publisher_verbs[] = {
    {"close", tnats_publisher_close, NULL, "", 0, 0, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"failures", tnats_publisher_failures, NULL, "", 0, 0, NULL},
    {"flush", tnats_publisher_flush, NULL, TIME_USAGE, 0, -1, NULL},
    {"flush_start", tnats_publisher_flush_start, NULL, TIME_USAGE, 0, -1, NULL},
    {"publish", tnats_publisher_publish, NULL,
     "subject ?data? ?-headers dict? ?-keyword value ...?", 1, -1, NULL},
    {"publish_many", tnats_publisher_publish_many, NULL, "subject list", 2, 2, NULL},
    {"stats", tnats_publisher_stats, NULL, "", 0, 0, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

static const tnats_verb batch_verbs[] = {
    {"abandon", tnats_batch_abandon, NULL, "", 0, 0, NULL},
    {"add", tnats_batch_add, NULL, "subject ?data? " STORE_USAGE, 1, -1, NULL},
    {"add_start", tnats_batch_add_start, NULL, "subject ?data? " STORE_USAGE, 1, -1, NULL},
    {"commit", tnats_batch_commit, NULL, "?subject? ?data? " STORE_USAGE, 0, -1, NULL},
    {"commit_start", tnats_batch_commit_start, NULL, "?subject? ?data? " STORE_USAGE, 0, -1, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

static const tnats_verb stream_verbs[] = {
    {"cached_info", tnats_scripted, NULL, "", 0, 0, NULL},
    {"consumer", tnats_scripted, NULL, "name", 1, 1, NULL},
    {"consumer_names", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"consumers", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"create_consumer", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {"create_or_update_consumer", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {"delete", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"delete_consumer", tnats_scripted, NULL, "name ?-timeout seconds?", 1, -1, NULL},
    {"delete_message", tnats_scripted, NULL, "seq ?-erase boolean? ?-timeout seconds?", 1, -1,
     NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"get", tnats_scripted, NULL,
     "seq ?-no_hdr boolean? ?-direct boolean? ?-timeout seconds?", 1, -1, NULL},
    {"get_last", tnats_scripted, NULL,
     "subject ?-no_hdr boolean? ?-direct boolean? ?-timeout seconds?", 1, -1, NULL},
    {"get_many", tnats_scripted, NULL, "?-key value ...? ?-timeout seconds?", 0, -1, NULL},
    {"get_next", tnats_scripted, NULL,
     "subject ?-seq seq? ?-no_hdr boolean? ?-direct boolean? ?-timeout seconds?", 1, -1, NULL},
    {"get_or_create_consumer", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {"info", tnats_scripted, NULL,
     "?-subjects_filter pattern? ?-deleted_details boolean? ?-timeout seconds?", 0, -1, NULL},
    {"leader_stepdown", tnats_scripted, NULL, "?-placement dict? ?-timeout seconds?", 0, -1, NULL},
    {"name", tnats_scripted, NULL, "", 0, 0, NULL},
    {"ordered_consumer", tnats_scripted, NULL, "?config? ?-config dict? ?-key value ...?", 0, -1, NULL},
    {"peer_remove", tnats_scripted, NULL, "peer ?-timeout seconds?", 1, -1, NULL},
    {"purge", tnats_scripted, NULL,
     "?-subject pattern? ?-keep count? ?-seq seq? ?-timeout seconds?", 0, -1, NULL},
    {"seal", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"update", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {"update_consumer", tnats_scripted, NULL, CONFIG_USAGE, 0, -1, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

#define FETCH_USAGE                                                                            \
    "?-wait seconds? ?-max_bytes count? ?-heartbeat seconds? ?-no_wait boolean? ?-group name? " \
    "?-min_pending count? ?-min_ack_pending count? ?-priority number?"

static const tnats_verb consumer_verbs[] = {
    {"cached_info", tnats_scripted, NULL, "", 0, 0, NULL},
    {"consume", tnats_scripted, NULL,
     "?-command prefix? ?-heartbeat seconds? ?-key value ...? ?-timeout seconds?", 0, -1, NULL},
    {"delete", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"fetch", tnats_scripted, NULL, "?-max count? " FETCH_USAGE, 0, -1, NULL},
    {"info", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"leader_stepdown", tnats_scripted, NULL, "?-placement dict? ?-timeout seconds?", 0, -1, NULL},
    {"name", tnats_scripted, NULL, "", 0, 0, NULL},
    {"next", tnats_scripted, NULL, FETCH_USAGE, 0, -1, NULL},
    {"pause", tnats_scripted, NULL, "until ?-timeout seconds?", 1, -1, NULL},
    {"reset", tnats_scripted, NULL, "?-seq seq? ?-timeout seconds?", 0, -1, NULL},
    {"resume", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"stream_name", tnats_scripted, NULL, "", 0, 0, NULL},
    {"unpin", tnats_scripted, NULL, "group ?-timeout seconds?", 1, -1, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

static const tnats_verb ordered_verbs[] = {
    {"close", tnats_scripted, NULL, "", 0, 0, NULL},
    {"consume", tnats_scripted, NULL, "?-command prefix? ?-key value ...? ?-timeout seconds?", 0,
     -1, NULL},
    {"destroy", tnats_destroy, NULL, "", 0, 0, NULL},
    {"fetch", tnats_scripted, NULL, "?-max count? ?-wait seconds?", 0, -1, NULL},
    {"foreach", tnats_scripted, NULL, "variable ?-timeout seconds? body", 2, 4, NULL},
    {"info", tnats_scripted, NULL, TIME_USAGE, 0, -1, NULL},
    {"next", tnats_scripted, NULL, "?-wait seconds?", 0, -1, NULL},
    {NULL, NULL, NULL, NULL, 0, 0, NULL}};

const tnats_verb *tnats_verbs_of(const tnats_kind *kind)
{
    static const struct {
        const tnats_kind *kind;
        const tnats_verb *verbs;
    } rows[] = {{&tnats_client_kind, client_verbs},       {&tnats_sub_kind, sub_verbs},
                {&tnats_future_kind, future_verbs},       {&tnats_js_kind, js_verbs},
                {&tnats_publisher_kind, publisher_verbs}, {&tnats_batch_kind, batch_verbs},
                {&tnats_stream_kind, stream_verbs},       {&tnats_consumer_kind, consumer_verbs},
                {&tnats_ordered_kind, ordered_verbs}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].kind == kind) {
            return rows[i].verbs;
        }
    }
    return proto_verbs;
}

const tnats_command tnats_commands[] = {
    {"::polynats::connect", tnats_connect, "?url? ?-option value ...?", 0, -1},
    {"::polynats::proto", tnats_proto_create, "?url? ?-seed bytes? ?-option value ...?", 0, -1},
    {"::polynats::abi", _wrap_abi, "", 0, 0},
    {"::polynats::now", tnats_now, "", 0, 0},
    {"::polynats::options", tnats_option_list, "", 0, 0},
    {"::polynats::version", _wrap_version, "", 0, 0},
    {"::polynats::subject::matches", _wrap_subject_matches, "pattern subject", 2, 2},
    {"::polynats::subject::valid", _wrap_subject_valid, "subject", 1, 1},
    {"::polynats::subject::valid_pattern", _wrap_subject_valid_pattern, "pattern", 1, 1},
    {NULL, NULL, NULL, 0, 0}};
%}
