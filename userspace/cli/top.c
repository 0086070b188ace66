/* top.c - `vigil top`: what happens right now, again and again, until somebody quits. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/ask.h"
#include "cli/opt.h"
#include "cli/terminal.h"
#include "report/top.h"
#include "serve/client.h"

static const char help[] =
        "Usage: vigil top [--every DURATION] [--db NAME] [--view databases|operations|programs]\n"
        "                 [--sort worst|rate|bytes|time|name]\n"
        "\n"
        "Shows what happens to the guarded databases right now: operations and bytes each second, how long\n"
        "they take (p50, p99), errors, users, what a power cut would take, and who waits for a lock; the\n"
        "worst first. On a terminal it goes on until q; else, and with --json, it prints once.\n"
        "\n"
        "  --every DURATION  time between two looks; default 2s, at least 200ms\n"
        "  --db NAME         only the database of that name\n"
        "  --view VIEW       databases (default), operations on their files, or programs\n"
        "  --sort ORDER      worst (default), rate, bytes, time (p99), name\n"
        "\n"
        "Keys: q quit, v next view, s next order or 1 to 5 for one, p pause, arrows scroll, ? help.\n"
        "\n"
        "Exit status: 0 done; 69 no daemon runs, or no such database; 77 not permitted.\n"
        "\n"
        "Example:\n"
        "  vigil top --view operations --sort time\n";

#define LEAST_MS   200
#define DEFAULT_MS 2000
#define NS_PER_MS  1000000

struct top {
        struct asking asking;
        const char *db;
        uint64_t every_ms;
        struct top_page page;
        json_t *document; /* the last one */
        char notice[160];
};

/* ---- asking ---- */

static void look(struct top *t)
{
        _cleanup_free_ char *error = NULL;
        json_t *args = ask_args(NULL, 0, t->db), *document = NULL;
        int status = CLI_OK;
        int r = args ? control_ask(t->asking.state_dir, "top", args, &document, &status, &error) : -ENOMEM;

        json_decref(args);
        t->notice[0] = '\0';
        if (r < 0)
                snprintf(t->notice, sizeof(t->notice), "no daemon answers (%s); this is what it said last",
                         r == -ENOENT || r == -ECONNREFUSED ? "none runs there" : strerror(-r));
        else if (!document)
                snprintf(t->notice, sizeof(t->notice), "%s", error ? error : "the daemon has no answer");
        t->page.notice = t->notice[0] ? t->notice : NULL;
        if (!document)
                return;
        json_decref(t->document);
        t->document = document;
}

/* ---- the view ---- */

static int show(struct top *t)
{
        _cleanup_free_ char *frame = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&frame, &size);

        if (!out)
                return -ENOMEM;
        terminal_size(&t->page.lines, &t->page.columns);
        int r = top_print(t->document, &t->page, out);
        if (fclose(out) != 0)
                return -ENOMEM;
        if (r == 0)
                terminal_show(frame, t->page.lines);
        return r;
}

static void scroll(struct top_page *page, long by)
{
        if (by < 0 && page->scroll < (size_t)-by)
                page->scroll = 0;
        else
                page->scroll += (size_t)by;
}

/* @return false: quit */
static bool act(struct top *t, int key)
{
        struct top_page *page = &t->page;
        long lines = page->lines > 6 ? (long)page->lines - 6 : 1;

        if (page->help && key != KEY_NONE && key != 'q') {
                page->help = false; /* any key leaves the help */
                return true;
        }
        switch (key) {
        case 'q':
        case KEY_CLOSED:
                return false;
        case 'v':
        case '\t':
                page->view = (page->view + 1) % TOP_VIEWS;
                page->scroll = 0;
                break;
        case 's':
                page->sort = (page->sort + 1) % TOP_SORTS;
                break;
        case '1' ... '0' + TOP_SORTS:
                page->sort = (enum top_sort)(key - '1');
                break;
        case 'p':
        case ' ':
                page->paused = !page->paused;
                break;
        case '?':
        case 'h':
                page->help = true;
                break;
        case 'k':
        case KEY_UP:
                scroll(page, -1);
                break;
        case 'j':
        case KEY_DOWN:
                scroll(page, 1);
                break;
        case KEY_PAGE_UP:
                scroll(page, -lines);
                break;
        case KEY_PAGE_DOWN:
                scroll(page, lines);
                break;
        case KEY_HOME:
                page->scroll = 0;
                break;
        case KEY_END:
                page->scroll = SIZE_MAX / 2;
                break;
        }
        return true;
}

