/* keeper_told.c - what the keeper tells operators, in words. See keeper_private.h. */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "daemon/keeper_private.h"
#include "daemon/pace.h"

const char *told_trouble(int r)
{
        return r == -EBUSY             ? "another process keeps vigil.db locked"
               : r == -ETIME           ? "it does not answer: its disk hangs"
               : r == -ECHILD          ? "the process that writes it dies"
               : r == -ENOSPC          ? "no space is left for vigil.db"
               : r == -EROFS           ? "its file system is read-only"
               : r == -EPROTONOSUPPORT ? "a newer Vigil has made vigil.db"
                                       : strerror(-r);
}

void tell_opened(const char *dir, int r, enum store_opened how, const char *aside)
{
        if (r == -EPROTONOSUPPORT)
                log_error("store: %s/vigil.db was made by a newer Vigil, and is left alone; install that version, "
                          "or name "
                          "another directory with --state-dir",
                          dir);
        else if (r == -EBUSY)
                log_error("store: another process keeps %s/vigil.db locked; end it (fuser %s/vigil.db)", dir, dir);
        else if (r < 0)
                log_error("store: cannot open %s/vigil.db: %s", dir, strerror(-r));
        else if (how == STORE_SET_ASIDE)
                log_error("store: vigil.db was damaged: it was set aside as %s, and a new one begun; incidents of "
                          "before "
                          "are in that file only",
                          aside ? aside : "vigil.db.corrupt-…");
        else if (how == STORE_MIGRATED)
                log_note("store: %s/vigil.db was brought to version %d", dir, STORE_VERSION);
}

void tell_refused(const json_t *refused)
{
        json_t *one;
        size_t i;

        json_array_foreach (refused, i, one)
                log_error("store: a row (%s) is refused: %s; it is left out",
                          row_name((enum row_kind)json_integer_value(json_array_get(one, 0))),
                          strerror(-(int)json_integer_value(json_array_get(one, 1))));
}

void tell_set_aside(const char *dir, const struct row *r, const char *died_of, int error)
{
        if (error == 0)
                log_error("store: each process that writes one row (%s) dies of %s; it is set aside in "
                          "%s/" SET_ASIDE_FILE,
                          row_name(r->kind), died_of, dir);
        else
                log_error("store: each process that writes one row (%s) dies of %s, and it cannot be set aside in "
                          "%s/" SET_ASIDE_FILE "%s; it is lost",
                          row_name(r->kind), died_of, dir, error == -EFBIG ? ", which is full" : "");
}

void tell_stuck(const char *dir)
{
        log_warn("store: what is old cannot be removed from %s/vigil.db, not even %d rows in one step: its disk is "
                 "too "
                 "slow; it is tried again each minute, and the file may grow beyond store-bytes meanwhile",
                 dir, PACE_LEAST);
}
