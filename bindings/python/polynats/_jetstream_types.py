"""Types of JetStream's arguments, for type checkers: the library knows the keys itself. docs/jetstream.md describes
them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, TypedDict, Union

Duration = Union[float, timedelta, str]
"""Seconds, a timedelta, or a text such as "2m"."""
Time = Union[datetime, float, str]
"""A datetime, seconds since 1970, or a text of RFC 3339."""


class Placement(TypedDict, total=False):
    """Which servers something may be on."""

    cluster: str | None
    tags: Sequence[str] | None
    preferred: str | None


class External(TypedDict, total=False):
    """Where a stream is that is not in this account."""

    api: str | None
    deliver: str | None


class SubjectTransform(TypedDict, total=False):
    """How subjects change."""

    src: str | None
    dest: str | None


class SourceConsumer(TypedDict, total=False):
    """The durable consumer that a stream is copied by."""

    name: str | None
    deliver_subject: str | None


class StreamSource(TypedDict, total=False):
    """A stream to copy messages of."""

    name: str | None
    domain: str | None
    external: External | None
    opt_start_seq: int | None
    opt_start_time: Time | None
    filter_subject: str | None
    subject_transforms: Sequence[SubjectTransform] | None
    consumer: SourceConsumer | None


class Republish(TypedDict, total=False):
    """How stored messages are published again."""

    src: str | None
    dest: str | None
    headers_only: bool | None


class ConsumerLimits(TypedDict, total=False):
    """What consumers get that say nothing of it."""

    inactive_threshold: Duration | None
    max_ack_pending: int | None


class StreamConfig(TypedDict, total=False):
    """A stream, in the server's own schema: docs/jetstream.md describes the keys."""

    name: str | None
    description: str | None
    subjects: Sequence[str] | None
    retention: Literal["limits", "interest", "workqueue"] | None
    storage: Literal["file", "memory"] | None
    discard: Literal["old", "new"] | None
    discard_new_per_subject: bool | None
    num_replicas: int | None
    max_msgs: int | None
    max_bytes: int | None
    max_age: Duration | None
    max_msg_size: int | None
    max_consumers: int | None
    max_msgs_per_subject: int | None
    no_ack: bool | None
    duplicate_window: Duration | None
    placement: Placement | None
    mirror: StreamSource | None
    sources: Sequence[StreamSource] | None
    sealed: bool | None
    deny_delete: bool | None
    deny_purge: bool | None
    allow_rollup_hdrs: bool | None
    allow_direct: bool | None
    mirror_direct: bool | None
    republish: Republish | None
    subject_transform: SubjectTransform | None
    compression: Literal["none", "s2"] | None
    first_seq: int | None
    consumer_limits: ConsumerLimits | None
    metadata: Mapping[str, str] | None
    allow_msg_ttl: bool | None
    subject_delete_marker_ttl: Duration | None
    allow_msg_counter: bool | None
    allow_atomic: bool | None
    allow_msg_schedules: bool | None
    persist_mode: Literal["default", "async"] | None
    allow_batched: bool | None
    template_owner: str | None


class ConsumerConfig(TypedDict, total=False):
    """A consumer, likewise."""

    name: str | None
    durable_name: str | None
    description: str | None
    deliver_policy: Literal[
        "all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"
    ] | None
    opt_start_seq: int | None
    opt_start_time: Time | None
    ack_policy: Literal["none", "all", "explicit", "flow_control"] | None
    ack_wait: Duration | None
    max_deliver: int | None
    backoff: Sequence[Duration] | None
    filter_subject: str | None
    filter_subjects: Sequence[str] | None
    replay_policy: Literal["instant", "original"] | None
    rate_limit_bps: int | None
    sample_freq: str | None
    max_waiting: int | None
    max_ack_pending: int | None
    flow_control: bool | None
    idle_heartbeat: Duration | None
    headers_only: bool | None
    max_batch: int | None
    max_expires: Duration | None
    max_bytes: int | None
    deliver_subject: str | None
    deliver_group: str | None
    inactive_threshold: Duration | None
    num_replicas: int | None
    mem_storage: bool | None
    direct: bool | None
    sourcing: bool | None
    metadata: Mapping[str, str] | None
    pause_until: Time | None
    priority_groups: Sequence[str] | None
    priority_policy: Literal["none", "overflow", "pinned_client", "prioritized"] | None
    priority_timeout: Duration | None


class OrderedConfig(TypedDict, total=False):
    """What of a stream, in order."""

    filter_subject: str | None
    filter_subjects: Sequence[str] | None
    deliver_policy: Literal[
        "all", "last", "new", "by_start_sequence", "by_start_time", "last_per_subject"
    ] | None
    opt_start_seq: int | None
    opt_start_time: Time | None
    replay_policy: Literal["instant", "original"] | None
    headers_only: bool | None
    inactive_threshold: Duration | None
    description: str | None
    metadata: Mapping[str, str] | None


class PublishKeywords(TypedDict, total=False):
    """What a publish says besides its data."""

    msg_id: str | None
    expect_stream: str | None
    expect_last_seq: int | str | None
    expect_last_subject_seq: int | str | None
    expect_last_subject_seq_subject: str | None
    expect_last_msg_id: str | None
    ttl: Duration | None
    rollup: str | None
    incr: int | str | None
    schedule: str | None
    schedule_target: str | None
    schedule_ttl: Duration | None
    schedule_source: str | None
    schedule_time_zone: str | None
    schedule_rollup: str | None
    scheduler: str | None
    schedule_next: str | None
    required_api_level: int | str | None


class FetchOptions(TypedDict, total=False):
    """What a fetch says besides how many and how long."""

    max_bytes: int | None
    idle_heartbeat: Duration | None
    heartbeat: Duration | None
    no_wait: bool | None
    group: str | None
    min_pending: int | None
    min_ack_pending: int | None
    priority: int | None


class OrderedOptions(TypedDict, total=False):
    """How much comes ahead of the program, and who gets it."""

    max_messages: int | None
    max_bytes: int | None
    threshold_messages: int | None
    threshold_bytes: int | None
    expires: Duration | None
    idle_heartbeat: Duration | None
    heartbeat: Duration | None
    mode: Literal["shared", "private", "callback"] | None
    pending_msgs: int | None
    pending_bytes: int | None


class ConsumeOptions(OrderedOptions, total=False):
    """The same of a consumer that others share."""

    group: str | None
    min_pending: int | None
    min_ack_pending: int | None
    priority: int | None


class GetOptions(TypedDict, total=False):
    """How a message is got."""

    no_hdr: bool | None
    direct: bool | None
    timeout: float | None


__all__ = ["ConsumeOptions", "ConsumerConfig", "ConsumerLimits", "Duration", "External",
           "FetchOptions", "GetOptions", "OrderedConfig", "OrderedOptions", "Placement",
           "PublishKeywords", "Republish", "SourceConsumer", "StreamConfig", "StreamSource",
           "SubjectTransform", "Time"]  # fmt: skip
