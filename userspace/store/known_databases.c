/* known_databases.c - of which databases anything is stored, also of those that nobody guards any more. */
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "store/questions.h"

#define LOOK_MS 250 /* the monitor asks this between two deaths */

int store_knows_database(struct store *s, const char *name, char *ret_nearest, size_t size)
{
        static const char sql[] = "SELECT database FROM backups UNION SELECT database FROM checks"
                                  " UNION SELECT database FROM alerts UNION SELECT database FROM certificates"
                                  " UNION SELECT database FROM baselines UNION SELECT database FROM actions"
                                  " UNION SELECT database FROM summaries UNION SELECT database FROM events";
        const struct store_query within = {.deadline_ms = LOOK_MS};
        size_t best = SUGGEST_NONE;
        sqlite3_stmt *row = NULL;
        int r = store_ask(s, sql, NULL, 0, &row);

        if (r < 0)
                return r;
        ret_nearest[0] = '\0';
        question_begin(s, &within);
        while ((r = store_next(s, row)) == 1) {
                const char *known = store_text(row, 0);
                if (strcmp(known, name) == 0)
                        break;
                if (suggest_nearer(name, known, &best))
                        snprintf(ret_nearest, size, "%s", known);
        }
        store_done(s, row);
        question_end(s);
        return r;
}
