/* Memory that runs out: the n-th allocation of a whole session fails, for every n there is, once
 * alone and once with all that follow it, in any thread. Whatever was called says NO_MEMORY or
 * does its work; nothing crashes, hangs, or is still allocated at the end; and after a lone
 * failure the connection is usable. With RIG_JETSTREAM a session of JetStream; with RIG_TLS all of it
 * over TLS, whose allocations, OpenSSL's own, are many: RIG_STEP says to fail every so many of them only. */
#include "../sanitized.h"
#include "rig.h"

#include <link.h>

#if WITH_OPENSSL
#include <openssl/crypto.h>
#endif

#if SANITIZED

int main(void)
{
    puts("skipped: sanitizers have an allocator of their own");
    return RIG_SKIPPED;
}

#else

enum {
    HANG_S = 30,
    CALL_MS = 5000,
    BIG = 200 * 1024, /* more than a chunk: the parser takes one of its own for it */
    MESSAGES = 50,
    SETTLE_MS = 500,
    LASTING_MAX = 200, /* of a session all of whose allocations fail from there on: it ends soon */
    LASTING_TLS_MAX = 2500, /* a handshake has so many */
    NOT_FAILING = -1
};

/* ---- an allocator that fails when it is told to: glibc's own under other names ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

#define CALLER ((uintptr_t)__builtin_return_address(0))

static atomic_llong countdown = NOT_FAILING; /* allocations that still work */
static atomic_bool lasting;                  /* and all after the first failure fail too */
static atomic_llong failed;
static atomic_llong live;

/* A place to stop at in a debugger. */
static __attribute__((noinline)) bool first_failure(void)
{
    return atomic_fetch_add(&failed, 1) == 0;
}

/* Where json-c lies: it crashes by itself when memory is out, so what it takes is not looked at. */
static uintptr_t json_from;
static uintptr_t json_to;

static int find_json(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size, (void)data;
    if (strstr(info->dlpi_name, "json-c") == NULL) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + part->p_vaddr;
        uintptr_t to = from + part->p_memsz;
        bool code = part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0;
        json_from = code ? from : json_from;
        json_to = code ? to : json_to;
    }
    return 1;
}

static bool fails(uintptr_t caller)
{
    if (atomic_load(&countdown) == NOT_FAILING || (caller >= json_from && caller < json_to)) {
        return false;
    }
    if (atomic_load(&failed) > 0) {
        if (atomic_load(&lasting)) {
            atomic_fetch_add(&failed, 1);
        }
        return atomic_load(&lasting);
    }
    if (atomic_fetch_sub(&countdown, 1) > 1) {
        return false;
    }
    atomic_store(&countdown, 1); /* never NOT_FAILING */
    return first_failure() || atomic_load(&lasting);
}

static void *counted(void *memory)
{
    atomic_fetch_add(&live, memory != NULL);
    return memory;
}

void *malloc(size_t size)
{
    return fails(CALLER) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(CALLER) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
    if (fails(CALLER)) {
        return NULL;
    }
    void *moved = __libc_realloc(memory, size);
    return memory == NULL ? counted(moved) : moved;
}

void free(void *memory)
{
    atomic_fetch_sub(&live, memory != NULL);
    __libc_free(memory);
}

#if WITH_OPENSSL

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(size);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return realloc(memory, size);
}

