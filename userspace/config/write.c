/* write.c - see write.h. */
#include "config/write.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"

/* Bytes of the file's name in the name of the database; with a hyphen and the digits it stays below the longest. */
#define STEM_LEN   40
#define HASH_CHARS 8

/* The file's name without what only says that it is a database. */
static size_t stem_of(const char *base)
{
        static const char *const endings[] = {".db", ".sqlite", ".sqlite3", ".db3"};
        size_t n = strlen(base);

        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
                size_t m = strlen(endings[i]);
                if (n > m && strcmp(base + n - m, endings[i]) == 0)
                        return n - m;
        }
        return n;
}

int config_found_name(const char *path, char ret[CONFIG_NAME_LEN])
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        size_t n = stem_of(base) < STEM_LEN ? stem_of(base) : STEM_LEN;
        _cleanup_hash_ struct hash *h = NULL;
        char hex[HASH_HEX_LEN];

        int r = hash_new(&h);
        if (r == 0)
                r = hash_add(h, path, strlen(path));
        if (r == 0)
                r = hash_end(h, hex);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                ret[i] = strchr(plain, base[i]) && (i || base[i] != '.') ? base[i] : '_';
        snprintf(ret + n, CONFIG_NAME_LEN - n, "%s%.*s", n ? "-" : "", HASH_CHARS, hex);
        return 0;
}

void config_found_policy(struct config_database *d)
{
        d->wal = config_wal_default;
        d->locks = config_locks_default;
        d->check = (struct config_check){.method = CONFIG_CHECK_QUICK, .deadline_ms = 600000};
        d->backup = (struct config_backup){
                .on = CONFIG_ON_UNCLEAN | CONFIG_ON_HAZARD | CONFIG_ON_SYNC_ERROR | CONFIG_ON_CORRUPT,
                .keep = 3,
                .min_interval_ms = 3600000,
                .max_per_hour = 1,
                .byte_budget = 1ULL << 30,
        };
}

void config_write_quoted(FILE *out, const char *text)
{
        putc('\'', out);
        for (; *text; text++) {
                if (*text == '\'' || *text == '\\')
                        putc('\\', out);
                putc(*text, out);
        }
        putc('\'', out);
}

void config_write_database(FILE *out, const struct config_database *d)
{
        fprintf(out, "database \"%s\" {\n  path = ", d->name);
        config_write_quoted(out, d->path);
        uint64_t minutes = d->backup.min_interval_ms / 60000, mib = d->backup.byte_budget >> 20;
        bool hours = minutes % 60 == 0, gib = mib % 1024 == 0;
        fprintf(out,
                "\n  backup { keep = %u  min-interval = \"%" PRIu64 "%s\"  max-per-hour = %u  max-bytes = %" PRIu64
                "%s }\n}\n",
                d->backup.keep, hours ? minutes / 60 : minutes, hours ? "h" : "m", d->backup.max_per_hour,
                gib ? mib / 1024 : mib, gib ? "G" : "M");
}
