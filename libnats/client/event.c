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

static nats_event *event_new(const nats__event_facts *facts)
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

static void drop_oldest(nats__conn *conn, nats_client *client)
{
    nats_event *oldest = client->events;
    client->events = oldest->next;
    client->event_count--;
    conn->totals.events_dropped++;
    nats__event_free(oldest);
}

static void push_one(nats__conn *conn, nats_client *client, const nats__event_facts *facts)
{
    nats_event *event = event_new(facts);
    if (event == NULL) {
        conn->totals.events_dropped++;
        return;
    }
    if (client->event_count == NATS__EVENTS_MAX) {
        drop_oldest(conn, client);
    }
    if (client->events == NULL) {
        client->events = event;
    } else {
        client->events_tail->next = event;
    }
    client->events_tail = event;
    client->event_count++;
    nats__conn_tell(conn, client);
    nats__client_signal(client);
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
