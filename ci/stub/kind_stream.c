/* Events of NETCONF and other streams. */
#include "stub.h"

/* [Ns|Tag]: one element and a tail that is no list. */
static struct xml_tag read_tag(struct stub_term *t)
{
    struct stub_list list = stub_term_list(t, "tag", 1);
    struct xml_tag tag;

    if (list.count != 1 || !list.has_tail) {
        stub_term_fail(t, "tag", "expected [Ns|Tag]");
    }
    tag.ns = (uint32_t)stub_term_uint(t, "tag", UINT32_MAX);
    tag.tag = (uint32_t)stub_term_uint(t, "tag", UINT32_MAX);
    return tag;
}

static void read_tag_value(struct stub_term *t, confd_tag_value_t *value)
{
    bool starts;

    stub_term_tuple_of(t, "values", 2);
    value->tag = read_tag(t);
    starts = stub_term_take_atom(t, "start");
    if (starts || stub_term_take_atom(t, "stop")) {
        value->v.type = starts ? C_XMLBEGIN : C_XMLEND;
        value->v.val.xmltag = value->tag;
    } else {
        stub_value(t, "values", &value->v);
    }
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
    stub_term_tuple_of(t, "event", 2);
    if (stub_term_take_atom(t, "replay_failed")) {
        stream->type = CONFD_STREAM_REPLAY_FAILED;
        stream->replay_error = stub_text(t, "replay_error");
    } else {
        stub_datetime(t, "event_time", &stream->event_time);
        read_values(t, stream);
    }
}

void stub_decode_stream(struct stub_term *t, struct confd_notification *n)
{
    struct confd_stream_notification *stream = &n->n.stream;

    *stream = (struct confd_stream_notification){.type = CONFD_STREAM_NOTIFICATION_EVENT};
    if (stub_term_take_atom(t, "replay_complete")) {
        stream->type = CONFD_STREAM_REPLAY_COMPLETE;
    } else if (stub_term_take_atom(t, "notification_complete")) {
        stream->type = CONFD_STREAM_NOTIFICATION_COMPLETE;
    } else {
        read_event(t, stream);
    }
}

void stub_release_stream(struct confd_notification *n)
{
    struct confd_stream_notification *stream = &n->n.stream;

    for (int i = 0; i < stream->nvalues; i++) {
        confd_free_value(&stream->values[i].v);
    }
    stub_free(stream->values);
    stub_free(stream->replay_error);
}
