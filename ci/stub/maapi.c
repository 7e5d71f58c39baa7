/* MAAPI, as far as it tells what a transaction changes. A request is a frame
 * of a number, most often the transaction's, and a term; the answer has the
 * number again and a term, or the number with its first bit set, a code and a
 * text. What is iterated over comes as bare terms. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <string.h>

#include "stub.h"

enum {
    START_SESSION = 100,
    START_TRANS = 140,
    FINISH_TRANS = 142,
    GET_ELEM = 166,
    DIFF_ITER = 183,
    ATTACH = 220,
    DETACH = 221,
    ERROR_FLAG = 1 << 31,
    KEY_ROOM = 1024,
    REQUEST_ROOM = 4096,
};

int maapi_connect(int sock, const struct sockaddr *srv, int srv_sz)
{
    int result = stub_require_init();

    return result == CONFD_OK ? stub_session_open(sock, srv, srv_sz, STUB_CLIENT_MAAPI) : result;
}

/* Requests */

static int send_numbers(int sock, const uint32_t *numbers, unsigned count)
{
    unsigned char data[4 + 4 * 4];
    struct stub_message m = {.data = data, .room = sizeof data};

    stub_put_word(&m, 4 * count);
    for (unsigned i = 0; i < count; i++) {
        stub_put_word(&m, numbers[i]);
    }
    return stub_write(sock, data, m.size);
}

/* The length stays to be written, by stub_message_send(). */
static void begin_request(struct stub_message *m, unsigned char *data, int operation)
{
    *m = (struct stub_message){.data = data, .room = REQUEST_ROOM};
    stub_put_word(m, 0);
    stub_put_word(m, (uint32_t)operation);
}

/* About a transaction. */
static void begin_request_on(struct stub_message *m, unsigned char *data, int operation,
                             int thandle)
{
    begin_request(m, data, operation);
    stub_put_word(m, (uint32_t)thandle);
    stub_put_version(m);
}

/* Answers */

