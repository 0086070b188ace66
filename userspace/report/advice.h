/* advice.h - what to do, by what was found. Layer: report. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/** Most sentences given for one database. */
#define ADVICE_MAX 6

/** True when a finding of entry @p database says that data was taken away: what is sound now need not be whole. */
bool advice_is_taken(const json_t *database);

/** Sentences for entry @p database of a report, the most urgent first. Static text. @return how many. */
size_t advice_for(const json_t *database, const char *ret[ADVICE_MAX]);
