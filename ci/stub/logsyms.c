/* Log messages by number. The wording is the stub's own. */
#include "stub.h"

/* clang-format off */
#define MESSAGES(M) \
    M(placeholder, "placeholder") \
    M(DAEMON_STARTING, "The daemon has begun to start") \
    M(DAEMON_STARTED, "The daemon has started") \
    M(DAEMON_STOPPING, "The daemon has begun to stop") \
    M(DAEMON_STOPPED, "The daemon has stopped") \
    M(DAEMON_RELOADED, "The daemon has read its configuration again") \
    M(DAEMON_RELOAD_FAILED, "The daemon could not read its configuration again") \
    M(DAEMON_PHASE1_STARTED, "The daemon has started as far as phase 1") \
    M(DAEMON_PHASE2_STARTED, "The daemon has started as far as phase 2") \
    M(DAEMON_CONFIG_BAD, "The daemon's configuration file is invalid") \
    M(DAEMON_STARTUP, "A message while the daemon starts") \
    M(NETCONF_SESSION_STARTED, "A NETCONF session has started") \
    M(DEVELOPER_MESSAGE, "A message for developers of callbacks") \
    M(JSONRPC_MESSAGE, "A message about a JSON-RPC request") \
    M(LICENSE_BAD, "The license is not valid") \
    M(LICENSE_EXPIRES, "The license is about to expire") \
    M(LOG_OPENED, "A log file has been opened") \
    M(LOG_OPEN_FAILED, "A log file could not be opened") \
    M(LOG_REOPENED, "All log files have been opened again") \
    M(LISTEN_FAILED, "An address to listen on is in use or not available") \
    M(IPC_CLIENT_CONNECTED, "A client has connected over IPC") \
    M(IPC_CLIENT_REFUSED, "A client over IPC has another protocol version") \
    M(IPC_CLIENT_DENIED, "A client over IPC did not know the secret") \
    M(IPC_CLIENT_DIED, "A client has closed its IPC connection") \
    M(IPC_CLIENT_TIMEOUT, "A client did not answer in time") \
    M(INTERNAL_ERROR, "The daemon has found an error of its own") \
    M(OUT_OF_MEMORY, "The daemon has run out of memory") \
    M(FILE_DESCRIPTORS_SCARCE, "Few file descriptors are left") \
    M(DISK_FULL, "A file could not be written because the disk is full") \
    M(CPU_OVERLOAD, "The daemon can not keep up with its work") \
    M(CDB_OPENED, "The configuration database has been opened") \
    M(CDB_OPEN_FAILED, "The configuration database could not be opened") \
    M(CDB_INIT, "The configuration database is initialized") \
    M(CDB_UPGRADED, "The configuration database follows the new data models") \
    M(CDB_UPGRADE_FAILED, "The configuration database could not be upgraded") \
    M(CDB_CORRUPT, "A file of the configuration database is damaged") \
    M(CDB_COMPACTED, "A file of the configuration database has been compacted") \
    M(CDB_BACKUP_WRITTEN, "A backup of the configuration database has been written") \
    M(CDB_CLIENT_TIMEOUT, "A subscriber of the configuration database did not answer") \
    M(CDB_OPERATIONAL_LOST, "Operational data could not be restored") \
    M(SCHEMA_LOADED, "The data models have been loaded") \
    M(SCHEMA_LOAD_FAILED, "A data model could not be loaded") \
    M(SCHEMA_MISSING, "A data model that is referred to is missing") \
    M(CALLPOINT_REGISTERED, "A client has registered a callpoint") \
    M(CALLPOINT_MISSING, "A callpoint has no client") \
    M(CALLBACK_FAILED, "A callback has returned an error") \
    M(CALLBACK_TIMEOUT, "A callback did not return in time") \
    M(VALIDATION_FAILED, "A validation callback has rejected a value") \
    M(ACTION_FAILED, "An action has returned an error") \
    M(USER_DENIED, "A rule has denied access to a user") \
    M(LOGIN_LOCAL, "A user has logged in with a local password") \
    M(LOGIN_PUBLIC_KEY, "A user has logged in with a public key") \
    M(LOGIN_EXTERNAL, "A user has logged in by external authentication") \
    M(LOGIN_PAM, "A user has logged in through PAM") \
    M(LOGIN_NO_USER, "Login failed: no such user") \
    M(LOGIN_BAD_PASSWORD, "Login failed: bad password") \
    M(LOGIN_BAD_KEY, "Login failed: no such public key") \
    M(LOGIN_REFUSED, "Login failed: not allowed from this address or context") \
    M(SESSION_LIMIT, "Login failed: too many sessions") \
    M(LOGOUT, "A user has logged out") \
    M(GROUP_ASSIGNED, "A user has been assigned to groups") \
    M(GROUP_NONE, "A user belongs to no group") \
    M(SESSION_CREATED, "A user session has been created") \
    M(SESSION_KILLED, "A user session has been ended by another user") \
    M(SESSION_IDLE, "A user session has been ended for being idle") \
    M(CLI_COMMAND, "A command has been given in the CLI") \
    M(CLI_COMMAND_DONE, "A command in the CLI is done") \
    M(CLI_COMMAND_ABORTED, "A command in the CLI has been aborted") \
    M(COMMIT_STARTED, "A commit has begun") \
    M(COMMIT_DONE, "A commit is done") \
    M(COMMIT_FAILED, "A commit has failed") \
    M(COMMIT_ABORTED, "A commit has been aborted") \
    M(COMMIT_CONFIRMED, "A confirmed commit has been confirmed") \
    M(COMMIT_TIMED_OUT, "A confirmed commit was not confirmed in time") \
    M(COMMIT_QUEUED, "A commit has been put in the commit queue") \
    M(ROLLBACK_WRITTEN, "A rollback file has been written") \
    M(ROLLBACK_FAILED, "A rollback file could not be written") \
    M(LOCK_TAKEN, "A datastore has been locked") \
    M(LOCK_RELEASED, "A datastore has been unlocked") \
    M(LOCK_STOLEN, "A lock has been broken") \
    M(NETCONF_SESSION_ENDED, "A NETCONF session has ended") \
    M(NETCONF_RPC, "A NETCONF client has sent a request") \
    M(NETCONF_RPC_ERROR, "A NETCONF request has been answered with an error") \
    M(NETCONF_BAD_HELLO, "A NETCONF client has sent an invalid hello") \
    M(NETCONF_STREAM_STARTED, "A NETCONF client has subscribed to a stream") \
    M(NETCONF_STREAM_ENDED, "A subscription of a NETCONF client has ended") \
    M(NETCONF_REPLAY_LOST, "Older events of a stream can not be replayed") \
    M(WEBUI_REQUEST, "The web interface has been asked for a page") \
    M(WEBUI_LOGIN_FAILED, "A login over the web interface has failed") \
    M(RESTCONF_REQUEST, "A RESTCONF client has sent a request") \
    M(SNMP_STARTED, "The SNMP agent has started") \
    M(SNMP_AUTHENTICATION_FAILED, "An SNMP message could not be authenticated") \
    M(SNMP_NOTIFICATION_SENT, "An SNMP notification has been sent") \
    M(HA_STARTED, "High availability has been turned on") \
    M(HA_PRIMARY, "This node has become primary") \
    M(HA_SECONDARY, "This node has become secondary") \
    M(HA_NONE, "This node has left the cluster") \
    M(HA_SECONDARY_ARRIVED, "A secondary node has connected") \
    M(HA_SECONDARY_LOST, "A secondary node has been lost") \
    M(HA_PRIMARY_LOST, "The primary node has been lost") \
    M(HA_BAD_TOKEN, "A node has presented another token") \
    M(HA_BAD_VERSION, "A node runs another version") \
    M(HA_COPY_STARTED, "A copy of the database to a secondary node has begun") \
    M(HA_COPY_DONE, "A secondary node has a copy of the database")

/* By what only NSO's table has, its library is told from ConfD's. */
#ifdef CONFD_C_PRODUCT_NCS
#define NSO_MESSAGES(M) \
    M(NCS_JAVA_VM_START, "The Java VM has been started")
#else
#define NSO_MESSAGES(M)
#endif
/* clang-format on */

#define SYMBOL(symbol, description) #symbol,
#define DESCRIPTION(symbol, description) description,

char *confd_log_symbols[] = {MESSAGES(SYMBOL) NSO_MESSAGES(SYMBOL) NULL};
char *confd_log_descriptions[] = {MESSAGES(DESCRIPTION) NSO_MESSAGES(DESCRIPTION) NULL};
