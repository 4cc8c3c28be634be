/* What the files of the Lua module share: the userdata behind each noun, and the helpers that
 * check arguments, report failures and turn messages into Lua values.
 *
 * Two rules hold everywhere. Whatever C memory a call holds while it talks to Lua belongs to some
 * userdata, because any allocation may leave the function by longjmp. And any allocation may run a
 * finalizer that enters this module again: no pointer into a batch is used across one. */
#ifndef LNATS_H
#define LNATS_H

#include <lauxlib.h>
#include <lua.h>
#include <polynats.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Messages that one inner call moves: 8 KiB of pointers, and far beyond the point where a larger
 * batch would be any cheaper. */
#define LNATS_BATCH_MAX 1024
/* Messages that one get or dispatch without `max` takes: the default of pending_msgs, and an end
 * when a publisher is faster than the script. */
#define LNATS_GET_MAX 65536
/* Payloads above this are kept as a Lua string of their own, made once; smaller ones are copied
 * with the rest of the message and become a string when they are asked for. */
#define LNATS_INLINE_MAX 1024

/* Every userdata begins with the address of its kind: telling them apart costs no table look-up. */
typedef struct lnats_kind {
    const char *name; /* the metatable's name in the registry, and its __name */
    size_t size;      /* of the userdata; the least size for messages */
} lnats_kind;

extern const lnats_kind lnats_client_kind;
extern const lnats_kind lnats_sub_kind;
extern const lnats_kind lnats_msg_kind;
extern const lnats_kind lnats_future_kind;
extern const lnats_kind lnats_proto_kind;
extern const lnats_kind lnats_box_kind;
extern const lnats_kind lnats_js_kind;
extern const lnats_kind lnats_stream_kind;
extern const lnats_kind lnats_consumer_kind;
extern const lnats_kind lnats_publisher_kind;
extern const lnats_kind lnats_atomic_kind;

/* Messages on their way from the library to Lua. [0, at) were handed over, [at, count) wait; all
 * are freed together. serial changes with every step, so that a step interrupted by another one
 * notices. */
typedef struct lnats_batch {
    nats_msg **msgs;
    size_t room;
    size_t count;
    size_t at;
    uint64_t serial;
} lnats_batch;

/* user values: 1 the callbacks' subscriptions by sid, 2 the function of on_event */
typedef struct lnats_client {
    const lnats_kind *kind;
    nats_client *client; /* NULL once collected */
    lnats_batch shared;
    lnats_batch callbacks;
    int64_t drain_timeout_ms; /* what -1 means, for calls that go on after a signal */
    bool stop;    /* run shall end */
    bool filling; /* dispatch waits for messages: a hook that calls stop must wake it */
    bool ended;   /* some subscription with a callback may be over */
    bool closed;  /* by the script */
    bool opening; /* connect waits, and a function supplies credentials */
} lnats_client;

/* user values: 1 the client, 2 the callback */
typedef struct lnats_sub {
    const lnats_kind *kind;
    nats_sub *sub;
    lnats_batch batch;
    uint64_t sid;
} lnats_sub;

/* What a verb of JetStream gives for a reply: msg is in a box of the caller's, about the index of
 * user value 2. Returns the number of results. */
typedef int lnats_give(lua_State *L, nats_msg *msg, int about);

/* user values: 1 the client, 2 what give needs */
typedef struct lnats_future {
    const lnats_kind *kind;
    nats_future *future;
    lnats_batch batch;
    lnats_give *give; /* NULL: the reply itself, as a message */
    uint8_t *acks;    /* of the message (user value 2) that is acknowledged: open again if it fails */
    bool goal;   /* it gives no message, but true at its end */
    bool drains; /* the client */
} lnats_future;

typedef struct lnats_proto {
    const lnats_kind *kind;
    nats_proto *proto;
    lnats_batch batch;
} lnats_proto;

/* user value: 1 the client */
typedef struct lnats_js {
    const lnats_kind *kind;
    nats_js *js;
} lnats_js;

/* user values: 1 the jetstream, 2 its name, 3 what was told of it last, or nil */
typedef struct lnats_stream {
    const lnats_kind *kind;
} lnats_stream;

/* user values: as a stream's, and 4 the name of its stream; of an ordered one 5 the subscription that
 * fetch and next share, 6 the config that was asked for */
