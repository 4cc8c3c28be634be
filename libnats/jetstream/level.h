/* What the server can do: the level of its API (ADR-44). */
#ifndef NATS_JETSTREAM_LEVEL_H
#define NATS_JETSTREAM_LEVEL_H

#include "jetstream/js.h"
#include "jetstream/shape.h"

/* mu held, but for the last. */

/* Was it asked on this connection? What is not needed need not be known. */
bool nats__js_level_known(const nats_js *js, const nats__conn *conn, const nats__js_needs *needs);
/* Take it from the answer to "INFO" of the account; NULL: there was none, and requests go on without
 * it. */
void nats__js_level_learn(nats_js *js, const nats__conn *conn, const nats__json *info);
/* NATS_OK or NOT_SUPPORTED: the server lacks what is needed. */
nats_status nats__js_level_check(const char *what, const nats_js *js, const nats__conn *conn,
                                 const nats__js_needs *needs);

/* The same before what is sent without an answer that could be compared: a server that passes over what it does
 * not know would keep it for good. Where nobody told the level, the version of the server is looked at. */
nats_status nats__js_level_check_publish(const nats_js *js, const nats__conn *conn,
                                         const nats__js_needs *needs);
/* The answer to "INFO"; NULL: it is an error, or nobody answered. */
nats__json *nats__js_level_read(const nats_msg *msg);

/* The version of the server that we are connected to, "2.15.2". */
const char *nats__js_server_version(const nats__conn *conn);
/* Is it older than "2.10"? */
bool nats__js_server_below(const nats__conn *conn, int major, int minor, int patch);

/* learn.c: ask for it. The future has no reply; when it has ended well, the level is known on this connection, or
 * that nobody tells. One that was known before has ended already. mu not held. */
nats_status nats__js_learn_start(nats_js *js, int64_t timeout_ms, nats_future **out);

#endif
