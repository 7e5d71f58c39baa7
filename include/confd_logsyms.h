/* Numbers of log messages, those whose names meet others.
 *
 * As in the vendor's header, the first four are also enumerators of
 * confd_events.h: whoever includes both either can't compile, or has these
 * numbers where the events' are meant. So nothing else here includes this. */
#ifndef CONFD_LOGSYMS_H
#define CONFD_LOGSYMS_H

#define CONFD_UPGRADE_INIT_STARTED 30
#define CONFD_UPGRADE_INIT_SUCCEEDED 31
#define CONFD_UPGRADE_PERFORMED 32
#define CONFD_UPGRADE_ABORTED 34
#define CONFD_UPGRADE_COMMITTED 33

#endif
