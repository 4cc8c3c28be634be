/* Waiting under a Fiber scheduler, by futures of the library. These raise. */
#ifndef NRB_GOAL_H
#define NRB_GOAL_H

#include "nrb.h"

/* Is this a fiber that lets others run while it waits? */
bool nrb_has_scheduler(void);

/* As the library's functions of these names. A fiber that is stopped meanwhile gives up: a client
 * that was to be made is not, a drain has ended its subscriptions. */
nats_client *nrb_goal_connect(const char *url, const nats_options *options);
void nrb_goal_flush(nats_client *client, int64_t ms);
void nrb_goal_drain(nats_client *client, int64_t ms);
void nrb_goal_close(nats_client *client);
/* client: the subscription's. */
void nrb_goal_drain_sub(nats_client *client, nats_sub *sub, int64_t ms);

#endif
