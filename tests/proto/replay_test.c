/* Plays the transcripts in cases/ against the sans-IO API. What the server sends is fed whole, byte
 * by byte, and cut in two at every place: the events and the client's bytes must be the same each
 * time. cases/README.md tells the format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include <polynats/proto.h>

enum {
    CASES_MAX = 256,
    STEPS_MAX = 64,
    SPLITS_MAX = 20000, /* longer streams are cut at every SPLIT_STRIDE'th place only */
    SPLIT_STRIDE = 499,
    MS = 1000000,
    WHOLE = -1,
    BYTE_BY_BYTE = -2
};

/* INFO and PONG of "> connect" have 100 bytes together, so that byte 0 of a case is byte 100 of its connection. */
static const char handshake_info[] =
    "INFO {\"server_id\":\"REPLAY12\",\"version\":\"2.15.2\",\"headers\":true,\"proto\":1,"
    "\"max_payload\":1000}\r\n";

/* ---- growing texts ---- */

typedef struct text {
    char *data;
    size_t len;
    size_t cap;
} text;

static void add(text *out, const void *data, size_t len)
{
    if (out->len + len + 1 > out->cap) {
        out->cap = 2 * (out->len + len + 1);
        out->data = realloc(out->data, out->cap);
        assert_non_null(out->data);
    }
    if (len > 0) {
        memcpy(out->data + out->len, data, len);
    }
    out->len += len;
    out->data[out->len] = '\0';
}

static void add_text(text *out, const char *words)
{
    add(out, words, strlen(words));
}

static void add_format(text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_format(text *out, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    add_text(out, line);
}

static void add_escaped(text *out, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++) {
        switch (bytes[i]) {
        case '\r':
            add_text(out, "\\r");
            break;
        case '\n':
            add_text(out, "\\n");
            break;
        case '\t':
            add_text(out, "\\t");
            break;
        case '\\':
            add_text(out, "\\\\");
            break;
        default:
            add_format(out, bytes[i] >= ' ' && bytes[i] < 0x7F ? "%c" : "\\x%02x", bytes[i]);
        }
    }
}

/* ${text*count} at the front of *at. */
static bool add_run(text *out, const char **at)
{
    char run[64];
    int count;
    int used = 0;
    if (sscanf(*at, "${%63[^*}]*%d}%n", run, &count, &used) != 2 || used == 0) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        add_text(out, run);
    }
    *at += used;
    return true;
}

static void add_with_runs(text *out, const char *at)
{
    while (*at != '\0') {
        if (!add_run(out, &at)) {
            add(out, at++, 1);
        }
    }
}

/* Escapes \r \n \t \\ \xHH, and runs. */
static void add_unescaped(text *out, const char *at)
{
    while (*at != '\0') {
        int used = 0;
        unsigned byte;
        if (add_run(out, &at)) {
            continue;
        }
        if (*at != '\\') {
            add(out, at++, 1);
            continue;
        }
        if (sscanf(at, "\\x%2x%n", &byte, &used) == 1) {
            char c = (char)byte;
            add(out, &c, 1);
            at += used;
            continue;
        }
        char c = at[1] == 'r' ? '\r' : at[1] == 'n' ? '\n' : at[1] == 't' ? '\t' : '\\';
        add(out, &c, 1);
        at += at[1] == '\0' ? 1 : 2;
    }
}

/* ---- cases ---- */

typedef struct step {
    char *call; /* NULL: bytes from the server */
    text bytes;
    text expected; /* R: and E: lines, in their order */
    text tx;       /* all C: lines together */
} step;

typedef struct transcript {
    char name[256];
    step steps[STEPS_MAX];
    size_t count;
} transcript;

static step *step_new(transcript *self)
{
    if (self->count == STEPS_MAX) {
        fail_msg("%s: more than %d steps", self->name, STEPS_MAX);
    }
    return &self->steps[self->count++];
}

