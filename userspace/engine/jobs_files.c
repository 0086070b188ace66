/* jobs_files.c - the worker that reads state files: one JSON object each, bounded in number, size and time. */
#include "engine/jobs_work.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "engine/deadline.h"
#include "engine/jobs_rows.h"
#include "engine/worker.h"

/* A file that is just being written is whole a moment later. */
#define AGAIN_MS 50

#define BYTES_MAX (64ull << 20) /* of all files */

struct reading {
        const struct jobs_job *job;
        struct jobs_rows rows;
        uint64_t bytes;
        bool stopped; /* a bound was reached, and told */
};

static const char *name_of(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* ---- JSON pointers, RFC 6901 ---- */

static void unescape(char *token)
{
        char *to = token;

        for (const char *at = token; *at; at++) {
                if (at[0] == '~' && (at[1] == '0' || at[1] == '1'))
                        *to++ = *++at == '0' ? '~' : '/';
                else
                        *to++ = *at;
        }
        *to = '\0';
}

static const json_t *pointed(const json_t *value, const char *pointer)
{
        char token[128];

        while (value && *pointer == '/') {
                size_t n = strcspn(++pointer, "/");
                if (n >= sizeof(token))
                        return NULL;
                memcpy(token, pointer, n);
                token[n] = '\0';
                unescape(token);
                pointer += n;
                value = json_is_array(value) ? json_array_get(value, strtoul(token, NULL, 10))
                                             : json_object_get(value, token);
        }
        return value;
}

static struct job_value value_of(const json_t *value)
{
        struct job_value v = {.kind = JOB_VALUE_OTHER};

        if (!value || json_is_null(value)) {
                v.kind = JOB_VALUE_NULL;
        } else if (json_is_integer(value)) {
                v.kind = JOB_VALUE_INTEGER;
                v.integer = json_integer_value(value);
        } else if (json_is_real(value)) {
                v.kind = JOB_VALUE_REAL;
                v.real = json_real_value(value);
        } else if (json_is_string(value)) {
                v.kind = JOB_VALUE_TEXT;
                v.text = json_string_value(value);
                v.length = json_string_length(value);
        }
        return v;
}

static struct job_value field_of(const struct reading *r, const json_t *object, enum job_field f)
{
        const char *given = r->job->source->name[f];
        const json_t *value = given ? pointed(object, given) : NULL;

        for (const char *const *usual = jobs_field_names(f); !given && *usual && !value; usual++)
                value = json_object_get(object, *usual);
        return value_of(value);
}

/* ---- one file ---- */

static void take(struct reading *r, const char *path, const json_t *object, const struct stat *st)
{
        const char *name = name_of(path), *dot = strrchr(name, '.');
        struct job_value v[JOB_FIELDS];

        for (enum job_field f = 0; f < JOB_FIELDS; f++)
                v[f] = field_of(r, object, f);
        /* What the file does not say, its name and its time do. */
        if (v[JOB_FIELD_ID].kind == JOB_VALUE_NULL && !r->job->source->name[JOB_FIELD_ID])
                v[JOB_FIELD_ID] = (struct job_value){.kind = JOB_VALUE_TEXT,
                                                     .text = name,
                                                     .length = dot && dot > name ? (size_t)(dot - name)
                                                                                 : strlen(name)};
        if (v[JOB_FIELD_UPDATED].kind == JOB_VALUE_NULL && !r->job->source->name[JOB_FIELD_UPDATED])
                v[JOB_FIELD_UPDATED] = (struct job_value){.kind = JOB_VALUE_REAL,
                                                          .real = (double)st->st_mtim.tv_sec +
                                                                  (double)st->st_mtim.tv_nsec / 1e9};
        jobs_rows_add(&r->rows, v, name);
}

/* @return 0, also when the file was told of as odd; -EAGAIN: it is no JSON, and may be half-written */
static int read_one(struct reading *r, const char *path, bool last)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0) {
                if (errno != ENOENT) /* one that is gone is a job that has ended */
                        jobs_rows_missing(&r->rows, "%.80s: cannot be read: %s", name_of(path), strerror(errno));
                return 0;
        }
        if (!S_ISREG(st.st_mode) || st.st_size > JOBS_FILE_MAX) {
                jobs_rows_missing(&r->rows,
                                  S_ISREG(st.st_mode) ? "%.80s: %lld bytes are no state of a job"
                                                      : "%.80s: it is no regular file",
                                  name_of(path), (long long)st.st_size);
                return 0;
        }
        _cleanup_free_ char *text = malloc((size_t)st.st_size + 1);
        ssize_t n = text ? io_pread_all(fd, text, (size_t)st.st_size, 0) : -ENOMEM;
        json_t *object = n > 0 ? json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, NULL) : NULL;

        r->bytes += (uint64_t)st.st_size;
        if (json_is_object(object))
                take(r, path, object, &st);
        else if (object)
                jobs_rows_missing(&r->rows, "%.80s: it holds no JSON object", name_of(path));
        else if (last)
                jobs_rows_missing(&r->rows,
                                  n < 0 ? "%.80s: cannot be read" : "%.80s: it is no JSON, or half-written",
                                  name_of(path));
        bool again = !object && !last;
        json_decref(object);
        return again ? -EAGAIN : 0;
}

/* ---- all of them ---- */

static void pause_a_moment(void)
{
        const struct timespec t = {.tv_nsec = AGAIN_MS * 1000000};

        nanosleep(&t, NULL);
}

static bool may_go_on(struct reading *r)
{
        if (r->stopped || r->rows.more)
                return false;
        r->stopped = deadline_over(r->job->deadline) || r->bytes > BYTES_MAX;
        if (r->stopped) {
                jobs_rows_missing(&r->rows,
                                  r->bytes > BYTES_MAX
                                          ? "the files are larger than 64 MiB together: the rest is not read"
                                          : "time is up: the rest of the files is not read");
        }
        return !r->stopped;
}

static void read_all(struct reading *r, const glob_t *found)
{
        _cleanup_free_ bool *again = calloc(found->gl_pathc + 1, sizeof(*again));
        bool any = false;

        for (size_t i = 0; again && i < found->gl_pathc && may_go_on(r); i++) {
                if (i >= JOBS_FILES_MAX) {
                        jobs_rows_missing(&r->rows, "there are %zu state files: %d of them are read",
                                          found->gl_pathc, JOBS_FILES_MAX);
                        break;
                }
                again[i] = read_one(r, found->gl_pathv[i], false) == -EAGAIN;
                any = any || again[i];
        }
        if (!any)
                return;
        pause_a_moment();
        for (size_t i = 0; again && i < found->gl_pathc && !r->stopped; i++)
                if (again[i])
                        read_one(r, found->gl_pathv[i], true);
}

int jobs_files_work(int answer_fd, void *userdata)
{
        struct reading r = {.job = userdata};
        glob_t found = {0};
        int error = 0;

        if (jobs_rows_begin(&r.rows, r.job->source) < 0)
                return 1;
        int g = glob(r.job->source->files, GLOB_NOSORT, NULL, &found);
        if (g == 0)
                read_all(&r, &found);
        else if (g != GLOB_NOMATCH)
                error = g == GLOB_NOSPACE ? -ENOMEM : -EACCES;
        globfree(&found);
        return worker_answer(
                answer_fd,
                jobs_rows_answer(&r.rows, error, error ? "the directory of the state files cannot be read" : ""));
}
