/* program.c - see program.h. */
#include "daemon/program.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

/* Ids of containers have 64 hex digits or 12, those of scopes 32; words of so many letters of a to f there are none. */
#define ID_DIGITS 12

static uint64_t add(uint64_t h, unsigned char c)
{
        return (h ^ c) * 0x100000001b3ull; /* FNV-1a */
}

static size_t hex_run(const char *p)
{
        size_t n = 0;

        while (isxdigit((unsigned char)p[n]))
                n++;
        return n;
}

uint64_t program_key(const char *exe, const char *cgroup)
{
        uint64_t h = 0xcbf29ce484222325ull;

        if (!exe || !*exe)
                return 0;
        for (const char *p = exe; *p; p++)
                h = add(h, (unsigned char)*p);
        h = add(h, 0);
        for (const char *p = cgroup ? cgroup : ""; *p;) {
                size_t n = hex_run(p);
                if (n >= ID_DIGITS) {
                        h = add(h, '*');
                        p += n;
                        continue;
                }
                do
                        h = add(h, (unsigned char)*p++);
                while (n-- > 1);
        }
        return h ? h : 1;
}
