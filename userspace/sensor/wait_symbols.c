/* wait_symbols.c - see wait_symbols.h. */
#include "sensor/wait_symbols.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int by_address(const void *a, const void *b)
{
        const struct wait_symbol *x = a, *y = b;

        return x->address < y->address ? -1 : x->address > y->address;
}

/* "ffffffff81000000 T name\t[module]"; of functions only. */
static bool parse(const char *line, uint64_t *ret_address, char ret_name[64])
{
        char type;

        return sscanf(line, "%lx %c %63s", ret_address, &type, ret_name) == 3 && strchr("tTwW", type) &&
               *ret_address;
}

static int add(struct wait_symbols *s, uint64_t address, int rule)
{
        /* An array doubles when its length is a power of two. */
        if ((s->n & (s->n - 1)) == 0) {
                struct wait_symbol *grown = reallocarray(s->at, s->n ? 2 * s->n : 1, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                s->at = grown;
        }
        s->at[s->n++] = (struct wait_symbol){.address = address, .rule = rule};
        return 0;
}

/* Of several names of one address the one that tells most; then only where the rule changes. */
static void compress(struct wait_symbols *s)
{
        size_t n = 0;

        if (s->n)
                qsort(s->at, s->n, sizeof(*s->at), by_address);
        for (size_t i = 0; i < s->n; i++) {
                struct wait_symbol one = s->at[i];
                for (; i + 1 < s->n && s->at[i + 1].address == one.address; i++)
                        if (s->at[i + 1].rule < one.rule)
                                one.rule = s->at[i + 1].rule;
                if (one.rule != (n ? s->at[n - 1].rule : WAIT_NO_RULE))
                        s->at[n++] = one;
        }
        s->n = n;
        struct wait_symbol *fit = n ? reallocarray(s->at, n, sizeof(*fit)) : NULL;
        if (fit)
                s->at = fit;
}

int wait_symbols_read(const char *path, struct wait_symbols *ret)
{
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        struct wait_symbols s = {0};
        char line[512], name[64];
        uint64_t address;
        int r = f ? 0 : -errno;

        while (r == 0 && fgets(line, sizeof(line), f))
                if (parse(line, &address, name))
                        r = add(&s, address, wait_rule_of(name));
        if (r == 0 && ferror(f))
                r = -EIO;
        if (r < 0) {
                wait_symbols_done(&s);
                return r;
        }
        compress(&s);
        wait_symbols_done(ret);
        *ret = s;
        return 0;
}

void wait_symbols_done(struct wait_symbols *s)
{
        free(s->at);
        *s = (struct wait_symbols){0};
}

static int rule_at(const struct wait_symbols *s, uint64_t address)
{
        size_t low = 0, high = s->n;

        while (low < high) {
                size_t mid = low + (high - low) / 2;
                if (s->at[mid].address <= address)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low ? s->at[low - 1].rule : WAIT_NO_RULE;
}

enum wait_kind wait_symbols_kind(const struct wait_symbols *s, const uint64_t *frame, size_t n)
{
        int first = WAIT_NO_RULE;

        for (size_t i = 0; i < n; i++) {
                int rule = rule_at(s, frame[i]);
                first = rule < first ? rule : first;
        }
        return wait_rule_kind(first);
}
