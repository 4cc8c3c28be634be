/* Ruby's values as C takes them: texts, payloads, times, keywords, headers. */
#include "nrb.h"

#include <math.h>
#include <string.h>

#include <ruby/encoding.h>

/* Longest wait in ms that still fits into ns, more than a century: infinity is as long. */
#define WAIT_MS_MAX (INT64_MAX / INT64_C(1000000) / 2)
/* Largest time in seconds that fits into ns. */
#define NOW_MAX 9e9
/* More keywords than any verb takes. */
#define KEYWORDS_MAX 16

static rb_encoding *utf8;
static int utf8_index, ascii_index, binary_index;

static void need_string(VALUE value, const char *what)
{
    if (!RB_TYPE_P(value, T_STRING)) {
        rb_raise(rb_eTypeError, "%s must be a String, not %" PRIsVALUE, what, rb_obj_class(value));
    }
}

VALUE nrb_kept(VALUE string)
{
    return rb_str_new_frozen(string);
}

VALUE nrb_keep(VALUE string, nrb_text *text)
{
    if (NIL_P(string)) {
        return string;
    }
    VALUE kept = nrb_kept(string);
    *text = (nrb_text){RSTRING_PTR(kept), (size_t)RSTRING_LEN(kept)};
    return kept;
}

static VALUE converted(VALUE string, const char *what)
{
    rb_encoding *encoding = rb_enc_get(string);
    VALUE text = rb_str_conv_enc(string, encoding, utf8);
    if (text == string && !rb_enc_str_asciionly_p(string)) {
        nrb_invalid(what, "%s is a String in %s that has no form in UTF-8", what,
                    rb_enc_name(encoding));
    }
    return text;
}

nrb_text nrb_text_of(VALUE *value, const char *what)
{
    need_string(*value, what);
    int encoding = RB_ENCODING_GET(*value);
    if (RB_UNLIKELY(encoding != utf8_index && encoding != ascii_index &&
                    encoding != binary_index)) {
        *value = converted(*value, what);
    }
    return (nrb_text){RSTRING_PTR(*value), (size_t)RSTRING_LEN(*value)};
}

nrb_text nrb_data_of(VALUE *value, const char *what)
{
    if (NIL_P(*value)) {
        return (nrb_text){"", 0};
    }
    if (!RB_TYPE_P(*value, T_STRING)) {
        VALUE string = rb_check_string_type(*value);
        if (NIL_P(string)) {
            rb_raise(rb_eTypeError, "%s must be a String or nil, not %" PRIsVALUE, what,
                     rb_obj_class(*value));
        }
        *value = string;
    }
    return (nrb_text){RSTRING_PTR(*value), (size_t)RSTRING_LEN(*value)};
}

nrb_text nrb_bytes_of(VALUE value)
{
    if (NIL_P(value)) {
        return (nrb_text){"", 0};
    }
    return (nrb_text){RSTRING_PTR(value), (size_t)RSTRING_LEN(value)};
}

int64_t nrb_seconds(VALUE value, const char *what, int64_t fallback)
{
    if (NIL_P(value)) {
        return fallback;
    }
    if (!RTEST(rb_obj_is_kind_of(value, rb_cNumeric))) {
        rb_raise(rb_eTypeError, "%s must be a number of seconds, not %" PRIsVALUE, what,
                 rb_obj_class(value));
    }
    double seconds = rb_num2dbl(value);
    if (!(seconds >= 0)) {
        nrb_invalid(what, "%s must be a number of seconds of 0 or more, not %g", what, seconds);
    }
    double ms = ceil(seconds * 1000 - 1e-6);
    return ms > (double)WAIT_MS_MAX ? WAIT_MS_MAX : (int64_t)ms;
}

