/* The management agent API, as far as it tells what a transaction changes. */
#ifndef CONFD_MAAPI_H
#define CONFD_MAAPI_H

#include <stddef.h>

#include "confd_dp.h"
#include "confd_lib.h"

#ifdef __cplusplus
extern "C" {
#endif

enum maapi_iter_op {
    MOP_CREATED = 1,
    MOP_DELETED = 2,
    MOP_MODIFIED = 3,
    MOP_VALUE_SET = 4,
    MOP_MOVED_AFTER = 5,
    MOP_ATTR_SET = 6,
};

enum maapi_iter_ret {
    ITER_STOP = 1,
    ITER_RECURSE = 2,
    ITER_CONTINUE = 3,
    ITER_SUSPEND = 4,
    ITER_UP = 5,
};

#define ITER_WANT_ATTR (1 << 2)
#define ITER_WANT_P_CONTAINER (1 << 8)

typedef enum maapi_iter_ret maapi_diff_iterator(confd_hkeypath_t *kp, enum maapi_iter_op op,
                                                confd_value_t *oldv, confd_value_t *newv,
                                                void *state);

extern int maapi_connect(int sock, const struct sockaddr *srv, int srv_sz);
extern int maapi_load_schemas(int sock);
extern int maapi_attach2(int sock, int hashed_ns, int usid, int thandle);
extern int maapi_detach2(int sock, int thandle);
extern int maapi_get_elem(int sock, int thandle, confd_value_t *v, const char *fmt, ...);

/* A session and a transaction of the client's own. */
extern int maapi_start_user_session3(int sock, const char *username, const char *context,
                                     const char **groups, int numgroups,
                                     const struct confd_ip *src_addr, int src_port,
                                     enum confd_proto prot, const char *vendor,
                                     const char *product, const char *version,
                                     const char *client_id);
extern int maapi_start_trans_flags2(int sock, enum confd_dbname dbname,
                                    enum confd_trans_mode readwrite, int usid, int flags,
                                    const char *vendor, const char *product, const char *version,
                                    const char *client_id);
extern int maapi_finish_trans(int sock, int thandle);

#define maapi_start_user_session(sock, username, context, groups, numgroups, src_addr, prot)   \
    maapi_start_user_session3(sock, username, context, groups, numgroups, src_addr, 0, prot,   \
                              NULL, NULL, NULL, __FILE__)
#define maapi_start_trans(sock, dbname, readwrite)                                             \
    maapi_start_trans_flags2(sock, dbname, readwrite, 0, 0, NULL, NULL, NULL, __FILE__)

/* After ITER_SUSPEND, maapi_diff_iterate_resume() goes on as with the reply given there. */
extern int maapi_diff_iterate(int sock, int thandle, maapi_diff_iterator *iter, int flags,
                              void *initstate);
extern int maapi_diff_iterate_resume(int sock, enum maapi_iter_ret reply,
                                     maapi_diff_iterator *iter, void *resumestate);

#ifdef __cplusplus
}
#endif
#endif
