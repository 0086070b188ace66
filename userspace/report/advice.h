/* advice.h - what to do, by what was found. Layer: report. */
#pragma once

#include <jansson.h>

/** Most sentences given for one database. */
#define ADVICE_MAX 6

/** Sentences for entry @p database of a report, the most urgent first. Static text. @return how many. */
size_t advice_for(const json_t *database, const char *ret[ADVICE_MAX]);
