/* Event notifications: what to subscribe to, what arrives, what to acknowledge. */
#ifndef CONFD_EVENTS_H
#define CONFD_EVENTS_H

#include "confd_dp.h"
#include "confd_lib.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Notification bits. From level 8.2 on they are 64-bit macros: bit 31 would
 * make an enumerator negative. */

#if CONFD_API_LEVEL >= 82

typedef int64_t confd_notification_type;

#define CONFD_NOTIF_BIT(n) ((confd_notification_type)1 << (n))
#define CONFD_NOTIF_AUDIT CONFD_NOTIF_BIT(0)
#define CONFD_NOTIF_DAEMON CONFD_NOTIF_BIT(1)
#define CONFD_NOTIF_TAKEOVER_SYSLOG CONFD_NOTIF_BIT(2)
#define CONFD_NOTIF_COMMIT_SIMPLE CONFD_NOTIF_BIT(3)
#define CONFD_NOTIF_COMMIT_DIFF CONFD_NOTIF_BIT(4)
#define CONFD_NOTIF_USER_SESSION CONFD_NOTIF_BIT(5)
#define CONFD_NOTIF_HA_INFO CONFD_NOTIF_BIT(6)
#define CONFD_NOTIF_SUBAGENT_INFO CONFD_NOTIF_BIT(7)
#define CONFD_NOTIF_COMMIT_FAILED CONFD_NOTIF_BIT(8)
#define CONFD_NOTIF_SNMPA CONFD_NOTIF_BIT(9)
#define CONFD_NOTIF_FORWARD_INFO CONFD_NOTIF_BIT(10)
#define CONFD_NOTIF_NETCONF CONFD_NOTIF_BIT(11)
#define CONFD_NOTIF_DEVEL CONFD_NOTIF_BIT(12)
#define CONFD_NOTIF_HEARTBEAT CONFD_NOTIF_BIT(13)
#define CONFD_NOTIF_CONFIRMED_COMMIT CONFD_NOTIF_BIT(14)
#define CONFD_NOTIF_UPGRADE_EVENT CONFD_NOTIF_BIT(15)
#define CONFD_NOTIF_COMMIT_PROGRESS CONFD_NOTIF_BIT(16)
#define CONFD_NOTIF_AUDIT_SYNC CONFD_NOTIF_BIT(17)
#define CONFD_NOTIF_HEALTH_CHECK CONFD_NOTIF_BIT(18)
#define CONFD_NOTIF_STREAM_EVENT CONFD_NOTIF_BIT(19)
#define CONFD_NOTIF_HA_INFO_SYNC CONFD_NOTIF_BIT(20)
#define CONFD_NOTIF_REOPEN_LOGS CONFD_NOTIF_BIT(23)
#define CONFD_NOTIF_PROGRESS CONFD_NOTIF_BIT(24)
#define CONFD_NOTIF_JSONRPC CONFD_NOTIF_BIT(26)
#define CONFD_NOTIF_WEBUI CONFD_NOTIF_BIT(27)
#define CONFD_NOTIF_COMPACTION CONFD_NOTIF_BIT(30)
#if CONFD_API_LEVEL >= 87
#define CONFD_NOTIF_SYSTEM_GOING_DOWN CONFD_NOTIF_BIT(31)
#endif
#ifdef CONFD_C_PRODUCT_NCS
#define NCS_NOTIF_PACKAGE_RELOAD CONFD_NOTIF_BIT(21)
#define NCS_NOTIF_CQ_PROGRESS CONFD_NOTIF_BIT(22)
#define NCS_NOTIF_CALL_HOME_INFO CONFD_NOTIF_BIT(25)
#define NCS_NOTIF_AUDIT_NETWORK CONFD_NOTIF_BIT(28)
#define NCS_NOTIF_AUDIT_NETWORK_SYNC CONFD_NOTIF_BIT(29)
#endif

#else

