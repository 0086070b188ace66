/* fuzz_inspect.c - four files that lie, looked at as the worker does, and the sentence about them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/engine.h"
#include "engine/predict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file_of(const uint8_t *data, size_t n)
{
        int fd = memfd_create("fuzz", MFD_CLOEXEC);
        if (fd < 0 || (n > 0 && write(fd, data, n) != (ssize_t)n))
                abort();
        return fd;
}

/* Three lengths of two bytes, in units of eight: main file, -wal, -journal; the -shm gets the rest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const enum vigil_role order[] = {VIGIL_ROLE_MAIN, VIGIL_ROLE_WAL, VIGIL_ROLE_JOURNAL,
                                                VIGIL_ROLE_SHM};
        struct engine_files files = {.fd = {-1, -1, -1, -1, -1, -1}};
        struct vigil_observed o;
        char question[ENGINE_QUESTION_LEN], text[PREDICT_LEN];
        if (size < 6)
                return 0;
        size_t at = 6;
        for (size_t i = 0; i < 4; i++) {
                size_t n = i < 3 ? 8 * ((size_t)data[2 * i] << 8 | data[2 * i + 1]) : size;
                if (n > size - at)
                        n = size - at;
                if (n > 0 || i == 0)
                        files.fd[order[i]] = file_of(data + at, n);
                at += n;
        }
        if (engine_sqlite.inspect(&files, size, &o, question) != 0)
                abort();
        if (memchr(question, '\0', sizeof(question)) == NULL || o.wal_commits > o.wal_frames ||
            o.wal_commit_end > o.wal_bytes || o.journal_pages * 512ULL > o.journal_bytes)
                abort();
        if (predict_next_open(&o, text, sizeof(text)) != 0 || text[0] == '\0')
                abort();
        engine_files_close(&files);
        return 0;
}