static uint32_t word_of(const struct stub_frame *frame, size_t at)
{
    const unsigned char *b = frame->data + at;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void drop_bytes(struct stub_frame *frame, size_t size)
{
    frame->data += size;
    frame->size -= size;
}

/* A text with a NUL at its end, or a pair of that and a tag. */
static int refused(struct stub_frame *frame)
{
    struct stub_bytes why = {0};
    struct stub_term t;
    uint32_t code = word_of(frame, 4);
    const char *text;

    drop_bytes(frame, 8);
    if (frame->size > 0) {
        stub_term_open(&t, frame, "answer");
        if (stub_term_peek(&t) == TAG_SMALL_TUPLE) {
            stub_term_tuple(&t, "error");
        }
        why = stub_term_binary(&t, "error");
    }
    text = why.data == NULL ? "" : (const char *)why.data; /* a text of no bytes has no address */
    return stub_fail((int)code, "%.*s", (int)strnlen(text, why.size), text);
}

/* Leaves the answer's term, if there is one, in the frame. */
static int read_answer(int sock, int operation, struct stub_frame *frame)
{
    int result = stub_frame_read(sock, frame);
    uint32_t said;

    if (result != CONFD_OK) {
        return result;
    }
    said = frame->size >= 4 ? word_of(frame, 0) : 0;
    if (said == ((uint32_t)operation | (uint32_t)ERROR_FLAG) && frame->size >= 8) {
        return refused(frame);
    }
    if (said != (uint32_t)operation) {
        return stub_fail(CONFD_ERR_INTERNAL, "maapi.c(%d): Unexpected data on socket! %d %d",
                         __LINE__, operation, (int)said);
    }
    drop_bytes(frame, 4);
    return CONFD_OK;
}

static int await_answer(int sock, int operation)
{
    struct stub_frame frame;
    int result = read_answer(sock, operation, &frame);

    stub_frame_free(&frame);
    return result;
}

/* Attaching */

int maapi_attach2(int sock, int hashed_ns, int usid, int thandle)
{
    unsigned char data[REQUEST_ROOM];
    struct stub_message m;
    int result;

    if (thandle == -1) {
        return stub_fail(CONFD_ERR_NOEXISTS, "-1 is an invalid transaction handle");
    }
    begin_request_on(&m, data, ATTACH, thandle);
    stub_put_tuple(&m, 2);
    stub_put_int(&m, hashed_ns);
    stub_put_int(&m, usid);
    result = stub_message_send(sock, &m);
    return result == CONFD_OK ? await_answer(sock, ATTACH) : result;
}

int maapi_detach2(int sock, int thandle)
{
    int result = send_numbers(sock, (const uint32_t[]){DETACH, (uint32_t)thandle}, 2);

    return result == CONFD_OK ? await_answer(sock, DETACH) : result;
}

/* A session, and a transaction in it */

static void put_bytes(struct stub_message *m, const void *bytes, unsigned count)
{
    stub_put_tuple(m, count);
    for (unsigned i = 0; i < count; i++) {
        stub_put_int(m, ((const unsigned char *)bytes)[i]);
    }
}

static void put_ipv6(struct stub_message *m, const struct in6_addr *address)
{
    stub_put_tuple(m, 8);
    for (unsigned i = 0; i < 16; i += 2) {
        stub_put_int(m, address->s6_addr[i] << 8 | address->s6_addr[i + 1]);
    }
}

static void put_source(struct stub_message *m, const struct confd_ip *source, int port)
{
    stub_put_tuple(m, 2);
    if (source->af == AF_INET6) {
        put_ipv6(m, &source->ip.v6);
    } else {
        put_bytes(m, &source->ip.v4, 4);
    }
    stub_put_int(m, port);
}

static void put_groups(struct stub_message *m, const char **groups, int count)
{
    if (count > 0) {
        stub_put_list(m, (unsigned)count);
    }
    for (int i = 0; i < count; i++) {
        stub_put_binary(m, groups[i]);
    }
    stub_put_nil(m);
}

static void put_client(struct stub_message *m, const char *const names[4])
{
    stub_put_tuple(m, 4);
    for (int i = 0; i < 4; i++) {
        if (names[i] == NULL) {
            stub_put_atom(m, "undefined");
        } else {
            stub_put_binary(m, names[i]);
        }
    }
}

int maapi_start_user_session3(int sock, const char *username, const char *context,
                              const char **groups, int numgroups,
                              const struct confd_ip *src_addr, int src_port,
                              enum confd_proto prot, const char *vendor, const char *product,
                              const char *version, const char *client_id)
{
    unsigned char data[REQUEST_ROOM];
    struct stub_message m;
    int result;

    begin_request(&m, data, START_SESSION);
    stub_put_version(&m);
    stub_put_tuple(&m, 7);
    stub_put_binary(&m, username);
    put_source(&m, src_addr, src_port);
    stub_put_atom(&m, context);
    stub_put_int(&m, (int)prot);
    stub_put_atom(&m, "false");
    put_groups(&m, groups, numgroups);
    put_client(&m, (const char *const[]){vendor, product, version, client_id});
    result = stub_message_send(sock, &m);
    return result == CONFD_OK ? await_answer(sock, START_SESSION) : result;
}

static int read_thandle(int sock)
{
    struct stub_frame frame;
    struct stub_term t;
    int result = read_answer(sock, START_TRANS, &frame);

    if (result == CONFD_OK) {
        stub_term_open(&t, &frame, "transaction");
        result = stub_int(&t, "handle");
        stub_term_close(&t);
        result = t.failed ? CONFD_ERR : result;
    }
    stub_frame_free(&frame);
    return result;
}

int maapi_start_trans_flags2(int sock, enum confd_dbname dbname, enum confd_trans_mode readwrite,
                             int usid, int flags, const char *vendor, const char *product,
                             const char *version, const char *client_id)
{
    unsigned char data[REQUEST_ROOM];
    struct stub_message m;
    int result;

    begin_request(&m, data, START_TRANS);
    stub_put_version(&m);
    stub_put_tuple(&m, 6);
    stub_put_int(&m, (int)dbname);
    stub_put_int(&m, (int)readwrite);
    stub_put_int(&m, usid);
    stub_put_int(&m, flags);
    stub_put_int(&m, 0);
    put_client(&m, (const char *const[]){vendor, product, version, client_id});
    result = stub_message_send(sock, &m);
    return result == CONFD_OK ? read_thandle(sock) : result;
}

int maapi_finish_trans(int sock, int thandle)
{
    int result = send_numbers(sock, (const uint32_t[]){FINISH_TRANS, (uint32_t)thandle}, 2);

    return result == CONFD_OK ? await_answer(sock, FINISH_TRANS) : result;
}

/* Reading an element */

/* The namespace only where it changes. */
static void put_tag(struct stub_message *m, const struct xml_tag *tag, uint32_t *ns)
{
    if (tag->ns != *ns) {
        stub_put_list(m, 1);
        stub_put_long(m, tag->ns);
    }
    stub_put_long(m, tag->tag);
    *ns = tag->ns;
}

/* As a path has it: in quotes when it is empty or has one of these. */
static void put_text(struct stub_message *m, const char *text)
{
    char quoted[2 * KEY_ROOM + 3];
    char *to = quoted;

    if (text[0] != '\0' && strpbrk(text, " \b\t\n\v\f\r\"\\}") == NULL) {
        stub_put_binary(m, text);
        return;
    }
    *to++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            *to++ = '\\';
        }
        *to++ = *text;
    }
    *to++ = '"';
    *to = '\0';
    stub_put_binary(m, quoted);
}

