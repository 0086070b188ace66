/* fuzz_check_errors.c - the words of a checker that reads a hostile schema. */
#include <stdint.h>
#include <stdlib.h>

#include "engine/check_errors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct check_errors e = {0};
        uint32_t page;
        check_error_page((const char *)data, size, &page);
        if (check_errors_add(&e, (const char *)data, size) < 0 || check_errors_end(&e) < 0 ||
            json_array_size(e.list) > CHECK_ERRORS_MAX + 1)
                abort();
        json_decref(e.list);
        return 0;
}
