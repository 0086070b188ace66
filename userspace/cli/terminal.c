/* terminal.c - see terminal.h. Sequences: ECMA-48, and xterm's ctlseqs for the alternate screen (private mode 1049). */
#include "cli/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "cli/style.h"

/* CAN ends a sequence that was cut off; then colours, cursor and screen as they were. */
#define TAKE    "\033[?1049h\033[?25l\033[2J"
#define RELEASE "\030\033[0m\033[?25h\033[?1049l"

static struct termios before;
static volatile sig_atomic_t taken, resized;

bool terminal_is_there(void)
{
        return isatty(STDIN_FILENO) && style_has_escapes(STDOUT_FILENO);
}

/* ---- taking and giving back ---- */

static void set_mode(void)
{
        struct termios raw = before;

        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* Also in a handler: nothing but calls that are safe there (signal-safety(7)). */
static void give_back(void)
{
        if (!taken)
                return;
        taken = 0;
        ssize_t written = write(STDOUT_FILENO, RELEASE, sizeof(RELEASE) - 1);
        (void)written; /* a terminal that is gone needs nothing */
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

/* Ends, or stops, as it would have without a handler. */
static void on_end(int sig)
{
        int error = errno;
        sigset_t set;

        give_back();
        signal(sig, SIG_DFL);
        sigemptyset(&set);
        sigaddset(&set, sig);
        raise(sig);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        errno = error; /* it was a stop, and is over: SIGCONT has taken the terminal again */
}

static void handle(int sig, void (*fn)(int));

static void on_continue(int sig)
{
        int error = errno;

        (void)sig;
        set_mode();
        ssize_t written = write(STDOUT_FILENO, TAKE, sizeof(TAKE) - 1);
        (void)written;
        taken = 1;
        resized = 1;
        handle(SIGTSTP, on_end);
        errno = error;
}

static void on_resize(int sig)
{
        (void)sig;
        resized = 1;
}

/* No SA_RESTART: poll(2) must return. */
static void handle(int sig, void (*fn)(int))
{
        struct sigaction action = {.sa_handler = fn};

        sigaction(sig, &action, NULL);
}

int terminal_take(void)
{
        static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
        static bool registered;

        if (tcgetattr(STDIN_FILENO, &before) < 0)
                return -errno;
        if (!registered && atexit(give_back) != 0)
                return -ENOMEM;
        registered = true;
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
                handle(ends[i], on_end);
        handle(SIGCONT, on_continue);
        handle(SIGWINCH, on_resize);
        taken = 1;
        set_mode();
        return io_write_all(STDOUT_FILENO, TAKE, sizeof(TAKE) - 1);
}

void terminal_release(void)
{
        static const int all[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

        give_back();
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
                signal(all[i], SIG_DFL);
}

void terminal_size(unsigned *ret_lines, unsigned *ret_columns)
{
        struct winsize size = {0};

        *ret_lines = 24;
        *ret_columns = 80;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
                return;
        *ret_lines = size.ws_row;
        *ret_columns = size.ws_col;
}

/* ---- keys ---- */

/* A byte, if one comes within @ms. @return -1: none; KEY_CLOSED */
static int next_byte(int ms)
{
        struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
        unsigned char c;

        if (poll(&p, 1, ms) <= 0)
                return -1;
        return read(STDIN_FILENO, &c, 1) == 1 ? c : KEY_CLOSED;
}

/* What follows ESC: "[A" and its like, in either cursor mode. */
static int sequence(void)
{
        static const struct {
                const char *text;
                int key;
        } known[] = {{"A", KEY_UP},  {"B", KEY_DOWN},  {"5~", KEY_PAGE_UP}, {"6~", KEY_PAGE_DOWN}, {"H", KEY_HOME},
                     {"F", KEY_END}, {"1~", KEY_HOME}, {"4~", KEY_END},     {"7~", KEY_HOME},      {"8~", KEY_END}};
        char text[8] = "";
        int c = next_byte(20);

        if (c != '[' && c != 'O')
                return KEY_NONE;
        for (size_t n = 0; n < sizeof(text) - 1; n++) {
                c = next_byte(20);
                if (c < 0 || c > 255)
                        return KEY_NONE;
                text[n] = (char)c;
                if (c >= 0x40) /* its last byte */
                        break;
        }
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (strcmp(known[i].text, text) == 0)
                        return known[i].key;
        return KEY_NONE;
}

int terminal_key(unsigned ms)
{
        if (resized) {
                resized = 0;
                return KEY_NONE;
        }
        int c = next_byte((int)ms);
        return c < 0 ? KEY_NONE : c == '\033' ? sequence() : c;
}

/* ---- frames ---- */

void terminal_show(const char *frame, unsigned lines)
{
        static const char home[] = "\033[H", rest[] = "\033[K\n", last[] = "\033[K\033[J";
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return;
        fputs(home, out);
        for (unsigned line = 1;; line++) {
                size_t n = strcspn(frame, "\n");
                fwrite(frame, 1, n, out);
                if (!frame[n] || line >= lines)
                        break;
                fputs(rest, out);
                frame += n + 1;
        }
        fputs(last, out);
        /* At once, so that no half of it is seen. */
        if (fclose(out) == 0)
                io_write_all(STDOUT_FILENO, text, size);
}
