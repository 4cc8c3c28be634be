/* Handles whose verbs are written in Tcl: streams and consumers are a name and what was told of them, and their
 * verbs are calls of the jetstream's. They are commands as all handles are. */
#include "tnats.h"

static void drop_value(tnats_handle *handle)
{
    if (handle->object != NULL) {
        Tcl_DecrRefCount((Tcl_Obj *)handle->object);
        handle->object = NULL;
    }
}

/* What its fetch and next took from goes with it. */
static void drop_ordered(tnats_handle *handle)
{
    Tcl_Interp *interp = handle->state->interp;
    Tcl_Obj *sub = NULL;
    if (handle->object != NULL && interp != NULL && !Tcl_InterpDeleted(interp)) {
        Tcl_Obj *key = Tcl_NewStringObj("sub", -1);
        Tcl_IncrRefCount(key);
        Tcl_DictObjGet(NULL, handle->object, key, &sub);
        Tcl_DecrRefCount(key);
    }
    if (sub != NULL) {
        Tcl_IncrRefCount(sub);
        Tcl_DeleteCommand(interp, Tcl_GetString(sub));
        Tcl_DecrRefCount(sub);
    }
    drop_value(handle);
}

const tnats_kind tnats_stream_kind = {"stream", drop_value};
const tnats_kind tnats_consumer_kind = {"consumer", drop_value};
const tnats_kind tnats_ordered_kind = {"ordered", drop_ordered};

int tnats_scripted(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    Tcl_ListObjAppendElement(NULL, list,
                             Tcl_ObjPrintf("::polynats::%s::%s", handle->kind->noun,
                                           Tcl_GetString(objv[1])));
    Tcl_ListObjAppendElement(NULL, list, Tcl_NewWideIntObj(handle->id));
    Tcl_ListObjReplace(NULL, list, 2, 0, objc - 2, objv + 2);
    return Tcl_NREvalObj(interp, list, 0);
}

static bool holds_value(const tnats_handle *handle)
{
    return handle->kind == &tnats_stream_kind || handle->kind == &tnats_consumer_kind ||
           handle->kind == &tnats_ordered_kind;
}

static void hold(tnats_handle *handle, Tcl_Obj *value)
{
    Tcl_IncrRefCount(value);
    drop_value(handle);
    handle->object = value;
}

int tnats_held(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    tnats_handle *handle = tnats_handle_find(data, objv[1]);
    if (handle == NULL) {
        return TCL_ERROR;
    }
    if (!holds_value(handle)) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "id", "%s holds no value",
                               handle->kind->noun);
    }
    if (objc > 2) {
        hold(handle, objv[2]);
    }
    Tcl_SetObjResult(interp, handle->object);
    return TCL_OK;
}

int tnats_made(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const struct {
        const char *name;
        const tnats_kind *kind;
    } nouns[] = {{"stream", &tnats_stream_kind},
                 {"consumer", &tnats_consumer_kind},
                 {"ordered", &tnats_ordered_kind},
                 {NULL, NULL}};
    int index;
    (void)objc;
    tnats_handle *parent = tnats_handle_find(data, objv[1]);
    if (parent == NULL || Tcl_GetIndexFromObjStruct(interp, objv[2], nouns, sizeof(nouns[0]),
                                                    "noun", TCL_EXACT, &index) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_IncrRefCount(objv[3]);
    return tnats_handle_new(data, nouns[index].kind, objv[3], parent) != NULL ? TCL_OK : TCL_ERROR;
}
