/* The peer that is written with cnats. The protocol is in README.md. */
#include <nats/nats.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 10000
#define DATA_MAX 4096 /* bytes of a payload: the runner's are smaller */

static void check(natsStatus status)
{
    if (status != NATS_OK) {
        const char *text = natsStatus_GetText(status);
        fprintf(stderr, "cnats peer: %s: %s\n", text, nats_GetLastError(NULL));
        exit(1);
    }
}

static int decode(const char *text, char *data)
{
    int len = 0;
    unsigned byte;
    for (text++; len < DATA_MAX && sscanf(text, "%2x", &byte) == 1; text += 2) {
        data[len++] = (char)byte;
    }
    return len;
}

static void say(const char *verb, natsMsg *msg)
{
    printf("%s %s x", verb, natsMsg_GetSubject(msg));
    for (int i = 0; i < natsMsg_GetDataLength(msg); i++) {
        printf("%02x", (unsigned char)natsMsg_GetData(msg)[i]);
    }
    const char **values = NULL;
    int count = 0;
    if (natsMsgHeader_Values(msg, "X-Peer", &values, &count) == NATS_OK) {
        for (int i = 0; i < count; i++) {
            printf(" %s", values[i]);
        }
    }
    free((void *)values);
    printf("\n");
    fflush(stdout);
}

static natsMsg *message(const char *subject, const char *data, int len)
{
    natsMsg *msg = NULL;
    check(natsMsg_Create(&msg, subject, NULL, data, len));
    return msg;
}

static void publish(natsConnection *nc, const char *subject, char **words)
{
    char data[DATA_MAX];
    for (; *words != NULL; words++) {
        natsMsg *msg = message(subject, data, decode(*words, data));
        check(natsMsgHeader_Add(msg, "X-Peer", "one"));
        check(natsMsgHeader_Add(msg, "X-Peer", "two"));
        check(natsConnection_PublishMsg(nc, msg));
        natsMsg_Destroy(msg);
    }
    check(natsConnection_FlushTimeout(nc, WAIT_MS));
}

static void ready(natsConnection *nc)
{
    check(natsConnection_FlushTimeout(nc, WAIT_MS));
    printf("ready\n");
    fflush(stdout);
}

static void receive(natsConnection *nc, const char *subject, char **words)
{
    natsSubscription *sub = NULL;
    check(natsConnection_SubscribeSync(&sub, nc, subject));
    ready(nc);
    for (long left = strtol(words[0], NULL, 10); left > 0; left--) {
        natsMsg *msg = NULL;
        check(natsSubscription_NextMsg(&msg, sub, WAIT_MS));
        say("msg", msg);
        natsMsg_Destroy(msg);
    }
    natsSubscription_Destroy(sub);
}

static void request(natsConnection *nc, const char *subject, char **words)
{
    char data[DATA_MAX];
    for (; *words != NULL; words++) {
        natsMsg *msg = message(subject, data, decode(*words, data));
        natsMsg *reply = NULL;
        check(natsMsgHeader_Add(msg, "X-Peer", "asked"));
        natsStatus status = natsConnection_RequestMsg(&reply, nc, msg, WAIT_MS);
        natsMsg_Destroy(msg);
        if (status == NATS_NO_RESPONDERS) {
            printf("none\n");
            continue;
        }
        check(status);
        say("reply", reply);
        natsMsg_Destroy(reply);
    }
}

static void answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *closure)
{
    (void)sub;
    (void)closure;
    natsMsg *reply =
        message(natsMsg_GetReply(msg), natsMsg_GetData(msg), natsMsg_GetDataLength(msg));
    check(natsMsgHeader_Add(reply, "X-Peer", "peer"));
    check(natsConnection_PublishMsg(nc, reply));
    natsMsg_Destroy(reply);
    natsMsg_Destroy(msg);
}

static void respond(natsConnection *nc, const char *subject, char **words)
{
    natsSubscription *sub = NULL;
    if (words[0] == NULL) {
        check(natsConnection_Subscribe(&sub, nc, subject, answer, NULL));
    } else {
        check(natsConnection_QueueSubscribe(&sub, nc, subject, words[0], answer, NULL));
    }
    ready(nc);
    pause();
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*play)(natsConnection *nc, const char *subject, char **words);
    } roles[] = {
        {"publisher", publish},
        {"subscriber", receive},
        {"requester", request},
        {"responder", respond},
    };
    if (argc < 3) {
        return 2;
    }
    natsConnection *nc = NULL;
    check(natsConnection_ConnectTo(&nc, getenv("NATS_URL")));
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(argv[1], roles[i].name) == 0) {
            roles[i].play(nc, argv[2], argv + 3);
        }
    }
    natsConnection_Destroy(nc);
    nats_Close();
    return 0;
}
