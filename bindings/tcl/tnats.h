/* What the C files of the Tcl package share. A handle is a Tcl command with a tnats_handle as its
 * ClientData: no pointer ever becomes text, so none can be forged. Everything of an interpreter
 * hangs on its tnats_state and is used by its thread only. */
#ifndef TNATS_H
#define TNATS_H

#include <polynats.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tcl.h>

#ifndef TCL_SIZE_MAX
typedef int Tcl_Size; /* Tcl 8.6 has no name for it */
#endif

/* Keys of messages, events and protocol events: one object each, shared by all dicts. */
enum tnats_key {
    TNATS_SUBJECT,
    TNATS_DATA,
    TNATS_REPLY,
    TNATS_HEADERS,
    TNATS_STATUS,
    TNATS_DESCRIPTION,
    TNATS_SID,
    TNATS_HEADER_LIST,
    TNATS_TYPE,
    TNATS_TEXT,
    TNATS_TIME,
    TNATS_URL,
    TNATS_LOST,
    TNATS_UNCONFIRMED,
    TNATS_LEVEL,
    TNATS_LINE,
    TNATS_MESSAGE,
    TNATS_TOKEN,
    TNATS_RTT,
    TNATS_RECOVERABLE,
    TNATS_KIND,
    TNATS_SCHEME,
    TNATS_HOST,
    TNATS_PORT,
    TNATS_METADATA,
    TNATS_ACK,
    TNATS_KEY_COUNT
};

typedef struct tnats_state {
    Tcl_Interp *interp; /* NULL once it is being deleted */
    int refs;
    Tcl_WideInt serial; /* numbers the commands */
    const Tcl_ObjType *bytes_type;
    const Tcl_ObjType *dict_type;
    Tcl_Obj *keys[TNATS_KEY_COUNT];
    Tcl_Obj *empty;
    Tcl_Obj *last_subject; /* of the message before: the next one often has the same */
    Tcl_Obj *last_sid;
    uint64_t last_sid_value;
    Tcl_Obj *coroutine;    /* the command that tells whether one runs */
    Tcl_Obj *yield;        /* the command that lets it wait */
    Tcl_HashTable handles; /* by their ids, those whose command is there */
    size_t askable;        /* clients that have a prefix for credentials */
} tnats_state;

typedef struct tnats_handle tnats_handle;
/* What a future gave, as a value; *msg is the caller's still when it is not NULL afterwards. */
typedef nats_status tnats_reader(tnats_state *state, nats_msg **msg, Tcl_Obj **value_out);
typedef int tnats_proc(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);

/* A verb of a handle: written by hand (proc), or a wrapper that SWIG made (wrapper), which gets
 * its arguments in the order of the C function: first `least` to `most` words, then the values of
 * the options in their order. What was not given is NULL. */
typedef struct tnats_verb {
    const char *name;
    tnats_proc *proc;
    Tcl_ObjCmdProc *wrapper;
    const char *usage;
    int least;
    int most;
    const char *const *options;
} tnats_verb;

/* A command of the package's namespace. */
typedef struct tnats_command {
    const char *name;
    Tcl_ObjCmdProc *proc;
    const char *usage;
    int least;
    int most; /* -1: any number */
} tnats_command;

/* In tcl.i; ends with a row without a name. */
extern const tnats_command tnats_commands[];

typedef struct tnats_kind {
    const char *noun; /* "client": its commands are ::polynats::client1 … */
    void (*release)(tnats_handle *handle);
} tnats_kind;

extern const tnats_kind tnats_client_kind;
extern const tnats_kind tnats_sub_kind;
extern const tnats_kind tnats_future_kind;
extern const tnats_kind tnats_proto_kind;
extern const tnats_kind tnats_js_kind;
extern const tnats_kind tnats_publisher_kind;
extern const tnats_kind tnats_batch_kind;
extern const tnats_kind tnats_stream_kind;
extern const tnats_kind tnats_consumer_kind;
extern const tnats_kind tnats_ordered_kind;

