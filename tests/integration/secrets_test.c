/* What is left of secrets in memory: while a connection is up they are where no core dump is made of, and
 * nowhere else; when it is freed they are nowhere. With RIG_TLS over TLS. Texts that errors and events
 * have are searched by tests/auth/secrets.py. */
#include "rig.h"
#include "search.h"

#include <sys/resource.h>

/* Backwards, so that nothing of this program has them as they are. */
static const char drowssap[] = "w9-Qv7.retnuh-terces-yrev";
static const char dees[] = "YV3UCYYYQPPNDEIXDSU6M7JTDFB6ZWMPHU5FRZUVNSFKXDUHAU3LSSCAUS";
static const char twj[] = "zterces-ruoy.fI1Iw0JtWnKpVzGdHjye.xYlBhDpRvTkQJye";

enum { TEXT_SIZE = 4096 };

/* ---- texts that are wiped ---- */

typedef struct text {
    char bytes[TEXT_SIZE];
    size_t len;
} text;

static void put(text *out, const char *plain)
{
    size_t len = strlen(plain);
    RIG_CHECK(out->len + len < sizeof out->bytes);
    memcpy(out->bytes + out->len, plain, len + 1);
    out->len += len;
}

static void put_reversed(text *out, const char *backwards)
{
    for (size_t i = strlen(backwards); i > 0; i--) {
        out->bytes[out->len++] = backwards[i - 1];
    }
    out->bytes[out->len] = '\0';
}

static void put_creds(text *out)
{
    put(out, "-----BEGIN NATS USER JWT-----\n");
    put_reversed(out, twj);
    put(out, "\n------END NATS USER JWT------\n-----BEGIN USER NKEY SEED-----\n");
    put_reversed(out, dees);
    put(out, "\n------END USER NKEY SEED------\n");
}

/* ---- connections with secrets ---- */

typedef struct kind {
    const char *name;
    const char *option;    /* that has the secret; NULL: the URL has */
    const char *besides;   /* one more option, "name=value"; NULL: none */
    const char *before;    /* what is before the secret in a URL; NULL: none in the URL */
    const char *backwards; /* the secret */
    const char *behind;    /* what is before the secret in a path; NULL: none in the path */
    bool ws;               /* over a WebSocket */
    bool creds;            /* the option's value is a whole .creds text */
    bool signs;            /* it needs OpenSSL */
} kind;

static const kind kinds[] = {
    {.name = "password", .option = "password", .besides = "user=u", .backwards = drowssap},
    {.name = "token", .option = "token", .backwards = drowssap},
    {.name = "password of the URL", .before = "u:", .backwards = drowssap},
    {.name = "token of the URL", .before = "", .backwards = drowssap},
    {.name = "nkey", .option = "nkey", .backwards = dees, .signs = true},
    {.name = "jwt", .option = "jwt", .backwards = twj},
    {.name = "creds: seed", .option = "creds", .backwards = dees, .creds = true, .signs = true},
    {.name = "creds: jwt", .option = "creds", .backwards = twj, .creds = true, .signs = true},
    {.name = "headers", .option = "ws_headers", .backwards = drowssap},
    {.name = "headers of a WebSocket", .option = "ws_headers", .backwards = drowssap, .ws = true},
    {.name = "path of a WebSocket", .behind = "/?key=", .backwards = drowssap, .ws = true},
};

/* ---- a server that has a WebSocket, which asks for a configuration ---- */

static pid_t ws_server;
static int ws_port;
static char ws_config[] = "/tmp/rig-ws-XXXXXX";

static void ws_end(void)
{
    kill(ws_server, SIGKILL);
    waitpid(ws_server, NULL, 0);
    unlink(ws_config);
}

static void ws_start(void)
{
    int fd = mkstemp(ws_config);
    RIG_CHECK(fd >= 0);
    close(rig_listen(&ws_port));
    dprintf(fd, "listen: \"127.0.0.1:-1\"\nwebsocket { listen: \"127.0.0.1:%d\", no_tls: true }\n",
            ws_port);
    close(fd);
    const char *program = getenv("NATS_SERVER_BIN");
    ws_server = fork();
    RIG_CHECK(ws_server >= 0);
    if (ws_server == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execl(program, program, "-c", ws_config, (char *)NULL);
        _exit(127);
    }
    int64_t end = rig_now_ms() + RIG_UP_MS;
    while (!rig_port_open(ws_port)) {
        RIG_CHECK(rig_now_ms() < end);
        rig_sleep_ms(5);
    }
}

static void set_options(nats_options *options, const kind *which)
{
    text value = {.len = 0};
    if (which->besides != NULL) {
        char name[32];
        size_t len = strcspn(which->besides, "=");
        snprintf(name, sizeof name, "%.*s", (int)len, which->besides);
        RIG_OK(nats_options_set_text(options, name, which->besides + len + 1, NATS_Z));
    }
    if (which->creds) {
        put_creds(&value);
    } else if (which->option != NULL) {
        put(&value, strcmp(which->option, "ws_headers") == 0 ? "X-Key: " : "");
        put_reversed(&value, which->backwards);
    }
    if (which->option != NULL) {
        RIG_OK(nats_options_set_text(options, which->option, value.bytes, value.len));
    }
    explicit_bzero(&value, sizeof value);
}

static void put_url(text *out, const kind *which, int port)
{
    char address[32];
    put(out, which->ws ? "ws://" : getenv("RIG_TLS") != NULL ? "tls://" : "nats://");
    if (which->before != NULL) {
        put(out, which->before);
        put_reversed(out, which->backwards);
        put(out, "@");
    }
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    put(out, address);
    if (which->behind != NULL) {
        put(out, which->behind);
        put_reversed(out, which->backwards);
    }
}

