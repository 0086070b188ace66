# runbook.bats - the SQL of the on-call runbooks, as it stands there, by the sqlite3 program, on a store that is in use.
# bats file_tags=asan

load lib.bash

setup() {
	enter_tmp
	mkdir state
	mkfifo hold
	sleep 600 >hold 3>&- &
	HOLD=$!
	"$BUILD/fakes/fake_store" state <hold >told 3>&- &
	STORE=$!
	await_line ready
}

teardown() {
	kill "$HOLD" 2>/dev/null || true
	wait "$STORE" || true
}

# Waits until the store has told that line, for a minute at most.
await_line() {
	local i

	for ((i = 0; i < 6000; i++)); do
		! grep -qx -- "$1" told || return 0
		sleep 0.01
	done
	echo "not told: $1; but:"
	cat told
	return 1
}

sql() {
	sqlite3 state/vigil.db "$1"
}

@test "what fires is listed, newest first" {
	out=$(sql "
SELECT * FROM alerts WHERE status = 'firing' ORDER BY started_at DESC;
")
	[ "$(cut -d'|' -f1 <<<"$out")" = $'i-0000000000000002\ni-0000000000000001' ]
	[ "$(cut -d'|' -f2-4 <<<"$out" | head -1)" = "integrity-failed|P0|firing" ]
	[ "$(sql "
SELECT * FROM alerts WHERE status = 'firing';
" | wc -l)" -eq 2 ]
	[ "$(sql "SELECT * FROM alerts WHERE status='firing';" | wc -l)" -eq 2 ]
}

@test "the errors of the last ten minutes are counted by operation and error" {
	out=$(sql "
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
")
	[ "$out" = $'write|ENOSPC|5\nsync|EIO|3' ]
}

@test "the metrics of the last hour are summed up by type" {
	out=$(sql "
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
")
	[ "$out" = $'error|1.0|1.0|1.0|108\nsync_p99_us|300.0|200.0|400.0|2' ]
}

@test "an alert that is resolved in the shell is resolved for the daemon, at that time" {
	ALERT_ID="i-0000000000000001"
	sql "UPDATE alerts SET status='resolved', resolved_at=datetime('now') WHERE id='${ALERT_ID}';"
	await_line "$ALERT_ID resolved"
	[ "$(sql "SELECT resolved_by, abs(resolved_ns / 1000000000 - strftime('%s', resolved_at)) FROM alerts WHERE id='$ALERT_ID'")" = "shell|0" ]
	[ "$(sql "SELECT id FROM alerts WHERE status='firing'")" = i-0000000000000002 ]
	[ "$(grep -c . told)" -eq 2 ]
}

@test "the store is one that any SQLite program may open, and only its owner" {
	[ "$(sql "PRAGMA integrity_check; PRAGMA journal_mode;")" = $'ok\ndelete' ]
	[ "$(stat -c %a state/vigil.db)" = 600 ]
	[ "$(stat -c %a state/vigil.db-journal)" = 600 ]
}
