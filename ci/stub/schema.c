/* Names of tags, namespaces and enumeration values, as MAAPI gives them. What
 * is loaded, once published, is never changed or freed: callers keep pointers
 * into it, and other threads read it without a lock. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stub.h"

enum { LOAD_HASH_DB = 231, LOAD_ALL_NS = 232, LOAD_MNS_MAPS = 264 };

struct name {
    uint32_t hash;
    char *text;
};

/* A node's number is the daemon's, and good within its namespace. */
struct node {
    struct confd_cs_node cs;
    uint32_t number;
    struct node *previous;
};

struct named_type {
    struct confd_type type;
    uint32_t ns;
    char *name;
    struct named_type *previous;
};

struct namespace {
    uint32_t hash;
    char *prefix;
    struct node *nodes;
    struct confd_cs_node *top;
    struct namespace *previous;
};

struct schema {
    struct namespace *namespaces;
    struct named_type *types;
    struct name *names; /* sorted by hash */
    size_t name_count;
    size_t name_room;
    struct schema *previous; /* keeps older tables reachable */
};

static struct schema *_Atomic current;

/* An answer: frames with one term each, or a list of them, until "eof". */
struct answer {
    struct schema *schema;
    struct stub_term term;
    bool ended;
};

typedef void read_item(struct answer *a);

/* Reading terms. What is kept is not counted as allocations: nobody can
 * release it. */

