/* fuzz_answer.c - what a worker says may be anything, in pieces of any size. */
#include <stdint.h>
#include <stdlib.h>

#include "base/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void progress(void *userdata, uint64_t done, uint64_t total)
{
        if (done > INT64_MAX || total > INT64_MAX)
                abort();
        ++*(size_t *)userdata;
}

/* The first byte sets the size of the pieces, the second the limit. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2)
                return 0;
        size_t piece = data[0] ? data[0] : 1, steps = 0;
        struct answer a = {.limit = (size_t)data[1] * 16 + 1, .on_progress = progress, .userdata = &steps};
        if (answer_begin(&a) < 0)
                return 0;
        for (size_t at = 2; at < size; at += piece) {
                answer_feed(&a, (const char *)data + at, size - at < piece ? size - at : piece);
                if (a.used > a.limit || a.said > a.limit + a.used)
                        abort();
        }
        json_t *answer = answer_end(&a);
        if (answer && !json_is_object(answer))
                abort();
        json_decref(answer);
        answer_done(&a);
        return 0;
}
