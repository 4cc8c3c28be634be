/* This library and cnats in one program, included in either order: each publishes what the other receives. */
#ifdef polynats_FIRST
#define POLYNATS_WITH_CNATS
#include <polynats.h>

#include <nats/nats.h>
#else
#include <nats/nats.h>

#include <polynats.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBJECT_THERE "coexist.there"
#define SUBJECT_BACK "coexist.back"
#define TEXT_THERE "from polynats"
#define TEXT_BACK "from cnats"

enum { WAIT_MS = 10000 };

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, \
                    nats_last_error(NULL)); \
            exit(1); \
        } \
    } while (0)

static void send_there(nats_client *ours, natsConnection *theirs)
{
    natsSubscription *sub = NULL;
    natsMsg *msg = NULL;
    CHECK(natsConnection_SubscribeSync(&sub, theirs, SUBJECT_THERE) == NATS_OK);
    CHECK(natsConnection_Flush(theirs) == NATS_OK);
    CHECK(nats_client_publish(ours, SUBJECT_THERE, NATS_Z, TEXT_THERE, strlen(TEXT_THERE)) ==
          NATS_OK);
    CHECK(natsSubscription_NextMsg(&msg, sub, WAIT_MS) == NATS_OK);
    CHECK((size_t)natsMsg_GetDataLength(msg) == strlen(TEXT_THERE));
    CHECK(memcmp(natsMsg_GetData(msg), TEXT_THERE, strlen(TEXT_THERE)) == 0);
    natsMsg_Destroy(msg);
    natsSubscription_Destroy(sub);
}

static void send_back(nats_client *ours, natsConnection *theirs)
{
    nats_sub *sub = NULL;
    nats_msg *msg = NULL;
    size_t len = 0;
    CHECK(nats_client_subscribe(ours, SUBJECT_BACK, NATS_Z, NULL, 0, 0, &sub) == NATS_OK);
    CHECK(nats_client_flush(ours, WAIT_MS) == NATS_OK);
    CHECK(natsConnection_PublishString(theirs, SUBJECT_BACK, TEXT_BACK) == NATS_OK);
    CHECK(nats_sub_next(sub, WAIT_MS, &msg) == NATS_OK);
    CHECK(msg != NULL);
    const void *data = nats_msg_data(msg, &len);
    CHECK(len == strlen(TEXT_BACK));
    CHECK(memcmp(data, TEXT_BACK, len) == 0);
    nats_msg_free(msg);
    nats_sub_free(sub);
}

int main(void)
{
    nats_client *ours = NULL;
    natsConnection *theirs = NULL;
    CHECK(nats_connect(NULL, NULL, &ours) == NATS_OK);
    CHECK(natsConnection_ConnectTo(&theirs, getenv("NATS_URL")) == NATS_OK);
    send_there(ours, theirs);
    send_back(ours, theirs);
    natsConnection_Destroy(theirs);
    nats_Close();
    CHECK(nats_client_close(ours) == NATS_OK);
    nats_client_free(ours);
    puts("both clients in one program");
    return 0;
}
