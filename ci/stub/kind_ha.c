/* High availability. The older names of the union's members exist at every
 * level. */
#include <string.h>

#include "stub.h"

/* Short texts live in the struct itself, cut to its size. */
static void read_node_id(struct stub_term *t, struct confd_ha_node *node)
{
    struct stub_bytes name;

    if (stub_term_peek(t) != TAG_BINARY) {
        stub_value(t, "nodeid", &node->nodeid);
        return;
    }
    name = stub_term_binary(t, "nodeid");
    if (name.size >= sizeof node->buf) {
        name.size = sizeof node->buf - 1;
    }
    if (name.size > 0) {
        memcpy(node->buf, name.data, name.size);
    }
    node->buf[name.size] = '\0';
    node->nodeid.type = C_BUF;
    node->nodeid.val.buf.ptr = (unsigned char *)node->buf;
    node->nodeid.val.buf.size = (unsigned)name.size;
}

static void read_node(struct stub_term *t, struct confd_ha_node *node)
{
    stub_term_tuple_of(t, "node", 2);
    read_node_id(t, node);
    if (stub_term_peek(t) == TAG_BINARY) {
        stub_text_array(t, "peer", node->addr_buf, sizeof node->addr_buf);
        node->addr.str = node->addr_buf;
        node->af = AF_UNSPEC;
    } else {
        node->af = stub_ip(t, "peer", &node->addr);
    }
}

static bool has_node(const struct confd_ha_notification *ha)
{
    return ha->type == CONFD_HA_INFO_SLAVE_DIED || ha->type == CONFD_HA_INFO_SLAVE_ARRIVED;
}

void stub_decode_ha(struct stub_term *t, struct confd_notification *n)
{
    struct confd_ha_notification *ha = &n->n.hnot;

    stub_term_tuple_of(t, "info", 2);
    ha->type = (enum confd_ha_info_type)stub_enum(t, "type");
    if (has_node(ha)) {
        read_node(t, &ha->data.slave_died);
    } else {
        ha->data.nomaster = stub_int(t, "data");
    }
}

void stub_release_ha(struct confd_notification *n)
{
    struct confd_ha_node *node = &n->n.hnot.data.slave_died;

    if (has_node(&n->n.hnot) && node->nodeid.type != C_BUF) {
        confd_free_value(&node->nodeid);
    }
}
