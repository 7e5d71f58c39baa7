/* Names of tags, namespaces and enumeration values. A table, once published,
 * is never changed or freed: callers keep pointers into it, and other threads
 * read it without a lock. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stub.h"

struct name {
    uint32_t hash;
    char *text;
};

struct node {
    struct confd_cs_node cs;
    struct confd_type type;
    char *path;
};

struct names {
    size_t count;
    struct name *all; /* sorted by hash */
};

struct schema {
    struct names prefixes;
    struct names tags;
    size_t node_count;
    struct node *nodes;
    struct schema *previous; /* keeps older tables reachable */
};

static struct schema *_Atomic current;

/* Reading the tables. Not counted as allocations: nobody can release them. */

static void *keep(struct stub_term *t, size_t count, size_t size)
{
    return count > 0 ? stub_term_keep(t, count, size) : NULL;
}

static char *keep_text(struct stub_term *t, const char *field)
{
    struct stub_bytes bytes = stub_term_binary(t, field);
    char *text = keep(t, bytes.size + 1, 1);

    if (text != NULL && bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    return text;
}

static int by_hash(const void *a, const void *b)
{
    uint32_t x = ((const struct name *)a)->hash, y = ((const struct name *)b)->hash;

    return (x > y) - (x < y);
}

static void read_names(struct stub_term *t, const char *field, struct names *names)
{
    struct stub_list list = stub_term_list(t, field, 9);

    names->all = keep(t, list.count, sizeof *names->all);
    names->count = names->all != NULL ? list.count : 0;
    for (size_t i = 0; i < names->count && !t->failed; i++) {
        stub_term_tuple_of(t, field, 2);
        names->all[i].hash = (uint32_t)stub_term_uint(t, field, UINT32_MAX);
        names->all[i].text = keep_text(t, field);
    }
    stub_term_list_end(t, field, list);
    if (names->count > 1) {
        qsort(names->all, names->count, sizeof *names->all, by_hash);
    }
}

static void read_labels(struct stub_term *t, struct confd_type *type)
{
    struct stub_list list = stub_term_list(t, "labels", 9);

    type->labels = keep(t, list.count, sizeof *type->labels);
    type->count = type->labels != NULL ? list.count : 0;
    for (size_t i = 0; i < type->count && !t->failed; i++) {
        stub_term_tuple_of(t, "labels", 2);
        type->labels[i].number = stub_term_int(t, "labels", INT64_MIN, INT64_MAX);
        type->labels[i].text = keep_text(t, "labels");
    }
    stub_term_list_end(t, "labels", list);
}

static void read_nodes(struct stub_term *t, struct schema *schema)
{
    struct stub_list list = stub_term_list(t, "nodes", 10);

    schema->nodes = keep(t, list.count, sizeof *schema->nodes);
    schema->node_count = schema->nodes != NULL ? list.count : 0;
    for (size_t i = 0; i < schema->node_count && !t->failed; i++) {
        struct node *node = &schema->nodes[i];
        stub_term_tuple_of(t, "nodes", 3);
        node->cs.ns = (uint32_t)stub_term_uint(t, "nodes", UINT32_MAX);
        node->path = keep_text(t, "nodes");
        read_labels(t, &node->type);
        node->cs.info.type = &node->type;
    }
    stub_term_list_end(t, "nodes", list);
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->all[i].text);
    }
    free(names->all);
}

static void free_node(struct node *node)
{
    for (size_t i = 0; i < node->type.count; i++) {
        free(node->type.labels[i].text);
    }
    free(node->type.labels);
    free(node->path);
}

/* Only for a table that has never been published. */
static void free_schema(struct schema *schema)
{
    free_names(&schema->prefixes);
    free_names(&schema->tags);
    for (size_t i = 0; i < schema->node_count; i++) {
        free_node(&schema->nodes[i]);
    }
    free(schema->nodes);
    free(schema);
}

static uint32_t hash_of(const struct schema *schema, const char *name)
{
    for (size_t i = 0; schema != NULL && i < schema->tags.count; i++) {
        if (strcmp(schema->tags.all[i].text, name) == 0) {
            return schema->tags.all[i].hash;
        }
    }
    return 0;
}

static void name_nodes(struct schema *schema)
{
    for (size_t i = 0; i < schema->node_count; i++) {
        const char *name = strrchr(schema->nodes[i].path, '/');
        name = name != NULL ? name + 1 : schema->nodes[i].path;
        const char *colon = strchr(name, ':');
        schema->nodes[i].cs.tag = hash_of(schema, colon != NULL ? colon + 1 : name);
    }
}

