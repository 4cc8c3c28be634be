/* The part without I/O in a program that has the C library and the JSON library only: a whole connection, with the
 * server's bytes from a text. */
#include <polynats/proto.h>
#include <polynats/subject.h>

#include <stdio.h>
#include <string.h>

#define SEED "sixteen bytes or more of it"
#define INFO "INFO {\"server_id\":\"S\",\"version\":\"2.15.2\",\"max_payload\":1048576,\"headers\":true}\r\n"
#define MSG "MSG greet.joe 1 5\r\nhello\r\n"

enum { START_NS = 1 };

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, \
                    nats_last_about()); \
            return 1; \
        } \
    } while (0)

static nats_status feed(nats_proto *proto, const char *text)
{
    return nats_proto_feed(proto, text, strlen(text), START_NS);
}

/* Is the word in what waits to be sent? It counts as sent then. */
static int sends(nats_proto *proto, const char *word)
{
    const void *data = NULL;
    size_t len = 0;
    char text[4096] = "";
    nats_proto_tx(proto, &data, &len);
    if (len >= sizeof text) {
        return 0;
    }
    memcpy(text, data, len);
    return nats_proto_tx_done(proto, len, START_NS) == NATS_OK && strstr(text, word) != NULL;
}

int main(void)
{
    nats_proto *proto = NULL;
    nats_options *options = NULL;
    uint64_t sid = 0;
    size_t len = 0;
    CHECK(nats_options_new(&options) == NATS_OK);
    CHECK(nats_options_set_text(options, "name", "alone", NATS_Z) == NATS_OK);
    CHECK(nats_proto_new(NULL, options, SEED, strlen(SEED), &proto) == NATS_OK);
    nats_options_free(options);
    CHECK(nats_proto_start(proto, START_NS) == NATS_OK);
    CHECK(nats_proto_next_event(proto) == NATS_PROTO_DIAL);
    CHECK(nats_proto_port(proto) == 4222);
    CHECK(nats_proto_transport_up(proto, START_NS) == NATS_OK);
    CHECK(feed(proto, INFO) == NATS_OK);
    CHECK(nats_proto_next_event(proto) == 0);
    CHECK(sends(proto, "\"name\":\"alone\""));
    CHECK(feed(proto, "PONG\r\n") == NATS_OK);
    CHECK(nats_proto_next_event(proto) == NATS_PROTO_CONNECTED);
    CHECK(nats_subject_matches("greet.*", NATS_Z, "greet.joe", NATS_Z) == 1);
    CHECK(nats_proto_subscribe(proto, "greet.*", NATS_Z, NULL, 0, 0, 0, &sid) == NATS_OK);
    CHECK(sid == 1);
    CHECK(sends(proto, "SUB greet.* 1\r\n"));
    CHECK(feed(proto, MSG) == NATS_OK);
    CHECK(nats_proto_next_event(proto) == NATS_PROTO_MSG);
    nats_msg *msg = nats_proto_event_take_msg(proto);
    CHECK(msg != NULL);
    CHECK(strcmp(nats_msg_subject(msg, NULL), "greet.joe") == 0);
    CHECK(memcmp(nats_msg_data(msg, &len), "hello", 5) == 0);
    CHECK(len == 5);
    nats_msg_free(msg);
    CHECK(nats_proto_publish(proto, "a b", NATS_Z, NULL, 0, NULL, NULL, 0) == NATS_ERR_INVALID);
    nats_proto_close(proto);
    CHECK(nats_proto_next_event(proto) == NATS_PROTO_CLOSED);
    nats_proto_free(proto);
    puts("a connection without a socket, a thread or a clock");
    return 0;
}