static void openssl_free(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

/* Before its first allocation. What other libraries have is not looked at: json-c crashes by itself. */
static void count_openssl(void)
{
    RIG_CHECK(CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1);
}

#else

static void count_openssl(void)
{
}

#endif

static void fail_from(long long n, bool all)
{
    atomic_store(&failed, 0);
    atomic_store(&lasting, all);
    atomic_store(&countdown, n);
}

static void fail_no_more(void)
{
    atomic_store(&countdown, NOT_FAILING);
}

/* ---- the session ---- */

static const char *doing = "nothing";
static long long doing_n;
static bool doing_all;

static void hung(int number)
{
    (void)number;
    static const char text[] = "it hangs: ";
    ssize_t written = write(2, text, sizeof(text) - 1);
    written = write(2, doing, strlen(doing));
    (void)written;
    char line[64];
    snprintf(line, sizeof(line), ", allocation %lld%s\n", doing_n,
             doing_all ? " and all after" : "");
    written = write(2, line, strlen(line));
    rig_fail();
}

/* A call says NO_MEMORY, or works. When memory ran out in the keeper, the connection is given up
 * and what waited for it is told DISCONNECTED. Of a lone failure OpenSSL may forget the reason: then a
 * connect says TLS. */
static bool did(const char *what, nats_status status)
{
    doing = what;
    bool ran_out = atomic_load(&failed) > 0;
    bool all = atomic_load(&lasting);
    bool forgotten = ran_out && !all && status == NATS_ERR_TLS && strcmp(what, "connect") == 0;
    bool fine = status == NATS_OK || forgotten ||
                (all && status == NATS_ERR_TIMEOUT) || /* they have little time */
                (ran_out && (status == NATS_ERR_NO_MEMORY || status == NATS_ERR_DISCONNECTED ||
                             (all && status == NATS_ERR_CLOSED)));
    if (!fine) {
        fprintf(stderr, "%s: %s (%s), allocation %lld%s\n", what, nats_status_name(status),
                nats_last_error(NULL), doing_n, doing_all ? " and all after" : "");
        rig_fail();
    }
    return status == NATS_OK;
}

static void take_all(nats_client *client)
{
    nats_msg *batch[MESSAGES];
    size_t count = 1;
    while (count > 0 && did("get", nats_client_get(client, MESSAGES, 20, batch, &count))) {
        nats_msg_free_many(batch, count);
    }
}

static void ask(nats_client *client)
{
    nats_msg *reply;
    nats_future *future;
    int64_t ms = atomic_load(&lasting) ? 50 : CALL_MS;
    if (did("request", nats_client_request(client, "memory.echo", NATS_Z, NULL, "x", 1, ms,
                                           &reply))) {
        nats_msg_free(reply);
    }
    if (did("request_many", nats_client_request_many(client, "memory.echo", NATS_Z, NULL, "x", 1,
                                                     1, 0, ms, 0, &future))) {
        did("future_wait", nats_future_wait(future, -1, &reply));
        nats_msg_free(reply);
        nats_future_free(future);
    }
}

static void publish(nats_client *client, const char *big)
{
    nats_headers *headers = NULL;
    if (did("headers_new", nats_headers_new(&headers))) {
        did("headers_add", nats_headers_add(headers, "Key", NATS_Z, "value", NATS_Z));
        did("publish_with", nats_client_publish_with(client, "memory.a", NATS_Z, NULL, 0, headers,
                                                     "x", 1));
    }
    nats_headers_free(headers);
    for (int i = 0; i < MESSAGES; i++) {
        did("publish", nats_client_publish(client, "memory.b", NATS_Z, big, 100));
    }
    did("publish big", nats_client_publish(client, "memory.c", NATS_Z, big, BIG));
}

static void look(nats_client *client)
{
    nats_info *info;
    nats_event *event = NULL;
    if (did("server_info", nats_client_server_info(client, &info))) {
        nats_info_free(info);
    }
    while (nats_client_next_event(client, 0, &event) == NATS_OK && event != NULL) {
        nats_event_free(event);
    }
}

/* ---- the same of JetStream ---- */

static bool with_jetstream;

/* What a consumer has of the stream, and what is told of it. */
static void take_and_acknowledge(nats_client *client, nats_sub *sub, int64_t ms)
{
    nats_msg *msg = NULL;
    for (int i = 0; sub != NULL && i < 3; i++) {
        msg = NULL;
        nats_status status = nats_sub_next(sub, atomic_load(&lasting) ? 10 : 200, &msg);
        if (status == NATS_ERR_CLOSED || status == NATS_ERR_SERVER) {
            return; /* it has ended, and told why by then */
        }
        if (!did("sub_next", status) || msg == NULL) {
            return;
        }
        bool wanted = nats_msg_ack_state(msg) == NATS_ACK_STATE_OPEN;
        did("ack", i == 0 && wanted ? nats_client_ack_sync(client, msg, ms)
                                    : nats_client_ack(client, msg, NATS_ACK, 0, NULL, 0));
        nats_msg_free(msg);
    }
}

static void publish_to_stream(nats_js *js, int64_t ms)
{
    nats_js_publisher *publisher = NULL;
    nats_msg *ack;
    if (did("js_publish", nats_js_publish(js, "stream.a", NATS_Z, NULL, "x", 1, ms, &ack))) {
        nats_msg_free(ack);
    }
    if (!did("publisher_new", nats_js_publisher_new(js, 8, &publisher))) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        did("publisher_publish", nats_js_publisher_publish(publisher, "stream.b", NATS_Z, NULL, "y",
                                                           1, NULL));
    }
    did("publisher_flush", nats_js_publisher_flush(publisher, ms));
    uint64_t id = 1;
    while (nats_js_publisher_next_failure(publisher, &id) != NATS_OK) {
    }
    nats_js_publisher_free(publisher);
}

