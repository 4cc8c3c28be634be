/* Credentials that are asked for or read, and what is left of them in memory. The server is a thread
 * that says INFO with a nonce, keeps the CONNECT that comes, and hangs up when it is told to. read() is
 * ours here, for disks that are slow: the library is linked into this program. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "rig.h"
#include "search.h"

enum { CONNECTS_MAX = 8, LINE_SIZE = 8192 };

typedef struct fake {
    int listener;
    int port;
    char url[64];
    char connects[CONNECTS_MAX][LINE_SIZE];
    atomic_int count; /* of CONNECTs read */
    atomic_int hang_up; /* how many connections are to be closed */
    atomic_bool stop;
    bool keeps; /* the lines; else they are wiped at once */
    pthread_t thread;
} fake;

static const char info[] =
    "INFO {\"server_id\":\"X\",\"version\":\"2.10.0\",\"max_payload\":1048576,\"headers\":true,"
    "\"auth_required\":true,\"nonce\":\"abc\"}\r\n";

/* CONNECT and PING. */
static bool read_connect(int fd, char *line)
{
    size_t len = 0;
    while (len < LINE_SIZE - 1) {
        ssize_t n = read(fd, line + len, LINE_SIZE - 1 - len);
        if (n <= 0) {
            return false;
        }
        len += (size_t)n;
        line[len] = '\0';
        if (strstr(line, "\r\nPING\r\n") != NULL) {
            return true;
        }
    }
    return false;
}

static void *fake_main(void *arg)
{
    fake *self = arg;
    static char unwanted[LINE_SIZE];
    while (!atomic_load(&self->stop)) {
        int fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
        int at = atomic_load(&self->count);
        if (fd < 0 || at == CONNECTS_MAX) {
            break;
        }
        char *line = self->keeps ? self->connects[at] : unwanted;
        if (write(fd, info, sizeof info - 1) > 0 && read_connect(fd, line)) {
            memset(unwanted, 0, sizeof unwanted);
            atomic_fetch_add(&self->count, 1); /* before the client hears of it */
            bool told = write(fd, "PONG\r\n", 6) == 6;
            while (told && atomic_load(&self->hang_up) <= at && !atomic_load(&self->stop)) {
                rig_sleep_ms(2);
            }
        }
        close(fd);
    }
    return NULL;
}

static void fake_start(fake *self, bool keeps)
{
    *self = (fake){.keeps = keeps};
    self->listener = rig_listen(&self->port);
    snprintf(self->url, sizeof self->url, "nats://127.0.0.1:%d", self->port);
    RIG_CHECK(pthread_create(&self->thread, NULL, fake_main, self) == 0);
}

static void fake_end(fake *self)
{
    atomic_store(&self->stop, true);
    shutdown(self->listener, SHUT_RDWR);
    pthread_join(self->thread, NULL);
    close(self->listener);
}

/* The event of that type; those before it are dropped. */
static nats_event *await(nats_client *client, int32_t type)
{
    for (;;) {
        nats_event *event;
        RIG_OK(nats_client_next_event(client, RIG_WAIT_MS, &event));
        RIG_CHECK(event != NULL);
        if (nats_event_type(event) == type) {
            return event;
        }
        nats_event_free(event);
    }
}

static void await_asked(nats_client *client)
{
    nats_event *event = await(client, NATS_EVENT_CREDENTIALS);
    RIG_CHECK(strcmp(nats_event_text(event), "abc") == 0);
    RIG_CHECK(strcmp(nats_event_name(event), "credentials") == 0);
    RIG_CHECK(strncmp(nats_event_url(event), "nats://127.0.0.1:", 17) == 0);
    nats_event_free(event);
}

static nats_status give(nats_client *client, const char *user, const char *password,
                        const char *seed)
{
    return nats_client_credentials(client, user, password, NULL, NULL, seed, NULL, NULL, 0);
}

static const char public_key[] =
    "\"nkey\":\"UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4\"";
static const char seed[] = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";

/* With the seed; without OpenSSL that is refused, and something else may be given then. */
static void give_seed(nats_client *client)
{
    if (WITH_OPENSSL) {
        RIG_OK(give(client, NULL, NULL, seed));
        return;
    }
    RIG_CHECK(give(client, NULL, NULL, seed) == NATS_ERR_NOT_SUPPORTED);
    RIG_OK(give(client, "u", "in its place", NULL));
}

static void check_given_seed(const char *line)
{
    const char *const there[] = {WITH_OPENSSL ? public_key : "\"pass\":\"in its place\"",
                                 WITH_OPENSSL ? "\"sig\":\"" : "\"user\":\"u\""};
    RIG_CHECK(strstr(line, there[0]) != NULL);
    RIG_CHECK(strstr(line, there[1]) != NULL);
    RIG_CHECK(strstr(line, "SUACSSL") == NULL);
}

