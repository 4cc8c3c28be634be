/* What the hand-written part of the Ruby extension shares: how it raises, waits and wraps.
 *
 * SWIG writes the wrappers of the verbs that are seldom called (swig/ruby.i). By hand are the ones
 * that must be quick, and all that is Ruby's own: objects and their marking, errors, the GVL, the
 * Fiber scheduler. Nothing here knows the NATS protocol. */
#ifndef NRB_H
#define NRB_H

#include <stdbool.h>

#include <ruby.h>

#include <polynats/client.h>
#include <polynats/proto.h>
#include <polynats/subject.h>
#include <polynats/version.h>

/* Longest error text and name that are carried from one thread to another. */
enum { NRB_TEXT_MAX = 512, NRB_ABOUT_MAX = 128, NRB_SAID_MAX = 256 };
/* More counters than the library has. */
enum { NRB_STATS_MAX = 64 };
/* Buffer for an inbox: a prefix of 512 bytes, the longest there is, and the unique rest. */
enum { NRB_INBOX_SIZE = 1024 };

/* ---- modules and classes ---- */

extern VALUE nrb_module;
extern VALUE nrb_client_class;
extern VALUE nrb_sub_class;
extern VALUE nrb_future_class;
extern VALUE nrb_proto_class;
extern VALUE nrb_msg_class;

/* ---- error.c ---- */

void nrb_error_init(void);
/* The class of Polynats::Error that a status stands for. */
VALUE nrb_error_class(nats_status status);
NORETURN(void nrb_raise(nats_status status, const char *text, const char *about));
/* What this thread's last call failed with, as an exception. */
VALUE nrb_error_last(nats_status status);
/* Raise what this thread's last call failed with. */
NORETURN(void nrb_raise_last(nats_status status));
/* INVALID about an argument. */
NORETURN(void nrb_invalid(const char *about, const char *format, ...));
static inline void nrb_check(nats_status status)
{
    if (RB_UNLIKELY(status != NATS_OK)) {
        nrb_raise_last(status);
    }
}

/* ---- wait.c: calls that wait, made without the GVL ---- */

/* One piece of waiting: called again after INTERRUPTED. It must not touch Ruby. */
typedef nats_status (*nrb_step)(void *arg);

typedef struct nrb_call {
    nrb_step step;
    /* An exception comes in place of the result: give back what was got, if anything was. May be
     * NULL. Has the GVL. */
    void (*undo)(void *arg);
    void *arg;
    int64_t deadline_ns; /* INT64_MAX: for ever */
    nats_status status;
    bool done;
    bool poked;           /* stop waiting: there is something elsewhere */
    bool abandoned;       /* its fiber was told to stop; the thread that waits is about to */
    VALUE thread;         /* that waits */
    struct nrb_call *next; /* that waits for the same, see nrb_calls */
    char text[NRB_TEXT_MAX];
    char about[NRB_ABOUT_MAX];
    int32_t code;     /* of the server's answer, 0 for none */
    int32_t err_code; /* of JetStream's */
    char description[NRB_SAID_MAX]; /* the server's own words */
} nrb_call;

/* Those who wait at one object. What one of them got and could not keep goes to another, in order. */
typedef struct nrb_calls {
    nrb_call *first;
} nrb_calls;
void nrb_calls_add(nrb_calls *calls, nrb_call *call);
void nrb_calls_remove(nrb_calls *calls, nrb_call *call);
/* They look again what there is. */
void nrb_calls_poke(nrb_calls *calls);
/* Wait for those that are about to give back what they got. */
void nrb_calls_settle(nrb_calls *calls);

/* ms: as in C, -1 for ever; default_ms stands for -1 where the library has a default. */
void nrb_call_start(nrb_call *call, nrb_step step, void *arg, int64_t ms);
/* Run it to its end. Interrupts of Ruby's (signals, Thread#kill, Timeout) are raised from here; a
 * fiber with a scheduler lets the others run meanwhile. */
nats_status nrb_call_run(nrb_call *call);
/* The same, and raise what it failed with. */
void nrb_call_check(nrb_call *call);
NORETURN(void nrb_call_raise(const nrb_call *call));
VALUE nrb_call_error(const nrb_call *call);
/* What is left until the deadline, as C takes it. */
int64_t nrb_call_left_ms(const nrb_call *call);
int64_t nrb_now_ns(void);

/* ---- value.c: Ruby's values as C takes them ---- */

typedef struct nrb_text {
    const char *ptr;
    size_t len;
} nrb_text;

/* A string that nobody can change, whatever becomes of the one given; free for most. */
VALUE nrb_kept(VALUE string);
/* The same, and its bytes, for while we wait; nil, and *text as it was, for nil. */
VALUE nrb_keep(VALUE string, nrb_text *text);
/* What is found holds until Ruby runs again, as it may when another argument is read (a to_str, an
 * encoding that has to be loaded first): after that nrb_bytes_of() tells anew.
 * A text argument: UTF-8 whatever the string's encoding; nothing in it is lost or cut. *value is
 * replaced when it had to be converted, and must stay reachable. */
