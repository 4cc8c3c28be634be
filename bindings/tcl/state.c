/* The package in one interpreter, and handles: commands whose ClientData is what they stand for. */
#include "tnats.h"

#include <string.h>

#define STATE_NAME "polynats"

static const char *const key_names[] = {
    [TNATS_SUBJECT] = "subject",         [TNATS_DATA] = "data",
    [TNATS_REPLY] = "reply",             [TNATS_HEADERS] = "headers",
    [TNATS_STATUS] = "status",           [TNATS_DESCRIPTION] = "description",
    [TNATS_SID] = "sid",                 [TNATS_HEADER_LIST] = "header_list",
    [TNATS_TYPE] = "type",               [TNATS_TEXT] = "text",
    [TNATS_TIME] = "time",               [TNATS_URL] = "url",
    [TNATS_LOST] = "lost",               [TNATS_UNCONFIRMED] = "unconfirmed",
    [TNATS_MESSAGE] = "message",         [TNATS_TOKEN] = "token",
    [TNATS_RTT] = "rtt",                 [TNATS_RECOVERABLE] = "recoverable",
    [TNATS_SCHEME] = "scheme",           [TNATS_HOST] = "host",
    [TNATS_PORT] = "port",
    [TNATS_KIND] = "kind",               [TNATS_LEVEL] = "level",
    [TNATS_LINE] = "line",               [TNATS_METADATA] = "metadata",
    [TNATS_ACK] = "ack",
};

/* ---- the state ---- */

static void state_drop(tnats_state *state)
{
    state->refs--;
    if (state->refs > 0) {
        return;
    }
    for (int i = 0; i < TNATS_KEY_COUNT; i++) {
        Tcl_DecrRefCount(state->keys[i]);
    }
    Tcl_DecrRefCount(state->empty);
    Tcl_DecrRefCount(state->last_subject);
    Tcl_DecrRefCount(state->last_sid);
    Tcl_DecrRefCount(state->coroutine);
    Tcl_DecrRefCount(state->yield);
    Tcl_DeleteHashTable(&state->handles);
    ckfree((char *)state);
}

/* The thread ends, by `exit` for one, with the interpreter left as it is: what was published goes
 * out first. */
static void thread_ends(ClientData data)
{
    tnats_state *state = data;
    Tcl_HashSearch search;
    Tcl_HashEntry *entry = Tcl_FirstHashEntry(&state->handles, &search);
    for (; entry != NULL; entry = Tcl_NextHashEntry(&search)) {
        tnats_handle *handle = Tcl_GetHashValue(entry);
        if (handle->kind == &tnats_client_kind) {
            nats_client_close(handle->object);
        }
    }
}

static void interp_deleted(ClientData data, Tcl_Interp *interp)
{
    (void)interp;
    tnats_state *state = data;
    Tcl_DeleteThreadExitHandler(thread_ends, state);
    state->interp = NULL;
    state_drop(state);
}

static Tcl_Obj *kept(Tcl_Obj *obj)
{
    Tcl_IncrRefCount(obj);
    return obj;
}

/* The type of a value that has it, whatever its name in this version of Tcl. */
static const Tcl_ObjType *type_of(Tcl_Obj *obj)
{
    const Tcl_ObjType *type = obj->typePtr;
    Tcl_DecrRefCount(kept(obj));
    return type;
}

static tnats_state *state_new(Tcl_Interp *interp)
{
    tnats_state *state = (tnats_state *)ckalloc(sizeof(*state));
    memset(state, 0, sizeof(*state));
    state->interp = interp;
    state->refs = 1;
    state->bytes_type = type_of(Tcl_NewByteArrayObj(NULL, 0));
    state->dict_type = type_of(Tcl_NewDictObj());
    for (int i = 0; i < TNATS_KEY_COUNT; i++) {
        state->keys[i] = kept(Tcl_NewStringObj(key_names[i], -1));
    }
    state->empty = kept(Tcl_NewObj());
    state->last_subject = kept(Tcl_NewObj());
    state->last_sid = kept(Tcl_NewIntObj(0));
    state->coroutine = kept(Tcl_NewStringObj("::tcl::info::coroutine", -1));
    state->yield = kept(Tcl_NewStringObj("::yield", -1));
    Tcl_InitHashTable(&state->handles, TCL_ONE_WORD_KEYS);
    Tcl_CreateThreadExitHandler(thread_ends, state);
    Tcl_SetAssocData(interp, STATE_NAME, interp_deleted, state);
    return state;
}

