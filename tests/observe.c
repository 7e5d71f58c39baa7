/* Shows what a libconfd makes of frames: "name hex" on stdin, a line for each on stdout.
 * test_observed.py compiles it against the stub, or against a vendor's SDK, and compares the lines
 * with what was seen on the vendor's library. LEVEL is the API level, such as 82. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confd_lib.h"
#include "confd_dp.h"
#include "confd_events.h"

static void show_text(const char *name, const char *text)
{
    printf(text != NULL ? " %s='%s'" : " %s=NULL", name, text);
}

static void show_value(const confd_value_t *v)
{
    static char text[100000];

    confd_pp_value(text, sizeof text, v);
    printf(" %d:%s", (int)v->type, text);
    if (v->type == C_DATETIME) {
        printf("(%d,%d)", v->val.datetime.timezone, v->val.datetime.timezone_minutes);
    }
}

static void show_user(const struct confd_user_info *u)
{
    printf(" usid=%d port=%d logintime=%lld", u->usid, u->port, (long long)u->logintime);
    show_text("username", u->username);
    show_text("snmp_v3_ctx", u->snmp_v3_ctx);
}

static void show_diff(const struct confd_commit_diff_notification *diff)
{
    const struct confd_trans_ctx *tctx = diff->tctx;

    show_user(&diff->uinfo);
    show_text("comment", diff->comment);
    show_text("label", diff->label);
    printf(" th=%d fd=%d traversal_id=%d uinfo is %s", tctx->thandle, tctx->fd,
           tctx->traversal_id, tctx->uinfo == &diff->uinfo ? "inside" : "elsewhere");
}

static void show_node(const struct confd_ha_notification *ha)
{
    const struct confd_ha_node *node = &ha->data.slave_died;

    printf(" type=%d", (int)ha->type);
    if (ha->type == CONFD_HA_INFO_SLAVE_DIED || ha->type == CONFD_HA_INFO_SLAVE_ARRIVED) {
        show_value(&node->nodeid);
        printf(" af=%d", node->af);
        if (node->af == AF_UNSPEC) {
            show_text("str", node->addr.str);
        }
    } else {
        printf(" data=%d", ha->data.nomaster);
    }
}

static void show_snmpa(const struct confd_snmpa_notification *snmpa)
{
    printf(" pdu=%d request_id=%d", (int)snmpa->pdu_type, snmpa->request_id);
    for (int i = 0; i < snmpa->num_variables; i++) {
        show_value(&snmpa->vb[i].val);
    }
    if (snmpa->pdu_type == CONFD_SNMPA_PDU_V1TRAP) {
        printf(" time_stamp=%d", snmpa->v1_trap->time_stamp);
    }
}

static void show_stream(const struct confd_stream_notification *stream)
{
    printf(" type=%d", (int)stream->type);
    if (stream->type == CONFD_STREAM_REPLAY_FAILED) {
        show_text("error", stream->replay_error);
    } else if (stream->type == CONFD_STREAM_NOTIFICATION_EVENT) {
        for (int i = 0; i < stream->nvalues; i++) {
            show_value(&stream->values[i].v);
        }
    }
}

static void show_progress(const struct confd_progress_notification *p)
{
    printf(" type=%d timestamp=%llu duration=%llu", (int)p->type, p->timestamp, p->duration);
    show_text("context", p->context);
    show_text("annotation", p->annotation);
#if LEVEL >= 82 /* older ones leave what a frame lacks as it was */
    show_text("trace_id", p->trace_id);
    show_text("msg", p->msg);
    for (int i = 0; i < p->num_attributes; i++) {
        const struct confd_progress_attribute *a = &p->attributes[i];
        if (a->type == CONFD_PROGRESS_ATTRIBUTE_NUMBER) {
            printf(" %s=%llu", a->name, a->value.number);
        } else {
            show_text(a->name, a->value.string);
        }
    }
#endif
}

#ifdef CONFD_C_PRODUCT_NCS

static void show_nso(const struct confd_notification *n)
{
    if (n->type == NCS_NOTIF_CALL_HOME_INFO) {
        printf(" type=%d", (int)n->n.call_home.type);
        show_text("device", n->n.call_home.device);
        show_text("ssh_host_key", n->n.call_home.ssh_host_key);
    } else if (n->type == NCS_NOTIF_AUDIT_NETWORK) {
        show_text("user", n->n.audit_network.user);
        show_text("trace_id", n->n.audit_network.trace_id);
        show_text("config", n->n.audit_network.config);
#if LEVEL < 87
    } else if (n->type == NCS_NOTIF_CQ_PROGRESS) {
        printf(" cq_id=%llu", (unsigned long long)n->n.cq_progress.cq_id);
        show_text("cq_tag", n->n.cq_progress.cq_tag);
        show_text("trace_id", n->n.cq_progress.trace_id);
#endif
    }
}

#endif

static void show_notification(const struct confd_notification *n)
{
    printf(" %lld", (long long)n->type);
    switch ((long long)n->type) {
    case CONFD_NOTIF_AUDIT:
        printf(" usid=%d", n->n.audit.usid);
        show_text("user", n->n.audit.user);
        show_text("msg", n->n.audit.msg);
        break;
    case CONFD_NOTIF_COMMIT_DIFF:
        show_diff(&n->n.commit_diff);
        break;
    case CONFD_NOTIF_USER_SESSION:
        show_user(&n->n.user_sess.uinfo);
        break;
    case CONFD_NOTIF_HA_INFO:
        show_node(&n->n.hnot);
        break;
    case CONFD_NOTIF_SNMPA:
        show_snmpa(&n->n.snmpa);
        break;
    case CONFD_NOTIF_STREAM_EVENT:
        show_stream(&n->n.stream);
        break;
    case CONFD_NOTIF_PROGRESS:
    case CONFD_NOTIF_COMMIT_PROGRESS:
        show_progress(&n->n.progress);
        break;
#if LEVEL >= 82
    case CONFD_NOTIF_COMPACTION:
        printf(" size=%llu ntrans=%u", (unsigned long long)n->n.compaction.fsize_start,
               n->n.compaction.ntrans);
        break;
#endif
    default:
#ifdef CONFD_C_PRODUCT_NCS
        show_nso(n);
#endif
        break;
    }
}

static void observe(const unsigned char *frame, size_t size)
{
    static struct confd_notification n;
    int pair[2], result;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
        write(pair[1], frame, size) != (ssize_t)size) {
        exit(2);
    }
    close(pair[1]);
    memset(&n, 0, sizeof n);
    result = confd_read_notification(pair[0], &n);
    close(pair[0]);
    printf(" %d", result);
    if (result == CONFD_OK) {
        show_notification(&n);
    } else {
        printf(" %d %s", confd_errno, confd_lasterr());
    }
    printf("\n");
}

static void show_strings(void)
{
    static const int codes[] = {0, 1, 5, 8, 18, 20, 21, 22, 24, 45, 48, 50, -1};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        printf("strerror %d %s\n", codes[i], confd_strerror(codes[i]));
    }
}

int main(void)
{
    char *line = NULL, *hex;
    size_t room = 0;

    confd_init("observe", stderr, CONFD_SILENT);
    show_strings();
    while (getline(&line, &room, stdin) > 0) {
        unsigned char *frame = malloc(strlen(line));
        unsigned byte;
        size_t size = 0;
        hex = strchr(line, ' ');
        *hex++ = '\0';
        while (sscanf(hex + 2 * size, "%2x", &byte) == 1) {
            frame[size++] = (unsigned char)byte;
        }
        printf("%s", line);
        observe(frame, size);
        free(frame);
    }
    free(line);
    return 0;
}
