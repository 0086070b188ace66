/* fuzz_journal.c - no journal makes the reader count what is not there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_of_memory(data, size);
        struct journal_info info;
        if (journal_scan(&r, &info) < 0)
                abort();
        if (!info.hot && (info.pages || info.super[0] || info.segments))
                abort();
        if (info.pages * (8 + (uint64_t)info.page_size) > size)
                abort();
        if (memchr(info.super, '\0', sizeof(info.super)) == NULL)
                abort();
        if (info.super[0] && info.super_at + 4 + strlen(info.super) + 16 != size)
                abort();
        return 0;
}
