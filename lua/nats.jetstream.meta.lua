---@meta
-- Annotations for LuaLS: JetStream. nats.meta.lua has the rest.
-- What fails at run time returns nil, text, code, about, err_code, server_code, description.

---@class nats.StreamConfig in the server's own schema; durations are seconds (or text), times seconds since 1970 (or text)
---@field name string
---@field description? string
---@field subjects? string[]
---@field retention? "limits"|"interest"|"workqueue"
---@field storage? "file"|"memory"
---@field discard? "old"|"new"
---@field discard_new_per_subject? boolean
---@field num_replicas? integer
---@field max_msgs? integer
---@field max_bytes? integer
---@field max_age? number|string
---@field max_msg_size? integer
---@field max_consumers? integer
---@field max_msgs_per_subject? integer
---@field no_ack? boolean
---@field duplicate_window? number|string
---@field placement? table
---@field mirror? table
---@field sources? table[]
---@field sealed? boolean
---@field deny_delete? boolean
---@field deny_purge? boolean
---@field allow_rollup_hdrs? boolean
---@field allow_direct? boolean
---@field mirror_direct? boolean
---@field republish? table
---@field subject_transform? table
---@field compression? "none"|"s2"
---@field first_seq? integer
---@field consumer_limits? table
---@field metadata? table<string, string>
---@field allow_msg_ttl? boolean
---@field subject_delete_marker_ttl? number|string
---@field allow_msg_counter? boolean
---@field allow_atomic? boolean
---@field allow_msg_schedules? boolean
---@field persist_mode? "default"|"async"
---@field allow_batched? boolean
---@field template_owner? string

---@class nats.ConsumerConfig likewise
---@field name? string
---@field durable_name? string
---@field description? string
---@field deliver_policy? "all"|"last"|"new"|"by_start_sequence"|"by_start_time"|"last_per_subject"
---@field opt_start_seq? integer
---@field opt_start_time? number|string
---@field ack_policy? "none"|"all"|"explicit"|"flow_control"
---@field ack_wait? number|string
---@field max_deliver? integer
---@field backoff? (number|string)[]
---@field filter_subject? string
---@field filter_subjects? string[]
---@field replay_policy? "instant"|"original"
---@field rate_limit_bps? integer
---@field sample_freq? string
---@field max_waiting? integer
---@field max_ack_pending? integer
---@field flow_control? boolean
---@field idle_heartbeat? number|string
---@field headers_only? boolean
---@field max_batch? integer
---@field max_expires? number|string
---@field max_bytes? integer
---@field deliver_subject? string
---@field deliver_group? string
---@field inactive_threshold? number|string
---@field num_replicas? integer
---@field mem_storage? boolean
---@field direct? boolean
---@field sourcing? boolean
---@field metadata? table<string, string>
---@field pause_until? number|string
---@field priority_groups? string[]
---@field priority_policy? "none"|"overflow"|"pinned_client"|"prioritized"
---@field priority_timeout? number|string

---@class nats.OrderedConfig likewise
---@field filter_subject? string
---@field filter_subjects? string[]
---@field deliver_policy? "all"|"last"|"new"|"by_start_sequence"|"by_start_time"|"last_per_subject"
---@field opt_start_seq? integer
---@field opt_start_time? number|string
---@field replay_policy? "instant"|"original"
---@field headers_only? boolean
---@field inactive_threshold? number|string
---@field description? string
---@field metadata? table<string, string>

---@class nats.Ack
---@field stream string
---@field seq integer
---@field duplicate boolean
---@field domain string?
---@field value integer|string|nil of a counter; beyond 63 bits a text
---@field batch string?
---@field count integer?

---@class nats.PublishOptions
---@field headers? nats.Headers
---@field timeout? number not of a publisher's
---@field msg_id? string
---@field expect_stream? string
---@field expect_last_seq? integer
---@field expect_last_subject_seq? integer
---@field expect_last_subject_seq_subject? string
---@field expect_last_msg_id? string
---@field ttl? number|string
---@field rollup? string
---@field incr? integer|string
---@field schedule? string
---@field schedule_target? string
---@field schedule_ttl? number|string
---@field schedule_source? string
---@field schedule_time_zone? string
---@field schedule_rollup? string
---@field scheduler? string
---@field schedule_next? string
---@field required_api_level? integer

