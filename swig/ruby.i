/* Ruby: how its values become C's and back, and what is Ruby's own. Which functions are bound is
 * said in polynats.i for all languages. The verbs that must be quick, and all that is about Ruby's
 * objects, threads and fibers, are written by hand in bindings/ruby/ext/polynats. */
%module polynats

%begin %{
#include "nrb.h"
#include "facts.h"
#include "waiting.h"

/* Calls that wait are made without the GVL. */
#define nats_client_close(client) nrb_client_close(client)
#define nats_client_drain(client, ms) nrb_client_drain(client, ms)
#define nats_client_flush(client, ms) nrb_client_flush(client, ms)
#define nats_client_rtt(client, ms, out) nrb_client_rtt(client, ms, out)
#define nats_client_next_event(client, ms, out) nrb_client_next_event(client, ms, out)
#define nats_sub_drain(sub, ms) nrb_sub_drain(sub, ms)
%}

%init %{
    nrb_init(mPolynats);
%}

/* ---- handles: objects of ours, not SWIG's ---- */

%typemap(in) Client * "$1 = nrb_client_get($input)->client;"
%typemap(in) Subscription * "$1 = nrb_sub_get($input)->sub;"
%typemap(in) Future * "$1 = nrb_future_get($input)->future;"
%typemap(in) Proto * "$1 = nrb_proto_get($input);"

/* ---- arguments ---- */

%typemap(in) (const char *TEXT, size_t TEXT_LEN) {
    nrb_text text = nrb_text_of(&$input, "$1_name");
    $1 = (char *)text.ptr;
    $2 = text.len;
}
%typemap(in) (const void *DATA, size_t DATA_LEN) {
    nrb_text data = nrb_data_of(&$input);
    $1 = (void *)data.ptr;
    $2 = data.len;
}
%typemap(in) int64_t SECONDS_MS "$1 = nrb_seconds($input, \"timeout\", -1);"
%typemap(in) uint64_t "$1 = nrb_count($input, \"$1_name\", 0);"
%typemap(in) int64_t "$1 = nrb_integer($input, \"$1_name\");"
%typemap(in) int32_t "$1 = (int32_t)nrb_integer($input, \"$1_name\");"
%typemap(in) int32_t FLAG "$1 = RTEST($input) ? 1 : 0;"
%typemap(in) nats_status CODE "$1 = nrb_status_of($input);"
%typemap(in) const char *WORDS_OR_NIL, const char *public_key, const char *jwt
    "$1 = NIL_P($input) ? NULL : (char *)nrb_words_of(&$input, \"$1_name\");"
%typemap(in) const char *url "$1 = (char *)nrb_words_of(&$input, \"url\");"
/* Seconds of a clock that never goes back; absent: now. */
%typemap(default) int64_t NOW_NS "$1 = nrb_now_ns();"
%typemap(in) int64_t NOW_NS "$1 = nrb_clock_of($input);"

/* ---- results ---- */

%typemap(out) nats_status {
    nrb_check($1);
    $result = Qnil;
}
%typemap(out) VALUE "$result = $1;"
%typemap(out) int32_t active, int32_t done "$result = $1 != 0 ? Qtrue : Qfalse;"
%typemap(out) int32_t "$result = INT2NUM($1);"
%typemap(out) uint64_t "$result = ULL2NUM($1);"
%typemap(out) int64_t "$result = LL2NUM($1);"

%include "ruby_verbs.i"
