/* Which release of the API the headers describe. An SDK made for one release
 * carries its own copy of this file; -D on the command line wins over it. */
#ifndef CONFD_LEVEL_H
#define CONFD_LEVEL_H

/* 66, 77, 80 or 82: the API level without its dot. */
#ifndef CONFD_API_LEVEL
#define CONFD_API_LEVEL 82
#endif

#if !defined(CONFD_C_PRODUCT_NCS) && !defined(CONFD_C_PRODUCT_CONFD)
#define CONFD_C_PRODUCT_NCS 1
#endif

#endif
