/* test_parse.c - a configuration says what it says, and each mistake is told with its line. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static struct config *good(const char *text)
{
        struct config_errors errors;
        struct config *c = NULL;
        int r = config_parse("test", text, &c, &errors);

        ck_assert_msg(r == 0, "%d: %s", r, errors.n ? errors.item[0].text : "no complaint");
        return c;
}

/* The only complaint, "LINE: text". */
static const char *bad(const char *text)
{
        static char told[300];
        struct config_errors errors;
        struct config *c = NULL;

        ck_assert_int_eq(config_parse("test", text, &c, &errors), -EINVAL);
        ck_assert_ptr_null(c);
        ck_assert_msg(errors.n == 1, "%zu complaints, the second: %s", errors.n,
                      errors.n > 1 ? errors.item[1].text : "");
        snprintf(told, sizeof(told), "%u: %s", errors.item[0].line, errors.item[0].text);
        return told;
}

START_TEST(an_empty_file_is_all_defaults)
{
        struct config *c = good("");

        ck_assert_str_eq(c->state_dir, CONFIG_STATE_DIR);
        ck_assert_uint_eq(c->ndatabases, 0);
        ck_assert_uint_eq(c->limits.crash_loop_ms, 600000);
        ck_assert_uint_eq(c->limits.retention_age_ms, 30ULL * 86400000);
        config_free(c);
}
END_TEST

START_TEST(the_contracts_example_is_understood)
{
        struct config_errors errors;
        struct config *c = NULL;

        ck_assert_int_eq(
                config_parse(
                        "test",
                        "state-dir = \"/var/lib/vigil\"\n"
                        "database \"persistence\" {\n"
                        "  path = \"/srv/atlas/persistence.db\"\n"
                        "  check { every = \"1h\"  method = \"quick\" }\n"
                        "  backup { on = {\"unclean\", \"hazard\", \"sync-error\", \"corrupt\"}  keep = 14  "
                        "min-interval = \"5m\" }\n"
                        "}\n"
                        "orchestrator \"batch\" {\n"
                        "  match-cmdline = \"batch-orchestrator\"\n"
                        "  database = \"persistence\"\n"
                        "  jobs { query = 'SELECT id FROM jobs'  stuck-after = \"12h\"  no-progress = \"10m\" }\n"
                        "}\n"
                        "notify \"pager\" { type = \"pagerduty\"  routing-key-file = \"/etc/vigil/pagerduty.key\"  "
                        "min-severity = \"P1\" }\n",
                        &c, &errors),
                0);
        ck_assert_uint_eq(c->ndatabases, 1);
        ck_assert_str_eq(c->database[0].name, "persistence");
        ck_assert_uint_eq(c->database[0].check.every_ms, 3600000);
        ck_assert_uint_eq(c->database[0].backup.on,
                          CONFIG_ON_UNCLEAN | CONFIG_ON_HAZARD | CONFIG_ON_SYNC_ERROR | CONFIG_ON_CORRUPT);
        ck_assert_uint_eq(c->database[0].backup.min_interval_ms, 300000);
        ck_assert_str_eq(c->orchestrator[0].jobs.query, "SELECT id FROM jobs");
        ck_assert_uint_eq(c->orchestrator[0].jobs.no_progress_ms, 600000);
        ck_assert_uint_eq(c->orchestrator[0].jobs.max_rows, 1000);
        ck_assert_uint_eq(c->orchestrator[0].match.uid, CONFIG_NO_UID);
        ck_assert_uint_eq(c->notify[0].min_severity, 1);
        ck_assert_uint_eq(errors.n, 1); /* a note: not acted upon yet */
        ck_assert(errors.item[0].note);
        config_free(c);
}
END_TEST

