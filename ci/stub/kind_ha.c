/* High availability. The older names of the union's members exist at every
 * level. */
#include <string.h>

#include "stub.h"

/* Short texts live in the struct itself, cut to its size. */
static void keep_node_id(struct confd_ha_node *node)
{
    confd_buf_t *name = &node->nodeid.val.buf;

    if (name->size >= sizeof node->buf) {
        name->size = sizeof node->buf - 1;
    }
    if (name->size > 0) {
        memcpy(node->buf, name->ptr, name->size);
    }
    node->buf[name->size] = '\0';
    stub_free(name->ptr);
    name->ptr = (unsigned char *)node->buf;
}

static void read_node(struct stub_term *t, struct confd_ha_node *node)
{
    unsigned further = stub_term_tuple_from(t, "node", 2);

    stub_value(t, &node->nodeid);
    if (node->nodeid.type == C_BUF) {
        keep_node_id(node);
    }
    node->af = AF_UNSPEC;
    if (stub_term_at_atom(t)) {
        stub_term_skip(t, "peer");
        node->addr.str = NULL;
    } else if (stub_term_peek(t) == TAG_BINARY) {
        stub_text_array(t, "peer", node->addr_buf, sizeof node->addr_buf);
        node->addr.str = node->addr_buf;
    } else {
        node->af = stub_ip(t, "peer", &node->addr);
    }
    stub_term_skip_further(t, "node", further);
}

/* A number is read for these types alone. */
static bool has_number(const struct confd_ha_notification *ha)
{
    return ha->type != CONFD_HA_INFO_IS_MASTER && ha->type != CONFD_HA_INFO_IS_NONE;
}

static bool has_node(const struct confd_ha_notification *ha)
{
    return ha->type == CONFD_HA_INFO_SLAVE_DIED || ha->type == CONFD_HA_INFO_SLAVE_ARRIVED;
}

void stub_decode_ha(struct stub_term *t, struct confd_notification *n)
{
    struct confd_ha_notification *ha = &n->n.hnot;

    stub_term_tuple_from(t, "info", 2);
    ha->type = (enum confd_ha_info_type)stub_word(t, "type");
    if (has_node(ha)) {
        read_node(t, &ha->data.slave_died);
    } else if (has_number(ha)) {
        ha->data.nomaster = stub_int(t, "data");
    } else {
        stub_term_skip(t, "data");
    }
}

void stub_release_ha(struct confd_notification *n)
{
    struct confd_ha_node *node = &n->n.hnot.data.slave_died;

    if (has_node(&n->n.hnot) && node->nodeid.type != C_BUF) {
        confd_free_value(&node->nodeid);
    }
}
