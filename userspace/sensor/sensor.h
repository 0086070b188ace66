/* sensor.h - the eyes: programs loaded and attached, databases and processes put under watch, records taken from the
 * rings. Layer: sensor.
 *
 * Life: sensor_open() loads and attaches everything; sensor_canary() proves that it sees; sensor_watch(), sensor_mark() and
 * sensor_seed() say what matters; sensor_poll() delivers records; sensor_finish() delivers the accounts that the kernel
 * kept. sensor_close() detaches, which takes some 70 ms for each classic tracepoint: do it last, or in a child. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/abi.h"

struct sensor;

/** What to load. */
struct sensor_options {
        bool adopt;            /* take databases under watch that the marked tree locks */
        bool second_names;     /* and watched files under other names that somebody opens them by */
        bool stream_all;       /* stream every operation, not only the rare ones */
        bool reads;            /* attach to the read calls, too */
        bool attribution;      /* find out where the time of commits and syncs goes, if this kernel can tell */
        bool verbose;          /* libbpf may speak */
        bool (*give_up)(void); /* asked when everything is loaded and nothing is attached yet; NULL: never */
        const char *
                keep; /* what is watched outlives us under this name, and is taken over by it; NULL: it ends with us */
};

/** Length of the text that says why something is not possible. */
#define SENSOR_WHY_LEN 256

/**
 * Loads the programs and attaches them.
 *
 * @param why  SENSOR_WHY_LEN bytes: on failure one sentence, what is missing and how to get it
 * @return 0; -ECANCELED it was asked to give up; -EPERM no privilege, or the kernel refuses (lockdown); -EOPNOTSUPP the kernel lacks BTF, ring buffers or
 *         tracepoints that are needed; or -errno
 */
int sensor_open(const struct sensor_options *options, struct sensor **ret, char why[SENSOR_WHY_LEN]);

/** Detaches and frees, also what would outlive us. Slow; see above. NULL is allowed. */
void sensor_close(struct sensor *s);

/** Frees, and leaves the kernel side to whoever takes over; where it is not kept, as sensor_close(). NULL is allowed. */
void sensor_leave(struct sensor *s);

/** Why the kernel side does not outlive this process; "": nobody asked for that. NULL: it does. Static, or as long as @p s. */
const char *sensor_not_kept(const struct sensor *s);

/** Why what an earlier process had left was removed rather than taken over. NULL: it was taken, or there was none. As long as @p s. */
const char *sensor_not_taken(const struct sensor *s);

/** Why nothing is told of where time goes; "": nobody asked for that. NULL: it is. As long as @p s. */
const char *sensor_not_attributed(const struct sensor *s);

/** Whether it could: tries. @param why  why not, when it fails. @return 0 or -errno */
int sensor_try_keeping(struct sensor *s, char why[SENSOR_WHY_LEN]);

/** Whether this kernel lets it be told where time goes: loads the programs once more, with those, and attaches none.
 * @param why  why not, when it fails. @return 0 or -errno */
int sensor_try_attribution(char why[SENSOR_WHY_LEN]);

#define SENSOR_KEEP_NAME 17

/** What a daemon with the state directory @p state_dir (resolved) keeps its watch under: of two none takes what is the other's. */
void sensor_keep_name(const char *state_dir, char ret[SENSOR_KEEP_NAME]);

/** Calls @p each for what somebody has left and nobody uses: its directory of pins and what it was kept under.
 * @return how many, or -errno */
int sensor_left(void (*each)(void *userdata, const char *dir, const char *name), void *userdata);

/** Removes what a process has left under @p keep and nobody has taken over. @return how many sets; -EWOULDBLOCK its owner lives;
 * or -errno, and @p why says it */
int sensor_forget(const char *keep, char why[SENSOR_WHY_LEN]);

/**
 * Whether the kernel side is that of an earlier process. Its databases wait for sensor_watch() by the same path, with which they
 * keep their ids and their accounts; call it for all that are wanted, then sensor_let_go() for those that are not, then poll: the
 * records that the earlier process did not take, or had not stored, come again.
 * @param ret_let_go  it had let go of urgent records before they were stored: some may be missing
 */
bool sensor_taken_over(const struct sensor *s, bool *ret_let_go);
int sensor_let_go(struct sensor *s); /* 0 or -errno */

/** All that has been delivered is stored: should this process die, it need not be delivered again. What is said of urgent records
 * counts a second later, since a signal comes before the death that it explains. */
void sensor_stored(struct sensor *s);

/** Bytes that a note may have. */
#define SENSOR_NOTE_BYTES 256
/** Writes down, and reads, what whoever takes over must know of database @p id (0: of all). Gone with the database; at first zero.
 * @return 0; -E2BIG; or -errno */
