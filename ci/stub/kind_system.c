/* Logs, user sessions and other parts of the system: structs without memory
 * of their own. */
#include "stub.h"

void stub_decode_audit(struct stub_term *t, struct confd_notification *n)
{
    struct confd_audit_notification *audit = &n->n.audit;

    audit->logno = stub_int(t, "logno");
    stub_text_array(t, "user", audit->user, sizeof audit->user);
    audit->usid = stub_int(t, "usid");
    stub_text_array(t, "msg", audit->msg, sizeof audit->msg);
}

void stub_decode_syslog(struct stub_term *t, struct confd_notification *n)
{
    struct confd_syslog_notification *syslog = &n->n.syslog;

    syslog->logno = stub_int(t, "logno");
    syslog->prio = stub_int(t, "prio");
    stub_text_array(t, "msg", syslog->msg, sizeof syslog->msg);
}

void stub_decode_user_session(struct stub_term *t, struct confd_notification *n)
{
    struct confd_user_sess_notification *session = &n->n.user_sess;

    session->type = (enum confd_user_sess_type)stub_word(t, "type");
    stub_uinfo(t, &session->uinfo);
    session->database = (enum confd_dbname)stub_word(t, "database");
}

void stub_decode_subagent(struct stub_term *t, struct confd_notification *n)
{
    struct confd_subagent_notification *subagent = &n->n.subagent;

    stub_term_tuple_from(t, "info", 2);
    subagent->type = (enum confd_subagent_info_type)stub_word(t, "type");
    stub_text_array(t, "name", subagent->name, sizeof subagent->name);
}

void stub_decode_forward(struct stub_term *t, struct confd_notification *n)
{
    struct confd_forward_notification *forward = &n->n.forward;

    forward->type = (enum confd_forward_info_type)stub_word(t, "type");
    stub_text_array(t, "target", forward->target, sizeof forward->target);
    stub_uinfo(t, &forward->uinfo);
}

void stub_decode_upgrade(struct stub_term *t, struct confd_notification *n)
{
    n->n.upgrade.event = (enum confd_upgrade_event_type)stub_word(t, "event");
}

#if CONFD_API_LEVEL >= 82
void stub_decode_compaction(struct stub_term *t, struct confd_notification *n)
{
    struct confd_compaction_notification *c = &n->n.compaction;

    c->dbfile = (enum confd_compaction_dbfile)stub_word(t, "dbfile");
    c->type = (enum confd_compaction_type)stub_word(t, "type");
    c->fsize_start = stub_u64(t, "fsize_start");
    c->fsize_end = stub_u64(t, "fsize_end");
    c->fsize_last = stub_u64(t, "fsize_last");
    c->time_start = stub_u64(t, "time_start");
    c->duration = stub_u64(t, "duration");
    c->ntrans = stub_word(t, "ntrans");
}
#endif
