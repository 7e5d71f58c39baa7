/* User sessions and transactions, as far as notifications refer to them. */
#ifndef CONFD_DP_H
#define CONFD_DP_H

#include "confd_lib.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MAXUSERNAMELEN 255
#define MAXCTXLEN 32

enum confd_dbname {
    CONFD_NO_DB = 0,
    CONFD_CANDIDATE = 1,
    CONFD_RUNNING = 2,
    CONFD_STARTUP = 3,
    CONFD_OPERATIONAL = 4,
    CONFD_TRANSACTION = 5,
    CONFD_PRE_COMMIT_RUNNING = 6,
    CONFD_INTENDED = 7,
};

enum confd_proto {
    CONFD_PROTO_UNKNOWN = 0,
    CONFD_PROTO_TCP = 1,
    CONFD_PROTO_SSH = 2,
    CONFD_PROTO_SYSTEM = 3,
    CONFD_PROTO_CONSOLE = 4,
    CONFD_PROTO_SSL = 5,
    CONFD_PROTO_HTTP = 6,
    CONFD_PROTO_HTTPS = 7,
    CONFD_PROTO_UDP = 8,
    CONFD_PROTO_TLS = 9,
};

enum confd_usess_lock_mode {
    CONFD_USESS_LOCK_MODE_NONE = 0,
    CONFD_USESS_LOCK_MODE_PRIVATE = 1,
    CONFD_USESS_LOCK_MODE_EXCLUSIVE = 2,
    CONFD_USESS_LOCK_MODE_SHARED = 3,
};

enum confd_trans_mode {
    CONFD_READ = 1,
    CONFD_READ_WRITE = 2,
};

enum confd_errcode { CONFD_ERRCODE_UNKNOWN = 0 };

struct confd_error {
    enum confd_errcode code;
    struct xml_tag apptag;
    char *str;
    void *info;
};

struct confd_daemon_ctx;
struct confd_tr_item;
struct confd_data_cbs;
struct confd_action_cbs;

struct confd_action_ctx {
    int fd;
    struct confd_daemon_ctx *dx;
    void *t_opaque;
    struct confd_error error;
    void *cb_opaque;
    int thandle;
    char *actionpoint_opaque;
    int state;
    int last_op;
    int seen_reply;
    void *rterm;
    int query_ref;
    struct confd_action_cbs *acb;
};

/* In confd_user_info.flags */
#define CONFD_USESS_FLAG_FORWARD 1
#define CONFD_USESS_FLAG_HAS_IDENTIFICATION 2
#define CONFD_USESS_FLAG_HAS_OPAQUE 4

struct confd_user_info {
    int af;
    union {
        struct in_addr v4;
        struct in6_addr v6;
    } ip;
    u_int16_t port;
    char username[MAXUSERNAMELEN];
    int usid;
    char context[MAXCTXLEN];
    enum confd_proto proto;
    struct confd_action_ctx actx;
    time_t logintime;
    enum confd_usess_lock_mode lmode;
    char snmp_v3_ctx[255];
    char clearpass[255];
    int flags;
    void *u_opaque;
    char *errstr;
    int refc;
};

union confd_request_data {
    struct {
        u_int32_t request_id;
    } snmp;
};

struct confd_trans_ctx {
    int fd;
    int vfd;
    struct confd_daemon_ctx *dx;
    enum confd_trans_mode mode;
    enum confd_dbname dbname;
    struct confd_user_info *uinfo;
    void *t_opaque;
    void *v_opaque;
    struct confd_error error;
    struct confd_tr_item *accumulated;
    int thandle;
    void *cb_opaque;
    void *vcb_opaque;
    int secondary_index;
    int validation_info;
    char *callpoint_opaque;
    char *validate_opaque;
    union confd_request_data request_data;
    int hide_inactive;
    int traversal_id;
    int cb_flags;
    int index;
    int lastop;
    int last_proto_op;
    int seen_reply;
    int query_ref;
    int in_num_instances;
    u_int32_t num_instances;
    long nextarg;
    int ntravid;
    struct confd_data_cbs *next_dcb;
    confd_hkeypath_t *next_kp;
    struct confd_tr_item *lastack;
    int refc;
    void *list_filter;
};

#ifdef __cplusplus
}
#endif
#endif
