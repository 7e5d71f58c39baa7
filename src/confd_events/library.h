/* What is known of the libconfd that the process has loaded. */
#ifndef CONFD_EVENTS_LIBRARY_H
#define CONFD_EVENTS_LIBRARY_H

#include <dlfcn.h>
#include <link.h>
#include <stddef.h>

/* Only the stub has it. */
extern long confd_stub_live_allocations(void) __attribute__((weak));

static inline int library_is_stub(void)
{
    return confd_stub_live_allocations != NULL;
}

/* The file that the library's code came from: libconfd.so, or the module itself when linked
 * statically. NULL if the loader doesn't know. */
static inline const char *library_path(void)
{
    Dl_info info;
    return dladdr((void *)(size_t)&confd_read_notification, &info) ? info.dli_fname : NULL;
}

/* Entries of a table that the library exports without saying its length: the loader's symbol
 * table has it. 0 where it doesn't. */
static inline size_t table_length(char **table)
{
    Dl_info info;
    ElfW(Sym) *symbol = NULL;
    if (!dladdr1(table, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
        return 0;
    return info.dli_saddr == (void *)table ? symbol->st_size / sizeof *table : 0;
}

/* A function that the headers declare and the library lacks, or NULL. */
static inline const char *library_lacks(void)
{
#if HAS_AUDIT_NETWORK_SYNC
    if (!ncs_sync_audit_network_notification)
        return "ncs_sync_audit_network_notification";
#endif
#if HAS_VAL2STR
    if (!confd_cs_node_cd || !confd_val2str)
        return "confd_val2str";
#endif
    return NULL;
}

#endif
