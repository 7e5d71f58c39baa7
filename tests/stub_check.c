/* Checks of the stub libconfd that need C. test_stub.py compiles this against
 * an SDK and runs one mode at a time; frames come on stdin as "name hex". */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "confd_events.h"

/* Exported, and declared by no header. */
extern char *confd_lib_vsn;
extern char *confd_lib_api_vsn;
extern char *confd_lib_proto_vsn;

extern long confd_stub_live_allocations(void);
extern void confd_stub_fail_allocation(long nth);

static int failures;

#define CHECK(condition) check(condition, __LINE__, #condition, "")
#define CHECK_FOR(condition, about) check(condition, __LINE__, #condition, about)

static void check(bool ok, int line, const char *condition, const char *about)
{
    if (!ok) {
        printf("line %d: %s %s (errno %d, %s)\n", line, about, condition, confd_errno,
               confd_lasterr());
        failures++;
    }
}

/* Frames */

struct frame {
    char name[64];
    unsigned char *data;
    size_t size;
};

static struct frame frames[256];
static size_t frame_count;
static const unsigned char heartbeat[] = {0, 0, 0, 8, 131, 104, 1, 98, 0, 0, 0x20, 0};

static size_t from_hex(const char *hex, unsigned char *to)
{
    size_t size = 0;
    unsigned byte;

    while (sscanf(hex + 2 * size, "%2x", &byte) == 1) {
        to[size++] = (unsigned char)byte;
    }
    return size;
}

static void load_frames(void)
{
    char *line = NULL, *hex;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        struct frame *f = &frames[frame_count++];
        hex = strchr(line, ' ');
        *hex++ = '\0';
        snprintf(f->name, sizeof f->name, "%s", line);
        f->data = malloc(strlen(hex) / 2 + 1);
        f->size = from_hex(hex, f->data);
    }
    free(line);
}

static void free_frames(void)
{
    for (size_t i = 0; i < frame_count; i++) {
        free(frames[i].data);
    }
}

static void write_all(int sock, const void *data, size_t size)
{
    const char *from = data;

    while (size > 0) {
        ssize_t sent = send(sock, from, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        from += sent;
        size -= (size_t)sent;
    }
}

/* A socket that yields the bytes, a heartbeat when asked for, and EOF. */
static int socket_with(const void *data, size_t size, bool then_heartbeat)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        perror("socketpair");
        exit(2);
    }
    write_all(pair[1], data, size);
    if (then_heartbeat) {
        write_all(pair[1], heartbeat, sizeof heartbeat);
    }
    close(pair[1]);
    return pair[0];
}

static bool is_commit_diff(const struct confd_notification *n)
{
    return n->type == CONFD_NOTIF_COMMIT_DIFF;
}

static void release(struct confd_notification *n)
{
    if (is_commit_diff(n)) {
        CHECK(confd_diff_notification_done(-1, n->n.commit_diff.tctx) == CONFD_ERR);
        CHECK(confd_errno == CONFD_ERR_OS && errno == EBADF);
    }
    confd_free_notification(n);
}

/* The struct is filled with garbage first: a reader must not rely on it. Of what
 * was read, its type is left. */
static int read_one(int sock, struct confd_notification *n)
{
    struct confd_notification read;
    int result;

    memset(&read, 0xa5, sizeof read);
    result = confd_read_notification(sock, &read);
    n->type = read.type;
    if (result == CONFD_OK) {
        release(&read);
    } else {
        confd_free_notification(&read);
    }
    return result;
}

/* Reads all of stdin's frames and reports each result, for the caller to judge. */
static void mode_read(void)
{
    struct confd_notification n;

    for (size_t i = 0; i < frame_count; i++) {
        int sock = socket_with(frames[i].data, frames[i].size, true);
        int result = read_one(sock, &n);
        printf("%s %d %s\n", frames[i].name, result, result == CONFD_OK ? "" : confd_lasterr());
        if (result == CONFD_ERR) {
            CHECK_FOR(confd_errno == CONFD_ERR_INTERNAL, frames[i].name);
        }
        CHECK_FOR(read_one(sock, &n) == CONFD_OK && n.type == CONFD_NOTIF_HEARTBEAT,
                  frames[i].name);
        CHECK_FOR(read_one(sock, &n) == CONFD_EOF, frames[i].name);
        CHECK(confd_errno == CONFD_ERR_EOF);
        CHECK(strcmp(confd_lasterr(), "EOF on socket to ConfD") == 0);
        CHECK_FOR(confd_stub_live_allocations() == 0, frames[i].name);
        close(sock);
    }
}

/* Hostile input */

static void truncations(const struct frame *f)
{
    struct confd_notification n;

    for (size_t size = 0; size < f->size; size++) {
        int sock = socket_with(f->data, size, false);
        CHECK_FOR(read_one(sock, &n) == CONFD_EOF, f->name);
        close(sock);
    }
}

/* Cut with a length that agrees: the term itself ends too early. Not all of it
 * may be needed. */
static void short_terms(const struct frame *f)
{
    struct confd_notification n;
    unsigned char *copy = malloc(f->size);

    for (size_t size = 4; size < f->size && size < 4096; size++) {
        int sock, result;
        memcpy(copy, f->data, size);
        copy[2] = (unsigned char)((size - 4) >> 8);
        copy[3] = (unsigned char)(size - 4);
        sock = socket_with(copy, size, true);
        result = read_one(sock, &n);
        CHECK_FOR(result == (size == 4 ? CONFD_EOF : CONFD_ERR), f->name);
        CHECK_FOR(read_one(sock, &n) == CONFD_OK && n.type == CONFD_NOTIF_HEARTBEAT, f->name);
        close(sock);
    }
    free(copy);
}

static void mutate(unsigned char *data, size_t size)
{
    static const unsigned char tags[] = {70,  97,  98,  99,  100, 104, 105, 106, 107, 108,
                                         109, 110, 111, 115, 118, 119, 131, 0,   255};
    size_t at = 5 + (size_t)random() % (size - 5);

    switch (random() % 4) {
    case 0:
        data[at] ^= (unsigned char)(1 << random() % 8);
        break;
    case 1:
        data[at] = (unsigned char)random();
        break;
    case 2:
        data[at] = tags[(size_t)random() % sizeof tags];
        break;
    default:
        memmove(data + at, data + 5 + (size_t)random() % (size - at), size - at - 1 < 9 ? 0 : 9);
        break;
    }
}