/* Of what is neither text nor a small number, the real library sends the value; this one its text,
 * which a daemon takes for any type. */
static void put_key(struct stub_message *m, const confd_value_t *key)
{
    char text[KEY_ROOM];

    if (key->type == C_INT32) {
        stub_put_int(m, key->val.i32);
    } else if (key->type == C_BOOL) {
        stub_put_atom(m, key->val.boolean ? "true" : "false");
    } else {
        confd_pp_value(text, sizeof text, key);
        put_text(m, text);
    }
}

static void put_keys(struct stub_message *m, const confd_value_t keys[MAXKEYLEN])
{
    unsigned count = 0;

    while (count < MAXKEYLEN && keys[count].type != C_NOEXISTS) {
        count++;
    }
    stub_put_tuple(m, count);
    for (unsigned i = 0; i < count; i++) {
        put_key(m, &keys[i]);
    }
}

/* From the root down, unlike in memory. */
static void put_path(struct stub_message *m, const confd_hkeypath_t *path)
{
    uint32_t ns = 0;

    if (path->len > 0) {
        stub_put_list(m, (unsigned)path->len);
    }
    for (int i = path->len; i > 0; i--) {
        const confd_value_t *step = path->v[i - 1];
        if (step->type == C_XMLTAG) {
            put_tag(m, &step->val.xmltag, &ns);
        } else {
            put_keys(m, step);
        }
    }
    stub_put_nil(m);
}

static int read_element(int sock, confd_value_t *v)
{
    struct stub_frame frame;
    struct stub_term t;
    int result = read_answer(sock, GET_ELEM, &frame);

    if (result == CONFD_OK) {
        stub_term_open(&t, &frame, "element");
        stub_value(&t, v);
        stub_term_close(&t);
        if (t.failed) {
            confd_free_value(v);
            result = CONFD_ERR;
        }
    }
    stub_frame_free(&frame);
    return result;
}

/* Of all formats, "%h": a confd_hkeypath_t. */
int maapi_get_elem(int sock, int thandle, confd_value_t *v, const char *fmt, ...)
{
    unsigned char data[REQUEST_ROOM];
    struct stub_message m;
    va_list args;
    int result;

    if (strcmp(fmt, "%h") != 0) {
        return stub_fail(CONFD_ERR_NOT_IMPLEMENTED, "Paths as text are not implemented");
    }
    begin_request_on(&m, data, GET_ELEM, thandle);
    va_start(args, fmt);
    put_path(&m, va_arg(args, const confd_hkeypath_t *));
    va_end(args);
    result = stub_message_send(sock, &m);
    return result == CONFD_OK ? read_element(sock, v) : result;
}

/* Iterating. A change is {Path, Operation, Old, New}. */

struct change {
    confd_hkeypath_t path;
    int operation;
    confd_value_t old;
    confd_value_t new[MAXKEYLEN]; /* more than one for a move, and for an attribute */
};

static void begin_change(struct change *change)
{
    change->path.len = 0;
    change->old.type = C_NOEXISTS;
    for (int i = 0; i < MAXKEYLEN; i++) {
        change->new[i].type = C_NOEXISTS;
    }
}

static bool is_absent(struct stub_term *t)
{
    return stub_term_take_atom(t, "undefined");
}

