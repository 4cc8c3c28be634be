/* Texts, bytes, numbers and errors: how they cross between Tcl and C. */
#include "tnats.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
/* Longest wait in ms, some 146 years, that still fits into ns with the time of the clock. */
#define WAIT_MS_MAX (INT64_MAX / NS_PER_MS / 2)
/* Largest time in seconds that fits into ns. */
#define MOMENT_MAX 9e9
/* Longest text of an error of our own: it names an option or a value, which are cut. */
#define TEXT_MAX 512
/* Highest bit of each byte in a word. */
#define HIGH_BITS UINT64_C(0x8080808080808080)

int64_t tnats_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

/* ---- UTF-8 ---- */

static bool is_ascii(const char *bytes, size_t len)
{
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= len; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        if ((word & HIGH_BITS) != 0) {
            return false;
        }
    }
    for (; at < len; at++) {
        if (((unsigned char)bytes[at] & 0x80U) != 0) {
            return false;
        }
    }
    return true;
}

/* The 3-byte form of a character from U+0800 up. */
static size_t put_three(unsigned char *out, uint32_t code)
{
    out[0] = (unsigned char)(0xE0U | (code >> 12));
    out[1] = (unsigned char)(0x80U | ((code >> 6) & 0x3FU));
    out[2] = (unsigned char)(0x80U | (code & 0x3FU));
    return 3;
}

static size_t put_four(unsigned char *out, uint32_t code)
{
    out[0] = (unsigned char)(0xF0U | (code >> 18));
    out[1] = (unsigned char)(0x80U | ((code >> 12) & 0x3FU));
    out[2] = (unsigned char)(0x80U | ((code >> 6) & 0x3FU));
    out[3] = (unsigned char)(0x80U | (code & 0x3FU));
    return 4;
}

/* The surrogate at a place in Tcl's own form, 0 when there is none. */
static uint32_t surrogate_at(const unsigned char *in, size_t left)
{
    if (left < 3 || in[0] != 0xED || in[1] < 0xA0) {
        return 0;
    }
    return 0xD000U | (uint32_t)(in[1] & 0x3FU) << 6 | (uint32_t)(in[2] & 0x3FU);
}

/* One character of Tcl's form at in: writes it as UTF-8, returns the bytes read. */
static size_t copy_out(const unsigned char *in, size_t left, unsigned char *out, size_t *written)
{
    if (left >= 2 && in[0] == 0xC0 && in[1] == 0x80) {
        out[0] = 0;
        *written = 1;
        return 2;
    }
    uint32_t code = surrogate_at(in, left);
    uint32_t low = code >= 0xD800U && code < 0xDC00U ? surrogate_at(in + 3, left - 3) : 0;
    if (low >= 0xDC00U) {
        *written = put_four(out, 0x10000U + ((code - 0xD800U) << 10) + (low - 0xDC00U));
        return 6;
    }
    if (code >= 0xDC80U && code <= 0xDCFFU) {
        out[0] = (unsigned char)(code - 0xDC00U);
        *written = 1;
        return 3;
    }
    out[0] = in[0];
    *written = 1;
    return 1;
}

void tnats_text(Tcl_Obj *obj, tnats_bytes *out)
{
    *out = (tnats_bytes){NULL, 0, NULL};
    if (obj == NULL) {
        return;
    }
    Tcl_Size tcl_len;
    const char *text = Tcl_GetStringFromObj(obj, &tcl_len);
    size_t len = (size_t)tcl_len;
    out->ptr = text;
    out->len = len;
    if (is_ascii(text, len)) {
        return;
    }

    out->heap = ckalloc(len + 1); /* it never gets longer */
    size_t to = 0;
    for (size_t at = 0; at < len;) {
        size_t written;
        at += copy_out((const unsigned char *)text + at, len - at,
                       (unsigned char *)out->heap + to, &written);
        to += written;
    }
    out->heap[to] = '\0';
    out->ptr = out->heap;
    out->len = to;
}

