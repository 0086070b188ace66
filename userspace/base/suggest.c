/* suggest.c - see suggest.h. */
#include "base/suggest.h"

#include <stdint.h>
#include <string.h>

size_t suggest_distance(const char *a, const char *b)
{
        enum { MAX = 32 };
        size_t n = strlen(a), m = strlen(b), d[MAX + 1][MAX + 1];
        if (n > MAX || m > MAX)
                return SIZE_MAX;
        for (size_t i = 0; i <= n; i++) {
                for (size_t j = 0; j <= m; j++) {
                        if (i == 0 || j == 0) {
                                d[i][j] = i + j;
                                continue;
                        }
                        size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
                        if (d[i - 1][j] + 1 < best)
                                best = d[i - 1][j] + 1;
                        if (d[i][j - 1] + 1 < best)
                                best = d[i][j - 1] + 1;
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                            d[i - 2][j - 2] + 1 < best)
                                best = d[i - 2][j - 2] + 1;
                        d[i][j] = best;
                }
        }
        return d[n][m];
}

bool suggest_nearer(const char *name, const char *known, size_t *best)
{
        size_t d = suggest_distance(name, known);

        if (d >= *best || d >= strlen(known))
                return false;
        *best = d;
        return true;
}
