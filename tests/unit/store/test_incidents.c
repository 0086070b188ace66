/* test_incidents.c - what was put in comes out in the shape of the Contract. */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "fixture.h"

static const char *text_of(const json_t *o, const char *key)
{
        const char *text = json_string_value(json_object_get(o, key));
        ck_assert_msg(text != NULL, "%s is no text", key);
        return text;
}

/* The incident "i-1" with two certificates and three findings, the worst of them last in time. */
static void put_story(struct store *s)
{
        json_t *doc = json_pack("{s:{s:s, s:[]}}", "trust", "level", "full", "reasons");
        json_t *certificate = json_pack("{s:s, s:s}", "id", "c-1", "verdict", "unclean");
        struct store_incident i = an_incident("i-1");
        i.doc = doc;
        ck_assert_int_eq(store_begin(s), 0);
        ck_assert_int_eq(store_put_incident(s, &i), 0);
        ck_assert_int_eq(store_put_certificate(s, "c-2", "orders", "i-1", "clean", T0 + 2, certificate), 0);
        ck_assert_int_eq(store_put_certificate(s, "c-1", "persistence", "i-1", "unclean", T0 + 1, certificate), 0);
        ck_assert_int_eq(store_put_certificate(s, "c-3", "persistence", NULL, "clean", T0 + 3, certificate), 0);
        ck_assert_int_eq(store_put_finding(s, "f-3", "orders", "i-1", "abrupt-death", "P2", T0, NULL), 0);
        ck_assert_int_eq(store_put_finding(s, "f-2", "persistence", "i-1", "unclean-death", "P1", T0 + 1, NULL), 0);
        ck_assert_int_eq(store_put_finding(s, "f-1", "persistence", "i-1", "integrity-failed", "P0", T0 + 9, NULL),
                         0);
        ck_assert_int_eq(store_commit(s), 0);
        json_decref(doc);
        json_decref(certificate);
}

START_TEST(one_incident_comes_with_its_findings)
{
        struct store *s = opened(NULL);
        const struct store_query q = {.id = "i-1"}, none = {.id = "i-9"};
        json_t *document = NULL;
        put_story(s);
        ck_assert_int_eq(store_incident(s, &q, &document), 0);
        ck_assert_uint_eq(json_array_size(json_object_get(document, "incidents")), 1);
        ck_assert_uint_eq(json_array_size(json_object_get(document, "finding_details")), 3);
        json_decref(document);
        ck_assert_int_eq(store_incident(s, &none, &document), -ENOENT);
        store_close(s);
}
END_TEST

START_TEST(an_incident_has_every_member_of_the_contract)
{
        static const char *const members[] = {
                "id",           "code",     "severity",   "status",      "database",
                "path",         "summary",  "started_at", "resolved_at", "acknowledged_at",
                "certificates", "findings", "integrity",  "backup",      "trust"};
        struct store *s = opened(NULL);
        put_story(s);
        json_t *document;
        const json_t *i = incident_of(s, "i-1", &document);
        ck_assert_str_eq(text_of(document, "schema"), "vigil.incidents/1");
        for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++)
                ck_assert_msg(json_object_get(i, members[k]) != NULL, "%s is missing", members[k]);
        ck_assert_str_eq(text_of(i, "code"), "unclean-death");
        ck_assert_str_eq(text_of(i, "started_at"), "2026-11-21T11:20:00.000000Z");
        ck_assert(json_is_null(json_object_get(i, "resolved_at")));
        ck_assert(json_is_null(json_object_get(i, "backup")));
        ck_assert_str_eq(text_of(json_object_get(i, "integrity"), "result"), "skipped");
        ck_assert_str_eq(text_of(json_object_get(i, "trust"), "level"), "full");
        json_decref(document);
        store_close(s);
}
END_TEST

/* "[\"a\",\"b\"]" of one list of the incident. */
static void assert_list(const json_t *incident, const char *key, const char *want)
{
        char *text = json_dumps(json_object_get(incident, key), JSON_COMPACT);
        ck_assert_str_eq(text, want);
        free(text);
}

START_TEST(an_incident_names_what_belongs_to_it_and_the_worst_finding_first)
{
        struct store *s = opened(NULL);
        put_story(s);
        json_t *document;
        const json_t *i = incident_of(s, "i-1", &document);
        assert_list(i, "certificates", "[\"c-1\",\"c-2\"]");
        assert_list(i, "findings", "[\"f-1\",\"f-2\",\"f-3\"]");
        assert_list(i, "databases", "[\"orders\",\"persistence\"]");
        assert_list(i, "backups", "[]");
        json_decref(document);
        store_close(s);
}
END_TEST

