/* The conformance driver for C: reads command lines, calls the public API, prints what came of it.
 * The line protocol is in ../README.md. It knows no expectation: those are in the cases. */
#include <polynats.h>

#include <poll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "driver_tokens.h"
#include "driver_proto.h"
#include "driver_publish.h"
#include "driver_js.h"
#include "driver_consume.h"

enum { GET_MAX = 65536, INBOX_SIZE = 1024, STATS_MAX = 64, EVENT_WORDS = 3 };

/* ---- verbs of a client ---- */

/* Several words are several servers: in C they are joined by commas. */
static char *join_urls(driver *d)
{
    char *urls = strdup(word(d, 1).at != NULL ? d->words[2] : "");
    for (size_t i = 2; urls != NULL && i + 1 < d->word_count; i++) {
        char *longer = NULL;
        if (asprintf(&longer, "%s,%s", urls, word(d, i).at) < 0) {
            die("no memory", "urls");
        }
        free(urls);
        urls = longer;
    }
    return urls;
}

static void do_connect(driver *d)
{
    nats_options *options;
    nats_client *made;
    bool absent = strcmp(raw_word(d, 1), "-") == 0;
    if (!read_options(d, &options)) {
        return;
    }
    char *urls = join_urls(d);
    nats_status status = nats_connect(absent ? NULL : urls, options, &made);
    free(urls);
    nats_options_free(options);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 0), CLIENT, made);
    }
    done(status);
}

static void do_credentials(driver *d)
{
    static const char *const names[] = {"user", "password", "token", "jwt", "seed", "public_key"};
    text given[6];
    for (size_t i = 0; i < 6; i++) {
        given[i] = decode(option(d, names[i]));
    }
    done(nats_client_credentials(client(d), given[0].at, given[1].at, given[2].at, given[3].at,
                                 given[4].at, given[5].at, NULL, 0));
}

static void do_close(driver *d)
{
    done(nats_client_close(client(d)));
}

static void do_drain(driver *d)
{
    done(nats_client_drain(client(d), number(d, "timeout_ms", -1)));
}

static void do_share(driver *d)
{
    nats_client *made;
    nats_status status = nats_client_share(client(d), &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), CLIENT, made);
    }
    done(status);
}

static void do_publish(driver *d)
{
    nats_headers *headers;
    text subject = word(d, 1);
    text data = word(d, 2);
    text reply = decode(option(d, "reply"));
    if (!read_headers(d, &headers)) {
        return;
    }
    if (headers == NULL && reply.at == NULL) {
        done(nats_client_publish(client(d), subject.at, subject.len, data.at, data.len));
        return;
    }
    done(nats_client_publish_with(client(d), subject.at, subject.len, reply.at, reply.len, headers,
                                  data.at, data.len));
    nats_headers_free(headers);
}

static void do_publish_many(driver *d)
{
    size_t count = d->word_count - 3;
    const void **datas = calloc(count + 1, sizeof *datas);
    size_t *lens = calloc(count + 1, sizeof *lens);
    text subject = word(d, 1);
    for (size_t i = 0; i < count; i++) {
        text data = word(d, i + 2);
        datas[i] = data.at;
        lens[i] = data.len;
    }
    size_t published;
    nats_status status = nats_client_publish_many(client(d), subject.at, subject.len, datas, lens,
                                                  count, &published);
    if (!failed(status)) {
        printf("ok %zu\n", published);
    }
    free(datas);
    free(lens);
}

static void do_respond(driver *d)
{
    nats_headers *headers;
    nats_msg *msg = find(d, 1, MSG)->object;
    text data = word(d, 2);
    if (read_headers(d, &headers)) {
        done(nats_client_respond(client(d), msg, headers, data.at, data.len));
        nats_headers_free(headers);
    }
}

static void do_flush(driver *d)
{
    done(nats_client_flush(client(d), number(d, "timeout_ms", -1)));
}

