#include <polynats/kind.h>

#include <stdbool.h>

const char *nats_kind_name(int32_t kind)
{
    static const char *const names[] = {
        [NATS_KIND_NONE] = "none",
        [NATS_KIND_UNKNOWN] = "unknown",
        [NATS_KIND_PERMISSION] = "permission",
        [NATS_KIND_PERMISSION_PUBLISH] = "permission_publish",
        [NATS_KIND_PERMISSION_SUBSCRIBE] = "permission_subscribe",
        [NATS_KIND_AUTH_VIOLATION] = "auth_violation",
        [NATS_KIND_AUTH_TIMEOUT] = "auth_timeout",
        [NATS_KIND_AUTH_EXPIRED] = "auth_expired",
        [NATS_KIND_AUTH_REVOKED] = "auth_revoked",
        [NATS_KIND_MAX_CONNECTIONS] = "max_connections",
        [NATS_KIND_MAX_ACCOUNT_CONNECTIONS] = "max_account_connections",
        [NATS_KIND_THROTTLED] = "throttled",
        [NATS_KIND_MAX_CONTROL_LINE] = "max_control_line",
        [NATS_KIND_MAX_SUBSCRIPTIONS] = "max_subscriptions",
        [NATS_KIND_MAX_TOKENS] = "max_tokens",
        [NATS_KIND_MAX_PAYLOAD] = "max_payload",
        [NATS_KIND_STALE] = "stale",
        [NATS_KIND_SHUTDOWN] = "shutdown",
        [NATS_KIND_SLOW_CONSUMER] = "slow_consumer",
        [NATS_KIND_BAD_PROTOCOL] = "bad_protocol",
        [NATS_KIND_WRONG_PORT] = "wrong_port",
        [NATS_KIND_NO_HEADERS] = "no_headers",
        [NATS_KIND_VERSION] = "version",
        [NATS_KIND_TLS_REQUIRED] = "tls_required",
        [NATS_KIND_INVALID_SUBJECT] = "invalid_subject",
    };
    bool known = kind >= 0 && (size_t)kind < sizeof names / sizeof names[0];
    return names[known ? kind : NATS_KIND_UNKNOWN];
}