static void use_jetstream(nats_client *client)
{
    static const char *const hows[] = {"fetch", "consume", "ordered"};
    static const char *const arguments[] = {
        "{\"stream\":\"MEMORY\",\"consumer\":\"c\",\"max_messages\":3,\"no_wait\":true}",
        "{\"stream\":\"MEMORY\",\"consumer\":\"c\",\"max_messages\":3}",
        "{\"stream\":\"MEMORY\",\"max_messages\":3}"};
    int64_t ms = atomic_load(&lasting) ? 50 : CALL_MS;
    nats_js *js;
    if (!did("jetstream", nats_client_jetstream(client, NULL, NULL, ms, &js))) {
        return;
    }
    nats_msg *info;
    if (did("js_call", nats_js_call(js, "stream_info", "{\"stream\":\"MEMORY\"}", NATS_Z, ms,
                                    &info))) {
        nats_msg_free(info);
    }
    publish_to_stream(js, ms);
    for (int i = 0; i < 3; i++) {
        nats_sub *sub = NULL;
        if (did(hows[i], nats_js_consume(js, hows[i], arguments[i], NATS_Z, ms, &sub))) {
            take_and_acknowledge(client, sub, ms);
        }
        nats_sub_free(sub);
    }
    nats_js_free(js);
}

static void make_stream(void)
{
    nats_client *client;
    nats_js *js;
    RIG_OK(nats_connect(rig.url, NULL, &client));
    RIG_OK(nats_client_jetstream(client, NULL, NULL, -1, &js));
    RIG_OK(nats_js_call(js, "create_stream",
                        "{\"config\":{\"name\":\"MEMORY\",\"subjects\":[\"stream.>\"],"
                        "\"storage\":\"memory\",\"max_msgs\":100}}", NATS_Z, -1, NULL));
    RIG_OK(nats_js_call(js, "create_consumer",
                        "{\"stream\":\"MEMORY\",\"config\":{\"durable_name\":\"c\","
                        "\"ack_wait\":\"100ms\"}}", NATS_Z, -1, NULL));
    nats_js_free(js);
    nats_client_free(client);
}