static void do_subscribe(driver *d)
{
    text subject = word(d, 2);
    text queue = decode(option(d, "queue"));
    nats_sub *made;
    nats_status status =
        nats_client_subscribe_with(client(d), subject.at, subject.len, queue.at, queue.len,
                                   (uint64_t)number(d, "max", 0), number(d, "pending_msgs", 0),
                                   number(d, "pending_bytes", 0),
                                   option(d, "callback") != NULL ? NATS_SUB_CALLBACK
                                                                 : NATS_SUB_SHARED,
                                   &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), SUB, made);
    }
    done(status);
}

static void do_unsubscribe_sid(driver *d)
{
    uint64_t sid = strtoull(raw_word(d, 1), NULL, 10);
    done(nats_client_unsubscribe(client(d), sid, (uint64_t)number(d, "after", 0)));
}

static void do_unsubscribe_subject(driver *d)
{
    text subject = word(d, 1);
    size_t count;
    nats_status status = nats_client_unsubscribe_subject(
        client(d), subject.at, subject.len, (uint64_t)number(d, "after", 0), &count);
    if (!failed(status)) {
        printf("ok %zu\n", count);
    }
}

typedef nats_status take(void *object, size_t max, int64_t wait_ms, nats_msg **batch,
                         size_t *count_out);

static void answer_take(driver *d, take *from, void *object)
{
    size_t max = (size_t)number(d, "max", GET_MAX);
    nats_msg **batch = calloc(max + 1, sizeof(nats_msg *));
    size_t count;
    nats_status status = from(object, max, number(d, "wait_ms", 0), batch, &count);
    answer_batch(status, batch, count);
    free(batch);
}

static nats_status take_client(void *object, size_t max, int64_t wait_ms, nats_msg **batch,
                               size_t *count_out)
{
    return nats_client_get(object, max, wait_ms, batch, count_out);
}

static nats_status take_callbacks(void *object, size_t max, int64_t wait_ms, nats_msg **batch,
                                  size_t *count_out)
{
    return nats_client_get_callbacks(object, max, wait_ms, batch, count_out);
}

static nats_status take_sub(void *object, size_t max, int64_t wait_ms, nats_msg **batch,
                            size_t *count_out)
{
    return nats_sub_get(object, max, wait_ms, batch, count_out);
}

static void do_get(driver *d)
{
    answer_take(d, take_client, client(d));
}

static void do_dispatch(driver *d)
{
    answer_take(d, take_callbacks, client(d));
}

static void do_wake(driver *d)
{
    done(nats_client_wake(client(d)));
}

static void do_request(driver *d)
{
    nats_headers *headers;
    text subject = word(d, 1);
    text data = word(d, 2);
    nats_msg *reply = NULL;
    if (read_headers(d, &headers)) {
        nats_status status =
            nats_client_request(client(d), subject.at, subject.len, headers, data.at, data.len,
                                number(d, "timeout_ms", -1), &reply);
        answer_msg(d, status, reply);
        nats_headers_free(headers);
    }
}

static void do_request_start(driver *d)
{
    nats_headers *headers;
    text subject = word(d, 2);
    text data = word(d, 3);
    nats_future *made;
    if (!read_headers(d, &headers)) {
        return;
    }
    nats_status status =
        nats_client_request_start(client(d), subject.at, subject.len, headers, data.at, data.len,
                                  number(d, "timeout_ms", -1), &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), FUTURE, made);
    }
    done(status);
    nats_headers_free(headers);
}

static void do_request_many(driver *d)
{
    nats_headers *headers;
    text subject = word(d, 1);
    text data = word(d, 2);
    nats_future *future;
    if (!read_headers(d, &headers)) {
        return;
    }
    nats_status status = nats_client_request_many(
        client(d), subject.at, subject.len, headers, data.at, data.len,
        (size_t)number(d, "max", 0), number(d, "stall_ms", 0), number(d, "timeout_ms", -1),
        (int32_t)number(d, "sentinel", 0), &future);
    nats_headers_free(headers);
    nats_msg *msg = NULL;
    while (status == NATS_OK && (status = nats_future_wait(future, -1, &msg)) == NATS_OK &&
           msg != NULL) {
        put_msg(msg);
        nats_msg_free(msg);
    }
    nats_future_free(future);
    done(status);
}

