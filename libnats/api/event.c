#include "client/conn.h"

int32_t nats_event_type(const nats_event *event)
{
    return event != NULL ? event->type : 0;
}

const char *nats_event_name(const nats_event *event)
{
    return event != NULL ? nats__event_name(event) : "";
}

int32_t nats_event_level(const nats_event *event)
{
    switch (nats_event_type(event)) {
    case 0:
        return 0;
    case NATS_EVENT_ERROR:
        return NATS_LEVEL_ERROR;
    case NATS_EVENT_CLOSED:
        return event->status == NATS_OK ? NATS_LEVEL_INFO : NATS_LEVEL_ERROR;
    case NATS_EVENT_DISCONNECTED:
    case NATS_EVENT_SLOW_CONSUMER:
    case NATS_EVENT_STALE:
    case NATS_EVENT_LAME_DUCK:
        return NATS_LEVEL_WARN;
    case NATS_EVENT_TRACE:
        return NATS_LEVEL_TRACE;
    default:
        return NATS_LEVEL_INFO;
    }
}

const char *nats_level_name(int32_t level)
{
    static const char *const names[] = {
        [0] = "",
        [NATS_LEVEL_ERROR] = "error",
        [NATS_LEVEL_WARN] = "warn",
        [NATS_LEVEL_INFO] = "info",
        [NATS_LEVEL_TRACE] = "trace",
    };
    return level >= 0 && level <= NATS_LEVEL_TRACE ? names[level] : "";
}

const char *nats_event_line(const nats_event *event)
{
    return event != NULL ? event->line : "";
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
