/* questions.h - what the documents have in common. Layer: store. */
#pragma once

#include "store/private.h"

#define QUESTION_LIMIT     1000
#define QUESTION_LIMIT_MAX 10000
#define QUESTION_BYTES     (8u << 20) /* of stored text: less than an answer of the control socket may hold */

#define QUESTION_MS 1000

/** From here to question_end(), a statement that has not ended by the deadline of @p q gives -ETIME: nothing that is asked may
 * keep the monitor from a death. */
void question_begin(struct store *s, const struct store_query *q);
void question_end(struct store *s);

/** One list of a document while it is made. */
struct answer {
        json_t *list; /* new reference */
        size_t limit, bytes;
        bool cut;
};

/** How many entries were asked for. */
size_t question_limit(const struct store_query *q);

/** Puts one entry for each row until the limit. @p make takes the row and gives a new reference or NULL: out of memory.
 * Ends the statement. @return 0 or -errno; then the list is gone */
int answer_rows(struct store *s, sqlite3_stmt *rows, struct answer *a,
                int (*make)(struct store *s, sqlite3_stmt *row, json_t **ret));

/** One kind of document: its two questions, the one by id (?1) and the one by all the rest: ?2 status, ?3 database, ?4 since,
 * ?5 until. */
struct question {
        const char *schema, *key, *by_id, *by_range;
        int (*make)(struct store *s, sqlite3_stmt *row, json_t **ret);
};

/** {"schema": …, key: […]} and "cut": true where there was more. @return 0; -ENOENT: no such id; or -errno */
int question_ask(struct store *s, const struct question *k, const struct store_query *q, json_t **ret);

/** Sets @p key to RFC 3339 of @p ns; null for 0. */
void answer_time(json_t *o, const char *key, int64_t ns);
/** Sets @p key to the text of a column; null for NULL. */
void answer_text(json_t *o, const char *key, sqlite3_stmt *row, int column);
