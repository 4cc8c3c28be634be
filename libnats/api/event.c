#include "client/conn.h"

int32_t nats_event_type(const nats_event *event)
{
    return event != NULL ? event->type : 0;
}

const char *nats_event_name(const nats_event *event)
{
    static const char *const names[] = {
        [NATS_EVENT_CONNECTED] = "connected",
        [NATS_EVENT_DISCONNECTED] = "disconnected",
        [NATS_EVENT_RECONNECTED] = "reconnected",
        [NATS_EVENT_CLOSED] = "closed",
        [NATS_EVENT_LAME_DUCK] = "lame_duck",
        [NATS_EVENT_DISCOVERED] = "discovered",
        [NATS_EVENT_ERROR] = "error",
        [NATS_EVENT_SLOW_CONSUMER] = "slow_consumer",
        [NATS_EVENT_STALE] = "stale",
        [NATS_EVENT_CREDENTIALS] = "credentials",
        [NATS_EVENT_SERVER_CHANGED] = "server_changed",
    };
    return event != NULL ? names[event->type] : "";
}

nats_status nats_event_status(const nats_event *event)
{
    return event != NULL ? event->status : NATS_ERR_INVALID;
}

int32_t nats_event_kind(const nats_event *event)
{
    return event != NULL ? event->kind : NATS_KIND_NONE;
}

int32_t nats_event_recoverable(const nats_event *event)
{
    return event != NULL && event->recoverable;
}

const char *nats_event_text(const nats_event *event)
{
    return event != NULL ? event->text : "";
}

const char *nats_event_url(const nats_event *event)
{
    return event != NULL ? event->url : "";
}

const char *nats_event_subject(const nats_event *event)
{
    return event != NULL ? event->subject : "";
}

uint64_t nats_event_sid(const nats_event *event)
{
    return event != NULL ? event->sid : 0;
}

uint64_t nats_event_lost(const nats_event *event)
{
    return event != NULL ? event->lost : 0;
}

uint64_t nats_event_unconfirmed(const nats_event *event)
{
    return event != NULL ? event->unconfirmed : 0;
}

int64_t nats_event_time_ns(const nats_event *event)
{
    return event != NULL ? event->time_ns : 0;
}

void nats_event_free(nats_event *event)
{
    if (event != NULL) {
        nats__event_free(event);
    }
}
