/* kallsyms.c - see kallsyms.h. */
#include "sensor/kallsyms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static int by_address(const void *a, const void *b)
{
        const struct kernel_address *x = a, *y = b;

        return x->address < y->address ? -1 : x->address > y->address;
}

/* The first of the sorted list that is not below @address; @n: none. */
static size_t first_from(const struct kernel_address *list, size_t n, uint64_t address)
{
        size_t low = 0, high = n;

        while (low < high) {
                size_t mid = low + (high - low) / 2;
                if (list[mid].address < address)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

static void offer(struct kernel_address *list, size_t n, uint64_t address, const char *name)
{
        size_t i = first_from(list, n, address);

        if (i == n || list[i].symbol_address >= address)
                return;
        list[i].symbol_address = address;
        memccpy(list[i].name, name, 0, sizeof(list[i].name) - 1);
}

int kallsyms_name(const char *path, struct kernel_address *list, size_t n)
{
        _cleanup_fclose_ FILE *f = fopen(path, "re");
        char line[512], name[KALLSYMS_NAME], type;
        uint64_t address;

        if (!f)
                return -errno;
        qsort(list, n, sizeof(*list), by_address);
        while (fgets(line, sizeof(line), f))
                if (sscanf(line, "%lx %c %63s", &address, &type, name) == 3 && strchr("tTwW", type) && address)
                        offer(list, n, address, name);
        /* Each symbol went to the first address after it: those that follow have it, too, if they have no nearer one. */
        for (size_t i = 1; i < n; i++)
                if (list[i].symbol_address < list[i - 1].symbol_address) {
                        list[i].symbol_address = list[i - 1].symbol_address;
                        memcpy(list[i].name, list[i - 1].name, sizeof(list[i].name));
                }
        return ferror(f) ? -EIO : 0;
}
