#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/style.h"

#define INTERVAL_NS 100000000u

void progress_start(struct progress *p, const struct cli *cli)
{
        *p = (struct progress){.on = !cli->quiet && style_has_escapes(STDERR_FILENO), .what = "working"};
}

void progress_update(void *progress, uint64_t done, uint64_t total)
{
        struct progress *p = progress;
        uint64_t now = clock_boottime_ns();
        char done_text[TEXT_BYTES_LEN], total_text[TEXT_BYTES_LEN];

        if (!p->on || (p->shown && now - p->last_ns < INTERVAL_NS))
                return;
        p->last_ns = now;
        p->shown = true;
        text_bytes(done_text, done);
        text_bytes(total_text, total);
        fprintf(stderr, "\r\033[K%s: %s of %s", p->what, done_text, total_text);
        if (total)
                fprintf(stderr, " (%u %%)", done >= total ? 100 : (unsigned)((double)done / (double)total * 100));
        fflush(stderr);
}

void progress_end(struct progress *p)
{
        if (p->shown)
                fputs("\r\033[K", stderr);
        p->shown = false;
}
