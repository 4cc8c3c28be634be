/* Options: -name value pairs of the verbs, and those of connect, which are the library's. */
#include "tnats.h"

#include <string.h>

/* Most servers in one list: the library takes no more either. */
#define SERVERS_MAX 1024

static int missing_value(Tcl_Interp *interp, Tcl_Obj *name)
{
    return tnats_fail_text(interp, NATS_ERR_INVALID, Tcl_GetString(name),
                           "option \"%.80s\" has no value", Tcl_GetString(name));
}

/* The place of an option among names, or -1. */
static int own_index(const char *name, const char *const *names)
{
    for (int i = 0; names != NULL && names[i] != NULL; i++) {
        if (strcmp(name, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

/* `$sub next 0.5` is `$sub next -timeout 0.5`, and `$nc get 100 0.5` is -max and -wait: numbers in front stand
 * for the first options, when these are counts or times. Anything else might be a word too many. How many. */
static int numbers_in_front(int objc, Tcl_Obj *const objv[], const char *const *names,
                            Tcl_Obj **values)
{
    static const char *const counted[] = {"-max", "-wait", "-timeout", "-delay", NULL};
    int count = 0;
    double number;
    while (count < objc && names[count] != NULL && own_index(names[count], counted) >= 0 &&
           Tcl_GetDoubleFromObj(NULL, objv[count], &number) == TCL_OK) {
        values[count] = objv[count];
        count++;
    }
    return count;
}

int tnats_options(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], int first,
                  const char *const *names, Tcl_Obj **values)
{
    for (int i = 0; names[i] != NULL; i++) {
        values[i] = NULL;
    }
    first += numbers_in_front(objc - first, objv + first, names, values);
    for (int i = first; i < objc; i += 2) {
        int index;
        if (Tcl_GetIndexFromObjStruct(interp, objv[i], names, sizeof(names[0]), "option",
                                      TCL_EXACT, &index) != TCL_OK) {
            Tcl_SetErrorCode(interp, "POLYNATS", "INVALID", Tcl_GetString(objv[i]), NULL);
            return TCL_ERROR;
        }
        if (i + 1 >= objc) {
            return missing_value(interp, objv[i]);
        }
        values[index] = objv[i + 1];
    }
    return TCL_OK;
}

static int set_option(Tcl_Interp *interp, nats_options *options, const char *name, Tcl_Obj *value)
{
    tnats_bytes text;
    tnats_text(value, &text);
    nats_status status = nats_options_set_text(options, name, text.ptr, text.len);
    tnats_bytes_free(&text);
    return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
}

int tnats_connect_options(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], int first,
                          nats_options *options, const char *const *own, Tcl_Obj **own_values)
{
    for (int i = 0; own != NULL && own[i] != NULL; i++) {
        own_values[i] = NULL;
    }
    for (int i = first; i < objc; i += 2) {
        const char *name = Tcl_GetString(objv[i]);
        if (name[0] != '-') {
            return tnats_fail_text(interp, NATS_ERR_INVALID, name,
                                   "\"%.80s\" is no option: options begin with a dash", name);
        }
        if (i + 1 >= objc) {
            return missing_value(interp, objv[i]);
        }
        int index = own_index(name, own);
        if (index >= 0) {
            own_values[index] = objv[i + 1];
        } else if (set_option(interp, options, name + 1, objv[i + 1]) != TCL_OK) {
            return TCL_ERROR;
        }
    }
    return TCL_OK;
}

/* The parts of a list with commas between. */
static int join_servers(Tcl_Interp *interp, Tcl_Size count, Tcl_Obj **parts, tnats_bytes *out)
{
    if (count > SERVERS_MAX) {
        return tnats_fail_text(interp, NATS_ERR_LIMIT, "url", "a list of %ld servers: at most %d",
                               (long)count, SERVERS_MAX);
    }
    Tcl_Obj *joined = Tcl_NewObj();
    Tcl_IncrRefCount(joined);
    for (Tcl_Size i = 0; i < count; i++) {
        Tcl_AppendToObj(joined, ",", i > 0 ? 1 : 0);
        Tcl_AppendObjToObj(joined, parts[i]);
    }
    tnats_text(joined, out);
    if (out->heap == NULL) {
        out->heap = ckalloc(out->len + 1);
        memcpy(out->heap, out->ptr, out->len + 1);
        out->ptr = out->heap;
    }
    Tcl_DecrRefCount(joined);
    return TCL_OK;
}

/* ?url? ?-option value ...?: what begins with a dash is no URL. */
int tnats_servers(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], tnats_bytes *out,
                  int *first_out)
{
    Tcl_Size count = 0;
    Tcl_Obj **parts;
    *out = (tnats_bytes){NULL, 0, NULL};
    *first_out = 1;
    if (objc == 1 || Tcl_GetString(objv[1])[0] == '-') {
        return TCL_OK;
    }
    *first_out = 2;
    if (Tcl_GetString(objv[1])[0] == '\0') {
        return TCL_OK;
    }
    /* A plain URL is a list of one. */
    if (Tcl_ListObjGetElements(NULL, objv[1], &count, &parts) == TCL_OK && count > 0) {
        if (join_servers(interp, count, parts, out) != TCL_OK) {
            return TCL_ERROR;
        }
    } else {
        tnats_text(objv[1], out);
    }
    if (strlen(out->ptr) == out->len) {
        return TCL_OK;
    }
    tnats_bytes_free(out);
    return tnats_fail_text(interp, NATS_ERR_INVALID, "url", "a URL holds no NUL byte");
}