static void do_wait(driver *d)
{
    nats_msg *msg = NULL;
    nats_status status =
        nats_future_wait(find(d, 0, FUTURE)->object, number(d, "wait_ms", -1), &msg);
    answer_msg(d, status, msg);
}

static void do_poll(driver *d)
{
    nats_msg *msg = NULL;
    int32_t finished;
    nats_status status = nats_future_poll(find(d, 0, FUTURE)->object, &msg, &finished);
    if (status == NATS_OK && msg == NULL && !finished) {
        puts("open");
        return;
    }
    answer_msg(d, status, msg);
}

static void do_future_done(driver *d)
{
    printf("ok %d\n", nats_future_done(find(d, 0, FUTURE)->object));
}

static void do_cancel(driver *d)
{
    nats_future_cancel(find(d, 0, FUTURE)->object);
    puts("ok");
}

static void do_rtt(driver *d)
{
    int64_t rtt_ns;
    if (!failed(nats_client_rtt(client(d), number(d, "timeout_ms", -1), &rtt_ns))) {
        printf("ok %lld\n", (long long)rtt_ns);
    }
}

static void do_new_inbox(driver *d)
{
    char inbox[INBOX_SIZE];
    size_t len;
    if (!failed(nats_client_new_inbox(client(d), inbox, sizeof inbox, &len))) {
        fputs("ok", stdout);
        put(inbox, len);
        putchar('\n');
    }
}

static void do_stats(driver *d)
{
    uint64_t values[STATS_MAX];
    nats_client_stats(client(d), values, STATS_MAX);
    fputs("ok", stdout);
    for (size_t i = 2; i < d->word_count; i++) {
        size_t at = 0;
        while (nats_stats_name(at) != NULL && strcmp(nats_stats_name(at), d->words[i]) != 0) {
            at++;
        }
        if (nats_stats_name(at) == NULL) {
            die("no such counter", d->words[i]);
        }
        printf(" %llu", (unsigned long long)values[at]);
    }
    putchar('\n');
}

static void do_server_info(driver *d)
{
    nats_info *info;
    if (!failed(nats_client_server_info(client(d), &info))) {
        put_fields(d, info);
        nats_info_free(info);
    }
}

static void do_info(driver *d)
{
    nats_info *info;
    if (!failed(nats_client_info(client(d), &info))) {
        put_fields(d, info);
        nats_info_free(info);
    }
}

static void do_status(driver *d)
{
    static const char *const names[] = {"", "connected", "reconnecting", "draining", "closed"};
    printf("ok %s\n", names[nats_client_status(client(d))]);
}

static void do_max_payload(driver *d)
{
    printf("ok %lld\n", (long long)nats_client_max_payload(client(d)));
}

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / NS_PER_MS;
}

static void put_event(driver *d, const nats_event *event)
{
    printf("event %s", nats_event_name(event));
    for (size_t i = EVENT_WORDS; i < d->word_count; i++) {
        const char *field = d->words[i];
        if (strcmp(field, "code") == 0) {
            printf(" %s", nats_status_name(nats_event_status(event)));
        } else if (strcmp(field, "kind") == 0) {
            printf(" %s", nats_kind_name(nats_event_kind(event)));
        } else if (strcmp(field, "recoverable") == 0) {
            printf(" %d", nats_event_recoverable(event));
        } else if (strcmp(field, "text") == 0) {
            put_text(nats_event_text(event));
        } else if (strcmp(field, "level") == 0) {
            printf(" %s", nats_level_name(nats_event_level(event)));
        } else if (strcmp(field, "line") == 0) {
            put_text(nats_event_line(event));
        } else if (strcmp(field, "url") == 0) {
            put_text(nats_event_url(event));
        } else if (strcmp(field, "subject") == 0) {
            put_text(nats_event_subject(event));
        } else if (strcmp(field, "sid") == 0) {
            printf(" %llu", (unsigned long long)nats_event_sid(event));
        } else if (strcmp(field, "lost") == 0) {
            printf(" %llu", (unsigned long long)nats_event_lost(event));
        } else if (strcmp(field, "unconfirmed") == 0) {
            printf(" %llu", (unsigned long long)nats_event_unconfirmed(event));
        } else {
            die("no such field", field);
        }
    }
    putchar('\n');
}

