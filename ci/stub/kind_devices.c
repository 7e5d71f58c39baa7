/* Devices that call home, and what is sent to devices. */
#include "stub.h"

#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 77

void stub_decode_call_home(struct stub_term *t, struct confd_notification *n)
{
    struct ncs_call_home_notification *home = &n->n.call_home;

    home->type = (enum ncs_call_home_info_type)stub_enum(t, "type");
    home->ip.af = stub_ip(t, "ip", &home->ip.ip);
    home->port = stub_port(t);
    home->ssh_host_key = stub_text(t, "ssh_host_key");
    home->ssh_key_alg = stub_text(t, "ssh_key_alg");
    home->device = t->arity > 6 ? stub_text(t, "device") : NULL;
}

void stub_release_call_home(struct confd_notification *n)
{
    stub_free(n->n.call_home.ssh_host_key);
    stub_free(n->n.call_home.ssh_key_alg);
    stub_free(n->n.call_home.device);
}

#endif

#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 80

void stub_decode_audit_network(struct stub_term *t, struct confd_notification *n)
{
    struct ncs_audit_network_notification *audit = &n->n.audit_network;

    stub_term_tuple_of(t, "event", 6);
    audit->usid = stub_int(t, "usid");
    audit->tid = stub_int(t, "tid");
    audit->user = stub_text(t, "user");
    audit->device = stub_text(t, "device");
    stub_text_array(t, "trace_id", audit->trace_id, sizeof audit->trace_id);
    audit->config = stub_text(t, "config");
}

void stub_release_audit_network(struct confd_notification *n)
{
    stub_free(n->n.audit_network.user);
    stub_free(n->n.audit_network.device);
    stub_free(n->n.audit_network.config);
}

#endif
