// orchestrator.mjs DB DIRECTORY MODE... - the same as orchestrator.py on Node.js, which has no SQLite of its own here: it asks the
// sqlite3 shell. A worker (child_process.fork) for each job; state files are written by the worker itself.
//
//   work     updates its row and its state file    spin   uses the CPU
//   slow     leaves both alone, and writes          stall  does nothing
//   ask      the same, with a connection to somebody who does not answer
import { fork, execFileSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';

const [path, directory, ...modes] = process.argv.slice(2);
const sql = (text) => execFileSync('sqlite3', ['-cmd', '.timeout 10000', path, text]);

function tell(job, progress) {
  const file = `${directory}/${job}.json`;
  const state = { jobId: job, state: 'running', pid: process.pid, progress, total: 100000, updatedAt: new Date().toISOString() };
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

function work(mode) {
  const job = `job_${mode}`;
  let progress = 0;
  sql(`insert into jobs values('${job}', 'running', datetime('now'), datetime('now'), 0, 100000, ${process.pid})`);
  tell(job, 0);
  writeFileSync(`${directory}/${mode}.ready`, '');
  process.on('disconnect', () => process.exit(1)); // no worker outlives the test
  if (mode === 'ask') {
    const server = createServer(() => {}).listen(0, '127.0.0.1', () => connect(server.address().port, '127.0.0.1'));
  }
  if (mode === 'spin') {
    const parent = process.ppid; // whoever spins hears of no disconnect
    for (;;) if (++progress % 1e6 === 0 && process.ppid !== parent) process.exit(1);
  }
  setInterval(() => {
    progress++;
    if (mode === 'work') {
      sql(`update jobs set progress = ${progress}, updated_at = datetime('now') where id = '${job}'`);
      tell(job, progress);
    } else if (mode === 'slow') {
      sql(`insert into results values(${progress})`);
    }
  }, 400);
}

if (process.env.WORKER_MODE) {
  work(process.env.WORKER_MODE);
} else {
  mkdirSync(directory, { recursive: true });
  sql(`pragma journal_mode=wal;
    create table if not exists jobs(id text primary key, status text, created_at text, updated_at text,
      progress int, total int, pid int);
    create table if not exists results(x)`);
  for (const mode of modes)
    fork(process.argv[1], process.argv.slice(2), { env: { ...process.env, WORKER_MODE: mode } });
}
