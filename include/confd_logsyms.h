/* Names and descriptions of the log messages, indexed by logno.
 * Both tables end with NULL and may hold NULL for a number that is not used. */
#ifndef CONFD_LOGSYMS_H
#define CONFD_LOGSYMS_H

#ifdef __cplusplus
extern "C" {
#endif

extern char *confd_log_symbols[];
extern char *confd_log_descriptions[];

#ifdef __cplusplus
}
#endif
#endif