/* The first connection takes the options', each later one asks. */
static void asked_at_each_connect(const char *keeper)
{
    static fake server;
    fake_start(&server, true);
    const char *const settings[] = {"user=u", "password=first", "ask_credentials=1",
                                    "reconnect_wait=0.01", "connect_timeout=5", keeper, NULL};
    nats_client *client;
    RIG_OK(rig_connect(server.url, settings, &client));
    RIG_CHECK(strstr(server.connects[0], "\"pass\":\"first\"") != NULL);
    RIG_CHECK(give(client, "u", "p", NULL) == NATS_ERR_INVALID);

    atomic_store(&server.hang_up, 1);
    await_asked(client);
    RIG_CHECK(give(client, NULL, NULL, "SUnone") == NATS_ERR_INVALID);
    RIG_CHECK(strstr(nats_last_error(NULL), "SUnone") == NULL);
    give_seed(client);
    nats_event_free(await(client, NATS_EVENT_RECONNECTED));
    check_given_seed(server.connects[1]);

    atomic_store(&server.hang_up, 2);
    await_asked(client);
    RIG_OK(give(client, "fresh", "a\"b\\c\n", NULL));
    nats_event_free(await(client, NATS_EVENT_RECONNECTED));
    RIG_CHECK(strstr(server.connects[2], "\"user\":\"fresh\"") != NULL);
    RIG_CHECK(strstr(server.connects[2], "\"pass\":\"a\\\"b\\\\c\\u000a\"") != NULL);
    RIG_CHECK(strstr(server.connects[2], "first") == NULL);
    RIG_CHECK(give(client, "u", "p", NULL) == NATS_ERR_INVALID);
    fake_end(&server);
    nats_client_free(client);
}

/* Nobody answers: the attempt ends with its time, and the next one asks again. */
static void nobody_answers(void)
{
    static fake server;
    fake_start(&server, true);
    const char *const settings[] = {"token=t", "ask_credentials=1", "reconnect_wait=0.01",
                                    "connect_timeout=0.3", NULL};
    nats_client *client;
    RIG_OK(rig_connect(server.url, settings, &client));
    atomic_store(&server.hang_up, 1);
    await_asked(client);
    nats_event *event = await(client, NATS_EVENT_ERROR);
    RIG_CHECK(nats_event_status(event) == NATS_ERR_TIMEOUT);
    RIG_CHECK(strstr(nats_event_text(event), "no credentials were given in time") != NULL);
    nats_event_free(event);
    await_asked(client);
    RIG_OK(give(client, "u", "p", NULL));
    nats_event_free(await(client, NATS_EVENT_RECONNECTED));
    fake_end(&server);
    nats_client_free(client);
}

/* ---- by a function of the program ---- */

static nats_client *start_asking(fake *server, nats_future **future)
{
    nats_options *options;
    nats_client *client;
    RIG_OK(nats_options_new(&options));
    RIG_OK(nats_options_set_bool(options, "credentials_hook", 1));
    RIG_OK(nats_options_set_double(options, "reconnect_wait", 0.01));
    RIG_OK(nats_connect_start(server->url, options, &client, future));
    nats_options_free(options);
    return client;
}

/* Whose call was interrupted takes the question, and nobody else can. */
static void answer_question(nats_client *client, const char *password)
{
    nats_event *event;
    nats_event *second;
    RIG_OK(nats_client_question(client, &event));
    RIG_CHECK(event != NULL && strcmp(nats_event_text(event), "abc") == 0);
    RIG_OK(nats_client_question(client, &second));
    RIG_CHECK(second == NULL);
    RIG_OK(give(client, "u", password, NULL));
    nats_event_free(event);
}

static nats_status connect_plainly(const fake *server)
{
    const char *const settings[] = {"credentials_hook=1", "connect_timeout=2", NULL};
    nats_client *client;
    return rig_connect(server->url, settings, &client);
}

