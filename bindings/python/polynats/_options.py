"""Types of arguments, for type checkers. docs/options.md describes the options."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional, TypedDict, Union

if sys.version_info >= (3, 12):
    from collections.abc import Buffer
    from typing import Unpack
else:
    from typing_extensions import Buffer, Unpack

Servers = Optional[Union[str, Sequence[str]]]
"""A URL, several with commas, or a list of them."""
Data = Optional[Union[str, Buffer]]
"""A payload: bytes-like, or str, which is sent as UTF-8."""
HeaderText = Union[str, bytes]
Headers = Optional[
    Union[
        Mapping[str, Union[HeaderText, Sequence[HeaderText]]],
        Iterable[tuple[HeaderText, Union[HeaderText, Sequence[HeaderText]]]],
    ]
]
"""A map of keys to a value or a list of them, or pairs."""
Seconds = Union[float, str]
"""A number of seconds, or a text such as "250ms"."""


class Options(TypedDict, total=False):
    """Options of a connection, by name."""

    name: str | None
    user: str | None
    password: str | None
    token: str | None
    verbose: bool | None
    pedantic: bool | None
    no_echo: bool | None
    inbox_prefix: str | None
    max_payload: int | None
    connect_timeout: Seconds | None
    request_timeout: Seconds | None
    drain_timeout: Seconds | None
    write_deadline: Seconds | None
    ping_interval: Seconds | None
    max_pings_out: int | None
    reconnect: bool | None
    max_reconnects: int | None
    reconnect_wait: Seconds | None
    reconnect_wait_max: Seconds | None
    reconnect_buffer: int | None
    no_randomize: bool | None
    ignore_discovered: bool | None
    pending_msgs: int | None
    pending_bytes: int | None
    keeper: bool | None
    interruptible: bool | None
    creds: str | None
    nkey: str | None
    jwt: str | None
    ask_credentials: bool | None
    auth_retry: bool | None
    tls_required: bool | None
    tls_first: bool | None
    tls_ca: str | None
    tls_cert: str | None
    tls_key: str | None
    local_address: str | None
    retry_on_connect: bool | None
    lame_duck_move: float | None
    credentials_hook: bool | None
    ws_headers: str | None
    ws_compression: bool | None
    trace: bool | None


class Credentials(TypedDict, total=False):
    """What a function that supplies credentials returns."""

    user: str | None
    password: str | None
    token: str | None
    jwt: str | None
    seed: str | None
    public_key: str | None
    signature: bytes | None


__all__ = ["Credentials", "Data", "Headers", "Options", "Seconds", "Servers", "Unpack"]
