/* Which functions of the library are bound, for all languages: one line each.
 *
 * A line in an %extend is the C function with the noun's name before it: `flush` of nats_client is
 * nats_client_flush(). The language's own file (python.i, ruby.i, tcl.i) says how values become C's
 * and back, by the names that are used here, and includes this one:
 *
 *   (const char *TEXT, size_t TEXT_LEN)     a text, exactly; applied to the parameters named below,
 *                                           whose names errors tell
 *   (const void *DATA, size_t DATA_LEN)     bytes
 *   const char *WORDS, WORDS_OR_NONE        a text without a NUL; one that may be absent
 *   int64_t SECONDS_MS                      seconds there, ms here; absent is -1
 *   int64_t NOW_NS                          seconds of a clock there, ns here; absent is now
 *   uint64_t, int64_t, int32_t, FLAG        numbers; a truth value
 *   nats_status CODE                        the name of an error
 *   nats_status, as a result                nothing, or the error is raised
 *   TYPE *…_OUT, after it                   the result in its place, nothing when the call failed
 *
 * By hand in each language, because they are hot, or take and give what no typemap can say:
 * nats_connect, _client_share, _publish, _publish_with, _publish_many, _respond, _subscribe_with,
 * _get, _get_callbacks, _request, _request_start, _request_many; nats_sub_next, _get;
 * nats_future_poll, _wait; messages, events, headers and options; nats_proto_new, _publish,
 * _subscribe, _next_event, _tx. Of JetStream: all that begins something or takes messages
 * (nats_js_call_start, _publish_start, _consume_start, the publisher's and the batch's calls,
 * nats_client_ack…), JSON and its tables. */

typedef int int32_t;
typedef long long int64_t;
typedef unsigned long long uint64_t;
typedef int nats_status;

%apply (const char *TEXT, size_t TEXT_LEN) {
    (const char *subject, size_t subject_len), (const char *pattern, size_t pattern_len)
}
%apply (const void *DATA, size_t DATA_LEN) {
    (const void *data, size_t data_len), (const void *signature, size_t signature_len)
}
%apply const char *WORDS { const char *name, const char *url }
%apply const char *WORDS_OR_NONE {
    const char *text, const char *public_key, const char *jwt, const char *user,
    const char *password, const char *token, const char *seed
}
%apply int64_t SECONDS_MS { int64_t timeout, int64_t wait }
%apply int64_t NOW_NS { int64_t now }

/* After what is applied: SWIG writes the verbs of a noun where the noun is named. */
%define NOUN(type, name)
%nodefaultctor type;
%nodefaultdtor type;
%rename(name) type;
typedef struct type {} type;
%enddef
NOUN(nats_client, Client)
NOUN(nats_sub, Subscription)
NOUN(nats_future, Future)
NOUN(nats_proto, Proto)
NOUN(nats_js_publisher, Publisher)

%extend nats_client {
    nats_status close(void);
    nats_status drain(int64_t timeout);
    nats_status flush(int64_t timeout);
    nats_status rtt(int64_t timeout, int64_t *NS_OUT);
    nats_status reconnect(void);
    nats_status unsubscribe(uint64_t sid, uint64_t after);
    nats_status unsubscribe_subject(const char *subject, size_t subject_len, uint64_t after,
                                    size_t *COUNT_OUT);
    nats_status wake(void);
    nats_status new_inbox(char *INBOX_OUT, size_t INBOX_SIZE, size_t *INBOX_LEN);
    int32_t status(void);
    nats_status server_info(nats_info **INFO_OUT);
    nats_status info(nats_info **INFO_OUT);
    int64_t max_payload(void);
    nats_status option_int(const char *name, int64_t *NUMBER_OUT);
    size_t stats(uint64_t *CLIENT_STATS_OUT, size_t STATS_COUNT);
    nats_status next_event(int64_t wait, nats_event **EVENT_OUT);
    nats_status credentials(const char *user, const char *password, const char *token,
                            const char *jwt, const char *seed, const char *public_key,
                            const void *signature, size_t signature_len);
    nats_status question(nats_event **EVENT_OUT);
    nats_status fd(int32_t *NUMBER_OUT);
    nats_status process(void);
    int64_t deadline_ms(void);
}

%extend nats_sub {
    nats_status unsubscribe(uint64_t after);
    nats_status drain(int64_t timeout);
    nats_status set_mode(int32_t mode);
    nats_status set_limits(int64_t pending_msgs, int64_t pending_bytes);
    size_t stats(uint64_t *SUB_STATS_OUT, size_t STATS_COUNT);
    const char *subject(size_t *TEXT_LEN_OUT);
    const char *queue(size_t *TEXT_LEN_OUT);
    uint64_t sid(void);
    int32_t active(void);
}

%extend nats_future {
    int32_t done(void);
    void cancel(void);
}

%extend nats_js_publisher {
    size_t stats(uint64_t *PUBLISHER_STATS_OUT, size_t STATS_COUNT);
}

%extend nats_proto {
    nats_status start(int64_t now);
    const char *url(void);
    const char *scheme(void);
    const char *host(void);
    int32_t port(void);
    nats_status transport_up(int64_t now);
    nats_status upgraded(int64_t now);
    nats_status secured(int64_t now);
    nats_status transport_failed(nats_status CODE, const char *text, int64_t now);
    void expect_signature(int32_t FLAG);
    nats_status sign(const void *signature, size_t signature_len, const char *public_key,
                     const char *jwt, int64_t now);
    nats_status feed(const void *data, size_t data_len, int64_t now);
    nats_status feed_eof(int64_t now);
    size_t tx_pending(void);
    int64_t deadline_ns(void);
    void tick(int64_t now);
    nats_status unsubscribe(uint64_t sid, uint64_t after);
    nats_status ping(int64_t now, uint64_t *NUMBER_OUT);
    void close(void);
    nats_status reconnect(int64_t now);
    int32_t state(void);
    nats_status server_info(nats_info **INFO_OUT);
    int32_t pings_out(void);
    uint64_t offset(void);
    nats_status new_inbox(char *INBOX_OUT, size_t INBOX_SIZE, size_t *INBOX_LEN);
    nats_status server_add(const char *url);
    nats_status server_remove(const char *url);
}

%rename(version) nats_version;
const char *nats_version(void);
%rename(abi) nats_abi;
int32_t nats_abi(void);
%rename(subject_valid) nats_subject_valid;
int32_t nats_subject_valid(const char *subject, size_t subject_len);
%rename(subject_valid_pattern) nats_subject_valid_pattern;
int32_t nats_subject_valid_pattern(const char *pattern, size_t pattern_len);
%rename(subject_matches) nats_subject_matches;
int32_t nats_subject_matches(const char *pattern, size_t pattern_len, const char *subject,
                             size_t subject_len);