START_TEST(the_findings_of_an_incident_come_as_they_were_stored_worst_first)
{
        struct store *s = opened(NULL);
        static const char *const severities[] = {"P2", "P0", "P1"};
        for (int k = 0; k < 3; k++) {
                json_t *doc = json_pack("{s:s, s:i}", "severity", severities[k], "n", k);
                char id[16];
                snprintf(id, sizeof(id), "f-%d", k);
                ck_assert_int_eq(
                        store_put_finding(s, id, "app", k == 2 ? "i-2" : "i-1", "code", severities[k], T0, doc), 0);
                json_decref(doc);
        }
        json_t *list;
        ck_assert_int_eq(store_findings(s, "i-1", &list), 0);
        char *text = json_dumps(list, JSON_COMPACT);
        ck_assert_str_eq(text, "[{\"severity\":\"P0\",\"n\":1},{\"severity\":\"P2\",\"n\":0}]");
        free(text);
        json_decref(list);
        ck_assert_int_eq(store_findings(s, "i-9", &list), 0);
        ck_assert_uint_eq(json_array_size(list), 0);
        json_decref(list);
        store_close(s);
}
END_TEST

START_TEST(check_and_backup_of_an_incident_are_shown_with_it)
{
        struct store *s = opened(NULL);
        put_story(s);
        json_t *check = json_pack("{s:s, s:s}", "result", "ok", "method", "quick_check");
        json_t *backup = json_pack("{s:s, s:s, s:s, s:b, s:s, s:i}", "id", "app-1", "path", "/b/app-1.db",
                                   "created_at", "2026-11-21T10:41:00.000000Z", "verified", 1, "class", "backup",
                                   "bytes", 4096);
        ck_assert_int_eq(store_put_check(s, "persistence", "i-1", "unclean", T0 + 5, check), 0);
        ck_assert_int_eq(store_put_backup(s, "persistence", backup, "i-1"), 0);
        int64_t at = 0;
        char result[16] = "";
        ck_assert_int_eq(store_last_check(s, "other", &at, result, sizeof(result)), -ENOENT);
        ck_assert_int_eq(store_last_check(s, "persistence", &at, result, sizeof(result)), 0);
        ck_assert_int_eq(at, T0 + 5);
        ck_assert_str_eq(result, "ok");
        json_t *document;
        const json_t *i = incident_of(s, "i-1", &document);
        ck_assert_str_eq(text_of(json_object_get(i, "integrity"), "result"), "ok");
        ck_assert_str_eq(text_of(json_object_get(i, "integrity"), "at"), "2026-11-21T11:20:00.000000Z");
        ck_assert_str_eq(text_of(json_object_get(i, "backup"), "at"), "2026-11-21T10:41:00.000000Z");
        ck_assert_str_eq(text_of(json_object_get(i, "backup"), "id"), "app-1");
        ck_assert(json_is_true(json_object_get(json_object_get(i, "backup"), "verified")));
        json_decref(document);
        ck_assert_int_eq(store_remove_backup(s, "persistence", "app-1", T0 + 9), 0);
        i = incident_of(s, "i-1", &document);
        ck_assert(json_is_null(json_object_get(i, "backup")));
        json_decref(document);
        json_decref(check);
        json_decref(backup);
        store_close(s);
}
END_TEST

START_TEST(files_that_are_kept_as_evidence_are_no_backup_of_an_incident)
{
        struct store *s = opened(NULL);
        json_t *kept = json_pack("{s:s, s:b, s:s}", "id", "evidence/app-1", "verified", 0, "class", "evidence");
        json_t *doc = json_pack("{s:O}", "backup", kept), *document;
        struct store_incident i = an_incident("i-1");
        i.doc = doc;
        ck_assert_int_eq(store_put_incident(s, &i), 0);
        ck_assert_int_eq(store_put_backup(s, "persistence", kept, "i-1"), 0);
        const json_t *is = incident_of(s, "i-1", &document);
        ck_assert(json_is_null(json_object_get(is, "backup")));
        json_decref(document);
        json_decref(doc);
        json_decref(kept);
        store_close(s);
}
END_TEST

