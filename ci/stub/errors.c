/* The last error, kept per thread in fixed memory: reporting "out of memory"
 * must not need any. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stub.h"

static _Thread_local int last_code;
static _Thread_local char last_text[8192];

int *confd_errno_location(void)
{
    return &last_code;
}

char *confd_lasterr(void)
{
    return last_text;
}

int stub_fail(int code, const char *format, ...)
{
    int saved = errno;
    va_list args;

    last_code = code;
    va_start(args, format);
    vsnprintf(last_text, sizeof last_text, format, args);
    va_end(args);
    errno = saved;
    return CONFD_ERR;
}

int stub_fail_os(const char *doing)
{
    char reason[128];
    int saved = errno;
    const char *text = strerror_r(saved, reason, sizeof reason);

    stub_fail(CONFD_ERR_OS, "%s: %s", doing, text);
    errno = saved;
    return CONFD_ERR;
}

int stub_fail_eof(void)
{
    stub_fail(CONFD_ERR_EOF, "EOF on socket to ConfD");
    return CONFD_EOF;
}

/* What users meet is as libconfd 8.2.5 says it, to be found by searching; the
 * rest is worded anew. */
static const char *const sentences[] = {
    [CONFD_ERR_NOEXISTS] = "item does not exist",
    [CONFD_ERR_ALREADY_EXISTS] = "Item already exists",
    [CONFD_ERR_ACCESS_DENIED] = "Access denied",
    [CONFD_ERR_NOT_WRITABLE] = "Item is not writable",
    [CONFD_ERR_BADTYPE] = "item has a bad/wrong type",
    [CONFD_ERR_NOTCREATABLE] = "Item can not be created",
    [CONFD_ERR_NOTDELETABLE] = "Item can not be deleted",
    [CONFD_ERR_BADPATH] = "badly formatted or nonexistent path",
    [CONFD_ERR_NOSTACK] = "Nothing to pop from the stack",
    [CONFD_ERR_LOCKED] = "Item is locked",
    [CONFD_ERR_INUSE] = "Item is in use",
    [CONFD_ERR_NOTSET] = "A mandatory leaf has no value",
    [CONFD_ERR_NON_UNIQUE] = "Values that must be unique are not",
    [CONFD_ERR_BAD_KEYREF] = "A reference to a key points nowhere",
    [CONFD_ERR_TOO_FEW_ELEMS] = "A list has too few elements",
    [CONFD_ERR_TOO_MANY_ELEMS] = "A list has too many elements",
    [CONFD_ERR_BADSTATE] = "operation in wrong state",
    [CONFD_ERR_INTERNAL] = "internal error",
    [CONFD_ERR_EXTERNAL] = "External code reported an error",
    [CONFD_ERR_MALLOC] = "Failed to allocate",
    [CONFD_ERR_PROTOUSAGE] = "Bad protocol usage or unexpected retval",
    [CONFD_ERR_NOSESSION] = "A session must be established prior to this command",
    [CONFD_ERR_TOOMANYTRANS] = "Too many transactions",
    [CONFD_ERR_OS] = "system call failed",
    [CONFD_ERR_HA_CONNECT] = "Could not connect to the HA peer",
    [CONFD_ERR_HA_CLOSED] = "The HA peer closed the connection",
    [CONFD_ERR_HA_BADFXS] = "The HA peers have different schemas",
    [CONFD_ERR_HA_BADTOKEN] = "The HA peers have different tokens",
    [CONFD_ERR_HA_BADNAME] = "The HA peer has an unexpected name",
    [CONFD_ERR_HA_BIND] = "Could not listen for HA peers",
    [CONFD_ERR_HA_NOTICK] = "The HA peer sent no tick in time",
    [CONFD_ERR_VALIDATION_WARNING] = "Validation gave a warning",
    [CONFD_ERR_SUBAGENT_DOWN] = "A subagent is down",
    [CONFD_ERR_LIB_NOT_INITIALIZED] = "The library is not initialized",
    [CONFD_ERR_TOO_MANY_SESSIONS] = "Too many sessions",
    [CONFD_ERR_BAD_CONFIG] = "The configuration is bad",
    [CONFD_ERR_RESOURCE_DENIED] = "A resource is not available",
    [CONFD_ERR_INCONSISTENT_VALUE] = "Values contradict each other",
    [CONFD_ERR_APPLICATION_INTERNAL] = "The application failed internally",
    [CONFD_ERR_UNSET_CHOICE] = "A mandatory choice is not made",
    [CONFD_ERR_MUST_FAILED] = "A must condition does not hold",
    [CONFD_ERR_MISSING_INSTANCE] = "A required instance is missing",
    [CONFD_ERR_INVALID_INSTANCE] = "An instance identifier is invalid",
    [CONFD_ERR_UNAVAILABLE] = "The service is not available",
    [CONFD_ERR_EOF] = "Lost connection to ConfD",
    [CONFD_ERR_NOTMOVABLE] = "Item can not be moved",
    [CONFD_ERR_HA_WITH_UPGRADE] = "HA is not possible during an upgrade",
    [CONFD_ERR_TIMEOUT] = "Operation timed out",
    [CONFD_ERR_ABORTED] = "The operation was aborted",
    [CONFD_ERR_XPATH] = "XPath compilation/evaluation failed",
    [CONFD_ERR_NOT_IMPLEMENTED] = "Not implemented",
    [CONFD_ERR_HA_BADVSN] = "The HA peers have incompatible versions",
    [CONFD_ERR_POLICY_FAILED] = "A policy rejected the change",
    [CONFD_ERR_POLICY_COMPILATION_FAILED] = "A policy does not compile",
    [CONFD_ERR_POLICY_EVALUATION_FAILED] = "A policy could not be evaluated",
    [CONFD_ERR_START_FAILED] = "The daemon could not start",
    [CONFD_ERR_DATA_MISSING] = "Data is missing",
    [CONFD_ERR_CLI_CMD] = "A CLI command failed",
    [CONFD_ERR_UPGRADE_IN_PROGRESS] = "An upgrade is in progress",
    [CONFD_ERR_NOTRANS] = "No such transaction",
    [CONFD_ERR_NO_MOUNT_ID] = "The mount point has no mount id",
    [CONFD_ERR_STALE_INSTANCE] = "The instance is out of date",
#if CONFD_API_LEVEL >= 87
    [CONFD_ERR_BAD_PAYLOAD] = "Error in payload data",
    [CONFD_ERR_CHECKSUM_MISMATCH] = "Checksum mismatch",
#endif
#if CONFD_API_LEVEL >= 80
    [CONFD_ERR_HA_BADCONFIG] = "The HA configuration is bad",
    [CONFD_ERR_TRANSACTION_CONFLICT] = "The transaction conflicts with another one",
    [CONFD_ERR_HA_ABORT] = "The HA operation was aborted",
#endif
};

char *confd_strerror(int code)
{
    const int count = (int)(sizeof sentences / sizeof sentences[0]);

    if (code >= 0 && code < count && sentences[code] != NULL) {
        return (char *)(uintptr_t)sentences[code];
    }
    return (char *)(uintptr_t)"Unknown error";
}
