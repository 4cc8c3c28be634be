/* What is published to JetStream: a message, and what the stream is to look at besides, by keyword. */
#include "nrb_js.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 64 /* of "9223372036854775807ms" */ };

/* Longer durations are refused: that is 292 million years. */
#define MS_MAX 9.2e18

static ID id_headers, id_timeout;

/* ---- keywords ---- */

NORETURN(static void refuse(const char *name, const char *wanted, VALUE value));
static void refuse(const char *name, const char *wanted, VALUE value)
{
    rb_raise(rb_eTypeError, "%s must be %s, not %" PRIsVALUE, name, wanted, rb_obj_class(value));
}

static void add_text(nats_headers *headers, const char *header, VALUE value, const char *name)
{
    nrb_text text = nrb_text_of(&value, name);
    nrb_check(nats_headers_add(headers, header, NATS_Z, text.ptr, text.len));
    RB_GC_GUARD(value);
}

/* Any whole number: the library looks at its range. signed: it has one in any case. */
static void add_whole(nats_headers *headers, const char *header, VALUE value, bool sign)
{
    VALUE words = rb_obj_as_string(value);
    if (sign && RSTRING_PTR(words)[0] != '-') {
        words = rb_str_plus(rb_str_new_lit("+"), words);
    }
    add_text(headers, header, words, "number");
}

static void add_duration(nats_headers *headers, const char *header, VALUE value, const char *name)
{
    char words[WORDS_MAX];
    double seconds = rb_num2dbl(value);
    double ms = ceil(seconds * 1000 - 1e-6);
    if (!(seconds >= 0 && ms < MS_MAX)) {
        nrb_invalid(name, "%s must be a time of 0 seconds or more, not %g", name, seconds);
    }
    int64_t whole = (int64_t)ms;
    bool even = whole % 1000 == 0;
    int len = snprintf(words, sizeof words, even ? "%llds" : "%lldms",
                       (long long)(even ? whole / 1000 : whole));
    nrb_check(nats_headers_add(headers, header, NATS_Z, words, (size_t)len));
}

static void add_value(nats_headers *headers, const char *header, const char *name, int32_t kind,
                      VALUE value)
{
    if (RB_TYPE_P(value, T_STRING)) {
        add_text(headers, header, value, name);
    } else if (RB_SYMBOL_P(value)) {
        add_text(headers, header, rb_sym2str(value), name);
    } else if (kind == NATS_JSON_DURATION && RTEST(rb_obj_is_kind_of(value, rb_cNumeric))) {
        add_duration(headers, header, value, name);
    } else if (RB_INTEGER_TYPE_P(value) && (kind == NATS_JSON_INT || kind == NATS_JSON_UINT)) {
        add_whole(headers, header, value, kind == NATS_JSON_INT);
    } else if (kind == NATS_JSON_DURATION) {
        refuse(name, "a number of seconds or a String", value);
    } else {
        refuse(name, kind == NATS_JSON_TEXT ? "a String" : "an Integer or a String", value);
    }
}

static int add_keyword(VALUE key, VALUE value, VALUE arg)
{
    int32_t kind;
    VALUE word = RB_SYMBOL_P(key) ? rb_sym2str(key) : key;
    const char *name = nrb_words_of(&word, "keyword");
    const char *header = nats_js_header(name, &kind);
    if (header == NULL) { /* the nearest one is found in Ruby: it is needed seldom */
        VALUE values = rb_const_get(nrb_module, rb_intern("JetStreamValues"));
        rb_funcall(values, rb_intern("refuse_keyword"), 1, word);
    }
    if (header != NULL && !NIL_P(value)) {
        add_value((nats_headers *)arg, header, name, kind, value);
    }
    RB_GC_GUARD(word);
    return ST_CONTINUE;
}

static void read_headers(nrb_storing *self, VALUE headers, VALUE keywords)
{
    bool more = !NIL_P(keywords) && RHASH_SIZE(keywords) > 0;
    if (NIL_P(headers) && more) {
        headers = rb_hash_new();
    }
    self->headers = nrb_headers_of(headers, &self->box);
    if (more) {
        rb_hash_foreach(keywords, add_keyword, (VALUE)DATA_PTR(self->box));
    }
}

/* ---- all of it ---- */

static VALUE take(VALUE keywords, ID name)
{
    return rb_hash_delete(keywords, ID2SYM(name));
}

void nrb_storing_read(nrb_storing *self, int argc, VALUE *argv, bool timed, bool optional)
{
    VALUE headers = Qnil, timeout = Qnil, keywords = Qnil;
    if (rb_keyword_given_p()) {
        argc--;
        keywords = rb_hash_dup(argv[argc]);
        headers = take(keywords, id_headers);
        timeout = timed ? take(keywords, id_timeout) : Qnil;
    }
    rb_check_arity(argc, optional ? 0 : 1, 2);
    self->subject_string = argc > 0 ? argv[0] : Qnil;
    self->data_string = argc > 1 ? argv[1] : Qnil;
    self->timeout_ms = nrb_seconds(timeout, "timeout", -1);
    self->data = nrb_data_of(&self->data_string, "data"); /* first: its to_str may change the subject */
    self->subject = (nrb_text){NULL, 0};
    if (!optional || !NIL_P(self->subject_string)) {
        self->subject = nrb_text_of(&self->subject_string, "subject");
    }
    read_headers(self, headers, keywords);
}

void nrb_storing_keep(nrb_storing *self)
{
    if (!NIL_P(self->subject_string)) {
        self->subject_string = nrb_kept(self->subject_string);
        self->subject.ptr = RSTRING_PTR(self->subject_string);
    }
    if (!NIL_P(self->data_string)) {
        self->data_string = nrb_kept(self->data_string);
        self->data.ptr = RSTRING_PTR(self->data_string);
    }
}

void nrb_storing_free(nrb_storing *self)
{
    nrb_headers_free(self->box);
    RB_GC_GUARD(self->box);
    RB_GC_GUARD(self->subject_string);
    RB_GC_GUARD(self->data_string);
}

void nrb_store_init(void)
{
    id_headers = rb_intern("headers");
    id_timeout = rb_intern("timeout");
}