START_TEST(the_last_death_is_told_and_a_check_says_itself_when_it_was_begun)
{
        struct store *s = opened(NULL);
        json_t *check = json_pack("{s:s, s:s}", "result", "ok", "at", "2026-11-21T10:39:59.000000Z"), *document;
        json_t *counted = json_pack("{s:{s:s}}", "deaths", "last_at", "2026-11-21T12:00:00.000000Z");
        put_incident(s, "i-1", "firing");
        const json_t *i = incident_of(s, "i-1", &document);
        ck_assert(json_is_null(json_object_get(i, "last_death_at")));
        json_decref(document);
        ck_assert_int_eq(store_put_certificate(s, "c-2", "a", "i-1", "unclean", T0 + 2 * SECOND, NULL), 0);
        ck_assert_int_eq(store_put_certificate(s, "c-1", "a", "i-1", "unclean", T0 + 1 * SECOND, NULL), 0);
        ck_assert_int_eq(store_put_check(s, "a", "i-1", "unclean", T0 + 5, check), 0);
        i = incident_of(s, "i-1", &document);
        ck_assert_str_eq(text_of(i, "last_death_at"), "2026-11-21T11:20:02.000000Z");
        ck_assert_str_eq(text_of(json_object_get(i, "integrity"), "at"), "2026-11-21T10:39:59.000000Z");
        json_decref(document);
        /* Of very many the newest have no certificate here. */
        struct store_incident many = an_incident("i-1");
        many.doc = counted;
        ck_assert_int_eq(store_put_incident(s, &many), 0);
        i = incident_of(s, "i-1", &document);
        ck_assert_str_eq(text_of(i, "last_death_at"), "2026-11-21T12:00:00.000000Z");
        json_decref(document);
        json_decref(counted);
        json_decref(check);
        store_close(s);
}
END_TEST

START_TEST(incidents_come_newest_first_and_by_status_and_say_when_there_were_more)
{
        struct store *s = opened(NULL);
        for (int k = 0; k < 5; k++) {
                char id[16];
                snprintf(id, sizeof(id), "i-%d", k);
                struct store_incident i = an_incident(id);
                i.started_ns = T0 + k * SECOND;
                i.status = k == 2 ? "resolved" : "firing";
                ck_assert_int_eq(store_put_incident(s, &i), 0);
        }
        json_t *d;
        ck_assert_int_eq(store_incidents(s, &(struct store_query){.status = "firing", .limit = 3}, &d), 0);
        const json_t *list = json_object_get(d, "incidents");
        ck_assert_uint_eq(json_array_size(list), 3);
        ck_assert_str_eq(text_of(json_array_get(list, 0), "id"), "i-4");
        ck_assert_str_eq(text_of(json_array_get(list, 2), "id"), "i-1");
        ck_assert(json_is_true(json_object_get(d, "cut")));
        json_decref(d);
        ck_assert_int_eq(
                store_incidents(s, &(struct store_query){.since_ns = T0 + SECOND, .until_ns = T0 + 3 * SECOND}, &d),
                0);
        ck_assert_uint_eq(json_array_size(json_object_get(d, "incidents")), 2);
        ck_assert_ptr_null(json_object_get(d, "cut"));
        json_decref(d);
        store_close(s);
}
END_TEST

START_TEST(one_that_began_earlier_and_has_news_since_is_among_them)
{
        struct store *s = opened(NULL);
        const struct store_query since = {.since_ns = T0 + 10 * SECOND};
        json_t *deaths = json_pack("{s:{s:s}}", "deaths", "last_at", "2026-11-21T11:20:10.500000Z"), *d;
        put_incident(s, "i-1", "firing");
        put_incident(s, "i-2", "resolved");
        put_incident(s, "i-3", "firing");
        struct store_incident counted = an_incident("i-4");
        counted.doc = deaths;
        ck_assert_int_eq(store_put_incident(s, &counted), 0);
        ck_assert_int_eq(store_put_finding(s, "f-1", "a", "i-1", "unclean-death", "P1", T0 + 9 * SECOND, NULL), 0);
        ck_assert_int_eq(store_put_finding(s, "f-2", "a", "i-2", "unclean-death", "P1", T0 + 10 * SECOND, NULL), 0);
        ck_assert_int_eq(store_incidents(s, &since, &d), 0);
        const json_t *list = json_object_get(d, "incidents");
        ck_assert_uint_eq(json_array_size(list), 2);
        ck_assert_str_eq(text_of(json_array_get(list, 0), "id"), "i-2");
        ck_assert_str_eq(text_of(json_array_get(list, 1), "id"), "i-4");
        json_decref(d);
        json_decref(deaths);
        store_close(s);
}
END_TEST

START_TEST(an_id_that_nobody_gave_is_not_found)
{
        struct store *s = opened(NULL);
        json_t *d = NULL;
        ck_assert_int_eq(store_incidents(s, &(struct store_query){.id = "i-9"}, &d), -ENOENT);
        ck_assert_int_eq(store_certificates(s, &(struct store_query){.id = "c-9"}, &d), -ENOENT);
        ck_assert_ptr_null(d);
        store_close(s);
}
END_TEST

