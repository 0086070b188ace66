/* fuzz_shm.c - any bytes for a WAL index and for a database header. */
#include <stdint.h>
#include <stdlib.h>

#include "engine/shm.h"
#include "engine/sqlite_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct shm_info info;
        struct sqlite_header header;
        if ((shm_parse(data, size, &info) == 0) != (size >= SHM_HEADER_LEN))
                abort();
        if (sqlite_header_parse(data, size, &header) == 0 && header.page_size != 0 &&
            !sqlite_page_size_valid(header.page_size))
                abort();
        return 0;
}