/* Most options that one verb has. */
#define TNATS_OPTIONS_MAX 8

typedef struct tnats_client tnats_client; /* loop.c */
typedef struct tnats_waiter tnats_waiter; /* wait.c */

struct tnats_handle {
    const tnats_kind *kind;
    const tnats_verb *verbs; /* ends with a row without a name */
    tnats_state *state;
    Tcl_Command token;    /* NULL once the command is gone */
    tnats_handle *parent; /* the client of what is made of it, the jetstream of a stream; kept alive */
    tnats_handle *children;
    tnats_handle *next;
    tnats_handle *previous;
    void *object; /* nats_client, nats_sub, nats_future, nats_proto … */
    tnats_client *client; /* what a client has besides */
    uint64_t sid;         /* of a subscription */
    tnats_reader *read;   /* of a future: NULL for a message */
    Tcl_WideInt id;       /* in the state's table */
    int refs;
};

/* ---- state.c ---- */

/* The state of an interpreter, made with the package. */
tnats_state *tnats_state_of(Tcl_Interp *interp);

/* A new handle and its command; its name becomes the interpreter's result. NULL when the
 * interpreter is being deleted: the object is freed then, and the error set. */
tnats_handle *tnats_handle_new(tnats_state *state, const tnats_kind *kind, void *object,
                               tnats_handle *parent);
/* The verbs of each kind, which are listed in tcl.i. */
const tnats_verb *tnats_verbs_of(const tnats_kind *kind);
void tnats_handle_keep(tnats_handle *handle);
void tnats_handle_drop(tnats_handle *handle);
/* The handle of an id, or NULL and the error. */
tnats_handle *tnats_handle_find(tnats_state *state, Tcl_Obj *id);
/* ::polynats::Call id verb ?arg ...?: a verb of a handle whose command may have another name, or be
 * gone, which is the error CLOSED. For polynats.tcl. */
int tnats_call(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);
/* Delete the command, and with it the handle. */
int tnats_destroy(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);

/* ---- value.c: texts, bytes, numbers, errors ---- */

/* Bytes for the library: those of the Tcl value itself, or a copy of our own in heap. */
typedef struct tnats_bytes {
    const char *ptr;
    size_t len;
    char *heap;
} tnats_bytes;

/* A text in UTF-8, exactly: NUL as a NUL, pairs of surrogates as one character, and a lone low
 * surrogate U+DC80 to U+DCFF as the byte it stands for. NULL gives a NULL pointer. */
void tnats_text(Tcl_Obj *obj, tnats_bytes *out);
/* A text without a NUL; NULL gives NULL. what names the argument. */
int tnats_words(Tcl_Interp *interp, Tcl_Obj *obj, const char *what, tnats_bytes *out);
/* Bytes: each character is one, and one above U+00FF an error. The value keeps its type; whoever gives
 * it another one afterwards, which it may share with other arguments, takes the bytes away. */
int tnats_data(tnats_state *state, Tcl_Obj *obj, tnats_bytes *out);
void tnats_bytes_free(tnats_bytes *bytes);
/* A text from bytes; those that are not UTF-8 become lone surrogates, as above. */
Tcl_Obj *tnats_text_new(const char *bytes, size_t len);
Tcl_Obj *tnats_word_new(const char *word);
Tcl_Obj *tnats_count_new(uint64_t count);

/* The error of the call that just failed: -errorcode {POLYNATS CODE about}. Returns TCL_ERROR. */
int tnats_fail(Tcl_Interp *interp, nats_status status);
/* That list, of the error that is this thread's last one. */
Tcl_Obj *tnats_error_code(nats_status status, const char *about);
/* The same with a text of our own. */
int tnats_fail_text(Tcl_Interp *interp, nats_status status, const char *about, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));
/* INVALID, with the text that Tcl has just left as the interpreter's result. */
int tnats_fail_value(Tcl_Interp *interp, const char *about);
/* Seconds, 0 or more, to ms, rounded up; NULL or "" gives fallback. */
int tnats_seconds(Tcl_Interp *interp, Tcl_Obj *obj, const char *what, int64_t fallback,
                  int64_t *ms_out);