int tnats_words(Tcl_Interp *interp, Tcl_Obj *obj, const char *what, tnats_bytes *out)
{
    tnats_text(obj, out);
    if (out->ptr == NULL || strlen(out->ptr) == out->len) {
        return TCL_OK;
    }
    tnats_bytes_free(out);
    return tnats_fail_text(interp, NATS_ERR_INVALID, what, "%s must not hold a NUL byte", what);
}

/* The length of the valid character at in, and the character; 0 when the byte begins none. */
static size_t decode(const unsigned char *in, size_t left, uint32_t *code_out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = in[0];
    size_t size = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (size == 0 || size > left || first > 0xF4) {
        return 0;
    }
    uint32_t code = size == 1 ? first : first & (0xFFU >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        if ((in[i] & 0xC0U) != 0x80U) {
            return 0;
        }
        code = code << 6 | (in[i] & 0x3FU);
    }
    if (code < least[size] || code > 0x10FFFFU || (code >= 0xD800U && code <= 0xDFFFU)) {
        return 0;
    }
    *code_out = code;
    return size;
}

/* A valid character in the form in which this Tcl keeps it. */
static size_t put_tcl(unsigned char *out, const unsigned char *in, size_t size, uint32_t code)
{
    if (code == 0) {
        out[0] = 0xC0;
        out[1] = 0x80;
        return 2;
    }
#if TCL_UTF_MAX <= 3
    if (size == 4) {
        uint32_t rest = code - 0x10000U;
        put_three(out, 0xD800U | rest >> 10);
        return 3 + put_three(out + 3, 0xDC00U | (rest & 0x3FFU));
    }
#endif
    memcpy(out, in, size);
    return size;
}

Tcl_Obj *tnats_text_new(const char *bytes, size_t len)
{
    if (len > INT32_MAX / 3) {
        Tcl_Panic("polynats: a text of %lu bytes", (unsigned long)len);
    }
    if (is_ascii(bytes, len) && (len == 0 || memchr(bytes, 0, len) == NULL)) {
        return Tcl_NewStringObj(bytes, (Tcl_Size)len);
    }
    unsigned char *text = (unsigned char *)ckalloc(len * 3 + 1);
    size_t to = 0;
    for (size_t at = 0; at < len;) {
        const unsigned char *in = (const unsigned char *)bytes + at;
        uint32_t code = 0;
        size_t size = decode(in, len - at, &code);
        if (size == 0) {
            to += put_three(text + to, 0xDC00U + in[0]);
            at++;
            continue;
        }
        to += put_tcl(text + to, in, size, code);
        at += size;
    }
    Tcl_Obj *obj = Tcl_NewStringObj((const char *)text, (Tcl_Size)to);
    ckfree((char *)text);
    return obj;
}

Tcl_Obj *tnats_word_new(const char *word)
{
    return tnats_text_new(word, strlen(word));
}

Tcl_Obj *tnats_count_new(uint64_t count)
{
    return Tcl_NewWideIntObj((Tcl_WideInt)count);
}

/* ---- bytes ---- */

/* Characters to bytes; false at one above U+00FF. */
static bool narrow(const unsigned char *text, size_t len, tnats_bytes *out)
{
    out->heap = ckalloc(len + 1);
    size_t to = 0;
    for (size_t at = 0; at < len; to++) {
        if (text[at] < 0x80) {
            out->heap[to] = (char)text[at];
            at++;
            continue;
        }
        bool two = text[at] == 0xC0 || text[at] == 0xC2 || text[at] == 0xC3;
        if (!two || at + 1 >= len) {
            return false;
        }
        out->heap[to] = (char)((text[at] & 0x03U) << 6 | (text[at + 1] & 0x3FU));
        at += 2;
    }
    out->ptr = out->heap;
    out->len = to;
    return true;
}