static void mutations(const struct frame *f, int count)
{
    struct confd_notification n;
    unsigned char *copy = malloc(f->size + 16);

    for (int i = 0; i < count; i++) {
        int sock, result;
        memcpy(copy, f->data, f->size);
        for (long times = 1 + random() % 3; times > 0; times--) {
            mutate(copy, f->size);
        }
        sock = socket_with(copy, f->size, true);
        result = read_one(sock, &n);
        CHECK_FOR(result == CONFD_OK || result == CONFD_ERR, f->name);
        CHECK_FOR(result == CONFD_OK || confd_errno == CONFD_ERR_INTERNAL, f->name);
        CHECK_FOR(read_one(sock, &n) == CONFD_OK && n.type == CONFD_NOTIF_HEARTBEAT, f->name);
        CHECK_FOR(confd_stub_live_allocations() == 0, f->name);
        close(sock);
    }
    free(copy);
}

static void lengths(const struct frame *f)
{
    struct confd_notification n;
    unsigned char *copy = malloc(f->size);

    for (int bit = 0; bit < 32; bit++) {
        int sock;
        memcpy(copy, f->data, f->size);
        copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
        sock = socket_with(copy, f->size, false);
        CHECK_FOR(read_one(sock, &n) != CONFD_OK, f->name);
        CHECK_FOR(confd_stub_live_allocations() == 0, f->name);
        close(sock);
    }
    free(copy);
}

static void failing_allocations(const struct frame *f)
{
    struct confd_notification n;
    int result = CONFD_ERR;

    for (long nth = 1; result != CONFD_OK && nth < 1000; nth++) {
        int sock = socket_with(f->data, f->size, true);
        confd_stub_fail_allocation(nth);
        result = read_one(sock, &n);
        confd_stub_fail_allocation(0);
        CHECK_FOR(result == CONFD_OK || confd_errno == CONFD_ERR_MALLOC, f->name);
        CHECK_FOR(confd_stub_live_allocations() == 0, f->name);
        CHECK_FOR(read_one(sock, &n) == CONFD_OK && n.type == CONFD_NOTIF_HEARTBEAT, f->name);
        close(sock);
    }
    CHECK_FOR(result == CONFD_OK, f->name);
}

static void mode_torture(void)
{
    srandom(82);
    for (size_t i = 0; i < frame_count; i++) {
        if (frames[i].size < 2048) {
            truncations(&frames[i]);
            short_terms(&frames[i]);
            mutations(&frames[i], 300);
        }
        lengths(&frames[i]);
        failing_allocations(&frames[i]);
    }
    CHECK(confd_stub_live_allocations() == 0);
}

/* Values */

static confd_value_t buf_value(enum confd_vtype type, const void *data, unsigned size)
{
    confd_value_t v = {.type = type};

    v.val.c_buf = (confd_buf_const_t){size, data};
    return v;
}

static void prints_as(confd_value_t v, const char *wanted)
{
    char text[512], cut[4] = "xxx";
    int length = confd_pp_value(text, sizeof text, &v);

    CHECK_FOR(strcmp(text, wanted) == 0, text);
    CHECK_FOR(length == (int)strlen(wanted), wanted);
    CHECK_FOR(confd_pp_value(NULL, 0, &v) == length, wanted);
    CHECK_FOR(confd_pp_value(cut, 3, &v) == length, wanted);
    CHECK_FOR(strncmp(cut, wanted, 2) == 0 && strlen(cut) <= 2, wanted);
}

#define VALUE(vtype, member, ...) ((confd_value_t){.type = vtype, .val.member = __VA_ARGS__})

static void print_numbers(void)
{
    prints_as(VALUE(C_INT8, i8, -128), "-128");
    prints_as(VALUE(C_INT64, i64, INT64_MIN), "-9223372036854775808");
    prints_as(VALUE(C_UINT64, u64, UINT64_MAX), "18446744073709551615");
    prints_as(VALUE(C_DOUBLE, d, -0.5), "-0.500000");
    prints_as(VALUE(C_DECIMAL64, d64, {-5, 3}), "-.005");
    prints_as(VALUE(C_DECIMAL64, d64, {0, 1}), ".0");
    prints_as(VALUE(C_DECIMAL64, d64, {0, 18}), ".0");
    prints_as(VALUE(C_DECIMAL64, d64, {1, 18}), ".000000000000000001");
    prints_as(VALUE(C_DECIMAL64, d64, {-5, 1}), "-.5");
    prints_as(VALUE(C_DECIMAL64, d64, {150, 2}), "1.5");
    prints_as(VALUE(C_DECIMAL64, d64, {INT64_MIN, 18}), "-9.223372036854775808");
    prints_as(VALUE(C_DECIMAL64, d64, {100, 2}), "1.0");
    prints_as(VALUE(C_DECIMAL64, d64, {-42, 0}), "invalid64<-42>");
    prints_as(VALUE(C_BIT32, b32, 0x80000000U), "bits<0x80000000>");
    prints_as(VALUE(C_ENUM_VALUE, enumvalue, -1), "enum<-1>");
    prints_as(VALUE(C_BOOL, boolean, 7), "true");
}

