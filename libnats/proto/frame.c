#include "proto/frame.h"

#include "base/error.h"
#include "proto/headers.h"
#include "proto/info.h"
#include "proto/subject.h"

static nats_status is_null(const char *name)
{
    return nats__fail(NATS_ERR_INVALID, name, "%s is NULL", name);
}

nats_status nats__frame_check_data(const void *data, size_t data_len)
{
    if (data == NULL && data_len > 0) {
        return is_null("data");
    }
    if (data_len == NATS_Z) {
        return nats__fail(NATS_ERR_INVALID, "data",
                          "data needs its length: NATS_Z is for texts, and data may hold any byte");
    }
    if (data_len > NATS__MAX_PAYLOAD_CAP) {
        return nats__fail(NATS_ERR_MAX_PAYLOAD, "data",
                          "data of %zu bytes: no server takes over %d",
                          data_len, NATS__MAX_PAYLOAD_CAP);
    }
    return NATS_OK;
}

nats_status nats__frame_make(nats__frame *frame, const char *subject, size_t subject_len,
                             const char *reply, size_t reply_len, const nats_headers *headers,
                             const void *data, size_t data_len)
{
    if (subject == NULL) {
        return is_null("subject");
    }
    subject_len = nats__text_len(subject, subject_len);
    if (!nats__subject_ok(subject, subject_len)) {
        return nats__subject_check("subject", subject, subject_len);
    }
    reply_len = reply != NULL ? nats__text_len(reply, reply_len) : 0;
    if (reply != NULL && !nats__subject_ok(reply, reply_len)) {
        return nats__subject_check("reply", reply, reply_len);
    }
    nats_status status = nats__frame_check_data(data, data_len);
    if (status != NATS_OK) {
        return status;
    }
    bool with_headers = headers != NULL && headers->count > 0;
    *frame = (nats__frame){
        .subject = subject,
        .subject_len = subject_len,
        .reply = reply,
        .reply_len = reply_len,
        .headers = with_headers ? headers->block.data : NULL,
        .headers_len = with_headers ? headers->block.len : 0,
        .data = data,
        .data_len = data_len,
    };
    return NATS_OK;
}
