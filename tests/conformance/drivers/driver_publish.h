/* The part of the C driver that publishes to JetStream. It is included once, by driver.c. */
#ifndef CONFORMANCE_DRIVER_PUBLISH_H
#define CONFORMANCE_DRIVER_PUBLISH_H

#include "driver_tokens.h"

enum { FIELDS_AT = 4, FIELD_MAX = 256 };

/* headers=…, and an option for each keyword that is given. False when the library refuses one, and then
 * the answer was given. */
static bool read_publish_headers(driver *d, nats_headers **out)
{
    if (!read_headers(d, out)) {
        return false;
    }
    for (size_t i = 0; nats_js_keyword(i) != NULL; i++) {
        text value = decode(option(d, nats_js_keyword(i)));
        if (value.at == NULL) {
            continue;
        }
        if (*out == NULL) {
            nats_headers_new(out);
        }
        const char *header = nats_js_header(nats_js_keyword(i), NULL);
        if (failed(nats_headers_add(*out, header, NATS_Z, value.at, value.len))) {
            nats_headers_free(*out);
            return false;
        }
    }
    return true;
}

static void put_json(const nats_json *value)
{
    int64_t whole = 0;
    uint64_t large = 0;
    switch (nats_json_kind(value)) {
    case NATS_JSON_TEXT:
        put_text(nats_json_text(value, NULL));
        break;
    case NATS_JSON_BOOL:
    case NATS_JSON_INT:
        nats_json_int(value, &whole);
        printf(" %lld", (long long)whole);
        break;
    case NATS_JSON_UINT:
        nats_json_uint(value, &large);
        printf(" %llu", (unsigned long long)large);
        break;
    default:
        fputs(" -", stdout);
        break;
    }
}

/* stream seq duplicate, or the fields that the case names after the data. */
static void put_ack(driver *d, size_t fields_at, nats_msg *ack)
{
    size_t len;
    const char *data = nats_msg_data(ack, &len);
    nats_json *doc = NULL;
    uint64_t seq = 0;
    int32_t duplicate = 0;
    nats_json_parse(data, len, &doc);
    int32_t is_ack = nats_msg_ack_seq(ack, &seq, &duplicate);
    fputs("ok", stdout);
    if (fields_at < d->word_count) {
        for (size_t i = fields_at; i < d->word_count; i++) {
            put_json(nats_json_get(doc, d->words[i]));
        }
    } else {
        put_text(nats_json_text(nats_json_get(doc, "stream"), NULL));
        printf(" %llu %d", (unsigned long long)seq, duplicate);
    }
    puts(is_ack ? "" : " no ack");
    nats_json_free(doc);
    nats_msg_free(ack);
}

/* ---- one message ---- */

static nats_js *js(driver *d, size_t index)
{
    return find(d, index, JS)->object;
}

static void do_js_publish(driver *d)
{
    nats_headers *headers;
    nats_msg *ack;
    text subject = word(d, 1);
    text data = word(d, 2);
    if (!read_publish_headers(d, &headers)) {
        return;
    }
    nats_status status = nats_js_publish(js(d, 0), subject.at, subject.len, headers, data.at,
                                         data.len, number(d, "timeout_ms", -1), &ack);
    nats_headers_free(headers);
    if (!failed(status)) {
        put_ack(d, FIELDS_AT, ack);
    }
}

static void do_js_publish_start(driver *d)
{
    nats_headers *headers;
    nats_future *made;
    text subject = word(d, 2);
    text data = word(d, 3);
    if (!read_publish_headers(d, &headers)) {
        return;
    }
    nats_status status =
        nats_js_publish_start(js(d, 0), subject.at, subject.len, headers, data.at, data.len,
                              number(d, "timeout_ms", -1), &made);
    nats_headers_free(headers);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), FUTURE, made);
    }
    done(status);
}

/* Of a future that has an ack, or (a flush, a message of a batch) nothing: none. */
static void do_js_wait(driver *d)
{
    nats_msg *ack = NULL;
    nats_status status =
        nats_future_wait(find(d, 0, FUTURE)->object, number(d, "wait_ms", -1), &ack);
    if (failed(status)) {
        return;
    }
    if (ack == NULL) {
        puts("none");
        return;
    }
    put_ack(d, FIELDS_AT - 2, ack);
}

/* ---- a publisher ---- */

static nats_js_publisher *publisher(driver *d, size_t index)
{
    return find(d, index, PUBLISHER)->object;
}

static void do_js_publisher(driver *d)
{
    nats_js_publisher *made;
    int64_t max = number(d, "max", 0);
    nats_status status = option(d, "fast") != NULL ? nats_js_publisher_fast(js(d, 0), max, &made)
                                                   : nats_js_publisher_new(js(d, 0), max, &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), PUBLISHER, made);
    }
    done(status);
}

static void do_js_pub(driver *d)
{
    nats_headers *headers;
    uint64_t id;
    text subject = word(d, 1);
    text data = word(d, 2);
    if (!read_publish_headers(d, &headers)) {
        return;
    }
    nats_status status = nats_js_publisher_publish(publisher(d, 0), subject.at, subject.len,
                                                   headers, data.at, data.len, &id);
    nats_headers_free(headers);
    if (!failed(status)) {
        printf("ok %llu\n", (unsigned long long)id);
    }
}

