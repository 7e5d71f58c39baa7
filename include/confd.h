/* Everything that this SDK declares. */
#ifndef CONFD_H
#define CONFD_H

#include "confd_lib.h"
#include "confd_dp.h"
#include "confd_events.h"
#include "confd_logsyms.h"

#endif
