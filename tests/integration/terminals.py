"""A terminal for a test, and panicmon on it: alone, or as a job of a shell."""
import fcntl
import os
import pty
import select
import struct
import termios
import threading

import pm
import procfs


class Terminal:
    """A pty with what came out of it so far. The slave is for a child's stdin, stdout and stderr."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        self.resize(24, 200)
        self.text = ""
        self._quit = os.pipe()
        # Reads on its own, or who writes there would be held up.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        # Not in read(2) when the master is closed: it would hold it open.
        while self._quit[0] not in select.select([self.master, self._quit[0]], [], [])[0]:
            try:
                self.text += os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                return

    def hang_up(self):
        """As when the window is closed, or the connection lost."""
        if self.master < 0:
            return
        os.write(self._quit[1], b"x")
        self._reader.join()
        os.close(self.master)
        self.master = -1

    def close(self):
        self.hang_up()
        for fd in (self.slave, *self._quit):
            os.close(fd)

    def resize(self, lines, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, text, count=1, deadline=pm.DEADLINE):
        pm.wait_until(lambda: self.text.count(text) >= count, deadline, lambda: f"{text!r} in {self.text!r}")

    def foreground(self):
        """The process group that has the terminal."""
        return struct.unpack("i", fcntl.ioctl(self.master, termios.TIOCGPGRP, b"\0" * 4))[0]

    def wait_for_foreground(self, group):
        pm.wait_until(lambda: self.foreground() == group, what=lambda: f"group {group} in the foreground, not "
                      f"{procfs.describe(self.foreground())}")


def lead_session():
    """In a new process, which has the terminal as its stdin: makes that its controlling terminal."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def on_terminal(panicmon, terminal, command, **arguments):
    """panicmon as the leader of a session that has the terminal."""
    arguments.setdefault("stdout", terminal.slave)
    arguments.setdefault("stderr", terminal.slave)
    return panicmon.start(command, stdin=terminal.slave, preexec_fn=lead_session, **arguments)


def command_line(panicmon, command, **arguments):
    _, line = panicmon.arguments(command, **arguments)
    return " ".join("'" + str(word).replace("'", "'\\''") + "'" for word in line)


def only_child(pid):
    def found():
        children = [child for child in procfs.children(pid) if procfs.alive(child) and procfs.comm(child) != "pm-guard"]
        return children[0] if len(children) == 1 else None
    return pm.wait_until(found, what="one child")


def start_job(panicmon, terminal, shell, command, **arguments):
    """panicmon as a job of the shell. Returns its pid and the command's."""
    terminal.type(command_line(panicmon, command, **{"events": False, **arguments}) + "\n")
    monitor = only_child(shell.pid)
    return monitor, pm.wait_until(lambda: [
        pid for pid in procfs.children(monitor) if procfs.exe(pid) not in (None, procfs.exe(monitor))] or None,
        what="the command")[0]
