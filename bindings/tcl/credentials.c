/* Functions that supply credentials: command prefixes. A call that waits is interrupted when a
 * server wants them; it calls the prefix and goes on. So does a turn of the event loop. */
#include "tnats.h"

#include <string.h>

static const char *const names[] = {"user", "password",   "token",     "jwt",
                                    "seed", "public_key", "signature", NULL};
enum { TEXTS = 6, SIGNATURE = TEXTS, NAMES };

void tnats_credentials_set(tnats_handle *handle, Tcl_Obj *prefix)
{
    tnats_client *client = handle->client;
    if (client->credentials != NULL) {
        Tcl_DecrRefCount(client->credentials);
        handle->state->askable--;
    }
    client->credentials = prefix;
    if (prefix != NULL) {
        Tcl_IncrRefCount(prefix);
        handle->state->askable++;
    }
}

/* ---- the answer ---- */

/* The values of the dict, NULL where it has none. */
static int read_dict(Tcl_Interp *interp, Tcl_Obj *dict, Tcl_Obj **values)
{
    Tcl_DictSearch search;
    Tcl_Obj *key;
    Tcl_Obj *value;
    int over;
    memset(values, 0, NAMES * sizeof(*values));
    if (Tcl_DictObjFirst(interp, dict, &search, &key, &value, &over) != TCL_OK) {
        return tnats_fail_value(interp, "credentials");
    }
    for (; !over; Tcl_DictObjNext(&search, &key, &value, &over)) {
        int index;
        if (Tcl_GetIndexFromObjStruct(interp, key, names, sizeof(names[0]), "credential",
                                      TCL_EXACT, &index) != TCL_OK) {
            Tcl_DictObjDone(&search);
            return tnats_fail_value(interp, Tcl_GetString(key));
        }
        values[index] = value;
    }
    return TCL_OK;
}

static int give(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj **values)
{
    tnats_bytes texts[TEXTS];
    tnats_bytes signature;
    int count = 0;
    int code = tnats_data(handle->state, values[SIGNATURE], &signature);
    while (code == TCL_OK && count < TEXTS) {
        code = tnats_words(interp, values[count], names[count], &texts[count]);
        count += code == TCL_OK ? 1 : 0;
    }
    if (code == TCL_OK) {
        nats_status status = nats_client_credentials(
            handle->object, texts[0].ptr, texts[1].ptr, texts[2].ptr, texts[3].ptr, texts[4].ptr,
            texts[5].ptr, signature.len > 0 ? signature.ptr : NULL, signature.len);
        code = status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
    }
    for (int i = 0; i < count; i++) {
        tnats_bytes_free(&texts[i]);
    }
    tnats_bytes_free(&signature);
    return code;
}

static int give_dict(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj *dict)
{
    Tcl_Obj *values[NAMES];
    Tcl_IncrRefCount(dict);
    int code = read_dict(interp, dict, values);
    if (code == TCL_OK) {
        code = give(handle, interp, values);
    }
    Tcl_DecrRefCount(dict);
    return code;
}

/* $nc credentials dict: answers the event of that name (option -ask_credentials). */
int tnats_client_credentials(tnats_handle *handle, Tcl_Interp *interp, int objc,
                             Tcl_Obj *const objv[])
{
    (void)objc;
    return give_dict(handle, interp, objv[2]);
}

/* ---- the question ---- */

static int answer(tnats_handle *handle, Tcl_Interp *interp)
{
    nats_event *event = NULL;
    Tcl_Obj *prefix = handle->client->credentials;
    if (prefix == NULL || nats_client_question(handle->object, &event) != NATS_OK ||
        event == NULL) {
        return TCL_OK;
    }
    const char *text = nats_event_text(event);
    Tcl_Obj *nonce = tnats_text_new(text, strlen(text));
    nats_event_free(event);
    Tcl_IncrRefCount(prefix); /* the script may close the client */
    int code = tnats_call_prefix(interp, prefix, nonce, false);
    Tcl_DecrRefCount(prefix);
    if (code == TCL_OK) {
        code = give_dict(handle, interp, Tcl_GetObjResult(interp));
    }
    if (code == TCL_OK) {
        Tcl_ResetResult(interp);
    }
    return code;
}

/* Nobody waits for it, but the coroutine that connects: its connect raises it. */
static void report(tnats_handle *handle, Tcl_Interp *interp, int code)
{
    tnats_client *client = handle->client;
    if (!client->opening || client->failure != NULL) {
        Tcl_BackgroundException(interp, code);
        return;
    }
    client->failure = Tcl_SaveInterpState(interp, code);
    nats_client_close(handle->object);
}

int tnats_credentials_answer(tnats_handle *handle, Tcl_Interp *interp, bool background)
{
    tnats_handle_keep(handle);
    int code = answer(handle, interp);
    if (code != TCL_OK && background) {
        report(handle, interp, code);
        code = TCL_OK;
    }
    tnats_handle_drop(handle);
    return code;
}

int tnats_credentials_answer_all(Tcl_Interp *interp)
{
    tnats_state *state = tnats_state_of(interp);
    if (state->askable == 0) {
        return TCL_OK;
    }
    /* A list of them first, for scripts change the table. */
    size_t count = 0;
    Tcl_HashSearch search;
    tnats_handle **found =
        (tnats_handle **)ckalloc((size_t)state->handles.numEntries * sizeof(*found));
    for (Tcl_HashEntry *entry = Tcl_FirstHashEntry(&state->handles, &search); entry != NULL;
         entry = Tcl_NextHashEntry(&search)) {
        tnats_handle *handle = Tcl_GetHashValue(entry);
        if (handle->client != NULL && handle->client->credentials != NULL) {
            tnats_handle_keep(handle);
            found[count++] = handle;
        }
    }
    int code = TCL_OK;
    for (size_t i = 0; i < count; i++) {
        if (code == TCL_OK) {
            code = answer(found[i], interp);
        }
        tnats_handle_drop(found[i]);
    }
    ckfree((char *)found);
    return code;
}

/* $nc process: what is due, without waiting. */
int tnats_client_process(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    nats_status status = nats_client_process(handle->object);
    int code = tnats_credentials_answer(handle, interp, false);
    return code == TCL_OK && status != NATS_OK ? tnats_fail(interp, status) : code;
}
