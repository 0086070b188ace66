/* tokens.c - see tokens.h. */
#include "config/tokens.h"

#include <string.h>

char *end_of_variable(char *p)
{
        char *end = p[0] == '$' && p[1] == '{' ? strchr(p, '}') : NULL;

        return end ? end + 1 : NULL;
}

char *end_of_quoted(char *p)
{
        char quote = *p++;

        while (*p && *p != quote) {
                char *variable = quote == '"' ? end_of_variable(p) : NULL;

                if (variable)
                        p = variable;
                else
                        p += *p == '\\' && p[1] ? 2 : 1;
        }
        return *p ? p + 1 : NULL;
}

static char *end_of_word(char *p)
{
        char *variable = end_of_variable(p);

        if (variable)
                return variable;
        size_t n = strcspn(p, " \t\r\n\"'={}()+,*");
        return p + (n ? n : 1);
}

static struct token word(struct tokens *t)
{
        struct token token = {.kind = TOKEN_WORD, .from = t->at, .line = t->line, .text = t->at};
        int quotes = *t->at == '"' || *t->at == '\'';

        token.to = quotes ? end_of_quoted(t->at) : end_of_word(t->at);
        if (!token.to) {
                t->open_quote = t->line;
                token.to = t->at + strlen(t->at);
        }
        for (; t->at < token.to; t->at++)
                t->line += *t->at == '\n';
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