static void use(nats_client *client, const char *big)
{
    if (with_jetstream) {
        use_jetstream(client);
        return;
    }
    int64_t ms = atomic_load(&lasting) ? 50 : CALL_MS;
    nats_client *shared = NULL;
    nats_sub *sub = NULL;
    nats_sub *slow = NULL;
    int32_t fd;
    did("share", nats_client_share(client, &shared));
    did("subscribe", nats_client_subscribe(client, "memory.>", NATS_Z, NULL, 0, 0, &sub));
    did("subscribe", nats_client_subscribe(client, "memory.b", NATS_Z, "q", 1, 40, &slow));
    if (slow != NULL) {
        nats_sub_set_limits(slow, 10, -1);
    }
    publish(client, big);
    did("flush", nats_client_flush(client, ms));
    take_all(client);
    ask(client);
    did("fd", nats_client_fd(client, &fd));
    look(client);
    if (sub != NULL) {
        did("sub_drain", nats_sub_drain(sub, ms));
    }
    nats_sub_free(slow);
    nats_sub_free(sub);
    nats_client_free(shared);
}

static void run(const char *big, long long n, bool all)
{
    doing_n = n;
    doing_all = all;
    alarm(HANG_S);
    nats_client *client = NULL;
    const char *settings[] = {"reconnect_wait=0.001", "name=memory",
                              all ? "connect_timeout=0.2" : "connect_timeout=2", NULL};
    fail_from(n, all);
    nats_status status = rig_connect(rig.url, settings, &client);
    bool open = did("connect", status);
    RIG_CHECK(open == (client != NULL));
    if (open) {
        use(client, big);
        bool once = atomic_load(&failed) > 0 && !all;
        fail_no_more();
        while (once && nats_client_flush(client, CALL_MS) != NATS_OK) {
            RIG_CHECK(nats_client_status(client) != NATS_CLIENT_CLOSED);
        }
        /* Drain and close without memory too. */
        if (all) {
            fail_from(1, true);
        }
        did("drain", nats_client_drain(client, all ? 50 : CALL_MS));
        nats_client_close(client);
        nats_client_free(client);
    }
    fail_no_more();
    alarm(0);
}

static uint64_t received(nats_client *client)
{
    return rig_stat(client, "in_msgs");
}

/* A client of a shared connection that is closed without memory for its UNSUBs: nothing of it is
 * left, and the server learns of it as soon as it sends something. */
static void close_one_of_two(void)
{
    enum { SUBS = 40, LONG = 1000 };
    char subject[LONG];
    nats_client *client;
    nats_client *shared;
    RIG_OK(nats_connect(rig.url, NULL, &client));
    RIG_OK(nats_client_share(client, &shared));
    memset(subject, 's', sizeof(subject));
    for (int i = 0; i < SUBS; i++) {
        RIG_OK(nats_client_subscribe(shared, subject, sizeof(subject), NULL, 0, 0, NULL));
    }
    RIG_OK(nats_client_flush(client, CALL_MS));

    fail_from(1, true);
    nats_client_free(shared);
    fail_no_more();
    for (int i = 0; i < 2; i++) {
        RIG_OK(nats_client_publish(client, subject, sizeof(subject), "x", 1));
        RIG_OK(nats_client_flush(client, CALL_MS));
    }
    uint64_t before = received(client);
    RIG_OK(nats_client_publish(client, subject, sizeof(subject), "x", 1));
    RIG_OK(nats_client_flush(client, CALL_MS));
    RIG_CHECK(received(client) == before);
    nats_client_free(client);
}

/* A drain that cannot begin for want of memory has not begun: the subscriptions go on. */
static void drain_not_begun(void)
{
    enum { SUBS = 2000 }; /* their UNSUBs are more than any buffer that is there */
    nats_client *client;
    nats_future *future;
    nats_sub *sub;
    RIG_OK(nats_connect(rig.url, NULL, &client));
    RIG_OK(nats_client_subscribe(client, "memory.drain", NATS_Z, NULL, 0, 0, &sub));
    for (int i = 0; i < SUBS; i++) {
        RIG_OK(nats_client_subscribe(client, "memory.other", NATS_Z, NULL, 0, 0, NULL));
    }
    RIG_OK(nats_client_flush_start(client, -1, &future)); /* so that there is one to take again */
    nats_future_free(future);

    fail_from(1, true);
    nats_status status = nats_client_drain_start(client, CALL_MS, &future);
    fail_no_more();
    RIG_CHECK(status == NATS_ERR_NO_MEMORY && future == NULL);
    RIG_CHECK(nats_client_status(client) == NATS_CLIENT_CONNECTED);
    RIG_CHECK(nats_sub_active(sub) == 1);
    nats_msg *msg;
    RIG_OK(nats_client_publish(client, "memory.drain", NATS_Z, "x", 1));
    RIG_OK(nats_sub_next(sub, CALL_MS, &msg));
    nats_msg_free(msg);
    RIG_OK(nats_client_drain(client, CALL_MS));
    nats_sub_free(sub);
    nats_client_free(client);
}

