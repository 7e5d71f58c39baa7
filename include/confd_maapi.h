/* The management agent API, as far as it tells what a transaction changes. */
#ifndef CONFD_MAAPI_H
#define CONFD_MAAPI_H

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

/* After ITER_SUSPEND, maapi_diff_iterate_resume() goes on as with the reply given there. */
extern int maapi_diff_iterate(int sock, int thandle, maapi_diff_iterator *iter, int flags,
                              void *initstate);
extern int maapi_diff_iterate_resume(int sock, enum maapi_iter_ret reply,
                                     maapi_diff_iterator *iter, void *resumestate);

#ifdef __cplusplus
}
#endif
#endif
