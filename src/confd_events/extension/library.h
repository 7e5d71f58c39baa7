/* What is known of the libconfd that the process has loaded. */
#ifndef CONFD_EVENTS_LIBRARY_H
#define CONFD_EVENTS_LIBRARY_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

#if !defined(STATIC_LIBCONFD)
/* Weak, so that a library without these can be loaded, and then be refused with a reason. */
#if HAS_AUDIT_NETWORK_SYNC
#pragma weak ncs_sync_audit_network_notification
#endif
#if HAS_VAL2STR
#pragma weak confd_cs_node_cd
#pragma weak confd_val2str
#pragma weak confd_str2val
#pragma weak confd_find_cs_root
#endif
#if HAS_LOG_SYMBOLS
#pragma weak confd_log_symbols
#pragma weak confd_log_descriptions
#endif
#endif

/* Entries of a table that the library exports without saying its length: the symbol table has
 * it, the loader's or, for a static library, that of the archive. 0 where it doesn't. */
static inline size_t table_length(char **table)
{
#ifdef STATIC_LIBCONFD
    (void)table;
    return LOG_TABLE_SIZE / sizeof *table;
#else
    Dl_info info;
    ElfW(Sym) *symbol = NULL;
    if (!dladdr1(table, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
        return 0;
    return info.dli_saddr == (void *)table ? symbol->st_size / sizeof *table : 0;
#endif
}

/* NCS or CONFD, by a message that NSO alone logs; NULL if the library does not tell. Both export
 * the same functions, NSO's own included. */
static inline const char *library_product(void)
{
#if HAS_LOG_SYMBOLS
    size_t length = table_length(confd_log_symbols);
    for (size_t i = 0; i < length; i++)
        if (confd_log_symbols[i] && strcmp(confd_log_symbols[i], "NCS_JAVA_VM_START") == 0)
            return "NCS";
    return length ? "CONFD" : NULL;
#else
    return NULL;
#endif
}

/* A function that the headers declare and the library lacks, or NULL. */
static inline const char *library_lacks(void)
{
#if HAS_AUDIT_NETWORK_SYNC && !defined(STATIC_LIBCONFD)
    if (!ncs_sync_audit_network_notification)
        return "ncs_sync_audit_network_notification";
#endif
#if HAS_VAL2STR && !defined(STATIC_LIBCONFD)
    if (!confd_cs_node_cd || !confd_val2str || !confd_str2val || !confd_find_cs_root)
        return "confd_val2str";
#endif
    return NULL;
}

/* Is it the library that the build called confd_init() of, with these headers? */
static inline int library_was_tried(void)
{
#if !defined(TRIED_SIZE)
    return 0;
#elif defined(STATIC_LIBCONFD)
    return 1;
#else
    struct stat file;
    const char *path = library_path();
    return path && stat(path, &file) == 0 && file.st_size == TRIED_SIZE &&
           file.st_mtime == TRIED_MTIME;
#endif
}

/* Does the library accept the limits that these headers declare? If not, confd_init() would end
 * the process; so let a child of it find out. Only of a library that the build has not tried: a
 * fork takes long in a large process, and some sandboxes forbid it. */
static inline int library_accepts_headers(void)
{
    if (library_was_tried())
        return 1;
    int pipe_ends[2];
    char answer = 0;
    if (pipe2(pipe_ends, O_CLOEXEC) < 0)
        return 1;
    pid_t child = fork();
    if (child == 0) {
        /* A daemon may have closed its standard streams; then the pipe has their numbers. */
        int answer_to = fcntl(pipe_ends[1], F_DUPFD_CLOEXEC, 3);
        int nowhere = open("/dev/null", O_RDWR);
        for (int fd = 0; fd <= 2; fd++)
            dup2(nowhere, fd);
        confd_init("confd_events", stderr, CONFD_SILENT);
        _exit(write(answer_to, "y", 1) != 1);
    }
    close(pipe_ends[1]);
    while (child > 0 && read(pipe_ends[0], &answer, 1) < 0 && errno == EINTR)
        ;
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    close(pipe_ends[0]);
    return child < 0 || answer == 'y';
}

#endif
