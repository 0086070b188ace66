/* tokens.c - see tokens.h. */
#include "config/tokens.h"

#include <string.h>

/* Goes behind the quoted text that begins here. */
static char *end_of_quoted(struct tokens *t)
{
        unsigned begun = t->line;
        char *p = t->at, quote = *p++;

        for (; *p && *p != quote; p++) {
                if (*p == '\\' && p[1])
                        p++;
                t->line += *p == '\n';
        }
        if (!*p)
                t->open_quote = begun;
        return *p ? p + 1 : p;
}

static char *end_of_word(char *p)
{
        if (p[0] == '$' && p[1] == '{' && strchr(p, '}'))
                return strchr(p, '}') + 1;
        size_t n = strcspn(p, " \t\r\n\"'={}()+,");
        return p + (n ? n : 1);
}

static struct token word(struct tokens *t)
{
        struct token token = {.kind = TOKEN_WORD, .from = t->at, .line = t->line, .text = t->at};
        int quotes = *t->at == '"' || *t->at == '\'';

        token.to = t->at = quotes ? end_of_quoted(t) : end_of_word(t->at);
        token.text += quotes;
        token.n = (int)(token.to - token.text) - (quotes && token.to - token.from > 1);
        return token;
}

struct token token_next(struct tokens *t)
{
        for (; *t->at && strchr(" \t\r\n", *t->at); t->at++)
                t->line += *t->at == '\n';

        struct token token = {.kind = TOKEN_SIGN, .sign = *t->at, .from = t->at, .line = t->line};
        if (!*t->at) {
                token.kind = TOKEN_END;
        } else if (strchr("{}()=,", *t->at)) {
                t->at++;
        } else if (t->at[0] == '+' && t->at[1] == '=') {
                token.sign = '=';
                t->at += 2;
        } else {
                return word(t);
        }
        token.to = t->at;
        return token;
}

struct token token_peek(const struct tokens *t)
{
        struct tokens ahead = *t;

        return token_next(&ahead);
}