enum confd_notification_type {
    CONFD_NOTIF_AUDIT = 1 << 0,
    CONFD_NOTIF_DAEMON = 1 << 1,
    CONFD_NOTIF_TAKEOVER_SYSLOG = 1 << 2,
    CONFD_NOTIF_COMMIT_SIMPLE = 1 << 3,
    CONFD_NOTIF_COMMIT_DIFF = 1 << 4,
    CONFD_NOTIF_USER_SESSION = 1 << 5,
    CONFD_NOTIF_HA_INFO = 1 << 6,
    CONFD_NOTIF_SUBAGENT_INFO = 1 << 7,
    CONFD_NOTIF_COMMIT_FAILED = 1 << 8,
    CONFD_NOTIF_SNMPA = 1 << 9,
    CONFD_NOTIF_FORWARD_INFO = 1 << 10,
    CONFD_NOTIF_NETCONF = 1 << 11,
    CONFD_NOTIF_DEVEL = 1 << 12,
    CONFD_NOTIF_HEARTBEAT = 1 << 13,
    CONFD_NOTIF_CONFIRMED_COMMIT = 1 << 14,
    CONFD_NOTIF_UPGRADE_EVENT = 1 << 15,
    CONFD_NOTIF_COMMIT_PROGRESS = 1 << 16,
    CONFD_NOTIF_AUDIT_SYNC = 1 << 17,
    CONFD_NOTIF_HEALTH_CHECK = 1 << 18,
    CONFD_NOTIF_STREAM_EVENT = 1 << 19,
    CONFD_NOTIF_HA_INFO_SYNC = 1 << 20,
    NCS_NOTIF_PACKAGE_RELOAD = 1 << 21,
    NCS_NOTIF_CQ_PROGRESS = 1 << 22,
    CONFD_NOTIF_REOPEN_LOGS = 1 << 23,
#if CONFD_API_LEVEL >= 77
    CONFD_NOTIF_PROGRESS = 1 << 24,
    NCS_NOTIF_CALL_HOME_INFO = 1 << 25,
    CONFD_NOTIF_JSONRPC = 1 << 26,
    CONFD_NOTIF_WEBUI = 1 << 27,
#endif
#if CONFD_API_LEVEL >= 80
    NCS_NOTIF_AUDIT_NETWORK = 1 << 28,
    NCS_NOTIF_AUDIT_NETWORK_SYNC = 1 << 29,
#endif
};

#endif

#if CONFD_API_LEVEL == 66
typedef int confd_notification_type;
#elif CONFD_API_LEVEL < 82
typedef enum confd_notification_type confd_notification_type;
#endif

/* Older names for the daemon's own log. */
#define CONFD_NOTIF_SYSLOG CONFD_NOTIF_DAEMON
#define CONFD_NOTIF_SYSLOG_TAKEOVER (CONFD_NOTIF_DAEMON | CONFD_NOTIF_TAKEOVER_SYSLOG)

#define MAXAGENTNAMELEN 32
#define MAXTARGETNAMELEN 32
#define MAX_DAEMON_NAME_LEN 255
#define MAX_COMMENT_LEN 256
#define MAX_LABEL_LEN 256
#define MAX_TRACE_ID_LEN 65
#if CONFD_API_LEVEL >= 82
#define MAX_SPAN_ID_LEN 17
#endif

/* Log messages: CONFD_NOTIF_AUDIT and the syslog family */

struct confd_audit_notification {
    int logno;
    char user[MAXUSERNAMELEN];
    char msg[BUFSIZ];
    int usid;
};

struct confd_syslog_notification {
    int prio;
    int logno;
    char msg[BUFSIZ];
};

/* Commits: CONFD_NOTIF_COMMIT_SIMPLE, _COMMIT_DIFF, _COMMIT_FAILED, _CONFIRMED_COMMIT */

#define CONFD_NOTIF_COMMIT_FLAG_CONFIRMED (1 << 0)
#define CONFD_NOTIF_COMMIT_FLAG_CONFIRMED_EXTENDED (1 << 1)

struct confd_commit_notification {
    enum confd_dbname database;
    int diff_available;
    struct confd_user_info uinfo;
    int flags;
};

struct confd_commit_diff_notification {
    enum confd_dbname database;
    struct confd_user_info uinfo;
    struct confd_trans_ctx *tctx;
    int flags;
    char comment[MAX_COMMENT_LEN];
    char label[MAX_LABEL_LEN];
};