static void read_line(transcript *self, const char *where, const char *line)
{
    step *last = self->count > 0 ? &self->steps[self->count - 1] : NULL;
    if (strncmp(line, "> ", 2) == 0) {
        step_new(self)->call = strdup(line + 2);
    } else if (strncmp(line, "S: ", 3) == 0) {
        bool goes_on = last != NULL && last->call == NULL && last->expected.len + last->tx.len == 0;
        add_unescaped(goes_on ? &last->bytes : &step_new(self)->bytes, line + 3);
    } else if (last != NULL && (strncmp(line, "E: ", 3) == 0 || strncmp(line, "R: ", 3) == 0)) {
        add_with_runs(&last->expected, line);
        add_text(&last->expected, "\n");
    } else if (last != NULL && strncmp(line, "C: ", 3) == 0) {
        add_unescaped(&last->tx, line + 3);
    } else {
        fail_msg("%s: cannot read the line: %s", where, line);
    }
}

static size_t load(const char *path, transcript **cases, size_t count)
{
    char line[16384];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    transcript *self = NULL;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        if (strncmp(line, "== ", 3) == 0) {
            assert_true(count < CASES_MAX);
            self = cases[count++] = calloc(1, sizeof *self);
            assert_non_null(self);
            const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
            snprintf(self->name, sizeof self->name, "%.*s: %.200s", (int)strcspn(base, "."), base,
                     line + 3);
            continue;
        }
        assert_non_null(self);
        read_line(self, self->name, line);
    }
    fclose(file);
    return count;
}

/* ---- one run ---- */

typedef struct player {
    nats_proto *proto;
    nats_options *options;
    char servers[1024];
    int64_t now_ns;
    text log; /* R: and E: lines of the step */
    text tx;
} player;

static const char *event_names[] = {
    [NATS_PROTO_DIAL] = "DIAL",
    [NATS_PROTO_UPGRADE_WANTED] = "UPGRADE_WANTED",
    [NATS_PROTO_TLS_WANTED] = "TLS_WANTED",
    [NATS_PROTO_SIGN_WANTED] = "SIGN_WANTED",
    [NATS_PROTO_CONNECTED] = "CONNECTED",
    [NATS_PROTO_RECONNECTED] = "RECONNECTED",
    [NATS_PROTO_DISCONNECTED] = "DISCONNECTED",
    [NATS_PROTO_CLOSED] = "CLOSED",
    [NATS_PROTO_MSG] = "MSG",
    [NATS_PROTO_PONG] = "PONG",
    [NATS_PROTO_INFO] = "INFO",
    [NATS_PROTO_DISCOVERED] = "DISCOVERED",
    [NATS_PROTO_LAME_DUCK] = "LAME_DUCK",
    [NATS_PROTO_ERROR] = "ERROR",
    [NATS_PROTO_STALE] = "STALE",
    [NATS_PROTO_SUB_DONE] = "SUB_DONE",
};

/* sid subject reply [headers] "payload" */
static void log_msg(player *self)
{
    nats_msg *msg = nats_proto_event_take_msg(self->proto);
    size_t subject_len;
    size_t reply_len;
    size_t headers_len;
    size_t data_len;
    const char *subject = nats_msg_subject(msg, &subject_len);
    const char *reply = nats_msg_reply(msg, &reply_len);
    const char *headers = nats_msg_headers_raw(msg, &headers_len);
    const char *data = nats_msg_data(msg, &data_len);
    add_format(&self->log, " %llu ", (unsigned long long)nats_msg_sid(msg));
    add_escaped(&self->log, subject, subject_len);
    add_text(&self->log, " ");
    add_escaped(&self->log, reply != NULL ? reply : "-", reply != NULL ? reply_len : 1);
    if (headers != NULL) {
        add_text(&self->log, " [");
        add_escaped(&self->log, headers, headers_len);
        add_text(&self->log, "]");
    }
    add_text(&self->log, " \"");
    add_escaped(&self->log, data, data_len);
    add_text(&self->log, "\"");
    nats_msg_free(msg);
}

