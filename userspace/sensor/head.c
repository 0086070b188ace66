/* head.c - see head.h. */
#include "sensor/head.h"

#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

/* Into a field of a record: cut at its size, and zero to its end. */
static void copy_text(char *to, size_t size, const char *from)
{
        size_t n = strnlen(from, size - 1);

        memset(to, 0, size);
        memcpy(to, from, n);
}

void head_fill(struct vigil_session *ret, enum vigil_mode mode, const char *tier)
{
        _cleanup_free_ char *boot = NULL;
        struct utsname u;

        memset(ret, 0, sizeof(*ret));
        ret->mode = mode;
        ret->realtime_offset_ns = clock_realtime_offset_ns();
        if (io_read_file("/proc/sys/kernel/random/boot_id", 64, &boot, NULL) == 0) {
                boot[strcspn(boot, "\n")] = 0;
                copy_text(ret->boot_id, sizeof(ret->boot_id), boot);
        }
        uname(&u);
        copy_text(ret->host, sizeof(ret->host), u.nodename);
        copy_text(ret->kernel, sizeof(ret->kernel), u.release);
        copy_text(ret->vigil, sizeof(ret->vigil), VIGIL_VERSION);
        copy_text(ret->tier, sizeof(ret->tier), tier);
}