/* Takes events until one of the wanted type ("-": any) comes. */
static void do_next_event(driver *d)
{
    const char *type = raw_word(d, 1);
    int64_t end = clock_ms() + number(d, "wait_ms", 0);
    for (;;) {
        int64_t left = end - clock_ms();
        nats_event *event;
        if (failed(nats_client_next_event(client(d), left > 0 ? left : 0, &event))) {
            return;
        }
        if (event == NULL && left <= 0) {
            puts("none");
            return;
        }
        bool any = strcmp(type, "-") == 0;
        bool wanted = event != NULL && (any || strcmp(nats_event_name(event), type) == 0);
        if (wanted) {
            put_event(d, event);
        }
        nats_event_free(event);
        if (wanted) {
            return;
        }
    }
}

static void do_reconnect(driver *d)
{
    done(nats_client_reconnect(client(d)));
}

static void do_process(driver *d)
{
    done(nats_client_process(client(d)));
}

static void do_deadline(driver *d)
{
    printf("ok %lld\n", (long long)nats_client_deadline_ms(client(d)));
}

/* Does the descriptor become readable in time? */
static void do_wait_fd(driver *d)
{
    int32_t fd;
    if (!failed(nats_client_fd(client(d), &fd))) {
        struct pollfd ask = {fd, POLLIN, 0};
        printf("ok %d\n", poll(&ask, 1, (int)number(d, "wait_ms", 0)) > 0);
    }
}

/* What a child of fork() is told by the handles it inherited. */
static void do_fork_check(driver *d)
{
    nats_client *c = client(d);
    nats_sub *s = find(d, 1, SUB)->object;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        nats_msg *msg;
        nats_event *event;
        size_t count;
        nats_status got[] = {
            nats_client_publish(c, "forked", 6, "", 0),
            nats_client_flush(c, 100),
            nats_client_get(c, 1, 0, &msg, &count),
            nats_client_request(c, "forked", 6, NULL, "", 0, 100, &msg),
            nats_client_next_event(c, 0, &event),
            nats_sub_next(s, 0, &msg),
            nats_sub_unsubscribe(s, 0),
            nats_client_drain(c, 100),
        };
        printf("ok");
        for (size_t i = 0; i < sizeof got / sizeof got[0]; i++) {
            printf(" %s", nats_status_name(got[i]));
        }
        puts("");
        nats_client_close(c);
        nats_sub_free(s);
        nats_client_free(c);
        fflush(stdout);
        _exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    if (status != 0) {
        printf("child %d\n", status);
    }
}

static void do_errtext(driver *d)
{
    bool of_client = d->word_count > 1;
    fputs("ok", stdout);
    put_text(nats_last_error(of_client ? client(d) : NULL));
    putchar('\n');
}

static void do_errabout(driver *d)
{
    (void)d;
    fputs("ok", stdout);
    put_text(nats_last_about());
    putchar('\n');
}

/* ---- verbs of a subscription ---- */

static nats_sub *sub(driver *d)
{
    return find(d, 0, SUB)->object;
}

static void do_next(driver *d)
{
    nats_msg *msg = NULL;
    nats_status status = nats_sub_next(sub(d), number(d, "wait_ms", 0), &msg);
    answer_msg(d, status, msg);
}

static void do_sub_get(driver *d)
{
    answer_take(d, take_sub, sub(d));
}

