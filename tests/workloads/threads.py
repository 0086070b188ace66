#!/usr/bin/env python3
"""threads.py HOW DB - a process with two connections to DB, each of a thread of its own: one reads, the other asks for the write lock.
To be begun when somebody else has RESERVED, in a rollback journal's mode: he then waits for the reader, and the writer for him.

  reads    the reader sleeps a little again and again, until HOW.stop is there: then everybody gets on
  steps    the same between the rows of a long query
  tied     the reader waits for the writer, without end: nobody gets on
  events   the reader waits for an event of epoll(7), without end: something comes through the pipe HOW.pipe, if ever

HOW.reading says that the reader has its lock, HOW.got that the writer had his."""
import os
import select
import sqlite3
import sys
import threading
import time


def touch(name):
    open(name, "w", encoding="utf-8").close()


def connect(path):
    return sqlite3.connect(path, isolation_level=None, timeout=3600)


def read(path, how, written):
    db = connect(path)
    db.execute("begin")
    rows = db.execute("select length(b) from t")
    rows.fetchone()
    touch(how + ".reading")
    if how == "tied":
        written.acquire()
    elif how == "events":
        poll = select.epoll()
        poll.register(os.open(how + ".pipe", os.O_RDWR), select.EPOLLIN)
        poll.poll()
        touch(how + ".stop")
    while not os.path.exists(how + ".stop"):
        time.sleep(0.05)
        if how == "steps":
            rows.fetchone()
    rows.fetchall()
    db.execute("commit")


def write(path, how, written):
    while not os.path.exists(how + ".reading"):
        time.sleep(0.01)
    db = connect(path)
    db.execute("begin immediate")
    db.execute("rollback")
    touch(how + ".got")
    written.release()


def main():
    how, path = sys.argv[1], sys.argv[2]
    written = threading.Lock()
    written.acquire()
    threads = [threading.Thread(target=act, args=(path, how, written)) for act in (read, write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
