/* wait_stacks.h - the kernel stacks that threads of a commit or a sync were blocked at, as user space knows them: the kernel side
 * sums up waits by stack (bpf/blocked.h), here a stack is told by the functions on it, once. Layer: sensor. */
#pragma once

#include "sensor/internal.h"
#include "sensor/wait_kind.h"

/* What was waited, of each database and operation, by stack. */
struct waits {
        struct wait_key *key;
        struct wait_sum *sum;
        size_t n;
};

/** @param ret  owned by the caller, to be released with waits_free(), after an error too
 *  @return 0 or -ENOMEM */
int waits_read(struct sensor *s, struct waits *ret);
void waits_free(struct waits *w);

/** Reads the kernel's symbols anew. @return 0, or an error of wait_symbols_read() */
int wait_stacks_symbols(struct sensor *s);

/** Before the first use of the others below; again does nothing. @return 0 or -ENOMEM */
int wait_stacks_prepare(struct sensor *s);

/** Tells those in @p w that were not told. @return 0, or an error of wait_symbols_read() */
int wait_stacks_tell(struct sensor *s, const struct waits *w);

/** What a thread waits for at @p stack (struct wait_key), as far as that was told. */
enum wait_kind wait_stacks_kind(const struct sensor *s, int32_t stack);

/** Keeps those at which transactions have waited that are open, or threads are blocked. To be called before waits_read(): what is over
 *  by then is in the sums.
 *  @param now  CLOCK_BOOTTIME, ns */
void wait_stacks_note_open(struct sensor *s, uint64_t now);

/**
 * Lets those go that nobody has waited at for ten minutes; what was waited there is added to the sums of its kind.
 *
 * @param w    as it was read after wait_stacks_note_open() of this look
 * @param now  CLOCK_BOOTTIME, ns
 */
void wait_stacks_let_go(struct sensor *s, const struct waits *w, uint64_t now);