static void do_unsubscribe(driver *d)
{
    done(nats_sub_unsubscribe(sub(d), (uint64_t)number(d, "after", 0)));
}

static void do_sub_drain(driver *d)
{
    done(nats_sub_drain(sub(d), number(d, "timeout_ms", -1)));
}

static void do_sub_info(driver *d)
{
    size_t len;
    fputs("ok", stdout);
    const char *at = nats_sub_subject(sub(d), &len);
    put(at, len);
    at = nats_sub_queue(sub(d), &len);
    put(len == 0 ? NULL : at, len);
    printf(" %llu %d\n", (unsigned long long)nats_sub_sid(sub(d)), nats_sub_active(sub(d)));
}

/* pending_msgs pending_bytes delivered dropped received */
static void do_sub_stats(driver *d)
{
    uint64_t values[NATS_SUB_STAT_COUNT];
    nats_sub_stats(sub(d), values, NATS_SUB_STAT_COUNT);
    fputs("ok", stdout);
    for (size_t i = 0; i < NATS_SUB_STAT_COUNT; i++) {
        printf(" %llu", (unsigned long long)values[i]);
    }
    putchar('\n');
}

/* Take n messages as an iterator does: from then on get() does not offer them. */
static void do_iterate(driver *d)
{
    int64_t left = strtoll(raw_word(d, 1), NULL, 10);
    nats_status status = nats_sub_set_mode(sub(d), NATS_SUB_PRIVATE);
    while (status == NATS_OK && left > 0) {
        nats_msg *msg;
        status = nats_sub_next(sub(d), -1, &msg);
        if (status == NATS_OK && msg != NULL) {
            put_msg(msg);
            nats_msg_free(msg);
            left--;
        }
    }
    puts(status == NATS_OK || status == NATS_ERR_CLOSED ? "ok" : "err");
}

/* Answer the next n requests, with data or with what was asked. */
static void do_serve(driver *d)
{
    int64_t count = strtoll(raw_word(d, 2), NULL, 10);
    text data = decode(option(d, "data"));
    nats_sub *from = find(d, 1, SUB)->object;
    for (int64_t i = 0; i < count; i++) {
        nats_msg *msg = NULL;
        if (failed(nats_sub_next(from, number(d, "wait_ms", 0), &msg))) {
            return;
        }
        if (msg == NULL) {
            puts("none");
            return;
        }
        size_t len;
        const void *echo = nats_msg_data(msg, &len);
        nats_status status =
            data.at == NULL ? nats_client_respond(client(d), msg, NULL, echo, len)
                            : nats_client_respond(client(d), msg, NULL, data.at, data.len);
        nats_msg_free(msg);
        if (failed(status)) {
            return;
        }
    }
    done(nats_client_flush(client(d), -1));
}

static void do_header(driver *d)
{
    text key = word(d, 1);
    size_t len;
    const char *value = nats_msg_header(find(d, 0, MSG)->object, key.at, key.len, &len);
    fputs("ok", stdout);
    put(value, len);
    putchar('\n');
}

static void do_free(driver *d)
{
    forget(d, raw_word(d, 0));
    puts("ok");
}

static void do_reset(driver *d)
{
    while (d->handles != NULL) {
        forget(d, d->handles->name);
    }
    puts("ok");
}

/* ---- subjects and options ---- */

static void do_subject_valid(driver *d)
{
    text subject = word(d, 0);
    printf("ok %d\n", nats_subject_valid(subject.at, subject.len));
}

static void do_subject_valid_pattern(driver *d)
{
    text pattern = word(d, 0);
    printf("ok %d\n", nats_subject_valid_pattern(pattern.at, pattern.len));
}

static void do_subject_matches(driver *d)
{
    text pattern = word(d, 0);
    text subject = word(d, 1);
    printf("ok %d\n", nats_subject_matches(pattern.at, pattern.len, subject.at, subject.len));
}