tnats_state *tnats_state_of(Tcl_Interp *interp)
{
    tnats_state *state = Tcl_GetAssocData(interp, STATE_NAME, NULL);
    return state != NULL ? state : state_new(interp);
}

/* ---- handles ---- */

void tnats_handle_keep(tnats_handle *handle)
{
    handle->refs++;
}

static void unlink_child(tnats_handle *handle)
{
    tnats_handle *parent = handle->parent;
    if (parent == NULL) {
        return;
    }
    if (handle->previous != NULL) {
        handle->previous->next = handle->next;
    } else {
        parent->children = handle->next;
    }
    if (handle->next != NULL) {
        handle->next->previous = handle->previous;
    }
}

void tnats_handle_drop(tnats_handle *handle)
{
    handle->refs--;
    if (handle->refs > 0) {
        return;
    }
    handle->kind->release(handle);
    tnats_handle *parent = handle->parent;
    unlink_child(handle);
    state_drop(handle->state);
    ckfree((char *)handle);
    if (parent != NULL) {
        tnats_handle_drop(parent);
    }
}

static void *key_of(Tcl_WideInt id)
{
    return (void *)(intptr_t)id;
}

/* A client whose command is gone is closed at once; its subscriptions and futures say so. */
static void command_deleted(ClientData data)
{
    tnats_handle *handle = data;
    handle->token = NULL;
    Tcl_HashEntry *entry = Tcl_FindHashEntry(&handle->state->handles, key_of(handle->id));
    if (entry != NULL) {
        Tcl_DeleteHashEntry(entry);
    }
    if (handle->client != NULL) {
        tnats_loop_end(handle);
        nats_client_close(handle->object);
    }
    tnats_handle_drop(handle);
}

static int wrong_args(Tcl_Interp *interp, const tnats_verb *verb, Tcl_Obj *const objv[])
{
    Tcl_WrongNumArgs(interp, 2, objv, verb->usage);
    return TCL_ERROR;
}

/* How many words come before the options: one that may be left out is none when it is the name of
 * an option. */
static int word_count(const tnats_verb *verb, const char *const *names, int objc,
                      Tcl_Obj *const objv[])
{
    int words = 0;
    for (; words < verb->most && words < objc - 2; words++) {
        if (words < verb->least) {
            continue;
        }
        for (int i = 0; names[i] != NULL; i++) {
            if (strcmp(Tcl_GetString(objv[2 + words]), names[i]) == 0) {
                return words;
            }
        }
    }
    return words;
}

/* A wrapper of SWIG's: words and the values of options, in the order of the C function. */
static int call_wrapper(tnats_handle *handle, const tnats_verb *verb, Tcl_Interp *interp, int objc,
                        Tcl_Obj *const objv[])
{
    Tcl_Obj *args[1 + TNATS_OPTIONS_MAX * 2] = {objv[1]};
    static const char *const no_options[] = {NULL};
    const char *const *names = verb->options != NULL ? verb->options : no_options;
    int words = word_count(verb, names, objc, objv);
    if (words < verb->least || (names[0] == NULL && objc - 2 > words)) {
        return wrong_args(interp, verb, objv);
    }
    for (int i = 0; i < words; i++) {
        args[1 + i] = objv[2 + i];
    }
    if (tnats_options(interp, objc, objv, 2 + words, names, args + 1 + verb->most) != TCL_OK) {
        return TCL_ERROR;
    }
    int count = 1 + verb->most;
    while (names[count - 1 - verb->most] != NULL) {
        count++;
    }
    return verb->wrapper(handle, interp, count, args);
}

