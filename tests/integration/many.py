"""Many starts of panicmon at random moments, by tests/tools/many_starts."""
import pathlib
import random
import statistics
import subprocess
import time

import pm


class Starts:
    """What became of them. `folder` has the files NUMBER.events and NUMBER.taken."""

    def __init__(self, folder, lines, seed):
        self.folder = folder
        self.seed = seed  # to see the same moments again
        self.lines = sorted(tuple(map(int, line.split())) for line in lines)

    @property
    def statuses(self):
        return {status for _, status, _ in self.lines}

    @property
    def with_orphans(self):
        """Those that ended before all that they had forked."""
        return [start for start, _, orphans in self.lines if orphans]

    def events(self, start):
        return pm.read_events(self.folder / f"{start}.events")

    def taken(self, start):
        return pm.taken(self.folder / f"{start}.taken")


def fewer(count):
    """How many starts the machine can bear."""
    return max(10, count // 10) if pm.is_sanitized() else count


def window(panicmon, milliseconds, logged=True):
    """So long, or longer where a start takes its time: some of the moments are to be after it. One of three may
    have had a busy moment of the machine."""
    def start():
        begun = time.monotonic()
        panicmon.run(["true"], events=logged)
        return time.monotonic() - begun
    return max(milliseconds, int(min(statistics.median(start() for _ in range(3)), 0.25) * 4000))


def run(panicmon, count, command, *, kill=(), queue=(), blocked=False, within=50, jobs=4, logged=True, options=(),
        deadline=600):
    """Starts panicmon around `command` so many times; each start gets the signals in `kill` and `queue`
    in the first `within` milliseconds. In a word of the command, "@" stands for the start's file."""
    folder = pathlib.Path(panicmon.folder) / f"starts{len(list(panicmon.folder.glob('starts*')))}"
    folder.mkdir()
    config = panicmon.config(panicmon.log_section("log", "@.events") if logged else "", f"{folder.name}.ini")
    if logged:
        options = ["handler:log.path=@.events", *options]
    _, line = panicmon.arguments(command, config=config, options=options)
    seed = random.randrange(10**6)
    how = ["-b"] if blocked else []
    how += ["-n", count, "-j", jobs, "-m", within, "-r", seed]
    for flag, numbers in (("-k", kill), ("-q", queue)):
        if numbers:
            how += [flag, ",".join(str(int(number)) for number in numbers)]
    starts = panicmon.spawn([pm.tool("many_starts"), *how, f"{folder}/", *line], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)
    out, err = starts.communicate(timeout=deadline)
    bad = [line for line in out.splitlines() if "left" in line or "stuck" in line]
    assert (starts.returncode, bad, err) == (0, [], ""), f"seed {seed}"
    result = Starts(folder, out.splitlines(), seed)
    assert len(result.lines) == count
    return result
