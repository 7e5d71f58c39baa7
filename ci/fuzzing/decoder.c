/* A libFuzzer target: the input is what a daemon sends after the subscription, frame by frame.
 *
 * stub_read() takes the bytes from the input in place of a socket. A frame is decoded from a copy
 * of exactly its size, so that a read beyond its end is seen. What was decoded is printed, copied
 * and compared as the extension does, then released; nothing may be left. With CHECKED, the
 * extension's check comes before. */
#include <stdlib.h>
#include <string.h>

#include "mutate.h"
#include "stub.h"

#ifdef CHECKED
#include "checked.h"
#else
static size_t refused(const uint8_t *stream, size_t left)
{
    (void)stream, (void)left;
    return 0;
}
#endif

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
int __wrap_stub_read(int sock, void *to, size_t size);
int __wrap_stub_frame_read(int sock, struct stub_frame *frame);
int __real_stub_frame_read(int sock, struct stub_frame *frame);

enum { HEAD = 4 };

static const uint8_t *stream;
static size_t left;

/* Not assert(): a message tells apart what went wrong. */
static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* In place of the socket */

int __wrap_stub_read(int sock, void *to, size_t size)
{
    (void)sock;
    if (size > left) {
        left = 0;
        return stub_fail_eof();
    }
    if (size > 0) {
        memcpy(to, stream, size);
    }
    stream += size;
    left -= size;
    return CONFD_OK;
}

int __wrap_stub_frame_read(int sock, struct stub_frame *frame)
{
    int result = __real_stub_frame_read(sock, frame);

    if (result == CONFD_OK && frame->heap == NULL) {
        frame->heap = stub_alloc(frame->size);
        require(frame->heap != NULL, "out of memory");
        memcpy(frame->heap, frame->data, frame->size);
        frame->data = frame->heap;
    }
    return result;
}

/* What the extension does with a notification */

/* What is equal to nothing, itself included. */
static bool has_nan(const confd_value_t *v)
{
    if (v->type != C_LIST) {
        return v->type == C_DOUBLE && v->val.d != v->val.d;
    }
    for (unsigned i = 0; i < v->val.list.size; i++) {
        if (has_nan(&v->val.list.ptr[i])) {
            return true;
        }
    }
    return false;
}

static void use_value(const confd_value_t *v)
{
    char small[16], *whole;
    int size = confd_pp_value(small, sizeof small, v);
    confd_value_t *copy = confd_value_dup(v);

    require(size >= 0 && memchr(small, '\0', sizeof small) != NULL, "a bad text");
    whole = malloc((size_t)size + 1);
    require(whole != NULL && copy != NULL, "out of memory");
    require(confd_pp_value(whole, size + 1, v) == size, "a text of changing length");
    require(memchr(whole, '\0', (size_t)size + 1) != NULL, "a text without an end");
    require(confd_val_eq(v, copy) != 0 || has_nan(v), "a copy differs");
    confd_free_dup_value(copy);
    free(whole);
}

static void use_values(confd_value_t *const *values, int count)
{
    for (int i = 0; i < count; i++) {
        use_value(values[i]);
    }
}

static size_t lengths; /* texts are read to their end */

static void use_text(const char *text)
{
    lengths += text != NULL ? strlen(text) : 0;
}

static void use_texts(char *const *texts, int count)
{
    for (int i = 0; i < count; i++) {
        require(texts[i] != NULL, "a list lacks a text");
        use_text(texts[i]);
    }
}

static void use_commit_queue(const struct ncs_cq_progress_notification *cq)
{
    use_text(cq->cq_tag);
    use_text(cq->trace_id);
    use_texts(cq->completed_devices, cq->ncompleted_devices);
    use_texts(cq->transient_devices, cq->ntransient_devices);
    use_texts(cq->failed_devices, cq->nfailed_devices);
    use_texts(cq->failed_reasons, cq->nfailed_devices);
    use_texts(cq->completed_services, cq->ncompleted_services);
    use_texts(cq->failed_services, cq->nfailed_services);
    use_values(cq->completed_services_completed_devices, cq->ncompleted_services);
    use_values(cq->failed_services_completed_devices, cq->nfailed_services);
    use_values(cq->failed_services_failed_devices, cq->nfailed_services);
}

static void use_progress(const struct confd_progress_notification *p)
{
    use_text(p->context);
    use_text(p->subsystem);
    use_text(p->msg);
    use_text(p->annotation);
    for (int i = 0; i < p->num_attributes; i++) {
        use_text(p->attributes[i].name);
        if (p->attributes[i].type == CONFD_PROGRESS_ATTRIBUTE_STRING) {
            use_text(p->attributes[i].value.string);
        }
    }
    for (int i = 0; i < p->num_links; i++) {
        use_text(p->links[i].trace_id);
        use_text(p->links[i].span_id);
    }
}

