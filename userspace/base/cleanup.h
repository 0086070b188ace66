/* cleanup.h - ownership in the declaration: GNU cleanup attributes for what C does not release by itself. Layer: base. */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/** Value of @p p, which is left NULL: ownership moves to the reader. */
#define TAKE_PTR(p)                                                                                                \
        ({                                                                                                         \
                __typeof__(p) *take_ = &(p);                                                                       \
                __typeof__(p) taken_ = *take_;                                                                     \
                *take_ = NULL;                                                                                     \
                taken_;                                                                                            \
        })

/** Value of the descriptor @p fd, which is left -1. */
#define TAKE_FD(fd)                                                                                                \
        ({                                                                                                         \
                int *take_ = &(fd);                                                                                \
                int taken_ = *take_;                                                                               \
                *take_ = -1;                                                                                       \
                taken_;                                                                                            \
        })

static inline void cleanup_free_(void *p)
{
        free(*(void **)p);
}

/* errno survives: cleanup runs on error paths that are about to report it. */
static inline void cleanup_close_(const int *fd)
{
        int saved = errno;
        if (*fd >= 0)
                close(*fd);
        errno = saved;
}

static inline void cleanup_fclose_(FILE **f)
{
        if (*f)
                fclose(*f);
}

static inline void cleanup_closedir_(DIR **d)
{
        if (*d)
                closedir(*d);
}

#define _cleanup_(fn)      __attribute__((cleanup(fn)))
#define _cleanup_free_     _cleanup_(cleanup_free_)
#define _cleanup_close_    _cleanup_(cleanup_close_)
#define _cleanup_fclose_   _cleanup_(cleanup_fclose_)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir_)
