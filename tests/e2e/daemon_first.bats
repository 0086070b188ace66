#!/usr/bin/env bats
# bats file_tags=asan
# shellcheck disable=SC2030,SC2031 # bats runs each test in a process of its own
# The daemon from end to end: one database, one writer that is killed inside a transaction, and everything that follows from it.

load lib.bash
load daemon.bash

@test "a writer killed inside a transaction becomes one incident with certificate, check and verified backup" {
	daemon_begin
	ask health
	[ "$status" -eq 0 ]
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9

	eventually '.incidents | length == 1 and .[0].backup.verified == true and .[0].evidence' incidents
	assert_answer '.incidents[0] | .code == "unclean-death" and .severity == "P1" and .status == "firing"' \
		'.incidents[0] | .database == "app" and .databases == ["app"]' \
		'.incidents[0].certificates | length == 1' '.incidents[0].findings | length == 1' \
		'.incidents[0].integrity.result == "ok"' '.incidents[0].backup.class == "backup"' \
		'.incidents[0].trust.level == "full"' '.incidents[0].ends_by == ["recovery"]'

	# A death stands before the incident that it has opened.
	[ "$(sql "select group_concat(type, ' ') from (select type from events where type in ('death', 'incident') order by seq)")" = "death incident" ]

	# The certificate is that of the process that told the truth.
	ask certificate "$(jq -r '.incidents[0].certificates[0]' a.json)"
	assert_answer ".certificates[0].process.pid == $(pid_of truth)" '.certificates[0].verdict == "unclean"' \
		'.certificates[0].database == "app"' '.certificates[0].exit.signal == "SIGKILL"'

	ask health
	[ "$status" -eq 1 ]
	assert_answer '.status == "degraded"' '.reasons | length == 1'

	# What was promised is there: the copy, the recording, intent and outcome.
	timeout 60 "$VIGIL" backup verify --backup-dir S/backups/app
	[ "$(sql "select kind || ' ' || outcome from actions")" = "backup done" ]
	echo "from the death to a verified backup: $(sql "select (outcome_ns - (select started_ns from alerts)) / 1000000 from actions") ms"
	"$VIGIL" replay --json "S/evidence/$(sql 'select id from alerts')/recording.vigil" >replay.json
	[ "$(jq -r '.databases[0].certificates[0].id' replay.json)" = "$(sql 'select id from certificates')" ]

	# The next opener recovers it, and that ends the incident.
	"$DRIVER" -t truth2 app.db "insert into t(b) values('back')"
	eventually '.incidents[0].status == "resolved"' incidents
	assert_answer '.incidents[0].resolved_by == "recovery"' '.incidents[0].resolution.database == "app"'
	ask health
	[ "$status" -eq 0 ]

	daemon_end
	[ "$status" -eq 0 ]
	[ ! -e S/control ]
}

@test "the runbook's SQL sees it, and resolves it" {
	daemon_begin
	killed "$DRIVER" -t truth app.db "${SPILL[@]}" @kill9
	eventually '.incidents | length == 1' incidents
	[ "$(sql "SELECT count(*) FROM alerts WHERE status = 'firing'")" = 1 ]
	sql "UPDATE alerts SET status='resolved', resolved_at=datetime('now') WHERE id='$(sql 'select id from alerts')'"
	eventually '.status == "healthy"' health
	eventually '.incidents[0] | .status == "resolved" and .resolved_by == "shell"' incidents
}

@test "a second daemon on the same state directory is refused, and the first goes on" {
	daemon_begin
	status=0
	timeout "$PATIENCE" "$VIGIL" run -c vigil.conf --state-dir S 2>second.err || status=$?
	[ "$status" -eq 69 ]
	grep -q "another vigil run (pid $DAEMON) uses it" second.err
	[ "$(wc -l <second.err)" -eq 1 ]
	ask health
	[ "$status" -eq 0 ]
}

@test "a clean end is a certificate and nothing more" {
	daemon_begin
	"$DRIVER" -t truth app.db "insert into t(b) values('x')"
	eventually '.certificates | length == 1' certificates
	assert_answer '.certificates[0].verdict == "clean"'
	ask incidents
	assert_answer '.incidents == []'
	daemon_end
	[ "$status" -eq 0 ]
	[ "$(sql "select count(*) from actions")" = 0 ]
	[ "$(sql "select ended_ns > started_ns from runs")" = 1 ]
}

@test "a configuration that is wrong: its errors with their lines, and nothing is begun" {
	configure 'database "app" {' '  pth = "/x"' '}'
	status=0
	"$VIGIL" run -c vigil.conf --state-dir S 2>err || status=$?
	[ "$status" -eq 2 ]
	grep -q 'vigil.conf:2: ' err
	[ ! -e S ]
}

@test "a Vigil of another build is no user of the database, and a stranger of that name is" {
	mkdir other stranger
	cp "$VIGIL" other/vigil # another program file, as another build is
	cp "$DRIVER" stranger/vigil
	writer_begin app.db
	daemon_begin
	other/vigil discover >discovered
	grep -q app.db discovered
	other/vigil check app.db
	other/vigil backup create --db app.db --backup-dir B
	stranger/vigil -t truth2 app.db "select count(*) from t"
	writer_kill
	eventually '.certificates | length == 2' certificates
	assert_answer "[.certificates[].process.pid] | sort == ([$(pid_of truth), $(pid_of truth2)] | sort)"
	[ "$(sql "select count(*) from events where type='death'")" = 2 ]
	assert_answer '[.certificates[] | select(.process.comm == "vigil")] | length == 1'
}
