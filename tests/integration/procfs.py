"""What /proc tells of processes."""
import os
import pathlib


def _read(pid, name):
    try:
        return pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def _pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid):
    """The fields of /proc/PID/stat from the state on: the command's name may hold anything."""
    return _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def state(pid):
    """'R', 'S', 'T', 'Z'...; None if there is no such process."""
    fields = _stat(pid)
    return fields[0] if fields else None


def alive(pid):
    """A zombie is not."""
    return state(pid) not in (None, "Z", "X")


def living(pids):
    return {pid for pid in pids if alive(pid)}


def cpu_seconds(pid):
    """What it has had of the processors, in itself and in the kernel."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def parent(pid):
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def process_group(pid):
    fields = _stat(pid)
    return int(fields[2]) if fields else None


def children(pid):
    """In the order of their pids. Zombies too."""
    return sorted(child for child in _pids() if parent(child) == pid)


def descendants(pid, without=()):
    """The pids of the whole tree below, without the trees of the children in `without`."""
    parents = {child: parent(child) for child in _pids()}
    found, queue = set(), [pid]
    while queue:
        above = queue.pop()
        below = {child for child, its in parents.items() if its == above} - found - set(without)
        found |= below
        queue.extend(below)
    return found


def marked(name, value):
    """The processes that were started with NAME=VALUE in their environment."""
    wanted = f"{name}={value}".encode()
    return {pid for pid in _pids() if pid != os.getpid() and wanted in _read(pid, "environ").split(b"\0")}


def command_line(pid):
    return [word.decode(errors="replace") for word in _read(pid, "cmdline").split(b"\0")[:-1]]


def comm(pid):
    return _read(pid, "comm").decode(errors="replace").rstrip("\n")


def exe(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None


def status(pid):
    """/proc/PID/status as a dict of strings: status(pid)["SigBlk"]."""
    lines = _read(pid, "status").decode(errors="replace").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def descriptors(pid):
    """What each open descriptor is: {0: '/dev/null', 3: 'anon_inode:[signalfd]'}."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            pass
    return found


def waits_ms(pid):
    """The timeout of the epoll_wait(2) that it is in, -1: for ever; None: it is not in one."""
    words = _read(pid, "syscall").split()
    if len(words) < 5:
        return None
    timeout = int(words[4], 16)
    return -1 if timeout == 0xffffffff else timeout


def pss_kb(pid):
    """The proportional set size in kB."""
    for line in _read(pid, "smaps_rollup").decode().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise AssertionError(f"no smaps_rollup of process {pid}")


def describe(pid):
    return f"{pid} {state(pid)} {' '.join(command_line(pid)) or comm(pid)}"
