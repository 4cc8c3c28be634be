/* What the integration tests share: a nats-server that can be killed, stopped and started again,
 * time, threads, and checks that say what failed. */
#ifndef TESTS_INTEGRATION_RIG_H
#define TESTS_INTEGRATION_RIG_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <polynats.h>

enum {
    RIG_SKIPPED = 77,
    RIG_UP_MS = 10000, /* a server that is not up by then will not be */
    RIG_WAIT_MS = 20000
};

#define RIG_CHECK(condition)                                                                 \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition,              \
                    nats_last_error(NULL));                                                  \
            rig_fail();                                                                      \
        }                                                                                    \
    } while (0)

#define RIG_OK(call) RIG_CHECK((call) == NATS_OK)

typedef struct rig_server {
    pid_t pid; /* 0: not running */
    int port;
    char url[64];
} rig_server;

static rig_server rig; /* the one server of a test program */

static inline void rig_stop(void)
{
    if (rig.pid > 0) {
        kill(rig.pid, SIGCONT);
        kill(rig.pid, SIGKILL);
        waitpid(rig.pid, NULL, 0);
        rig.pid = 0;
    }
}

/* Stop it as a debugger would. Its threads stop one after the other: wait for the last. */
static inline void rig_freeze(void)
{
    int status;
    kill(rig.pid, SIGSTOP);
    waitpid(rig.pid, &status, WUNTRACED);
}

/* ---- the end ---- */

static char rig_folder[] = "/tmp/rig-XXXXXX"; /* of a certificate, when there is one */

/* ---- JetStream: for programs that set this before rig_run() ---- */

static bool rig_jetstream;
static char rig_store[] = "/tmp/rig-store-XXXXXX"; /* it outlives a server that is killed */

static inline void rig_forget_store(void)
{
    char command[64];
    if (rig_jetstream && strstr(rig_store, "XXXXXX") == NULL) {
        snprintf(command, sizeof(command), "rm -rf %s", rig_store);
        if (system(command) != 0) {
            fprintf(stderr, "left behind: %s\n", rig_store);
        }
    }
}

static inline void rig_make_store(void)
{
    if (rig_jetstream && strstr(rig_store, "XXXXXX") != NULL && mkdtemp(rig_store) == NULL) {
        perror(rig_store);
        _exit(1);
    }
}

static inline void rig_forget_certificate(void)
{
    char path[64];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/%s.pem", rig_folder, i == 0 ? "cert" : "key");
        unlink(path);
    }
    rmdir(rig_folder);
}

/* Several threads may find something: the first ends the program, the others wait for that. */
static inline _Noreturn void rig_fail(void)
{
    static atomic_flag failing = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(&failing)) {
        pause();
    }
    rig_stop();
    rig_forget_certificate();
    rig_forget_store();
    _exit(1);
}

static inline int64_t rig_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void rig_sleep_ms(int64_t ms)
{
    struct timespec time = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0) {
    }
}

/* ---- how long something took, without the time for which the machine had no processor for it ---- */

enum { RIG_METER_MS = 5 };

static atomic_llong rig_late_us; /* what the sleeps of rig_meter() came to, over their time */

/* A machine that is itself stopped now and then, as a virtual one is, knows of no queue to blame. */
static inline void *rig_meter(void *none)
{
    for (;;) {
        struct timespec from;
        struct timespec to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        rig_sleep_ms(RIG_METER_MS);
        clock_gettime(CLOCK_MONOTONIC, &to);
        long long took = (to.tv_sec - from.tv_sec) * 1000000LL + (to.tv_nsec - from.tv_nsec) / 1000;
        long long late = took - RIG_METER_MS * 1000LL;
        atomic_fetch_add(&rig_late_us, late > 1000 ? late : 0);
    }
    return none;
}