/* A whole number of `least` or more; NULL gives fallback. */
int tnats_number(Tcl_Interp *interp, Tcl_Obj *obj, const char *what, int64_t least,
                 int64_t fallback, int64_t *out);
/* NULL gives 0. */
int tnats_boolean(Tcl_Interp *interp, Tcl_Obj *obj, const char *what, int *out);
/* A moment of a clock in seconds to ns; NULL: now. It changes no value of bytes. */
int tnats_moment(Tcl_Interp *interp, Tcl_Obj *obj, int64_t *ns_out);
/* A status by its name, such as IO. */
int tnats_status_of(Tcl_Interp *interp, Tcl_Obj *obj, nats_status *out);
int64_t tnats_now_ns(void);
/* The values of -option value pairs from objv[first] on, in the order of names; NULL where there
 * is none. */
int tnats_options(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], int first,
                  const char *const *names, Tcl_Obj **values);
/* Options of a connection from the same; `own` (NULL-terminated) are not the library's: their
 * values go to own_values. */
int tnats_connect_options(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], int first,
                          nats_options *options, const char *const *own, Tcl_Obj **own_values);
/* The first word, when it is no option: one URL, or a list of them, as the library takes them.
 * *first_out: where the options begin. */
int tnats_servers(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], tnats_bytes *out,
                  int *first_out);

/* ---- wait.c: waiting that gives way to signals, cancelling and limits ---- */

typedef struct tnats_wait {
    Tcl_Interp *interp;
    int64_t deadline_ns; /* INT64_MAX: for ever */
    int64_t ms;          /* of the slice that comes next */
} tnats_wait;

void tnats_wait_start(tnats_wait *wait, Tcl_Interp *interp, int64_t ms);
/* After a slice: TCL_OK, and wait->ms is that of the next one; or what the interpreter says. */
int tnats_wait_next(tnats_wait *wait);
bool tnats_wait_over(const tnats_wait *wait);
/* What is left in all, in ms; -1: for ever. */
int64_t tnats_wait_left(const tnats_wait *wait);
/* After a call that was interrupted: TCL_OK, and call again; or what the interpreter says. */
int tnats_interrupted(Tcl_Interp *interp);

/* Something that is taken when it is there, and may be waited for. */
typedef struct tnats_taking tnats_taking;
/* One attempt, for at most wait_ms. NATS_OK and *got_out: it is in taking->result, NULL for
 * nothing; NATS_OK without it: not yet. */
typedef nats_status tnats_take(tnats_taking *taking, int64_t wait_ms, bool *got_out);

struct tnats_taking {
    tnats_take *take;
    tnats_handle *handle;
    nats_future *future;    /* freed at the end, or NULL */
    Tcl_Obj *result;        /* owned */
    size_t max;             /* of get */
    const char *silence;    /* the text of the error TIMEOUT; NULL: silence is none */
    bool wakes;             /* $nc wake ends it */
    bool fresh;             /* there can be nothing yet */
    tnats_handle *made;     /* destroyed, unless something came of it; or NULL */
    tnats_reader *read;     /* of a future's reply; NULL: a message */
    void *held;             /* what take needs, freed at the end by let_go; or NULL */
    void (*let_go)(void *held);
    int64_t poll_ms;        /* in a coroutine: look so often, for the descriptor does not tell; or 0 */
    int64_t began_ns;
    /* What becomes of it when it is over; NULL: its result, or its error. */
    int (*finish)(tnats_taking *taking, Tcl_Interp *interp, nats_status status);
    /* What is added to the error that is its silence; or NULL. */
    int (*silent)(const tnats_taking *taking, Tcl_Interp *interp);
};

