/* samples.h - two looks at each process that somebody asks about, a second or more apart. Layer: daemon. */
#pragma once

#include "sensor/evidence.h"

#define SAMPLES_MAX      256 /* processes at a time; of more each has a turn, and who waits is counted */
#define SAMPLES_TURN_NS  (60ull * 1000000000)
#define SAMPLES_KEPT_NS  (30ull * 1000000000)
#define SAMPLES_APART_NS 1000000000ull

/** Looks go on for as long as something is wrong: they may use half a thousandth of a CPU, but come each SAMPLES_PAUSE_MAX_NS at least. */
#define SAMPLES_SHARE        2000
#define SAMPLES_PAUSE_MAX_NS (30ull * 1000000000)

struct samples;

struct samples *samples_new(void); /* NULL: out of memory */
void samples_free(struct samples *s);

/** Says that @p who is asked about; it is looked at in the next turns, until nobody has wanted it for SAMPLES_KEPT_NS. */
void samples_want(struct samples *s, const struct vigil_ident *who, uint64_t now);

/** What is known of @p who is no longer so: it is looked at in the next turn, whatever looks have cost. Nothing if nobody asks about it. */
void samples_hurry(struct samples *s, const struct vigil_ident *who);

/** Looks at those who are due: not sooner than SAMPLES_APART_NS after the last look, and, who has been looked at twice, not before
 * the CPU time of the last looks at such is paid for. @return how many were looked at */
size_t samples_turn(struct samples *s, struct sensor *sensor, uint64_t now);

/** How long looks that took @p spent_ns of CPU time must be apart. */
uint64_t samples_pause_ns(uint64_t spent_ns);

/** The newest look and the one before; NULL: there is none. Valid until the next turn. */
const struct process_evidence *samples_now(const struct samples *s, const struct vigil_ident *who);
const struct process_evidence *samples_before(const struct samples *s, const struct vigil_ident *who);

/** Since which look it has been stopped, held by a debugger or frozen, without having run in between; 0: it is not. */
uint64_t samples_held_ns(const struct samples *s, const struct vigil_ident *who);
/** The same of two looks, the first of which (NULL: there was none) had given @p since. */
uint64_t samples_held_after(const struct process_evidence *before, const struct process_evidence *now,
                            uint64_t since);

/** All that are kept: @p i from 0 until NULL. */
const struct process_evidence *samples_each(const struct samples *s, size_t i);

/** How often one was wanted and found no place, since the beginning. */
uint64_t samples_left_out(const struct samples *s);
