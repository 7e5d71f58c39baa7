/* Events of NETCONF and other streams. */
#include "stub.h"

static struct xml_tag read_tag(struct stub_term *t)
{
    confd_value_t tag;

    stub_value(t, &tag);
    if (tag.type != C_XMLTAG) {
        stub_term_fail(t, "tag", "expected [Ns|Tag]");
        confd_free_value(&tag);
    }
    return tag.val.xmltag;
}

/* Values that say something of the tag, by the atom that stands for them. */
static const struct {
    const char *atom;
    enum confd_vtype type;
} tag_values[] = {
    {"start", C_XMLBEGIN},         {"stop", C_XMLEND},
    {"leaf", C_XMLTAG},            {"delete", C_XMLBEGINDEL},
    {"move_first", C_XMLMOVEFIRST}, {"move_after", C_XMLMOVEAFTER},
};

static void read_value(struct stub_term *t, confd_tag_value_t *value)
{
    for (size_t i = 0; i < sizeof tag_values / sizeof tag_values[0]; i++) {
        if (stub_term_take_atom(t, tag_values[i].atom)) {
            value->v.type = tag_values[i].type;
            value->v.val.xmltag = value->tag;
            return;
        }
    }
    stub_value(t, &value->v);
}

static void read_tag_value(struct stub_term *t, confd_tag_value_t *value)
{
    unsigned further = stub_term_tuple_from(t, "values", 2);

    value->tag = read_tag(t);
    read_value(t, value);
    stub_term_skip_further(t, "values", further);
}

/* {[Ns|Tag], Value} in its shortest form is 12 bytes. */
static void read_values(struct stub_term *t, struct confd_stream_notification *stream)
{
    struct stub_list list = stub_term_list(t, "values", 12);
    confd_tag_value_t *values = NULL;

    if (list.count > 0) {
        values = stub_term_alloc(t, list.count, sizeof *values);
    }
    stream->values = values;
    stream->nvalues = values != NULL ? (int)list.count : 0;
    for (int i = 0; i < stream->nvalues && !t->failed; i++) {
        read_tag_value(t, &values[i]);
    }
    stub_term_list_end(t, "values", list);
}

static void read_event(struct stub_term *t, struct confd_stream_notification *stream)
{
    stub_datetime(t, "event_time", &stream->event_time);
    read_values(t, stream);
}

static void read_tuple(struct stub_term *t, struct confd_stream_notification *stream)
{
    stream->type = CONFD_STREAM_NOTIFICATION_EVENT;
    stream->values = NULL;
    stream->nvalues = 0;
    stub_term_tuple_from(t, "event", 2);
    if (stub_term_take_atom(t, "replay_failed")) {
        stream->type = CONFD_STREAM_REPLAY_FAILED;
        stream->replay_error = stub_text(t, "replay_error");
    } else {
        read_event(t, stream);
    }
}

void stub_decode_stream(struct stub_term *t, struct confd_notification *n)
{
    struct confd_stream_notification *stream = &n->n.stream;

    if (stub_term_take_atom(t, "replay_complete")) {
        stream->type = CONFD_STREAM_REPLAY_COMPLETE;
    } else if (stub_term_take_atom(t, "notification_complete")) {
        stream->type = CONFD_STREAM_NOTIFICATION_COMPLETE;
    } else {
        read_tuple(t, stream);
    }
}

/* What the type does not have may be anything. */
void stub_release_stream(struct confd_notification *n)
{
    struct confd_stream_notification *stream = &n->n.stream;

    if (stream->type == CONFD_STREAM_REPLAY_FAILED) {
        stub_free(stream->replay_error);
    } else if (stream->type == CONFD_STREAM_NOTIFICATION_EVENT) {
        for (int i = 0; i < stream->nvalues; i++) {
            confd_free_value(&stream->values[i].v);
        }
        stub_free(stream->values);
    }
}
