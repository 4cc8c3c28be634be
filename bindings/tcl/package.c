/* package require polynats: the commands, and the script that comes with them. */
#include "tnats.h"

#ifndef POLYNATS_TCL_VERSION
#define POLYNATS_TCL_VERSION POLYNATS_VERSION
#endif

#define EXPORT __attribute__((visibility("default")))

EXPORT int Polynats_Init(Tcl_Interp *interp);

static int command_nr(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    const tnats_command *row = data;
    if (objc - 1 < row->least || (row->most >= 0 && objc - 1 > row->most)) {
        Tcl_WrongNumArgs(interp, 1, objv, row->usage);
        return TCL_ERROR;
    }
    return row->proc(tnats_state_of(interp), interp, objc, objv);
}

static int command(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return Tcl_NRCallObjProc(interp, command_nr, data, objc, objv);
}

static int call_command(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return Tcl_NRCallObjProc(interp, tnats_call, data, objc, objv);
}

/* For polynats.tcl and jetstream.tcl. */
static const tnats_command helpers[] = {
    {"::polynats::Held", tnats_held, "id ?value?", 1, 2},
    {"::polynats::Key", tnats_js_key_command, "object name", 2, 2},
    {"::polynats::Made", tnats_made, "id noun value", 3, 3},
    {NULL, NULL, NULL, 0, 0}};

int Polynats_Init(Tcl_Interp *interp)
{
    if (Tcl_InitStubs(interp, "8.6-", 0) == NULL) {
        return TCL_ERROR;
    }
    if (Tcl_FindNamespace(interp, "::polynats", NULL, 0) == NULL) {
        Tcl_CreateNamespace(interp, "::polynats", NULL, NULL);
    }
    for (const tnats_command *row = tnats_commands; row->name != NULL; row++) {
        /* connect may wait, and so yield. */
        Tcl_NRCreateCommand(interp, row->name, command, command_nr, (ClientData)row, NULL);
    }
    for (const tnats_command *row = helpers; row->name != NULL; row++) {
        Tcl_NRCreateCommand(interp, row->name, command, command_nr, (ClientData)row, NULL);
    }
    /* So may any verb. */
    Tcl_NRCreateCommand(interp, "::polynats::Call", call_command, tnats_call,
                        tnats_state_of(interp), NULL);
    return Tcl_PkgProvide(interp, "polynats::c", POLYNATS_TCL_VERSION);
}