static void print_times(void)
{
    prints_as(VALUE(C_DATETIME, datetime, {2026, 1, 2, 3, 4, 5, 0, 0, 0}),
              "2026-01-02T03:04:05+00:00");
    prints_as(VALUE(C_DATETIME, datetime, {2026, 1, 2, 3, 4, 5, 7, 5, 30}),
              "2026-01-02T03:04:05.000007+05:30");
    prints_as(VALUE(C_DATETIME, datetime, {2026, 1, 2, 3, 4, 5, 0, 0, -30}),
              "2026-01-02T03:04:05-00:30");
    prints_as(VALUE(C_DATETIME, datetime, {7, 1, 2, 3, 4, 5, 0, -5, 30}),
              "7-01-02T03:04:05-05:30");
    prints_as(VALUE(C_DATETIME, datetime, {2026, 1, 2, 3, 4, 5, 0, -111, 0}),
              "2026-01-02T03:04:05");
    prints_as(VALUE(C_DATETIME, datetime, {2026, 1, 2, 3, 4, 5, 0, -111, -111}),
              "2026-01-02T03:04:05");
    prints_as(VALUE(C_DATE, date, {2026, 1, 2, 1, 0}), "2026-01-02+01:00");
    prints_as(VALUE(C_DATE, date, {2026, 1, 2, -111, -111}), "2026-01-02");
    prints_as(VALUE(C_TIME, time, {1, 2, 3, 0, 0, 0}), "01:02:03Z");
    prints_as(VALUE(C_DURATION, duration, {0, 0, 0, 0, 0, 0, 0}), "P");
    prints_as(VALUE(C_DURATION, duration, {0, 0, 0, 0, 5, 0, 0}), "PT5M0S.0");
    prints_as(VALUE(C_DURATION, duration, {1, 0, 0, 0, 0, 0, 0}), "P1Y0M0DT0H0M0S.0");
    prints_as(VALUE(C_DURATION, duration, {0, 2, 0, 0, 0, 0, 7}), "P2M0DT0H0M0S.7");
    prints_as(VALUE(C_DURATION, duration, {0, 0, 0, 0, 0, 0, 7}), "PT.7");
    prints_as(VALUE(C_DURATION, duration, {UINT32_MAX, 0, 0, 0, 0, 0, 0}),
              "P-1Y0M0DT0H0M0S.0");
}

static void print_bytes(void)
{
    unsigned char bytes[] = {0xff, 0x00, 0x01};
    confd_value_t elements[] = {VALUE(C_INT32, i32, 1), VALUE(C_STR, c_s, "two")};
    struct confd_snmp_oid oid = {.oid = {1, 3, 4294967295U}, .len = 3};
    confd_value_t qname = {.type = C_QNAME};

    prints_as(buf_value(C_BUF, "text", 4), "text");
    prints_as(buf_value(C_BUF, NULL, 0), "");
    prints_as(buf_value(C_BINARY, bytes, 3), "ff0001");
    prints_as(buf_value(C_HEXSTR, bytes, 3), "ff:00:01");
    prints_as(buf_value(C_BITBIG, bytes, 3), "bits<0x0100ff>");
    prints_as(buf_value(C_BITBIG, bytes, 2), "bits<0xff>");
    prints_as(buf_value(C_BITBIG, NULL, 0), "bits<0x0>");
    prints_as(VALUE(C_STR, c_s, "str"), "\"str\"");
    prints_as(VALUE(C_LIST, list, {2, elements}), "1 \"two\"");
    prints_as(VALUE(C_LIST, list, {0, NULL}), "");
    prints_as(VALUE(C_OID, oidp, &oid), "1.3.4294967295");
    qname.val.qname.prefix = (confd_buf_t){1, (unsigned char *)(uintptr_t) "p"};
    qname.val.qname.name = (confd_buf_t){1, (unsigned char *)(uintptr_t) "n"};
    prints_as(qname, "p:n");
}

static void print_names(void)
{
    prints_as(VALUE(C_XMLBEGIN, xmltag, {2222, 1111}), "tag<2222>");
    prints_as(VALUE(C_XMLMOVEFIRST, xmltag, {7, 1}), "tag<7>");
    prints_as(VALUE(C_XMLTAG, xmltag, {UINT32_MAX, 1}), "tag<-1>");
    prints_as(VALUE(C_CDBBEGIN, xmltag, {7, 1}), "badval");
    prints_as(VALUE(C_SYMBOL, symbol, 7), "badval");
    prints_as(VALUE(C_IDENTITYREF, idref, {1, 2}), "idref<2>");
    prints_as(VALUE(C_IDENTITYREF, idref, {1, 0x80000000U}), "idref<-2147483648>");
    prints_as((confd_value_t){.type = C_NOEXISTS}, "NOEXISTS");
    prints_as((confd_value_t){.type = C_DEFAULT}, "DEFAULT");
    CHECK(confd_hash2str(2222) == NULL && confd_str2hash("x") == 0 && confd_ns2prefix(1) == NULL);
    CHECK(confd_cs_node_cd(NULL, "/a/%s", "b") == NULL && confd_errno == CONFD_ERR_BADPATH);
}

static void failing_copies(const confd_value_t *v)
{
    confd_value_t *copy = NULL;

    for (long nth = 1; copy == NULL && nth < 100; nth++) {
        confd_value_t into = {.type = C_BOOL};
        long before = confd_stub_live_allocations();

        confd_stub_fail_allocation(nth);
        copy = confd_value_dup(v);
        confd_stub_fail_allocation(nth);
        confd_value_dup_to(v, &into);
        confd_stub_fail_allocation(0);
        if (copy == NULL) {
            CHECK(confd_errno == CONFD_ERR_MALLOC);
        } else {
            confd_free_dup_value(copy);
        }
        CHECK(into.type == C_NOEXISTS || confd_val_eq(v, &into));
        confd_free_dup_to_value(&into);
        CHECK(confd_stub_live_allocations() == before);
    }
}

static void copies(const confd_value_t *v)
{
    confd_value_t *copy = confd_value_dup(v), into;

    confd_value_dup_to(copy, &into);
    CHECK(confd_val_eq(v, copy) && confd_val_eq(&into, v));
    confd_free_dup_to_value(&into);
    confd_free_dup_value(copy);
    failing_copies(v);
}

/* Every value of every stream event: equal to its copies and to nothing else. */
static void copy_stream_values(const struct confd_stream_notification *stream)
{
    for (int i = 0; i < stream->nvalues; i++) {
        copies(&stream->values[i].v);
        for (int j = 0; j < i; j++) {
            bool same = stream->values[i].v.type == stream->values[j].v.type;
            CHECK(same || !confd_val_eq(&stream->values[i].v, &stream->values[j].v));
        }
    }
}

static void copy_frame_values(const struct frame *f)
{
    struct confd_notification n;
    int sock = socket_with(f->data, f->size, false);

    CHECK_FOR(confd_read_notification(sock, &n) == CONFD_OK, f->name);
    if (n.type == CONFD_NOTIF_STREAM_EVENT) {
        copy_stream_values(&n.n.stream);
    }
    release(&n);
    close(sock);
}