/* Threads that were told to end may still be on their way. */
static bool all_freed(long long before)
{
    int64_t end = rig_now_ms() + SETTLE_MS;
    while (atomic_load(&live) > before && rig_now_ms() < end) {
        rig_sleep_ms(1);
    }
    return atomic_load(&live) <= before;
}

/* OpenSSL may have kept by now what an earlier failure kept it from: what leaks does so each time. */
static void run_without_leak(const char *big, long long n, bool all)
{
    const int tries = getenv("RIG_TLS") != NULL ? 3 : 1;
    for (int i = 0; i < tries; i++) {
        long long before = atomic_load(&live);
        run(big, n, all);
        if (all_freed(before)) {
            return;
        }
        fprintf(stderr, "%lld blocks are left, allocation %lld%s\n", atomic_load(&live) - before,
                n, all ? " and all after" : "");
    }
    rig_fail();
}

static _Noreturn void echo(void)
{
    nats_client *client;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    RIG_OK(nats_connect(rig.url, NULL, &client));
    RIG_OK(nats_client_subscribe(client, "memory.echo", NATS_Z, NULL, 0, 0, NULL));
    for (;;) {
        nats_msg *msg;
        size_t count;
        RIG_OK(nats_client_get(client, 1, -1, &msg, &count));
        if (nats_msg_reply(msg, NULL) != NULL) {
            nats_client_respond(client, msg, NULL, "y", 1);
        }
        nats_msg_free(msg);
    }
}

static long long step_given(void)
{
    const char *step = getenv("RIG_STEP");
    return step != NULL ? atoll(step) : 1;
}

/* no_memory_test [N [lasting]]: from the N-th on. */
int main(int argc, char **argv)
{
    const long long step = step_given();
    with_jetstream = getenv("RIG_JETSTREAM") != NULL;
    rig_jetstream = with_jetstream;
    dl_iterate_phdr(find_json, NULL);
    signal(SIGALRM, hung);
    count_openssl();
    rig_start();
    if (with_jetstream) {
        make_stream();
    }
    pid_t helper = fork();
    if (helper == 0) {
        echo();
    }
    char *big = calloc(1, BIG);
    RIG_CHECK(big != NULL);
    rig_sleep_ms(200);
    run(big, NOT_FAILING, false);
    run(big, NOT_FAILING, false);
    if (getenv("RIG_TLS") == NULL) {
        close_one_of_two();
        drain_not_begun();
    }
    long long count = 0;
    long long first = argc > 1 ? atoll(argv[1]) : 1;
    for (int all = argc > 2; all < 2; all++) {
        bool reached = true;
        for (long long n = first; reached; n += step) {
            run_without_leak(big, n, all != 0);
            reached = atomic_load(&failed) > 0;
            count += reached;
            if (all && n > (getenv("RIG_TLS") != NULL ? LASTING_TLS_MAX : LASTING_MAX)) {
                break;
            }
        }
    }
    printf("%lld failed allocations: none crashed, hung or leaked\n", count);
    RIG_CHECK(count * step > 100);
    kill(helper, SIGKILL);
    waitpid(helper, NULL, 0);
    free(big);
    rig_stop();
    return 0;
}

#endif
