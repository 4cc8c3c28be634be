/* What a session knows, for those who own it. */
#include "proto/session_impl.h"

nats__buf *nats__session_out(nats__session *session)
{
    return &session->out;
}

nats__parser *nats__session_parser(nats__session *session)
{
    return &session->parser;
}

const nats_options *nats__session_options(const nats__session *session)
{
    return &session->options;
}

nats__pool *nats__session_pool(nats__session *session)
{
    return &session->pool;
}

nats__rng *nats__session_rng(nats__session *session)
{
    return &session->rng;
}

bool nats__session_first_round_over(const nats__session *session)
{
    return !session->connected_once && session->first_failures >= session->pool.count;
}

void nats__session_expect_signature(nats__session *session, bool expect)
{
    session->expect_signature = expect;
}

int32_t nats__session_state(const nats__session *session)
{
    return session->state;
}

const nats_info *nats__session_info(const nats__session *session)
{
    return session->info;
}

size_t nats__session_max_payload(const nats__session *session)
{
    int64_t option = nats__opt(&session->options, NATS__OPT_max_payload);
    int64_t server =
        session->info != NULL ? session->info->max_payload : NATS__MAX_PAYLOAD_DEFAULT;
    return (size_t)(option > 0 && option < server ? option : server);
}

void nats__session_expect_answers(nats__session *session, uint64_t sid)
{
    session->parser.answer_sid = sid;
}

uint64_t nats__session_stray_msgs(const nats__session *session)
{
    return session->stray;
}

int64_t nats__session_attempt_deadline_ns(const nats__session *session)
{
    return session->attempt_deadline_ns;
}