---@class nats.CallOptions
---@field timeout? number absent: that of the jetstream

---@class nats.ConfigOptions
---@field timeout? number absent: that of the jetstream
---@field pedantic? boolean the server refuses what it would set right (nats-server 2.11)

---What failed: a message of a publisher.
---@class nats.Failure
---@field id integer
---@field text string
---@field code nats.Code
---@field about string
---@field err_code integer?
---@field server_code integer?
---@field description string?

---Every method that waits for the server has a form with _start behind its name, which gives a nats.Future of the same.
---@class nats.JetStream
local jetstream = {}
---Any verb of the API.
---@param verb string
---@param arguments? table
---@param timeout? number
---@return table|nats.Message|nil, string?, nats.Code?, string?, integer?, integer?
function jetstream:call(verb, arguments, timeout) end
---@param verb string
---@param arguments? table
---@param timeout? number
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:call_start(verb, arguments, timeout) end
---Any way of consuming.
---@param how "consume"|"fetch"|"push"|"ordered"
---@param arguments table
---@param timeout? number
---@return nats.Subscription?, string?, nats.Code?, string?, integer?, integer?
function jetstream:consume(how, arguments, timeout) end
---@param how "consume"|"fetch"|"push"|"ordered"
---@param arguments table
---@param timeout? number
---@return nats.Subscription?, nats.Future|string|nil, nats.Code?, string?
function jetstream:consume_start(how, arguments, timeout) end
---@param options? nats.CallOptions
---@return table?, string?, nats.Code?, string?, integer?, integer?
function jetstream:account_info(options) end
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:account_info_start(options) end
---@param config nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Stream?, string?, nats.Code?, string?, integer?, integer?
function jetstream:create_stream(config, options) end
---@param config nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:create_stream_start(config, options) end
---@param config nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Stream?, string?, nats.Code?, string?, integer?, integer?
function jetstream:update_stream(config, options) end
---@param config nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:update_stream_start(config, options) end
---@param config nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Stream?, string?, nats.Code?, string?, integer?, integer?
function jetstream:create_or_update_stream(config, options) end
---@param config nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:create_or_update_stream_start(config, options) end
---@param config nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Stream?, string?, nats.Code?, string?, integer?, integer?
function jetstream:get_or_create_stream(config, options) end
---@param config nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:get_or_create_stream_start(config, options) end
---@param name string
---@param options? nats.CallOptions
---@return true?, string?, nats.Code?, string?, integer?, integer?
function jetstream:delete_stream(name, options) end
---@param name string
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:delete_stream_start(name, options) end
---Without a round trip.
---@param name string
---@return nats.Stream
function jetstream:stream(name) end
---@param options? { subject?: string, timeout?: number }
---@return fun(): nats.Stream?
function jetstream:streams(options) end
---@param options? { subject?: string, timeout?: number }
---@return fun(): string?
function jetstream:stream_names(options) end
---@param subject string
---@param data? string
---@param options? nats.PublishOptions
---@return nats.Ack?, string?, nats.Code?, string?, integer?, integer?
function jetstream:publish(subject, data, options) end
---@param subject string
---@param data? string
---@param options? nats.PublishOptions
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:publish_start(subject, data, options) end
---@param subject string
---@param payloads string[]
---@param options? { timeout?: number, max_pending?: integer }
---@return integer? stored, string? text, nats.Code? code, string? about, integer? err_code, integer? server_code, string? description, nats.Failure[]? failures, integer? sent
function jetstream:publish_many(subject, payloads, options) end
---@param options? { max_pending?: integer, fast?: boolean }
---@return nats.Publisher?, string?, nats.Code?, string?
function jetstream:publisher(options) end
---@param timeout? number
---@return nats.Future?, string?, nats.Code?, string?
function jetstream:level_start(timeout) end
---@return nats.Batch?, string?, nats.Code?, string?
function jetstream:batch() end