int tnats_data(tnats_state *state, Tcl_Obj *obj, tnats_bytes *out)
{
    Tcl_Size len;
    *out = (tnats_bytes){"", 0, NULL};
    if (obj == NULL) {
        return TCL_OK;
    }
    if (obj->bytes == NULL && obj->typePtr == state->bytes_type) {
        out->ptr = (const char *)Tcl_GetByteArrayFromObj(obj, &len);
        out->len = (size_t)len;
        return TCL_OK;
    }
    const char *text = Tcl_GetStringFromObj(obj, &len);
    if (is_ascii(text, (size_t)len)) {
        out->ptr = text;
        out->len = (size_t)len;
        return TCL_OK;
    }
    if (narrow((const unsigned char *)text, (size_t)len, out)) {
        return TCL_OK;
    }
    tnats_bytes_free(out);
    return tnats_fail_text(state->interp, NATS_ERR_INVALID, "data",
                           "data holds a character above U+00FF: it must be bytes, as "
                           "[encoding convertto utf-8 $text] gives them");
}

void tnats_bytes_free(tnats_bytes *bytes)
{
    if (bytes->heap != NULL) {
        ckfree(bytes->heap);
        bytes->heap = NULL;
    }
}

/* ---- errors ---- */

static Tcl_Obj *error_head(nats_status status)
{
    Tcl_Obj *code[] = {Tcl_NewStringObj("POLYNATS", -1),
                       Tcl_NewStringObj(nats_status_name(status), -1)};
    return Tcl_NewListObj(2, code);
}

static int set_error(Tcl_Interp *interp, nats_status status, Tcl_Obj *text, const char *about)
{
    Tcl_Obj *code = error_head(status);
    Tcl_ListObjAppendElement(NULL, code, tnats_word_new(about));
    Tcl_SetObjResult(interp, text);
    Tcl_SetObjErrorCode(interp, code);
    return TCL_ERROR;
}

/* {POLYNATS SERVER err_code code about description}: `trap {POLYNATS SERVER 10059}` goes by the beginning. What is no
 * error of the server's own has its numbers and words behind. */
Tcl_Obj *tnats_error_code(nats_status status, const char *about)
{
    Tcl_Obj *list = error_head(status);
    Tcl_Obj *words = tnats_word_new(about);
    if (nats_last_err_code() == 0 && nats_last_code() == 0) {
        Tcl_ListObjAppendElement(NULL, list, words);
        return list;
    }
    if (status != NATS_ERR_SERVER) {
        Tcl_ListObjAppendElement(NULL, list, words);
    }
    Tcl_ListObjAppendElement(NULL, list, Tcl_NewIntObj(nats_last_err_code()));
    Tcl_ListObjAppendElement(NULL, list, Tcl_NewIntObj(nats_last_code()));
    if (status == NATS_ERR_SERVER) {
        Tcl_ListObjAppendElement(NULL, list, words);
    }
    Tcl_ListObjAppendElement(NULL, list, tnats_word_new(nats_last_description()));
    return list;
}

int tnats_fail(Tcl_Interp *interp, nats_status status)
{
    const char *text = nats_last_status() == status ? nats_last_error(NULL) : "";
    if (text[0] == '\0') {
        return set_error(interp, status, tnats_word_new(nats_status_text(status)), "");
    }
    Tcl_SetObjResult(interp, tnats_word_new(text));
    Tcl_SetObjErrorCode(interp, tnats_error_code(status, nats_last_about()));
    return TCL_ERROR;
}

int tnats_fail_text(Tcl_Interp *interp, nats_status status, const char *about, const char *format,
                    ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return set_error(interp, status, tnats_word_new(text), about);
}

int tnats_fail_value(Tcl_Interp *interp, const char *about)
{
    Tcl_Obj *text = Tcl_GetObjResult(interp);
    Tcl_IncrRefCount(text);
    set_error(interp, NATS_ERR_INVALID, text, about);
    Tcl_DecrRefCount(text);
    return TCL_ERROR;
}