static char *keep_text(struct stub_term *t, const char *field)
{
    struct stub_bytes bytes =
        stub_term_at_atom(t) ? stub_term_atom(t, field) : stub_term_binary(t, field);
    char *text = stub_term_keep(t, bytes.size + 1, 1);

    if (text != NULL && bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    return text;
}

static uint32_t read_hash(struct stub_term *t, const char *field)
{
    return (uint32_t)stub_term_uint(t, field, UINT32_MAX);
}

static void skip(struct stub_term *t, int count)
{
    while (count-- > 0) {
        stub_term_skip(t, "schema");
    }
}

/* Namespaces: {ns, Uri, Prefix, Hash} and, where known, revision and module. */

static void read_namespace(struct answer *a, unsigned arity)
{
    struct namespace *ns = stub_term_keep(&a->term, 1, sizeof *ns);

    skip(&a->term, 1);
    if (ns == NULL) {
        return;
    }
    ns->previous = a->schema->namespaces;
    a->schema->namespaces = ns;
    ns->prefix = keep_text(&a->term, "prefix");
    ns->hash = read_hash(&a->term, "namespace");
    skip(&a->term, (int)arity - 4);
}

/* Types: {type, Derivation, Name, BaseNs, Base, Labels}; only those of an
 * enumeration are of use here. */

static void read_labels(struct stub_term *t, struct confd_type *type)
{
    struct stub_list list = stub_term_list(t, "labels", 11);

    type->labels = stub_term_keep(t, list.count, sizeof *type->labels);
    type->count = type->labels != NULL ? list.count : 0;
    for (size_t i = 0; i < type->count && !t->failed; i++) {
        stub_term_tuple_of(t, "label", 3);
        type->labels[i].text = keep_text(t, "label");
        type->labels[i].number = stub_term_int(t, "label", INT32_MIN, INT32_MAX);
        skip(t, 1);
    }
    stub_term_list_end(t, "labels", list);
}

static void read_type(struct answer *a, unsigned arity)
{
    struct named_type *type;

    if (!stub_term_take_atom(&a->term, "enum")) {
        skip(&a->term, (int)arity - 1);
        return;
    }
    type = stub_term_keep(&a->term, 1, sizeof *type);
    if (type == NULL) {
        return;
    }
    type->previous = a->schema->types;
    a->schema->types = type;
    type->ns = a->schema->namespaces->hash;
    type->name = keep_text(&a->term, "type");
    skip(&a->term, 2);
    read_labels(&a->term, &type->type);
}

static struct confd_type *find_type(const struct schema *schema, uint32_t ns, const char *name)
{
    for (struct named_type *type = schema->types; type != NULL; type = type->previous) {
        if (type->ns == ns && strcmp(type->name, name) == 0) {
            return &type->type;
        }
    }
    return NULL;
}

/* Nodes: {node, Number, Tag, Ns, Keys, Min, Max, Shallow, TypeNs, Type,
 * Default, Flags, Child, Next, Choices, Compare, Meta}; those that a node
 * names by their numbers came before it, 0 is none. */

static struct confd_cs_node *node_of(struct answer *a, const char *field)
{
    uint32_t number = read_hash(&a->term, field);
    struct node *node = a->term.failed ? NULL : a->schema->namespaces->nodes;

    while (node != NULL && node->number != number) {
        node = node->previous;
    }
    if (node == NULL && number != 0) {
        stub_term_fail(&a->term, field, "there is no node %u", number);
    }
    return node != NULL ? &node->cs : NULL;
}

static struct confd_type *type_of(struct answer *a)
{
    uint32_t ns = read_hash(&a->term, "type");
    char *name = keep_text(&a->term, "type");
    struct confd_type *type = name != NULL ? find_type(a->schema, ns, name) : NULL;

    free(name);
    return type;
}

static void read_node(struct answer *a)
{
    struct node *node = stub_term_keep(&a->term, 1, sizeof *node);

    if (node == NULL) {
        return;
    }
    node->number = read_hash(&a->term, "node");
    node->cs.tag = read_hash(&a->term, "tag");
    node->cs.ns = read_hash(&a->term, "namespace");
    skip(&a->term, 4);
    node->cs.info.type = type_of(a);
    skip(&a->term, 2);
    node->cs.children = node_of(a, "child");
    node->cs.next = node_of(a, "next");
    skip(&a->term, 3);
    node->previous = a->schema->namespaces->nodes;
    a->schema->namespaces->nodes = node;
}

static void read_parents(struct answer *a)
{
    struct stub_list list = stub_term_list(&a->term, "parents", 6);

    for (unsigned i = 0; i < list.count && !a->term.failed; i++) {
        struct confd_cs_node *node;

        stub_term_tuple_of(&a->term, "parent", 2);
        node = node_of(a, "child");
        if (node != NULL) {
            node->parent = node_of(a, "parent");
        }
    }
    stub_term_list_end(&a->term, "parents", list);
}

static void read_model(struct answer *a)
{
    unsigned arity = stub_term_tuple(&a->term, "schema");
    bool inside = a->schema->namespaces != NULL;

    if (stub_term_take_atom(&a->term, "ns") && arity >= 4) {
        read_namespace(a, arity);
    } else if (inside && stub_term_take_atom(&a->term, "type") && arity >= 2) {
        read_type(a, arity);
    } else if (inside && arity == 17 && stub_term_take_atom(&a->term, "node")) {
        read_node(a);
    } else if (inside && arity == 2 && stub_term_take_atom(&a->term, "root")) {
        a->schema->namespaces->top = node_of(a, "root");
    } else if (inside && arity == 2 && stub_term_take_atom(&a->term, "parent")) {
        read_parents(a);
    } else if (!inside || arity != 1 || !stub_term_take_atom(&a->term, "notree")) {
        stub_term_fail(&a->term, "schema", "Bad schema data");
    }
}

static void read_mount(struct answer *a)
{
    stub_term_fail(&a->term, "mount", "Bad MNS_MAP data - invalid format");
}

/* Names: their number, then {Name, Hash} for each. */

static void read_name(struct answer *a)
{
    struct schema *schema = a->schema;

    if (schema->names == NULL) {
        schema->name_room = read_hash(&a->term, "Bad HASH_DB size");
        /* More than a frame can hold is not believed. */
        if (schema->name_room > UINT16_MAX * 64) {
            stub_term_fail(&a->term, "names", "Bad HASH_DB size");
        }
        schema->names = stub_term_keep(&a->term, schema->name_room + 1, sizeof *schema->names);
    } else if (schema->name_count == schema->name_room) {
        stub_term_fail(&a->term, "names", "Too many HASH_DB items");
    } else if (stub_term_tuple_of(&a->term, "Bad HASH_DB data", 2)) {
        struct name *name = &schema->names[schema->name_count++];
        name->text = keep_text(&a->term, "name");
        name->hash = read_hash(&a->term, "name");
    }
}

static int by_hash(const void *a, const void *b)
{
    uint32_t x = ((const struct name *)a)->hash, y = ((const struct name *)b)->hash;

    return (x > y) - (x < y);
}

/* Only for a table that has never been published. */

static void free_namespaces(struct namespace *ns)
{
    while (ns != NULL) {
        struct namespace *previous = ns->previous;
        while (ns->nodes != NULL) {
            struct node *node = ns->nodes;
            ns->nodes = node->previous;
            free(node);
        }
        free(ns->prefix);
        free(ns);
        ns = previous;
    }
}

static void free_types(struct named_type *type)
{
    while (type != NULL) {
        struct named_type *previous = type->previous;
        for (size_t i = 0; i < type->type.count; i++) {
            free(type->type.labels[i].text);
        }
        free(type->type.labels);
        free(type->name);
        free(type);
        type = previous;
    }
}

static void free_schema(struct schema *schema)
{
    free_namespaces(schema->namespaces);
    free_types(schema->types);
    for (size_t i = 0; i < schema->name_count; i++) {
        free(schema->names[i].text);
    }
    free(schema->names);
    free(schema);
}

static void publish(struct schema *schema)
{
    if (schema->name_count > 1) {
        qsort(schema->names, schema->name_count, sizeof *schema->names, by_hash);
    }
    schema->previous = atomic_load(&current);
    while (!atomic_compare_exchange_weak(&current, &schema->previous, schema)) {
    }
}

/* Fetching */

static void read_one(struct answer *a, read_item *read)
{
    if (stub_term_take_atom(&a->term, "eof")) {
        a->ended = true;
    } else {
        read(a);
    }
}

static void read_items(struct answer *a, read_item *read)
{
    int tag = stub_term_peek(&a->term);

    if (tag == TAG_LIST) {
        struct stub_list list = stub_term_list(&a->term, "list", 1);
        for (unsigned i = 0; i < list.count && !a->term.failed; i++) {
            read_one(a, read);
        }
        stub_term_list_end(&a->term, "list", list);
    } else {
        read_one(a, read);
    }
    stub_term_close(&a->term);
}

/* A request is a frame with a bare number. */
static int ask(int sock, struct schema *schema, int operation, read_item *read)
{
    unsigned char message[8] = {[3] = 4, [6] = (unsigned char)(operation >> 8),
                                [7] = (unsigned char)operation};
    struct answer a = {.schema = schema};
    int result = stub_write(sock, message, sizeof message);

    while (result == CONFD_OK && !a.ended) {
        struct stub_frame frame;
        result = stub_frame_read(sock, &frame);
        if (result == CONFD_OK) {
            stub_term_open(&a.term, &frame, "schemas");
            read_items(&a, read);
            result = a.term.failed ? CONFD_ERR : CONFD_OK;
        }
        stub_frame_free(&frame);
    }
    return result;
}

static int fetch(int sock, struct schema *schema)
{
    int result = ask(sock, schema, LOAD_ALL_NS, read_model);

    if (result == CONFD_OK) {
        result = ask(sock, schema, LOAD_MNS_MAPS, read_mount);
    }
    if (result == CONFD_OK) {
        result = ask(sock, schema, LOAD_HASH_DB, read_name);
    }
    return result;
}

int maapi_load_schemas(int sock)
{
    struct schema *schema = stub_keep(1, sizeof *schema);
    int result;

    if (schema == NULL) {
        return CONFD_ERR;
    }
    result = fetch(sock, schema);
    if (result == CONFD_OK) {
        publish(schema);
    } else {
        free_schema(schema);
    }
    return result;
}

int confd_load_schemas(const struct sockaddr *srv, int srv_sz)
{
    int sock, result;

    sock = socket(srv->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sock == -1) {
        return stub_fail_os("Failed to create maapi socket");
    }
    result = maapi_connect(sock, srv, srv_sz);
    if (result == CONFD_OK) {
        result = maapi_load_schemas(sock);
    }
    close(sock);
    return result;
}

/* Looking up */

bool stub_schema_is_loaded(void)
{
    return atomic_load(&current) != NULL;
}

char *confd_hash2str(u_int32_t hash)
{
    const struct schema *schema = atomic_load(&current);
    const struct name key = {.hash = hash};
    const struct name *found = NULL;

    if (schema != NULL && schema->name_count > 0) {
        found = bsearch(&key, schema->names, schema->name_count, sizeof key, by_hash);
    }
    return found != NULL ? found->text : NULL;
}

u_int32_t confd_str2hash(const char *str)
{
    const struct schema *schema = atomic_load(&current);

    for (size_t i = 0; schema != NULL && i < schema->name_count; i++) {
        if (strcmp(schema->names[i].text, str) == 0) {
            return schema->names[i].hash;
        }
    }
    return 0;
}

static const struct namespace *namespaces(void)
{
    const struct schema *schema = atomic_load(&current);

    return schema != NULL ? schema->namespaces : NULL;
}

char *confd_ns2prefix(u_int32_t ns)
{
    for (const struct namespace *n = namespaces(); n != NULL; n = n->previous) {
        if (n->hash == ns) {
            return n->prefix;
        }
    }
    return NULL;
}

/* A node of the namespace: paths here are absolute, so any will do to start from. */
struct confd_cs_node *confd_find_cs_root(u_int32_t ns)
{
    for (const struct namespace *n = namespaces(); n != NULL; n = n->previous) {
        if (n->hash == ns) {
            return n->top;
        }
    }
    return NULL;
}

/* One step of a path: a name, with or without a prefix. */
static struct confd_cs_node *find_step(struct confd_cs_node *node, const char *step)
{
    const char *colon = strchr(step, ':');
    const char *name = colon != NULL ? colon + 1 : step;

    for (; node != NULL; node = node->next) {
        const char *prefix = confd_ns2prefix(node->ns), *tag = confd_hash2str(node->tag);
        size_t size = (size_t)(name - step);
        if (tag != NULL && strcmp(tag, name) == 0 &&
            (colon == NULL || (prefix != NULL && strlen(prefix) + 1 == size &&
                               strncmp(prefix, step, size - 1) == 0))) {
            return node;
        }
    }
    return NULL;
}

static struct confd_cs_node *find_top(const char *step)
{
    struct confd_cs_node *found = NULL;

    for (const struct namespace *n = namespaces(); n != NULL && found == NULL; n = n->previous) {
        found = find_step(n->top, step);
    }
    return found;
}

static bool is_prefix(const char *step, size_t size)
{
    for (const struct namespace *n = namespaces(); n != NULL; n = n->previous) {
        if (strlen(n->prefix) == size && strncmp(n->prefix, step, size) == 0) {
            return true;
        }
    }
    return false;
}

static struct confd_cs_node *no_node(const char *step, bool at_top)
{
    const char *colon = strchr(step, ':');

    if (colon == NULL) {
        stub_fail(CONFD_ERR_BADPATH, at_top ? "no such top level tag: %s" : "no such tag: %s", step);
    } else if (is_prefix(step, (size_t)(colon - step))) {
        stub_fail(CONFD_ERR_BADPATH, "no such tag: %s", step);
    } else {
        stub_fail(CONFD_ERR_BADPATH, "no such prefix: %.*s", (int)(colon - step), step);
    }
    return NULL;
}

/* Cuts "path" into its steps. */
static struct confd_cs_node *find_node(char *path)
{
    struct confd_cs_node *node = NULL;
    char *rest = NULL;
    bool at_top = true;

    for (char *step = strtok_r(path, "/", &rest); step != NULL; step = strtok_r(NULL, "/", &rest)) {
        node = at_top ? find_top(step) : find_step(node->children, step);
        if (node == NULL) {
            return no_node(step, at_top);
        }
        at_top = false;
    }
    return at_top ? no_node("", true) : node;
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
    if (path[0] != '/') {
        stub_fail(start != NULL ? CONFD_ERR_NOT_IMPLEMENTED : CONFD_ERR_BADPATH,
                  start != NULL ? "Relative paths are not implemented"
                                : "path must be absolute when start is NULL");
        return NULL;
    }
    return find_node(path);
}