static void log_event(player *self, int32_t type)
{
    nats_proto *proto = self->proto;
    const char *status = nats_status_name(nats_proto_event_status(proto));
    add_format(&self->log, "E: %s", event_names[type]);
    switch (type) {
    case NATS_PROTO_DIAL:
        add_format(&self->log, " %s", nats_proto_url(proto));
        break;
    case NATS_PROTO_MSG:
        log_msg(self);
        break;
    case NATS_PROTO_SUB_DONE:
        add_format(&self->log, " %llu", (unsigned long long)nats_proto_event_sid(proto));
        break;
    case NATS_PROTO_PONG:
        add_format(&self->log, " %llu", (unsigned long long)nats_proto_event_token(proto));
        break;
    case NATS_PROTO_DISCOVERED:
        add_format(&self->log, " %s", nats_proto_event_text(proto));
        break;
    case NATS_PROTO_ERROR:
        add_format(&self->log, " %s %s", status,
                   nats_proto_event_recoverable(proto) ? "recoverable" : "fatal");
        if (nats_proto_event_sid(proto) != 0) {
            add_format(&self->log, " sid=%llu", (unsigned long long)nats_proto_event_sid(proto));
        }
        if (nats_proto_event_lost(proto) != 0) {
            add_format(&self->log, " lost=%llu", (unsigned long long)nats_proto_event_lost(proto));
        }
        add_format(&self->log, " %s", nats_proto_event_text(proto));
        break;
    case NATS_PROTO_STALE:
        add_format(&self->log, " %s", nats_proto_event_text(proto));
        break;
    case NATS_PROTO_DISCONNECTED:
    case NATS_PROTO_CLOSED:
        add_format(&self->log, " %s lost=%llu unconfirmed=%llu", status,
                   (unsigned long long)nats_proto_event_lost(proto),
                   (unsigned long long)nats_proto_event_unconfirmed(proto));
        if (nats_proto_event_text(proto)[0] != '\0') {
            add_format(&self->log, " %s", nats_proto_event_text(proto));
        }
        break;
    default:
        break;
    }
    add_text(&self->log, "\n");
}

static void pull(player *self)
{
    int32_t type;
    while ((type = nats_proto_next_event(self->proto)) != 0) {
        log_event(self, type);
    }
    for (;;) {
        const void *data;
        size_t len;
        nats_proto_tx(self->proto, &data, &len);
        if (len == 0) {
            return;
        }
        add(&self->tx, data, len);
        assert_int_equal(nats_proto_tx_done(self->proto, len, self->now_ns), NATS_OK);
    }
}

/* Bytes for a connection that was just given up are refused: that ends the step. */
static bool feed(player *self, const char *bytes, size_t len)
{
    if (len > 0 && nats_proto_feed(self->proto, bytes, len, self->now_ns) != NATS_OK) {
        return false;
    }
    pull(self);
    return true;
}

static void feed_split(player *self, const text *bytes, long split)
{
    if (split == BYTE_BY_BYTE) {
        for (size_t i = 0; i < bytes->len && feed(self, bytes->data + i, 1); i++) {
        }
        return;
    }
    size_t at = split < 0 || (size_t)split > bytes->len ? bytes->len : (size_t)split;
    if (feed(self, bytes->data, at)) {
        feed(self, bytes->data + at, bytes->len - at);
    }
}

/* ---- calls ---- */

/* The value of "name=" among the arguments, in out; "" when it is not there. */
static const char *option(const char *args, const char *name, char *out, size_t size)
{
    char key[32];
    snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(args, key);
    out[0] = '\0';
    if (at != NULL) {
        at += strlen(key);
        snprintf(out, size, "%.*s", (int)strcspn(at, " "), at);
    }
    return out;
}

static uint64_t number(const char *args, const char *name)
{
    char value[32];
    return strtoull(option(args, name, value, sizeof value), NULL, 10);
}

static nats_proto *proto(player *self)
{
    if (self->proto == NULL) {
        assert_int_equal(nats_proto_new(self->servers, self->options, "sixteen or more bytes", 21,
                                        &self->proto),
                         NATS_OK);
    }
    return self->proto;
}

static nats_status call_options(player *self, const char *args)
{
    char copy[512];
    snprintf(copy, sizeof copy, "%s", args);
    for (char *one = strtok(copy, " "); one != NULL; one = strtok(NULL, " ")) {
        char *value = strchr(one, '=');
        assert_non_null(value);
        *value++ = '\0';
        assert_int_equal(nats_options_set_text(self->options, one, value, NATS_Z), NATS_OK);
    }
    return NATS_OK;
}

static nats_status call_servers(player *self, const char *args)
{
    snprintf(self->servers, sizeof self->servers, "%s", args);
    return NATS_OK;
}

static nats_status call_start(player *self, const char *args)
{
    (void)args;
    return nats_proto_start(proto(self), self->now_ns);
}

static nats_status call_up(player *self, const char *args)
{
    (void)args;
    return nats_proto_transport_up(proto(self), self->now_ns);
}

