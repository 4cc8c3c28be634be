#include "ours.h"

#include <string.h>

void ours_check(nats_status status, const char *what)
{
    if (status != NATS_OK) {
        bench_die("%s: %s: %s", what, nats_status_name(status), nats_last_error(NULL));
    }
}

/* Queues have no limit here: all programs must take the whole stream. */
static nats_options *make_options(const bench_args *args)
{
    nats_options *options;
    ours_check(nats_options_new(&options), "options");
    ours_check(nats_options_set_int(options, "pending_msgs", -1), "pending_msgs");
    ours_check(nats_options_set_int(options, "pending_bytes", -1), "pending_bytes");
    for (size_t i = 0; i < args->setting_count; i++) {
        char name[64];
        const char *equals = strchr(args->settings[i], '=');
        size_t len = equals != NULL ? (size_t)(equals - args->settings[i]) : 0;
        if (len == 0 || len >= sizeof(name)) {
            bench_die("--set: not option=value: %s", args->settings[i]);
        }
        memcpy(name, args->settings[i], len);
        name[len] = '\0';
        ours_check(nats_options_set_text(options, name, equals + 1, NATS_Z), "--set");
    }
    return options;
}

nats_client *ours_open(const bench_args *args)
{
    nats_options *options = make_options(args);
    nats_client *client;
    ours_check(nats_connect(args->url, options, &client), "connect");
    nats_options_free(options);
    return client;
}

uint64_t ours_take(nats_msg **batch, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len;
        nats_msg_data(batch[i], &len);
        bytes += len;
    }
    nats_msg_free_many(batch, count);
    return bytes;
}