/* How long all threads of a process were ready to run and did not; 0 where the system does not tell. */
static inline int64_t rig_queued_ns(pid_t pid)
{
    char path[288];
    int64_t sum = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    for (struct dirent *task; dir != NULL && (task = readdir(dir)) != NULL;) {
        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "re");
        int64_t queued = 0;
        if (file != NULL) {
            sum += fscanf(file, "%*d %" SCNd64, &queued) == 1 ? queued : 0;
            fclose(file);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return sum;
}

typedef struct rig_watch {
    int64_t began_ms;
    int64_t queued_ns;
    long long late_us;
} rig_watch;

static inline rig_watch rig_watch_start(void)
{
    int64_t queued = rig_queued_ns(getpid()) + (rig.pid > 0 ? rig_queued_ns(rig.pid) : 0);
    return (rig_watch){rig_now_ms(), queued, atomic_load(&rig_late_us)};
}

/* The time since then, less that for which this program, the server or the machine was held up. A
 * mark that this is over is the library's own doing. */
static inline int64_t rig_watch_ms(const rig_watch *since)
{
    int64_t took = rig_now_ms() - since->began_ms;
    rig_watch now = rig_watch_start();
    int64_t queued_ms = (now.queued_ns - since->queued_ns) / 1000000;
    int64_t late_ms = (now.late_us - since->late_us) / 1000;
    int64_t held = (queued_ms > 0 ? queued_ms : 0) + late_ms; /* threads that ended are gone */
    return took > held ? took - held : 0;
}

/* A listening socket of the loopback; *port_io 0: any port. */
static inline int rig_listen(int *port_io)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    RIG_CHECK(fd >= 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port_io)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t len = sizeof(address);
    RIG_CHECK(bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, 64) == 0);
    RIG_CHECK(getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    *port_io = ntohs(address.sin_port);
    return fd;
}

static inline bool rig_port_open(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bool open = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return open;
}

/* ---- TLS: with RIG_TLS in the environment, for programs that know nothing of it ---- */

/* A certificate for 127.0.0.1 that OpenSSL takes for one of the system's. */
static inline void rig_certify(void)
{
    char command[512];
    RIG_CHECK(mkdtemp(rig_folder) != NULL);
    atexit(rig_forget_certificate);
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
             "-subj /CN=rig -addext subjectAltName=IP:127.0.0.1 -keyout %s/key.pem "
             "-out %s/cert.pem 2>/dev/null",
             rig_folder, rig_folder);
    RIG_CHECK(system(command) == 0);
    char path[64];
    snprintf(path, sizeof(path), "%s/cert.pem", rig_folder);
    setenv("SSL_CERT_FILE", path, 1);
}

static inline void rig_exec(const char *program, const char *port, bool secure)
{
    char cert[64];
    char key[64];
    snprintf(cert, sizeof(cert), "%s/cert.pem", rig_folder);
    snprintf(key, sizeof(key), "%s/key.pem", rig_folder);
    if (secure) {
        execl(program, program, "-a", "127.0.0.1", "-p", port, "--tls", "--tlscert", cert,
              "--tlskey", key, (char *)NULL);
    } else if (rig_jetstream) {
        execl(program, program, "-a", "127.0.0.1", "-p", port, "-js", "-sd", rig_store,
              (char *)NULL);
    } else {
        execl(program, program, "-a", "127.0.0.1", "-p", port, (char *)NULL);
    }
}

/* Start the server, on the port it had before if there was one. */
static inline void rig_start(void)
{
    const char *program = getenv("NATS_SERVER_BIN");
    if (program == NULL || access(program, X_OK) != 0) {
        puts("skipped: no nats-server (set NATS_SERVER_BIN)");
        exit(RIG_SKIPPED);
    }
    bool secure = getenv("RIG_TLS") != NULL;
    if (rig.port == 0) {
        close(rig_listen(&rig.port));
        snprintf(rig.url, sizeof(rig.url), "%s://127.0.0.1:%d", secure ? "tls" : "nats", rig.port);
        if (secure) {
            rig_certify();
        }
    }
    rig_make_store();
    char port[16];
    snprintf(port, sizeof(port), "%d", rig.port);
    rig.pid = fork();
    RIG_CHECK(rig.pid >= 0);
    if (rig.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it may not outlive a test that is killed */
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        rig_exec(program, port, secure);
        _exit(127);
    }
    int64_t end = rig_now_ms() + RIG_UP_MS;
    while (!rig_port_open(rig.port)) {
        RIG_CHECK(rig_now_ms() < end);
        rig_sleep_ms(5);
    }
}