typedef struct lnats_consumer {
    const lnats_kind *kind;
    bool ordered;
} lnats_consumer;

/* ---- lnats.c: what all nouns use ---- */

/* The userdata of that kind at arg, or NULL. In the header because every verb begins with it. */
static inline void *lnats_test(lua_State *L, int arg, const lnats_kind *kind)
{
    void *found = lua_touserdata(L, arg);
    /* A light userdata has length 0, so nothing is read that is not there. */
    if (found == NULL || lua_rawlen(L, arg) < kind->size || *(const lnats_kind **)found != kind) {
        return NULL;
    }
    return found;
}

/* The same, but raises a type error when it is none. */
void *lnats_check(lua_State *L, int arg, const lnats_kind *kind);
/* A new userdata of that kind, zeroed, with its metatable, on the stack. */
void *lnats_new(lua_State *L, const lnats_kind *kind, int user_values);
/* A metatable for kind, on the stack: meta goes into it; methods go into its __index table, each
 * with the message metatable as upvalue 1. */
void lnats_type(lua_State *L, const lnats_kind *kind, const luaL_Reg *methods,
                const luaL_Reg *meta);
/* nil, text, code and what it is about, for a call that just failed; behind them JetStream's err_code,
 * the server's code and its words when there are any. Returns how many: 4, or 7. */
int lnats_fail(lua_State *L, nats_status status);
/* The same with a text of our own. Returns 4. */
int lnats_fail_text(lua_State *L, nats_status status, const char *text, const char *about);
/* true, or lnats_fail(). */
int lnats_done(lua_State *L, nats_status status);
/* A box on the stack that releases what is put into it when it is collected, or dropped. */
void **lnats_box(lua_State *L, void (*release)(void *));
/* Release now what the box at index holds. */
void lnats_box_drop(lua_State *L, int index);
/* What tostring() gives: "nats.client: 0x…" and detail in brackets. Returns 1. */
int lnats_tostring(lua_State *L, const lnats_kind *kind, const void *at, const char *detail);

/* ---- lwait.c: time ---- */

typedef struct lnats_wait {
    int64_t ms;          /* what is left, as the library takes it; -1 for ever */
    int64_t deadline_ns; /* of the monotonic clock, INT64_MAX for ever */
    lua_Hook hook;       /* of the main thread when the wait began */
} lnats_wait;

int64_t lnats_now_ns(void);
/* Seconds to ms, rounded up so that a short wait is not none. nil gives fallback; infinity a time
 * that nobody lives to see, for -1 may stand for the client's default. what names the argument in
 * errors. */
int64_t lnats_seconds(lua_State *L, int arg, const char *what, int64_t fallback);
/* ms as seconds, or nil for -1, on the stack. */
void lnats_push_seconds(lua_State *L, int64_t ms);
void lnats_wait_start(lua_State *L, lnats_wait *wait, int64_t ms);
/* The same for calls where -1 is the client's default, which is fallback_ms as far as this
 * module knows. */
void lnats_wait_default(lua_State *L, lnats_wait *wait, int64_t ms, int64_t fallback_ms);
/* Set wait->ms to what is left. */
void lnats_wait_left(lnats_wait *wait);
/* True when status says that a signal interrupted the call: then the pending hooks have run
 * (they may have raised an error) and wait->ms is what is left. */
bool lnats_wait_again(lua_State *L, lnats_wait *wait, nats_status status);

/* ---- loptions.c: tables of options ---- */

/* Check that arg is nil or a table with no other keys than names (NULL at the end). Returns
 * whether it is a table. An unknown key raises an error naming it and the nearest name. */
bool lnats_table(lua_State *L, int arg, const char *verb, const char *const *names);
/* Its entries; arg is known to be a table. Each raises an error naming the option. */
int64_t lnats_table_int(lua_State *L, int arg, const char *name, int64_t least, int64_t fallback);
int64_t lnats_table_seconds(lua_State *L, int arg, const char *name, int64_t fallback);
/* After how many messages a subscription ends: a number at arg, or { after = … }; 0: now. */
uint64_t lnats_after(lua_State *L, int arg);
bool lnats_table_bool(lua_State *L, int arg, const char *name);
/* A text, left on the stack to keep it alive; NULL when it is not there (nil is left). */
const char *lnats_table_text(lua_State *L, int arg, const char *name, size_t *len_out);
/* Fill options from the table at arg (nil: nothing). */
nats_status lnats_options_fill(lua_State *L, int arg, nats_options *options);
/* New options in a box on the stack. */
nats_options *lnats_options_push(lua_State *L);
int lnats_options_list(lua_State *L);