enum confd_data_provider {
    CONFD_DP_CDB = 1,
    CONFD_DP_NETCONF = 2,
    CONFD_DP_EXTERNAL = 3,
    CONFD_DP_SNMPGW = 4,
    CONFD_DP_JAVASCRIPT = 5,
};

struct confd_netconf_failed_commit {
    struct confd_ip ip;
    u_int16_t port;
};

struct confd_commit_failed_notification {
    enum confd_data_provider provider;
    enum confd_dbname dbname;
    union {
        struct confd_netconf_failed_commit nc;
        char daemon_name[MAX_DAEMON_NAME_LEN];
    } v;
};

enum confd_confirmed_commit_type {
    CONFD_CONFIRMED_COMMIT = 1,
    CONFD_CONFIRMING_COMMIT = 2,
    CONFD_ABORT_COMMIT = 3,
};

struct confd_confirmed_commit_notification {
    enum confd_confirmed_commit_type type;
    unsigned int timeout;
    struct confd_user_info uinfo;
};

/* User sessions: CONFD_NOTIF_USER_SESSION */

enum confd_user_sess_type {
    CONFD_USER_SESS_START = 1,
    CONFD_USER_SESS_STOP = 2,
    CONFD_USER_SESS_LOCK = 3,
    CONFD_USER_SESS_UNLOCK = 4,
    CONFD_USER_SESS_START_TRANS = 5,
    CONFD_USER_SESS_STOP_TRANS = 6,
};

struct confd_user_sess_notification {
    enum confd_user_sess_type type;
    struct confd_user_info uinfo;
    enum confd_dbname database;
};

/* High availability: CONFD_NOTIF_HA_INFO */

enum confd_ha_info_type {
#if CONFD_API_LEVEL >= 80
    CONFD_HA_INFO_NOPRIMARY = 1,
    CONFD_HA_INFO_SECONDARY_DIED = 2,
    CONFD_HA_INFO_SECONDARY_ARRIVED = 3,
    CONFD_HA_INFO_SECONDARY_INITIALIZED = 4,
    CONFD_HA_INFO_IS_PRIMARY = 5,
    CONFD_HA_INFO_BESECONDARY_RESULT = 7,
#endif
    CONFD_HA_INFO_IS_NONE = 6,
    CONFD_HA_INFO_NOMASTER = 1,
    CONFD_HA_INFO_SLAVE_DIED = 2,
    CONFD_HA_INFO_SLAVE_ARRIVED = 3,
    CONFD_HA_INFO_SLAVE_INITIALIZED = 4,
    CONFD_HA_INFO_IS_MASTER = 5,
    CONFD_HA_INFO_BESLAVE_RESULT = 7,
};

struct confd_ha_node {
    confd_value_t nodeid;
    int af; /* AF_INET, AF_INET6, or AF_UNSPEC when addr.str is set */
    union {
        struct in_addr ip4;
        struct in6_addr ip6;
        char *str;
    } addr;
    char buf[128];
    char addr_buf[128];
};

struct confd_ha_notification {
    enum confd_ha_info_type type;
    union {
#if CONFD_API_LEVEL >= 80
        int noprimary;
        struct confd_ha_node secondary_died;
        struct confd_ha_node secondary_arrived;
        int besecondary_result;
#endif
        int cdb_initialized_by_copy;
        int nomaster;
        struct confd_ha_node slave_died;
        struct confd_ha_node slave_arrived;
        int beslave_result;
    } data;
};

/* Other parts of the system: CONFD_NOTIF_SUBAGENT_INFO, _FORWARD_INFO,
 * _UPGRADE_EVENT, _COMPACTION */

enum confd_subagent_info_type {
    CONFD_SUBAGENT_INFO_UP = 1,
    CONFD_SUBAGENT_INFO_DOWN = 2,
};

struct confd_subagent_notification {
    enum confd_subagent_info_type type;
    char name[MAXAGENTNAMELEN];
};

enum confd_forward_info_type {
    CONFD_FORWARD_INFO_UP = 1,
    CONFD_FORWARD_INFO_DOWN = 2,
    CONFD_FORWARD_INFO_FAILED = 3,
};

