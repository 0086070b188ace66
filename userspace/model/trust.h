/* trust.h - how far a statement may be believed. Layer: model. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trust_level { TRUST_FULL, TRUST_PARTIAL, TRUST_NONE };

#define TRUST_REASONS 16

/** Reasons are static strings out of docs/JSON.md, each at most once, in the order they were found. */
struct trust {
        enum trust_level level;
        size_t nreasons;
        const char *reason[TRUST_REASONS];
};

/** Adds @p reason (static text) once and lowers the level to partial at least. */
void trust_lower(struct trust *t, const char *reason);
/** Adds all reasons of @p from and takes the lower level of both. */
void trust_merge(struct trust *t, const struct trust *from);
bool trust_has(const struct trust *t, const char *reason);
const char *trust_level_name(enum trust_level l); /* "full", "partial", "none" */
