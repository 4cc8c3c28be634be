/* Where a message of JetStream has its place: in its stream, and among what a consumer delivered. A
 * delivered message tells by its reply subject (ADR-1, ADR-15), one that was got from the stream,
 * or republished, by its headers (ADR-31). Nothing is copied: texts point into the message. */
#ifndef NATS_JETSTREAM_PLACE_H
#define NATS_JETSTREAM_PLACE_H

#include <polynats/msg.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct nats__place {
    uint64_t stream_seq;
    uint64_t consumer_seq;
    uint64_t delivered;
    uint64_t pending;
    uint64_t time_ns;
    const char *stream;
    const char *consumer;
    const char *domain;
    size_t stream_len;
    size_t consumer_len;
    size_t domain_len;
} nats__place;

/* Read an ack subject: $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.
 * <pending>, or with <domain>.<account hash> behind the second token and any number of tokens at
 * the end. False when it is none; any bytes are safe to ask about. */
bool nats__place_parse(const char *reply, size_t len, nats__place *out);
/* The same of a message, by its reply subject or its headers. */
bool nats__place_of(const nats_msg *msg, nats__place *out);
/* Is its reply subject one to acknowledge by? */
bool nats__place_acks(const nats_msg *msg);

#endif