static void mode_values(void)
{
    confd_value_t buf = buf_value(C_BUF, "text", 4), str = VALUE(C_STR, c_s, "text");
    confd_value_t other = buf_value(C_BUF, "texts", 5), binary = buf_value(C_BINARY, "text", 4);
    confd_value_t bits = buf_value(C_BITBIG, "\1", 1), more_bits = buf_value(C_BITBIG, "\1\0", 2);
    confd_value_t none = {.type = (enum confd_vtype)0};

    print_numbers();
    print_times();
    print_bytes();
    print_names();
    CHECK(!confd_val_eq(&buf, &str) && !confd_val_eq(&str, &buf));
    CHECK(!confd_val_eq(&buf, &other) && !confd_val_eq(&buf, &binary));
    CHECK(confd_val_eq(&bits, &more_bits) && !confd_val_eq(&none, &none));
    copies(&str);
    for (size_t i = 0; i < frame_count; i++) {
        copy_frame_values(&frames[i]);
    }
    CHECK(confd_stub_live_allocations() == 0);
}

/* Fields of hand-made frames that no recorded one has */

#if CONFD_API_LEVEL >= 82
static void check_trap(const struct confd_notification *n)
{
    const struct confd_snmpa_notification *s = &n->n.snmpa;

    CHECK(s->pdu_type == CONFD_SNMPA_PDU_V1TRAP && s->request_id == 0 && s->error_index == 0);
    CHECK(s->num_variables == 1 && s->vb[0].var.oid.len == 2 && s->vb[0].var.oid.oid[1] == 255);
    CHECK(s->v1_trap->time_stamp == 99 && s->v1_trap->specific_trap == 5);
    CHECK(s->v1_trap->generic_trap == 6 && s->v1_trap->enterprise.len == 3);
    CHECK(s->v1_trap->enterprise.oid[2] == 300 && s->port == 162);
}

static void check_long(const struct confd_notification *n)
{
    CHECK(strlen(n->n.audit.msg) == sizeof n->n.audit.msg - 1);
    CHECK(strlen(n->n.audit.user) == sizeof n->n.audit.user - 1);
    CHECK(n->n.audit.usid == -7);
}

#if CONFD_API_LEVEL >= 87
static void check_goingdown(const struct confd_notification *n)
{
    CHECK(n->type == CONFD_NOTIF_SYSTEM_GOING_DOWN);
}
#endif

static void check_hapeer(const struct confd_notification *n)
{
    const struct confd_ha_node *node = &n->n.hnot.data.slave_died;

    CHECK(node->af == AF_UNSPEC && node->addr.str == node->addr_buf);
    CHECK(strcmp(node->addr_buf, "peer.example") == 0);
    CHECK(node->nodeid.type == C_BUF && node->nodeid.val.buf.size == 127);
    CHECK(node->nodeid.val.buf.ptr == (const unsigned char *)node->buf);
}

static void check_halist(const struct confd_notification *n)
{
    const struct confd_ha_node *node = &n->n.hnot.data.slave_arrived;

    CHECK(node->nodeid.type == C_LIST && node->nodeid.val.list.size == 2);
    CHECK(node->nodeid.val.list.ptr[1].val.i32 == 2);
    CHECK(node->af == AF_INET && node->addr.ip4.s_addr == htonl(0x0a000002));
}

#ifdef CONFD_C_PRODUCT_NCS
static void check_cq(const struct confd_notification *n)
{
    const struct ncs_cq_progress_notification *cq = &n->n.cq_progress;
    confd_value_t *devices;

    CHECK(cq->ncompleted_services == 1 && cq->nfailed_services == 1);
    CHECK(strcmp(cq->completed_services[0], "/svc") == 0);
#if CONFD_API_LEVEL < 87
    CHECK(cq->cq_tag == NULL);
#endif
#if CONFD_API_LEVEL >= 85
    CHECK(strcmp(cq->label, "label") == 0);
#endif
    devices = cq->completed_services_completed_devices[0];
    CHECK(devices->type == C_LIST && devices->val.list.size == 2);
    CHECK(memcmp(devices->val.list.ptr[1].val.buf.ptr, "d1", 3) == 0);
    CHECK(cq->failed_services_completed_devices[0]->val.list.size == 0);
    CHECK(cq->failed_services_failed_devices[0]->val.list.size == 1);
    CHECK(cq->cq_id == UINT64_MAX && cq->ncompleted_devices == 0);
}

static void check_callhome(const struct confd_notification *n)
{
    CHECK(n->n.call_home.device == NULL && n->n.call_home.type == CALL_HOME_UNKNOWN_DEVICE);
    CHECK(n->n.call_home.ip.af == AF_INET6 && n->n.call_home.port == 65535);
}

#endif

static void check_diff(const struct confd_notification *n)
{
    const struct confd_commit_diff_notification *diff = &n->n.commit_diff;

    CHECK(diff->tctx->thandle == 77 && diff->tctx->dbname == CONFD_RUNNING);
    CHECK(diff->tctx->uinfo == &diff->uinfo && diff->tctx->fd == -1);
    CHECK(strcmp(diff->uinfo.username, "admin") == 0 && diff->uinfo.usid == 11);
    CHECK(diff->comment[0] == '\0' && strcmp(diff->label, "label") == 0);
    CHECK(diff->uinfo.ip.v4.s_addr == htonl(0x7f000001) && diff->uinfo.snmp_v3_ctx[0] == '\0');
    CHECK(diff->uinfo.logintime == 1700000000 && diff->uinfo.port == 4321);
}
#elif CONFD_API_LEVEL >= 77
static void check_progress12(const struct confd_notification *n)
{
    const struct confd_progress_notification *p = &n->n.progress;

    CHECK(p->type == CONFD_PROGRESS_STOP && p->duration == 5 && p->usid == 11 && p->tid == 77);
    CHECK(strcmp(p->phase, "phase") == 0 && strcmp(p->trace_id, "trace") == 0);
    CHECK(p->context == NULL && strcmp(p->annotation, "note") == 0);
#ifdef CONFD_C_PRODUCT_NCS
    CHECK(p->service == NULL && p->commit_queue_id == 0 && p->package == NULL);
#endif
}

