/* A session with a clock, a scripted server and what the tests of it say again and again. */
#ifndef TESTS_UNIT_SESSION_RIG_H
#define TESTS_UNIT_SESSION_RIG_H

#include <stdio.h>

#include "unit.h"

#include "proto/session.h"

enum { MS = 1000000, SECOND = 1000 * MS };

static const char info[] = "INFO {\"headers\":true,\"max_payload\":1000,\"nonce\":\"abc\"}\r\n";

typedef struct rig {
    nats__session *session;
    nats_options *options;
    nats__session_event event;
    int64_t now;
} rig;

static inline void set(rig *self, const char *name, const char *value)
{
    if (self->options == NULL) {
        assert_int_equal(nats_options_new(&self->options), NATS_OK);
        assert_int_equal(nats_options_set_bool(self->options, "no_randomize", 1), NATS_OK);
    }
    assert_int_equal(nats_options_set_text(self->options, name, value, NATS_Z), NATS_OK);
}

static inline void begin_seeded(rig *self, const char *urls, const char *seed)
{
    self->now = SECOND;
    set(self, "no_randomize", "true");
    assert_int_equal(nats__session_new(urls, self->options, seed, strlen(seed), &self->session),
                     NATS_OK);
}

static inline void begin(rig *self, const char *urls)
{
    begin_seeded(self, urls, "session");
}

static inline void end(rig *self)
{
    nats__session_free(self->session);
    nats_options_free(self->options);
}

static inline void feed(rig *self, const char *bytes)
{
    nats__parser *parser = nats__session_parser(self->session);
    uint8_t *space;
    size_t len = strlen(bytes);
    assert_true(nats__parser_reserve_all(parser, len, &space));
    memcpy(space, bytes, len);
    nats__parser_commit(parser, len);
}

/* The type of the next event, 0 for none. */
static inline int32_t next(rig *self)
{
    memset(&self->event, 0, sizeof self->event);
    bool any = nats__session_next(self->session, self->now, &self->event);
    return any ? self->event.type : 0;
}

static inline void assert_next(rig *self, int32_t type)
{
    assert_int_equal(next(self), type);
}

static inline void assert_state(rig *self, int32_t state)
{
    assert_int_equal(nats__session_state(self->session), state);
}

/* All that is to be sent, taken. */
static inline void assert_out(rig *self, const char *wanted)
{
    nats__buf *out = nats__session_out(self->session);
    assert_bytes(out->data, out->len, wanted, strlen(wanted));
    out->len = 0;
}

/* From DIALING to the first event after it. */
static inline void shake_hands(rig *self)
{
    assert_state(self, NATS_PROTO_STATE_DIALING);
    assert_int_equal(nats__session_transport_up(self->session, self->now), NATS_OK);
    feed(self, info);
    assert_next(self, 0);
    assert_state(self, NATS_PROTO_STATE_WAITING_PONG);
    nats__session_out(self->session)->len = 0;
    feed(self, "PONG\r\n");
}

static inline void connect_first(rig *self)
{
    assert_int_equal(nats__session_start(self->session, self->now), NATS_OK);
    assert_next(self, NATS_PROTO_DIAL);
    shake_hands(self);
    assert_next(self, NATS_PROTO_CONNECTED);
}

static inline void begin_connected(rig *self)
{
    begin(self, "nats://a");
    connect_first(self);
    assert_out(self, "");
}

static inline void lose(rig *self)
{
    nats__session_failed(self->session, NATS_ERR_IO, "gone", self->now);
}

static inline nats__subrec record(const char *subject)
{
    return (nats__subrec){.subject = (char *)subject, .subject_len = strlen(subject), .queue = ""};
}

#endif
