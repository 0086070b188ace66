/* fuzz_recording.c - any bytes as a recording: read, modelled, judged and told, in bounded time and memory. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "report/report.h"
#include "sensor/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void tell(const struct model *m)
{
        static FILE *nowhere;
        struct detection *d = NULL;
        json_t *report = NULL;
        if (!nowhere)
                nowhere = fopen("/dev/null", "w");
        if (!nowhere || detect_run(m, &d) < 0 || report_build(d, NULL, &report) < 0)
                abort();
        struct report_style style = {.colour = true, .verbose = true};
        if (report_text(report, nowhere, &style) < 0)
                abort();
        json_decref(report);
        detection_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char path[64];
        int fd = memfd_create("recording", MFD_CLOEXEC);
        if (fd < 0 || io_write_all(fd, data, size) < 0)
                abort();
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        struct recording *r;
        if (recording_open(path, &r) < 0)
                abort();
        struct model *m = model_new();
        const struct vigil_hdr *h;
        int k;
        while ((k = recording_next(r, &h)) > 0)
                if (model_feed(m, h) < 0)
                        abort();
        /* An error is final and says where. */
        if (k < 0 && (recording_next(r, &h) != k || !recording_error(r)[0]))
                abort();
        if (model_finish(m) < 0)
                abort();
        tell(m);
        model_free(m);
        recording_free(r);
        close(fd);
        return 0;
}