/* ok FIRST_ID COUNT; on an error its line, then how many were accepted. */
static void do_js_pub_many(driver *d)
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
    uint64_t first_id;
    size_t published;
    nats_status status =
        nats_js_publisher_publish_many(publisher(d, 0), subject.at, subject.len, datas, lens,
                                       count, &first_id, &published);
    failed(status);
    printf("ok %llu %zu\n", (unsigned long long)first_id, published);
    free(datas);
    free(lens);
}

static void do_js_flush(driver *d)
{
    done(nats_js_publisher_flush(publisher(d, 0), number(d, "timeout_ms", -1)));
}

static void do_js_flush_start(driver *d)
{
    nats_future *made;
    nats_status status =
        nats_js_publisher_flush_start(publisher(d, 0), number(d, "timeout_ms", -1), &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), FUTURE, made);
    }
    done(status);
}

/* A line for each: failure ID CODE [ERR_CODE]; none when there is none. */
static void do_js_failures(driver *d)
{
    uint64_t id;
    bool any = false;
    nats_status status;
    while ((status = nats_js_publisher_next_failure(publisher(d, 0), &id)) != NATS_OK) {
        printf("failure %llu ", (unsigned long long)id);
        failed(status);
        any = true;
    }
    if (!any) {
        puts("none");
    }
}

/* published acked duplicates failed pending */
static void do_js_publisher_stats(driver *d)
{
    uint64_t values[NATS_PUBLISHER_STAT_COUNT];
    size_t count = nats_js_publisher_stats(publisher(d, 0), values, NATS_PUBLISHER_STAT_COUNT);
    fputs("ok", stdout);
    for (size_t i = 0; i < count; i++) {
        printf(" %llu", (unsigned long long)values[i]);
    }
    putchar('\n');
}

/* ---- a batch ---- */

static nats_js_batch *batch_of(driver *d)
{
    return find(d, 0, BATCH)->object;
}

static void do_js_batch(driver *d)
{
    nats_js_batch *made;
    nats_status status = nats_js_batch_new(js(d, 0), &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), BATCH, made);
    }
    done(status);
}

static void do_js_batch_add(driver *d)
{
    nats_headers *headers;
    text subject = word(d, 1);
    text data = word(d, 2);
    if (!read_publish_headers(d, &headers)) {
        return;
    }
    nats_status status = nats_js_batch_add(batch_of(d), subject.at, subject.len, headers, data.at,
                                           data.len, number(d, "timeout_ms", -1));
    nats_headers_free(headers);
    done(status);
}

static void do_js_batch_add_start(driver *d)
{
    nats_headers *headers;
    nats_future *made;
    text subject = word(d, 2);
    text data = word(d, 3);
    if (!read_publish_headers(d, &headers)) {
        return;
    }
    nats_status status =
        nats_js_batch_add_start(batch_of(d), subject.at, subject.len, headers, data.at, data.len,
                                number(d, "timeout_ms", -1), &made);
    nats_headers_free(headers);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), FUTURE, made);
    }
    done(status);
}

/* A subject of - commits without a message. */
static void do_js_batch_commit(driver *d)
{
    nats_headers *headers;
    nats_msg *ack;
    text subject = word(d, 1);
    text data = word(d, 2);
    if (!read_publish_headers(d, &headers)) {
        return;
    }
    nats_status status =
        nats_js_batch_commit(batch_of(d), subject.at, subject.len, headers, data.at, data.len,
                             number(d, "timeout_ms", -1), &ack);
    nats_headers_free(headers);
    if (!failed(status)) {
        put_ack(d, FIELDS_AT, ack);
    }
}

static void do_js_batch_commit_start(driver *d)
{
    nats_headers *headers;
    nats_future *made;
    text subject = word(d, 2);
    text data = word(d, 3);
    if (!read_publish_headers(d, &headers)) {
        return;
    }
    nats_status status =
        nats_js_batch_commit_start(batch_of(d), subject.at, subject.len, headers, data.at,
                                   data.len, number(d, "timeout_ms", -1), &made);
    nats_headers_free(headers);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), FUTURE, made);
    }
    done(status);
}

/* ---- keywords ---- */

static void do_js_keywords(driver *d)
{
    (void)d;
    fputs("ok", stdout);
    for (size_t i = 0; nats_js_keyword(i) != NULL; i++) {
        put_text(nats_js_keyword(i));
    }
    putchar('\n');
}

/* Its header, and its kind. */
static void do_js_header(driver *d)
{
    int32_t kind;
    const char *header = nats_js_header(word(d, 0).at, &kind);
    fputs("ok", stdout);
    put_text(header);
    printf(" %d\n", kind);
}

#define PUBLISH_VERBS                                                                        \
    VERB(js_publish) VERB(js_publish_start) VERB(js_wait) VERB(js_publisher) VERB(js_pub)    \
    VERB(js_pub_many) VERB(js_flush) VERB(js_flush_start) VERB(js_failures)                  \
    VERB(js_publisher_stats) VERB(js_batch) VERB(js_batch_add) VERB(js_batch_add_start)      \
    VERB(js_batch_commit) VERB(js_batch_commit_start) VERB(js_keywords) VERB(js_header)

#endif
