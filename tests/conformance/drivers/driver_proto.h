/* The part of the C driver for nats_proto, the protocol without I/O. It is included once, by
 * driver.c. Each proto has a clock of its own, which only the verb proto_clock moves. */
#ifndef CONFORMANCE_DRIVER_PROTO_H
#define CONFORMANCE_DRIVER_PROTO_H

#include "driver_tokens.h"

enum { NS_PER_MS = 1000000, PROTO_INBOX_SIZE = 1024, SEED_LEN = 16 };

static nats_proto *proto(driver *d)
{
    return find(d, 0, PROTO)->object;
}

static int64_t now(driver *d)
{
    return find(d, 0, PROTO)->now_ns;
}

static void do_proto_new(driver *d)
{
    nats_options *options;
    nats_proto *made;
    if (!read_options(d, &options)) {
        return;
    }
    const char *urls = word(d, 1).at;
    nats_status status = nats_proto_new(urls, options, "0123456789abcdef", SEED_LEN, &made);
    nats_options_free(options);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 0), PROTO, made);
    }
    done(status);
}

static void do_proto_clock(driver *d)
{
    find(d, 0, PROTO)->now_ns = strtoll(raw_word(d, 1), NULL, 10) * NS_PER_MS;
    puts("ok");
}

static void do_proto_start(driver *d)
{
    done(nats_proto_start(proto(d), now(d)));
}

static void do_proto_up(driver *d)
{
    done(nats_proto_transport_up(proto(d), now(d)));
}

static void do_proto_upgraded(driver *d)
{
    done(nats_proto_upgraded(proto(d), now(d)));
}

static void do_proto_secured(driver *d)
{
    done(nats_proto_secured(proto(d), now(d)));
}

static void do_proto_failed(driver *d)
{
    nats_status status = NATS_ERR_TIMEOUT;
    while (strcmp(nats_status_name(status), raw_word(d, 1)) != 0) {
        if (strcmp(nats_status_name(status), "UNKNOWN") == 0) {
            die("no such status", raw_word(d, 1));
        }
        status--;
    }
    done(nats_proto_transport_failed(proto(d), status, word(d, 2).at, now(d)));
}

static void do_proto_expect_signature(driver *d)
{
    nats_proto_expect_signature(proto(d), raw_word(d, 1)[0] == '1');
    puts("ok");
}

static void do_proto_sign(driver *d)
{
    text signature = word(d, 1);
    const char *public_key = decode(option(d, "public_key")).at;
    const char *jwt = decode(option(d, "jwt")).at;
    done(nats_proto_sign(proto(d), signature.at, signature.len, public_key, jwt, now(d)));
}

static void do_proto_feed(driver *d)
{
    text data = word(d, 1);
    done(nats_proto_feed(proto(d), data.at, data.len, now(d)));
}

static void do_proto_eof(driver *d)
{
    done(nats_proto_feed_eof(proto(d), now(d)));
}

static const char *proto_event_name(int32_t type)
{
    static const char *const names[] = {
        "none",   "dial",   "upgrade_wanted", "tls_wanted", "sign_wanted", "connected",
        "reconnected", "disconnected", "closed", "message", "pong", "info",
        "discovered", "lame_duck", "error", "stale", "sub_done",
    };
    return names[type];
}

static void put_proto_field(driver *d, const char *field)
{
    const nats_proto *p = proto(d);
    if (strcmp(field, "code") == 0) {
        printf(" %s", nats_status_name(nats_proto_event_status(p)));
    } else if (strcmp(field, "text") == 0) {
        put_text(nats_proto_event_text(p));
    } else if (strcmp(field, "kind") == 0) {
        printf(" %s", nats_kind_name(nats_proto_event_kind(p)));
    } else if (strcmp(field, "recoverable") == 0) {
        printf(" %d", nats_proto_event_recoverable(p));
    } else if (strcmp(field, "sid") == 0) {
        printf(" %llu", (unsigned long long)nats_proto_event_sid(p));
    } else if (strcmp(field, "token") == 0) {
        printf(" %llu", (unsigned long long)nats_proto_event_token(p));
    } else if (strcmp(field, "rtt_ms") == 0) {
        printf(" %lld", (long long)(nats_proto_event_rtt_ns(p) / NS_PER_MS));
    } else if (strcmp(field, "lost") == 0) {
        printf(" %llu", (unsigned long long)nats_proto_event_lost(p));
    } else if (strcmp(field, "unconfirmed") == 0) {
        printf(" %llu", (unsigned long long)nats_proto_event_unconfirmed(p));
    } else {
        die("no such field", field);
    }
}

/* Prints the next event: its type and the fields asked for, or the message. */
static bool put_proto_event(driver *d, size_t field)
{
    int32_t type = nats_proto_next_event(proto(d));
    if (type == 0) {
        return false;
    }
    if (type == NATS_PROTO_MSG) {
        nats_msg *msg = nats_proto_event_take_msg(proto(d));
        put_msg(msg);
        nats_msg_free(msg);
        return true;
    }
    printf("event %s", proto_event_name(type));
    for (; field < d->word_count; field++) {
        put_proto_field(d, d->words[field]);
    }
    putchar('\n');
    return true;
}