static void do_options(driver *d)
{
    (void)d;
    fputs("ok", stdout);
    for (int32_t i = 0; nats_options_name(i) != NULL; i++) {
        put_text(nats_options_name(i));
    }
    putchar('\n');
}

/* ---- the table of verbs, and the loop ---- */

typedef struct verb {
    const char *name;
    void (*run)(driver *);
} verb;

static const verb verbs[] = {
#define VERB(name) {#name, do_##name},
    VERB(connect) VERB(credentials) VERB(close) VERB(drain) VERB(share) VERB(publish)
    VERB(publish_many) VERB(respond) VERB(flush) VERB(subscribe) VERB(unsubscribe_sid)
    VERB(unsubscribe_subject) VERB(get) VERB(dispatch) VERB(wake) VERB(reconnect) VERB(request)
    VERB(request_start) VERB(request_many) VERB(wait) VERB(poll) VERB(future_done) VERB(cancel)
    VERB(rtt) VERB(new_inbox) VERB(stats) VERB(server_info) VERB(info) VERB(status)
    VERB(max_payload) VERB(next_event) VERB(process) VERB(deadline) VERB(wait_fd) VERB(fork_check)
    VERB(errtext) VERB(errabout) VERB(next)
    VERB(sub_get) VERB(unsubscribe) VERB(sub_drain) VERB(sub_info)
    VERB(sub_stats)
    VERB(iterate) VERB(serve) VERB(header) VERB(free) VERB(reset) VERB(subject_valid)
    VERB(subject_valid_pattern) VERB(subject_matches) VERB(options) VERB(proto_new)
    VERB(proto_clock) VERB(proto_start) VERB(proto_up) VERB(proto_upgraded) VERB(proto_secured)
    VERB(proto_failed) VERB(proto_sign) VERB(proto_feed) VERB(proto_eof)
    VERB(proto_expect_signature) VERB(proto_event) VERB(proto_events) VERB(proto_tx)
    VERB(proto_pending) VERB(proto_deadline) VERB(proto_tick) VERB(proto_publish)
    VERB(proto_subscribe) VERB(proto_unsubscribe) VERB(proto_ping) VERB(proto_close)
    VERB(proto_reconnect) VERB(proto_state) VERB(proto_pings_out) VERB(proto_offset)
    VERB(proto_server) VERB(proto_servers) VERB(proto_server_add) VERB(proto_server_remove)
    VERB(proto_info) VERB(proto_new_inbox) PUBLISH_VERBS JS_VERBS CONSUME_VERBS
#undef VERB
};

static void hello(void)
{
    fputs("ok hello", stdout);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        put_text(verbs[i].name);
    }
    putchar('\n');
}

static void run(driver *d)
{
    if (strcmp(d->words[0], "hello") == 0) {
        hello();
        return;
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, d->words[0]) == 0) {
            verbs[i].run(d);
            return;
        }
    }
    die("no such verb", d->words[0]);
}

/* Cut a line into words and options. */
static void split(driver *d, char *line)
{
    d->word_count = 0;
    d->option_count = 0;
    for (char *token = strsep(&line, " \n"); token != NULL; token = strsep(&line, " \n")) {
        if (token[0] == '\0') {
            continue;
        }
        if (d->word_count == d->room || d->option_count == d->room) {
            d->room = d->room * 2 + 64;
            d->words = realloc(d->words, d->room * sizeof *d->words);
            d->options = realloc(d->options, d->room * sizeof *d->options);
        }
        if (strchr(token, '=') != NULL) {
            d->options[d->option_count++] = token;
        } else {
            d->words[d->word_count++] = token;
        }
    }
}

int main(void)
{
    driver d = {0};
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        split(&d, line);
        if (d.word_count > 0) {
            run(&d);
            puts(".");
            fflush(stdout);
        }
    }
    while (d.handles != NULL) {
        forget(&d, d.handles->name);
    }
    free(line);
    free(d.words);
    free(d.options);
    return 0;
}
