/* What is published to JetStream: a message, and what the stream is to look at besides, by keyword. */
#include "tnats.h"

#include <stdio.h>
#include <string.h>

#define MS_PER_S 1000
#define NS_PER_MS INT64_C(1000000)
/* Of a time in ms, and its unit. */
#define WORDS_SIZE 32

static nats_status add(nats_headers *headers, const char *header, const char *text, size_t len)
{
    return nats_headers_add(headers, header, NATS_Z, text, len);
}

/* Seconds as "90s" or "1500ms", rounded up; what is no number is the library's to read. */
static nats_status add_duration(nats_headers *headers, const char *header, const tnats_bytes *text)
{
    char words[WORDS_SIZE];
    int64_t ns;
    if (!tnats_ns_of(text->ptr, &ns) || ns < 0) {
        return add(headers, header, text->ptr, text->len);
    }
    int64_t ms = ns / NS_PER_MS + (ns % NS_PER_MS > 0 ? 1 : 0);
    bool even = ms % MS_PER_S == 0;
    int len = snprintf(words, sizeof(words), even ? "%llds" : "%lldms",
                       (long long)(even ? ms / MS_PER_S : ms));
    return add(headers, header, words, (size_t)len);
}

/* With its sign always. */
static nats_status add_signed(nats_headers *headers, const char *header, const tnats_bytes *text)
{
    if (text->ptr[0] < '0' || text->ptr[0] > '9' || text->len >= WORDS_SIZE - 1) {
        return add(headers, header, text->ptr, text->len);
    }
    char words[WORDS_SIZE] = "+";
    memcpy(words + 1, text->ptr, text->len);
    return add(headers, header, words, text->len + 1);
}

static int no_keyword(Tcl_Interp *interp, Tcl_Obj *name)
{
    const char *known;
    Tcl_Obj *text =
        Tcl_ObjPrintf("bad option \"%s\": must be -headers, -timeout", Tcl_GetString(name));
    for (size_t i = 0; (known = nats_js_keyword(i)) != NULL; i++) {
        Tcl_AppendPrintfToObj(text, ", -%s", known);
    }
    Tcl_SetObjResult(interp, text);
    return tnats_fail_value(interp, Tcl_GetString(name));
}

static int add_keyword(tnats_state *state, tnats_storing *out, Tcl_Obj *name, Tcl_Obj *value)
{
    int32_t kind;
    const char *keyword = Tcl_GetString(name);
    const char *header = keyword[0] == '-' ? nats_js_header(keyword + 1, &kind) : NULL;
    if (header == NULL) {
        return no_keyword(state->interp, name);
    }
    nats_status status = out->headers == NULL ? nats_headers_new(&out->headers) : NATS_OK;
    if (status == NATS_OK) {
        tnats_bytes text;
        tnats_text(value, &text);
        if (kind == NATS_JSON_DURATION) {
            status = add_duration(out->headers, header, &text);
        } else if (kind == NATS_JSON_INT) {
            status = add_signed(out->headers, header, &text);
        } else {
            status = add(out->headers, header, text.ptr, text.len);
        }
        tnats_bytes_free(&text);
    }
    return status == NATS_OK ? TCL_OK : tnats_fail(state->interp, status);
}

/* -headers first, wherever they are, for keywords are added to them. */
static int read_headers(tnats_state *state, int first, int objc, Tcl_Obj *const objv[],
                        tnats_storing *out)
{
    Tcl_Obj *found = NULL;
    for (int i = first; i + 1 < objc; i += 2) {
        found = strcmp(Tcl_GetString(objv[i]), "-headers") == 0 ? objv[i + 1] : found;
    }
    return tnats_headers(state, found, &out->headers);
}

static int read_options(tnats_state *state, int first, int objc, Tcl_Obj *const objv[],
                        tnats_storing *out)
{
    int code = read_headers(state, first, objc, objv, out);
    for (int i = first; i < objc && code == TCL_OK; i += 2) {
        const char *name = Tcl_GetString(objv[i]);
        if (i + 1 >= objc) {
            return tnats_fail_text(state->interp, NATS_ERR_INVALID, name,
                                   "option \"%.80s\" has no value", name);
        }
        if (strcmp(name, "-timeout") == 0) {
            code = tnats_seconds(state->interp, objv[i + 1], name + 1, -1, &out->timeout_ms);
        } else if (strcmp(name, "-headers") != 0) {
            code = add_keyword(state, out, objv[i], objv[i + 1]);
        }
    }
    return code;
}

int tnats_storing_read(tnats_state *state, int objc, Tcl_Obj *const objv[], int first,
                       tnats_storing *out)
{
    memset(out, 0, sizeof(*out));
    out->timeout_ms = -1;
    int code = read_options(state, first, objc, objv, out);
    if (code == TCL_OK) {
        code = tnats_data(state, objc > 3 && first > 3 ? objv[3] : NULL, &out->data);
    }
    if (code != TCL_OK) {
        tnats_storing_free(out);
        return code;
    }
    tnats_text(objc > 2 && first > 2 ? objv[2] : NULL, &out->subject);
    return TCL_OK;
}

void tnats_storing_free(tnats_storing *storing)
{
    tnats_bytes_free(&storing->subject);
    tnats_bytes_free(&storing->data);
    nats_headers_free(storing->headers);
    storing->headers = NULL;
}