static void publish(struct schema *schema)
{
    schema->previous = atomic_load(&current);
    while (!atomic_compare_exchange_weak(&current, &schema->previous, schema)) {
    }
}

static int read_schema(const struct stub_frame *frame)
{
    struct stub_term t;
    struct schema *schema;

    stub_term_open(&t, frame, "schemas");
    stub_term_tuple_of(&t, "tuple", 4);
    if (!stub_term_take_atom(&t, "schemas")) {
        stub_term_fail(&t, "tuple", "expected the atom schemas");
    }
    schema = keep(&t, 1, sizeof *schema);
    if (schema == NULL) {
        return CONFD_ERR;
    }
    read_names(&t, "prefixes", &schema->prefixes);
    read_names(&t, "names", &schema->tags);
    read_nodes(&t, schema);
    stub_term_close(&t);
    if (t.failed) {
        free_schema(schema);
        return CONFD_ERR;
    }
    name_nodes(schema);
    publish(schema);
    return CONFD_OK;
}

/* Fetching */

static int fetch(int sock, const struct sockaddr *srv, int srv_sz)
{
    unsigned char buffer[32];
    struct stub_message m;
    struct stub_frame frame;
    int result = stub_session_open(sock, srv, srv_sz, STUB_CLIENT_SCHEMAS);

    if (result == CONFD_OK) {
        stub_message_begin(&m, buffer, sizeof buffer);
        stub_put_atom(&m, "schemas");
        result = stub_message_send(sock, &m);
    }
    if (result != CONFD_OK) {
        return result;
    }
    result = stub_frame_read(sock, &frame);
    if (result == CONFD_OK) {
        result = read_schema(&frame);
    }
    stub_frame_free(&frame);
    return result;
}

int confd_load_schemas(const struct sockaddr *srv, int srv_sz)
{
    int sock, result;

    if (stub_require_init() != CONFD_OK) {
        return CONFD_ERR;
    }
    sock = socket(srv->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sock == -1) {
        return stub_fail_os("Failed to create a socket");
    }
    result = fetch(sock, srv, srv_sz);
    close(sock);
    return result;
}

/* Looking up */

bool stub_schema_is_loaded(void)
{
    return atomic_load(&current) != NULL;
}

static char *find_name(const struct names *names, uint32_t hash)
{
    const struct name key = {.hash = hash};
    const struct name *found = NULL;

    if (names->count > 0) {
        found = bsearch(&key, names->all, names->count, sizeof key, by_hash);
    }
    return found != NULL ? found->text : NULL;
}

char *confd_hash2str(u_int32_t hash)
{
    const struct schema *schema = atomic_load(&current);

    return schema != NULL ? find_name(&schema->tags, hash) : NULL;
}

char *confd_ns2prefix(u_int32_t ns)
{
    const struct schema *schema = atomic_load(&current);

    return schema != NULL ? find_name(&schema->prefixes, ns) : NULL;
}

u_int32_t confd_str2hash(const char *str)
{
    return hash_of(atomic_load(&current), str);
}

static struct confd_cs_node *find_node(const char *path)
{
    const struct schema *schema = atomic_load(&current);

    for (size_t i = 0; schema != NULL && i < schema->node_count; i++) {
        if (strcmp(schema->nodes[i].path, path) == 0) {
            return &schema->nodes[i].cs;
        }
    }
    stub_fail(CONFD_ERR_BADPATH, "Bad path: %s", path);
    return NULL;
}

/* A node of the namespace: paths here are absolute, so any will do to start from. */
struct confd_cs_node *confd_find_cs_root(u_int32_t ns)
{
    const struct schema *schema = atomic_load(&current);

    for (size_t i = 0; schema != NULL && i < schema->node_count; i++) {
        if (schema->nodes[i].cs.ns == ns) {
            return &schema->nodes[i].cs;
        }
    }
    return NULL;
}

struct confd_cs_node *confd_cs_node_cd(const struct confd_cs_node *start, const char *fmt, ...)
{
    char path[4096];
    va_list args;
    int length;

    va_start(args, fmt);
    length = vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof path) {
        stub_fail(CONFD_ERR_BADPATH, "Path is too long");
        return NULL;
    }
    if (start != NULL && path[0] != '/') {
        stub_fail(CONFD_ERR_NOT_IMPLEMENTED, "Relative paths are not implemented");
        return NULL;
    }
    return find_node(path);
}
