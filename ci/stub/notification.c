/* confd_read_notification(): which decoder a notification goes to. */
#include <string.h>

#include "stub.h"

struct kind {
    const char *name;
    unsigned fewest; /* elements of the tuple, the bit included; further ones are ignored */
    stub_decoder *decode;
    stub_release *release;
};

/* The place of a notification in the table: the number of its bit. */
#define AT(bit) [__builtin_ctzll((unsigned long long)(bit))]
/* Tag and trace id went, a label came. */
#define CQ_ELEMENTS (CONFD_API_LEVEL == 85 ? 12 : CONFD_API_LEVEL >= 77 && CONFD_API_LEVEL < 87 ? 11 : 10)
#define PACKAGE_RELOAD (1 << 21) /* not every header of ConfD names it */

static const struct kind kinds[64] = {
    AT(CONFD_NOTIF_AUDIT) = {"audit", 5, stub_decode_audit, NULL},
    AT(CONFD_NOTIF_DAEMON) = {"daemon", 4, stub_decode_syslog, NULL},
    AT(CONFD_NOTIF_NETCONF) = {"netconf", 4, stub_decode_syslog, NULL},
    AT(CONFD_NOTIF_DEVEL) = {"devel", 4, stub_decode_syslog, NULL},
    AT(CONFD_NOTIF_COMMIT_SIMPLE) = {"commit", 5, stub_decode_commit_simple, NULL},
    AT(CONFD_NOTIF_COMMIT_DIFF) = {"commit diff", 5, stub_decode_commit_diff, NULL},
    AT(CONFD_NOTIF_USER_SESSION) = {"user session", 4, stub_decode_user_session, NULL},
    AT(CONFD_NOTIF_HA_INFO) = {"ha", 2, stub_decode_ha, stub_release_ha},
    AT(CONFD_NOTIF_SUBAGENT_INFO) = {"subagent", 2, stub_decode_subagent, NULL},
    AT(CONFD_NOTIF_COMMIT_FAILED) = {"commit failed", 3, stub_decode_commit_failed, NULL},
    AT(CONFD_NOTIF_SNMPA) = {"snmpa", 2, stub_decode_snmpa, stub_release_snmpa},
    AT(CONFD_NOTIF_FORWARD_INFO) = {"forward", 4, stub_decode_forward, NULL},
    AT(CONFD_NOTIF_HEARTBEAT) = {"heartbeat", 1, stub_decode_nothing, NULL},
    AT(CONFD_NOTIF_CONFIRMED_COMMIT) = {"confirmed commit", 4, stub_decode_confirmed_commit,
                                        NULL},
    AT(CONFD_NOTIF_UPGRADE_EVENT) = {"upgrade", 2, stub_decode_upgrade, NULL},
    AT(CONFD_NOTIF_COMMIT_PROGRESS) = {"commit progress", 2, stub_decode_progress,
                                       stub_release_progress},
    AT(CONFD_NOTIF_HEALTH_CHECK) = {"health check", 1, stub_decode_nothing, NULL},
    AT(CONFD_NOTIF_STREAM_EVENT) = {"stream", 2, stub_decode_stream, stub_release_stream},
    AT(CONFD_NOTIF_REOPEN_LOGS) = {"reopen logs", 1, stub_decode_nothing, NULL},
#if CONFD_API_LEVEL >= 77
    AT(CONFD_NOTIF_PROGRESS) = {"progress", 2, stub_decode_progress, stub_release_progress},
    AT(CONFD_NOTIF_JSONRPC) = {"jsonrpc", 4, stub_decode_syslog, NULL},
    AT(CONFD_NOTIF_WEBUI) = {"webui", 4, stub_decode_syslog, NULL},
#endif
#if CONFD_API_LEVEL >= 82
    AT(CONFD_NOTIF_COMPACTION) = {"compaction", 9, stub_decode_compaction, NULL},
#endif
#if CONFD_API_LEVEL >= 87
    AT(CONFD_NOTIF_SYSTEM_GOING_DOWN) = {"system going down", 1, stub_decode_nothing, NULL},
#endif
#if defined(CONFD_C_PRODUCT_NCS) || CONFD_API_LEVEL <= 80
    AT(PACKAGE_RELOAD) = {"package reload", 1, stub_decode_nothing, NULL},
#endif
#if defined(CONFD_C_PRODUCT_NCS) || CONFD_API_LEVEL == 66
    AT(NCS_NOTIF_CQ_PROGRESS) = {"cq progress", CQ_ELEMENTS, stub_decode_cq,
                                 stub_release_cq},
#endif
#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 77
    AT(NCS_NOTIF_CALL_HOME_INFO) = {"call home", 6, stub_decode_call_home,
                                    stub_release_call_home},
#endif
#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 80
    AT(NCS_NOTIF_AUDIT_NETWORK) = {"audit network", 2, stub_decode_audit_network,
                                   stub_release_audit_network},
#endif
};

static const struct kind *kind_of(int64_t type)
{
    const struct kind *kind;

    if (type <= 0 || (type & (type - 1)) != 0) {
        return NULL;
    }
    kind = &kinds[__builtin_ctzll((unsigned long long)type)];
    return kind->decode != NULL ? kind : NULL;
}

void stub_decode_nothing(struct stub_term *t, struct confd_notification *n)
{
    (void)t;
    (void)n;
}

static void release(const struct kind *kind, struct confd_notification *n)
{
    if (kind != NULL && kind->release != NULL) {
        kind->release(n);
    }
}

static int decode_kind(struct stub_term *t, const struct kind *kind, struct confd_notification *n)
{
    t->what = kind->name;
    if (t->arity < kind->fewest) {
        stub_term_fail(t, "tuple", "%u elements", t->arity);
        return CONFD_ERR;
    }
    kind->decode(t, n);
    if (!t->failed) {
        return CONFD_OK;
    }
    release(kind, n);
    return CONFD_ERR;
}

static int decode(const struct stub_frame *frame, struct confd_notification *n)
{
    struct stub_term t;
    const struct kind *kind;
    int64_t type;

    stub_term_open(&t, frame, "notification");
    t.arity = stub_term_tuple(&t, "tuple");
    type = stub_term_int(&t, "type", INT64_MIN, INT64_MAX);
    if (t.failed) {
        return CONFD_ERR;
    }
    kind = kind_of(type);
    if (kind == NULL) {
        return stub_fail(CONFD_ERR_INTERNAL, "Bad notification struct");
    }
    if (decode_kind(&t, kind, n) != CONFD_OK) {
        return CONFD_ERR;
    }
    n->type = (confd_notification_type)type;
    return CONFD_OK;
}

int confd_read_notification(int sock, struct confd_notification *n)
{
    struct stub_frame frame;
    int result = stub_require_init();

#if CONFD_API_LEVEL >= 82
    memset(n, 0, sizeof *n); /* below, what a frame lacks stays as it was */
#endif
    n->type = (confd_notification_type)0; /* nothing to release until all is read */
    if (result != CONFD_OK) {
        return result;
    }
    result = stub_frame_read(sock, &frame);
    if (result == CONFD_OK) {
        result = decode(&frame, n);
    }
    stub_frame_free(&frame);
    return result;
}

void confd_free_notification(struct confd_notification *n)
{
    release(kind_of((int64_t)n->type), n);
#if CONFD_API_LEVEL >= 82
    /* The real library fills it with zeros; this shows who looks at it later. */
    memset(&n->n, 0xdb, sizeof n->n);
    n->type = 0;
#endif
}