int sensor_note(struct sensor *s, unsigned id, const void *bytes, size_t n);
int sensor_noted(struct sensor *s, unsigned id, void *ret, size_t n);

/** "tracepoint": the tier that was chosen. Static. */
const char *sensor_tier(const struct sensor *s);

/** Whether the write path reads kernel memory by typed casts (6.2): without them each write that is watched costs more. */
bool sensor_casts(const struct sensor *s);

/** Probes that could not be attached. */
unsigned sensor_probes_missing(const struct sensor *s);

/** Kernel memory of all maps in bytes, as the kernel accounts for it (memlock of each map). */
uint64_t sensor_kernel_memory(const struct sensor *s);

/** Takes a record; valid during the call. A negative value ends the poll and is returned by it. */
typedef int (*sensor_fn)(const struct vigil_hdr *record, void *userdata);

/** How a process is to be looked at; combined. */
enum sensor_mark {
        SENSOR_TREE = 1 << 0,   /* it and what it forks may have databases adopted */
        SENSOR_OWN = 1 << 1,    /* it and what it forks is never looked at */
        SENSOR_CMD = 1 << 2,    /* it is the command */
        SENSOR_CANARY = 1 << 3, /* it is the sensor's own test process */
        SENSOR_RELAY =
                1
                << 4, /* it, and none of its children, passes on SIGHUP, SIGINT, SIGQUIT and SIGTERM: who sent it one is told */
};

/**
 * Marks the process @p pid, and through fork all its later children. Mark a child before it runs anything of its own.
 * @return 0; -E2BIG the map of processes is full
 */
int sensor_mark(struct sensor *s, pid_t pid, unsigned marks);

/**
 * The identity of a living process as the kernel has it: its start in ns of CLOCK_BOOTTIME, which procfs rounds to ticks.
 * @return 0; -ESRCH there is no such process, or it has no file open; or -errno
 */
int sensor_identify(struct sensor *s, pid_t pid, uint64_t *ret_start_ns);

/**
 * Watches the database at @p path, which may not exist yet; its directory must. Symbolic links are followed: companions
 * stand beside the file itself. Sends a VIGIL_DATABASE record with the next poll.
 *
 * @param ret_id  kernel id of the database
 * @return 0; -ENOENT no such directory; -EISDIR; -EINVAL neither a regular file nor nothing; -ENAMETOOLONG;
 *         -EEXIST it is watched already (@p ret_id is set); -E2BIG too many; or -errno
 */
int sensor_watch(struct sensor *s, const char *path, unsigned *ret_id);

/**
 * Ends the watch of database @p id: its names, its files, and its directory where no other needs it. Records of those who
 * have it open still come; its account stays readable until nobody names it any more, and only then its id is given out again.
 * @return 0; -ENOENT it is not watched; or -errno
 */
int sensor_unwatch(struct sensor *s, unsigned id);

/**
 * Whether @p path, by which database @p id came under watch, leads elsewhere now: its directory was replaced, mounted over or
 * unmounted, or a link was changed. Then sensor_unwatch() and sensor_watch(). A main file that was replaced in its
 * directory is none of this: it stays under watch by its name.
 * @return 1 elsewhere; 0 where it was; -errno: nowhere, its directory cannot be reached
 */
int sensor_moved(struct sensor *s, unsigned id, const char *path);

/**
 * Tells the kernel side where in its memory the files of database @p id are. It drops what nobody has open, and reads it to another place
 * when somebody comes: from then on until this call or the next open, a rename of such a file is missed, and the removal of another file
 * of that name counts as that of ours. Four opens with O_PATH, and no wait for anything that a look-up does not wait for.
 * @return how many stand where they are looked for and are those that are watched; -ENOENT it is not watched
 */
int sensor_renew(struct sensor *s, unsigned id);

/**
 * Finds the processes that have a file of a watched database open already, with what they hold locked: they become
 * participants, marked as seen late. Delivers a VIGIL_PROCESS record for each.
 * @return how many, with those that have used a database since its watch began and have just closed it; or -errno
 */
int sensor_seed(struct sensor *s, sensor_fn fn, void *userdata);

/**
 * Delivers what is in the rings, waiting up to @p timeout_ms for something (0: not at all).
 * @return records delivered, or -errno (-EINTR when a signal came)
 */
int sensor_poll(struct sensor *s, int timeout_ms, sensor_fn fn, void *userdata);

/** Readable when urgent records wait; to be watched by an event loop. */
int sensor_fd(const struct sensor *s);

