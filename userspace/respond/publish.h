/* publish.h - names in a backup directory, and how a finished copy gets one. Layer: respond. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "respond/workdir.h"

/** The copy in its workdir, until it is published. */
#define PUBLISH_COPY "copy.db"
/** The raw files of a corrupt database in the workdir, until they are published. */
#define PUBLISH_EVIDENCE "evidence"
/** A manifest inside a directory of evidence. */
#define PUBLISH_MANIFEST "manifest.json"

/** Name of a database in IDs, and its NUL: 200 bytes leave room for the rest within NAME_MAX. */
#define PUBLISH_BASE_LEN 201
/** "BASE-20261121T031502Z-N", with "evidence/" before it for evidence. */
#define PUBLISH_ID_LEN 256

/** Name of the database at @p path for IDs: its last component in [A-Za-z0-9._-], anything else '_', without a final .db,
 * .sqlite or .sqlite3, neither empty nor beginning with '.' or '-'. Cut at 200 bytes. */
void publish_base(const char *path, char ret[PUBLISH_BASE_LEN]);

/** True when @p id has the form of an ID: BASE-STAMP or BASE-STAMP-N. */
bool publish_is_id(const char *id);

/**
 * rename(2) that never replaces: renameat2(2) with RENAME_NOREPLACE, and where the file system lacks that, link(2) and
 * unlink(2), which do not replace either (files only).
 * @return 0, -EEXIST, or -errno
 */
int publish_noreplace(int from_dir, const char *from, int to_dir, const char *to);

/**
 * Publishes PUBLISH_COPY of @p w, which must be synced, with its manifest. First the copy gets its name, then the manifest:
 * with the manifest the backup exists. Whoever dies in between leaves the manifest in the workdir under its final name, and
 * publish_finish() does the rest.
 *
 * @param base      from publish_base()
 * @param realtime  ns since the epoch: the time in the name
 * @return 0; -EEXIST when a thousand names of this second are taken; or -errno. On failure no name of it remains.
 */
int publish_backup(const struct workdir *w, int dir, const char *base, int64_t realtime, json_t *manifest,
                   char ret_id[PUBLISH_ID_LEN]);

/**
 * Publishes the directory PUBLISH_EVIDENCE of @p w as evidence/ID, with its manifest inside, in one step. Its files must be
 * synced; the directories are synced here.
 * @return as publish_backup(), but what failed to be synced stays; -ENOTDIR or -ELOOP: `evidence` is no directory
 */
int publish_evidence(const struct workdir *w, int dir, const char *base, int64_t realtime, json_t *manifest,
                     char ret_id[PUBLISH_ID_LEN]);

/** For workdir_sweep(): completes what a run that died inside publish_backup() had begun. */
void publish_finish(int dir, int workdir);
