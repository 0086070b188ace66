/* fuzz_episode.c - any records in any order through a daemon's memory: judged a burst at a time, in bounded time and memory. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "daemon/episode.h"
#include "sensor/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct episode *e)
{
        const struct detection *d;
        const uint32_t *db;
        struct vigil_observed o = {.flags = VIGIL_OBS_MAIN | VIGIL_OBS_SQLITE, .main_bytes = 4096};
        size_t n = episode_looks(e, &db);
        for (size_t i = 0; i < n; i++)
                if (episode_observed(e, db[i], &o) < 0)
                        abort();
        if (episode_complete(e, NULL) < 0 || episode_judge(e, &d) < 0)
                abort();
        episode_free(e);
}

static void judge_all(struct memory *m, uint64_t now_ns)
{
        struct episode *e;
        unsigned wait_ms;
        int r;
        while ((r = episode_begin(m, now_ns, &e, &wait_ms)) == 1)
                judge(e);
        if (r < 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct vigil_session session = {.mode = VIGIL_MODE_ATTACH};
        char path[64];
        int fd = memfd_create("recording", MFD_CLOEXEC);
        struct recording *r;
        struct memory *m = memory_new(&session, size % 2);
        const struct vigil_hdr *h;
        uint32_t db;
        uint64_t n = 0;
        if (fd < 0 || !m || io_write_all(fd, data, size) < 0)
                abort();
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (recording_open(path, &r) < 0)
                abort();
        while (recording_next(r, &h) > 0) {
                if (memory_take(m, h, &db) < 0)
                        abort();
                if (++n % 8 == 0)
                        judge_all(m, h->ns);
                if (n % 16 == 0)
                        memory_age(m, h->ns);
        }
        judge_all(m, UINT64_MAX);
        if (memory_use(m).waiting)
                abort();
        memory_free(m);
        recording_free(r);
        close(fd);
        return 0;
}