static void do_proto_event(driver *d)
{
    if (!put_proto_event(d, 2)) {
        puts("none");
    }
}

static void do_proto_events(driver *d)
{
    bool any = false;
    while (put_proto_event(d, d->word_count)) {
        any = true;
    }
    if (!any) {
        puts("none");
    }
}

/* Takes at most max bytes of what is to be sent. */
static void do_proto_tx(driver *d)
{
    size_t left = (size_t)number(d, "max", INT32_MAX);
    char *all = NULL;
    size_t all_len = 0;
    FILE *to = open_memstream(&all, &all_len);
    for (;;) {
        const void *data;
        size_t len;
        nats_proto_tx(proto(d), &data, &len);
        if (len == 0 || left == 0) {
            break;
        }
        len = len < left ? len : left;
        fwrite(data, 1, len, to);
        nats_proto_tx_done(proto(d), len, now(d));
        left -= len;
    }
    fclose(to);
    fputs("ok", stdout);
    put(all, all_len);
    putchar('\n');
    free(all);
}

static void do_proto_pending(driver *d)
{
    printf("ok %zu\n", nats_proto_tx_pending(proto(d)));
}

static void do_proto_deadline(driver *d)
{
    int64_t at = nats_proto_deadline_ns(proto(d));
    if (at == INT64_MAX) {
        puts("ok never");
        return;
    }
    printf("ok %lld\n", (long long)((at + NS_PER_MS - 1) / NS_PER_MS));
}

static void do_proto_tick(driver *d)
{
    nats_proto_tick(proto(d), now(d));
    puts("ok");
}

static void do_proto_publish(driver *d)
{
    nats_headers *headers;
    text subject = word(d, 1);
    text data = word(d, 2);
    text reply = decode(option(d, "reply"));
    if (read_headers(d, &headers)) {
        done(nats_proto_publish(proto(d), subject.at, subject.len, reply.at, reply.len, headers,
                                data.at, data.len));
        nats_headers_free(headers);
    }
}

static void do_proto_subscribe(driver *d)
{
    text subject = word(d, 1);
    text queue = decode(option(d, "queue"));
    uint64_t sid;
    nats_status status = nats_proto_subscribe(proto(d), subject.at, subject.len, queue.at,
                                              queue.len, (uint64_t)number(d, "max", 0),
                                              (uint64_t)number(d, "sid", 0), &sid);
    if (!failed(status)) {
        printf("ok %llu\n", (unsigned long long)sid);
    }
}

static void do_proto_unsubscribe(driver *d)
{
    uint64_t sid = strtoull(raw_word(d, 1), NULL, 10);
    done(nats_proto_unsubscribe(proto(d), sid, (uint64_t)number(d, "after", 0)));
}

static void do_proto_ping(driver *d)
{
    uint64_t token;
    if (!failed(nats_proto_ping(proto(d), now(d), &token))) {
        printf("ok %llu\n", (unsigned long long)token);
    }
}

static void do_proto_close(driver *d)
{
    nats_proto_close(proto(d));
    puts("ok");
}

static void do_proto_reconnect(driver *d)
{
    done(nats_proto_reconnect(proto(d), now(d)));
}

static void do_proto_state(driver *d)
{
    static const char *const names[] = {"idle",         "waiting",  "dialing", "upgrading",
                                        "waiting_info", "securing", "signing", "waiting_pong",
                                        "connected",    "closed"};
    printf("ok %s\n", names[nats_proto_state(proto(d))]);
}

static void do_proto_pings_out(driver *d)
{
    printf("ok %d\n", nats_proto_pings_out(proto(d)));
}

static void do_proto_offset(driver *d)
{
    printf("ok %llu\n", (unsigned long long)nats_proto_offset(proto(d)));
}

/* The server in use: url scheme host port */
static void do_proto_server(driver *d)
{
    fputs("ok", stdout);
    put_text(nats_proto_url(proto(d)));
    put_text(nats_proto_scheme(proto(d)));
    put_text(nats_proto_host(proto(d)));
    printf(" %d\n", nats_proto_port(proto(d)));
}

/* A line for each: url attempts discovered */
static void do_proto_servers(driver *d)
{
    int32_t attempts;
    int32_t discovered;
    const char *url;
    for (size_t i = 0; (url = nats_proto_server_at(proto(d), i, &attempts, &discovered)) != NULL;
         i++) {
        fputs("server", stdout);
        put_text(url);
        printf(" %d %d\n", attempts, discovered);
    }
}

static void do_proto_server_add(driver *d)
{
    done(nats_proto_server_add(proto(d), word(d, 1).at));
}

static void do_proto_server_remove(driver *d)
{
    done(nats_proto_server_remove(proto(d), word(d, 1).at));
}

static void do_proto_info(driver *d)
{
    nats_info *info;
    if (!failed(nats_proto_server_info(proto(d), &info))) {
        put_fields(d, info);
        nats_info_free(info);
    }
}

static void do_proto_new_inbox(driver *d)
{
    char inbox[PROTO_INBOX_SIZE];
    size_t len;
    if (!failed(nats_proto_new_inbox(proto(d), inbox, sizeof inbox, &len))) {
        fputs("ok", stdout);
        put(inbox, len);
        putchar('\n');
    }
}

#endif