static void use_snmp(const struct confd_snmpa_notification *snmpa)
{
    bool is_trap = snmpa->pdu_type == CONFD_SNMPA_PDU_V1TRAP;

    require(is_trap == (snmpa->v1_trap != NULL), "a wrong trap");
    for (int i = 0; i < snmpa->num_variables; i++) {
        use_value(&snmpa->vb[i].val);
    }
}

static void use_stream(const struct confd_stream_notification *event)
{
    use_text(event->replay_error);
    for (int i = 0; i < event->nvalues; i++) {
        use_value(&event->values[i].v);
    }
}

static void use_ha(const struct confd_ha_notification *ha)
{
    if (ha->type == CONFD_HA_INFO_SLAVE_DIED || ha->type == CONFD_HA_INFO_SLAVE_ARRIVED) {
        use_value(&ha->data.slave_died.nodeid);
        use_text(ha->data.slave_died.af == AF_UNSPEC ? ha->data.slave_died.addr.str : NULL);
    }
}

static void use(const struct confd_notification *n)
{
    switch (n->type) {
    case CONFD_NOTIF_AUDIT:
        use_text(n->n.audit.user);
        use_text(n->n.audit.msg);
        break;
    case CONFD_NOTIF_COMMIT_DIFF:
        require(n->n.commit_diff.tctx != NULL, "no transaction");
        confd_diff_notification_done(-1, n->n.commit_diff.tctx);
        break;
    case CONFD_NOTIF_HA_INFO:
        use_ha(&n->n.hnot);
        break;
    case CONFD_NOTIF_SNMPA:
        use_snmp(&n->n.snmpa);
        break;
    case CONFD_NOTIF_PROGRESS:
    case CONFD_NOTIF_COMMIT_PROGRESS:
        use_progress(&n->n.progress);
        break;
    case CONFD_NOTIF_STREAM_EVENT:
        use_stream(&n->n.stream);
        break;
    case NCS_NOTIF_CQ_PROGRESS:
        use_commit_queue(&n->n.cq_progress);
        break;
    case NCS_NOTIF_CALL_HOME_INFO:
        use_text(n->n.call_home.ssh_host_key);
        use_text(n->n.call_home.ssh_key_alg);
        use_text(n->n.call_home.device);
        break;
    case NCS_NOTIF_AUDIT_NETWORK:
        use_text(n->n.audit_network.user);
        use_text(n->n.audit_network.device);
        use_text(n->n.audit_network.config);
        break;
    }
}

/* The fuzzer's entries */

static unsigned long frames[4]; /* by outcome: a notification, an error, the end; refused */

static void report(void)
{
    fprintf(stderr, "frames: %lu notifications, %lu errors, %lu ends, %lu refused\n", frames[0],
            frames[1], frames[2], frames[3]);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    confd_init("fuzz", stderr, CONFD_SILENT);
    atexit(report);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int result;

    stream = data;
    left = size;
    do {
        struct confd_notification n;
        size_t passed;
        for (; (passed = refused(stream, left)) > 0; stream += passed, left -= passed) {
            frames[3]++;
        }
        /* What a decoder leaves as it was must not be read. */
        memset(&n, 0xa5, sizeof n);
        result = confd_read_notification(0, &n);
        if (result == CONFD_OK) {
            use(&n);
            confd_free_notification(&n);
        }
        require(result == CONFD_OK || confd_errno == CONFD_ERR_MALLOC ||
                    confd_lasterr()[0] != '\0',
                "an error without a text");
        require(confd_stub_live_allocations() == 0, "a leak");
        frames[result == CONFD_OK ? 0 : result == CONFD_ERR ? 1 : 2]++;
    } while (result != CONFD_EOF);
    return 0;
}

static size_t with_length(uint8_t *frame, size_t term)
{
    for (size_t i = 0; i < HEAD; i++) {
        frame[i] = (uint8_t)(term >> 8 * (HEAD - 1 - i));
    }
    return HEAD + term;
}

/* Half by libFuzzer, half by what knows terms; the length is right again, but for a few: else
 * nearly all would end at it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    static uint8_t before[1 << 16];
    size_t kept = size < sizeof before ? size : sizeof before;
    int in_step;

    if (size < HEAD || seed % 16 == 0) {
        return LLVMFuzzerMutate(data, size, most);
    }
    if (seed % 2 == 0) {
        memcpy(before, data, kept);
        return mutate_frame(data, size, most, before, kept, seed, &in_step);
    }
    return with_length(data, LLVMFuzzerMutate(data + HEAD, size - HEAD, most - HEAD));
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
                                 size_t size2, uint8_t *out, size_t most, unsigned seed)
{
    int in_step;

    if (size1 > most) {
        return 0;
    }
    memcpy(out, data1, size1);
    return mutate_frame(out, size1, most, data2, size2, seed, &in_step);
}
