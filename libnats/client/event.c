/* Events, queued for each client. mu held throughout. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/conn.h"

static char *put_text(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *put = *at;
    memcpy(put, text, size);
    *at += size;
    return put;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

nats_event *nats__event_new(const nats__event_facts *facts)
{
    const char *text = or_empty(facts->text);
    const char *url = or_empty(facts->url);
    const char *subject = or_empty(facts->subject);
    nats_event *event =
        calloc(1, sizeof *event + strlen(text) + strlen(url) + strlen(subject) + 3);
    if (event == NULL) {
        return NULL;
    }
    event->type = facts->type;
    event->status = facts->status;
    event->kind = facts->kind;
    event->recoverable = facts->recoverable;
    event->sid = facts->sid;
    event->lost = facts->lost;
    event->unconfirmed = facts->unconfirmed;
    event->time_ns = nats__now_ns();
    char *at = (char *)(event + 1);
    event->text = put_text(&at, text);
    event->url = put_text(&at, url);
    event->subject = put_text(&at, subject);
    return event;
}

void nats__event_free(nats_event *event)
{
    free(event);
}

/* What the connection was, and what was lost with it: kept as long as there is anything else. */
static bool is_state(const nats_event *event)
{
    return event->type == NATS_EVENT_CONNECTED || event->type == NATS_EVENT_DISCONNECTED ||
           event->type == NATS_EVENT_RECONNECTED || event->type == NATS_EVENT_CLOSED;
}

static bool is_kept(const nats_event *event)
{
    return is_state(event) || event->lost > 0;
}

static bool is_same(const nats_event *a, const nats_event *b)
{
    return a->type == b->type && a->status == b->status && strcmp(a->text, b->text) == 0 &&
           strcmp(a->url, b->url) == 0 && strcmp(a->subject, b->subject) == 0;
}

/* Does one that waits tell of this failure already, since the connection was lost? */
static bool is_told(const nats_client *client, const nats_event *event)
{
    bool told = false;
    for (const nats_event *each = client->events; each != NULL; each = each->next) {
        told = (told && !is_state(each)) || is_same(each, event);
    }
    return told;
}

static void append(nats_client *client, nats_event *event)
{
    if (client->events == NULL) {
        client->events = event;
    } else {
        client->events_tail->next = event;
    }
    client->events_tail = event;
    client->event_count++;
}

/* Over the limit: the oldest goes of those that may, else the oldest. There are several. */
static void drop_one(nats__conn *conn, nats_client *client)
{
    nats_event *before = NULL;
    nats_event *event = client->events;
    while (event != NULL && is_kept(event)) {
        before = event;
        event = event->next;
    }
    if (event == NULL) {
        before = NULL;
        event = client->events;
    }
    if (before == NULL) {
        client->events = event->next;
    } else {
        before->next = event->next;
    }
    if (client->events_tail == event) {
        client->events_tail = before;
    }
    client->event_count--;
    conn->totals.events_dropped++;
    nats__event_free(event);
}

static void push_one(nats__conn *conn, nats_client *client, const nats__event_facts *facts)
{
    nats_event *event = nats__event_new(facts);
    if (event == NULL) {
        conn->totals.events_dropped++;
        return;
    }
    if (facts->attempt && is_told(client, event)) {
        nats__event_free(event);
        return;
    }
    append(client, event);
    if (client->event_count > NATS__EVENTS_MAX) {
        drop_one(conn, client);
    }
    nats__conn_tell(conn, client);
    nats__client_news(client);
}

void nats__event_push(nats__conn *conn, nats_client *client, const nats__event_facts *facts)
{
    if (client != NULL) {
        push_one(conn, client, facts);
        return;
    }
    for (nats_client *each = conn->clients; each != NULL; each = each->next) {
        push_one(conn, each, facts);
    }
}
