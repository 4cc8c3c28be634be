/* A stream and a consumer that may be there already; publish, receive, acknowledge: events [stream] */
#include "example.h"

enum { TEXT_MAX = 512 };

static void make_stream(nats_js *js, const char *name)
{
    char arguments[TEXT_MAX];
    snprintf(arguments, sizeof arguments,
             "{\"config\":{\"name\":\"%s\",\"subjects\":[\"%s.events.>\",\"%s.notifications.>\"],"
             "\"retention\":\"limits\",\"max_msgs\":1000,\"max_age\":\"7d\"}}",
             name, name, name);
    check(nats_js_call(js, "get_or_create_stream", arguments, NATS_Z, -1, NULL));
    snprintf(arguments, sizeof arguments,
             "{\"stream\":\"%s\",\"config\":{\"durable_name\":\"myconsumer\","
             "\"deliver_policy\":\"all\",\"ack_policy\":\"explicit\",\"max_deliver\":3}}",
             name);
    check(nats_js_call(js, "get_or_create_consumer", arguments, NATS_Z, -1, NULL));
}

/* Without waiting for the ack: it is taken when it is wanted. */
static void publish(nats_js *js, const char *name)
{
    char subject[TEXT_MAX];
    nats_future *future = NULL;
    nats_msg *ack = NULL;
    uint64_t seq = 0;
    snprintf(subject, sizeof subject, "%s.events.user.created", name);
    check(nats_js_publish_start(js, subject, NATS_Z, NULL, "User created data", 17, -1, &future));
    check(nats_future_wait(future, -1, &ack));
    nats_msg_ack_seq(ack, &seq, NULL);
    printf("published as %d\n", (int)seq);
    nats_msg_free(ack);
    nats_future_free(future);
}

static void receive(nats_client *nc, nats_js *js, const char *name)
{
    char arguments[TEXT_MAX];
    nats_sub *sub = NULL;
    nats_msg *msg = NULL;
    snprintf(arguments, sizeof arguments, "{\"stream\":\"%s\",\"consumer\":\"myconsumer\"}", name);
    check(nats_js_consume(js, "consume", arguments, NATS_Z, -1, &sub));
    check(nats_sub_next(sub, -1, &msg));
    printf("received: %s\n", (const char *)nats_msg_data(msg, NULL));
    check(nats_client_ack_sync(nc, msg, -1));
    nats_msg_free(msg);
    check(nats_sub_unsubscribe(sub, 0));
    nats_sub_free(sub);
}

int main(int argc, char **argv)
{
    help(argc, argv, "[stream]", "A stream and a consumer; publish, receive, acknowledge.");
    const char *name = word(argc, argv, 1, "mystream");
    char arguments[TEXT_MAX];
    nats_client *nc = NULL;
    nats_js *js = NULL;
    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_jetstream(nc, NULL, NULL, -1, &js));
    make_stream(js, name);
    publish(js, name);
    receive(nc, js, name);
    snprintf(arguments, sizeof arguments, "{\"stream\":\"%s\"}", name);
    check(nats_js_call(js, "delete_stream", arguments, NATS_Z, -1, NULL));
    nats_js_free(js);
    nats_client_free(nc);
    return 0;
}
