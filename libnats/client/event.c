/* Events, queued for each client. mu held throughout. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/conn.h"

enum {
    COUNT_SIZE = 64,                 /* ", 18446744073709551615 publishes unconfirmed" */
    WORDS_SIZE = 32 + 2 * COUNT_SIZE /* of a line: the name, and counts */
};

const char *nats__event_name(const nats_event *event)
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
        [NATS_EVENT_TRACE] = "trace",
    };
    return names[event->type];
}

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

static void add_word(char **at, const char *word)
{
    size_t len = strlen(word);
    if (len > 0) {
        *(*at)++ = ' ';
        memcpy(*at, word, len);
        *at += len;
    }
}

static void add_count(char **at, uint64_t count, const char *what)
{
    if (count > 0) {
        *at += snprintf(*at, COUNT_SIZE, ", %llu publishes %s", (unsigned long long)count, what);
    }
}

/* Into room for all its texts and WORDS_SIZE more. */
static void put_line(nats_event *event, char *at)
{
    event->line = at;
    if (event->type == NATS_EVENT_TRACE) {
        put_text(&at, event->text);
        return;
    }
    const char *name = nats__event_name(event);
    memcpy(at, name, strlen(name));
    at += strlen(name);
    add_word(&at, event->url);
    add_word(&at, event->subject);
    add_word(&at, event->text);
    add_count(&at, event->lost, "lost");
    add_count(&at, event->unconfirmed, "unconfirmed");
    *at = '\0';
}

nats_event *nats__event_new(const nats__event_facts *facts)
{
    const char *text = or_empty(facts->text);
    const char *url = or_empty(facts->url);
    const char *subject = or_empty(facts->subject);
    size_t size = strlen(text) + strlen(url) + strlen(subject) + 3;
    nats_event *event = calloc(1, sizeof *event + 2 * size + WORDS_SIZE);
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
    event->ask = facts->ask;
    event->time_ns = facts->time_ns != 0 ? facts->time_ns : nats__now_ns();
    char *at = (char *)(event + 1);
    event->text = put_text(&at, text);
    event->url = put_text(&at, url);
    event->subject = put_text(&at, subject);
    put_line(event, at);
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

static bool is_trace(const nats_event *event)
{
    return event->type == NATS_EVENT_TRACE;
}

static bool is_other(const nats_event *event)
{
    return !is_kept(event);
}

/* The oldest of a sort, and the one before it; NULL when there is none. */
static nats_event *find_oldest(nats_client *client, bool (*is_it)(const nats_event *),
                               nats_event **before_out)
{
    nats_event *event = client->events;
    *before_out = NULL;
    while (event != NULL && !is_it(event)) {
        *before_out = event;
        event = event->next;
    }
    return event;
}

/* Over the limit: a trace goes first, then the oldest of those that may, else the oldest. There are
 * several. */
static void drop_one(nats__conn *conn, nats_client *client)
{
    nats_event *before;
    nats_event *event = conn->trace != NULL ? find_oldest(client, is_trace, &before) : NULL;
    if (event == NULL) {
        event = find_oldest(client, is_other, &before);
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

void nats__event_trace(nats__conn *conn)
{
    uint64_t dropped;
    nats__trace_line *line = nats__trace_take(conn->trace, &dropped);
    const nats__server *server = nats__pool_current(nats__session_pool(conn->session));
    conn->totals.events_dropped += dropped;
    while (line != NULL) {
        nats__trace_line *next = line->next;
        nats__event_push(conn, NULL,
                         &(nats__event_facts){.type = NATS_EVENT_TRACE,
                                              .text = line->text,
                                              .url = server != NULL ? server->url.text : "",
                                              .time_ns = line->time_ns});
        free(line);
        line = next;
    }
}