/**
 * Proves that the probes see: a child on a private file makes every call that can be made harmlessly and is killed. Uses
 * neither sync(2) nor syncfs(2). Records that arrive meanwhile are delivered to @p fn.
 * @return 0 also when something was not seen (it is told by sensor_finish() and sensor_probe_state()); -errno when the
 *         canary could not be run
 */
int sensor_canary(struct sensor *s, sensor_fn fn, void *userdata);

/** One probe as it is now. */
struct sensor_probe {
        const char *name;
        bool attached;
        bool triable;    /* false: cannot be provoked harmlessly */
        bool seen;       /* it fired for the canary */
        uint64_t missed; /* runs that the kernel skipped, where it counts them */
};

size_t sensor_n_probes(const struct sensor *s);
int sensor_probe_state(const struct sensor *s, size_t i, struct sensor_probe *ret);

/** Blind spots of the tier, one phrase each, ended by NULL. Static. */
const char *const *sensor_blind(const struct sensor *s);

/**
 * Delivers what the kernel kept: deaths that found their ring full, living participants (VIGIL_LIVE), ledgers, histograms,
 * probes, and last the counters of loss (VIGIL_STATS). May be called more than once.
 * @return 0 or -errno
 */
int sensor_finish(struct sensor *s, sensor_fn fn, void *userdata);

/* ---- for a watch that does not end: the same, one at a time, as often as wanted. None of these may be called by the function
 *      that sensor_poll() delivers to. ---- */

/** The account of one database as it is now. @return 0; -ENOENT no database has that id; or -errno */
int sensor_account(struct sensor *s, unsigned id, struct vigil_db *ret);

/** Delivers VIGIL_LIVE of the living participants of database @p id (0: of all), with what they hold locked now.
 * @return how many, or -errno */
int sensor_living(struct sensor *s, unsigned id, sensor_fn fn, void *userdata);

/** Delivers VIGIL_EXIT or VIGIL_EXEC of the dead that found their ring full (vigil_counters.lost_deaths counts them). Until
 * then a process that gets the number of such a one cannot be followed: do it soon after the counter has grown.
 * @return how many, or -errno */
int sensor_collect(struct sensor *s, sensor_fn fn, void *userdata);

/** Delivers VIGIL_HIST of every histogram, cumulative: differences are the caller's. Programs come and go with their names: when
 * three quarters of the places are taken, histograms to which nothing was added for ten minutes are forgotten, and begin at
 * zero should they be needed again. So a count that has fallen is a beginning. @return 0 or -errno */
int sensor_histograms(struct sensor *s, sensor_fn fn, void *userdata);

/** Delivers VIGIL_ATTRIBUTION: where the time of the commits and of the syncs of each database went, cumulative since it came
 * under watch. Names the kernel's functions from /proc/kallsyms (CAP_SYSLOG); what cannot be named is not explained.
 * @return 0; -EOPNOTSUPP it was not asked for, or this kernel cannot tell; or -errno */
int sensor_attribution(struct sensor *s, sensor_fn fn, void *userdata);

/** Delivers VIGIL_NEIGHBOUR: who held locks that others waited for, and who used the disks of databases, cumulative since the
 * watch began. Who was seen longest ago is forgotten when there are more than 1024 of either kind: a count that has fallen is a
 * beginning. @return as sensor_attribution() */
int sensor_neighbours(struct sensor *s, sensor_fn fn, void *userdata);

/** The path of cgroup @p id in the unified hierarchy, also of one whose processes are gone. @return 0; -ENOENT it is gone, or
 * cannot be reached */
int sensor_cgroup(uint64_t id, char *ret, size_t size);

/** The counters of loss as sensor_finish() would deliver them, cumulative; the header, `gaps` and `cut` are zero.
 * @return 0 or -errno */
int sensor_statistics(struct sensor *s, struct vigil_stats *ret);

/** Delivers VIGIL_PROBE of each probe. @return 0 or -errno */
int sensor_probes(struct sensor *s, sensor_fn fn, void *userdata);

/** Delivers a record that user space made; fills its magic, version, size, cpu, sequence number and time. @return as @p fn */
int sensor_send(struct sensor *s, struct vigil_hdr *record, uint16_t type, uint32_t size, sensor_fn fn,
                void *userdata);

/** The path under which the files of database @p id can be opened from here, which is not always the one in the record: the
 * process that uses it may live in another mount namespace. NULL: not known. Valid as long as the sensor. */
const char *sensor_path(const struct sensor *s, unsigned id);

/** True when the database is the canary's own. */
bool sensor_is_canary(const struct sensor *s, unsigned id);