static int live(struct top *t)
{
        uint64_t next = clock_boottime_ns() + t->every_ms * NS_PER_MS;
        int r = terminal_take(), key = KEY_NONE;

        if (r < 0)
                return log_error_r(CLI_INTERNAL, "cannot take the terminal: %s", strerror(-r));
        do {
                uint64_t now = clock_boottime_ns();
                if (now >= next && !t->page.paused) {
                        look(t);
                        next = clock_boottime_ns() + t->every_ms * NS_PER_MS;
                }
                r = show(t);
                now = clock_boottime_ns();
                key = terminal_key(t->page.paused || now >= next ? 1000 : (unsigned)((next - now) / NS_PER_MS) + 1);
        } while (r == 0 && act(t, key));
        terminal_release();
        return r < 0 ? log_error_r(CLI_INTERNAL, "cannot show it: %s", strerror(-r)) : CLI_OK;
}

/* ---- once ---- */

static int once(struct top *t)
{
        if (t->asking.cli->json)
                return ask_print(&t->asking, t->document);
        t->page.columns = 100;
        int r = top_print(t->document, &t->page, stdout);
        putchar('\n');
        return r < 0 ? log_error_r(CLI_INTERNAL, "cannot show it: %s", strerror(-r)) : CLI_OK;
}

/* Nothing is shown before the daemon has answered: where none runs, that is an error like with other commands. */
static int begin(struct top *t)
{
        int status = ask(&t->asking, "top", ask_args(NULL, 0, t->db), &t->document);

        if (status == ASK_NO_DAEMON)
                return ask_tell_no_daemon(&t->asking);
        if (!t->document)
                return status;
        return t->asking.cli->json || !terminal_is_there() ? once(t) : live(t);
}

static int run(const struct cli *cli, int argc, char **argv)
{
        static const char *const views[] = {"databases", "operations", "programs", NULL};
        static const char *const sorts[] = {"worst", "rate", "bytes", "time", "name", NULL};
        struct top t = {.every_ms = DEFAULT_MS};
        int view = TOP_DATABASES, sort = TOP_WORST;
        const struct opt opts[] = {
                {.name = "--every", .kind = OPT_DURATION, .ret = &t.every_ms},
                {.name = "--db", .kind = OPT_TEXT, .ret = &t.db},
                {.name = "--view", .kind = OPT_CHOICE, .ret = &view, .choices = views},
                {.name = "--sort", .kind = OPT_CHOICE, .ret = &sort, .choices = sorts},
                {0},
        };
        int r = opt_parse(&command_top, opts, &argc, argv, NULL);
        if (r != CLI_OK)
                return r;
        if (argc > 1)
                return cli_usage(&command_top, "it takes no %s", argv[1]);
        if (t.every_ms < LEAST_MS)
                return cli_usage(&command_top, "--every: at least %dms", LEAST_MS);
        t.page = (struct top_page){
                .view = (enum top_view)view, .sort = (enum top_sort)sort, .colour = ask_style(cli).colour};
        r = ask_begin(cli, &t.asking);
        if (r == CLI_OK)
                r = begin(&t);
        json_decref(t.document);
        ask_end(&t.asking);
        return r;
}

const struct command command_top = {
        .name = "top",
        .summary = "Show what happens right now, live",
        .help = help,
        .run = run,
};