START_TEST(a_certificate_is_what_was_stored_with_its_database)
{
        struct store *s = opened(NULL);
        put_story(s);
        json_t *d;
        ck_assert_int_eq(store_certificates(s, &(struct store_query){.database = "persistence"}, &d), 0);
        const json_t *list = json_object_get(d, "certificates");
        ck_assert_str_eq(text_of(d, "schema"), "vigil.certificates/1");
        ck_assert_uint_eq(json_array_size(list), 2);
        ck_assert_str_eq(text_of(json_array_get(list, 1), "verdict"), "unclean");
        ck_assert_str_eq(text_of(json_array_get(list, 1), "database"), "persistence");
        json_decref(d);
        store_close(s);
}
END_TEST

START_TEST(a_repetition_replaces_and_never_doubles)
{
        struct store *s = opened(NULL);
        put_story(s);
        put_story(s);
        put_incident(s, "i-1", "resolved");
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 1);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM certificates"), 3);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM findings"), 3);
        char text[64];
        shell("SELECT status || ' ' || resolved_at FROM alerts", text, sizeof(text));
        ck_assert_str_eq(text, "resolved 2026-11-21 11:21:00");
        store_close(s);
}
END_TEST

static int keep_one(void *userdata, const struct store_incident *i)
{
        char *ret = userdata;
        snprintf(ret, 128, "%s %s %s %lld %s", i->id, i->status, i->path, (long long)i->started_ns,
                 json_string_value(json_object_get(i->doc, "evidence")));
        return 0;
}

START_TEST(open_incidents_come_back_as_they_were_after_a_restart)
{
        struct store *s = opened(NULL);
        put_incident(s, "i-1", "resolved");
        json_t *doc = json_pack("{s:s}", "evidence", "/e");
        struct store_incident i = an_incident("i-2");
        i.path = "/srv/\xff.db";
        i.status = "acknowledged";
        i.doc = doc;
        ck_assert_int_eq(store_put_incident(s, &i), 0);
        json_decref(doc);
        store_close(s);
        s = opened(NULL);
        char text[128] = "";
        ck_assert_int_eq(store_load_open(s, keep_one, text), 0);
        ck_assert_str_eq(text, "i-2 acknowledged /srv/\xff.db 1795260000000000000 /e");
        store_close(s);
}
END_TEST

START_TEST(what_was_stored_is_known_by_its_id)
{
        struct store *s = opened(NULL);
        put_story(s);
        ck_assert_int_eq(store_knows(s, "c-1"), 1);
        ck_assert_int_eq(store_knows(s, "f-3"), 1);
        ck_assert_int_eq(store_knows(s, "i-1"), 0);
        ck_assert_int_eq(store_knows(s, "c-9"), 0);
        store_close(s);
}
END_TEST

START_TEST(a_path_that_is_no_text_is_shown_with_its_bytes_beside)
{
        struct store *s = opened(NULL);
        struct store_incident i = an_incident("i-1");
        i.path = "/srv/\xff.db";
        ck_assert_int_eq(store_put_incident(s, &i), 0);
        json_t *d;
        const json_t *shown = incident_of(s, "i-1", &d);
        ck_assert_str_eq(text_of(shown, "path"), "/srv/\xef\xbf\xbd.db");
        ck_assert_str_eq(text_of(shown, "path_hex"), "2f7372762fff2e6462");
        json_decref(d);
        store_close(s);
}
END_TEST

START_TEST(a_severity_that_is_none_is_refused_and_spoils_nothing_else)
{
        struct store *s = opened(NULL);
        struct store_incident bad = an_incident("i-1"), good = an_incident("i-2");
        bad.severity = "P9";
        ck_assert_int_eq(store_begin(s), 0);
        ck_assert_int_eq(store_put_incident(s, &bad), -EINVAL);
        ck_assert_int_eq(store_put_incident(s, &good), 0);
        ck_assert_int_eq(store_commit(s), 0);
        ck_assert_int_eq(shell_number("SELECT count(*) FROM alerts"), 1);
        store_close(s);
}
END_TEST