/* ---- numbers ---- */

static bool is_absent(Tcl_Obj *obj)
{
    return obj == NULL || (obj->bytes != NULL && obj->length == 0);
}

int tnats_seconds(Tcl_Interp *interp, Tcl_Obj *obj, const char *what, int64_t fallback,
                  int64_t *ms_out)
{
    double seconds;
    *ms_out = fallback;
    if (is_absent(obj)) {
        return TCL_OK;
    }
    if (Tcl_GetDoubleFromObj(NULL, obj, &seconds) != TCL_OK || !(seconds >= 0)) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, what,
                               "%s must be a number of seconds of 0 or more, not \"%.80s\"", what,
                               Tcl_GetString(obj));
    }
    double ms = ceil(seconds * 1000 - 1e-6);
    *ms_out = ms > (double)WAIT_MS_MAX ? WAIT_MS_MAX : (int64_t)ms;
    return TCL_OK;
}

int tnats_number(Tcl_Interp *interp, Tcl_Obj *obj, const char *what, int64_t least,
                 int64_t fallback, int64_t *out)
{
    Tcl_WideInt number;
    *out = fallback;
    if (is_absent(obj)) {
        return TCL_OK;
    }
    if (Tcl_GetWideIntFromObj(NULL, obj, &number) != TCL_OK || number < least) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, what,
                               "%s must be a whole number of %lld or more, not \"%.80s\"", what,
                               (long long)least, Tcl_GetString(obj));
    }
    *out = number;
    return TCL_OK;
}

int tnats_boolean(Tcl_Interp *interp, Tcl_Obj *obj, const char *what, int *out)
{
    *out = 0;
    if (obj == NULL || Tcl_GetBooleanFromObj(NULL, obj, out) == TCL_OK) {
        return TCL_OK;
    }
    return tnats_fail_text(interp, NATS_ERR_INVALID, what, "%s must be a boolean, not \"%.80s\"",
                           what, Tcl_GetString(obj));
}

/* As Tcl's own, but a value of bytes stays one: what was read of it before is still there. */
static int read_double(Tcl_Interp *interp, Tcl_Obj *obj, double *out)
{
    if (obj->typePtr != tnats_state_of(interp)->bytes_type) {
        return Tcl_GetDoubleFromObj(NULL, obj, out);
    }
    Tcl_Obj *copy = Tcl_NewStringObj(Tcl_GetString(obj), -1);
    Tcl_IncrRefCount(copy);
    int code = Tcl_GetDoubleFromObj(NULL, copy, out);
    Tcl_DecrRefCount(copy);
    return code;
}

int tnats_moment(Tcl_Interp *interp, Tcl_Obj *obj, int64_t *ns_out)
{
    double seconds;
    if (is_absent(obj)) {
        *ns_out = tnats_now_ns();
        return TCL_OK;
    }
    if (read_double(interp, obj, &seconds) != TCL_OK ||
        !(seconds >= 0 && seconds <= MOMENT_MAX)) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "now",
                               "now must be a time in seconds, 0 to 9e9, not \"%.80s\"",
                               Tcl_GetString(obj));
    }
    *ns_out = (int64_t)(seconds * 1e9);
    return TCL_OK;
}

int tnats_status_of(Tcl_Interp *interp, Tcl_Obj *obj, nats_status *out)
{
    const char *code = Tcl_GetString(obj);
    for (nats_status status = NATS_ERR_TIMEOUT; strcmp(nats_status_name(status), "UNKNOWN") != 0;
         status--) {
        if (strcmp(nats_status_name(status), code) == 0) {
            *out = status;
            return TCL_OK;
        }
    }
    return tnats_fail_text(interp, NATS_ERR_INVALID, "code",
                           "code must be the name of an error, such as IO, not \"%.80s\"", code);
}
