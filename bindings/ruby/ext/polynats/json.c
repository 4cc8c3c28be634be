/* JSON texts of JetStream as Ruby's values, and the tables by which Ruby's values become such. */
#include "nrb_js.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)

/* ---- values ---- */

VALUE nrb_time(int64_t ns)
{
    enum { UTC = INT_MAX - 1 /* as rb_time_timespec_new() has it */ };
    int64_t below = (ns % NS_PER_S + NS_PER_S) % NS_PER_S;
    struct timespec at = {.tv_sec = (time_t)((ns - below) / NS_PER_S), .tv_nsec = (long)below};
    return rb_time_timespec_new(&at, UTC);
}

/* What is out of the range of ns is JetStream's way to say never: the year 1. */
static VALUE time_of(const nats_json *value)
{
    int64_t ns;
    return nats_json_time(value, &ns) != 0 ? nrb_time(ns) : Qnil;
}

static VALUE value_of(const nats_json *value);

static VALUE array_of(const nats_json *array)
{
    size_t count = nats_json_count(array);
    VALUE list = rb_ary_new_capa((long)count);
    for (size_t i = 0; i < count; i++) {
        rb_ary_push(list, value_of(nats_json_at(array, i)));
    }
    return list;
}

static VALUE hash_of(const nats_json *object)
{
    const nats_json *member;
    const char *name;
    VALUE map = rb_hash_new();
    for (size_t i = 0; (member = nats_json_member(object, i, &name)) != NULL; i++) {
        rb_hash_aset(map, nrb_str(name, strlen(name)), value_of(member));
    }
    return map;
}

static VALUE whole_of(const nats_json *value)
{
    int64_t number;
    uint64_t count;
    if (nats_json_int(value, &number) != 0) {
        return LL2NUM(number);
    }
    nats_json_uint(value, &count);
    return ULL2NUM(count);
}

static double real_of(const nats_json *value)
{
    double number;
    nats_json_real(value, &number);
    return number;
}

static VALUE bool_of(const nats_json *value)
{
    int64_t truth;
    nats_json_int(value, &truth);
    return truth != 0 ? Qtrue : Qfalse;
}

static VALUE text_of(const nats_json *value)
{
    size_t len;
    const char *text = nats_json_text(value, &len);
    return nrb_str(text, len);
}

/* The depth of a document is bounded by whoever has read it. */
static VALUE value_of(const nats_json *value)
{
    switch (nats_json_kind(value)) {
    case NATS_JSON_BOOL:
        return bool_of(value);
    case NATS_JSON_INT:
    case NATS_JSON_UINT:
        return whole_of(value);
    case NATS_JSON_REAL:
        return DBL2NUM(real_of(value));
    case NATS_JSON_TEXT:
        return text_of(value);
    case NATS_JSON_ARRAY:
        return array_of(value);
    case NATS_JSON_OBJECT:
        return hash_of(value);
    case NATS_JSON_DURATION:
        return DBL2NUM(real_of(value) / 1e9);
    case NATS_JSON_TIME:
        return time_of(value);
    default:
        return Qnil;
    }
}

static VALUE read_document(VALUE document)
{
    return value_of((const nats_json *)document);
}

static VALUE free_document(VALUE document)
{
    nats_json_free((nats_json *)document);
    return Qnil;
}

/* parse(text): durations are seconds, times are Times in UTC, whole numbers keep all their digits */
static VALUE parse(VALUE module, VALUE text)
{
    nats_json *document;
    nrb_text words = nrb_data_of(&text, "text");
    (void)module;
    nrb_check(nats_json_parse(words.ptr, words.len, &document));
    RB_GC_GUARD(text);
    return rb_ensure(read_document, (VALUE)document, free_document, (VALUE)document);
}

/* ---- tables ---- */

/* key(type, name): [kind, kind of its elements, type of object], or nil */
static VALUE key(VALUE module, VALUE type, VALUE name)
{
    int32_t element = 0;
    const char *of = NULL;
    nrb_text words = nrb_text_of(&name, "key");
    (void)module;
    if (memchr(words.ptr, '\0', words.len) != NULL) {
        return Qnil;
    }
    int32_t kind = nats_js_key(nrb_words_of(&type, "type"), StringValueCStr(name), &element, &of);
    if (kind == 0) {
        return Qnil;
    }
    return rb_ary_new_from_args(3, INT2NUM(kind), INT2NUM(element), nrb_word(of != NULL ? of : ""));
}

/* keywords: those of publish, with the kind of each */
static VALUE keywords(VALUE module)
{
    VALUE map = rb_hash_new();
    const char *name;
    (void)module;
    for (size_t i = 0; (name = nats_js_keyword(i)) != NULL; i++) {
        int32_t kind = 0;
        nats_js_header(name, &kind);
        rb_hash_aset(map, ID2SYM(rb_intern(name)), INT2NUM(kind));
    }
    return map;
}

/* invalid(about, text): raise that */
static VALUE invalid(VALUE module, VALUE about, VALUE text)
{
    (void)module;
    nrb_raise(NATS_ERR_INVALID, nrb_words_of(&text, "text"), nrb_words_of(&about, "about"));
}

void nrb_json_init(void)
{
    VALUE module = rb_define_module_under(nrb_module, "JetStreamValues");
    rb_define_singleton_method(module, "parse", parse, 1);
    rb_define_singleton_method(module, "key", key, 2);
    rb_define_singleton_method(module, "keywords", keywords, 0);
    rb_define_singleton_method(module, "invalid", invalid, 2);
}