static nats_status call_upgraded(player *self, const char *args)
{
    (void)args;
    return nats_proto_upgraded(proto(self), self->now_ns);
}

static nats_status call_secured(player *self, const char *args)
{
    (void)args;
    return nats_proto_secured(proto(self), self->now_ns);
}

static nats_status call_failed(player *self, const char *args)
{
    return nats_proto_transport_failed(proto(self), NATS_ERR_IO, args, self->now_ns);
}

static nats_status call_eof(player *self, const char *args)
{
    (void)args;
    return nats_proto_feed_eof(proto(self), self->now_ns);
}

static nats_status call_sub(player *self, const char *args)
{
    char subject[256];
    char queue[64];
    assert_int_equal(sscanf(args, "%255s", subject), 1);
    option(args, "queue", queue, sizeof queue);
    return nats_proto_subscribe(proto(self), subject, NATS_Z, queue, NATS_Z, number(args, "max"),
                                number(args, "sid"), NULL);
}

static nats_status call_unsub(player *self, const char *args)
{
    return nats_proto_unsubscribe(proto(self), strtoull(args, NULL, 10), number(args, "after"));
}

static nats_status call_pub(player *self, const char *args)
{
    char subject[256];
    char reply[64];
    char data[64];
    assert_int_equal(sscanf(args, "%255s", subject), 1);
    option(args, "reply", reply, sizeof reply);
    option(args, "data", data, sizeof data);
    return nats_proto_publish(proto(self), subject, NATS_Z, reply[0] != '\0' ? reply : NULL, NATS_Z,
                              NULL, data, strlen(data));
}

static nats_status call_ping(player *self, const char *args)
{
    uint64_t token;
    (void)args;
    return nats_proto_ping(proto(self), self->now_ns, &token);
}

static nats_status call_close(player *self, const char *args)
{
    (void)args;
    nats_proto_close(proto(self));
    return NATS_OK;
}

static nats_status call_reconnect(player *self, const char *args)
{
    (void)args;
    return nats_proto_reconnect(proto(self), self->now_ns);
}

static nats_status call_add(player *self, const char *args)
{
    return nats_proto_server_add(proto(self), args);
}

static nats_status call_remove(player *self, const char *args)
{
    return nats_proto_server_remove(proto(self), args);
}

/* Time goes on to the deadline. */
static nats_status call_due(player *self, const char *args)
{
    (void)args;
    int64_t due = nats_proto_deadline_ns(proto(self));
    assert_true(due != INT64_MAX);
    self->now_ns = due > self->now_ns ? due : self->now_ns;
    nats_proto_tick(self->proto, self->now_ns);
    return NATS_OK;
}

/* Time goes on by so many ms. */
static nats_status call_wait(player *self, const char *args)
{
    self->now_ns += strtoll(args, NULL, 10) * MS;
    nats_proto_tick(proto(self), self->now_ns);
    return NATS_OK;
}

/* The whole handshake, looked at elsewhere. */
static nats_status call_connect(player *self, const char *args)
{
    (void)args;
    int32_t state = nats_proto_state(proto(self));
    if (state == NATS_PROTO_STATE_IDLE) {
        assert_int_equal(call_start(self, ""), NATS_OK);
        pull(self);
    }
    assert_int_equal(call_up(self, ""), NATS_OK);
    assert_true(feed(self, handshake_info, sizeof handshake_info - 1));
    self->tx.len = 0;
    assert_true(feed(self, "PONG\r\n", 6));
    self->log.len = 0;
    assert_int_equal(nats_proto_state(self->proto), NATS_PROTO_STATE_CONNECTED);
    return NATS_OK;
}

typedef struct verb {
    const char *name;
    nats_status (*call)(player *, const char *);
} verb;

static const verb verbs[] = {
    {"options", call_options}, {"servers", call_servers}, {"start", call_start},
    {"up", call_up}, {"upgraded", call_upgraded}, {"secured", call_secured},
    {"failed", call_failed}, {"eof", call_eof}, {"sub", call_sub}, {"unsub", call_unsub},
    {"pub", call_pub}, {"ping", call_ping}, {"close", call_close},
    {"reconnect", call_reconnect}, {"add", call_add}, {"remove", call_remove},
    {"due", call_due}, {"wait", call_wait}, {"connect", call_connect},
};

