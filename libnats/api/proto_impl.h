/* The inside of a nats_proto, shared by its files. */
#ifndef NATS_API_PROTO_IMPL_H
#define NATS_API_PROTO_IMPL_H

#include <polynats/proto.h>

#include "base/error.h"
#include "proto/outbox.h"
#include "proto/session.h"

struct nats_proto {
    nats__session *session;
    nats__outbox box;
    nats__session_event event; /* the one taken last */
    nats_msg *msg;             /* its message, until it is taken */
    uint64_t lost;
    uint64_t unconfirmed;
    int64_t now_ns; /* of the last call that brought a time */
    nats__subrec *done; /* the subscription whose SUB_DONE comes next */
    uint64_t over;      /* publishes that the server does not take: the ERROR that comes next */
    char text[128];     /* of that ERROR */
    uint64_t pongs_gate; /* once so many bytes are written, PONGs may be added anew */
    bool ended;          /* the end of the bytes has come, and they are not all read yet */
};

static inline nats_status nats__proto_null(const char *name)
{
    return nats__fail(NATS_ERR_INVALID, name, "%s is NULL", name);
}

#endif