/* Take it, waiting at most ms (-1: for ever): in a coroutine by yielding, else in slices. The
 * interpreter's result is what came. */
int tnats_take_within(tnats_taking *taking, Tcl_Interp *interp, int64_t ms);
/* Does a call that waits yield here? */
bool tnats_in_coroutine(tnats_state *state, Tcl_Interp *interp);
/* Take the future's reply, read by taking->read. */
tnats_take tnats_take_reply;
/* Take its replies until there are no more, as a list. */
tnats_take tnats_take_replies;
/* Take that the future has ended. */
tnats_take tnats_take_end;
/* Wait for the future that was begun, if it was, by taking->take. */
int tnats_await(tnats_taking *taking, Tcl_Interp *interp, nats_status begun);
/* A handle of a future that was begun; its name is the interpreter's result. */
int tnats_future_made(tnats_handle *owner, nats_future *future, tnats_reader *read);
/* The next reply, or the end, of a future. *open_out: the wait was up, and it is still open. */
nats_status tnats_reply_wait(nats_future *future, int64_t wait_ms, nats_msg **msg, bool *open_out);
/* The event loop saw that there may be something: let the waiter look. */
void tnats_waiter_resume(tnats_waiter *waiter);

/* Those who wait for a client, in the order in which they came. */
struct tnats_waiter {
    tnats_waiter *next;
    tnats_waiter *previous;
    unsigned turn; /* in which it was resumed last */
};

/* ---- message.c ---- */

/* A message as a dict. *msg is NULL afterwards when the value keeps it, for acknowledging; else it stays the
 * caller's. */
Tcl_Obj *tnats_message_new(tnats_state *state, nats_msg **msg);
/* Headers from a dict or list of key, values; NULL gives NULL. */
int tnats_headers(tnats_state *state, Tcl_Obj *obj, nats_headers **out);

/* ---- facts.c: what the library tells, as dicts ---- */

Tcl_Obj *tnats_event_new(tnats_state *state, const nats_event *event);
Tcl_Obj *tnats_info_new(const nats_info *info);
Tcl_Obj *tnats_stats_new(nats_client *client);
Tcl_Obj *tnats_sub_stats_new(nats_sub *sub);
const char *tnats_client_status_name(int32_t status);
const char *tnats_proto_state_name(int32_t state);

/* ---- verbs written by hand: client.c, goal.c, request.c, proto.c ---- */

int tnats_connect(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);
int tnats_proto_create(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);
tnats_proc tnats_client_share, tnats_client_publish, tnats_client_publish_many,
    tnats_client_subscribe, tnats_client_unsubscribe, tnats_client_get, tnats_client_close,
    tnats_client_drain, tnats_client_respond, tnats_client_next_event;
tnats_proc tnats_client_request, tnats_client_request_start, tnats_client_request_many;
tnats_proc tnats_client_on_event, tnats_client_dispatch, tnats_client_run, tnats_client_stop;
tnats_proc tnats_client_watch, tnats_client_unwatch, tnats_client_wake;
tnats_proc tnats_client_credentials, tnats_client_process;
tnats_proc tnats_client_flush, tnats_client_rtt, tnats_client_server_info_json;
tnats_proc tnats_sub_next, tnats_sub_get, tnats_sub_drain, tnats_sub_foreach, tnats_sub_close,
    tnats_sub_unsubscribe;
/* The subscription that nothing came of: it ends, and its command goes. */
void tnats_sub_abandon(tnats_handle *handle);
tnats_proc tnats_future_poll, tnats_future_wait;
tnats_proc tnats_proto_publish, tnats_proto_subscribe, tnats_proto_take, tnats_proto_next_event,
    tnats_proto_server, tnats_proto_servers, tnats_proto_server_info_json;
int tnats_now(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);
int tnats_option_list(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);

/* ---- json.c: JetStream's configurations and answers ---- */