nrb_text nrb_text_of(VALUE *value, const char *what);
/* A payload: the bytes of a string as they are; nil is empty. */
nrb_text nrb_data_of(VALUE *value, const char *what);
/* The bytes of a string, or of nil, as they are now. */
nrb_text nrb_bytes_of(VALUE value);
/* Seconds as milliseconds; nil is fallback. */
int64_t nrb_seconds(VALUE value, const char *what, int64_t fallback);
/* A whole number of 0 or more; nil is fallback. */
uint64_t nrb_count(VALUE value, const char *what, uint64_t fallback);
/* The values of the keywords `names` (count of them), or Qnil; an unknown one is an ArgumentError.
 * Takes the keywords off argc. */
void nrb_keywords(int *argc, const VALUE *argv, int count, const ID *names, VALUE *values);
/* What is left of the arguments stands for these, in their order: next(1) is next(timeout: 1). */
void nrb_placed(int argc, const VALUE *argv, int count, VALUE *values);
int64_t nrb_integer(VALUE value, const char *what);
int32_t nrb_small(VALUE value, const char *what);
/* A text for C, without a NUL in it. */
const char *nrb_words_of(VALUE *value, const char *what);
/* A status by its name ("TIMEOUT", :TIMEOUT) or number. */
nats_status nrb_status_of(VALUE value);
int64_t nrb_clock_of(VALUE value);             /* seconds as ns */
VALUE nrb_str(const char *ptr, size_t len);    /* UTF-8, frozen */
VALUE nrb_word(const char *text);              /* the same up to the NUL; NULL is nil */
VALUE nrb_binary(const void *ptr, size_t len); /* ASCII-8BIT, frozen */

/* Headers as C takes them: NULL for nil. *box keeps them until it is freed or forgotten. */
const nats_headers *nrb_headers_of(VALUE headers, VALUE *box);
void nrb_headers_free(VALUE box);
void nrb_value_init(void);

/* ---- handle.c: objects that hold a handle ---- */

/* What the clients of one connection have published since one of them looked whether a publish would
 * wait. */
typedef struct nrb_meter {
    size_t refs;
    size_t bytes;
} nrb_meter;

typedef struct nrb_client {
    nats_client *client;
    nrb_meter *meter;
    /* What was taken for calls which exceptions ended: Arrays, or nil. */
    VALUE events;
    VALUE stash;
    VALUE callback_stash;
    nrb_calls calls;
    nrb_calls callback_calls;
} nrb_client;

typedef struct nrb_sub {
    nats_sub *sub;
    VALUE client;
    bool shared; /* the client's get() offers its messages too: the client's stash holds them */
    VALUE stash; /* when not */
    nrb_calls calls;
} nrb_sub;

typedef struct nrb_future {
    nats_future *future;
    VALUE client;
    nats_msg *msg; /* that was taken for a call which an exception ended, or NULL */
    bool busy;     /* a thread waits: another one may not */
    bool many;     /* it may give several */
    bool given;    /* it has given one */
    bool cancelled;
} nrb_future;

/* What an object of this type holds, or a TypeError: rb_check_typeddata() where it is not plain. */
static inline void *nrb_object_get(VALUE object, const rb_data_type_t *type)
{
    bool plain = RB_TYPE_P(object, T_DATA) && RTYPEDDATA_P(object) &&
                 RTYPEDDATA_TYPE(object) == type;
    return RB_LIKELY(plain) ? DATA_PTR(object) : rb_check_typeddata(object, type);
}
nrb_client *nrb_client_get(VALUE self);
nrb_sub *nrb_sub_get(VALUE self);
nrb_future *nrb_future_get(VALUE self);
nats_proto *nrb_proto_get(VALUE self);
/* Objects first, handles second: what Ruby could not allocate never leaks. */
VALUE nrb_client_new(void);
VALUE nrb_client_new_like(VALUE other); /* on the same connection */
VALUE nrb_sub_new(VALUE client);
VALUE nrb_future_new(VALUE client);
VALUE nrb_proto_new(nats_proto *proto);
void nrb_handle_init(void);

/* ---- message.c ---- */

/* The messages of one call, as Ruby objects in a list. owner: the client they came by, or nil. */
VALUE nrb_msgs_list(nats_msg **msgs, size_t count, VALUE owner, VALUE list);
VALUE nrb_msg_new(nats_msg *msg, VALUE owner);
const nats_msg *nrb_msg_get(VALUE object);
nats_msg *nrb_msg_own(VALUE object); /* to be acknowledged */
VALUE nrb_msg_owner(VALUE object); /* the client it came by, or nil */
void nrb_message_init(void);

/* ---- publish.c, receive.c, request.c ---- */

void nrb_init(VALUE module);
void nrb_publish_init(void);
void nrb_receive_init(void);
void nrb_request_init(void);
void nrb_connect_init(void);
void nrb_waiting_init(void);
void nrb_js_init(void); /* jetstream.c, and what is beside it */
/* May a publish of so many bytes keep the GVL? It may when it cannot have to wait. */
bool nrb_client_has_room(nrb_client *client, size_t len);

#endif