static void check_progress19(const struct confd_notification *n)
{
    CHECK(strcmp(n->n.progress.msg, "msg") == 0);
#ifdef CONFD_C_PRODUCT_NCS
    CHECK(strcmp(n->n.progress.service, "svc") == 0 && n->n.progress.commit_queue_id == 1 << 30);
    CHECK(strcmp(n->n.progress.package, "pkg") == 0 && n->n.progress.node == NULL);
#endif
}
#else
static void check_progress4(const struct confd_notification *n)
{
    const struct confd_progress_notification *p = &n->n.progress;

    CHECK(p->database == CONFD_RUNNING && p->usid == 11 && p->thandle == 77);
    CHECK(strcmp(p->msg, "msg") == 0);
}

static void check_cq66(const struct confd_notification *n)
{
    CHECK(n->n.cq_progress.cq_id == 5 && strcmp(n->n.cq_progress.cq_tag, "tag") == 0);
}
#endif

static const struct {
    const char *name;
    void (*check)(const struct confd_notification *n);
} field_checks[] = {
#if CONFD_API_LEVEL >= 82
    {"trap", check_trap}, {"long", check_long}, 
#if CONFD_API_LEVEL >= 87
    {"goingdown", check_goingdown},
#endif
    {"hapeer", check_hapeer}, {"halist", check_halist}, {"diff", check_diff},
#ifdef CONFD_C_PRODUCT_NCS
    {"cq", check_cq}, {"callhome", check_callhome},
#endif
#elif CONFD_API_LEVEL >= 77
    {"progress12", check_progress12}, {"progress19", check_progress19},
#else
    {"progress4", check_progress4}, {"cq66", check_cq66},
#endif
};

/* A struct that has been released shows nothing of what it held. */
static void check_released(const struct confd_notification *n)
{
#if CONFD_API_LEVEL < 82
    (void)n;
#else
    CHECK(n->n.commit_diff.uinfo.username[0] == (char)0xdb);
#endif
    CHECK(confd_stub_live_allocations() == 0);
}

static void check_fields(const struct frame *f)
{
    struct confd_notification n;
    int sock = socket_with(f->data, f->size, false);

    memset(&n, 0xa5, sizeof n);
    CHECK_FOR(confd_read_notification(sock, &n) == CONFD_OK, f->name);
    for (size_t i = 0; n.type != 0 && i < sizeof field_checks / sizeof field_checks[0]; i++) {
        if (strcmp(field_checks[i].name, f->name) == 0) {
            field_checks[i].check(&n);
            printf("%s checked\n", f->name);
        }
    }
    release(&n);
    check_released(&n);
    close(sock);
}

static void check_tables(void)
{
    char text[64];
    int symbols = 0, descriptions = 0;

    snprintf(text, sizeof text, "CONFD_LIB_VSN=%08x", CONFD_LIB_VSN);
    CHECK(strcmp(text, confd_lib_vsn) == 0);
    snprintf(text, sizeof text, "CONFD_LIB_API_VSN=%08x", CONFD_LIB_API_VSN);
    CHECK(strcmp(text, confd_lib_api_vsn) == 0);
    snprintf(text, sizeof text, "CONFD_LIB_PROTO_VSN=%d", CONFD_LIB_PROTO_VSN);
    CHECK(strcmp(text, confd_lib_proto_vsn) == 0);
    while (confd_log_symbols[symbols] != NULL) {
        symbols++;
    }
    while (confd_log_descriptions[descriptions] != NULL) {
        descriptions++;
    }
    CHECK(symbols == descriptions && symbols > 60);
    CHECK(strstr(confd_strerror(CONFD_ERR_XPATH), "XPath") != NULL);
    CHECK(strcmp(confd_strerror(0), "Unknown error") == 0);
    CHECK(strcmp(confd_strerror(-1), "Unknown error") == 0);
    CHECK(strcmp(confd_log_symbols[0], "placeholder") == 0);
}

static void mode_fields(void)
{
    check_tables();
    for (size_t i = 0; i < frame_count; i++) {
        check_fields(&frames[i]);
    }
}

#if CONFD_API_LEVEL >= 82 && defined(CONFD_C_PRODUCT_NCS)

/* Conversations with a daemon that follows a script, then closes: it must
 * receive "< bytes" or the frame of "{ term", it sends "> bytes" or the frame
 * of "} term", all in hex. */

struct daemon {
    int listener;
    struct sockaddr_un address;
    const char *script;
    pthread_t thread;
};

static size_t frame_of(const char *hex, unsigned char *to)
{
    size_t size = from_hex(hex, to + 5);

    memcpy(to, (unsigned char[]){0, 0, (unsigned char)((size + 1) >> 8),
                                 (unsigned char)(size + 1), 131}, 5);
    return size + 5;
}

static bool receives(int sock, const unsigned char *wanted, size_t size)
{
    unsigned char got[512];
    size_t have = 0;

    while (have < size) {
        ssize_t more = read(sock, got + have, size - have);
        if (more <= 0) {
            break;
        }
        have += (size_t)more;
    }
    if (have == size && memcmp(wanted, got, size) == 0) {
        return true;
    }
    for (size_t i = 0; i < size; i++) {
        printf("%02x", wanted[i]);
    }
    printf(" is wanted, got:\n");
    for (size_t i = 0; i < have; i++) {
        printf("%02x", got[i]);
    }
    printf("\n");
    return false;
}

static void *serve(void *argument)
{
    struct daemon *d = argument;
    unsigned char data[512];
    int sock = accept(d->listener, NULL, NULL);

    for (const char *at = d->script; at != NULL && *at != '\0'; at = strchr(at, '\n')) {
        bool is_frame, is_wanted;
        size_t size;
        at += *at == '\n';
        if (*at == '\0') {
            break;
        }
        is_frame = *at == '{' || *at == '}';
        is_wanted = *at == '{' || *at == '<';
        size = is_frame ? frame_of(at + 2, data) : from_hex(at + 2, data);
        if (is_wanted) {
            CHECK_FOR(receives(sock, data, size), d->script);
        }
        for (size_t i = 0; !is_wanted && i < size; i++) { /* short reads */
            write_all(sock, data + i, 1);
        }
    }
    /* Closed with something unread, the client would see a reset rather than the end. */
    shutdown(sock, SHUT_WR);
    while (read(sock, data, sizeof data) > 0) {
    }
    close(sock);
    return NULL;
}

