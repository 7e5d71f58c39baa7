/* The check of terms alone, for the shapes of any release. */
#include <stddef.h>

#define MAXDEPTH 60
#define MAXKEYLEN 18
#include "terms.h"

extern const char *check(const unsigned char *term, size_t size, size_t seen)
{
    return bad_notification(term, size, seen, 0);
}
