/* request.c - see request.h. */
#include "serve/request.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "serve/protocol.h"

static bool is_command(const char *name)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyz-";
        size_t n = name ? strspn(name, allowed) : 0;
        return n > 0 && n <= REQUEST_COMMAND_MAX && !name[n];
}

/* 0 when @p line is a request of our protocol or an older one. */
static int check_version(const json_t *line)
{
        const json_t *version = json_object_get(line, "control");
        if (!json_is_integer(version) || json_integer_value(version) < 1)
                return -EINVAL;
        return json_integer_value(version) > CONTROL_VERSION ? -EPROTONOSUPPORT : 0;
}

/* Before anything else is looked at: what a newer version puts into the other members is not ours to judge. */
static int check(json_t *line)
{
        int r = check_version(line);
        if (r < 0)
                return r;
        if (!is_command(json_string_value(json_object_get(line, "command"))))
                return -EINVAL;
        if (!json_object_get(line, "args"))
                return json_object_set_new(line, "args", json_object()) < 0 ? -ENOMEM : 0;
        return json_is_object(json_object_get(line, "args")) ? 0 : -EINVAL;
}

int control_request_parse(const char *bytes, size_t n, struct control_request *ret)
{
        json_t *line = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, NULL);
        int r = line ? check(line) : -EINVAL;
        if (r < 0) {
                json_decref(line);
                return r;
        }
        *ret = (struct control_request){.line = line,
                                        .command = json_string_value(json_object_get(line, "command")),
                                        .args = json_object_get(line, "args")};
        return 0;
}

void control_request_done(struct control_request *r)
{
        json_decref(r->line);
        *r = (struct control_request){0};
}
