/* taking.h - copies that the tests take, all into one directory. */
#pragma once

#include "engine/snapshot.h"

/** Others may write; 20 s. */
extern const struct snapshot_options taking_defaults;

/** Descriptor of the directory that copies go to, made if need be. */
int taking_dir(void);

/** snapshot_take() into that directory. */
int take(const char *path, const char *name, const struct snapshot_options *options, struct snapshot_result *ret);

/** The same with the defaults; fails the test when it fails. */
struct snapshot_result taken(const char *path, const char *name);

/** Path of a finished copy, in static storage. */
const char *copy_path(const char *name);

/** How many files are in the directory of copies. */
int left_there(void);
