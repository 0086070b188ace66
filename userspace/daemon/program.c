/* program.c - see program.h. */
#include "daemon/program.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/fnv.h"

/* Ids of containers have 64 hex digits or 12, those of scopes 32; words of so many letters of a to f there are none. */
#define ID_DIGITS 12

static size_t hex_run(const char *p)
{
        size_t n = 0;

        while (isxdigit((unsigned char)p[n]))
                n++;
        return n;
}

uint64_t program_key(const char *exe, const char *cgroup)
{
        if (!exe || !*exe)
                return 0;
        uint64_t h = fnv_add(FNV_BEGIN, exe, strlen(exe) + 1);
        for (const char *p = cgroup ? cgroup : ""; *p;) {
                size_t n = hex_run(p);
                size_t taken = n ? n : 1;
                h = n >= ID_DIGITS ? fnv_add(h, "*", 1) : fnv_add(h, p, taken);
                p += taken;
        }
        return h ? h : 1;
}
