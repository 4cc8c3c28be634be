/* What the library tells as C structures, as Ruby's Hashes and Structs: for the wrappers. */
#ifndef NRB_FACTS_H
#define NRB_FACTS_H

#include "nrb.h"

VALUE nrb_stats_hash(nats_client *client);
VALUE nrb_sub_stats_hash(nats_sub *sub);
/* These take the object over. */
VALUE nrb_info_hash(nats_info *info);
VALUE nrb_info_json(nats_info *info);
VALUE nrb_event_struct(nats_event *event);
VALUE nrb_proto_event(nats_proto *proto);
VALUE nrb_proto_take(nats_proto *proto, size_t max, int64_t now_ns);
const char *nrb_proto_state_name(int32_t state);
VALUE nrb_proto_server_list(nats_proto *proto);
VALUE nrb_options_list(void);
void nrb_facts_init(void);

#endif
