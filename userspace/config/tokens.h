/* tokens.h - words, quoted texts and signs of a configuration, cut as libconfuse's lexer cuts them. Layer: config, private to
 * it. */
#pragma once

#include <stddef.h>

enum token_kind {
        TOKEN_END,
        TOKEN_WORD, /* quoted or not */
        TOKEN_SIGN, /* one of { } ( ) = , and += */
};

struct token {
        enum token_kind kind;
        char sign;        /* of TOKEN_SIGN; '=' also for += */
        char *from, *to;  /* all of it, with its quotes */
        const char *text; /* of TOKEN_WORD: without them, as it stands there */
        int n;
        unsigned line;
};

/** Where reading stands; a copy of it looks ahead. */
struct tokens {
        char *at;
        unsigned line;
        unsigned open_quote; /* the line of a quote that is never closed; 0: none was met */
};

/** Behind the `${…}` that begins at @p p, whatever stands in it; NULL: none does. */
char *end_of_variable(char *p);

/** Behind the quoted text that begins at @p p; NULL: it is never closed. */
char *end_of_quoted(char *p);

/** The next token; @p t stands behind it. */
struct token token_next(struct tokens *t);

/** The one behind, without going there. */
struct token token_peek(const struct tokens *t);