/* Options as text: "name=value", one after the other, NULL at the end. */
static inline nats_status rig_connect(const char *url, const char *const *settings,
                                      nats_client **client_out)
{
    nats_options *options;
    nats_status status = nats_options_new(&options);
    if (status != NATS_OK) {
        *client_out = NULL;
        return status;
    }
    for (; settings != NULL && *settings != NULL && status == NATS_OK; settings++) {
        char name[64];
        size_t len = strcspn(*settings, "=");
        snprintf(name, sizeof(name), "%.*s", (int)len, *settings);
        status = nats_options_set_text(options, name, *settings + len + 1, NATS_Z);
    }
    if (status == NATS_OK) {
        status = nats_connect(url, options, client_out);
    } else {
        *client_out = NULL;
    }
    nats_options_free(options);
    return status;
}

#define RIG_CONNECT(client, ...) \
    RIG_OK(rig_connect(rig.url, (const char *const[]){__VA_ARGS__, NULL}, &(client)))

/* A counter of nats_client_stats() by its name. */
static inline uint64_t rig_stat(nats_client *client, const char *name)
{
    uint64_t values[64];
    size_t count = nats_client_stats(client, values, 64);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(nats_stats_name(i), name) == 0) {
            return values[i];
        }
    }
    fprintf(stderr, "no counter %s\n", name);
    rig_fail();
}

/* The server was stopped and started again: until the client has found both out. */
static inline void rig_back(nats_client *client)
{
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    while (nats_client_flush(client, RIG_WAIT_MS) != NATS_OK) {
        RIG_CHECK(rig_now_ms() < end);
    }
}

static inline pthread_t rig_thread(void *(*body)(void *), void *arg)
{
    pthread_t thread;
    RIG_CHECK(pthread_create(&thread, NULL, body, arg) == 0);
    return thread;
}

/* Join within ms, or fail: a thread that hangs is what the tests look for. */
static inline void rig_join(pthread_t thread, int64_t ms, const char *what)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(ms / 1000) + 1;
    if (pthread_timedjoin_np(thread, NULL, &until) != 0) {
        fprintf(stderr, "hangs: %s\n", what);
        rig_fail();
    }
}

/* Entries of a folder under the process's own in /proc: "fd" or "task". */
static inline int rig_count(const char *folder)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/%s", folder);
    DIR *dir = opendir(path);
    RIG_CHECK(dir != NULL);
    int count = 0;
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count;
}

/* As many as before, once what ended is gone for the system too. */
static inline void rig_check_count(const char *folder, int before)
{
    int64_t end = rig_now_ms() + 2000;
    int now = rig_count(folder);
    while (now != before && rig_now_ms() < end) {
        rig_sleep_ms(10);
        now = rig_count(folder);
    }
    if (now != before) {
        fprintf(stderr, "%s: %d before, %d now\n", folder, before, now);
        rig_fail();
    }
}

typedef struct rig_case {
    const char *name;
    void (*run)(void);
} rig_case;

/* All cases, or the one that is named, with a server that runs when each begins. */
static inline int rig_run(int argc, char **argv, const rig_case *cases, size_t count)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    pthread_detach(rig_thread(rig_meter, NULL));
    for (size_t i = 0; i < count; i++) {
        if (argc > 1 && strcmp(argv[1], cases[i].name) != 0) {
            continue;
        }
        if (rig.pid == 0) {
            rig_start();
        }
        int64_t began = rig_now_ms();
        cases[i].run();
        printf("ok %s (%d ms)\n", cases[i].name, (int)(rig_now_ms() - began));
    }
    rig_stop();
    rig_forget_store();
    return 0;
}

#endif
