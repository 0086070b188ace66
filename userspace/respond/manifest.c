#include "respond/manifest.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/cleanup.h"

#define SCHEMA "vigil.backup/1"

/* How one value stands in struct manifest. */
enum kind {
        TEXT, /* char *, UTF-8 */
        PATH, /* char *, any bytes: "<key>_hex" carries them when they are not UTF-8 */
        TIME, /* char[TEXT_TIME_LEN] */
        HASH, /* char[HASH_HEX_LEN], empty or 64 hex digits */
        BOOL,
        U64,
        JSON, /* json_t *, an object */
};

/* The document, in its order. A missing optional value is NULL, 0 or "". */
static const struct field {
        const char *group; /* object in which it stands; NULL: the document itself */
        const char *key;
        enum kind kind;
        size_t offset;
        const char *required; /* what is said when it is missing or of another type; NULL: optional */
} fields[] = {
#define FIELD(group, key, kind, member, required)                                                                  \
        {                                                                                                          \
                group, key, kind, offsetof(struct manifest, member), required                                      \
        }
        FIELD(NULL, "verified", BOOL, verified, "it does not say whether the copy was verified"),
        FIELD(NULL, "database", TEXT, database, "it does not name the database"),
        FIELD(NULL, "reason", TEXT, reason, NULL),
        FIELD(NULL, "verdict", TEXT, verdict, NULL),
        FIELD(NULL, "incident", TEXT, incident, NULL),
        FIELD(NULL, "problem", TEXT, problem, NULL),
        FIELD(NULL, "created_at", TIME, created_at, "it does not say when the copy was made"),
        FIELD(NULL, "method", TEXT, method, NULL),
        FIELD(NULL, "attempts", U64, attempts, NULL),
        FIELD(NULL, "ms", U64, ms, NULL),
        FIELD(NULL, "vigil", TEXT, vigil, NULL),
        FIELD(NULL, "host", TEXT, host, NULL),
        FIELD(NULL, "boot_id", TEXT, boot_id, NULL),
        FIELD("file", "bytes", U64, bytes, "it does not give the size of the copy"),
        FIELD("file", "sha256", HASH, sha256, NULL),
        FIELD("file", "page_size", U64, page_size, NULL),
        FIELD("source", "path", PATH, source, "it does not give the path of the database"),
        FIELD("source", "bytes", U64, source_bytes, NULL),
        FIELD("source", "wal_bytes", U64, source_wal_bytes, NULL),
        FIELD("source", "wal_salt", TEXT, wal_salt, NULL),
        FIELD("source", "inode", U64, source_inode, NULL),
        FIELD("source", "uid", U64, uid, NULL),
        FIELD("source", "gid", U64, gid, NULL),
        FIELD("source", "mode", U64, mode, NULL),
        FIELD("contains", "from", TIME, from, NULL),
        FIELD("contains", "until", TIME, until, NULL),
        FIELD("contains", "wal_commits", U64, wal_commits, NULL),
        FIELD(NULL, "check", JSON, check, NULL),
#undef FIELD
};

#define N_FIELDS (sizeof(fields) / sizeof(*fields))

void manifest_done(struct manifest *m)
{
        for (size_t i = 0; i < N_FIELDS; i++) {
                void *at = (char *)m + fields[i].offset;
                if (fields[i].kind == TEXT || fields[i].kind == PATH)
                        free(*(char **)at);
                else if (fields[i].kind == JSON)
                        json_decref(*(json_t **)at);
        }
        *m = (struct manifest){0};
}

