#include <polynats/info.h>

#include "proto/info.h"

const char *nats_info_json(const nats_info *info, size_t *len_out)
{
    if (len_out != NULL) {
        *len_out = info == NULL ? 0 : info->json_len;
    }
    return info == NULL ? NULL : info->json;
}

const char *nats_info_text(const nats_info *info, const char *name, size_t *len_out)
{
    if (info == NULL || name == NULL) {
        if (len_out != NULL) {
            *len_out = 0;
        }
        return NULL;
    }
    return nats__info_text(info, name, len_out);
}

int32_t nats_info_int(const nats_info *info, const char *name, int64_t *value_out)
{
    int64_t value = 0;
    bool found = info != NULL && name != NULL && nats__info_int(info, name, &value);
    if (value_out != NULL) {
        *value_out = value;
    }
    return found;
}

int32_t nats_info_next(const nats_info *info, size_t *cursor, const char **name_out,
                       const char **value_out, size_t *value_len_out, int32_t *in_list_out)
{
    const char *name = NULL;
    const char *value = NULL;
    size_t value_len = 0;
    int32_t in_list = 0;
    int32_t kind = 0;
    if (info != NULL && cursor != NULL) {
        kind = nats__info_next(info, cursor, &name, &value, &value_len, &in_list);
    }
    if (name_out != NULL) {
        *name_out = name;
    }
    if (value_out != NULL) {
        *value_out = value;
    }
    if (value_len_out != NULL) {
        *value_len_out = value_len;
    }
    if (in_list_out != NULL) {
        *in_list_out = in_list;
    }
    return kind;
}

void nats_info_free(nats_info *info)
{
    nats__info_free(info);
}
