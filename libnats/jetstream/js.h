/* JetStream on a client: what the files of this folder share. */
#ifndef NATS_JETSTREAM_JS_H
#define NATS_JETSTREAM_JS_H

#include <polynats/jetstream.h>

#include "client/conn.h"
#include "json/json.h"

enum {
    NATS__JS_TIMEOUT_MS = 5000, /* what nats.go and cnats wait for an answer */
    NATS__JS_SEEN_MAX = 64,     /* streams and consumers of which something is known */
    NATS__JS_PIN_MAX = 64,      /* bytes of a pin's id: the server's have 22 */
    NATS__JS_NAME_MAX = 255     /* bytes of a stream's or consumer's name: the server's own limit */
};

/* A longer time does not end before the machine does, and would not fit in ns with others added to it. */
#define NATS__JS_TIME_MAX_NS (INT64_MAX / 8)

static inline int64_t nats__js_time(int64_t ns)
{
    return ns < NATS__JS_TIME_MAX_NS ? ns : NATS__JS_TIME_MAX_NS;
}

/* What somebody's answer told of a stream, or of a consumer that pulls. */
typedef struct nats__js_seen {
    char *name; /* of a stream, or "<stream>.<consumer>"; NULL: none */
    int64_t at_ns;
    bool direct;            /* a stream: it allows direct get */
    int64_t expires_max_ns; /* a consumer: of a request; 0: any */
    char pin[NATS__JS_PIN_MAX + 1]; /* likewise: by which who fetches is known to it (ADR-42); "": none */
} nats__js_seen;

/* The handle of the user holds one reference, and so does each call, subscription and publisher under
 * way that needs more of it than its client. */
struct nats_js {
    nats_client *client; /* referenced by the handle; who else uses it has a reference of its own */
    atomic_uint refs;
    int64_t timeout_ms;
    size_t prefix_len;
    int32_t level;   /* of the server's API; guarded by the connection's mu, as is the next */
    uint64_t level_epoch; /* of the connection that it was asked on, counted from 1; 0: not yet */
    nats__js_seen seen[NATS__JS_SEEN_MAX]; /* so is this; the next one to be replaced: */
    size_t seen_next;
    char prefix[];   /* "$JS.API.", NUL-terminated */
};

nats_status nats__js_new(nats_client *client, const char *domain, const char *prefix,
                         int64_t timeout_ms, nats_js **out);
void nats__js_ref(nats_js *js);
void nats__js_unref(nats_js *js);

/* -1 stands for the handle's own. Errors: INVALID (below that). */
nats_status nats__js_timeout(const nats_js *js, int64_t *timeout_ms);

/* How is this stream read? False: not known, or not of late. mu held, as below. */
bool nats__js_direct_known(nats_js *js, const char *stream, int64_t now_ns, bool *direct_out);
void nats__js_direct_learn(nats_js *js, const char *stream, bool direct, int64_t now_ns);
/* What is known of a consumer; NULL: nothing, or nothing of late. */
const nats__js_seen *nats__js_consumer_known(nats_js *js, const char *stream, const char *consumer,
                                             int64_t now_ns);
/* config: as the server told it; NULL: it does not tell, and is not to be asked again at once. */
void nats__js_consumer_learn(nats_js *js, const char *stream, const char *consumer,
                             const nats__json *config, int64_t now_ns);
/* All fetches of a handle are one client of a priority group: the pin that one was given goes with the next. "":
 * none. */
const char *nats__js_pin(nats_js *js, const char *stream, const char *consumer);
/* pin: "" when it is another client's by now. */
void nats__js_pin_learn(nats_js *js, const char *stream, const char *consumer, const char *pin);
/* What is known of its configuration is wrong by now. */
void nats__js_consumer_doubt(nats_js *js, const char *stream, const char *consumer);
/* consumer NULL: all of the stream. */
void nats__js_consumer_forget(nats_js *js, const char *stream, const char *consumer);

/* out: "$JS.API.", then what follows. False when memory is out. */
bool nats__js_subject(const nats_js *js, nats__buf *out, const char *rest);

#endif