struct confd_forward_notification {
    enum confd_forward_info_type type;
    char target[MAXTARGETNAMELEN];
    struct confd_user_info uinfo;
};

enum confd_upgrade_event_type {
    CONFD_UPGRADE_INIT_STARTED = 1,
    CONFD_UPGRADE_INIT_SUCCEEDED = 2,
    CONFD_UPGRADE_PERFORMED = 3,
    CONFD_UPGRADE_COMMITED = 4,
    CONFD_UPGRADE_ABORTED = 5,
};

struct confd_upgrade_notification {
    enum confd_upgrade_event_type event;
};

#if CONFD_API_LEVEL >= 82

enum confd_compaction_dbfile {
    CONFD_COMPACTION_A_CDB = 1,
    CONFD_COMPACTION_O_CDB = 2,
    CONFD_COMPACTION_S_CDB = 3,
};

enum confd_compaction_type {
    CONFD_COMPACTION_AUTOMATIC = 1,
    CONFD_COMPACTION_MANUAL = 2,
};

struct confd_compaction_notification {
    enum confd_compaction_dbfile dbfile;
    enum confd_compaction_type type;
    uint64_t fsize_start; /* bytes */
    uint64_t fsize_end;
    uint64_t fsize_last;
    uint64_t time_start; /* microseconds since the epoch */
    uint64_t duration; /* microseconds */
    unsigned int ntrans;
};

#endif

/* SNMP agent: CONFD_NOTIF_SNMPA */

enum confd_snmp_pdu_type {
    CONFD_SNMPA_PDU_V1TRAP = 1,
    CONFD_SNMPA_PDU_V2TRAP = 2,
    CONFD_SNMPA_PDU_INFORM = 3,
    CONFD_SNMPA_PDU_GET_RESPONSE = 4,
    CONFD_SNMPA_PDU_GET_REQUEST = 5,
    CONFD_SNMPA_PDU_GET_NEXT_REQUEST = 6,
    CONFD_SNMPA_PDU_REPORT = 7,
    CONFD_SNMPA_PDU_GET_BULK_REQUEST = 8,
    CONFD_SNMPA_PDU_SET_REQUEST = 9,
};

enum confd_snmp_var_type {
    CONFD_SNMP_VARIABLE = 1,
    CONFD_SNMP_OID = 2,
    CONFD_SNMP_COL_ROW = 3,
};

enum confd_snmp_type {
    CONFD_SNMP_NULL = 0,
    CONFD_SNMP_INTEGER = 1,
    CONFD_SNMP_Interger32 = 2,
    CONFD_SNMP_OCTET_STRING = 3,
    CONFD_SNMP_OBJECT_IDENTIFIER = 4,
    CONFD_SNMP_IpAddress = 5,
    CONFD_SNMP_Counter32 = 6,
    CONFD_SNMP_TimeTicks = 7,
    CONFD_SNMP_Opaque = 8,
    CONFD_SNMP_Counter64 = 9,
    CONFD_SNMP_Unsigned32 = 10,
};

struct confd_snmp_col_row {
    char column[256];
    struct confd_snmp_oid rowindex;
};

struct confd_snmp_varbind {
    enum confd_snmp_var_type type;
    union {
        char name[256];
        struct confd_snmp_oid oid;
        struct confd_snmp_col_row cr;
    } var;
    confd_value_t val;
    enum confd_snmp_type vartype;
};

struct confd_v1_trap_info {
    struct confd_snmp_oid enterprise;
    int generic_trap;
    int specific_trap;
    int time_stamp;
};

struct confd_snmpa_notification {
    enum confd_snmp_pdu_type pdu_type;
    int request_id;
    struct confd_ip ip;
    unsigned short port;
    int error_status;
    int error_index;
    int num_variables;
    struct confd_snmp_varbind *vb;
    struct confd_v1_trap_info *v1_trap; /* set for V1TRAP only */
};

/* Progress: CONFD_NOTIF_PROGRESS, _COMMIT_PROGRESS */

