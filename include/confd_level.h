/* Which release of the API the headers describe. An SDK made for one release
 * carries its own copy of this file; -D on the command line wins over it.
 * The product is not here: as with the vendor's headers, whoever compiles says
 * -DCONFD_C_PRODUCT_NCS, or has none of what NSO alone has. */
#ifndef CONFD_LEVEL_H
#define CONFD_LEVEL_H

/* 66, 77, 80, 82, 85 or 87: the API level without its dot. */
#ifndef CONFD_API_LEVEL
#define CONFD_API_LEVEL 82
#endif

#endif
