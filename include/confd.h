/* Everything that this SDK declares, but for the numbers of confd_logsyms.h. */
#ifndef CONFD_H
#define CONFD_H

#include "confd_lib.h"
#include "confd_dp.h"
#include "confd_events.h"

#endif