/* ---- lheaders.c ---- */

/* Headers from the option "headers" of the table at arg, in a box; NULL, and nil, when there is
 * none. Always pushes one value. *status_out: what the library said of a key or a value. */
nats_headers *lnats_headers_push(lua_State *L, int arg, nats_status *status_out);
/* Empty ones in a box on the stack. */
nats_headers *lnats_headers_empty(lua_State *L);
/* On the stack: a table whose pairs() keeps the order in which keys were added with the next
 * call. */
void lnats_header_map_push(lua_State *L);
void lnats_header_map_add(lua_State *L, const char *key, size_t key_len, const char *value,
                          size_t value_len);

/* ---- lmsg.c ---- */

/* Move the batch's next message to the stack. mt, owner: absolute or upvalue indices of the
 * message metatable and of what respond() publishes through. False, and nothing pushed, when the
 * batch is empty. */
bool lnats_batch_push(lua_State *L, lnats_batch *batch, int mt, int owner);
/* Room for count messages; raises an error when there is no memory. Drops nothing. */
void lnats_batch_room(lua_State *L, lnats_batch *batch, size_t count);
/* Free what waits. */
void lnats_batch_clear(lnats_batch *batch);
/* Free what waits and the batch's memory. */
void lnats_batch_free(lnats_batch *batch);
/* Put one owned message into an empty batch that has room. */
void lnats_batch_put(lnats_batch *batch, nats_msg *msg);
/* Take it out again: the caller's. NULL when it was taken meanwhile. */
nats_msg *lnats_batch_take(lnats_batch *batch);

/* A message of its own, which stays the caller's, on the stack; owner as above. */
void lnats_msg_push(lua_State *L, const nats_msg *msg, int owner);

/* The sid of the message at index. */
uint64_t lnats_msg_sid(lua_State *L, int index);

typedef nats_status lnats_take(void *handle, size_t max, int64_t wait_ms, nats_msg **msgs,
                               size_t *count_out);
/* Fill the batch, if nothing waits in it, with at most max messages. */
nats_status lnats_batch_fill(lua_State *L, lnats_batch *batch, lnats_take *take, void *handle,
                             size_t max, lnats_wait *wait);
/* A list of at most max messages. Returns the number of results: the list, or nil and why. */
int lnats_batch_list(lua_State *L, lnats_batch *batch, lnats_take *take, void *handle, size_t max,
                     int64_t wait_ms, int owner);
/* The arguments of get and dispatch: a table with max and wait, or nil. */
void lnats_get_args(lua_State *L, int arg, const char *verb, size_t *max_out, int64_t *wait_ms_out);
/* What acknowledging the message at index needs. acks: NATS_ACK_STATE_…, to be changed. */
typedef struct lnats_acked {
    const char *reply;
    size_t reply_len;
    uint8_t *acks;
} lnats_acked;
void lnats_msg_acked(lua_State *L, int index, lnats_acked *out);
void lnats_msg_open(lua_State *L);

/* ---- the nouns ---- */

lnats_client *lnats_client_check(lua_State *L, int arg);
void lnats_client_open(lua_State *L);
int lnats_connect(lua_State *L);
int lnats_connect_start(lua_State *L);
/* What was under way has arrived, at the client at index: closed, if nothing waits to be taken. */
void lnats_client_drained(lua_State *L, int index);
/* The servers named at arg: "a,b" of { "a", "b" }, a string as it is, NULL for nil. Pushes one
 * value. */
const char *lnats_servers_push(lua_State *L, int arg);

/* An empty subscription's userdata, with the client and the callback (or nil) at these indices. */
lnats_sub *lnats_sub_push(lua_State *L, int client, int callback);
/* The subscription at the top of the stack has callback's messages from now on: its client, at that
 * index, calls the callback. */
void lnats_sub_called(lua_State *L, int client);
/* Free its handle and what was taken from it. */
void lnats_sub_release(lnats_sub *sub);
nats_status lnats_sub_take(void *sub, size_t max, int64_t wait_ms, nats_msg **msgs,
                           size_t *count_out);
