/* What the SNMP agent receives and sends. */
#include "stub.h"

static void read_variable(struct stub_term *t, struct confd_snmp_varbind *vb)
{
    unsigned further = stub_term_tuple_from(t, "variable", 3);

    vb->type = (enum confd_snmp_var_type)stub_word(t, "variable");
    vb->vartype = (enum confd_snmp_type)stub_word(t, "vartype");
    if (vb->type == CONFD_SNMP_VARIABLE) {
        stub_text_array(t, "name", vb->var.name, sizeof vb->var.name);
    } else if (vb->type == CONFD_SNMP_OID) {
        stub_oid(t, "oid", &vb->var.oid);
    } else if (vb->type == CONFD_SNMP_COL_ROW && further > 0) {
        stub_oid(t, "rowindex", &vb->var.cr.rowindex);
        stub_text_array(t, "column", vb->var.cr.column, sizeof vb->var.cr.column);
        further--;
    } else {
        stub_term_fail(t, "variable", "type %u with %u elements", (unsigned)vb->type, 3 + further);
    }
    stub_term_skip_further(t, "variable", further);
}

/* Any other term than a binary is no value. */
static void read_varbind(struct stub_term *t, struct confd_snmp_varbind *vb)
{
    unsigned further = stub_term_tuple_from(t, "varbind", 2);

    read_variable(t, vb);
    vb->val.type = C_NOEXISTS;
    if (stub_term_peek(t) == TAG_BINARY) {
        stub_value(t, &vb->val);
    } else {
        stub_term_skip(t, "varbind");
    }
    stub_term_skip_further(t, "varbind", further);
}

/* {{1, Type, Name}, Value} in its shortest form is 15 bytes. */
static void read_varbinds(struct stub_term *t, struct confd_snmpa_notification *snmpa)
{
    int announced = stub_int(t, "num_variables");
    struct stub_list list = stub_term_list(t, "varbinds", 15);
    struct confd_snmp_varbind *vb = NULL;

    if ((unsigned)announced != list.count) {
        stub_term_fail(t, "varbinds", "%u instead of %d", list.count, announced);
    } else if (list.count > 0) {
        vb = stub_term_alloc(t, list.count, sizeof *vb);
    }
    snmpa->vb = vb;
    snmpa->num_variables = vb != NULL ? (int)list.count : 0;
    for (int i = 0; i < snmpa->num_variables && !t->failed; i++) {
        read_varbind(t, &vb[i]);
    }
    stub_term_list_end(t, "varbinds", list);
}

static void read_address(struct stub_term *t, struct confd_snmpa_notification *snmpa)
{
    snmpa->ip.af = stub_ip(t, "ip", &snmpa->ip.ip);
    snmpa->port = stub_port(t);
}

static void read_v1_trap(struct stub_term *t, struct confd_snmpa_notification *snmpa)
{
    struct confd_v1_trap_info *trap = stub_term_alloc(t, 1, sizeof *trap);
    struct confd_v1_trap_info unused; /* where the rest goes after a failure */

    snmpa->v1_trap = trap;
    trap = trap != NULL ? trap : &unused;
    snmpa->request_id = 0;
    snmpa->error_status = 0;
    snmpa->error_index = 0;
    trap->time_stamp = (int)stub_term_int(t, "time_stamp", INT32_MIN, UINT32_MAX);
    read_address(t, snmpa);
    trap->specific_trap = stub_int(t, "specific_trap");
    trap->generic_trap = stub_int(t, "generic_trap");
    read_varbinds(t, snmpa);
    stub_term_skip(t, "undefined");
    stub_oid(t, "enterprise", &trap->enterprise);
}

static void read_request(struct stub_term *t, struct confd_snmpa_notification *snmpa)
{
    snmpa->request_id = stub_int(t, "request_id");
    read_address(t, snmpa);
    snmpa->error_status = stub_int(t, "error_status");
    snmpa->error_index = stub_int(t, "error_index");
    read_varbinds(t, snmpa);
}

void stub_decode_snmpa(struct stub_term *t, struct confd_notification *n)
{
    struct confd_snmpa_notification *snmpa = &n->n.snmpa;
    unsigned arity = stub_term_tuple(t, "pdu"), wanted;

    snmpa->pdu_type = (enum confd_snmp_pdu_type)stub_word(t, "pdu_type");
    snmpa->vb = NULL;
    snmpa->num_variables = 0;
    wanted = snmpa->pdu_type == CONFD_SNMPA_PDU_V1TRAP ? 10 : 8;
    if (arity < wanted) {
        stub_term_fail(t, "pdu", "%u elements instead of %u", arity, wanted);
    }
    if (snmpa->pdu_type == CONFD_SNMPA_PDU_V1TRAP) {
        read_v1_trap(t, snmpa);
    } else {
        read_request(t, snmpa);
    }
}

void stub_release_snmpa(struct confd_notification *n)
{
    struct confd_snmpa_notification *snmpa = &n->n.snmpa;

    for (int i = 0; i < snmpa->num_variables; i++) {
        confd_free_value(&snmpa->vb[i].val);
    }
    stub_free(snmpa->vb);
    if (snmpa->pdu_type == CONFD_SNMPA_PDU_V1TRAP) { /* else it may be anything */
        stub_free(snmpa->v1_trap);
    }
}
