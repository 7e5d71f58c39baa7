/* Progress of transactions and actions: a struct of its own at 6.6, from 7.7
 * on and from 8.2 on. */
#include "stub.h"

#if CONFD_API_LEVEL >= 77

/* The part that the two newer forms share, in their common order. */
/* Only a number of more than 32 bits is a timestamp. */
static void read_times(struct stub_term *t, struct confd_progress_notification *p)
{
    struct stub_number timestamp;

    p->type = (enum confd_progress_event_type)stub_word(t, "type");
    timestamp = stub_term_number(t, "timestamp");
    p->timestamp = timestamp.is_int32 || timestamp.is_uint32 ? 0 : timestamp.bits;
    p->duration = 0;
    if (stub_term_at_atom(t)) {
        stub_term_skip(t, "duration");
    } else {
        p->duration = stub_u64_or_lost(t, "duration");
    }
}

static void read_transaction(struct stub_term *t, struct confd_progress_notification *p)
{
    p->usid = stub_int(t, "usid");
    p->tid = stub_int(t, "tid");
    p->datastore = (enum confd_dbname)stub_word(t, "datastore");
    p->context = stub_optional_text(t, "context");
}

static void release_common(struct confd_progress_notification *p)
{
    stub_free(p->context);
    stub_free(p->subsystem);
    stub_free(p->annotation);
}

#endif

#if CONFD_API_LEVEL >= 82

/* A number that is lost comes as a text without text. */
static void read_attribute_number(struct stub_term *t, struct confd_progress_attribute *a)
{
    struct stub_number number = stub_term_number(t, "attribute");

    if (!stub_is_lost(number)) {
        a->type = CONFD_PROGRESS_ATTRIBUTE_NUMBER;
        a->value.number = number.is_int32 ? (uint32_t)number.bits : number.bits;
    }
}

static void read_attribute(struct stub_term *t, struct confd_progress_attribute *a)
{
    unsigned further = stub_term_tuple_from(t, "attribute", 2);
    bool is_text;

    a->name = stub_text(t, "attribute");
    is_text = stub_term_at_atom(t) || stub_term_peek(t) == TAG_BINARY;
    a->type = CONFD_PROGRESS_ATTRIBUTE_STRING;
    if (is_text) {
        a->value.string = stub_text(t, "attribute");
    } else {
        read_attribute_number(t, a);
    }
    stub_term_skip_further(t, "attribute", further);
}

/* {Name, Number} in its shortest form is 9 bytes. */
static void read_attributes(struct stub_term *t, struct confd_progress_notification *p)
{
    struct stub_list list = stub_term_list(t, "attributes", 9);

    p->attributes = list.count > 0 ? stub_term_alloc(t, list.count, sizeof *p->attributes) : NULL;
    p->num_attributes = p->attributes != NULL ? (int)list.count : 0;
    for (int i = 0; i < p->num_attributes && !t->failed; i++) {
        read_attribute(t, &p->attributes[i]);
    }
    stub_term_list_end(t, "attributes", list);
}

static void read_link(struct stub_term *t, struct confd_progress_link *link)
{
    unsigned further = stub_term_tuple_from(t, "link", 2);

    stub_text_array(t, "link", link->trace_id, sizeof link->trace_id);
    stub_text_array(t, "link", link->span_id, sizeof link->span_id);
    stub_term_skip_further(t, "link", further);
}

/* {TraceId, SpanId} in its shortest form is 12 bytes. */
static void read_links(struct stub_term *t, struct confd_progress_notification *p)
{
    struct stub_list list = stub_term_list(t, "links", 12);

    p->links = list.count > 0 ? stub_term_alloc(t, list.count, sizeof *p->links) : NULL;
    p->num_links = p->links != NULL ? (int)list.count : 0;
    for (int i = 0; i < p->num_links && !t->failed; i++) {
        read_link(t, &p->links[i]);
    }
    stub_term_list_end(t, "links", list);
}

void stub_decode_progress(struct stub_term *t, struct confd_notification *n)
{
    struct confd_progress_notification *p = &n->n.progress;

    stub_term_tuple_of(t, "event", 15); /* the real library ends the process otherwise */
    read_times(t, p);
    stub_optional_array(t, "trace_id", p->trace_id, sizeof p->trace_id);
    stub_optional_array(t, "span_id", p->span_id, sizeof p->span_id);
    stub_optional_array(t, "parent_span_id", p->parent_span_id, sizeof p->parent_span_id);
    read_transaction(t, p);
    p->subsystem = stub_optional_text(t, "subsystem");
    stub_optional_array(t, "msg", p->msg, sizeof p->msg);
    p->annotation = stub_optional_text(t, "annotation");
    read_attributes(t, p);
    read_links(t, p);
}

void stub_release_progress(struct confd_notification *n)
{
    struct confd_progress_notification *p = &n->n.progress;

    release_common(p);
    for (int i = 0; i < p->num_attributes; i++) {
        stub_free(p->attributes[i].name);
        if (p->attributes[i].type == CONFD_PROGRESS_ATTRIBUTE_STRING) {
            stub_free(p->attributes[i].value.string);
        }
    }
    stub_free(p->attributes);
    stub_free(p->links);
}

#elif CONFD_API_LEVEL >= 77

/* Only NSO's has services. */
#ifdef CONFD_C_PRODUCT_NCS

enum { ELEMENTS = 19 };

static void read_service(struct stub_term *t, struct confd_progress_notification *p)
{
    p->service = stub_optional_text(t, "service");
    p->service_phase = stub_optional_text(t, "service_phase");
    p->commit_queue_id = stub_u64(t, "commit_queue_id");
    p->node = stub_optional_text(t, "node");
    p->device = stub_optional_text(t, "device");
    p->device_phase = stub_optional_text(t, "device_phase");
    p->package = stub_optional_text(t, "package");
}

static void release_service(struct confd_progress_notification *p)
{
    stub_free(p->service);
    stub_free(p->service_phase);
    stub_free(p->node);
    stub_free(p->device);
    stub_free(p->device_phase);
    stub_free(p->package);
}

#else

enum { ELEMENTS = 12 };

static void read_service(struct stub_term *t, struct confd_progress_notification *p)
{
    (void)t;
    (void)p;
}

static void release_service(struct confd_progress_notification *p)
{
    (void)p;
}

#endif

void stub_decode_progress(struct stub_term *t, struct confd_notification *n)
{
    struct confd_progress_notification *p = &n->n.progress;

    stub_term_tuple_of(t, "event", ELEMENTS);
    read_times(t, p);
    read_transaction(t, p);
    stub_optional_array(t, "trace_id", p->trace_id, sizeof p->trace_id);
    p->subsystem = stub_optional_text(t, "subsystem");
    p->phase = stub_optional_text(t, "phase");
    stub_optional_array(t, "msg", p->msg, sizeof p->msg);
    p->annotation = stub_optional_text(t, "annotation");
    read_service(t, p);
}

void stub_release_progress(struct confd_notification *n)
{
    release_common(&n->n.progress);
    stub_free(n->n.progress.phase);
    release_service(&n->n.progress);
}

#else

void stub_decode_progress(struct stub_term *t, struct confd_notification *n)
{
    struct confd_progress_notification *p = &n->n.progress;

    stub_term_tuple_of(t, "event", 4);
    p->database = (enum confd_dbname)stub_word(t, "database");
    p->usid = stub_int(t, "usid");
    p->thandle = stub_int(t, "thandle");
    stub_optional_array(t, "msg", p->msg, sizeof p->msg);
}

void stub_release_progress(struct confd_notification *n)
{
    (void)n;
}

#endif