---@class nats.Publisher
local publisher = {}
---@param subject string
---@param data? string
---@param options? nats.PublishOptions
---@return integer? id, string? text, nats.Code? code, string? about
function publisher:publish(subject, data, options) end
---@param subject string
---@param payloads string[]
---@return integer? first_id, integer|string|nil published, nats.Code? code, string? about, integer? published_before_the_error, integer? its_first_id
function publisher:publish_many(subject, payloads) end
---@param options? nats.PublishOptions
---@return integer? room, string? level_or_text, nats.Code? code, string? about
function publisher:room(options) end
---@param timeout? number
---@return nats.Future?, string?, nats.Code?, string?
function publisher:level_start(timeout) end
---@param timeout? number
---@return true?, string?, nats.Code?, string?, integer?, integer?
function publisher:flush(timeout) end
---@param timeout? number
---@return nats.Future?, string?, nats.Code?, string?
function publisher:flush_start(timeout) end
---@return nats.Failure[]
function publisher:failures() end
---@return { published: integer, acked: integer, duplicates: integer, failed: integer, pending: integer }
function publisher:stats() end
function publisher:close() end

---@class nats.Batch
local batch = {}
---@param subject string
---@param data? string
---@param options? nats.PublishOptions
---@return true?, string?, nats.Code?, string?, integer?, integer?
function batch:add(subject, data, options) end
---@param subject string
---@param data? string
---@param options? nats.PublishOptions
---@return nats.Future?, string?, nats.Code?, string?
function batch:add_start(subject, data, options) end
---@param subject? string absent: what was added is all
---@param data? string
---@param options? nats.PublishOptions
---@return nats.Ack?, string?, nats.Code?, string?, integer?, integer?
function batch:commit(subject, data, options) end
---@param subject? string absent: what was added is all
---@param data? string
---@param options? nats.PublishOptions
---@return nats.Future?, string?, nats.Code?, string?
function batch:commit_start(subject, data, options) end
function batch:abandon() end

