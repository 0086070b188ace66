/* recording.h - a stream of records in a file: written as it happens, read without trusting a byte. Layer: sensor.
 *
 * A recording is nothing but records one after another (bpf/abi.h), so a prefix of one is one: a recorder that is killed
 * leaves a file that can be read up to there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/** No record of any version may be longer; bounds what a reader allocates for a lying header. */
#define RECORDING_RECORD_MAX 65536u

/** Text of the longest complaint of record_validate() and recording_error(). */
#define RECORDING_ERROR_LEN 160

/**
 * Holds @p n bytes against the format: magic, version, size, bounds of every count and id, NUL in every string. A record of
 * an unknown type passes when its header does; the reader of the stream counts it.
 *
 * @param bytes  aligned to 8
 * @param why    RECORDING_ERROR_LEN bytes for what is wrong with it, without a full stop; may be NULL
 * @return 0; -EPROTONOSUPPORT a newer major version; -EBADMSG anything else that is wrong
 */
int record_validate(const void *bytes, size_t n, char *why);

/** Smallest size of a record of @p type in any version that is read; of an unknown type: that of a header. */
uint32_t record_min_size(uint16_t type);

/* ---- writer -------------------------------------------------------------------------------------------------------- */

struct recording_writer;

/**
 * Starts a recording at @p path, mode 0600. An existing file is replaced only when it is empty or itself a recording;
 * anything else, and a symbolic link, is left alone.
 *
 * @param max_size  bytes; 0: no limit. A part of it (an eighth, at most 1 MiB) is kept back for the records that user
 *                  space makes, so that a recording that reached its limit still has its end. At least 64 KiB.
 * @return 0; -EEXIST a file that is no recording stands there; -EINVAL @p max_size is too small; or -errno
 */
int recording_create(const char *path, uint64_t max_size, struct recording_writer **ret);

/**
 * Appends one record. Beyond the limit the record is left out and counted; a VIGIL_STATS record written later carries the
 * count in `cut`, so that whoever replays it knows.
 *
 * @return 0, also when the record was left out (see recording_cut()); -EBADMSG no valid record; or -errno of write(2),
 *         after which every further call returns the same
 */
int recording_append(struct recording_writer *w, const struct vigil_hdr *record);

/** Records left out because of the limit. */
uint64_t recording_cut(const struct recording_writer *w);
/** Bytes of the recording so far. */
uint64_t recording_size(const struct recording_writer *w);

/** Bytes of it that are in the file: fewer than recording_size() where something is buffered, or writing has failed. */
uint64_t recording_stored(const struct recording_writer *w);

/** Writes what is buffered, so that a kill loses nothing up to here. @return 0 or -errno */
int recording_flush(struct recording_writer *w);
/** Flushes and syncs file and directory. @return 0 or -errno. The writer must still be freed. */
int recording_finish(struct recording_writer *w);
void recording_writer_free(struct recording_writer *w);

/* ---- reader -------------------------------------------------------------------------------------------------------- */

struct recording;

/** @return 0; -EISDIR, -EINVAL no regular file; or -errno of open(2) */
int recording_open(const char *path, struct recording **ret);

/**
 * The next record, valid until the next call: aligned, checked by record_validate(), and never shorter than this version's
 * structure of its type (fields that an older writer did not know read as zero).
 *
 * @return 1 with @p ret set; 0 at the end, also where the file ends in the middle of a record (recording_truncated());
 *         -EPROTONOSUPPORT, -EBADMSG or -errno of read(2) with recording_error() set. Everything returned before the error
 *         stands.
 */
int recording_next(struct recording *r, const struct vigil_hdr **ret);

/** What is wrong and at which byte of the file: "byte 4096: not a record (bad magic)". Empty without an error. */
const char *recording_error(const struct recording *r);
/** The file ended in the middle of a record: the recorder was killed or the disk was full. */
bool recording_truncated(const struct recording *r);
/** Byte offset of the record that recording_next() returned last. */
uint64_t recording_offset(const struct recording *r);
void recording_free(struct recording *r);
