/* JetStream: what a client's handle of it does by itself. What a stream and a consumer do is in jetstream.tcl, by
 * the calls that are here. */
#include "tnats.h"

#include <string.h>

static tnats_js *js_of(const tnats_handle *handle)
{
    return handle->object;
}

static void js_release(tnats_handle *handle)
{
    tnats_js *js = handle->object;
    nats_js_free(js->inner);
    ckfree((char *)js);
    handle->object = NULL;
}

const tnats_kind tnats_js_kind = {"js", js_release};

/* $nc jetstream ?-domain name? ?-prefix subject? ?-timeout seconds? */
int tnats_client_jetstream(tnats_handle *handle, Tcl_Interp *interp, int objc,
                           Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-domain", "-prefix", "-timeout", NULL};
    Tcl_Obj *values[3];
    tnats_bytes domain;
    tnats_bytes prefix;
    int64_t ms;
    nats_js *inner = NULL;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[2], "-timeout", -1, &ms) != TCL_OK ||
        tnats_words(interp, values[0], "-domain", &domain) != TCL_OK) {
        return TCL_ERROR;
    }
    int code = tnats_words(interp, values[1], "-prefix", &prefix);
    nats_status status = NATS_OK;
    if (code == TCL_OK) {
        status = nats_client_jetstream(handle->object, domain.ptr, prefix.ptr, ms, &inner);
        tnats_bytes_free(&prefix);
    }
    tnats_bytes_free(&domain);
    if (code != TCL_OK || status != NATS_OK) {
        return code != TCL_OK ? code : tnats_fail(interp, status);
    }
    tnats_js *js = (tnats_js *)ckalloc(sizeof(*js));
    js->inner = inner;
    js->timeout_ms = ms;
    return tnats_handle_new(handle->state, &tnats_js_kind, js, handle) != NULL ? TCL_OK : TCL_ERROR;
}

/* ---- answers ---- */

/* The message that was asked for, or the answer as a dict. */
nats_status tnats_read_answer(tnats_state *state, nats_msg **msg, Tcl_Obj **value_out)
{
    size_t len;
    if (tnats_msg_has_place(*msg)) {
        *value_out = tnats_message_new(state, msg);
        return NATS_OK;
    }
    const char *text = nats_msg_data(*msg, &len);
    if (len > 0) {
        return tnats_json_read(text, len, value_out);
    }
    *value_out = Tcl_NewDictObj();
    return NATS_OK;
}

static nats_status read_text(tnats_state *state, nats_msg **msg, Tcl_Obj **value_out)
{
    size_t len;
    (void)state;
    const char *text = nats_msg_data(*msg, &len);
    *value_out = tnats_text_new(text, len);
    return NATS_OK;
}

static void put_absent(Tcl_Obj *dict, const char *name, Tcl_Obj *value)
{
    Tcl_Obj *key = Tcl_NewStringObj(name, -1);
    Tcl_Obj *found = NULL;
    Tcl_IncrRefCount(key);
    Tcl_DictObjGet(NULL, dict, key, &found);
    if (found == NULL) {
        Tcl_DictObjPut(NULL, dict, key, value);
    } else {
        Tcl_DecrRefCount((Tcl_IncrRefCount(value), value));
    }
    Tcl_DecrRefCount(key);
}

/* stream seq duplicate domain value batch count; the last four are empty where they do not apply. */
nats_status tnats_read_ack(tnats_state *state, nats_msg **msg, Tcl_Obj **value_out)
{
    static const char *const seldom[] = {"domain", "value", "batch", "count"};
    size_t len;
    (void)state;
    const char *text = nats_msg_data(*msg, &len);
    nats_status status = tnats_json_read(text, len, value_out);
    if (status != NATS_OK) {
        return status;
    }
    Tcl_Obj *value = NULL;
    Tcl_Obj *name = Tcl_NewStringObj("val", -1);
    Tcl_IncrRefCount(name);
    if (Tcl_DictObjGet(NULL, *value_out, name, &value) == TCL_OK && value != NULL) {
        put_absent(*value_out, "value", value);
        Tcl_DictObjRemove(NULL, *value_out, name);
    }
    Tcl_DecrRefCount(name);
    put_absent(*value_out, "duplicate", tnats_word_new("false"));
    for (size_t i = 0; i < sizeof(seldom) / sizeof(seldom[0]); i++) {
        put_absent(*value_out, seldom[i], Tcl_NewObj());
    }
    return NATS_OK;
}

/* ---- any verb ---- */

typedef nats_status begin(nats_js *js, const char *what, const char *arguments, size_t len,
                          int64_t timeout_ms, nats_sub **sub_out, nats_future **future_out);

