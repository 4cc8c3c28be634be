/* What every exported function on JetStream does first. */
#ifndef NATS_API_JETSTREAM_H
#define NATS_API_JETSTREAM_H

#include <polynats/jetstream.h>

#include "api/enter.h"

/* NATS_OK, or INVALID (NULL), FORKED, CLOSED: its client is. */
nats_status nats__enter_js(const nats_js *js);

#endif