static void make_call(player *self, const transcript *played, const char *line)
{
    size_t len = strcspn(line, " ");
    const char *args = line + len + (line[len] == ' ' ? 1 : 0);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strlen(verbs[i].name) != len || strncmp(line, verbs[i].name, len) != 0) {
            continue;
        }
        nats_status status = verbs[i].call(self, args);
        if (status != NATS_OK) {
            add_format(&self->log, "R: %s %s\n", nats_status_name(status), nats_last_error(NULL));
        }
        if (self->proto != NULL) {
            pull(self);
        }
        return;
    }
    fail_msg("%s: no such call: %s", played->name, line);
}

/* ---- comparing ---- */

static const char *or_empty(const text *some)
{
    return some->len > 0 ? some->data : "";
}

static void compare(player *self, const transcript *played, const step *at, long split)
{
    bool same_log = strcmp(or_empty(&self->log), or_empty(&at->expected)) == 0;
    bool same_tx = self->tx.len == at->tx.len &&
                   (at->tx.len == 0 || memcmp(self->tx.data, at->tx.data, at->tx.len) == 0);
    if (same_log && same_tx) {
        return;
    }
    text wanted = {0};
    text sent = {0};
    add_escaped(&wanted, or_empty(&at->tx), at->tx.len);
    add_escaped(&sent, or_empty(&self->tx), self->tx.len);
    fprintf(stderr, "%s, step %zu (%s), split %ld\n--- wanted\n%sC: %s\n--- came\n%sC: %s\n",
                played->name, (size_t)(at - played->steps) + 1, at->call != NULL ? at->call : "S:",
                split, or_empty(&at->expected), or_empty(&wanted), or_empty(&self->log),
                or_empty(&sent));
    free(wanted.data);
    free(sent.data);
    fail();
}

/* Play it with the stream of step `split_step` cut at `split`; the others whole, or all of them byte by byte. */
static void play(const transcript *played, size_t split_step, long split)
{
    player self = {.now_ns = 1000 * (int64_t)MS, .servers = "nats://127.0.0.1:4222"};
    assert_int_equal(nats_options_new(&self.options), NATS_OK);
    assert_int_equal(nats_options_set_bool(self.options, "no_randomize", 1), NATS_OK);
    for (size_t i = 0; i < played->count; i++) {
        const step *at = &played->steps[i];
        self.log.len = 0;
        self.tx.len = 0;
        if (at->call != NULL) {
            make_call(&self, played, at->call);
        } else {
            assert_non_null(self.proto);
            bool here = split == BYTE_BY_BYTE || i == split_step;
            feed_split(&self, &at->bytes, here ? split : WHOLE);
        }
        compare(&self, played, at, split);
    }
    nats_proto_free(self.proto);
    nats_options_free(self.options);
    free(self.log.data);
    free(self.tx.data);
}

static void replay(void **state)
{
    const transcript *played = *state;
    play(played, SIZE_MAX, WHOLE);
    play(played, SIZE_MAX, BYTE_BY_BYTE);
    for (size_t i = 0; i < played->count; i++) {
        size_t len = played->steps[i].bytes.len;
        size_t stride = len <= SPLITS_MAX ? 1 : SPLIT_STRIDE;
        for (size_t at = 1; at < len; at += stride) {
            play(played, i, (long)at);
        }
    }
}

/* ---- all of them ---- */

static int is_case(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".case") == 0;
}

static void case_free(transcript *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->steps[i].call);
        free(self->steps[i].bytes.data);
        free(self->steps[i].expected.data);
        free(self->steps[i].tx.data);
    }
    free(self);
}

int main(int argc, char **argv)
{
    static transcript *cases[CASES_MAX];
    static struct CMUnitTest tests[CASES_MAX];
    const char *folder = argc > 1 ? argv[1] : "cases";
    struct dirent **files;
    int file_count = scandir(folder, &files, is_case, alphasort);
    if (file_count <= 0) {
        fprintf(stderr, "no cases in %s\n", folder);
        return 1;
    }
    size_t count = 0;
    for (int i = 0; i < file_count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
        count = load(path, cases, count);
        free(files[i]);
    }
    free(files);
    for (size_t i = 0; i < count; i++) {
        tests[i] = (struct CMUnitTest){cases[i]->name, replay, NULL, NULL, cases[i]};
    }
    int failed = _cmocka_run_group_tests("replay", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        case_free(cases[i]);
    }
    return failed;
}