int64_t nrb_integer(VALUE value, const char *what)
{
    int zeros = 0;
    if (!RB_INTEGER_TYPE_P(value)) {
        rb_raise(rb_eTypeError, "%s must be an Integer, not %" PRIsVALUE, what,
                 rb_obj_class(value));
    }
    size_t size = rb_absint_size(value, &zeros);
    if (size > sizeof(int64_t) || (size == sizeof(int64_t) && zeros == 0)) {
        nrb_invalid(what, "%s does not fit into 64 bits", what);
    }
    return NUM2LL(value);
}

int32_t nrb_small(VALUE value, const char *what)
{
    int64_t number = nrb_integer(value, what);
    if (number < INT32_MIN || number > INT32_MAX) {
        nrb_invalid(what, "%s must be within 32 bits, not %lld", what, (long long)number);
    }
    return (int32_t)number;
}

int64_t nrb_clock_of(VALUE value)
{
    if (!RTEST(rb_obj_is_kind_of(value, rb_cNumeric))) {
        rb_raise(rb_eTypeError, "now must be a number of seconds, not %" PRIsVALUE,
                 rb_obj_class(value));
    }
    double seconds = rb_num2dbl(value);
    if (!(seconds >= 0 && seconds <= NOW_MAX)) {
        nrb_invalid("now", "now must be a time in seconds, 0 to 9e9, not %g", seconds);
    }
    return (int64_t)llround(seconds * 1e9);
}

uint64_t nrb_count(VALUE value, const char *what, uint64_t fallback)
{
    if (NIL_P(value)) {
        return fallback;
    }
    int64_t number = nrb_integer(value, what);
    if (number < 0) {
        nrb_invalid(what, "%s must be 0 or more, not %lld", what, (long long)number);
    }
    return (uint64_t)number;
}

/* The keyword that is like none of ours, with the one that was probably meant. */
static int refuse_unknown(VALUE key, VALUE value, VALUE arg)
{
    const VALUE *known = (const VALUE *)arg;
    const char *names[KEYWORDS_MAX];
    size_t count = 0;
    (void)value;
    for (; known[count] != 0; count++) {
        if (known[count] == key) {
            return ST_CONTINUE;
        }
        names[count] = rb_id2name(SYM2ID(known[count]));
    }
    const char *given = RB_SYMBOL_P(key) ? rb_id2name(SYM2ID(key)) : NULL;
    const char *nearest = given != NULL ? nats_options_nearest(given, names, count) : NULL;
    if (nearest == NULL) {
        rb_raise(rb_eArgError, "unknown keyword: %+" PRIsVALUE, key);
    }
    rb_raise(rb_eArgError, "unknown keyword: %+" PRIsVALUE ": did you mean '%s'?", key, nearest);
}

void nrb_keywords(int *argc, const VALUE *argv, int count, const ID *names, VALUE *values)
{
    for (int i = 0; i < count; i++) {
        values[i] = Qnil;
    }
    if (!rb_keyword_given_p()) {
        return;
    }
    *argc -= 1;
    VALUE given = argv[*argc];
    VALUE known[KEYWORDS_MAX + 1] = {0};
    size_t found = 0;
    for (int i = 0; i < count; i++) {
        known[i] = ID2SYM(names[i]);
        VALUE value = rb_hash_lookup2(given, known[i], Qundef);
        if (value != Qundef) {
            values[i] = value;
            found++;
        }
    }
    if (found < RHASH_SIZE(given)) {
        rb_hash_foreach(given, refuse_unknown, (VALUE)known);
    }
}

void nrb_placed(int argc, const VALUE *argv, int count, VALUE *values)
{
    rb_check_arity(argc, 0, count);
    for (int i = 0; i < argc; i++) {
        if (NIL_P(values[i])) {
            values[i] = argv[i];
        }
    }
}

const char *nrb_words_of(VALUE *value, const char *what)
{
    nrb_text text = nrb_text_of(value, what);
    if (memchr(text.ptr, '\0', text.len) != NULL) {
        nrb_invalid(what, "%s has a NUL byte in it", what);
    }
    return StringValueCStr(*value);
}

