/* What the library tells as C structures, as Ruby's Hashes and Structs: for the wrappers. */
#ifndef NRB_FACTS_H
#define NRB_FACTS_H

#include "nrb.h"

/* values: in the order of the library, 0 where it has none. */
VALUE nrb_stats_hash(const uint64_t *values);
VALUE nrb_sub_stats_hash(const uint64_t *values);
/* These take the object over. */
VALUE nrb_info_hash(nats_info *info);
VALUE nrb_event_struct(nats_event *event);
VALUE nrb_client_status_symbol(int32_t status);
VALUE nrb_proto_state_symbol(int32_t state);
void nrb_facts_init(void);

#endif