static nats_status begin_call(nats_js *js, const char *what, const char *arguments, size_t len,
                              int64_t timeout_ms, nats_sub **sub_out, nats_future **future_out)
{
    (void)sub_out;
    return nats_js_call_start(js, what, arguments, len, timeout_ms, future_out);
}

/* Begin it with arguments as JSON; a signal begins it again. */
static int start(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj *what, Tcl_Obj *arguments,
                 int64_t timeout_ms, begin *begin_it, nats_sub **sub_out, nats_future **future_out)
{
    for (;;) {
        Tcl_DString json;
        tnats_bytes words;
        if (tnats_words(interp, what, "verb", &words) != TCL_OK) {
            return TCL_ERROR;
        }
        if (tnats_json_write(interp, arguments, words.ptr, &json) != TCL_OK) {
            tnats_bytes_free(&words);
            return TCL_ERROR;
        }
        nats_status status =
            begin_it(js_of(handle)->inner, words.ptr, Tcl_DStringValue(&json),
                     (size_t)Tcl_DStringLength(&json), timeout_ms, sub_out, future_out);
        Tcl_DStringFree(&json);
        tnats_bytes_free(&words);
        if (status != NATS_ERR_INTERRUPTED) {
            return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
        }
        int code = tnats_interrupted(interp);
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* Is there a word of arguments at objv[at], or do options begin there? */
static bool has_arguments(int objc, Tcl_Obj *const objv[], int at)
{
    return objc > at && Tcl_GetString(objv[at])[0] != '-';
}

typedef struct call_args {
    nats_future *future;
    int json;
} call_args;

/* verb ?arguments? ?-timeout seconds? ?-json boolean? */
static int start_call(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                      call_args *args)
{
    static const char *const names[] = {"-timeout", "-json", NULL};
    Tcl_Obj *values[2];
    int64_t ms;
    bool has = has_arguments(objc, objv, 3);
    memset(args, 0, sizeof(*args));
    if (tnats_options(interp, objc, objv, has ? 4 : 3, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK ||
        tnats_boolean(interp, values[1], "-json", &args->json) != TCL_OK) {
        return TCL_ERROR;
    }
    return start(handle, interp, objv[2], has ? objv[3] : NULL, ms, begin_call, NULL,
                 &args->future);
}

static bool gives_several(Tcl_Obj *verb)
{
    return strcmp(Tcl_GetString(verb), "get_messages") == 0;
}

int tnats_js_call(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    call_args args;
    if (gives_several(objv[2])) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "verb",
                               "get_messages gives several messages: $stream get_many has them");
    }
    if (start_call(handle, interp, objc, objv, &args) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_reply, .handle = handle, .future = args.future,
                           .read = args.json != 0 ? read_text : tnats_read_answer};
    return tnats_await(&taking, interp, NATS_OK);
}

int tnats_js_call_start(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    call_args args;
    if (start_call(handle, interp, objc, objv, &args) != TCL_OK) {
        return TCL_ERROR;
    }
    /* Of several each is a message, also one that has no place: without headers. */
    tnats_reader *read = gives_several(objv[2]) ? NULL : tnats_read_answer;
    return tnats_future_made(handle, args.future, args.json != 0 ? read_text : read);
}

/* get_many arguments ?-timeout seconds?: a list of messages. */
int tnats_js_get_many(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    nats_future *future = NULL;
    if (tnats_options(interp, objc, objv, 3, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_Obj *verb = Tcl_NewStringObj("get_messages", -1);
    Tcl_IncrRefCount(verb);
    int code = start(handle, interp, verb, objv[2], ms, begin_call, NULL, &future);
    Tcl_DecrRefCount(verb);
    if (code != TCL_OK) {
        return code;
    }
    tnats_taking taking = {.take = tnats_take_replies, .handle = handle, .future = future};
    return tnats_await(&taking, interp, NATS_OK);
}

/* ---- publish ---- */

static int start_publish(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                         nats_future **future_out)
{
    for (;;) {
        tnats_storing what;
        if (tnats_storing_read(handle->state, objc, objv, 4, &what) != TCL_OK) {
            return TCL_ERROR;
        }
        nats_status status = nats_js_publish_start(
            js_of(handle)->inner, what.subject.ptr, what.subject.len, what.headers, what.data.ptr,
            what.data.len, what.timeout_ms, future_out);
        tnats_storing_free(&what);
        if (status != NATS_ERR_INTERRUPTED) {
            return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
        }
        int code = tnats_interrupted(interp);
        if (code != TCL_OK) {
            return code;
        }
    }
}

int tnats_js_publish(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    if (start_publish(handle, interp, objc, objv, &future) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_reply, .handle = handle, .future = future,
                           .read = tnats_read_ack};
    return tnats_await(&taking, interp, NATS_OK);
}

int tnats_js_publish_start(tnats_handle *handle, Tcl_Interp *interp, int objc,
                           Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    int code = start_publish(handle, interp, objc, objv, &future);
    return code == TCL_OK ? tnats_future_made(handle, future, tnats_read_ack) : code;
}

/* ---- consume ---- */

/* With the mode that -command means. */
static Tcl_Obj *with_mode(Tcl_Obj *arguments, Tcl_Obj *command)
{
    Tcl_Obj *made = arguments != NULL ? Tcl_DuplicateObj(arguments) : Tcl_NewDictObj();
    if (command != NULL) {
        Tcl_DictObjPut(NULL, made, Tcl_NewStringObj("mode", -1),
                       Tcl_NewStringObj("callback", -1));
    }
    return made;
}

typedef struct consuming {
    tnats_handle *sub; /* its handle */
    nats_future *future;
} consuming;

static int make_sub(tnats_handle *handle, Tcl_Interp *interp, nats_sub *sub, Tcl_Obj *command,
                    consuming *out)
{
    tnats_handle *client = tnats_owner(handle);
    tnats_handle *made = tnats_handle_new(handle->state, &tnats_sub_kind, sub, client);
    if (made == NULL) {
        nats_future_free(out->future);
        return TCL_ERROR;
    }
    made->sid = nats_sub_sid(sub);
    out->sub = made;
    if (command == NULL) {
        return TCL_OK;
    }
    tnats_callback_add(client->client, made->sid, command, 0);
    if (tnats_loop_update(client, interp) != TCL_OK) {
        tnats_sub_abandon(made);
        nats_future_free(out->future);
        return TCL_ERROR;
    }
    return TCL_OK;
}

/* how ?arguments? ?-command prefix? ?-timeout seconds? */
static int start_consume(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                         consuming *out)
{
    static const char *const names[] = {"-command", "-timeout", NULL};
    Tcl_Obj *values[2];
    Tcl_Size words = 0;
    int64_t ms;
    nats_sub *sub = NULL;
    bool has = has_arguments(objc, objv, 3);
    memset(out, 0, sizeof(*out));
    if (tnats_options(interp, objc, objv, has ? 4 : 3, names, values) != TCL_OK ||
        tnats_seconds(interp, values[1], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    if (values[0] != NULL && Tcl_ListObjLength(interp, values[0], &words) != TCL_OK) {
        return tnats_fail_value(interp, "-command");
    }
    Tcl_Obj *command = words > 0 ? values[0] : NULL;
    Tcl_Obj *arguments = with_mode(has ? objv[3] : NULL, command);
    Tcl_IncrRefCount(arguments);
    int code = start(handle, interp, objv[2], arguments, ms, nats_js_consume_start, &sub,
                     &out->future);
    Tcl_DecrRefCount(arguments);
    return code == TCL_OK ? make_sub(handle, interp, sub, command, out) : code;
}

static Tcl_Obj *name_of(const tnats_handle *handle)
{
    Tcl_Obj *name = Tcl_NewObj();
    if (handle->token != NULL) {
        Tcl_GetCommandFullName(handle->state->interp, handle->token, name);
    }
    return name;
}

/* The subscription's name, once the consumer is there. */
static int finish_consume(tnats_taking *taking, Tcl_Interp *interp, nats_status status)
{
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    Tcl_SetObjResult(interp, name_of(taking->made));
    taking->made = NULL;
    return TCL_OK;
}

int tnats_js_consume(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    consuming made;
    if (start_consume(handle, interp, objc, objv, &made) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_end, .handle = made.sub, .future = made.future,
                           .made = made.sub, .finish = finish_consume};
    tnats_handle_keep(made.sub);
    int code = tnats_await(&taking, interp, NATS_OK);
    tnats_handle_drop(made.sub);
    return code;
}

/* {subscription future} */
int tnats_js_consume_start(tnats_handle *handle, Tcl_Interp *interp, int objc,
                           Tcl_Obj *const objv[])
{
    consuming made;
    if (start_consume(handle, interp, objc, objv, &made) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_Obj *name = name_of(made.sub);
    Tcl_IncrRefCount(name);
    int code = tnats_future_made(handle, made.future, tnats_read_answer);
    if (code == TCL_OK) {
        Tcl_Obj *pair[] = {name, Tcl_GetObjResult(interp)};
        Tcl_SetObjResult(interp, Tcl_NewListObj(2, pair));
    }
    Tcl_DecrRefCount(name);
    return code;
}
