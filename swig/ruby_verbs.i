/* The verbs that SWIG wraps for Ruby. What takes keywords there gets them in lib/polynats: those
 * have the prefix raw_ here. */

%{
#define INBOX_SIZE 1024 /* a prefix of 512 bytes, the longest there is, and the unique rest */
%}

typedef int int32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef int nats_status;

/* Names of our own for the handles, so that a verb may have the name of the function it calls. */
%{
typedef nats_client Client;
typedef nats_sub Subscription;
typedef nats_future Future;
typedef nats_proto Proto;
%}
%define HANDLE(name)
%nodefaultctor name;
%nodefaultdtor name;
typedef struct {} name;
%enddef
HANDLE(Client)
HANDLE(Subscription)
HANDLE(Future)
HANDLE(Proto)

/* ---- client ---- */

%extend Client {
    nats_status raw_close(void) { return nats_client_close($self); }
    nats_status raw_drain(int64_t SECONDS_MS) { return nats_client_drain($self, SECONDS_MS); }
    nats_status raw_flush(int64_t SECONDS_MS) { return nats_client_flush($self, SECONDS_MS); }
    VALUE raw_rtt(int64_t SECONDS_MS) {
        int64_t rtt_ns = 0;
        nrb_check(nats_client_rtt($self, SECONDS_MS, &rtt_ns));
        return DBL2NUM((double)rtt_ns / 1e9);
    }
    VALUE raw_next_event(int64_t SECONDS_MS) {
        nats_event *event = NULL;
        nrb_check(nats_client_next_event($self, SECONDS_MS, &event));
        return nrb_event_struct(event);
    }
    nats_status raw_unsubscribe_sid(uint64_t sid, uint64_t after) {
        return nats_client_unsubscribe($self, sid, after);
    }
    VALUE raw_unsubscribe_subject(const char *TEXT, size_t TEXT_LEN, uint64_t after) {
        size_t count = 0;
        nrb_check(nats_client_unsubscribe_subject($self, TEXT, TEXT_LEN, after, &count));
        return SIZET2NUM(count);
    }
    nats_status wake(void) { return nats_client_wake($self); }
    nats_status process(void) { return nats_client_process($self); }
    VALUE new_inbox(void) {
        char inbox[INBOX_SIZE];
        size_t len = 0;
        nrb_check(nats_client_new_inbox($self, inbox, sizeof inbox, &len));
        return nrb_str(inbox, len);
    }
    int32_t raw_status(void) { return nats_client_status($self); }
    int64_t max_payload(void) { return nats_client_max_payload($self); }
    VALUE stats(void) { return nrb_stats_hash($self); }
    VALUE server_info(void) {
        nats_info *info = NULL;
        nrb_check(nats_client_server_info($self, &info));
        return nrb_info_hash(info);
    }
    VALUE server_info_json(void) {
        nats_info *info = NULL;
        nrb_check(nats_client_server_info($self, &info));
        return nrb_info_json(info);
    }
    VALUE fd(void) {
        int32_t fd = -1;
        nrb_check(nats_client_fd($self, &fd));
        return INT2NUM(fd);
    }
    VALUE deadline(void) {
        int64_t ms = nats_client_deadline_ms($self);
        return ms < 0 ? Qnil : DBL2NUM((double)ms / 1000);
    }
}

/* ---- subscription ---- */

%extend Subscription {
    nats_status raw_unsubscribe(uint64_t after) { return nats_sub_unsubscribe($self, after); }
    nats_status raw_drain(int64_t SECONDS_MS) { return nats_sub_drain($self, SECONDS_MS); }
    nats_status raw_set_mode(int32_t mode) { return nats_sub_set_mode($self, mode); }
    nats_status set_limits(int64_t pending_msgs, int64_t pending_bytes) {
        return nats_sub_set_limits($self, pending_msgs, pending_bytes);
    }
    VALUE stats(void) { return nrb_sub_stats_hash($self); }
    VALUE subject(void) {
        size_t len;
        const char *subject = nats_sub_subject($self, &len);
        return nrb_str(subject, len);
    }
    VALUE queue(void) {
        size_t len;
        const char *queue = nats_sub_queue($self, &len);
        return len > 0 ? nrb_str(queue, len) : Qnil;
    }
    uint64_t sid(void) { return nats_sub_sid($self); }
    %rename("active?") active;
    int32_t active(void) { return nats_sub_active($self); }
}

/* ---- future ---- */

%extend Future {
    %rename("done?") done;
    int32_t done(void) { return nats_future_done($self); }
    void cancel(void) { nats_future_cancel($self); }
}

/* ---- the protocol without I/O ---- */

