/* fuzz_config.c - a configuration may be any text: it is taken, or each mistake has a line of the file. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
        if (!holds)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct config_errors errors;
        struct config *c = NULL;
        char *text = malloc(size + 1);
        unsigned lines = 2;

        must(text != NULL);
        memcpy(text, data, size);
        text[size] = 0;
        for (const char *p = text; *p; p++)
                lines += *p == '\n';
        int r = config_parse("fuzz", text, &c, &errors);
        must(r == 0 || r == -EINVAL);
        must((r == 0) == (c != NULL));
        must(r == 0 || errors.n);
        must(errors.n <= CONFIG_MAX_ERRORS);
        for (size_t i = 0; i < errors.n; i++)
                must(errors.item[i].line <= lines);
        config_free(c);
        free(text);
        return 0;
}