void lnats_sub_open(lua_State *L);

/* lcredentials.c */

/* Give the client at the index the function at the top (nil: none), which is popped. */
void lnats_credentials_set(lua_State *L, int client);
/* Its function, or nil, on the stack. */
void lnats_credentials_get(lua_State *L, int client);
/* If the client at the index is asked, call its function, which may raise. */
void lnats_credentials_answer(lua_State *L, int client);
void lnats_credentials_answer_all(lua_State *L);
int lnats_client_credentials(lua_State *L);

/* lcallback.c: methods of the client */
int lnats_client_dispatch(lua_State *L);
int lnats_client_run(lua_State *L);
int lnats_client_stop(lua_State *L);
int lnats_client_on_event(lua_State *L);
/* For drain: end the subscriptions that have callbacks, and call them with what was under way. */
nats_status lnats_callbacks_drain(lua_State *L, lnats_client *client, lnats_wait *wait);

int lnats_client_request(lua_State *L);
int lnats_client_request_start(lua_State *L);
int lnats_client_request_many(lua_State *L);
/* A future's userdata on the stack, before what it waits for has begun. client: its index. */
lnats_future *lnats_future_push(lua_State *L, int client);
/* Wait for the future at the top of the stack, whose own time ends it; it is done with then. Returns the
 * number of results. */
int lnats_future_finish(lua_State *L);
/* Wait for its next reply: nil when there are no more. */
int lnats_future_next(lua_State *L);
void lnats_future_open(lua_State *L);

#define LNATS_EVENT_NAME "nats.event" /* the metatable of all events' tables */
/* On the stack: the oldest event as a table, or nil when none came within the wait. */
nats_status lnats_event_take(lua_State *L, lnats_client *client, lnats_wait *wait);
void lnats_event_open(lua_State *L);
int lnats_client_next_event(lua_State *L);

int lnats_client_server_info(lua_State *L);
int lnats_client_info(lua_State *L);
int lnats_client_server_info_json(lua_State *L);
/* What take gives from its first argument, as a table or as its JSON text. Returns the number of
 * results. */
int lnats_info_push(lua_State *L, nats_status (*take)(void *, nats_info **), void *from, bool json);

int lnats_proto_create(lua_State *L);
/* The proto's handle at arg; raises an error when it is none. */
nats_proto *lnats_proto_handle(lua_State *L, int arg);
void lnats_proto_open(lua_State *L);

/* lsubject.c, lerror.c: tables on the stack */
void lnats_subject_table(lua_State *L);
void lnats_status_table(lua_State *L);

/* ---- ljson.c ---- */

/* The table at arg (nil: an empty one) as JSON, an object of that type (nats_js_key()), in a box on the
 * stack. What cannot be written raises an error that names it. */
const char *lnats_json_write(lua_State *L, int arg, const char *object, size_t *len_out);
/* A JSON text as a Lua value on the stack; nothing is pushed when it is none. */
nats_status lnats_json_read(lua_State *L, const char *text, size_t len);

/* ---- JetStream: ljs.c ---- */

/* A method that is one verb of JetStream's API: name waits, name_start gives a future. */
typedef struct lnats_verb {
    const char *name;
    const char *verb;
    /* The method's arguments: names of the verb's, in turn. "=": a table that is one by itself, of that
     * name; "?": it may be left out. Behind them comes a table of options: all others, and `timeout`. */
    const char *arguments;
    lnats_give *give;
} lnats_verb;

/* Methods into the table on the stack, of that kind of object. verbs end with a name of NULL. */
void lnats_verbs_set(lua_State *L, const lnats_kind *kind, const lnats_verb *verbs);
/* A field of a stream or a consumer: a user value, or 0 for the config of the third. */
typedef struct lnats_noun_field {
    const char *name;
    int user_value;
} lnats_noun_field;
/* Fields, which end with a name of NULL, into the metatable on the stack. */
void lnats_noun_fields(lua_State *L, const lnats_noun_field *fields);

/* A table of the verb's arguments, on the stack: the method's, from 2 on, by their names (as above), its
 * options, and what names the object at 1. Returns the option `timeout` in ms; -1: there is none. */
