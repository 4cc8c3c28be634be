/* The beginning: called by the generated Init_polynats() before it defines its wrappers. */
#include "nrb.h"

#include "facts.h"

VALUE nrb_module;

void nrb_init(VALUE module)
{
    nrb_module = module;
#ifdef HAVE_RB_EXT_RACTOR_SAFE
    rb_ext_ractor_safe(true);
#endif
    nrb_error_init();
    nrb_value_init();
    nrb_handle_init();
    nrb_message_init();
    nrb_facts_init();
    nrb_connect_init();
    nrb_waiting_init();
    nrb_publish_init();
    nrb_receive_init();
    nrb_request_init();
    nrb_js_init();
}
