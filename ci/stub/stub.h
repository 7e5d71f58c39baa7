/* What the rooms of the stub libconfd share. Nothing here is exported. */
#ifndef STUB_H
#define STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "confd_dp.h"
#include "confd_events.h"
#include "confd_lib.h"
#include "confd_maapi.h"

#define STUB_PRINTF(text, first) __attribute__((format(printf, text, first)))

/* Exported, and as with the vendor in no header. */
extern char *confd_lib_vsn;
extern char *confd_lib_api_vsn;
extern char *confd_lib_proto_vsn;

/* ConfD's library has it, too; its header declares it for NSO alone. */
#if CONFD_API_LEVEL >= 80
extern int ncs_sync_audit_network_notification(int sock, int usid);
#endif

/* For the tests; declared here because no header of the SDK may have them. */
extern long confd_stub_live_allocations(void);
extern void confd_stub_fail_allocation(long nth);

/* errors.c: each records the calling thread's last error and returns CONFD_ERR. */
extern int stub_fail(int code, const char *format, ...) STUB_PRINTF(2, 3);
extern int stub_fail_os(const char *doing);
extern int stub_fail_eof(void); /* returns CONFD_EOF */

/* version.c */
extern int stub_require_init(void);

/* lock.c: of what memory.c does; names and arguments as in the vendor's. */
extern void *const stub_allocator;
extern int ei_mutex_lock(void *lock, int at_once);
extern int ei_mutex_unlock(void *lock);

/* memory.c: NULL means that CONFD_ERR_MALLOC has been recorded. */
extern void *stub_alloc(size_t size);
extern void *stub_alloc_zeroed(size_t count, size_t size);
extern void *stub_keep(size_t count, size_t size);
extern void *stub_resize(void *old, size_t size);
extern void stub_free(void *memory);

/* socket.c: CONFD_OK, CONFD_ERR or CONFD_EOF. */
extern int stub_connect(int sock, const struct sockaddr *srv, int srv_sz);
extern int stub_write(int sock, const void *data, size_t size);
extern int stub_read(int sock, void *to, size_t size);

/* frame.c: one incoming message. Small ones never touch the heap. */
struct stub_frame {
    const unsigned char *data;
    size_t size;
    unsigned char *heap;
    unsigned char small[4096];
};
extern int stub_frame_read(int sock, struct stub_frame *frame);
extern void stub_frame_free(struct stub_frame *frame);

/* Tags of the external term format, for the reader and the writer. */
enum stub_tag {
    TAG_NEW_FLOAT = 70,
    TAG_SMALL_INTEGER = 97,
    TAG_INTEGER = 98,
    TAG_FLOAT = 99,
    TAG_ATOM = 100,
    TAG_SMALL_TUPLE = 104,
    TAG_LARGE_TUPLE = 105,
    TAG_NIL = 106,
    TAG_STRING = 107,
    TAG_LIST = 108,
    TAG_BINARY = 109,
    TAG_SMALL_BIG = 110,
    TAG_LARGE_BIG = 111,
    TAG_SMALL_ATOM = 115,
    TAG_ATOM_UTF8 = 118,
    TAG_SMALL_ATOM_UTF8 = 119,
    TAG_VERSION = 131,
};

/* encode.c: one outgoing message in a buffer of the caller's. */
struct stub_message {
    unsigned char *data;
    size_t size;
    size_t room;
};
extern void stub_message_begin(struct stub_message *m, unsigned char *data, size_t room);
extern void stub_put_word(struct stub_message *m, uint32_t number);
extern void stub_put_version(struct stub_message *m);
extern void stub_put_tuple(struct stub_message *m, unsigned arity);
extern void stub_put_nil(struct stub_message *m);
extern void stub_put_list(struct stub_message *m, unsigned count);
extern void stub_put_int(struct stub_message *m, int number);
extern void stub_put_long(struct stub_message *m, int64_t number);
extern void stub_put_atom(struct stub_message *m, const char *name);
extern void stub_put_binary(struct stub_message *m, const char *text);
extern int stub_message_send(int sock, struct stub_message *m);

/* term.c: reads a term piece by piece. The first thing that is wrong becomes
 * the thread's last error; every later read then yields zero or nothing, so a
 * decoder runs to its end and leaves a struct that can be released. */
struct stub_term {
    const unsigned char *at;
    size_t left;
    size_t raw; /* bytes of a STRING not yet read as integers */
    int depth;
    bool failed;
    const char *what; /* the notification, for error texts */
    unsigned arity; /* of its outermost tuple */
};
struct stub_bytes {
    const unsigned char *data;
    size_t size;
};
struct stub_number { /* of -2^63 to 2^64-1 */
    uint64_t bits; /* of the number in two's complement */
    bool is_int32;
    bool is_uint32;
};
struct stub_list {
    unsigned count;
    bool has_tail;
};
extern void stub_term_open(struct stub_term *t, const struct stub_frame *frame, const char *what);
extern void stub_term_close(struct stub_term *t);
extern void stub_term_fail(struct stub_term *t, const char *field, const char *format, ...)
    STUB_PRINTF(3, 4);
