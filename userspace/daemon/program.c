/* program.c - see program.h. */
#include "daemon/program.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/fnv.h"

/* Ids of containers have 64 hex digits or 12, those of scopes 32; words of so many letters of a to f there are none. */
#define ID_DIGITS 12

static size_t hex_run(const char *p, size_t len)
{
        size_t n = 0;

        while (n < len && isxdigit((unsigned char)p[n]))
                n++;
        return n;
}

/* What is made up anew each time does not count. */
static uint64_t add_stable(uint64_t h, const char *text, size_t len)
{
        for (size_t at = 0; at < len;) {
                size_t n = hex_run(text + at, len - at);
                size_t taken = n ? n : 1;
                h = n >= ID_DIGITS ? fnv_add(h, "*", 1) : fnv_add(h, text + at, taken);
                at += taken;
        }
        return fnv_add(h, "", 1);
}

/* A number is of a job, a port or a time: it says which start it is, not what is run. */
static bool names_something(const char *arg, size_t len)
{
        if (*arg == '-')
                return false;
        for (size_t i = 0; i < len; i++)
                if (!isdigit((unsigned char)arg[i]))
                        return true;
        return false;
}

static bool is_like_a_file(const char *arg, size_t len)
{
        return memchr(arg, '/', len) || memchr(arg, '.', len);
}

/* Which arguments have values nobody knows: of the words, the first that is like the name of a file is more likely what is run than the
 * value of an option before it. @return its length; 0: there is none */
static size_t subject_of(const char *argv, size_t argv_len, const char **ret)
{
        size_t found = 0;

        for (size_t at = strnlen(argv, argv_len) + 1; at < argv_len;) {
                size_t len = strnlen(argv + at, argv_len - at);
                bool file = is_like_a_file(argv + at, len);
                if (names_something(argv + at, len) && (file || !found)) {
                        *ret = argv + at;
                        found = len;
                        if (file)
                                break;
                }
                at += len + 1;
        }
        return found;
}

uint64_t program_key(const char *exe, const char *argv, size_t argv_len, const char *cgroup)
{
        const char *subject = NULL;

        if (!exe || !*exe)
                return 0;
        uint64_t h = fnv_add(FNV_BEGIN, exe, strlen(exe) + 1);
        h = add_stable(h, cgroup ? cgroup : "", cgroup ? strlen(cgroup) : 0);
        size_t len = argv ? subject_of(argv, argv_len, &subject) : 0;
        h = add_stable(h, subject ? subject : "", len);
        return h ? h : 1;
}