static nats_client *connect_with(const kind *which)
{
    nats_options *options;
    nats_client *client;
    text url = {.len = 0};
    RIG_OK(nats_options_new(&options));
    set_options(options, which);
    put_url(&url, which, which->ws ? ws_port : rig.port);
    RIG_OK(nats_connect(url.bytes, options, &client));
    explicit_bzero(&url, sizeof url);
    nats_options_free(options);
    return client;
}

static void check_count(const char *name, const char *when, int count, int most)
{
    if (count > most) {
        fprintf(stderr, "%s: %d times in memory %s\n", name, count, when);
        rig_fail();
    }
}

/* ---- a dump as the system makes it ---- */

/* The child has what its parent has, and dies of it where `folder` is. */
static bool dump(const char *folder)
{
    pid_t child = fork();
    RIG_CHECK(child >= 0);
    if (child == 0) {
        struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
        struct rlimit most;
        getrlimit(RLIMIT_CORE, &most);
        all.rlim_cur = all.rlim_max = most.rlim_max;
        setrlimit(RLIMIT_CORE, &all);
        if (chdir(folder) == 0) {
            signal(SIGABRT, SIG_DFL);
            abort();
        }
        _exit(1);
    }
    int status;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WCOREDUMP(status);
}

static int search_file(const char *path, const char *backwards)
{
    enum { CHUNK = 1 << 20, OVERLAP = 256 };
    FILE *file = fopen(path, "re");
    char *bytes = malloc(CHUNK);
    RIG_CHECK(file != NULL && bytes != NULL);
    int found = 0;
    size_t kept = 0;
    size_t n;
    while ((n = fread(bytes + kept, 1, CHUNK - kept, file)) > 0) {
        size_t size = kept + n;
        found += search_bytes(bytes, size, backwards);
        kept = size < OVERLAP ? size : OVERLAP;
        memmove(bytes, bytes + size - kept, kept);
    }
    explicit_bzero(bytes, CHUNK);
    free(bytes);
    fclose(file);
    return found;
}

/* In the folder, which the dump makes not empty: -1 where the system puts it elsewhere. */
static int search_dump(const char *folder, const char *backwards)
{
    char path[512];
    int found = -1;
    DIR *files = opendir(folder);
    RIG_CHECK(files != NULL);
    for (struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        if (file->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
            found = (found < 0 ? 0 : found) + search_file(path, backwards);
        }
    }
    closedir(files);
    return found;
}

static void remove_all(const char *folder)
{
    char path[512];
    DIR *files = opendir(folder);
    for (struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
        unlink(path);
    }
    closedir(files);
    rmdir(folder);
}

static const char known_backwards[] = "siht-sdnif-hcraes-eht-taht-llet-ot-txet-nwonk";

/* ---- the cases ---- */

static void kept_where_no_dump_is_made_of(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].signs && !WITH_OPENSSL) {
            continue;
        }
        nats_client *client = connect_with(&kinds[i]);
        RIG_CHECK(search_memory(kinds[i].backwards) > 0); /* for the next connect: it finds it */
        check_count(kinds[i].name, "that a dump has", search_in(SEARCH_CORE, kinds[i].backwards),
                    0);
        RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
        nats_client_free(client);
        check_count(kinds[i].name, "when all is freed", search_memory(kinds[i].backwards), 0);
    }
}

/* The same with a real one. */
static void no_dump_has_them(void)
{
    char folder[] = "/tmp/dump-XXXXXX";
    RIG_CHECK(mkdtemp(folder) != NULL);
    text known = {.len = 0};
    put_reversed(&known, known_backwards);
    RIG_CHECK(setenv("RIG_KNOWN", known.bytes, 1) == 0); /* so that it is in memory for sure */
    nats_client *first = connect_with(&kinds[0]);
    nats_client *second = connect_with(&kinds[WITH_OPENSSL ? 6 : 3]);
    bool dumped = dump(folder) && search_dump(folder, known_backwards) >= 0;
    if (dumped) {
        RIG_CHECK(search_dump(folder, known_backwards) > 0);
        check_count("password", "in the dump", search_dump(folder, drowssap), 0);
        check_count("seed", "in the dump", search_dump(folder, dees), 0);
        check_count("jwt", "in the dump", search_dump(folder, twj), 0);
    } else {
        puts("this system writes no dump there: /proc/self/smaps says what it would have");
    }
    remove_all(folder);
    nats_client_free(first);
    nats_client_free(second);
}

/* An attempt that fails keeps nothing either. */
static void refused_ones_are_gone(void)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        nats_options *options;
        nats_client *client;
        text url = {.len = 0};
        RIG_OK(nats_options_new(&options));
        set_options(options, &kinds[i]);
        put_url(&url, &kinds[i], 1); /* nobody listens there */
        RIG_CHECK(nats_connect(url.bytes, options, &client) != NATS_OK);
        explicit_bzero(&url, sizeof url);
        nats_options_free(options);
        check_count(kinds[i].name, "after a failure", search_memory(kinds[i].backwards), 0);
    }
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"kept_where_no_dump_is_made_of", kept_where_no_dump_is_made_of},
        {"no_dump_has_them", no_dump_has_them},
        {"refused_ones_are_gone", refused_ones_are_gone},
    };
    if (!search_works()) {
        return RIG_SKIPPED;
    }
    rig_start(); /* or there is none, and nothing to do */
    ws_start();
    int result = rig_run(argc, argv, cases, sizeof cases / sizeof cases[0]);
    ws_end();
    return result;
}
