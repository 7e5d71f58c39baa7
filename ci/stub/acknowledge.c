/* What the daemon waits for after some notifications. None of it is answered. */
#include "stub.h"

static int send_pair(int sock, int number, const char *atom)
{
    unsigned char buffer[64];
    struct stub_message m;

    if (stub_require_init() != CONFD_OK) {
        return CONFD_ERR;
    }
    stub_message_begin(&m, buffer, sizeof buffer);
    stub_put_tuple(&m, 2);
    stub_put_int(&m, number);
    stub_put_atom(&m, atom);
    return stub_message_send(sock, &m);
}

/* The memory goes in any case: a caller whose socket is gone has no other way
 * to release it. */
int confd_diff_notification_done(int sock, struct confd_trans_ctx *tctx)
{
    int thandle;

    if (tctx == NULL) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Need a transaction context");
    }
    thandle = tctx->thandle;
    stub_free(tctx);
    return send_pair(sock, thandle, "done");
}

int confd_sync_audit_notification(int sock, int usid)
{
    return send_pair(sock, usid, "synced");
}

#if CONFD_API_LEVEL >= 80
int ncs_sync_audit_network_notification(int sock, int usid)
{
    return send_pair(sock, usid, "audit_network_sync");
}
#endif

int confd_sync_ha_notification(int sock)
{
    unsigned char buffer[32];
    struct stub_message m;

    if (stub_require_init() != CONFD_OK) {
        return CONFD_ERR;
    }
    stub_message_begin(&m, buffer, sizeof buffer);
    stub_put_atom(&m, "ha_synced");
    return stub_message_send(sock, &m);
}