static void waits_are_interrupted(void)
{
    static fake server;
    nats_future *future;
    nats_msg *msg;
    nats_sub *sub;
    size_t count;
    fake_start(&server, true);
    nats_client *client = start_asking(&server, &future);
    RIG_CHECK(nats_future_wait(future, RIG_WAIT_MS, &msg) == NATS_ERR_INTERRUPTED);
    RIG_CHECK(nats_future_wait(future, RIG_WAIT_MS, &msg) == NATS_ERR_INTERRUPTED);
    answer_question(client, "first");
    RIG_OK(nats_future_wait(future, RIG_WAIT_MS, &msg));
    nats_future_free(future);
    RIG_CHECK(strstr(server.connects[0], "\"pass\":\"first\"") != NULL);

    RIG_OK(nats_client_subscribe(client, "t", NATS_Z, NULL, 0, 0, &sub));
    atomic_store(&server.hang_up, 1);
    RIG_CHECK(nats_sub_next(sub, RIG_WAIT_MS, &msg) == NATS_ERR_INTERRUPTED);
    RIG_CHECK(nats_client_get(client, 1, RIG_WAIT_MS, &msg, &count) == NATS_ERR_INTERRUPTED);
    RIG_CHECK(nats_client_flush(client, RIG_WAIT_MS) == NATS_ERR_INTERRUPTED);
    answer_question(client, "second");
    nats_event_free(await(client, NATS_EVENT_RECONNECTED));
    RIG_CHECK(strstr(server.connects[1], "\"pass\":\"second\"") != NULL);

    nats_sub_free(sub);
    nats_client_free(client);
    atomic_store(&server.hang_up, 2);
    RIG_CHECK(connect_plainly(&server) == NATS_ERR_INVALID);
    RIG_CHECK(strstr(nats_last_error(NULL), "credentials_hook") != NULL);
    fake_end(&server);
}

/* ---- from a file, which a disk takes its time to give ---- */

static atomic_bool disk_is_stuck;
static atomic_int disk_reads;

ssize_t read(int fd, void *buffer, size_t size)
{
    struct stat about;
    if (atomic_load(&disk_is_stuck) && fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        atomic_fetch_add(&disk_reads, 1);
        for (int i = 0; i < 2000 && atomic_load(&disk_is_stuck); i++) {
            rig_sleep_ms(1);
        }
    }
    return syscall(SYS_read, fd, buffer, size);
}

/* While one thread waits for the disk, the calls of others end in their time. */
static void slow_disks_keep_nobody_waiting(void)
{
    enum { CALL_MS = 100, SLACK_MS = 50 };
    static fake server;
    char path[] = "/tmp/rig-jwt-XXXXXX";
    char setting[64];
    int file = mkstemp(path);
    RIG_CHECK(file >= 0 && dprintf(file, "eyJ0eXAi.eyJuYW1l.c2ln\n") > 0);
    close(file);
    snprintf(setting, sizeof setting, "jwt=%s", path);
    fake_start(&server, true);
    const char *const settings[] = {setting, "reconnect_wait=0.01", "keeper=true", NULL};
    nats_client *client;
    nats_sub *sub;
    nats_msg *msg;
    RIG_OK(rig_connect(server.url, settings, &client));
    RIG_OK(nats_client_subscribe(client, "t", NATS_Z, NULL, 0, 0, &sub));
    atomic_store(&disk_is_stuck, true);
    atomic_store(&server.hang_up, 1);
    while (atomic_load(&disk_reads) == 0) {
        rig_sleep_ms(2);
    }
    rig_watch began = rig_watch_start();
    RIG_CHECK(nats_client_status(client) == NATS_CLIENT_RECONNECTING);
    RIG_CHECK(rig_stat(client, "reconnects") == 0);
    RIG_OK(nats_client_publish(client, "t", NATS_Z, "x", 1));
    RIG_CHECK(rig_watch_ms(&began) < SLACK_MS);
    RIG_OK(nats_sub_next(sub, CALL_MS, &msg));
    RIG_CHECK(nats_client_flush(client, CALL_MS) == NATS_ERR_TIMEOUT);
    RIG_CHECK(rig_watch_ms(&began) < 2 * CALL_MS + 3 * SLACK_MS);
    atomic_store(&disk_is_stuck, false);
    nats_event_free(await(client, NATS_EVENT_RECONNECTED));
    RIG_CHECK(strstr(server.connects[1], "eyJ0eXAi.eyJuYW1l.c2ln") != NULL);
    fake_end(&server);
    nats_sub_free(sub);
    nats_client_free(client);
    unlink(path);
}

/* ---- too late ---- */

static nats_event *await_question(nats_client *client)
{
    nats_event *question = NULL;
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    while (question == NULL) {
        RIG_CHECK(rig_now_ms() < end);
        RIG_OK(nats_client_question(client, &question));
        rig_sleep_ms(2);
    }
    return question;
}

static nats_status sign(nats_client *client, const char *signature)
{
    return nats_client_credentials(client, NULL, NULL, NULL, NULL, NULL, "UKEY", signature,
                                   strlen(signature));
}

/* A function that took longer than the attempt is asked again, and what it had signed for that
 * attempt is not said to another server: that would be a violation, and twice is the end. */
