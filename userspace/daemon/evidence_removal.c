/* evidence_removal.c - evidence that may go makes room. See evidence.h. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "daemon/evidence.h"
#include "daemon/tree.h"

#define ID_DIGITS 16
#define GOING     ".removed" /* what a directory that goes is called besides */

bool evidence_is_id(const char *name)
{
        return strncmp(name, "i-", 2) == 0 && strspn(name + 2, "0123456789abcdef") == ID_DIGITS &&
               !name[2 + ID_DIGITS];
}

/* What a helper that was killed has left. */
static void sweep(const char *directory)
{
        _cleanup_closedir_ DIR *dir = opendir(directory);

        for (struct dirent *e; dir && (e = readdir(dir));) {
                _cleanup_free_ char *path = NULL;
                size_t n = strlen(e->d_name), m = strlen(GOING);
                if (n != 2 + ID_DIGITS + m || strcmp(e->d_name + n - m, GOING) != 0)
                        continue;
                if (asprintf(&path, "%s/%s", directory, e->d_name) >= 0)
                        (void)tree_remove(path);
                else
                        path = NULL;
        }
}

/* @return 0, -ENOENT: there is none, or -errno */
static int remove_one(const char *directory, const char *id, uint64_t *ret_bytes)
{
        _cleanup_free_ char *path = NULL, *going = NULL;

        if (asprintf(&path, "%s/%s", directory, id) < 0)
                return path = NULL, -ENOMEM;
        if (asprintf(&going, "%s" GOING, path) < 0)
                return going = NULL, -ENOMEM;
        *ret_bytes = tree_bytes(path);
        if (rename(path, going) < 0)
                return -errno;
        return tree_remove(going);
}

json_t *evidence_room_json(const char *directory, const char *ids, uint64_t goal)
{
        _cleanup_free_ char *list = ids ? strdup(ids) : NULL;
        char *rest = list;
        json_t *removed = json_array();
        int r = 0;

        sweep(directory);
        uint64_t bytes = tree_bytes(directory);
        for (char *id; r == 0 && bytes > goal && (id = strsep(&rest, " "));) {
                uint64_t gone = 0;
                if (!evidence_is_id(id))
                        continue;
                r = remove_one(directory, id, &gone);
                if (r == 0)
                        json_array_append_new(removed,
                                              json_pack("{s:s, s:I}", "id", id, "bytes", (json_int_t)gone));
                r = r == -ENOENT ? 0 : r;
                bytes -= gone < bytes ? gone : bytes;
        }
        return json_pack("{s:i, s:I, s:o, s:s?}", "error", r, "bytes", (json_int_t)tree_bytes(directory), "removed",
                         removed, "reason", r < 0 ? strerror(-r) : NULL);
}