extern void stub_term_stop(struct stub_term *t); /* the error is recorded already */
extern void *stub_term_alloc(struct stub_term *t, size_t count, size_t size);
extern void *stub_term_keep(struct stub_term *t, size_t count, size_t size);
extern int stub_term_peek(const struct stub_term *t);
extern bool stub_term_at_atom(const struct stub_term *t);
extern bool stub_term_take_atom(struct stub_term *t, const char *name);
extern int64_t stub_term_int(struct stub_term *t, const char *field, int64_t min, int64_t max);
extern uint64_t stub_term_uint(struct stub_term *t, const char *field, uint64_t max);
extern struct stub_number stub_term_number(struct stub_term *t, const char *field);
extern double stub_term_double(struct stub_term *t, const char *field);
extern struct stub_bytes stub_term_atom(struct stub_term *t, const char *field);
extern struct stub_bytes stub_term_binary(struct stub_term *t, const char *field);
extern unsigned stub_term_tuple(struct stub_term *t, const char *field);
extern bool stub_term_tuple_of(struct stub_term *t, const char *field, unsigned arity);
extern unsigned stub_term_tuple_from(struct stub_term *t, const char *field, unsigned fewest);
extern struct stub_list stub_term_list(struct stub_term *t, const char *field,
                                       size_t smallest_element);
extern void stub_term_list_end(struct stub_term *t, const char *field, struct stub_list list);
extern void stub_term_skip(struct stub_term *t, const char *field);
extern void stub_term_skip_further(struct stub_term *t, const char *field, unsigned terms);

/* fields.c: what several notifications have. */
extern uint32_t stub_word(struct stub_term *t, const char *field);
extern int stub_int(struct stub_term *t, const char *field);
extern uint16_t stub_port(struct stub_term *t);
extern uint64_t stub_u64(struct stub_term *t, const char *field);
extern bool stub_is_lost(struct stub_number number);
extern uint64_t stub_u64_or_lost(struct stub_term *t, const char *field);
extern char *stub_text(struct stub_term *t, const char *field);
extern char *stub_optional_text(struct stub_term *t, const char *field);
extern void stub_text_array(struct stub_term *t, const char *field, char *to, size_t size);
extern void stub_optional_array(struct stub_term *t, const char *field, char *to, size_t size);
extern void stub_octets(struct stub_term *t, const char *field, unsigned arity,
                        unsigned char *to);
extern int stub_ip(struct stub_term *t, const char *field, void *to);
extern void stub_oid(struct stub_term *t, const char *field, struct confd_snmp_oid *oid);
extern void stub_zone(struct stub_term *t, const char *field, int8_t *hours, int8_t *minutes);
extern void stub_datetime(struct stub_term *t, const char *field, struct confd_datetime *time);
extern void stub_datetime_fields(struct stub_term *t, const char *field,
                                 struct confd_datetime *time);
extern void stub_uinfo(struct stub_term *t, struct confd_user_info *uinfo);

/* value_read.c; what is left in a value or in a path can always be released. */
extern void stub_value(struct stub_term *t, confd_value_t *v);
extern void stub_path(struct stub_term *t, confd_hkeypath_t *path);

/* value.c: what the path has, not the path. */
extern void stub_path_free(confd_hkeypath_t *path);

/* Notification kinds: a decoder fills the struct, a release frees what it
 * allocated, also after a failure half-way. */
typedef void stub_decoder(struct stub_term *t, struct confd_notification *n);
typedef void stub_release(struct confd_notification *n);
extern stub_decoder stub_decode_audit, stub_decode_syslog, stub_decode_nothing;
extern stub_decoder stub_decode_user_session, stub_decode_subagent, stub_decode_forward;
extern stub_decoder stub_decode_upgrade, stub_decode_compaction;
extern stub_decoder stub_decode_commit_simple, stub_decode_commit_diff;
extern stub_decoder stub_decode_commit_failed, stub_decode_confirmed_commit;
extern stub_decoder stub_decode_ha, stub_decode_snmpa, stub_decode_progress;
extern stub_decoder stub_decode_stream, stub_decode_cq, stub_decode_call_home;
extern stub_decoder stub_decode_audit_network;
extern stub_release stub_release_ha, stub_release_snmpa;
extern stub_release stub_release_progress, stub_release_stream, stub_release_cq;
extern stub_release stub_release_call_home, stub_release_audit_network;

/* schema.c: the labels of an enumeration, or of bits by their position. */
struct stub_label {
    int64_t number;
    char *text;
};
struct confd_type {
    size_t count;
    struct stub_label *labels;
};

extern bool stub_schema_is_loaded(void);

/* session.c: connects, says hello as this kind of client and checks the
 * versions. */
enum stub_client {
    STUB_CLIENT_MAAPI = 7,
    STUB_CLIENT_EVENTS = 11,
};
extern int stub_session_open(int sock, const struct sockaddr *srv, int srv_sz,
                             enum stub_client client);

/* md5.c */
struct stub_md5 {
    uint32_t state[4];
    uint64_t size;
    unsigned char block[64];
};
extern void stub_md5_begin(struct stub_md5 *md5);
extern void stub_md5_add(struct stub_md5 *md5, const void *data, size_t size);
extern void stub_md5_end(struct stub_md5 *md5, unsigned char digest[16]);

/* access.c: proof that the client knows the daemon's secret, if there is one. */
extern void stub_secret_load(void);
extern bool stub_secret_is_known(void);
extern int stub_secret_prove(int sock);

#endif
