/* systemd.c - see systemd.h; sd_notify(3). */
#include "daemon/systemd.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>
#include <time.h>

void systemd_ready(const char *status)
{
        sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void systemd_reloading(void)
{
        struct timespec now;

        /* Type=notify-reload wants to know that this is the answer to its own signal, not to an older one. */
        clock_gettime(CLOCK_MONOTONIC, &now);
        sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=reading the configuration",
                   (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void systemd_stopping(void)
{
        sd_notify(0, "STOPPING=1\nSTATUS=detaching the probes");
}

void systemd_status(const char *status)
{
        sd_notifyf(0, "STATUS=%s", status);
}

uint64_t systemd_watchdog_us(void)
{
        uint64_t us = 0;

        return sd_watchdog_enabled(0, &us) > 0 ? us / 2 : 0;
}

void systemd_alive(void)
{
        sd_notify(0, "WATCHDOG=1");
}