/* Numbers are below 2^63 or they are not written: JSON readers have signed ones. */
static json_t *number(uint64_t value)
{
        return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *text_or_null(const char *text)
{
        return text && *text ? text_json(text, strlen(text)) : json_null();
}

static int set_field(json_t *object, const struct field *f, const void *at)
{
        const char *text = f->kind == TEXT || f->kind == PATH ? *(char *const *)at : at;

        switch (f->kind) {
        case PATH:
                return text ? text_json_set(object, f->key, text, strlen(text))
                            : json_object_set_new(object, f->key, json_null());
        case TEXT:
        case TIME:
        case HASH:
                return json_object_set_new(object, f->key, text_or_null(text));
        case BOOL:
                return json_object_set_new(object, f->key, json_boolean(*(const bool *)at));
        case U64:
                return json_object_set_new(object, f->key, number(*(const uint64_t *)at));
        case JSON:
                return *(json_t *const *)at ? json_object_set(object, f->key, *(json_t *const *)at)
                                            : json_object_set_new(object, f->key, json_null());
        }
        return -1;
}

/* The object a field stands in; with make it is created. Borrowed. */
static json_t *group_of(json_t *document, const struct field *f, bool make)
{
        if (!f->group)
                return document;
        json_t *group = json_object_get(document, f->group);
        if (!group && make && (group = json_object()))
                if (json_object_set_new(document, f->group, group) < 0)
                        return NULL;
        return group;
}

static json_t *files_to_json(const struct manifest *m)
{
        json_t *files = json_array();

        for (size_t i = 0; files && i < m->n_files; i++) {
                const struct manifest_file *f = &m->files[i];
                json_t *one = json_pack("{s:s, s:o, s:s}", "name", f->name, "bytes", number(f->bytes), "sha256",
                                        f->sha256);
                if (!one || json_array_append_new(files, one) < 0) {
                        json_decref(files);
                        return NULL;
                }
        }
        return files;
}

json_t *manifest_to_json(const struct manifest *m)
{
        json_t *document = json_pack("{s:s, s:s}", "schema", SCHEMA, "class", m->evidence ? "evidence" : "backup");
        bool ok = document != NULL;

        for (size_t i = 0; ok && i < N_FIELDS; i++) {
                json_t *object = group_of(document, &fields[i], true);
                ok = object && set_field(object, &fields[i], (const char *)m + fields[i].offset) == 0;
        }
        if (ok && m->evidence)
                ok = json_object_set_new(document, "files", files_to_json(m)) == 0;
        if (!ok) {
                json_decref(document);
                return NULL;
        }
        return document;
}

static int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_hash(const char *text)
{
        return strlen(text) == HASH_HEX_LEN - 1 && strspn(text, "0123456789abcdef") == HASH_HEX_LEN - 1;
}

/* Text of "<key>_hex". NULL: it is no hex, or holds a NUL. */
static char *from_hex(const char *hex)
{
        size_t n = strlen(hex);
        char *bytes = n % 2 ? NULL : malloc(n / 2 + 1);

        for (size_t i = 0; bytes && i < n; i += 2) {
                int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
                if (high < 0 || low < 0 || (high == 0 && low == 0)) {
                        free(bytes);
                        return NULL;
                }
                bytes[i / 2] = (char)(high * 16 + low);
        }
        if (bytes)
                bytes[n / 2] = '\0';
        return bytes;
}

static char *get_path(const json_t *object, const char *key)
{
        char hex_key[64];

        snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
        const char *hex = json_string_value(json_object_get(object, hex_key));
        const char *plain = json_string_value(json_object_get(object, key));
        char *path = hex ? from_hex(hex) : plain ? strdup(plain) : NULL;
        if (path && *path == '/')
                return path;
        free(path);
        return NULL;
}

/* True when the value is there and of its type. */
static bool get_field(const json_t *object, const struct field *f, void *at)
{
        const json_t *value = json_object_get(object, f->key);
        const char *text = json_string_value(value);

        switch (f->kind) {
        case TEXT: /* an empty one is written as null: it is none */
                return text && *text && (*(char **)at = strdup(text));
        case PATH:
                return (*(char **)at = get_path(object, f->key));
        case TIME:
                if (!text || !*text || strlen(text) >= TEXT_TIME_LEN)
                        return false;
                memcpy(at, text, strlen(text) + 1);
                return true;
        case HASH:
                if (!text || !is_hash(text))
                        return false;
                memcpy(at, text, HASH_HEX_LEN);
                return true;
        case BOOL:
                *(bool *)at = json_is_true(value);
                return json_is_boolean(value);
        case U64:
                if (!json_is_integer(value) || json_integer_value(value) < 0)
                        return false;
                *(uint64_t *)at = (uint64_t)json_integer_value(value);
                return true;
        case JSON:
                if (!json_is_object(value))
                        return false;
                *(json_t **)at = json_incref((json_t *)value);
                return true;
        }
        return false;
}

/* A name that stays in its directory. */
static bool is_plain_name(const char *name)
{
        return *name && strlen(name) < sizeof(((struct manifest_file *)0)->name) && !strchr(name, '/') &&
               strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static const char *parse_files(const json_t *files, struct manifest *m)
{
        size_t n = json_array_size(files);

        if (n == 0 || n > MANIFEST_MAX_FILES)
                return "it lists no files, or too many";
        for (size_t i = 0; i < n; i++) {
                const json_t *one = json_array_get(files, i);
                const char *name = json_string_value(json_object_get(one, "name"));
                const char *sha256 = json_string_value(json_object_get(one, "sha256"));
                const json_t *bytes = json_object_get(one, "bytes");
                if (!name || !is_plain_name(name) || !sha256 || !is_hash(sha256) || !json_is_integer(bytes) ||
                    json_integer_value(bytes) < 0)
                        return "one of the files it lists has no plain name, size or hash";
                struct manifest_file *f = &m->files[m->n_files++];
                memcpy(f->name, name, strlen(name) + 1);
                memcpy(f->sha256, sha256, HASH_HEX_LEN);
                f->bytes = (uint64_t)json_integer_value(bytes);
        }
        return NULL;
}

static const char *parse_document(json_t *document, struct manifest *m)
{
        const char *class = json_string_value(json_object_get(document, "class"));

        if (!class || (strcmp(class, "backup") != 0 && strcmp(class, "evidence") != 0))
                return "its class is neither backup nor evidence";
        m->evidence = strcmp(class, "evidence") == 0;
        for (size_t i = 0; i < N_FIELDS; i++) {
                json_t *object = group_of(document, &fields[i], false);
                if (!get_field(object, &fields[i], (char *)m + fields[i].offset) && fields[i].required)
                        return fields[i].required;
        }
        if (m->evidence)
                return m->verified ? "it calls evidence verified"
                                   : parse_files(json_object_get(document, "files"), m);
        return *m->sha256 ? NULL : "it does not give the hash of the copy";
}

int manifest_parse(const char *text, size_t n, struct manifest *ret, const char **ret_problem)
{
        if (n > MANIFEST_MAX_BYTES)
                return -ENOMSG;
        json_t *document = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
        const char *schema = json_string_value(json_object_get(document, "schema"));
        if (!schema || strcmp(schema, SCHEMA) != 0) {
                json_decref(document);
                return -ENOMSG;
        }
        struct manifest m = {0};
        const char *problem = parse_document(document, &m);
        json_decref(document);
        if (problem) {
                manifest_done(&m);
                *ret_problem = problem;
                return -EBADMSG;
        }
        *ret = m;
        return 0;
}