static void start(struct daemon *d, const char *script)
{
    memset(d, 0, sizeof *d);
    d->script = script;
    d->address.sun_family = AF_UNIX;
    snprintf(d->address.sun_path + 1, sizeof d->address.sun_path - 1, "stub-check-%d",
             (int)getpid());
    d->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(d->listener, (struct sockaddr *)&d->address, sizeof d->address) == 0);
    CHECK(listen(d->listener, 1) == 0);
    pthread_create(&d->thread, NULL, serve, d);
}

static void finish(struct daemon *d)
{
    pthread_join(d->thread, NULL);
    close(d->listener);
}

#define HELLO "0052080205003c12"
#define VERSION "> 00" HELLO "\n"
#define UNDEFINED "7709756e646566696e6564"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define PLAIN "6805" "6101" "6100" "6100" UNDEFINED "6100"
#define OK_ATOM "} 6400026f6b\n" /* ATOM_EXT, as the daemon sends them */

static int connect_with(const char *script, confd_notification_type mask,
                        struct confd_notifications_data *data)
{
    struct daemon d;
    int sock = socket(AF_UNIX, SOCK_STREAM, 0), result;

    start(&d, script);
    result = confd_notifications_connect2(sock, (struct sockaddr *)&d.address, sizeof d.address,
                                          mask, data);
    close(sock);
    finish(&d);
    return result;
}

static void expect_error(int result, int code, const char *text)
{
    CHECK_FOR(result == (code == CONFD_ERR_EOF ? CONFD_EOF : CONFD_ERR), text);
    CHECK_FOR(confd_errno == code, text);
    CHECK_FOR(strstr(confd_lasterr(), text) != NULL, text);
}

static void connects(void)
{
    CHECK(connect_with("< 0b" HELLO "\n" VERSION "{ " PLAIN "\n" OK_ATOM,
                       CONFD_NOTIF_AUDIT, NULL) == CONFD_OK);
    expect_error(connect_with("< 0b" HELLO "\n> 01005a080205003c12\n", CONFD_NOTIF_AUDIT, NULL),
                 CONFD_ERR_PROTOUSAGE,
                 "Library protocol version (82) is not compatible with "
                 "ConfD protocol version (90)");
    expect_error(connect_with("< 0b" HELLO "\n> 0200520802050" "00a05\n", CONFD_NOTIF_AUDIT, NULL),
                 CONFD_ERR_PROTOUSAGE,
                 "Library MAXDEPTH/MAXKEYLEN 60/18 for confd_hkeypath_t are too small, "
                 "ConfD needs 10/5");
    expect_error(connect_with("< 0b" HELLO "\n> 485454502f312e312034\n", CONFD_NOTIF_AUDIT, NULL),
                 CONFD_ERR_INTERNAL, "Failed to decode data\n");
    expect_error(connect_with("< 0b" HELLO "\n> 0000\n", CONFD_NOTIF_AUDIT, NULL), CONFD_ERR_EOF,
                 "EOF on socket to ConfD");
    expect_error(connect_with("< 0b" HELLO "\n" VERSION "{ " PLAIN "\n> ffffffff\n",
                              CONFD_NOTIF_AUDIT, NULL),
                 CONFD_ERR_MALLOC, "");
    expect_error(connect_with("< 0b" HELLO "\n" VERSION "{ " PLAIN "\n> 00000000\n",
                              CONFD_NOTIF_AUDIT, NULL),
                 CONFD_ERR_EOF, "EOF on socket to ConfD");
    /* {error, 1, <<"no such stream">>} */
    expect_error(connect_with("< 0b" HELLO "\n" VERSION "{ " PLAIN "\n"
                              "} 68036400056572726f7261016d0000000e"
                              "6e6f20737563682073747265616d\n",
                              CONFD_NOTIF_AUDIT, NULL),
                 CONFD_ERR_NOEXISTS, "no such stream");
    expect_error(connect_with("< 0b" HELLO "\n" VERSION "} 6101\n", CONFD_NOTIF_AUDIT,
                              NULL),
                 CONFD_ERR_INTERNAL, "Bad term\n");
    CHECK(confd_stub_live_allocations() == 0);
}

/* The whole of {Mask, Interval, Interval, Stream, Verbosity}. The mask is a bignum
 * from 28 bits on. */
static void connects_with_data(void)
{
    struct confd_notifications_data data = {
        .heartbeat_interval = 1000,
        .health_check_interval = -1, /* not asked for */
        .stream_name = (char *)(uintptr_t) "N\xc9T", /* Latin-1 */
        .start_time = {.type = C_DATETIME,
                       .val.datetime = {2026, 11, 23, 7, 50, 1, 123456, -5, 30}},
        .stop_time = {.type = C_DATETIME,
                      .val.datetime = {2027, 1, 2, 3, 4, 5, 0, -111, -111}},
        .xpath_filter = (char *)(uintptr_t) "/x",
        .usid = 300,
        .verbosity = CONFD_VERBOSITY_DEBUG,
    };
    const confd_notification_type stream = CONFD_NOTIF_STREAM_EVENT;

    CHECK(connect_with("< 0b" HELLO "\n" VERSION
                       "{ 6805" "6e040000200841" "62000003e8" "6100"
                       "6806" "77044ec38954"
                       "68026113" "680962000007ea610b6117610761326101620001e240"
                       "62fffffffb611e"
                       "68026113" "680962000007eb61016102610361046105610" "06a6100"
                       "6d000000022f78" "620000012c" "6100"
                       "6103\n" OK_ATOM,
                       CONFD_NOTIF_HEARTBEAT | stream | CONFD_NOTIF_PROGRESS |
                           CONFD_NOTIF_COMPACTION,
                       &data) == CONFD_OK);
    /* A stop without a start, verbosity without progress: neither is sent. */
    data.start_time.type = C_NOEXISTS;
    data.xpath_filter = NULL;
    CHECK(connect_with("< 0b" HELLO "\n" VERSION
                       "{ 6805" "6200080000" "6100" "6100"
                       "6806" "77044ec38954" UNDEFINED UNDEFINED UNDEFINED "620000012c" "6100"
                       "6100\n" OK_ATOM,
                       stream, &data) == CONFD_OK);
    data.start_time.type = (enum confd_vtype)0;
    expect_error(connect_with("< 0b" HELLO "\n" VERSION, stream, &data), CONFD_ERR_BADTYPE,
                 "Invalid confd_vtype value: 0");
    data.start_time.type = C_NOEXISTS;
    data.stream_name = (char *)(uintptr_t)(A64 A64 A64 A64);
    expect_error(connect_with("< 0b" HELLO "\n" VERSION, stream, &data), CONFD_ERR_INTERNAL,
                 "Bad term\n");
    data.heartbeat_interval = 0;
    CHECK(connect_with("< 0b" HELLO "\n" VERSION "{ 6805" "6200002000" "6100" "6100" UNDEFINED
                       "6100\n" OK_ATOM,
                       CONFD_NOTIF_HEARTBEAT, &data) == CONFD_OK);
}