---@class nats.Stream
---@field name string
---@field config nats.StreamConfig? what was told last
---@field cached_info table? likewise
local stream = {}
---@param options? { subjects_filter?: string, deleted_details?: boolean, offset?: integer, timeout?: number }
---@return table?, string?, nats.Code?, string?, integer?, integer?
function stream:info(options) end
---@param options? { subjects_filter?: string, deleted_details?: boolean, offset?: integer, timeout?: number }
---@return nats.Future?, string?, nats.Code?, string?
function stream:info_start(options) end
---The configuration with these changes: what is left out stays, an empty object takes one out.
---@param changes table of a nats.StreamConfig
---@param options? nats.ConfigOptions
---@return table? info, string?, nats.Code?, string?, integer?, integer?
function stream:update(changes, options) end
---@param changes table of a nats.StreamConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:update_start(changes, options) end
---@param options? nats.CallOptions
---@return true?, string?, nats.Code?, string?, integer?, integer?
function stream:delete(options) end
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:delete_start(options) end
---@param options? { subject?: string, keep?: integer, seq?: integer, timeout?: number }
---@return integer? purged, string? text, nats.Code? code, string? about, integer? err_code, integer? server_code, string? description
function stream:purge(options) end
---@param options? { subject?: string, keep?: integer, seq?: integer, timeout?: number }
---@return nats.Future?, string?, nats.Code?, string?
function stream:purge_start(options) end
---@param options? nats.CallOptions
---@return nats.Stream?, string?, nats.Code?, string?, integer?, integer?
function stream:seal(options) end
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:seal_start(options) end
---@param seq integer
---@param options? nats.GetOptions
---@return nats.Message?, string?, nats.Code?, string?, integer?, integer?
function stream:get(seq, options) end
---@param seq integer
---@param options? nats.GetOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:get_start(seq, options) end
---@param subject string
---@param options? nats.GetOptions
---@return nats.Message?, string?, nats.Code?, string?, integer?, integer?
function stream:get_last(subject, options) end
---@param subject string
---@param options? nats.GetOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:get_last_start(subject, options) end
---@param subject string
---@param seq? integer
---@param options? nats.GetOptions
---@return nats.Message?, string?, nats.Code?, string?, integer?, integer?
function stream:get_next(subject, seq, options) end
---@param subject string
---@param seq? integer
---@param options? nats.GetOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:get_next_start(subject, seq, options) end
---@param options { batch?: integer, seq?: integer, start_time?: number|string, next_by_subj?: string, max_bytes?: integer, multi_last?: string[], up_to_seq?: integer, up_to_time?: number|string, no_hdr?: boolean, timeout?: number }
---@return fun(): nats.Message?
function stream:get_many(options) end
---@param options { batch?: integer, seq?: integer, start_time?: number|string, next_by_subj?: string, max_bytes?: integer, multi_last?: string[], up_to_seq?: integer, up_to_time?: number|string, no_hdr?: boolean, timeout?: number }
---@return nats.Future?, string?, nats.Code?, string?
function stream:get_many_start(options) end
---@param seq integer
---@param options? { erase?: boolean, timeout?: number }
---@return true?, string?, nats.Code?, string?, integer?, integer?
function stream:delete_message(seq, options) end
---@param seq integer
---@param options? { erase?: boolean, timeout?: number }
---@return nats.Future?, string?, nats.Code?, string?
function stream:delete_message_start(seq, options) end
---@param config? nats.ConsumerConfig
---@param options? nats.ConfigOptions
---@return nats.Consumer?, string?, nats.Code?, string?, integer?, integer?
function stream:create_consumer(config, options) end
---@param config? nats.ConsumerConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:create_consumer_start(config, options) end
---@param config nats.ConsumerConfig
---@param options? nats.ConfigOptions
---@return nats.Consumer?, string?, nats.Code?, string?, integer?, integer?
function stream:update_consumer(config, options) end
---@param config nats.ConsumerConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:update_consumer_start(config, options) end
---@param config nats.ConsumerConfig
---@param options? nats.ConfigOptions
---@return nats.Consumer?, string?, nats.Code?, string?, integer?, integer?
function stream:create_or_update_consumer(config, options) end
---@param config nats.ConsumerConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:create_or_update_consumer_start(config, options) end
---@param config nats.ConsumerConfig
---@param options? nats.ConfigOptions
---@return nats.Consumer?, string?, nats.Code?, string?, integer?, integer?
function stream:get_or_create_consumer(config, options) end
---@param config nats.ConsumerConfig
---@param options? nats.ConfigOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:get_or_create_consumer_start(config, options) end
---@param name string
---@param options? nats.CallOptions
---@return true?, string?, nats.Code?, string?, integer?, integer?
function stream:delete_consumer(name, options) end
---@param name string
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:delete_consumer_start(name, options) end
---Without a round trip.
---@param name string
---@return nats.Consumer
function stream:consumer(name) end
---@param options? nats.CallOptions
---@return fun(): nats.Consumer?
function stream:consumers(options) end
---@param options? nats.CallOptions
---@return fun(): string?
function stream:consumer_names(options) end
---@param config? nats.OrderedConfig
---@return nats.Consumer
function stream:ordered_consumer(config) end
---@param options? { placement?: table, timeout?: number }
---@return true?, string?, nats.Code?, string?, integer?, integer?
function stream:leader_stepdown(options) end
---@param options? { placement?: table, timeout?: number }
---@return nats.Future?, string?, nats.Code?, string?
function stream:leader_stepdown_start(options) end
---@param peer string
---@param options? nats.CallOptions
---@return true?, string?, nats.Code?, string?, integer?, integer?
function stream:peer_remove(peer, options) end
---@param peer string
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function stream:peer_remove_start(peer, options) end

