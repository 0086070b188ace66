/* comments.c - comments out of a configuration. See parse.h. */
#include <string.h>

#include "config/parse.h"
#include "config/tokens.h"

static char *blank(char *from, char *to)
{
        for (; from < to; from++)
                if (*from != '\n')
                        *from = ' ';
        return to;
}

/* The end of the comment that begins at @p, where a token could begin if @fresh; NULL: there is none. */
static char *end_of_comment(char *p, bool fresh)
{
        if (*p == '#' || (fresh && p[0] == '/' && p[1] == '/'))
                return p + strcspn(p, "\n");
        if (fresh && p[0] == '/' && p[1] == '*') {
                char *end = strstr(p + 2, "*/");
                return end ? end + 2 : p + strlen(p);
        }
        return NULL;
}

void blank_comments(char *text)
{
        bool fresh = true;

        for (char *p = text; *p;) {
                char *end = end_of_comment(p, fresh);

                if (end) {
                        p = blank(p, end);
                        fresh = true;
                } else if (*p == '"' || *p == '\'') {
                        end = end_of_quoted(p);
                        p = end ? end : p + strlen(p);
                        fresh = true;
                } else if (fresh && end_of_variable(p)) {
                        p = end_of_variable(p);
                } else {
                        fresh = strchr(" \t\r\n={}(),+", *p) != NULL;
                        p++;
                }
        }
}
