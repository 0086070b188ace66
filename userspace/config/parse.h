/* parse.h - from text to libconfuse's tree, with the line of each value. Layer: config, private to it. */
#pragma once

#include <confuse.h>

#include "config/config.h"
#include "config/grammar.h"

struct parsed;

/**
 * Parses @p text, and tells every mistake of its structure (repair.h).
 *
 * @param text borrowed by @p ret
 * @param ret  owned by the caller, as far as it got with -EINVAL; NULL with -ENOMEM and where a quote is never closed
 * @return 0: parsed to its end, maybe with mistakes among @p errors; -EINVAL: it could not be; -ENOMEM
 */
int parse_text(const char *text, struct config_errors *errors, struct parsed **ret);
void parsed_free(struct parsed *p);

cfg_t *parsed_root(const struct parsed *p);
/** The line where @p opt was set last; 0: it was not set. */
unsigned parsed_line(const struct parsed *p, const cfg_opt_t *opt);

/** The line where the section @p name with @p title begins; libconfuse knows only where it ended, in line @p end. */
unsigned parsed_section_line(const struct parsed *p, const char *name, const char *title, unsigned end);

/** The name of @p section as the file has it. */
const char *parsed_title(const struct parsed *p, cfg_t *section);

/** Makes blanks of comments: `#` outside of quotes, `//` and slash-asterisk where a token may begin. libconfuse 3.3 counts each
 * line that has one three times. */
void blank_comments(char *text);

/** Adds a complaint. Beyond the bound it is only counted. */
void complain(struct config_errors *errors, unsigned line, bool note, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));