static void read_new(struct stub_term *t, struct change *change)
{
    unsigned count = 1;

    if (change->operation == MOP_MOVED_AFTER || change->operation == MOP_ATTR_SET) {
        count = stub_term_tuple(t, "new value");
    }
    if (count >= MAXKEYLEN) {
        stub_term_fail(t, "new value", "%u keys are too many", count);
    }
    for (unsigned i = 0; i < count && !t->failed; i++) {
        stub_value(t, &change->new[i]);
    }
    if (change->operation == MOP_ATTR_SET && change->new[0].type == C_INT32) {
        change->new[0] = (confd_value_t){.type = C_UINT32,
                                         .val.u32 = (uint32_t)change->new[0].val.i32};
    }
}

static void read_change(struct stub_term *t, struct change *change)
{
    stub_term_tuple_of(t, "change", 4);
    stub_path(t, &change->path);
    change->operation = stub_int(t, "operation");
    if (!is_absent(t)) {
        stub_value(t, &change->old);
    }
    if (!is_absent(t)) {
        read_new(t, change);
    }
}

static void free_change(struct change *change)
{
    stub_path_free(&change->path);
    confd_free_value(&change->old);
    for (int i = 0; i < MAXKEYLEN; i++) {
        confd_free_value(&change->new[i]);
    }
}

static confd_value_t *or_null(confd_value_t *v)
{
    return v->type != C_NOEXISTS ? v : NULL;
}

static enum maapi_iter_ret report(struct change *change, maapi_diff_iterator *iter, void *state)
{
    return iter(&change->path, (enum maapi_iter_op)change->operation, or_null(&change->old),
                or_null(&change->new[0]), state);
}

/* {return}, or {error} or {badstate} with or without a text. */
static bool is_end(struct stub_term *t, int *result)
{
    struct stub_term ahead = *t;
    unsigned arity = stub_term_peek(t) == TAG_SMALL_TUPLE ? stub_term_tuple(&ahead, "change") : 0;
    struct stub_bytes why = {0};
    int code;

    if (arity == 1 && stub_term_take_atom(&ahead, "return")) {
        *result = CONFD_OK;
        return true;
    }
    if ((arity != 1 && arity != 2) || !stub_term_at_atom(&ahead)) {
        return false;
    }
    code = stub_term_take_atom(&ahead, "error") ? CONFD_ERR_NOEXISTS : CONFD_ERR_BADSTATE;
    if (code == CONFD_ERR_BADSTATE && !stub_term_take_atom(&ahead, "badstate")) {
        return false;
    }
    if (arity == 2) {
        why = stub_term_binary(&ahead, "error");
    }
    *result = stub_fail(code, "%.*s", (int)why.size, (const char *)why.data);
    return true;
}

/* One step: what is read, and what the iterator says of it; 0 at the end. */
static int step(int sock, maapi_diff_iterator *iter, void *state, int *result)
{
    struct stub_frame frame;
    struct stub_term t;
    int reply = 0;

    *result = stub_frame_read(sock, &frame);
    if (*result == CONFD_OK) {
        stub_term_open(&t, &frame, "change");
        if (!is_end(&t, result)) {
            struct change change;
            begin_change(&change);
            read_change(&t, &change);
            stub_term_close(&t);
            *result = t.failed ? CONFD_ERR : CONFD_OK;
            reply = t.failed ? 0 : (int)report(&change, iter, state);
            free_change(&change);
        }
    }
    stub_frame_free(&frame);
    return reply;
}

static int iterate(int sock, int reply, maapi_diff_iterator *iter, void *state)
{
    int result = CONFD_OK;

    while (result == CONFD_OK) {
        if (reply != 0) {
            result = send_numbers(sock, (const uint32_t[]){(uint32_t)reply}, 1);
        }
        if (result != CONFD_OK || reply == ITER_STOP) {
            return result;
        }
        reply = step(sock, iter, state, &result);
        if (reply == 0 || reply == ITER_SUSPEND) {
            return result;
        }
    }
    return result;
}

int maapi_diff_iterate(int sock, int thandle, maapi_diff_iterator *iter, int flags, void *initstate)
{
    const uint32_t request[] = {DIFF_ITER, (uint32_t)thandle, 0, (uint32_t)flags};
    int result = send_numbers(sock, request, 4);

    return result == CONFD_OK ? iterate(sock, 0, iter, initstate) : result;
}

int maapi_diff_iterate_resume(int sock, enum maapi_iter_ret reply, maapi_diff_iterator *iter,
                              void *resumestate)
{
    return iterate(sock, (int)reply, iter, resumestate);
}
