/* The library's calls that wait, under the names and with the arguments they have there, made as
 * Ruby makes them: swig/ruby.i lets the wrappers that SWIG writes call these. They raise. */
#ifndef NRB_WAITING_H
#define NRB_WAITING_H

#include "nrb.h"

nats_status nrb_client_close(nats_client *client);
nats_status nrb_client_drain(nats_client *client, int64_t timeout_ms);
nats_status nrb_client_flush(nats_client *client, int64_t timeout_ms);
nats_status nrb_client_rtt(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out);
nats_status nrb_sub_unsubscribe(nats_sub *sub, uint64_t after);
nats_status nrb_client_unsubscribe(nats_client *client, uint64_t sid, uint64_t after);
nats_status nrb_client_unsubscribe_subject(nats_client *client, const char *subject,
                                           size_t subject_len, uint64_t after, size_t *count_out);

#endif
