/* worker.c - confinement and answers of the workers of this stage. */
#include "engine/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

struct child_options worker_options(uid_t owner, gid_t group, uint64_t deadline_ms)
{
        return (struct child_options){
                .deadline_ms = deadline_ms,
                .sandbox = true,
                .set_ids = geteuid() == 0 && owner != 0,
                .uid = owner,
                .gid = group,
                .memory_limit = 2ULL << 30,
        };
}

int worker_get_u64(const json_t *answer, const char *key, uint64_t *ret)
{
        const json_t *value = json_object_get(answer, key);
        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return -EBADMSG;
        *ret = (uint64_t)json_integer_value(value);
        return 0;
}

json_t *worker_hex(const char *text)
{
        size_t n = strlen(text);
        _cleanup_free_ char *hex = malloc(2 * n + 1);
        if (!hex)
                return NULL;
        for (size_t i = 0; i < n; i++)
                snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
        return json_stringn(hex, 2 * n);
}

static int nibble(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int worker_get_hex(const json_t *answer, const char *key, char *ret, size_t size)
{
        const json_t *value = json_object_get(answer, key);
        const char *hex = json_string_value(value);
        size_t n = json_string_length(value);
        if (!hex || n % 2 != 0 || n / 2 >= size)
                return -EBADMSG;
        for (size_t i = 0; i < n; i += 2)
                if (nibble(hex[i]) < 0 || nibble(hex[i + 1]) < 0)
                        return -EBADMSG;
        for (size_t i = 0; i < n; i += 2)
                ret[i / 2] = (char)(nibble(hex[i]) << 4 | nibble(hex[i + 1]));
        ret[n / 2] = '\0';
        return 0;
}

int worker_answer(int fd, json_t *answer)
{
        _cleanup_free_ char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        json_decref(answer);
        return text && io_write_all(fd, text, strlen(text)) == 0 ? 0 : 1;
}