enum confd_progress_verbosity {
    CONFD_VERBOSITY_NORMAL = 0,
    CONFD_VERBOSITY_VERBOSE = 1,
    CONFD_VERBOSITY_VERY_VERBOSE = 2,
    CONFD_VERBOSITY_DEBUG = 3,
};

enum confd_progress_event_type {
    CONFD_PROGRESS_START = 1,
    CONFD_PROGRESS_STOP = 2,
    CONFD_PROGRESS_INFO = 3,
};

#if CONFD_API_LEVEL >= 82

enum confd_progress_attribute_type {
    CONFD_PROGRESS_ATTRIBUTE_STRING = 1,
    CONFD_PROGRESS_ATTRIBUTE_NUMBER = 2,
};

struct confd_progress_attribute {
    char *name;
    enum confd_progress_attribute_type type;
    union {
        char *string;
        unsigned long long number;
    } value;
};

struct confd_progress_link {
    char trace_id[MAX_TRACE_ID_LEN];
    char span_id[MAX_SPAN_ID_LEN];
};

struct confd_progress_notification {
    enum confd_progress_event_type type;
    unsigned long long timestamp; /* microseconds since the epoch */
    unsigned long long duration; /* microseconds, for CONFD_PROGRESS_STOP */
    char trace_id[MAX_TRACE_ID_LEN];
    char span_id[MAX_SPAN_ID_LEN];
    char parent_span_id[MAX_SPAN_ID_LEN];
    int usid;
    int tid;
    enum confd_dbname datastore;
    char *context;
    char *subsystem;
    char msg[BUFSIZ];
    char *annotation;
    int num_attributes;
    struct confd_progress_attribute *attributes;
    int num_links;
    struct confd_progress_link *links;
};

#elif CONFD_API_LEVEL >= 77

struct confd_progress_notification {
    enum confd_progress_event_type type;
    unsigned long long timestamp;
    unsigned long long duration;
    int usid;
    int tid;
    enum confd_dbname datastore;
    char *context;
    char trace_id[MAX_TRACE_ID_LEN];
    char *subsystem;
    char *phase;
    char msg[BUFSIZ];
    char *annotation;
#ifdef CONFD_C_PRODUCT_NCS
    char *service;
    char *service_phase;
    unsigned long long commit_queue_id;
    char *node;
    char *device;
    char *device_phase;
    char *package;
#endif
};

#else

struct confd_progress_notification {
    enum confd_dbname database;
    int usid;
    int thandle;
    char msg[BUFSIZ];
};

#endif

/* NETCONF and other event streams: CONFD_NOTIF_STREAM_EVENT */

enum confd_stream_notif_type {
    CONFD_STREAM_NOTIFICATION_EVENT = 1,
    CONFD_STREAM_NOTIFICATION_COMPLETE = 2,
    CONFD_STREAM_REPLAY_COMPLETE = 3,
    CONFD_STREAM_REPLAY_FAILED = 4,
};

struct confd_stream_notification {
    enum confd_stream_notif_type type;
    struct confd_datetime event_time;
    confd_tag_value_t *values;
    int nvalues;
    char *replay_error;
};

/* Commit queue: NCS_NOTIF_CQ_PROGRESS */

#if defined(CONFD_C_PRODUCT_NCS) || CONFD_API_LEVEL == 66

enum ncs_cq_progress_notif_type {
    NCS_CQ_ITEM_WAITING = 1,
    NCS_CQ_ITEM_EXECUTING = 2,
    NCS_CQ_ITEM_LOCKED = 3,
    NCS_CQ_ITEM_COMPLETED = 4,
    NCS_CQ_ITEM_FAILED = 5,
    NCS_CQ_ITEM_DELETED = 6,
};

