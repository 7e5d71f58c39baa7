/* The commit queue: lists of devices and services, all of them on the heap. */
#include "stub.h"

#if defined(CONFD_C_PRODUCT_NCS) || CONFD_API_LEVEL == 66

/* Names must be binaries here. */
static char *read_name(struct stub_term *t, const char *field)
{
    if (stub_term_at_atom(t)) {
        stub_term_fail(t, field, "expected a binary, found an atom");
    }
    return stub_text(t, field);
}

static char **read_names(struct stub_term *t, const char *field, int *count)
{
    struct stub_list list = stub_term_list(t, field, 5);
    char **names = stub_term_alloc(t, list.count, sizeof *names);

    *count = names != NULL ? (int)list.count : 0;
    for (int i = 0; i < *count; i++) {
        names[i] = read_name(t, field);
    }
    stub_term_list_end(t, field, list);
    return names;
}

/* {Device, Reason} in its shortest form is 12 bytes. */
static void read_failed_devices(struct stub_term *t, struct ncs_cq_progress_notification *cq)
{
    struct stub_list list = stub_term_list(t, "failed_devices", 12);

    cq->failed_devices = stub_term_alloc(t, list.count, sizeof(char *));
    cq->nfailed_devices = cq->failed_devices != NULL ? (int)list.count : 0;
    cq->failed_reasons = stub_term_alloc(t, list.count, sizeof(char *));
    for (int i = 0; i < cq->nfailed_devices && !t->failed; i++) {
        unsigned further = stub_term_tuple_from(t, "failed_devices", 2);
        cq->failed_devices[i] = read_name(t, "failed_devices");
        cq->failed_reasons[i] = read_name(t, "failed_reasons");
        stub_term_skip_further(t, "failed_devices", further);
    }
    stub_term_list_end(t, "failed_devices", list);
}

/* Devices of one service: a list value on the heap. */
static confd_value_t *read_devices(struct stub_term *t, const char *field)
{
    confd_value_t *value = stub_term_alloc(t, 1, sizeof *value);

    if (value == NULL) {
        return NULL;
    }
    stub_value(t, value);
    if (value->type != C_LIST) {
        stub_term_fail(t, field, "expected a list");
    }
    return value;
}

/* {Service, [Completed]} in its shortest form is 8 bytes. */
static void read_completed_services(struct stub_term *t, struct ncs_cq_progress_notification *cq)
{
    struct stub_list list = stub_term_list(t, "completed_services", 8);

    cq->completed_services = stub_term_alloc(t, list.count, sizeof(char *));
    cq->ncompleted_services = cq->completed_services != NULL ? (int)list.count : 0;
    cq->completed_services_completed_devices = stub_term_alloc(t, list.count, sizeof(confd_value_t *));
    for (int i = 0; i < cq->ncompleted_services && !t->failed; i++) {
        unsigned further = stub_term_tuple_from(t, "completed_services", 2);
        cq->completed_services[i] = read_name(t, "completed_services");
        cq->completed_services_completed_devices[i] = read_devices(t, "completed_services");
        stub_term_skip_further(t, "completed_services", further);
    }
    stub_term_list_end(t, "completed_services", list);
}

/* {Service, [Completed], [Failed]} in its shortest form is 9 bytes. */
static void read_failed_services(struct stub_term *t, struct ncs_cq_progress_notification *cq)
{
    struct stub_list list = stub_term_list(t, "failed_services", 9);

    cq->failed_services = stub_term_alloc(t, list.count, sizeof(char *));
    cq->nfailed_services = cq->failed_services != NULL ? (int)list.count : 0;
    cq->failed_services_completed_devices = stub_term_alloc(t, list.count, sizeof(confd_value_t *));
    cq->failed_services_failed_devices = stub_term_alloc(t, list.count, sizeof(confd_value_t *));
    for (int i = 0; i < cq->nfailed_services && !t->failed; i++) {
        unsigned further = stub_term_tuple_from(t, "failed_services", 3);
        cq->failed_services[i] = read_name(t, "failed_services");
        cq->failed_services_completed_devices[i] = read_devices(t, "failed_services");
        cq->failed_services_failed_devices[i] = read_devices(t, "failed_services");
        stub_term_skip_further(t, "failed_services", further);
    }
    stub_term_list_end(t, "failed_services", list);
}

void stub_decode_cq(struct stub_term *t, struct confd_notification *n)
{
    struct ncs_cq_progress_notification *cq = &n->n.cq_progress;

    cq->type = (enum ncs_cq_progress_notif_type)stub_word(t, "type");
    stub_datetime(t, "timestamp", &cq->timestamp);
    cq->cq_id = stub_u64(t, "cq_id");
#if CONFD_API_LEVEL < 87
    cq->cq_tag = stub_optional_text(t, "cq_tag");
#endif
#if CONFD_API_LEVEL >= 85
    cq->label = stub_optional_text(t, "label");
#endif
    cq->completed_devices = read_names(t, "completed_devices", &cq->ncompleted_devices);
    cq->transient_devices = read_names(t, "transient_devices", &cq->ntransient_devices);
    read_failed_devices(t, cq);
    read_completed_services(t, cq);
    read_failed_services(t, cq);
#if CONFD_API_LEVEL >= 77 && CONFD_API_LEVEL < 87
    cq->trace_id = stub_optional_text(t, "trace_id");
#endif
}

static void free_names(char **names, int count)
{
    for (int i = 0; names != NULL && i < count; i++) {
        stub_free(names[i]);
    }
    stub_free(names);
}

static void free_values(confd_value_t **values, int count)
{
    for (int i = 0; values != NULL && i < count; i++) {
        confd_free_dup_value(values[i]);
    }
    stub_free(values);
}

void stub_release_cq(struct confd_notification *n)
{
    struct ncs_cq_progress_notification *cq = &n->n.cq_progress;

#if CONFD_API_LEVEL < 87
    stub_free(cq->cq_tag);
#endif
#if CONFD_API_LEVEL >= 85
    stub_free(cq->label);
#endif
    free_names(cq->completed_devices, cq->ncompleted_devices);
    free_names(cq->transient_devices, cq->ntransient_devices);
    free_names(cq->failed_devices, cq->nfailed_devices);
    free_names(cq->failed_reasons, cq->nfailed_devices);
    free_names(cq->completed_services, cq->ncompleted_services);
    free_values(cq->completed_services_completed_devices, cq->ncompleted_services);
    free_names(cq->failed_services, cq->nfailed_services);
    free_values(cq->failed_services_completed_devices, cq->nfailed_services);
    free_values(cq->failed_services_failed_devices, cq->nfailed_services);
#if CONFD_API_LEVEL >= 77 && CONFD_API_LEVEL < 87
    stub_free(cq->trace_id);
#endif
}

#endif
