/* detach.c - see detach.h. */
#include "cli/detach.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "sensor/sensor.h"

static void let_go_of_streams(void)
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (null < 0)
                return;
        for (int fd = 0; fd < 3; fd++)
                dup2(null, fd);
        if (null > 2)
                close(null);
}

/* Not freed, and not forgotten either: it is the child's to let go of, and a leak check must find it in use (volatile: or the
 * compiler forgets it). */
static struct sensor *volatile left_to_child;

void detach_sensor(struct sensor *s, bool wait)
{
        pid_t pid = s && !wait ? fork() : -1;

        if (pid < 0) {
                sensor_close(s);
                return;
        }
        if (pid > 0) { /* the child holds every link, too: our own exit detaches nothing */
                left_to_child = s;
                return;
        }
        setsid();
        let_go_of_streams();
        /* It must outlive its parent's exit by a moment, so that the parent is never the last to hold a link. */
        while (getppid() != 1 && kill(getppid(), 0) == 0)
                usleep(1000);
        _exit(0);
}
