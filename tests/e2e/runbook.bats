# runbook.bats - the SQL of the on-call runbooks, as it stands there, by the sqlite3 program, on a store that is in use.

load lib.bash
load daemon.bash

setup() {
	enter_tmp
	mkdir S
}

teardown() {
	[ -z "${HOLD:-}" ] || kill "$HOLD"
	[ -z "${STORE:-}" ] || await_gone "$STORE"
	daemon_teardown
}

# A store with four alerts and some metrics, which stays open.
store_begin() {
	mkfifo hold
	sleep 600 >hold 3>&- &
	HOLD=$!
	"$BUILD/fakes/fake_store" S <hold >told 3>&- &
	STORE=$!
	await_line ready
}

# Waits until the store has told that line.
await_line() {
	until_true grep -qx -- "$1" told && return
	cat told
	return 1
}

# --- the statements of the runbooks -----------------------------------------------------------------------------------

firing_newest_first() {
	sql "
SELECT * FROM alerts WHERE status = 'firing' ORDER BY started_at DESC;
"
}

errors_by_operation() {
	sql "
SELECT
  json_extract(labels_json, '$.operation') as operation,
  json_extract(labels_json, '$.error') as error,
  COUNT(*) as count
FROM metrics
WHERE type = 'error'
  AND recorded_at >= datetime('now', '-10 minutes')
GROUP BY operation, error
ORDER BY count DESC
LIMIT 10;
"
}

metrics_by_type() {
	sql "
SELECT
  type,
  AVG(value) as avg,
  MIN(value) as min,
  MAX(value) as max,
  COUNT(*) as count
FROM metrics
WHERE recorded_at >= datetime('now', '-1 hour')
GROUP BY type
ORDER BY type;
"
}

resolve() {
	ALERT_ID=$1
	sql "UPDATE alerts SET status='resolved', resolved_at=datetime('now') WHERE id='${ALERT_ID}';"
}

# --- on a store whose content is known --------------------------------------------------------------------------------

@test "what fires is listed, newest first" {
	store_begin
	out=$(firing_newest_first)
	[ "$(cut -d'|' -f1 <<<"$out")" = $'i-0000000000000002\ni-0000000000000001' ]
	[ "$(cut -d'|' -f2-4 <<<"$out" | head -1)" = "integrity-failed|P0|firing" ]
	[ "$(sql "
SELECT * FROM alerts WHERE status = 'firing';
" | wc -l)" -eq 2 ]
	[ "$(sql "SELECT * FROM alerts WHERE status='firing';" | wc -l)" -eq 2 ]
}

@test "the errors of the last ten minutes are counted by operation and error" {
	store_begin
	[ "$(errors_by_operation)" = $'write|ENOSPC|5\nsync|EIO|3' ]
}

@test "the metrics of the last hour are summed up by type" {
	store_begin
	[ "$(metrics_by_type)" = $'error|1.0|1.0|1.0|108\nsync_p99_us|300.0|200.0|400.0|2' ]
}

@test "an alert that is resolved in the shell is resolved for the daemon, at that time" {
	store_begin
	resolve i-0000000000000001
	await_line "$ALERT_ID resolved"
	[ "$(sql "SELECT resolved_by, abs(resolved_ns / 1000000000 - strftime('%s', resolved_at)) FROM alerts WHERE id='$ALERT_ID'")" = "shell|0" ]
	[ "$(sql "SELECT id FROM alerts WHERE status='firing'")" = i-0000000000000002 ]
	[ "$(grep -c . told)" -eq 2 ]
}

@test "the store is one that any SQLite program may open, and only its owner" {
	store_begin
	[ "$(sql "PRAGMA integrity_check; PRAGMA journal_mode;")" = $'ok\ndelete' ]
	[ "$(stat -c %a S/vigil.db)" = 600 ]
	[ "$(stat -c %a S/vigil.db-journal)" = 600 ]
}

# --- on the store of a daemon -----------------------------------------------------------------------------------------

an_error_is_counted() {
	[ -n "$(errors_by_operation)" ]
}

@test "all of them on the store of a daemon that runs: a death fires, a failed write is counted, the shell resolves" {
	need_watch
	mk app.db wal
	configure "database \"app\" { path = \"$PWD/app.db\" }"
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents | any(.status == "firing" and .code == "unclean-death")' incidents
	firing_newest_first | grep -q '|unclean-death|P1|firing|'
	resolve "$(jq -r '.incidents[0].id' a.json)"
	eventually ".incidents[0] | .id == \"$ALERT_ID\" and .status == \"resolved\" and .resolved_by == \"shell\"" incidents
	[ -z "$(firing_newest_first)" ]

	(
		ulimit -f 200
		trap '' XFSZ
		"$DRIVER" -t truth2 app.db "insert into t(b) values(zeroblob(1000000))" || true
	)
	until_true an_error_is_counted
	errors_by_operation | grep -qE '^write\|EFBIG\|[1-9]'
	metrics_by_type | grep -qE '^error\|1\.0\|1\.0\|1\.0\|[1-9]'
}