START_TEST(evidence_that_was_removed_is_said_to_be_and_only_of_the_resolved_it_is_known_since_when)
{
        struct store *s = opened(NULL);
        json_t *doc = json_pack("{s:s}", "evidence", "/state/evidence/i-1"), *document;
        struct store_incident i = an_incident("i-1");
        char newest[32];
        int64_t at = -1;

        ck_assert_int_eq(store_newest_incident(s, newest, sizeof(newest)), 0);
        ck_assert_str_eq(newest, "");
        ck_assert_int_eq(store_incident_resolved(s, "i-1", &at), -ENOENT);
        i.doc = doc;
        ck_assert_int_eq(store_put_incident(s, &i), 0);
        ck_assert_int_eq(store_incident_resolved(s, "i-1", &at), 0);
        ck_assert_int_eq(at, 0);
        i.status = "resolved";
        i.resolved_ns = T0 + 5;
        ck_assert_int_eq(store_put_incident(s, &i), 0);
        ck_assert_int_eq(store_incident_resolved(s, "i-1", &at), 0);
        ck_assert_int_eq(at, T0 + 5);
        /* Set in the shell, and not told yet: it is not for us to say. */
        shell("UPDATE alerts SET status='firing' WHERE id='i-1'", NULL, 0);
        ck_assert_int_eq(store_incident_resolved(s, "i-1", &at), 0);
        ck_assert_int_eq(at, 0);
        struct store_incident later = an_incident("i-0");
        later.started_ns = T0 + 9;
        ck_assert_int_eq(store_put_incident(s, &later), 0);
        ck_assert_int_eq(store_newest_incident(s, newest, sizeof(newest)), 0);
        ck_assert_str_eq(newest, "i-0");
        ck_assert_int_eq(store_evidence_removed(s, "i-1", T0), 0);
        ck_assert_int_eq(store_evidence_removed(s, "i-9", T0), 0);
        const json_t *shown = incident_of(s, "i-1", &document);
        ck_assert(json_is_null(json_object_get(shown, "evidence")));
        ck_assert_str_eq(text_of(shown, "evidence_removed_at"), "2026-11-21T11:20:00.000000Z");
        json_decref(document);
        json_decref(doc);
        store_close(s);
}
END_TEST

static int keep_death(void *userdata, const struct store_death *death)
{
        char *all = userdata;
        size_t n = strlen(all);
        snprintf(all + n, 200 - n, "%s %s %s %u %llu;", death->certificate, death->database, death->comm,
                 death->pid, (unsigned long long)death->start_ns);
        return 0;
}

START_TEST(the_newest_deaths_come_oldest_first_and_by_whom_they_were)
{
        struct store *s = opened(NULL);
        json_t *doc = json_pack("{s:{s:i, s:i, s:s}}", "process", "pid", 31, "start_ns", 99, "comm", "node");
        char all[200] = "";
        ck_assert_int_eq(store_put_certificate(s, "c-1", "a", NULL, "clean", T0 + 1, doc), 0);
        ck_assert_int_eq(store_put_certificate(s, "c-3", "b", NULL, "clean", T0 + 3, doc), 0);
        ck_assert_int_eq(store_put_certificate(s, "c-2", "a", NULL, "clean", T0 + 2, NULL), 0);
        ck_assert_int_eq(store_load_deaths(s, T0, 2, keep_death, all), 0);
        ck_assert_str_eq(all, "c-2 a  0 0;c-3 b node 31 99;");
        all[0] = 0;
        ck_assert_int_eq(store_load_deaths(s, T0 + 3, 9, keep_death, all), 0);
        ck_assert_str_eq(all, "c-3 b node 31 99;");
        json_decref(doc);
        store_close(s);
}
END_TEST

SUITE("incidents of the store", the_newest_deaths_come_oldest_first_and_by_whom_they_were,
      one_incident_comes_with_its_findings, an_incident_has_every_member_of_the_contract,
      an_incident_names_what_belongs_to_it_and_the_worst_finding_first,
      the_findings_of_an_incident_come_as_they_were_stored_worst_first,
      check_and_backup_of_an_incident_are_shown_with_it,
      files_that_are_kept_as_evidence_are_no_backup_of_an_incident,
      the_last_death_is_told_and_a_check_says_itself_when_it_was_begun,
      incidents_come_newest_first_and_by_status_and_say_when_there_were_more,
      one_that_began_earlier_and_has_news_since_is_among_them, an_id_that_nobody_gave_is_not_found,
      a_certificate_is_what_was_stored_with_its_database, a_repetition_replaces_and_never_doubles,
      what_was_stored_is_known_by_its_id, open_incidents_come_back_as_they_were_after_a_restart,
      a_path_that_is_no_text_is_shown_with_its_bytes_beside,
      a_severity_that_is_none_is_refused_and_spoils_nothing_else,
      evidence_that_was_removed_is_said_to_be_and_only_of_the_resolved_it_is_known_since_when)
