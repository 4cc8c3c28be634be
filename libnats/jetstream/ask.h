/* What a verb with its arguments asks of the server: subjects and payloads. */
#ifndef NATS_JETSTREAM_ASK_H
#define NATS_JETSTREAM_ASK_H

#include "jetstream/js.h"
#include "jetstream/keys.h"
#include "json/json.h"

/* A request; freed by nats__js_ask_free(). */
typedef struct nats__js_ask {
    nats__buf subject;
    nats__buf body;
} nats__js_ask;

void nats__js_ask_free(nats__js_ask *ask);
nats__frame nats__js_ask_frame(const nats__js_ask *ask);

/* The verb's own request. arguments: as nats__js_shape() gave them. False when memory is out; so are
 * the next ones. */
bool nats__js_ask_verb(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                       const nats__json *arguments);
/* What its flow asks besides: to make a stream, to look at one or at a consumer. */
bool nats__js_ask_create(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                         const nats__json *arguments);
bool nats__js_ask_info(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                       const nats__json *arguments);
/* A message by direct get. */
bool nats__js_ask_direct(nats__js_ask *ask, const nats_js *js, const nats__json *arguments);
/* An update to what stream_info answered, with what the verb and its arguments have new. */
bool nats__js_ask_change(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                         const nats__json *arguments, const nats__json *info);
/* "INFO", of the account. */
bool nats__js_ask_account(nats__js_ask *ask, const nats_js *js);

/* Make (action "create"), change ("update") or have ("") a consumer. config: NULL, or as
 * nats__js_shape() gave it; ack_policy is explicit where it does not say. name: of a consumer whose
 * config has none. */
bool nats__js_ask_consumer(nats__js_ask *ask, const nats_js *js, const char *stream,
                           const nats__json *config, const char *name, const char *action,
                           bool pedantic);

/* The name that a consumer's config gives; NULL: none. */
const char *nats__js_consumer_name(const nats__json *config);

#endif
