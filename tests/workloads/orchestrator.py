#!/usr/bin/env python3
"""orchestrator.py DB DIRECTORY MODE... - an orchestrator as the runbooks know them: a table `jobs`, a directory of state files,
and a worker process for each job, whose MODE says how it behaves. The job of mode M is job_M.

  work     updates its row                       spin   uses the CPU
  slow     leaves its row alone, and writes      stall  sleeps
  overdue  the same, and says when it began      block  waits for the write lock
  hold     has the write lock, and no job         many   10,000 jobs come and go; then 1,000 that stay
  recv     waits for a message on a connection   exec   becomes `sleep`
  sync     commits to SLOW_DB once go-sync is there
  poll     asks by a connection, and sleeps, again and again
  anew     the same, by a new connection each time
  throttled  as spin; any other sleeps, too

Ends when its parent does: no worker outlives the test. At SIGUSR1 the orchestrator waits for a worker that has ended and lets
another process have its number, which is told by reused.ready; that is for a PID namespace of its own."""
import ctypes
import json
import os
import signal
import socket
import sqlite3
import sys
import time


def connect(path):
    db = sqlite3.connect(path, isolation_level=None, timeout=3600)
    db.execute("pragma journal_mode=wal")
    return db


def tell(db, directory, job, progress):
    db.execute("update jobs set progress = ?, updated_at = datetime('now') where id = ?", (progress, job))
    state = {"id": job, "status": "running", "pid": os.getpid(), "progress": progress, "updatedAt": int(time.time() * 1000)}
    path = f"{directory}/{job}.json"
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(state, f)
    os.rename(path + ".new", path)


def begin(db, directory, job, began):
    db.execute("insert into jobs values(?, 'running', ?, datetime('now'), 0, 100000, ?)", (job, began, os.getpid()))
    tell(db, directory, job, 0)


def work(path, directory, mode):
    db = connect(path)
    job = "job_" + mode
    if mode == "hold":
        for other in sys.argv[3:]:
            if other != mode:
                await_file(f"{directory}/{other}.ready")
        db.execute("begin immediate")
    elif mode == "many":
        many(db)
    else:
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        begin(db, directory, job, began if mode == "overdue" else None)
    open(f"{directory}/{mode}.ready", "w", encoding="utf-8").close()
    progress = 0
    while True:
        progress += 1
        if mode in ("work", "overdue"):
            tell(db, directory, job, progress)
            time.sleep(0.2)
        elif mode == "slow":
            db.execute("insert into results values(?)", (progress,))
            time.sleep(0.3)
        elif mode == "block":
            await_file(directory + "/hold.ready")
            db.execute("begin immediate")
            db.execute("rollback")
        elif mode == "recv":
            wait_for_message()
        elif mode == "poll":
            ask_again_and_again()
        elif mode == "anew":
            ask_anew_each_time()
        elif mode == "exec":
            os.execvp("sleep", ["sleep", "3600"])
        elif mode == "sync" and progress == 1:
            commit_to_slow(directory)
        elif mode not in ("spin", "throttled"):
            time.sleep(3600)


def insert_thousand(db, batch):
    db.execute("begin")
    db.executemany("insert into jobs values(?, 'running', null, datetime('now'), 0, 1, ?)",
                   ((f"job_{batch}_{i}", os.getpid()) for i in range(1000)))
    db.execute("commit")


def many(db):
    for batch in range(10):
        insert_thousand(db, batch)
        time.sleep(0.3)
        db.execute("update jobs set status = 'done', updated_at = datetime('now') where status = 'running'")
    insert_thousand(db, 10)


def wait_for_message():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        connection.recv(1)


def ask_again_and_again():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as connection:
        while True:
            connection.send(b"?")
            time.sleep(0.3)


def ask_anew_each_time():
    with socket.create_server(("127.0.0.1", 0)) as server:
        while True:
            with socket.create_connection(server.getsockname()) as connection:
                connection.send(b"?")
            server.accept()[0].close()
            time.sleep(0.3)


def commit_to_slow(directory):
    await_file(directory + "/go-sync")
    db = sqlite3.connect(os.environ["SLOW_DB"], isolation_level=None)
    db.execute("pragma synchronous=full")
    db.execute("update t set b = 'x' where a = 1")


def await_file(name):
    while not os.path.exists(name):
        time.sleep(0.02)


def give_number_away(directory):
    pid, _ = os.wait()
    child = 0
    while child != pid:
        with open("/proc/sys/kernel/ns_last_pid", "w", encoding="utf-8") as f:
            f.write(str(pid - 1))
        child = os.fork()
        if child == 0:
            if os.getpid() != pid:
                os._exit(0)
            open(directory + "/reused.ready", "w", encoding="utf-8").close()
            time.sleep(3600)
        elif child != pid:
            os.waitpid(child, 0)


def main():
    path, directory, modes = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(directory, exist_ok=True)
    db = connect(path)
    db.execute("create table if not exists jobs(id text primary key, status text, created_at text, updated_at text,"
               " progress int, total int, pid int)")
    db.execute("create table if not exists results(x)")
    db.close()
    parent = os.getpid()
    for mode in modes:
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() == parent:
                work(path, directory, mode)
            os._exit(1)
    signal.signal(signal.SIGUSR1, lambda *_: give_number_away(directory))
    while True:
        signal.pause()


main()