static void refuses_locally(void)
{
    struct confd_notifications_data data = {.stream_name = NULL};
    struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};
    struct sockaddr *address = (struct sockaddr *)&nowhere;
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);

#define REFUSED(mask, data) confd_notifications_connect2(sock, address, sizeof nowhere, mask, data)
    expect_error(REFUSED(CONFD_NOTIF_HEARTBEAT, NULL), CONFD_ERR_PROTOUSAGE,
                 "Need heartbeat interval");
    expect_error(REFUSED(CONFD_NOTIF_HEALTH_CHECK, NULL), CONFD_ERR_PROTOUSAGE,
                 "Need health check interval");
    expect_error(REFUSED(CONFD_NOTIF_STREAM_EVENT, NULL), CONFD_ERR_PROTOUSAGE,
                 "Need notification stream info");
    expect_error(REFUSED(CONFD_NOTIF_STREAM_EVENT, &data), CONFD_ERR_PROTOUSAGE,
                 "Need notification stream name");
    expect_error(REFUSED(CONFD_NOTIF_AUDIT, NULL), CONFD_ERR_OS,
                 "Failed to connect to ConfD: No such file or directory");
    CHECK(errno == ENOENT);
    close(sock);
}

static void ignore(int signal)
{
    (void)signal;
}

/* The secret that confd_init() has read, if any; MD5(secret + 16 zero bytes)
 * comes from the caller. */
static void mode_secret(const char *digest)
{
    char script[600];

    if (digest == NULL) {
        CHECK(connect_with("< 0b" HELLO "\n" VERSION "{ " PLAIN "\n" OK_ATOM, CONFD_NOTIF_AUDIT,
                           NULL) == CONFD_OK);
        return;
    }
    unsetenv("CONFD_IPC_ACCESS_FILE"); /* too late */
    unsetenv("NCS_IPC_ACCESS_FILE");
    snprintf(script, sizeof script,
             "< 8b" HELLO "\n> 0b%032d\n< 0c%s\n> 00\n" VERSION "{ " PLAIN "\n" OK_ATOM,
             0, digest);
    CHECK(connect_with(script, CONFD_NOTIF_AUDIT, NULL) == CONFD_OK);
    snprintf(script, sizeof script, "< 8b" HELLO "\n> 0b%032d\n< 0c%s\n> 01\n", 0, digest);
    expect_error(connect_with(script, CONFD_NOTIF_AUDIT, NULL), CONFD_ERR_PROTOUSAGE,
                 "Access denied");
    expect_error(connect_with("< 8b" HELLO "\n" VERSION, CONFD_NOTIF_AUDIT, NULL),
                 CONFD_ERR_PROTOUSAGE, "Access check failed");
}

/* A namespace with the leaf /p:top/leaf, whose values 0 and 2 are "a" and "b". */
#define MAAPI "< 07" HELLO "\n" VERSION "< 00000004000000e8\n"

static void loads_schemas(void)
{
    struct daemon d;
    struct confd_cs_node *node;
    confd_value_t value = VALUE(C_ENUM_VALUE, enumvalue, 2), bits = VALUE(C_BIT32, b32, 5);
    char text[32];
    /* Garbage, an error, a node outside of any namespace, and one that is not there. */
    const char *refused[] = {
        MAAPI "} 616a\n",
        MAAPI "} 68036400056572726f7261126d000000026e6f\n",
        MAAPI "} "
              "68116400046e6f6465610161076101610061006101611c6101640001746400096e"
              "6f745f666f756e64610061006100610061006a\n",
        MAAPI "} "
              "6c0000000268046400026e736d0000000575726e3a706d00000001706101680264"
              "0004726f6f7461096a\n",
    };

    start(&d, MAAPI
              "} 6c00000007"
              "68046400026e736d0000000575726e3a706d00000001706101"
              "680664000474797065640004656e756d6400017461006400006c0000000268036d0000"
              "0001616100610068036d0000000162610261006a"
              "68116400046e6f6465610161076101610061006101611c6101640001746400096e6f74"
              "5f666f756e64610061006100610061006a"
              "68116400046e6f6465610261036101610061006101610261006400006400096e6f745f"
              "666f756e64620000010061016100610061006a"
              "6802640004726f6f746102"
              "6802640006706172656e746c000000016802610161026a"
              "640003656f66"
              "6a\n"
              "< 0000000400000108\n"
              "} 640003656f66\n"
              "< 00000004000000e7\n"
              "} 6c00000004"
              "6102"
              "68026d000000046c6561666107"
              "68026d00000003746f706103"
              "640003656f66"
              "6a\n");
    CHECK(confd_load_schemas((struct sockaddr *)&d.address, sizeof d.address) == CONFD_OK);
    finish(&d);
    CHECK(strcmp(confd_hash2str(7), "leaf") == 0 && confd_str2hash("top") == 3);
    CHECK(strcmp(confd_ns2prefix(1), "p") == 0 && confd_hash2str(8) == NULL);
    node = confd_cs_node_cd(NULL, "/p:%s/leaf", "top");
    CHECK(node != NULL && node->tag == 7 && node->ns == 1);
    CHECK(confd_val2str(node->info.type, &value, text, sizeof text) == 1 && text[0] == 'b');
    CHECK(confd_val2str(node->info.type, &bits, text, sizeof text) == 3);
    CHECK(strcmp(text, "a b") == 0);
    CHECK(confd_val2str(node->info.type, &bits, text, 3) == 3 && strcmp(text, "a ") == 0);
    value.val.enumvalue = 9;
    CHECK(confd_val2str(node->info.type, &value, text, sizeof text) == CONFD_ERR);
    prints_as(VALUE(C_XMLBEGIN, xmltag, {7, 1}), "leaf");
    prints_as(VALUE(C_IDENTITYREF, idref, {1, 3}), "top");
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        start(&d, refused[i]);
        expect_error(confd_load_schemas((struct sockaddr *)&d.address, sizeof d.address),
                     CONFD_ERR_INTERNAL, "schema");
        finish(&d);
    }
    CHECK(strcmp(confd_hash2str(7), "leaf") == 0);
}

