/* Devices that call home, and what is sent to devices. */
#include "stub.h"

#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 77

/* Only a device that is connected is named. */
void stub_decode_call_home(struct stub_term *t, struct confd_notification *n)
{
    struct ncs_call_home_notification *home = &n->n.call_home;

    home->type = (enum ncs_call_home_info_type)stub_word(t, "type");
    home->ip.af = stub_ip(t, "ip", &home->ip.ip);
    home->port = stub_port(t);
    home->ssh_host_key = stub_text(t, "ssh_host_key");
    home->ssh_key_alg = stub_text(t, "ssh_key_alg");
    home->device = NULL;
    if (home->type != CALL_HOME_DEVICE_CONNECTED) {
        return;
    }
    if (t->arity < 7) {
        stub_term_fail(t, "device", "a connected device needs a name");
    }
    home->device = stub_text(t, "device");
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

    stub_term_tuple_from(t, "event", 6);
    audit->usid = stub_int(t, "usid");
    audit->tid = stub_int(t, "tid");
    audit->user = stub_text(t, "user");
    audit->device = stub_text(t, "device");
    stub_optional_array(t, "trace_id", audit->trace_id, sizeof audit->trace_id);
    audit->config = stub_text(t, "config");
}

void stub_release_audit_network(struct confd_notification *n)
{
    stub_free(n->n.audit_network.user);
    stub_free(n->n.audit_network.device);
    stub_free(n->n.audit_network.config);
}

#endif
