/* neighbours.c - see neighbours.h. */
#include "report/neighbours.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/care.h"
#include "report/pick.h"

/* Of each kind, those that come first. */
#define TOLD 3

#define KERNEL "kernel threads"

static bool uses(const struct vigil_neighbour *n, uint32_t db)
{
        for (size_t i = 0; i < VIGIL_USES; i++)
                if (n->uses[i] == db)
                        return true;
        return false;
}

/* Who asks for a document of neighbours. */
struct telling {
        uint32_t db;
        neighbours_cgroup_fn cgroup;
        const void *userdata;
};

static json_t *process_json(const struct telling *t, const struct vigil_neighbour *n)
{
        const char *cgroup = n->cgroup_id ? t->cgroup(n->cgroup_id, t->userdata) : NULL;
        char care[CARE_LEN] = "";

        if (!n->id.tgid)
                return json_pack("{s:n, s:n, s:s, s:n, s:n}", "pid", "start_ns", "comm", KERNEL, "cgroup",
                                 "supervisor");
        if (cgroup)
                care_of_cgroup(cgroup, care);
        return json_pack("{s:I, s:I, s:o, s:o, s:o}", "pid", (json_int_t)n->id.tgid, "start_ns",
                         (json_int_t)n->id.start_ns, "comm",
                         text_json(n->id.comm, strnlen(n->id.comm, VIGIL_COMM_LEN)), "cgroup",
                         cgroup ? text_json(cgroup, strlen(cgroup)) : json_null(), "supervisor",
                         care[0] ? text_json(care, strlen(care)) : json_null());
}

/* ---- the first of many ---- */

typedef uint64_t (*amount_fn)(const struct vigil_neighbour *n);

static uint64_t waited(const struct vigil_neighbour *n)
{
        return n->waited_ns;
}

static uint64_t written(const struct vigil_neighbour *n)
{
        return n->write_bytes;
}

static uint64_t synced(const struct vigil_neighbour *n)
{
        return n->syncs;
}

static uint64_t read_by(const struct vigil_neighbour *n)
{
        return n->read_bytes;
}

static bool is_about(const struct vigil_neighbour *n, uint32_t db, uint32_t disk)
{
        return db ? n->db == db : disk && n->disk == disk;
}

/* Adds the TOLD with the highest @amount to @chosen, where they are not yet. @return how many are chosen then */
static size_t choose(const struct vigil_neighbour *list, size_t n, uint32_t db, uint32_t disk, amount_fn amount,
                     size_t *chosen, size_t nchosen)
{
        uint64_t below = UINT64_MAX;
        size_t last = n;

        for (unsigned k = 0; k < TOLD; k++) {
                size_t best = n;
                for (size_t i = 0; i < n; i++) {
                        uint64_t a = amount(&list[i]);
                        bool after = a < below || (a == below && last < n && i > last);
                        if (a && after && is_about(&list[i], db, disk) && (best == n || a > amount(&list[best])))
                                best = i;
                }
                if (best == n)
                        break;
                below = amount(&list[best]);
                last = best;
                bool there = false;
                for (size_t i = 0; i < nchosen; i++)
                        there |= chosen[i] == best;
                if (!there)
                        chosen[nchosen++] = best;
        }
        return nchosen;
}

/* ---- JSON ---- */

static json_t *holders_json(const struct telling *t, const struct vigil_neighbour *list, size_t n)
{
        size_t chosen[TOLD], nchosen = choose(list, n, t->db, 0, waited, chosen, 0);
        json_t *array = json_array();

        for (size_t i = 0; i < nchosen; i++) {
                json_t *o = process_json(t, &list[chosen[i]]);
                json_object_set_new(o, "waited_us", json_integer((json_int_t)clock_us(list[chosen[i]].waited_ns)));
                json_array_append_new(array, o);
        }
        return array;
}

static json_t *user_json(const struct telling *t, const struct vigil_neighbour *u)
{
        json_t *o = process_json(t, u);

        json_object_set_new(o, "write_bytes", json_integer((json_int_t)u->write_bytes));
        json_object_set_new(o, "read_bytes", json_integer((json_int_t)u->read_bytes));
        json_object_set_new(o, "writes", json_integer((json_int_t)u->writes));
        json_object_set_new(o, "syncs", json_integer((json_int_t)u->syncs));
        json_object_set_new(o, "uses_database", json_boolean(uses(u, t->db)));
        return o;
}

