#include <polynats/options.h>

#include <stdlib.h>

#include "base/error.h"
#include "proto/options.h"
#include "proto/subject.h"

nats_status nats_options_new(nats_options **options_out)
{
    if (options_out == NULL) {
        return nats__fail(NATS_ERR_INVALID, "options_out", "options_out: is NULL");
    }
    *options_out = NULL;
    nats_options *options = malloc(sizeof *options);
    if (options == NULL || !nats__options_copy(NULL, options)) {
        free(options);
        return nats__fail(NATS_ERR_NO_MEMORY, "options", "options: no memory");
    }
    *options_out = options;
    return NATS_OK;
}

void nats_options_free(nats_options *options)
{
    if (options != NULL) {
        nats__options_clear(options);
        free(options);
    }
}

static nats_status check_handle(const nats_options *options)
{
    return options != NULL ? NATS_OK
                           : nats__fail(NATS_ERR_INVALID, "options", "options: is NULL");
}

nats_status nats_options_set_text(nats_options *options, const char *name, const char *value,
                                  size_t value_len)
{
    nats_status status = check_handle(options);
    if (status != NATS_OK) {
        return status;
    }
    if (value == NULL) {
        return nats__fail(NATS_ERR_INVALID, "value", "value: is NULL");
    }
    return nats__options_set_text(options, name, value, nats__text_len(value, value_len));
}

nats_status nats_options_set_int(nats_options *options, const char *name, int64_t value)
{
    nats_status status = check_handle(options);
    return status != NATS_OK ? status : nats__options_set_int(options, name, value);
}

nats_status nats_options_set_double(nats_options *options, const char *name, double value)
{
    nats_status status = check_handle(options);
    return status != NATS_OK ? status : nats__options_set_double(options, name, value);
}

nats_status nats_options_set_bool(nats_options *options, const char *name, int32_t value)
{
    nats_status status = check_handle(options);
    return status != NATS_OK ? status : nats__options_set_bool(options, name, value != 0);
}

const char *nats_options_name(size_t index)
{
    const nats__option_rule *rule = nats__option_at(index);
    return rule == NULL ? NULL : rule->name;
}

int32_t nats_options_type(const char *name)
{
    const nats__option_rule *rule = nats__option_find(name, NULL);
    return rule == NULL ? 0 : rule->type;
}

const char *nats_options_doc(const char *name)
{
    const nats__option_rule *rule = nats__option_find(name, NULL);
    if (rule == NULL) {
        return NULL;
    }
    bool none = rule->type == NATS_OPTION_TEXT && rule->default_text == NULL;
    return none ? rule->doc_none : rule->doc;
}

int64_t nats_options_default(const char *name)
{
    const nats__option_rule *rule = nats__option_find(name, NULL);
    return rule == NULL ? 0 : rule->default_number;
}

int64_t nats_options_min(const char *name)
{
    const nats__option_rule *rule = nats__option_find(name, NULL);
    return rule == NULL ? 0 : rule->min;
}

int64_t nats_options_max(const char *name)
{
    const nats__option_rule *rule = nats__option_find(name, NULL);
    return rule == NULL ? 0 : rule->max;
}

const char *nats_options_nearest(const char *name, const char *const *names, size_t count)
{
    return name == NULL ? NULL : nats__nearest_name(name, names, count);
}
