/* The server's INFO, parsed. */
#ifndef NATS_PROTO_INFO_H
#define NATS_PROTO_INFO_H

#include <polynats/info.h>

#include <stdbool.h>

enum {
    NATS__MAX_PAYLOAD_DEFAULT = 1024 * 1024,
    NATS__MAX_PAYLOAD_CAP = 64 * 1024 * 1024, /* the server's own upper bound */
    NATS__INFO_FIELDS_MAX = 64 * 1024, /* list elements counted: 1 MiB could have 8 times that */
    NATS__INFO_BRACKETS_MAX = 4096 /* lists and objects: four for each server that is tried */
};

/* What the state machine needs of an INFO. Absent fields have the server's defaults. */
struct nats_info {
    char *json; /* as received, NUL-terminated */
    size_t json_len;
    struct nats__json *doc;
    char *flat;           /* texts of the fields, for nats_info_next() */
    struct nats__info_field *fields;
    size_t field_count;
    int64_t max_payload;  /* 0 < max_payload <= NATS__MAX_PAYLOAD_CAP */
    int64_t client_id;
    int32_t proto;
    bool headers;
    bool auth_required;
    bool tls_required;
    bool tls_available;
    bool lame_duck;
    const char *server_id;
    const char *version;
    const char *nonce;    /* "" when none */
};

/* Errors: PROTOCOL (not a JSON object, a needed field of the wrong type, max_payload out of
 * range; the text says which), NO_MEMORY. Extra and missing fields are fine. */
nats_status nats__info_parse(const char *json, size_t len, nats_info **out);
nats_info *nats__info_copy(const nats_info *info);
void nats__info_free(nats_info *info); /* NULL is fine */

/* As nats_info_text() and nats_info_int(). */
const char *nats__info_text(const nats_info *info, const char *name, size_t *len_out);
bool nats__info_int(const nats_info *info, const char *name, int64_t *value_out);
/* As nats_info_next(): the kind, 0 after the last. */
int32_t nats__info_next(const nats_info *info, size_t *cursor, const char **name_out,
                        const char **value_out, size_t *value_len_out, int32_t *in_list_out);

/* The first `max` of connect_urls. Returns how many there are in out. */
size_t nats__info_connect_urls(const nats_info *info, const char **out, size_t max);

#endif
