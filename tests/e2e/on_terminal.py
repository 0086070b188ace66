"""on_terminal.py - runs a program on a terminal of its own, presses keys, and says what came.

Usage: on_terminal.py COLUMNSxLINES OUT STEP... -- PROGRAM...

A step is a key or text to type (\\e for ESC), or one of
  wait:TEXT     until TEXT has come since the last step (a minute at most)
  size:CxL      another size, and SIGWINCH
  signal:NAME   to the program; CONT when it has stopped
  sleep:MS
  touch:FILE    makes it
OUT gets every byte that came. At the end the program must have ended by itself within a minute. Prints one line of JSON:
status (as wait(2) has it: exit, or signal), and whether the terminal's modes are as they were. """
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

size, out_path, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
steps, program = rest[: rest.index("--")], rest[rest.index("--") + 1 :]


def set_size(fd, text):
    columns, lines = map(int, text.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


master, slave = pty.openpty()
set_size(slave, size)
before = termios.tcgetattr(slave)

def become_program():
    """In the foreground, once the shell has put it there."""
    os.setpgid(0, 0)
    while os.tcgetpgrp(0) != os.getpid():
        time.sleep(0.001)
    os.closerange(3, 64)
    os.environ["TERM"] = "xterm"
    os.execvp(program[0], program)


def become_shell(tell):
    """What a program on a terminal has above it: without one it cannot be stopped, as nobody could let it go on."""
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    job = os.fork()
    if job == 0:
        become_program()
    os.setpgid(job, job)
    os.tcsetpgrp(0, job)
    os.write(tell, b"%d\n" % job)
    os.write(tell, b"%d\n" % os.waitpid(job, 0)[1])
    os._exit(0)


told, tell = os.pipe()
shell = os.fork()
if shell == 0:
    os.close(told)
    become_shell(tell)
os.close(tell)
told = os.fdopen(told)  # a program may have ended before its pid is read
pid = int(told.readline())

out = open(out_path, "wb")
fresh = b""


def pump(seconds):
    """Takes what comes; returns False when the program has ended and everything is read."""
    global fresh
    ready, _, _ = select.select([master], [], [], seconds)
    if ready:
        data = os.read(master, 65536)
        out.write(data)
        fresh += data
        return True
    return False


def until(condition, what):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            sys.exit("on_terminal.py: not within a minute: %s; what came: %r" % (what, fresh[-3000:]))
        pump(0.05)


for step in steps:
    kind, _, value = step.partition(":")
    if kind == "wait" and value:
        until(lambda: value.encode() in fresh, value)
        fresh = fresh[fresh.index(value.encode()) + len(value) :]
    elif kind == "size" and value:
        set_size(slave, value)
    elif kind == "signal" and value:
        if value == "CONT":
            until(lambda: open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()[0] == "T", "a stop")
        os.kill(pid, getattr(signal, "SIG" + value))
    elif kind == "sleep" and value:
        end = time.monotonic() + int(value) / 1000
        while time.monotonic() < end:
            pump(0.02)
    elif kind == "touch" and value:
        open(value, "w").close()
    else:
        os.write(master, step.replace("\\e", "\033").encode())

status = None


def ended():
    global status
    if status is None:
        got, _ = os.waitpid(shell, os.WNOHANG)
        status = int(told.readline()) if got else None
    return status is not None


until(ended, "the end of the program")
while pump(0.1):
    pass
out.close()
print(
    json.dumps(
        {
            "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else None,
            "modes_restored": termios.tcgetattr(slave) == before,
        }
    )
)
