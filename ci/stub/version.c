/* Versions, and the check that caller and library were compiled alike. */
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "stub.h"

#if CONFD_API_LEVEL == 66
#define VSN_TEXT "06060000"
#define API_TEXT "06060000"
#elif CONFD_API_LEVEL == 77
#define VSN_TEXT "07070100"
#define API_TEXT "07070000"
#elif CONFD_API_LEVEL == 80
#define VSN_TEXT "08000400"
#define API_TEXT "08000000"
#elif CONFD_API_LEVEL == 82
#define VSN_TEXT "08020500"
#define API_TEXT "08020300"
#elif CONFD_API_LEVEL == 85
#define VSN_TEXT "08050600"
#define API_TEXT "08050100"
#else
#define VSN_TEXT "08070200"
#define API_TEXT "08070200"
#endif
#define TEXT(number) #number
#define TEXT_OF(macro) TEXT(macro)

char *confd_lib_vsn = "CONFD_LIB_VSN=" VSN_TEXT;
char *confd_lib_api_vsn = "CONFD_LIB_API_VSN=" API_TEXT;
char *confd_lib_proto_vsn = "CONFD_LIB_PROTO_VSN=" TEXT_OF(CONFD_LIB_PROTO_VSN);

static atomic_bool initialized;

static void require_same(const char *what, int callers, int ours)
{
    if (callers != ours) {
        fprintf(stderr, "confd_init: the caller was compiled with %s 0x%x, the library with 0x%x\n",
                what, (unsigned)callers, (unsigned)ours);
        exit(1);
    }
}

void confd_init_vsn_sz(const char *name, FILE *estream, const enum confd_debug_level debug,
                       int vsn, int maxdepth, int maxkeylen)
{
    (void)name;
    (void)estream;
    (void)debug;
    require_same("CONFD_LIB_API_VSN", vsn, CONFD_LIB_API_VSN);
    require_same("MAXDEPTH", maxdepth, MAXDEPTH);
    require_same("MAXKEYLEN", maxkeylen, MAXKEYLEN);
    if (!atomic_exchange(&initialized, true)) {
        stub_secret_load();
        signal(SIGPIPE, SIG_IGN); /* as the real library does, the first time */
    }
}

int stub_require_init(void)
{
    if (atomic_load(&initialized)) {
        return CONFD_OK;
    }
    return stub_fail(CONFD_ERR_LIB_NOT_INITIALIZED, "confd_init() has not been called");
}