---@class nats.GetOptions
---@field no_hdr? boolean
---@field direct? boolean true: of any replica; false: of the leader
---@field timeout? number

---@class nats.FetchOptions
---@field max? integer
---@field wait? number
---@field max_bytes? integer
---@field heartbeat? number|string
---@field idle_heartbeat? number|string
---@field no_wait? boolean
---@field group? string
---@field min_pending? integer
---@field min_ack_pending? integer
---@field priority? integer

---@class nats.ConsumeOptions
---@field callback? fun(msg: nats.Message, sub: nats.Subscription)
---@field timeout? number until it has begun
---@field mode? "shared"|"private"|"callback"
---@field max_messages? integer
---@field max_bytes? integer
---@field expires? number|string
---@field heartbeat? number|string
---@field idle_heartbeat? number|string
---@field threshold_messages? integer
---@field threshold_bytes? integer
---@field group? string
---@field min_pending? integer
---@field min_ack_pending? integer
---@field priority? integer
---@field pending_msgs? integer
---@field pending_bytes? integer

---@class nats.Consumer
---@field name string?
---@field stream string
---@field config nats.ConsumerConfig?
---@field cached_info table?
local consumer = {}
---@param options? nats.CallOptions
---@return table?, string?, nats.Code?, string?, integer?, integer?
function consumer:info(options) end
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function consumer:info_start(options) end
---@param options? nats.CallOptions
---@return true?, string?, nats.Code?, string?, integer?, integer?
function consumer:delete(options) end
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function consumer:delete_start(options) end
---@param until_time number|string
---@param options? nats.CallOptions
---@return table?, string?, nats.Code?, string?, integer?, integer?
function consumer:pause(until_time, options) end
---@param until_time number|string
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function consumer:pause_start(until_time, options) end
---@param options? nats.CallOptions
---@return table?, string?, nats.Code?, string?, integer?, integer?
function consumer:resume(options) end
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function consumer:resume_start(options) end
---@param seq? integer
---@param options? nats.CallOptions
---@return table?, string?, nats.Code?, string?, integer?, integer?
function consumer:reset(seq, options) end
---@param seq? integer
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function consumer:reset_start(seq, options) end
---@param group string
---@param options? nats.CallOptions
---@return true?, string?, nats.Code?, string?, integer?, integer?
function consumer:unpin(group, options) end
---@param group string
---@param options? nats.CallOptions
---@return nats.Future?, string?, nats.Code?, string?
function consumer:unpin_start(group, options) end
---@param options? { placement?: table, timeout?: number }
---@return true?, string?, nats.Code?, string?, integer?, integer?
function consumer:leader_stepdown(options) end
---@param options? { placement?: table, timeout?: number }
---@return nats.Future?, string?, nats.Code?, string?
function consumer:leader_stepdown_start(options) end
---@param max? integer|nats.FetchOptions
---@param options? number|nats.FetchOptions a number: wait
---@return nats.Message[]?, string?, nats.Code?, string?, integer?, integer?
function consumer:fetch(max, options) end
---@param max? integer|nats.FetchOptions
---@param options? number|nats.FetchOptions a number: wait
---@return nats.Subscription?, nats.Future|string|nil, nats.Code?, string?
function consumer:fetch_start(max, options) end
---@param wait? number|nats.FetchOptions
---@return nats.Message?, string?, nats.Code?, string?, integer?, integer?
function consumer:next(wait) end
---of an ordered consumer
---@param timeout? number|{ timeout: number }
---@return fun(): nats.Message?
function consumer:messages(timeout) end
consumer.iterate = consumer.messages
---of an ordered consumer
---@return true
function consumer:close() end
---@param options? nats.ConsumeOptions
---@return nats.Subscription?, string?, nats.Code?, string?, integer?, integer?
function consumer:consume(options) end
---@param options? nats.ConsumeOptions
---@return nats.Subscription?, nats.Future|string|nil, nats.Code?, string?
function consumer:consume_start(options) end