struct ncs_cq_progress_notification {
    enum ncs_cq_progress_notif_type type;
    struct confd_datetime timestamp;
#if CONFD_API_LEVEL == 66
    char *cq_tag;
    u_int64_t cq_id;
#else
    u_int64_t cq_id;
#if CONFD_API_LEVEL < 87
    char *cq_tag;
#endif
#if CONFD_API_LEVEL >= 85
    char *label;
#endif
#endif
    char **completed_devices;
    int ncompleted_devices;
    char **transient_devices;
    int ntransient_devices;
    char **failed_devices;
    char **failed_reasons; /* one for each of failed_devices */
    int nfailed_devices;
    char **completed_services;
    confd_value_t **completed_services_completed_devices; /* a C_LIST for each service */
    int ncompleted_services;
    char **failed_services;
    confd_value_t **failed_services_completed_devices;
    confd_value_t **failed_services_failed_devices;
    int nfailed_services;
#if CONFD_API_LEVEL >= 77 && CONFD_API_LEVEL < 87
    char *trace_id;
#endif
};

#endif

/* Devices: NCS_NOTIF_CALL_HOME_INFO, NCS_NOTIF_AUDIT_NETWORK */

#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 77

enum ncs_call_home_info_type {
    CALL_HOME_DEVICE_CONNECTED = 1,
    CALL_HOME_UNKNOWN_DEVICE = 2,
#if CONFD_API_LEVEL >= 85
    CALL_HOME_DEVICE_DISCONNECTED = 3,
#endif
};

struct ncs_call_home_notification {
    enum ncs_call_home_info_type type;
    char *device;
    struct confd_ip ip;
    u_int16_t port;
    char *ssh_host_key;
    char *ssh_key_alg;
};

#endif

#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 80

struct ncs_audit_network_notification {
    int usid;
    int tid;
    char *user;
    char *device;
    char trace_id[MAX_TRACE_ID_LEN];
    char *config;
};

#endif

/* Any notification */

struct confd_notification {
    confd_notification_type type;
    union {
        struct confd_audit_notification audit;
        struct confd_syslog_notification syslog;
        struct confd_commit_notification commit;
        struct confd_commit_diff_notification commit_diff;
        struct confd_user_sess_notification user_sess;
        struct confd_ha_notification hnot;
        struct confd_subagent_notification subagent;
        struct confd_forward_notification forward;
        struct confd_commit_failed_notification cfail;
        struct confd_snmpa_notification snmpa;
        struct confd_confirmed_commit_notification confirm;
        struct confd_upgrade_notification upgrade;
        struct confd_progress_notification progress;
        struct confd_stream_notification stream;
#if CONFD_API_LEVEL >= 82
        struct confd_compaction_notification compaction;
#endif
#if defined(CONFD_C_PRODUCT_NCS) || CONFD_API_LEVEL == 66
        struct ncs_cq_progress_notification cq_progress;
#endif
#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 77
        struct ncs_call_home_notification call_home;
#endif
#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 80
        struct ncs_audit_network_notification audit_network;
#endif
    } n;
};

/* What a subscription needs beside its mask */
struct confd_notifications_data {
    int heartbeat_interval; /* milliseconds */
    int health_check_interval; /* milliseconds */
    char *stream_name;
    confd_value_t start_time; /* C_DATETIME, or C_NOEXISTS for none */
    confd_value_t stop_time;
    char *xpath_filter;
    int usid;
#if CONFD_API_LEVEL >= 77
    enum confd_progress_verbosity verbosity;
#endif
};

extern int confd_notifications_connect(int sock, const struct sockaddr *srv, int srv_sz,
                                       confd_notification_type mask);
extern int confd_notifications_connect2(int sock, const struct sockaddr *srv, int srv_sz,
                                        confd_notification_type mask,
                                        struct confd_notifications_data *data);

/* Reads one notification; blocks. Whatever it puts in *n is released by
 * confd_free_notification(), but not a tctx, which lives until
 * confd_diff_notification_done(). */
extern int confd_read_notification(int sock, struct confd_notification *n);
extern void confd_free_notification(struct confd_notification *n);

/* Acknowledgements: the daemon waits for them. */
extern int confd_diff_notification_done(int sock, struct confd_trans_ctx *tctx);
extern int confd_sync_audit_notification(int sock, int usid);
extern int confd_sync_ha_notification(int sock);
#if defined(CONFD_C_PRODUCT_NCS) && CONFD_API_LEVEL >= 80
extern int ncs_sync_audit_network_notification(int sock, int usid);
#endif

#ifdef __cplusplus
}
#endif
#endif