%extend Proto {
    nats_status start(int64_t NOW_NS) { return nats_proto_start($self, NOW_NS); }
    nats_status transport_up(int64_t NOW_NS) { return nats_proto_transport_up($self, NOW_NS); }
    nats_status upgraded(int64_t NOW_NS) { return nats_proto_upgraded($self, NOW_NS); }
    nats_status secured(int64_t NOW_NS) { return nats_proto_secured($self, NOW_NS); }
    nats_status raw_transport_failed(nats_status CODE, const char *WORDS_OR_NIL, int64_t NOW_NS) {
        return nats_proto_transport_failed($self, CODE, WORDS_OR_NIL, NOW_NS);
    }
    void expect_signature(int32_t FLAG) { nats_proto_expect_signature($self, FLAG); }
    nats_status raw_sign(const void *DATA, size_t DATA_LEN, const char *public_key,
                         const char *jwt, int64_t NOW_NS) {
        return nats_proto_sign($self, DATA, DATA_LEN, public_key, jwt, NOW_NS);
    }
    nats_status feed(const void *DATA, size_t DATA_LEN, int64_t NOW_NS) {
        return nats_proto_feed($self, DATA, DATA_LEN, NOW_NS);
    }
    nats_status feed_eof(int64_t NOW_NS) { return nats_proto_feed_eof($self, NOW_NS); }
    VALUE raw_take(uint64_t max, int64_t NOW_NS) { return nrb_proto_take($self, max, NOW_NS); }
    uint64_t pending(void) { return nats_proto_tx_pending($self); }
    VALUE next_event(void) { return nrb_proto_event($self); }
    VALUE deadline(void) {
        int64_t at = nats_proto_deadline_ns($self);
        return at == INT64_MAX ? Qnil : DBL2NUM((double)at / 1e9);
    }
    void tick(int64_t NOW_NS) { nats_proto_tick($self, NOW_NS); }
    nats_status raw_unsubscribe(uint64_t sid, uint64_t after) {
        return nats_proto_unsubscribe($self, sid, after);
    }
    VALUE ping(int64_t NOW_NS) {
        uint64_t token = 0;
        nrb_check(nats_proto_ping($self, NOW_NS, &token));
        return ULL2NUM(token);
    }
    void close(void) { nats_proto_close($self); }
    nats_status reconnect(int64_t NOW_NS) { return nats_proto_reconnect($self, NOW_NS); }
    VALUE state(void) { return ID2SYM(rb_intern(nrb_proto_state_name(nats_proto_state($self)))); }
    VALUE url(void) { return nrb_word(nats_proto_url($self)); }
    VALUE scheme(void) { return nrb_word(nats_proto_scheme($self)); }
    VALUE host(void) { return nrb_word(nats_proto_host($self)); }
    int32_t port(void) { return nats_proto_port($self); }
    VALUE server_info(void) {
        nats_info *info = NULL;
        nrb_check(nats_proto_server_info($self, &info));
        return nrb_info_hash(info);
    }
    VALUE server_info_json(void) {
        nats_info *info = NULL;
        nrb_check(nats_proto_server_info($self, &info));
        return nrb_info_json(info);
    }
    int32_t pings_out(void) { return nats_proto_pings_out($self); }
    uint64_t offset(void) { return nats_proto_offset($self); }
    VALUE new_inbox(void) {
        char inbox[INBOX_SIZE];
        size_t len = 0;
        nrb_check(nats_proto_new_inbox($self, inbox, sizeof inbox, &len));
        return nrb_str(inbox, len);
    }
    VALUE servers(void) { return nrb_proto_server_list($self); }
    nats_status server_add(const char *url) { return nats_proto_server_add($self, url); }
    nats_status server_remove(const char *url) { return nats_proto_server_remove($self, url); }
}

/* ---- the module ---- */

%apply(const char *TEXT, size_t TEXT_LEN) {
    (const char *pattern, size_t pattern_len), (const char *subject, size_t subject_len)
};
%inline %{
static VALUE version(void) { return nrb_word(nats_version()); }
static int32_t abi(void) { return nats_abi(); }
static VALUE now(void) { return DBL2NUM((double)nrb_now_ns() / 1e9); }
static VALUE options(void) { return nrb_options_list(); }
static VALUE subject_valid(const char *TEXT, size_t TEXT_LEN)
{
    return nats_subject_valid(TEXT, TEXT_LEN) != 0 ? Qtrue : Qfalse;
}
static VALUE subject_valid_pattern(const char *TEXT, size_t TEXT_LEN)
{
    return nats_subject_valid_pattern(TEXT, TEXT_LEN) != 0 ? Qtrue : Qfalse;
}
static VALUE subject_matches(const char *pattern, size_t pattern_len, const char *subject,
                             size_t subject_len)
{
    return nats_subject_matches(pattern, pattern_len, subject, subject_len) != 0 ? Qtrue : Qfalse;
}
%}