/* Signals do not end a read, and a reset is an end like another. */

static void *write_late(void *argument)
{
    int sock = *(int *)argument;

    usleep(30000);
    write_all(sock, heartbeat, 6);
    usleep(30000);
    write_all(sock, heartbeat + 6, sizeof heartbeat - 6);
    return NULL;
}

static void reads_through_signals(void)
{
    const struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = ignore}; /* no SA_RESTART */
    struct confd_notification n;
    pthread_t writer;
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    pthread_create(&writer, NULL, write_late, &pair[1]);
    CHECK(read_one(pair[0], &n) == CONFD_OK && n.type == CONFD_NOTIF_HEARTBEAT);
    setitimer(ITIMER_REAL, &never, NULL);
    pthread_join(writer, NULL);
    write_all(pair[0], "unread", 6);
    close(pair[1]);
    expect_error(read_one(pair[0], &n), CONFD_ERR_EOF, "EOF on socket to ConfD");
    close(pair[0]);
}

static void mode_connect(void)
{
    connects();
    connects_with_data();
    refuses_locally();
    loads_schemas();
    reads_through_signals();
    CHECK(confd_stub_live_allocations() == 0);
}

/* Acknowledgements */

static void sends(int result, int sock, const char *hex)
{
    unsigned char wanted[512];

    CHECK_FOR(result == CONFD_OK, hex);
    CHECK_FOR(receives(sock, wanted, frame_of(hex, wanted)), hex);
}

static void mode_acknowledge(void)
{
    struct confd_trans_ctx *tctx;
    struct confd_notification n;
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    sends(confd_sync_audit_notification(pair[0], 11), pair[1],
          "6802610b770673796e636564");
    sends(confd_sync_ha_notification(pair[0]), pair[1], "770968615f73796e636564");
    sends(ncs_sync_audit_network_notification(pair[0], 300), pair[1],
          "6802620000012c771261756469745f6e6574776f726b5f73796e63");
    for (size_t i = 0; i < frame_count; i++) { /* the commit diff */
        int sock = socket_with(frames[i].data, frames[i].size, false);
        CHECK(confd_read_notification(sock, &n) == CONFD_OK && is_commit_diff(&n));
        tctx = n.n.commit_diff.tctx;
        confd_free_notification(&n);
        CHECK(confd_stub_live_allocations() == 1);
        sends(confd_diff_notification_done(pair[0], tctx), pair[1],
              "6802614d7704646f6e65");
        CHECK(confd_stub_live_allocations() == 0);
        close(sock);
    }
    close(pair[1]);
    CHECK(confd_sync_ha_notification(pair[0]) == CONFD_ERR); /* confd_init() ignores SIGPIPE */
    CHECK(confd_errno == CONFD_ERR_EOF);
    CHECK(strcmp(confd_lasterr(), "Socket to ConfD is closed") == 0);
    CHECK(confd_sync_ha_notification(-1) == CONFD_ERR && confd_errno == CONFD_ERR_OS);
    CHECK(strcmp(confd_lasterr(), "Failed to write 16 bytes to ConfD: Bad file descriptor") == 0);
    close(pair[0]);
}

#endif

static void before_init(void)
{
    struct confd_notification n;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct sockaddr *srv = (struct sockaddr *)&address;

    CHECK(confd_read_notification(0, &n) == CONFD_ERR);
    CHECK(confd_errno == CONFD_ERR_LIB_NOT_INITIALIZED);
    CHECK(confd_notifications_connect(0, srv, sizeof address, CONFD_NOTIF_AUDIT) == CONFD_ERR);
    CHECK(confd_errno == CONFD_ERR_LIB_NOT_INITIALIZED);
    CHECK(confd_load_schemas(srv, sizeof address) == CONFD_ERR);
    CHECK(confd_sync_audit_notification(0, 1) == CONFD_ERR);
    CHECK(confd_sync_ha_notification(0) == CONFD_ERR);
    CHECK(confd_errno == CONFD_ERR_LIB_NOT_INITIALIZED);
}

static void run(const char *mode, char **arguments)
{
#if CONFD_API_LEVEL >= 82 && defined(CONFD_C_PRODUCT_NCS)
    if (strcmp(mode, "connect") == 0) {
        mode_connect();
        return;
    }
    if (strcmp(mode, "secret") == 0) {
        mode_secret(arguments[0]);
        return;
    }
#endif
    (void)arguments;
    load_frames();
    if (strcmp(mode, "read") == 0) {
        mode_read();
    } else if (strcmp(mode, "torture") == 0) {
        mode_torture();
    } else if (strcmp(mode, "values") == 0) {
        mode_values();
    } else if (strcmp(mode, "fields") == 0) {
        mode_fields();
#if CONFD_API_LEVEL >= 82 && defined(CONFD_C_PRODUCT_NCS)
    } else if (strcmp(mode, "acknowledge") == 0) {
        mode_acknowledge();
#endif
    }
    free_frames();
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "init") == 0) {
        confd_init_vsn_sz("check", stderr, CONFD_SILENT, atoi(argv[2]) + CONFD_LIB_API_VSN,
                          atoi(argv[3]) + MAXDEPTH, atoi(argv[4]) + MAXKEYLEN);
        return 0;
    }
    before_init();
    confd_init("check", stderr, CONFD_SILENT);
    run(argv[1], argv + 2);
    return failures > 0 ? 3 : 0;
}