static void late_answers_are_dropped(void)
{
    static fake server;
    fake_start(&server, true);
    const char *const settings[] = {"user=u", "password=first", "credentials_hook=1",
                                    "reconnect_wait=0.3", "connect_timeout=0.5", NULL};
    nats_client *client;
    RIG_OK(rig_connect(server.url, settings, &client));
    RIG_CHECK(sign(client, "early") == NATS_ERR_INVALID);
    atomic_store(&server.hang_up, 1);
    nats_event_free(await_question(client));
    nats_event_free(await(client, NATS_EVENT_ERROR)); /* the attempt is over, and none is under way */
    RIG_OK(sign(client, "late"));
    RIG_CHECK(sign(client, "twice") == NATS_ERR_INVALID);

    nats_event_free(await_question(client));
    nats_event *event = await(client, NATS_EVENT_ERROR);
    nats_event_free(event);
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    while (nats_client_flush(client, 100) != NATS_ERR_INTERRUPTED) { /* the next one asks */
        RIG_CHECK(rig_now_ms() < end);
    }
    RIG_OK(sign(client, "late"));
    nats_event_free(await_question(client));
    RIG_OK(sign(client, "in time"));
    nats_event_free(await(client, NATS_EVENT_RECONNECTED));
    RIG_CHECK(strstr(server.connects[1], "\"sig\":\"aW4gdGltZQ\"") != NULL);
    RIG_CHECK(atomic_load(&server.count) == 2);
    fake_end(&server);
    nats_client_free(client);
}

/* The same by events: who answers for an attempt that is over is told so. */
static void late_signatures_are_refused(void)
{
    static fake server;
    fake_start(&server, true);
    const char *const settings[] = {"token=t", "ask_credentials=1", "reconnect_wait=0.01",
                                    "connect_timeout=0.5", NULL};
    nats_client *client;
    RIG_OK(rig_connect(server.url, settings, &client));
    atomic_store(&server.hang_up, 1);
    await_asked(client);
    nats_event_free(await(client, NATS_EVENT_ERROR));
    nats_status status = NATS_OK;
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    while (status != NATS_ERR_INVALID || strstr(nats_last_error(NULL), "earlier") == NULL) {
        RIG_CHECK(rig_now_ms() < end);
        status = sign(client, "late");
        RIG_CHECK(status == NATS_ERR_INVALID);
        rig_sleep_ms(2);
    }
    await_asked(client);
    RIG_OK(sign(client, "in time"));
    nats_event_free(await(client, NATS_EVENT_RECONNECTED));
    RIG_CHECK(strstr(server.connects[1], "\"sig\":\"aW4gdGltZQ\"") != NULL);
    fake_end(&server);
    nats_client_free(client);
}

/* ---- memory ---- */

/* Backwards, so that nothing of this program has it as it is. */
static const char sdees[] = "YV3UCYYYQPPNDEIXDSU6M7JTDFB6ZWMPHU5FRZUVNSFKXDUHAU3LSSCAUS";
static const char twj[] = "zterces-ruoy.fI1Iw0JtWnKpVzGdHjye.xYlBhDpRvTkQjye";

static void put_reversed(int fd, const char *backwards)
{
    for (size_t i = strlen(backwards); i > 0; i--) {
        RIG_CHECK(write(fd, &backwards[i - 1], 1) == 1);
    }
}

static void put(int fd, const char *text)
{
    RIG_CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* Credentials of a file are gone from memory once the connection is made. */
static void nothing_is_left(void)
{
    if (!search_works()) {
        return;
    }
    static fake server;
    int fd = memfd_create("creds", MFD_CLOEXEC);
    RIG_CHECK(fd >= 0);
    put(fd, "-----BEGIN NATS USER JWT-----\n");
    put_reversed(fd, twj);
    put(fd, "\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\n");
    put_reversed(fd, sdees);
    put(fd, "\n------END USER NKEY SEED------\n");
    fake_start(&server, false);
    char option[64];
    snprintf(option, sizeof option, "creds=/proc/self/fd/%d", fd);
    const char *const settings[] = {option, NULL};
    nats_client *client;
    nats_status status = rig_connect(server.url, settings, &client);
    RIG_CHECK(status == (WITH_OPENSSL ? NATS_OK : NATS_ERR_NOT_SUPPORTED));
    char *known = malloc(strlen(sdees) + 1);
    RIG_CHECK(known != NULL);
    for (size_t i = 0; i < strlen(sdees); i++) {
        known[i] = sdees[strlen(sdees) - 1 - i];
    }
    RIG_CHECK(search_memory(sdees) > 0); /* it finds what is there */
    explicit_bzero(known, strlen(sdees));
    free(known);
    RIG_CHECK(search_memory(sdees) == 0);
    RIG_CHECK(search_memory(twj) == 0);
    fake_end(&server);
    nats_client_free(client);
    close(fd);
}

int main(void)
{
    asked_at_each_connect("keeper=true");
    asked_at_each_connect("keeper=false");
    nobody_answers();
    waits_are_interrupted();
    slow_disks_keep_nobody_waiting();
    late_answers_are_dropped();
    late_signatures_are_refused();
    nothing_is_left();
    puts("credentials: ok");
    return 0;
}
