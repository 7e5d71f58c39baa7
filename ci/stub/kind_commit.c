/* Commits. A commit diff carries a transaction, which outlives the
 * notification: the daemon holds it until the client says done. */
#include "stub.h"

void stub_decode_commit_simple(struct stub_term *t, struct confd_notification *n)
{
    struct confd_commit_notification *commit = &n->n.commit;

    commit->database = (enum confd_dbname)stub_word(t, "database");
    stub_uinfo(t, &commit->uinfo);
    commit->diff_available = stub_int(t, "diff_available");
    commit->flags = stub_int(t, "flags");
}

/* As the real library does, it points at the user within the notification,
 * and dangles once that is released; its socket is none. */
static struct confd_trans_ctx *new_tctx(struct stub_term *t,
                                        struct confd_commit_diff_notification *diff, int thandle)
{
    struct confd_trans_ctx *tctx = stub_term_alloc(t, 1, sizeof *tctx);

    if (tctx != NULL) {
        tctx->fd = -1;
        tctx->vfd = -1;
        tctx->mode = CONFD_READ;
        tctx->dbname = diff->database;
        tctx->thandle = thandle;
        tctx->uinfo = &diff->uinfo;
    }
    return tctx;
}

/* The transaction is made last, when nothing else can fail: the general
 * release after a failure must leave it alone. */
void stub_decode_commit_diff(struct stub_term *t, struct confd_notification *n)
{
    struct confd_commit_diff_notification *diff = &n->n.commit_diff;
    int thandle;

    diff->database = (enum confd_dbname)stub_word(t, "database");
    stub_uinfo(t, &diff->uinfo);
    thandle = stub_int(t, "thandle");
    diff->flags = stub_int(t, "flags");
    diff->comment[0] = diff->label[0] = '\0';
    if (t->arity == 7) { /* not with further ones */
        stub_text_array(t, "comment", diff->comment, sizeof diff->comment);
        stub_text_array(t, "label", diff->label, sizeof diff->label);
    }
    diff->tctx = new_tctx(t, diff, thandle);
}

void stub_decode_commit_failed(struct stub_term *t, struct confd_notification *n)
{
    struct confd_commit_failed_notification *failed = &n->n.cfail;
    unsigned wanted;

    failed->provider = (enum confd_data_provider)stub_word(t, "provider");
    failed->dbname = (enum confd_dbname)stub_word(t, "database");
    wanted = failed->provider == CONFD_DP_NETCONF    ? 5
             : failed->provider == CONFD_DP_EXTERNAL ? 4
                                                     : 3;
    if (t->arity < wanted) {
        stub_term_fail(t, "tuple", "%u elements instead of %u", t->arity, wanted);
    } else if (failed->provider == CONFD_DP_NETCONF) {
        failed->v.nc.ip.af = stub_ip(t, "ip", &failed->v.nc.ip.ip);
        failed->v.nc.port = stub_port(t);
    } else if (failed->provider == CONFD_DP_EXTERNAL) {
        stub_text_array(t, "daemon_name", failed->v.daemon_name, sizeof failed->v.daemon_name);
    }
}

void stub_decode_confirmed_commit(struct stub_term *t, struct confd_notification *n)
{
    struct confd_confirmed_commit_notification *confirm = &n->n.confirm;

    confirm->type = (enum confd_confirmed_commit_type)stub_word(t, "type");
    confirm->timeout = stub_word(t, "timeout");
    stub_uinfo(t, &confirm->uinfo);
}
