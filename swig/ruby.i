/* Ruby: how its values become C's and back, and Ruby's names. Which functions are bound is said in
 * polynats.i for all languages. The verbs that must be quick, and all that is about Ruby's objects,
 * threads and fibers, are written by hand in bindings/ruby/ext/polynats. What takes keywords gets
 * them in bindings/ruby/lib: those have the prefix raw_ here, and are private there. */
%module polynats

%begin %{
#include "nrb_js.h"
#include "facts.h"
#include "waiting.h"

/* Calls that wait are made without the GVL. */
#define nats_client_close(client) nrb_client_close(client)
#define nats_client_drain(client, ms) nrb_client_drain(client, ms)
#define nats_client_flush(client, ms) nrb_client_flush(client, ms)
#define nats_client_rtt(client, ms, out) nrb_client_rtt(client, ms, out)
#define nats_sub_unsubscribe(sub, after) nrb_sub_unsubscribe(sub, after)
#define nats_client_unsubscribe(client, sid, after) nrb_client_unsubscribe(client, sid, after)
#define nats_client_unsubscribe_subject(client, subject, len, after, out)                          \
    nrb_client_unsubscribe_subject(client, subject, len, after, out)
%}

%init %{
    nrb_init(mPolynats);
%}

/* ---- handles: objects of ours, not SWIG's ---- */

%typemap(in) struct nats_client * "$1 = nrb_client_get($input)->client;"
%typemap(in) struct nats_sub * "$1 = nrb_sub_get($input)->sub;"
%typemap(in) struct nats_future * "$1 = nrb_future_get($input)->future;"
%typemap(in) struct nats_proto * "$1 = nrb_proto_get($input);"
%typemap(in) struct nats_js_publisher * "$1 = nrb_publisher_get($input);"

/* ---- arguments: by the names that polynats.i applies these to ---- */

/* Where a string's bytes are is asked for when all arguments were read: reading one may run Ruby, which
 * may change another. That is what check is for here. */
%typemap(in) (const char *TEXT, size_t TEXT_LEN) (VALUE text) {
    nrb_text_of(&$input, "$1_name");
    text = $input;
}
%typemap(check) (const char *TEXT, size_t TEXT_LEN) {
    $1 = (char *)nrb_bytes_of(text$argnum).ptr;
    $2 = nrb_bytes_of(text$argnum).len;
}
%typemap(in) (const void *DATA, size_t DATA_LEN) (VALUE data) {
    nrb_data_of(&$input, "$1_name");
    data = $input;
}
%typemap(check) (const void *DATA, size_t DATA_LEN) {
    $1 = (void *)nrb_bytes_of(data$argnum).ptr;
    $2 = nrb_bytes_of(data$argnum).len;
}
%typemap(in) const char *WORDS (VALUE words) {
    nrb_words_of(&$input, "$1_name");
    words = $input;
}
%typemap(in) const char *WORDS_OR_NONE (VALUE words) {
    if (!NIL_P($input)) {
        nrb_words_of(&$input, "$1_name");
    }
    words = $input;
}
%typemap(check) const char *WORDS, const char *WORDS_OR_NONE
    "$1 = NIL_P(words$argnum) ? NULL : (char *)nrb_words_of(&words$argnum, \"$1_name\");"
%typemap(in) int64_t SECONDS_MS "$1 = nrb_seconds($input, \"$1_name\", -1);"
%typemap(in) uint64_t "$1 = nrb_count($input, \"$1_name\", 0);"
%typemap(in) int64_t "$1 = nrb_integer($input, \"$1_name\");"
%typemap(in) int32_t "$1 = nrb_small($input, \"$1_name\");"
%typemap(in) int32_t FLAG "$1 = RTEST($input) ? 1 : 0;"
%typemap(in) nats_status CODE "$1 = nrb_status_of($input);"
/* Seconds of a clock that never goes back; absent: now. */
%typemap(default) int64_t NOW_NS "$1 = nrb_now_ns();"
%typemap(in) int64_t NOW_NS "$1 = nrb_clock_of($input);"

/* ---- results ---- */

%typemap(out) nats_status {
    nrb_check($1);
    $result = Qnil;
}
%typemap(out) const char * "$result = nrb_word($1);"
%typemap(out) int32_t "$result = INT2NUM($1);"
%typemap(out) uint64_t "$result = ULL2NUM($1);"
%typemap(out) int64_t "$result = LL2NUM($1);"
%typemap(out) size_t "$result = SIZET2NUM($1);"
%typemap(out) int32_t nats_sub::active, int32_t nats_future::done, int32_t nats_subject_valid,
    int32_t nats_subject_valid_pattern, int32_t nats_subject_matches
    "$result = $1 != 0 ? Qtrue : Qfalse;"
