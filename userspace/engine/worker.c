/* worker.c - confinement and answers of the workers of this stage. */
#include "engine/worker.h"

#include <errno.h>
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
                .memory_limit = 1ULL << 30,
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

int worker_answer(int fd, json_t *answer)
{
        _cleanup_free_ char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        json_decref(answer);
        return text && io_write_all(fd, text, strlen(text)) == 0 ? 0 : 1;
}