int64_t lnats_verb_arguments(lua_State *L, const lnats_verb *verb);
/* Begin a verb of the object at 1, arguments in the table at that index: a future on the stack. */
nats_status lnats_verb_start(lua_State *L, const char *verb, int arguments, int64_t timeout_ms,
                             lnats_give *give);
/* What verbs give: the answer as a table, true, the message that was got. */
int lnats_give_table(lua_State *L, nats_msg *msg, int about);
int lnats_give_true(lua_State *L, nats_msg *msg, int about);
int lnats_give_message(lua_State *L, nats_msg *msg, int about);
/* The answer is what the object at about was told last; the object itself, or the answer. */
int lnats_give_self(lua_State *L, nats_msg *msg, int about);
int lnats_give_info(lua_State *L, nats_msg *msg, int about);
/* A stream of the answer, a consumer of it: objects. */
int lnats_give_stream(lua_State *L, nats_msg *msg, int about);
int lnats_give_consumer(lua_State *L, nats_msg *msg, int about);

/* What a verb lists page by page. list: the name of the list in its answer; each: turns the element at the
 * top of the stack into what is given, for the object at about; NULL: the element itself. */
typedef struct lnats_listing {
    const char *verb;
    const char *list;
    void (*each)(lua_State *L, int about);
} lnats_listing;
/* A method that gives an iterator over it: the object at 1, a table of options at 2, of which `timeout` is for
 * each page. */
int lnats_pages_method(lua_State *L, const lnats_listing *listing);

/* The jetstream of the object at index (one itself, a stream's, a consumer's), on the stack. */
lnats_js *lnats_js_push(lua_State *L, int index);
lnats_js *lnats_js_check(lua_State *L, int arg);
int lnats_client_jetstream(lua_State *L);
void lnats_js_open(lua_State *L);

/* lstream.c, lconsumer.c. The name is at the top of the stack and is replaced by the object; about: what
 * lnats_js_push() takes; info: an index, 0 for none. */
void lnats_stream_push(lua_State *L, int about, int info);
void lnats_consumer_push(lua_State *L, int about, int stream, int info);
/* An ordered consumer on the stack, as the table at config says. */
void lnats_ordered_push(lua_State *L, int about, int stream, int config);
int lnats_js_consume(lua_State *L);
int lnats_js_consume_start(lua_State *L);
void lnats_stream_open(lua_State *L);
void lnats_consumer_open(lua_State *L);

/* Methods of the jetstream: lpublish.c, lpublisher.c, latomic.c */
int lnats_keywords_list(lua_State *L);
int lnats_js_publish(lua_State *L);
int lnats_js_publish_start(lua_State *L);
int lnats_js_publish_many(lua_State *L);
int lnats_js_publisher(lua_State *L);
int lnats_js_level_start(lua_State *L);
int lnats_js_batch(lua_State *L);
/* What the method's options at arg say of a message: its headers in a box, or nil, on the stack; NULL for
 * none. timeout_ms_out: NULL when the method has no such option. */
nats_headers *lnats_publish_options(lua_State *L, int arg, const char *verb,
                                    int64_t *timeout_ms_out, nats_status *status_out);
int lnats_give_ack(lua_State *L, nats_msg *msg, int about);
/* Payloads of the list at arg, each checked. */
size_t lnats_payloads_check(lua_State *L, int arg);
/* The list's payloads through the publisher. *first_out: the id of the first, *done_out: how many were
 * accepted. */
nats_status lnats_publisher_many(lua_State *L, nats_js_publisher *publisher, const char *subject,
                                 size_t subject_len, int list, uint64_t *first_out,
                                 size_t *done_out);
nats_status lnats_publisher_flush(lua_State *L, nats_js_publisher *publisher, int client,
                                  int64_t timeout_ms);
/* The list of failures that were not told yet, on the stack. */
/* { id=, text=, code=, about=, err_code=, server_code= } of this thread's last error, on the stack. */
void lnats_failure_push(lua_State *L, uint64_t id, nats_status status);
void lnats_publisher_failures(lua_State *L, nats_js_publisher *publisher);
void lnats_publisher_open(lua_State *L);
void lnats_atomic_open(lua_State *L);

/* lack.c: verbs of a message, into the table on the stack; and of the client */
void lnats_acks_set(lua_State *L);
int lnats_client_ack_many(lua_State *L);

#endif