nats_status nrb_status_of(VALUE value)
{
    if (RB_INTEGER_TYPE_P(value)) {
        return NUM2INT(value);
    }
    VALUE name = RB_SYMBOL_P(value) ? rb_sym2str(value) : value;
    const char *wanted = nrb_words_of(&name, "code");
    for (nats_status status = NATS_OK; strcmp(nats_status_name(status), "UNKNOWN") != 0; status--) {
        if (strcmp(nats_status_name(status), wanted) == 0) {
            return status;
        }
    }
    nrb_invalid("code", "there is no code %s", wanted);
}

VALUE nrb_word(const char *text)
{
    return text != NULL ? nrb_str(text, strlen(text)) : Qnil;
}

VALUE nrb_str(const char *ptr, size_t len)
{
    VALUE string = rb_utf8_str_new(ptr, (long)len);
    RB_OBJ_FREEZE(string);
    return string;
}

VALUE nrb_binary(const void *ptr, size_t len)
{
    VALUE string = rb_str_new(ptr, (long)len);
    RB_OBJ_FREEZE(string);
    return string;
}

/* ---- headers ---- */

static void headers_release(void *headers)
{
    nats_headers_free(headers);
}

static const rb_data_type_t headers_type = {
    .wrap_struct_name = "polynats headers",
    .function = {.dfree = headers_release},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static void add(nats_headers *headers, VALUE key, VALUE value)
{
    VALUE name = RB_SYMBOL_P(key) ? rb_sym2str(key) : key;
    nrb_text key_text = nrb_text_of(&name, "a header's key");
    nrb_text value_text = nrb_text_of(&value, "a header's value");
    nrb_check(nats_headers_add(headers, key_text.ptr, key_text.len, value_text.ptr,
                               value_text.len));
}

static int add_entry(VALUE key, VALUE value, VALUE arg)
{
    nats_headers *headers = (nats_headers *)arg;
    if (!RB_TYPE_P(value, T_ARRAY)) {
        add(headers, key, value);
        return ST_CONTINUE;
    }
    for (long i = 0; i < RARRAY_LEN(value); i++) {
        add(headers, key, RARRAY_AREF(value, i));
    }
    return ST_CONTINUE;
}

static void add_pairs(nats_headers *headers, VALUE list)
{
    for (long i = 0; i < RARRAY_LEN(list); i++) {
        VALUE pair = rb_check_array_type(RARRAY_AREF(list, i));
        if (NIL_P(pair) || RARRAY_LEN(pair) != 2) {
            rb_raise(rb_eTypeError, "headers: entry %ld of the Array is no [key, value]", i);
        }
        add_entry(RARRAY_AREF(pair, 0), RARRAY_AREF(pair, 1), (VALUE)headers);
    }
}

const nats_headers *nrb_headers_of(VALUE given, VALUE *box)
{
    *box = Qnil;
    if (NIL_P(given)) {
        return NULL;
    }
    if (!RB_TYPE_P(given, T_HASH) && !RB_TYPE_P(given, T_ARRAY)) {
        rb_raise(rb_eTypeError, "headers must be a Hash or an Array of pairs, not %" PRIsVALUE,
                 rb_obj_class(given));
    }
    nats_headers *headers;
    *box = TypedData_Wrap_Struct(rb_cObject, &headers_type, NULL);
    nrb_check(nats_headers_new(&headers));
    DATA_PTR(*box) = headers;
    if (RB_TYPE_P(given, T_HASH)) {
        rb_hash_foreach(given, add_entry, (VALUE)headers);
    } else {
        add_pairs(headers, given);
    }
    return headers;
}

void nrb_headers_free(VALUE box)
{
    if (!NIL_P(box)) {
        nats_headers_free(DATA_PTR(box));
        DATA_PTR(box) = NULL;
    }
}

void nrb_value_init(void)
{
    utf8 = rb_utf8_encoding();
    utf8_index = rb_utf8_encindex();
    ascii_index = rb_usascii_encindex();
    binary_index = rb_ascii8bit_encindex();
}
