/* What a call has taken, on its way to the caller.
 *
 * A signal's handler may raise between any two steps of the interpreter, also after our function
 * has returned and before its result is anywhere. So what was taken lies in a box until the method
 * in Python that called us has it, and says so by an assignment (self._taken = None): between that
 * and the caller's own next step nothing strikes. What still lies there when the next call comes
 * did not arrive; it is given first.
 *
 * Handlers run in the main thread alone, so only its calls use the box. */
#include "pyn.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { ROOM_MIN = 16 };

/* ---- the main thread ---- */

static unsigned long main_thread;

/* After fork() the thread that is left is the main one. */
static void find_main_thread(void)
{
    main_thread = PyThread_get_thread_ident();
}

/* For when another thread imports us. */
static int ask_for_main_thread(void)
{
    PyObject *threading = PyImport_ImportModule("threading");
    PyObject *thread =
        threading != NULL ? PyObject_CallMethod(threading, "main_thread", NULL) : NULL;
    PyObject *ident = thread != NULL ? PyObject_GetAttrString(thread, "ident") : NULL;
    if (ident != NULL) {
        main_thread = PyLong_AsUnsignedLong(ident);
    }
    Py_XDECREF(ident);
    Py_XDECREF(thread);
    Py_XDECREF(threading);
    return ident != NULL && !PyErr_Occurred() ? 0 : -1;
}

int pyn_box_init(void)
{
    pthread_atfork(NULL, NULL, find_main_thread);
    if (gettid() != getpid()) {
        return ask_for_main_thread();
    }
    find_main_thread(); /* threading is slow to import */
    return 0;
}

static bool is_main_thread(void)
{
    return PyThread_get_thread_ident() == main_thread;
}

/* ---- what did not arrive ---- */

static bool make_room(pyn_box *box, size_t count)
{
    if (box->kept_count + count <= box->kept_room) {
        return true;
    }
    size_t room = 2 * box->kept_room > ROOM_MIN ? 2 * box->kept_room : ROOM_MIN;
    room = room > box->kept_count + count ? room : box->kept_count + count;
    PyObject **kept = PyMem_RawRealloc(box->kept, room * sizeof(*kept));
    if (kept == NULL) {
        return false;
    }
    box->kept = kept;
    int32_t *modes = PyMem_RawRealloc(box->kept_modes, room * sizeof(*modes));
    if (modes == NULL) {
        return false;
    }
    box->kept_modes = modes;
    box->kept_room = room;
    return true;
}

/* Empty the box into what is kept, in front: what is offered in the same place there came later. */
static bool keep(pyn_box *box)
{
    PyObject *taken = box->taken;
    bool many = PyList_CheckExact(taken);
    size_t count = many ? (size_t)PyList_GET_SIZE(taken) : 1;
    if (!make_room(box, count)) {
        PyErr_NoMemory();
        return false;
    }
    memmove(box->kept + count, box->kept, box->kept_count * sizeof(*box->kept));
    memmove(box->kept_modes + count, box->kept_modes, box->kept_count * sizeof(*box->kept_modes));
    for (size_t i = 0; i < count; i++) {
        box->kept[i] = many ? PyList_GET_ITEM(taken, (Py_ssize_t)i) : taken;
        Py_INCREF(box->kept[i]);
        box->kept_modes[i] = box->mode;
    }
    box->kept_count += count;
    Py_CLEAR(box->taken);
    return true;
}

static bool is_wanted(const pyn_box *box, size_t i, int32_t mode, uint64_t sid)
{
    return sid != 0 ? pyn_message_sid(box->kept[i]) == sid : box->kept_modes[i] == mode;
}

/* Out of what is kept, to the end of the list. */
static bool move(pyn_box *box, PyObject *list, int32_t mode, uint64_t sid, size_t max)
{
    size_t left = 0;
    bool fine = true;
    for (size_t i = 0; i < box->kept_count; i++) {
        PyObject *msg = box->kept[i];
        bool moves = fine && (size_t)PyList_GET_SIZE(list) < max && is_wanted(box, i, mode, sid);
        if (moves && PyList_Append(list, msg) == 0) {
            Py_DECREF(msg);
            continue;
        }
        fine = fine && !moves;
        box->kept[left] = msg;
        box->kept_modes[left++] = box->kept_modes[i];
    }
    box->kept_count = left;
    return fine;
}

/* ---- the box ---- */

PyObject *pyn_box_put(pyn_box *box, int32_t mode, PyObject *taken)
{
    if (taken == NULL || !is_main_thread()) {
        return taken;
    }
    Py_INCREF(taken);
    Py_XSETREF(box->taken, taken);
    box->mode = mode;
    return taken;
}

PyObject *pyn_box_take(pyn_box *box, int32_t mode, uint64_t sid, size_t max)
{
    if ((box->taken == NULL && box->kept_count == 0) || !is_main_thread()) {
        return NULL;
    }
    if (box->taken != NULL && !keep(box)) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        return NULL;
    }
    bool fine = move(box, list, mode, sid, max);
    if (!fine || PyList_GET_SIZE(list) == 0) {
        Py_CLEAR(list);
    }
    return list;
}

size_t pyn_box_count(const pyn_box *box)
{
    size_t taken = 0;
    if (box->taken != NULL) {
        taken = PyList_CheckExact(box->taken) ? (size_t)PyList_GET_SIZE(box->taken) : 1;
    }
    return taken + box->kept_count;
}

void pyn_box_clear(pyn_box *box)
{
    pyn_box old = *box;
    memset(box, 0, sizeof(*box));
    for (size_t i = 0; i < old.kept_count; i++) {
        Py_DECREF(old.kept[i]);
    }
    PyMem_RawFree(old.kept);
    PyMem_RawFree(old.kept_modes);
    Py_XDECREF(old.taken);
    Py_XDECREF(old.event);
}

/* ---- a place of its own ---- */

PyObject *pyn_slot_put(PyObject **slot, PyObject *taken)
{
    if (taken == NULL || taken == Py_None || !is_main_thread()) {
        return taken;
    }
    Py_INCREF(taken);
    Py_XSETREF(*slot, taken);
    return taken;
}

PyObject *pyn_slot_take(PyObject **slot)
{
    if (*slot == NULL || !is_main_thread()) {
        return NULL;
    }
    Py_INCREF(*slot);
    return *slot;
}