/* A dict as JSON of an object of that type, which the library knows: a value of Tcl's has no type. Frees out
 * on errors. */
int tnats_json_write(Tcl_Interp *interp, Tcl_Obj *dict, const char *object, Tcl_DString *out);
/* JSON as a value: objects are dicts, arrays lists; times and durations are seconds. */
nats_status tnats_json_read(const char *text, size_t len, Tcl_Obj **value_out);
/* Seconds with 9 digits, exactly. */
Tcl_Obj *tnats_time_new(int64_t ns);
/* A whole number up to 2^64. */
Tcl_Obj *tnats_uint_new(uint64_t number);
/* Decimal seconds as ns, exactly; false when the text is none, or it does not fit. */
bool tnats_ns_of(const char *text, int64_t *ns_out);
/* ::polynats::Key object name: kind, element, object, as nats_js_key() has them. */
int tnats_js_key_command(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);

/* ---- place.c: values that keep a message of JetStream ---- */

/* Is it one, and has it a place in a stream? */
bool tnats_msg_has_place(const nats_msg *msg);
/* What it is acknowledged by, NULL when it was not delivered by a consumer, and its place: each a value that keeps
 * the message. */
void tnats_place_new(nats_msg *msg, Tcl_Obj **ack_out, Tcl_Obj **place_out);
tnats_proc tnats_client_ack, tnats_client_nak, tnats_client_in_progress, tnats_client_term,
    tnats_client_ack_sync, tnats_client_ack_many;

/* ---- jetstream.c ---- */

typedef struct tnats_js {
    nats_js *inner;
    int64_t timeout_ms; /* -1: as the library has it */
} tnats_js;

tnats_reader tnats_read_answer, tnats_read_ack;
tnats_proc tnats_client_jetstream, tnats_js_call, tnats_js_call_start, tnats_js_publish,
    tnats_js_publish_start, tnats_js_get_many, tnats_js_consume, tnats_js_consume_start;

/* ---- store.c: what is published to JetStream ---- */

typedef struct tnats_storing {
    tnats_bytes subject;
    tnats_bytes data;
    nats_headers *headers;
    int64_t timeout_ms;
} tnats_storing;

/* subject ?data? from objv[2] on, and ?-headers dict? ?-timeout seconds? ?-keyword value ...? from objv[first]
 * on: 4; or 2, and then there are no words before. */
int tnats_storing_read(tnats_state *state, int objc, Tcl_Obj *const objv[], int first,
                       tnats_storing *out);
void tnats_storing_free(tnats_storing *storing);

/* ---- publisher.c, batch.c ---- */

tnats_proc tnats_js_publisher, tnats_publisher_publish, tnats_publisher_publish_many,
    tnats_publisher_flush, tnats_publisher_flush_start, tnats_publisher_failures,
    tnats_publisher_stats, tnats_publisher_close;
tnats_proc tnats_js_batch, tnats_batch_add, tnats_batch_add_start, tnats_batch_commit,
    tnats_batch_commit_start, tnats_batch_abandon;

/* ---- scripted.c: handles whose verbs are in jetstream.tcl ---- */

/* A verb that is ::polynats::NOUN::VERB id ?arg ...?, with the id of the handle. */
tnats_proc tnats_scripted;
/* ::polynats::Held id ?value?: what such a handle holds. */
int tnats_held(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);
/* ::polynats::Made id noun value: a handle of that noun, made of the one with that id. */
int tnats_made(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[]);

/* ---- loop.c: the event loop ---- */

/* Messages that are taken from the library at once, and wait while callbacks run. */
#define TNATS_QUEUE_MAX 64

/* A `run` that is under way; one within a callback of another is the inner one. */
typedef struct tnats_run {
    bool stopped;
    struct tnats_run *outer;
} tnats_run;