json_t *neighbours_json(const struct vigil_neighbour *list, size_t n, uint32_t db, uint32_t disk,
                        const char *device, neighbours_cgroup_fn cgroup, const void *userdata)
{
        const struct telling t = {.db = db, .cgroup = cgroup, .userdata = userdata};
        size_t chosen[3 * TOLD], nchosen = choose(list, n, 0, disk, written, chosen, 0), all = 0;
        json_t *users = json_array();

        nchosen = choose(list, n, 0, disk, synced, chosen, nchosen);
        nchosen = choose(list, n, 0, disk, read_by, chosen, nchosen);
        for (size_t i = 0; i < nchosen; i++)
                json_array_append_new(users, user_json(&t, &list[chosen[i]]));
        for (size_t i = 0; i < n; i++)
                all += is_about(&list[i], 0, disk);
        return json_pack("{s:o, s:s?, s:o, s:I}", "lock_holders", holders_json(&t, list, n), "device",
                         device && *device ? device : NULL, "users", users, "others", (json_int_t)(all - nchosen));
}

/* ---- text ---- */

static size_t __attribute__((format(printf, 4, 5))) add(char *ret, size_t size, size_t used, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        int n = vsnprintf(ret + used, size - used, fmt, ap);
        va_end(ap);
        return n > 0 && (size_t)n < size - used ? used + (size_t)n : size - 1;
}

static bool is_kernel(const json_t *user)
{
        return !json_is_integer(json_object_get(user, "pid"));
}

/* Of a cgroup that is no unit of systemd and no container, the last component. */
static const char *last_component(const char *cgroup)
{
        const char *slash = strrchr(cgroup, '/');

        return slash ? slash + 1 : cgroup;
}

static size_t add_process(char *ret, size_t size, size_t used, const json_t *o)
{
        const char *care = pick_text(o, "supervisor", ""), *cgroup = last_component(pick_text(o, "cgroup", ""));

        if (is_kernel(o))
                return add(ret, size, used, "%s", pick_text(o, "comm", "?"));
        used = add(ret, size, used, "%s (pid %" JSON_INTEGER_FORMAT, pick_text(o, "comm", "?"),
                   json_integer_value(json_object_get(o, "pid")));
        if (*care || *cgroup)
                used = add(ret, size, used, ", %s%.64s", *care ? "" : "cgroup ", *care ? care : cgroup);
        return add(ret, size, used, ")");
}

void neighbours_holder_text(char *ret, size_t size, const json_t *neighbours)
{
        const json_t *holder = json_array_get(json_object_get(neighbours, "lock_holders"), 0);
        char time[TEXT_DURATION_LEN];

        ret[0] = 0;
        if (!holder)
                return;
        text_measured(time, pick_number(holder, "waited_us"), 1000);
        size_t used = add_process(ret, size, 0, holder);
        add(ret, size, used, " while others waited %s in all", time);
}

/* A sync keeps a disk busy beyond its bytes: the file system's journal and the flush of the cache are the kernel's own requests. */
#define SYNC_BYTES (64u << 10)

static uint64_t load_of(const json_t *user)
{
        return pick_number(user, "write_bytes") + pick_number(user, "read_bytes") +
               pick_number(user, "syncs") * SYNC_BYTES;
}

/* Of those that are not in @told, who burdened the disk most. Threads of the kernel last: on whose behalf they write is not known.
 * NULL: nobody. */
static const json_t *heaviest(const json_t *users, const bool told[3 * TOLD], size_t *ret_at)
{
        const json_t *best = NULL;

        for (size_t i = 0; i < json_array_size(users) && i < (size_t)(3 * TOLD); i++) {
                const json_t *u = json_array_get(users, i);
                if (told[i] || json_is_true(json_object_get(u, "uses_database")))
                        continue;
                if (best && (is_kernel(u) > is_kernel(best) ||
                             (is_kernel(u) == is_kernel(best) && load_of(u) <= load_of(best))))
                        continue;
                best = u;
                *ret_at = i;
        }
        return best;
}

static size_t add_user(char *ret, size_t size, size_t used, const json_t *u)
{
        uint64_t written = pick_number(u, "write_bytes"), read = pick_number(u, "read_bytes"),
                 syncs = pick_number(u, "syncs");
        char bytes[TEXT_BYTES_LEN];

        used = add_process(ret, size, used, u);
        text_bytes(bytes, written);
        if (written || syncs || !read)
                used = add(ret, size, used, " wrote %s, %" PRIu64 " sync%s", bytes, syncs, syncs == 1 ? "" : "s");
        text_bytes(bytes, read);
        if (read > written)
                used = add(ret, size, used, "%s read %s", written || syncs ? "," : "", bytes);
        return used;
}

void neighbours_device_text(char *ret, size_t size, const json_t *neighbours, unsigned most)
{
        const json_t *users = json_object_get(neighbours, "users"), *u;
        bool told[3 * TOLD] = {false};
        size_t used = 0, at = 0;

        ret[0] = 0;
        for (unsigned n = 0; n < most && (u = heaviest(users, told, &at)); n++) {
                told[at] = true;
                used = n ? add(ret, size, used, "; ")
                         : add(ret, size, 0, "%s: ", pick_text(neighbours, "device", "its disk"));
                used = add_user(ret, size, used, u);
        }
}