static int call_verb(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    int index;
    if (objc < 2) {
        Tcl_WrongNumArgs(interp, 1, objv, "verb ?arg ...?");
        return TCL_ERROR;
    }
    if (Tcl_GetIndexFromObjStruct(interp, objv[1], handle->verbs, sizeof(tnats_verb), "verb",
                                  TCL_EXACT, &index) != TCL_OK) {
        return tnats_fail_value(interp, Tcl_GetString(objv[1]));
    }
    const tnats_verb *verb = &handle->verbs[index];
    if (verb->wrapper != NULL) {
        return call_wrapper(handle, verb, interp, objc, objv);
    }
    if (objc - 2 < verb->least || (verb->most >= 0 && objc - 2 > verb->most)) {
        return wrong_args(interp, verb, objv);
    }
    return verb->proc(handle, interp, objc, objv);
}

/* A verb may delete the command it runs in: the handle is kept until it is done. */
static int handle_nr(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    tnats_handle *handle = data;
    handle->refs++;
    int code = call_verb(handle, interp, objc, objv);
    tnats_handle_drop(handle);
    return code;
}

static int handle_command(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return Tcl_NRCallObjProc(interp, handle_nr, data, objc, objv);
}

/* A name that is no command's yet. */
static Tcl_Obj *new_name(tnats_state *state, const tnats_kind *kind)
{
    Tcl_CmdInfo info;
    for (;;) {
        state->serial++;
        Tcl_Obj *name = Tcl_ObjPrintf("::polynats::%s%ld", kind->noun,
                                      (long)state->serial);
        if (!Tcl_GetCommandInfo(state->interp, Tcl_GetString(name), &info)) {
            return name;
        }
        Tcl_DecrRefCount(kept(name));
    }
}

/* The command and the entry of a handle that is complete. */
static tnats_handle *add_command(tnats_handle *handle)
{
    tnats_state *state = handle->state;
    Tcl_Obj *name = new_name(state, handle->kind);
    Tcl_IncrRefCount(name);
    handle->token = Tcl_NRCreateCommand(state->interp, Tcl_GetString(name), handle_command,
                                        handle_nr, handle, command_deleted);
    if (handle->token == NULL) {
        Tcl_DecrRefCount(name);
        tnats_fail_text(state->interp, NATS_ERR_CLOSED, "interp",
                        "the interpreter is being deleted");
        tnats_handle_drop(handle);
        return NULL;
    }
    int made;
    handle->id = state->serial;
    Tcl_SetHashValue(Tcl_CreateHashEntry(&state->handles, key_of(handle->id), &made), handle);
    Tcl_SetObjResult(state->interp, name);
    Tcl_DecrRefCount(name);
    return handle;
}

tnats_handle *tnats_handle_new(tnats_state *state, const tnats_kind *kind, void *object,
                               tnats_handle *parent)
{
    tnats_handle *handle = (tnats_handle *)ckalloc(sizeof(*handle));
    memset(handle, 0, sizeof(*handle));
    handle->kind = kind;
    handle->verbs = tnats_verbs_of(kind);
    handle->state = state;
    handle->object = object;
    handle->refs = 1;
    state->refs++;
    if (parent != NULL) {
        tnats_handle_keep(parent);
        handle->parent = parent;
        handle->next = parent->children;
        parent->children = handle;
        if (handle->next != NULL) {
            handle->next->previous = handle;
        }
    }
    return add_command(handle);
}

tnats_handle *tnats_handle_find(tnats_state *state, Tcl_Obj *id)
{
    Tcl_WideInt number;
    if (Tcl_GetWideIntFromObj(state->interp, id, &number) != TCL_OK) {
        tnats_fail_value(state->interp, "id");
        return NULL;
    }
    Tcl_HashEntry *entry = Tcl_FindHashEntry(&state->handles, key_of(number));
    if (entry == NULL) {
        tnats_fail_text(state->interp, NATS_ERR_CLOSED, "handle", "the handle's command is gone");
        return NULL;
    }
    return Tcl_GetHashValue(entry);
}

int tnats_call(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    if (objc < 3) {
        Tcl_WrongNumArgs(interp, 1, objv, "id verb ?arg ...?");
        return TCL_ERROR;
    }
    tnats_handle *handle = tnats_handle_find(data, objv[1]);
    return handle != NULL ? handle_nr(handle, interp, objc - 1, objv + 1) : TCL_ERROR;
}

int tnats_destroy(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    if (handle->token != NULL) {
        Tcl_DeleteCommandFromToken(interp, handle->token);
    }
    return TCL_OK;
}