struct tnats_client {
    int fd;      /* that the notifier watches, or -1 */
    bool always; /* without a keeper the loop is what moves the bytes */
    bool paused; /* until the timer */
    bool ended;  /* nobody is called any more */
    bool woken;  /* by $nc wake: for the next call that waits */
    bool hurry;  /* there may be something that the descriptor does not tell of */
    Tcl_TimerToken timer;
    Tcl_TimerToken end_timer; /* for the last events; keeps the handle */
    Tcl_HashTable callbacks;  /* from sid to a tnats_callback */
    Tcl_Obj *on_event;        /* a command prefix, or NULL */
    Tcl_Obj *credentials;     /* likewise */
    bool opening;             /* connect waits in the event loop */
    Tcl_InterpState failure;  /* what credentials raised meanwhile, or NULL */
    Tcl_Obj *watchers;        /* a dict: its keys are command prefixes, each called once */
    Tcl_Obj *watching;        /* those of them that this turn has still to call, or NULL */
    tnats_waiter *waiters;
    tnats_waiter *last_waiter;
    unsigned turn;
    tnats_run *run;
    nats_msg *queue[TNATS_QUEUE_MAX];
    size_t at;
    size_t count;
};

/* The handle of a client, which becomes the interpreter's result; NULL: the error is, and the client
 * is freed. */
tnats_handle *tnats_client_add(tnats_state *state, nats_client *client, Tcl_Obj *credentials);
tnats_client *tnats_client_new(void);
/* Begin, or end, to watch the descriptor, as is needed now. */
int tnats_loop_update(tnats_handle *client, Tcl_Interp *interp);
/* The same, and let a turn come at once. */
int tnats_loop_hurry(tnats_handle *client, Tcl_Interp *interp);
/* After close: nobody is called any more. */
void tnats_loop_end(tnats_handle *client);
/* The client of a handle, which it was made of in the end. */
tnats_handle *tnats_owner(tnats_handle *handle);
/* Was it woken? That is once. */
bool tnats_client_woken(tnats_client *client);
void tnats_loop_join(tnats_handle *client, tnats_waiter *waiter);
void tnats_loop_leave(tnats_handle *client, tnats_waiter *waiter);

/* ---- credentials.c ---- */

/* NULL: none. */
void tnats_credentials_set(tnats_handle *client, Tcl_Obj *prefix);
/* Call the prefix if the client is asked. background: as tnats_call_prefix(). */
int tnats_credentials_answer(tnats_handle *client, Tcl_Interp *interp, bool background);
/* The same for all clients of the interpreter. */
int tnats_credentials_answer_all(Tcl_Interp *interp);

/* ---- callback.c: command prefixes that are called with messages and events ---- */

/* Call prefix with each message of this subscription, at most max (0: no end). */
void tnats_callback_add(tnats_client *client, uint64_t sid, Tcl_Obj *prefix, int64_t max);
void tnats_callback_remove(tnats_client *client, uint64_t sid);
void tnats_callback_forget(tnats_client *client);
void tnats_client_set_on_event(tnats_client *client, Tcl_Obj *prefix);
/* Evaluate a command prefix with one more word, or none (NULL), at global level. background: an
 * error goes to the interpreter's handler, and this is TCL_OK. */
int tnats_call_prefix(Tcl_Interp *interp, Tcl_Obj *prefix, Tcl_Obj *word, bool background);
/* Take messages for callbacks into the empty queue. */
nats_status tnats_callback_refill(tnats_handle *handle, size_t max, int64_t wait_ms);
/* Call what waits, at most max; *called_out: how many. TCL_ERROR of a callback ends it, with its
 * message delivered; background: such errors go to the interpreter's handler instead. */
int tnats_callback_call(tnats_handle *client, size_t max, bool background, size_t *called_out);
/* Hand events to the script's command; *called_io counts them. */
int tnats_callback_events(tnats_handle *client, bool background, size_t *called_io);
/* May its callbacks be called? */
bool tnats_client_alive(const tnats_handle *client);

#endif