/* Names for what the library numbers, and seconds for what it counts in ms and ns. */
%typemap(out) int32_t nats_client::status "$result = nrb_client_status_symbol($1);"
%typemap(out) int32_t nats_proto::state "$result = nrb_proto_state_symbol($1);"
%typemap(out) int64_t nats_client::deadline_ms
    "$result = $1 < 0 ? Qnil : DBL2NUM((double)$1 / 1e3);"
%typemap(out) int64_t nats_proto::deadline_ns
    "$result = $1 == INT64_MAX ? Qnil : DBL2NUM((double)$1 / 1e9);"

/* In place of the function's own result. */
%define RESULT_IN_PLACE(type, parameter, variable, value)
%typemap(in, numinputs=0) type *parameter (variable) "$1 = &temp;"
%typemap(argout) type *parameter "$result = value;"
%enddef
RESULT_IN_PLACE(int64_t, NS_OUT, int64_t temp = 0, DBL2NUM((double)*$1 / 1e9))
RESULT_IN_PLACE(size_t, COUNT_OUT, size_t temp = 0, SIZET2NUM(*$1))
RESULT_IN_PLACE(int32_t, NUMBER_OUT, int32_t temp = 0, INT2NUM(*$1))
RESULT_IN_PLACE(int64_t, NUMBER_OUT, int64_t temp = 0, LL2NUM(*$1))
RESULT_IN_PLACE(uint64_t, NUMBER_OUT, uint64_t temp = 0, ULL2NUM(*$1))
RESULT_IN_PLACE(nats_event *, EVENT_OUT, nats_event *temp = NULL, nrb_event_struct(*$1))
RESULT_IN_PLACE(nats_info *, INFO_OUT, nats_info *temp = NULL, nrb_info_hash(*$1))
RESULT_IN_PLACE(size_t, TEXT_LEN_OUT, size_t temp = 0, *$1 > 0 ? nrb_str(result, *$1) : Qnil)

%define COUNTERS(parameter, hash)
%typemap(in, numinputs=0) (uint64_t *parameter, size_t STATS_COUNT)
    (uint64_t values[NRB_STATS_MAX] = {0}) "$1 = values; $2 = NRB_STATS_MAX;"
%typemap(argout) (uint64_t *parameter, size_t STATS_COUNT) "$result = hash($1);"
%enddef
COUNTERS(CLIENT_STATS_OUT, nrb_stats_hash)
COUNTERS(SUB_STATS_OUT, nrb_sub_stats_hash)
COUNTERS(PUBLISHER_STATS_OUT, nrb_publisher_stats_hash)

%typemap(in, numinputs=0) (char *INBOX_OUT, size_t INBOX_SIZE, size_t *INBOX_LEN)
    (char inbox[NRB_INBOX_SIZE], size_t inbox_len = 0)
    "$1 = inbox; $2 = sizeof inbox; $3 = &inbox_len;"
%typemap(argout) (char *INBOX_OUT, size_t INBOX_SIZE, size_t *INBOX_LEN)
    "$result = nrb_str($1, *$3);"

/* By hand: what was taken for a call which an exception ended is there for the next one. */
%ignore nats_client::next_event;
%ignore nats_future::cancel;
%ignore nats_sub::set_mode;
/* By hand: under a Fiber scheduler it is the client that is watched. */
%ignore nats_sub::drain;

/* ---- names ---- */

%rename(raw_close) nats_client::close;
%rename(raw_drain) nats_client::drain;
%rename(raw_flush) nats_client::flush;
%rename(raw_rtt) nats_client::rtt;
%rename(raw_unsubscribe_sid) nats_client::unsubscribe;
%rename(raw_unsubscribe_subject) nats_client::unsubscribe_subject;
%rename(raw_option_int) nats_client::option_int;
%rename(deadline) nats_client::deadline_ms;
%rename(raw_credentials) nats_client::credentials;
%rename(raw_question) nats_client::question;
%rename(raw_process) nats_client::process;

%rename(raw_unsubscribe) nats_sub::unsubscribe;
%rename("active?") nats_sub::active;
%rename("done?") nats_future::done;

%rename(raw_transport_failed) nats_proto::transport_failed;
%rename(raw_sign) nats_proto::sign;
%rename(raw_unsubscribe) nats_proto::unsubscribe;
%rename(pending) nats_proto::tx_pending;
%rename(deadline) nats_proto::deadline_ns;

%include "polynats.i"