START_TEST(every_kind_of_mistake_has_its_line)
{
        static const struct {
                const char *text, *told;
        } rows[] = {
                {"state-dir = 'var'", "1: state-dir: 'var' is not absolute: write it from / on"},
                {"\nredact-argv = maybe", "2: redact-argv: 'maybe' is neither true nor false"},
                {"database 'a' {\n path = '/a'\n check { every = 'soon' }\n}",
                 "3: database 'a': every: 'soon' is not a duration such as '90s', '5m', '1h' or '7d'"},
                {"database 'a' {\n path = '/a'\n check { method = 'deep' }\n}",
                 "3: database 'a': method: 'deep' is not one of: none, quick, full"},
                {"database 'a' {\n path = '/a'\n backup { keep = 0 }\n}",
                 "3: database 'a': keep: 0 is not between 1 and 100000"},
                {"database 'a' {\n path = '/a'\n backup { keep = 14K }\n}",
                 "3: database 'a': keep: '14K' is not a whole number from 1 to 100000"},
                {"database 'a' {\n path = '/a'\n backup { max-bytes = 99999999999999999999T }\n}",
                 "3: database 'a': max-bytes: '99999999999999999999T' is too large for a size such as '512M' or "
                 "'10G'"},
                {"database 'a' {\n path = '/a'\n backup { on = {'unclean', 'always'} }\n}",
                 "3: database 'a': on: 'always' is not one of: unclean, hazard, sync-error, corrupt, schedule"},
                {"limits { store-bytes = 1K }", "1: store-bytes: 1K is less than 16 MiB"},
                {"database 'a' {\n}", "1: database 'a': path or glob is missing"},
                {"database 'a' {\n path = '/a'\n glob = '/b*'\n}",
                 "1: database 'a': path and glob exclude each other"},
                {"database 'a' { path = '/a' }\ndatabase 'b' { path = '/a' }",
                 "2: database 'b': the same path as database 'a' in line 1"},
                {"database 'a' { path = '/a' }\ndatabase 'a' { path = '/b' }",
                 "2: database 'a' is there twice, first in line 1"},
                {"database 'a' {\n path = '/a'\n path = '/b'\n}", "3: 'path' is given twice, first in line 2"},
                {"severity 'no-space' {\n}", "1: severity 'no-space': is: is missing"},
                {"severity 'unclean-deth' { is = 'P2' }",
                 "1: severity 'unclean-deth': no finding has this code; did you mean 'unclean-death'?"},
                {"severity 'connection-left-open' { is = 'P2' }",
                 "1: severity 'connection-left-open': no finding has this code (docs/JSON.md lists them)"},
                {"orchestrator 'o' {\n match-cmdline = 'x'\n database = 'gone'\n}",
                 "1: orchestrator 'o': there is no database 'gone'"},
                {"orchestrator 'o' {\n}", "1: orchestrator 'o': nothing says which processes belong to it: give "
                                          "match-cmdline, match-comm, match-exe, match-uid, pid-file, "
                                          "systemd-unit, cgroup or container"},
                {"orchestrator 'o' { match-comm = 'batch-orchestrator' }",
                 "1: orchestrator 'o': match-comm: the kernel keeps 15 bytes of a name, 'batch-orchestrator' can "
                 "never "
                 "match"},
                {"orchestrator 'o' { container = 'ab12' }", "1: orchestrator 'o': container: 'ab12' is too short "
                                                            "to be one: at least 8 bytes of its id or name"},
                {"orchestrator 'o' { match-uid = 0\n jobs { query = 'SELECT 1' }\n}",
                 "1: orchestrator 'o': jobs: a query needs 'database'"},
                {"database 'a' { glob = '/x/*' }\norchestrator 'o' { match-uid = 0 database = 'a' }",
                 "2: orchestrator 'o': database 'a' is a glob: name one with a path"},
                {"database 'a' { path = '/a' }\norchestrator 'o' { match-uid = 0 database = 'a' jobs { query = "
                 "'DELETE "
                 "FROM jobs' } }",
                 "2: orchestrator 'o': jobs: query: only one SELECT is allowed"},
                {"orchestrator 'o' { match-uid = 0 jobs { files = '/j/*' column-id = 'x' } }",
                 "1: orchestrator 'o': jobs: column-… names a column of a query, and there is no query"},
                {"orchestrator 'o' { match-uid = 0 jobs { files = '/j/*' id-pointer = 'x' } }",
                 "1: orchestrator 'o': jobs: 'x' is no JSON pointer: it begins with '/'"},
                {"orchestrator 'o' { match-uid = 0 jobs { files = 'j/*' } }",
                 "1: orchestrator 'o': files: 'j/*' is not absolute: write it from / on"},
                {"orchestrator 'o' { match-uid = 0 jobs { files = '/j/*' running = {'a', ''} } }",
                 "1: orchestrator 'o': running: must not hold an empty text"},
                {"orchestrator 'o' { match-uid = 0 jobs { files = '/j/*' every = 10m } }",
                 "1: orchestrator 'o': jobs: every must be less than no-progress: what is not read is not seen to "
                 "change"},
                {"orchestrator 'o' { match-uid = 0 jobs { running = {'busy'} } }",
                 "1: orchestrator 'o': jobs: query or files is missing"},
                {"state-dir '/x'", "1: 'state-dir' has no '=' behind it"},
                {"}", "1: a } without a { before it"},
                {"include('/etc/shadow')", "1: unknown key 'include'"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                ck_assert_str_eq(bad(rows[i].text), rows[i].told);
}
END_TEST

START_TEST(what_a_word_ends_at_is_told_with_what_to_write)
{
        static const struct {
                const char *text, *told;
        } rows[] = {
                {"state-dir = /a b", "1: state-dir: '/a b' is more than one word, as a blank, a comma and a * end "
                                     "one: put it into quotes"},
                {"database 'a' { glob = /srv/*.db }",
                 "1: database 'a': glob: '/srv/*.db' is more than one word, as a blank, a comma and a * end one: "
                 "put it into quotes"},
                {"database 'a' {\n path = '/a'\n check { every = 1h, method = full }\n}",
                 "3: database 'a': every: '1h,' is not a duration such as '90s', '5m', '1h' or '7d'"},
                {"database 'a' {\n path = '/a'\n check { method = full please }\n}",
                 "3: database 'a': method: 'full please' is not one of: none, quick, full"},
                {"database 'a' {\n path = '/a'\n backup { on = unclean hazard }\n}",
                 "3: database 'a': on: a list has braces: write { \"unclean\", \"hazard\" }"},
                {"database 'a' {\n path = '/a'\n backup { on = \"unclean\", 'hazard' keep = 3 }\n}",
                 "3: database 'a': on: a list has braces: write { \"unclean\", \"hazard\" }"},
                {"orchestrator 'o' { match-uid = 0 jobs { files = '/j/*' running = busy idle } }",
                 "1: orchestrator 'o': running: a list has braces: write { \"busy\", \"idle\" }"},
                {"database 'a' {\n path = '/a'\n glob =\n check { every = 1h }\n}",
                 "3: database 'a': 'glob' has no value"},
                {"state-dir =\ndatabase 'a' { path = '/a' }", "1: 'state-dir' has no value"},
                {"state-dir = ${VIGIL_NO_SUCH:-/a\n}\nfoo = 1", "3: unknown key 'foo'"},
                {"database ${VIGIL_NO_SUCH:-a} { path = '/a' }\ndatabase ${VIGIL_NO_SUCH:-a} { path = '/b' }",
                 "2: database '${VIGIL_NO_SUCH:-a}' is there twice, first in line 1"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                ck_assert_str_eq(bad(rows[i].text), rows[i].told);
}
END_TEST

START_TEST(a_log_may_have_64_mib_unless_told_otherwise)
{
        struct config *c = good(
                "database \"a\" { path = /a.db }\n"
                "database \"b\" { path = /b.db wal { warn-bytes = 1G warn-after = 1h max-bytes = 8G } }\n");

        ck_assert_uint_eq(c->database[0].wal.warn_bytes, 64ull << 20);
        ck_assert_uint_eq(c->database[0].wal.warn_after_ms, 300000);
        ck_assert_uint_eq(c->database[0].wal.max_bytes, 1ull << 30);
        ck_assert_uint_eq(c->database[1].wal.warn_bytes, 1ull << 30);
        ck_assert_uint_eq(c->database[1].wal.max_bytes, 8ull << 30);
        config_free(c);
        ck_assert_ptr_nonnull(strstr(bad("database \"a\" { path = /a.db wal { warn-bytes = 2G } }"), "max-bytes"));
}
END_TEST

START_TEST(a_deadlock_may_last_ten_seconds_unless_told_otherwise)
{
        struct config *c = good("database \"a\" { path = /a.db }\n"
                                "database \"b\" { path = /b.db locks { deadlock-after = 1m convoy-after = 0 } }\n");

        ck_assert_uint_eq(c->database[0].locks.deadlock_after_ms, 10000);
        ck_assert_uint_eq(c->database[0].locks.suspect_after_ms, 120000);
        ck_assert_uint_eq(c->database[0].locks.convoy_after_ms, 30000);
        ck_assert_uint_eq(c->database[1].locks.deadlock_after_ms, 60000);
        ck_assert_uint_eq(c->database[1].locks.convoy_after_ms, 0);
        config_free(c);
}
END_TEST

START_TEST(latency_of_one_database_is_that_of_all_but_for_what_it_sets)
{
        struct config *c = good("database \"a\" { path = /a.db latency { floor-sync = 50ms } }\n"
                                "database \"b\" { path = /b.db latency { enabled = false } }\n"
                                "latency { factor = 8 window = 1m }\n"
                                "database \"c\" { path = /c.db }\n");

        ck_assert_uint_eq(c->latency.factor, 8);
        ck_assert_uint_eq(c->latency.hold_ms, 60000);
        for (int i = 0; i < 3; i++) {
                ck_assert_uint_eq(c->database[i].latency.factor, 8);
                ck_assert_uint_eq(c->database[i].latency.window_ms, 60000);
                ck_assert_uint_eq(c->database[i].latency.floor_sync_ms, i == 0 ? 50 : 10);
                ck_assert(c->database[i].latency.enabled == (i != 1));
        }
        config_free(c);
        ck_assert_str_eq(bad("latency {\n window = 3s }"), "2: window: 3s is not between 6 s and 2 min");
}
END_TEST

START_TEST(attribution_is_off_unless_asked_for_and_never_of_one_database)
{
        struct config *c = good("latency { factor = 8 }\n");

        ck_assert(!c->attribution);
        config_free(c);
        c = good("latency { attribution = true }\n");
        ck_assert(c->attribution);
        config_free(c);
        ck_assert_str_eq(
                bad("database 'a' {\n path = '/a'\n latency { attribution = true }\n}"),
                "3: unknown key 'attribution' in section 'latency': known, but only in the top-level section "
                "'latency'");
}
END_TEST

START_TEST(an_empty_list_is_no_occasion_and_not_the_default)
{
        struct config *c = good(
                "database \"a\" { path = '/a'  backup { on = {} } }\ndatabase \"b\" { path = '/b' }\n");

        ck_assert_uint_eq(c->database[0].backup.on, 0);
        ck_assert_uint_eq(c->database[1].backup.on,
                          CONFIG_ON_UNCLEAN | CONFIG_ON_HAZARD | CONFIG_ON_SYNC_ERROR | CONFIG_ON_CORRUPT);
        config_free(c);
}
END_TEST

START_TEST(a_name_that_cannot_be_a_directory_is_refused)
{
        ck_assert_ptr_nonnull(
                strstr(bad("database '../x' { path = '/a' }"), "1: database '../x': a name is made of"));
        ck_assert_ptr_nonnull(strstr(bad("database '' { path = '/a' }"), "a name is made of"));
        ck_assert_ptr_nonnull(strstr(bad("database '.x' { path = '/a' }"), "a name is made of"));
        ck_assert_ptr_nonnull(strstr(bad("database 'a' { path = '/a' }\ndatabase '\001a' { path = '/b' }"),
                                     "2: database '\001a': a name is made of"));
}
END_TEST

START_TEST(a_missing_last_brace_is_an_error)
{
        ck_assert_str_eq(bad("database 'a' {\n path = '/a'\n"),
                         "2: the file ends inside of section 'database': a } is missing");
        ck_assert_str_eq(bad("database 'a' {\n path = '/a'\n check { every = '1h' \n}\n"),
                         "4: the file ends inside of section 'database': a } is missing");
}
END_TEST

START_TEST(unknown_keys_are_all_told_with_the_nearest_one)
{
        struct config_errors errors;
        struct config *c = NULL;

        ck_assert_int_eq(config_parse("test",
                                      "state-dri = '/x'\n"
                                      "database 'a' {\n"
                                      "  pth = '/a'\n"
                                      "  path = '/a'\n"
                                      "  check { evry = '1h' }\n"
                                      "}\n",
                                      &c, &errors),
                         -EINVAL);
        ck_assert_uint_eq(errors.n, 3);
        ck_assert_uint_eq(errors.item[0].line, 1);
        ck_assert_str_eq(errors.item[0].text, "unknown key 'state-dri'; did you mean 'state-dir'?");
        ck_assert_uint_eq(errors.item[1].line, 3);
        ck_assert_str_eq(errors.item[1].text, "unknown key 'pth' in section 'database'; did you mean 'path'?");
        ck_assert_uint_eq(errors.item[2].line, 5);
        ck_assert_str_eq(errors.item[2].text, "unknown key 'evry' in section 'check'; did you mean 'every'?");
}
END_TEST

START_TEST(one_run_tells_every_mistake)
{
        static const char text[] = "state-dir = 'var'\n"
                                   "databse 'x' {\n path = '/x'\n check { every = 1h }\n}\n"
                                   "database 'a' {\n"
                                   "  path = 'rel.db'\n"
                                   "  check { every = 5 minutes method = ful }\n"
                                   "  latency { factor = -1 attribution = true }\n"
                                   "}\n"
                                   "}\n"
                                   "database 'a' {\n"
                                   "  path = '/b'\n"
                                   "  backup { keep = none\n evry = 1h }\n"
                                   "  wal\n"
                                   "}\n"
                                   "limits { store-bytes 1G keep = 3 }\n"
                                   "orchestrator { match-uid = 0 }\n"
                                   "severity 'unclean-death' { is = 'P7' }\n"
                                   "redact-argv =\n"
                                   "redact-argv = yes please\n";
        static const char *const told[] = {
                "1: state-dir: 'var' is not absolute: write it from / on",
                "2: unknown section 'databse'; did you mean 'database'?",
                "7: database 'a': path: 'rel.db' is not absolute: write it from / on",
                "8: database 'a': every: '5 minutes' is not a duration such as '90s', '5m', '1h' or '7d'",
                "8: database 'a': method: 'ful' is not one of: none, quick, full",
                ("9: unknown key 'attribution' in section 'latency': known, but only in the top-level section "
                 "'latency'"),
                "9: database 'a': factor: '-1' is not a whole number from 2 to 1000",
                "11: a } without a { before it",
                "12: database 'a' is there twice, first in line 6",
                "14: database 'a': keep: 'none' is not a whole number from 1 to 100000",
                "15: unknown key 'evry' in section 'backup'; did you mean 'every'?",
                "16: database 'a': 'wal' is a section: write wal { … }",
                "18: 'store-bytes' has no '=' behind it",
                "18: unknown key 'keep' in section 'limits': known, but only in section 'backup' of 'database'",
                "19: section 'orchestrator' has no name: write orchestrator \"NAME\" { … }",
                "20: severity 'unclean-death': is: 'P7' is not one of: P0, P1, P2, P3",
                "21: 'redact-argv' has no value",
                "22: redact-argv: 'yes please' is not true or false",
        };
        struct config_errors errors;
        struct config *c = NULL;
        char all[sizeof(told) / sizeof(told[0])][300];

        ck_assert_int_eq(config_parse("test", text, &c, &errors), -EINVAL);
        for (size_t i = 0; i < errors.n && i < sizeof(told) / sizeof(told[0]); i++)
                snprintf(all[i], sizeof(all[i]), "%u: %s", errors.item[i].line, errors.item[i].text);
        for (size_t i = 0; i < errors.n && i < sizeof(told) / sizeof(told[0]); i++)
                ck_assert_str_eq(all[i], told[i]);
        ck_assert_uint_eq(errors.n, sizeof(told) / sizeof(told[0]));
}
END_TEST

START_TEST(more_sections_than_anybody_can_guard_are_told_once)
{
        struct config_errors errors;
        struct config *c = NULL;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        for (int i = 0; i < 20000; i++)
                fprintf(f, "database d%d { path = \"/srv/%d.db\" }\n", i, i);
        ck_assert_int_eq(fclose(f), 0);
        ck_assert_int_eq(config_parse("test", text, &c, &errors), -EINVAL);
        ck_assert_uint_eq(errors.n, 2);
        ck_assert_str_eq(errors.item[0].text, "4096 databases: at most 1000 can be guarded");
        ck_assert_uint_eq(errors.item[1].line, 4097);
        ck_assert_str_eq(errors.item[1].text,
                         "more than 4096 sections have a name: let one 'database' have a 'glob' "
                         "for many files");
        free(text);
}
END_TEST

START_TEST(comments_hide_nothing_and_move_no_line)
{
        struct config *c = good("# one\n// two 'x\n/* three\n\" four */\nstate-dir = '/a#b' # end\n"
                                "database /* here */ 'x' { path = /p//q }");

        ck_assert_str_eq(c->state_dir, "/a#b");
        ck_assert_str_eq(c->database[0].path, "/p//q");
        ck_assert_uint_eq(c->database[0].line, 6);
        config_free(c);
        ck_assert_str_eq(bad("# one\n# two\n\n/* three\n four */ redact-argv = maybe # five\n"),
                         "5: redact-argv: 'maybe' is neither true nor false");
}
END_TEST

START_TEST(a_variable_hides_quotes_and_comments)
{
        struct config *c = good("state-dir = \"${VIGIL_NO_SUCH:-/a\"b}\"\n"
                                "database 'x' { path = ${VIGIL_NO_SUCH:-/it's #1} }");

        ck_assert_str_eq(c->state_dir, "/a\"b");
        ck_assert_str_eq(c->database[0].path, "/it's #1");
        config_free(c);
}
END_TEST

START_TEST(more_mistakes_than_fit_are_counted)
{
        struct config_errors errors;
        struct config *c = NULL;
        char text[100 * 40] = "";

        for (int i = 0; i < 100; i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "database 'd%d' { path = 'x' }\n", i);
        ck_assert_int_eq(config_parse("test", text, &c, &errors), -EINVAL);
        ck_assert_uint_eq(errors.n, CONFIG_MAX_ERRORS);
        ck_assert_uint_gt(errors.lost, 0);
}
END_TEST

SUITE("config", an_empty_file_is_all_defaults, the_contracts_example_is_understood,
      every_kind_of_mistake_has_its_line, what_a_word_ends_at_is_told_with_what_to_write,
      a_log_may_have_64_mib_unless_told_otherwise, a_deadlock_may_last_ten_seconds_unless_told_otherwise,
      latency_of_one_database_is_that_of_all_but_for_what_it_sets,
      attribution_is_off_unless_asked_for_and_never_of_one_database,
      an_empty_list_is_no_occasion_and_not_the_default, a_name_that_cannot_be_a_directory_is_refused,
      a_missing_last_brace_is_an_error, unknown_keys_are_all_told_with_the_nearest_one, one_run_tells_every_mistake,
      more_sections_than_anybody_can_guard_are_told_once, comments_hide_nothing_and_move_no_line,
      a_variable_hides_quotes_and_comments, more_mistakes_than_fit_are_counted)
