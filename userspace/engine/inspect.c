/* inspect.c - the confined child around engine.inspect(). */
#include "engine/inspect.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/worker.h"

#define DEADLINE_MS 5000
#define WAL_LIMIT   (256ULL << 20)

struct job {
        const struct engine *engine;
        const struct engine_files *files;
};

/* Fields of the answer. Numbers, so that nothing in it needs more than a range check. */
static const struct field {
        const char *name;
        size_t offset;
        size_t size;
} fields[] = {
#define FIELD(name)                                                                                                \
        {                                                                                                          \
#name, offsetof(struct vigil_observed, name), sizeof(((struct vigil_observed *)0)->name)           \
        }
        FIELD(flags),           FIELD(page_size),      FIELD(main_bytes),      FIELD(wal_bytes),
        FIELD(journal_bytes),   FIELD(shm_bytes),      FIELD(wal_frames),      FIELD(wal_commits),
        FIELD(wal_tail_frames), FIELD(wal_commit_end), FIELD(journal_records), FIELD(shm_max_frame),
        FIELD(shm_backfill),    FIELD(journal_pages),
#undef FIELD
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static uint64_t field_get(const struct vigil_observed *o, const struct field *f)
{
        uint64_t wide = 0;
        uint32_t narrow = 0;
        if (f->size == sizeof(wide))
                memcpy(&wide, (const char *)o + f->offset, sizeof(wide));
        else
                memcpy(&narrow, (const char *)o + f->offset, sizeof(narrow));
        return f->size == sizeof(wide) ? wide : narrow;
}

static int field_set(struct vigil_observed *o, const struct field *f, uint64_t value)
{
        if (f->size == sizeof(value)) {
                memcpy((char *)o + f->offset, &value, sizeof(value));
                return 0;
        }
        if (value > UINT32_MAX)
                return -EBADMSG;
        uint32_t narrow = (uint32_t)value;
        memcpy((char *)o + f->offset, &narrow, sizeof(narrow));
        return 0;
}

static int work(int answer_fd, void *userdata)
{
        const struct job *job = userdata;
        struct vigil_observed o;
        char question[ENGINE_QUESTION_LEN];
        int err = job->engine->inspect(job->files, WAL_LIMIT, &o, question);
        json_t *answer = json_pack("{s:i,s:o}", "error", -err, "question", worker_hex(question));
        for (size_t i = 0; answer && i < FIELDS; i++)
                json_object_set_new(answer, fields[i].name, json_integer((json_int_t)field_get(&o, &fields[i])));
        return worker_answer(answer_fd, answer);
}

static int parse(const json_t *answer, struct vigil_observed *ret, char ret_question[ENGINE_QUESTION_LEN])
{
        uint64_t error;
        int err = worker_get_u64(answer, "error", &error);
        if (err < 0 || error > 4095 || /* MAX_ERRNO of the kernel */
            worker_get_hex(answer, "question", ret_question, ENGINE_QUESTION_LEN) < 0)
                return -EBADMSG;
        for (size_t i = 0; i < FIELDS; i++) {
                uint64_t value = 0;
                err = worker_get_u64(answer, fields[i].name, &value);
                if (err == 0)
                        err = field_set(ret, &fields[i], value);
                if (err < 0)
                        return err;
        }
        return -(int)error;
}

static int inspect_files(const struct engine *engine, const struct engine_files *files, struct vigil_observed *ret)
{
        int keep[VIGIL_ROLES + 1], kept = 0;
        for (int role = 0; role < VIGIL_ROLES; role++)
                /* Not the directory: a directory that a worker keeps is one it may write to. */
                if (files->fd[role] >= 0 && role != VIGIL_ROLE_DIRECTORY)
                        keep[kept++] = files->fd[role];
        keep[kept] = -1;

        struct job job = {.engine = engine, .files = files};
        struct child_options options = worker_options(files->main_stat.st_uid, files->main_stat.st_gid,
                                                      DEADLINE_MS);
        struct child_result result;
        int err = child_run(&options, keep, work, &job, &result);
        char question[ENGINE_QUESTION_LEN];
        if (err == 0)
                err = parse(result.answer, ret, question);
        if (err == 0 && question[0])
                engine->answer(files, question, ret);
        child_result_done(&result);
        return err;
}

int inspect_database(const struct engine *engine, const char *path, struct vigil_observed *ret)
{
        *ret = (struct vigil_observed){0};
        struct vigil_observed o = {0};
        _cleanup_files_ struct engine_files files = ENGINE_NO_FILES;
        int err = engine_files_open(path, engine->companions, &files);
        if (err == 0)
                err = inspect_files(engine, &files, &o);
        if (err == 0)
                *ret = o;
        ret->error = err;
        return err;
}
