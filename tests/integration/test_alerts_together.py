"""Alerts of several panicmons that run at once: people are called once, and by whoever can."""
import os
import signal

import pm
from incidents import CRASH, EXITED, RECOVERED, Note, failures_in, is_claimed


def test_two_services_in_one_folder_at_once(alerts):
    """Each has its own incident, whatever their names hold."""
    names = ["a/../b", "a.b", "ü x", "n" * 300, "n" * 301]
    paths = {name: alerts.folder / f"notes{number}" for number, name in enumerate(names)}
    configs = {name: alerts.config(alert_window="1h", path=path, name=f"{path.name}.ini") for name, path in paths.items()}
    for command in (CRASH, CRASH, ["true"]):
        for run in [alerts.start(command, configs[name], name=name) for name in names]:
            run.wait()
    for name, path in paths.items():
        notes = [Note(line.replace(name, "NAME")) for line in path.read_text(encoding="utf-8").splitlines()]
        assert [(note.type, note.crashes) for note in notes if note.incident] == [(EXITED, 1), (RECOVERED, 2)], name
    assert len(list(alerts.state.iterdir())) == len(names)
    assert all(folder.parent == alerts.state for folder in alerts.state.iterdir())


def test_the_same_service_twice_at_once(alerts):
    """What all of them know is one: nothing is lost, and one alert is enough."""
    config = alerts.config(alert_window="1h")
    count = 16
    for run in [alerts.start(CRASH, config) for _ in range(count)]:
        run.wait()
    assert alerts.told == [(EXITED, 1)] and failures_in(alerts.file()) == count
    alerts.run(["true"], config)
    assert alerts.told == [(EXITED, 1), (RECOVERED, count)]


def test_a_failure_while_another_panicmon_calls(alerts):
    """It is not called for as well; nor does the end wait for that call. If it comes to nothing, one that
    still runs makes it, for both."""
    mark = alerts.folder / "mark"
    mark.touch()
    keys = {"alert_window": "1h", "stable_after": "1h"}
    calling = alerts.start(CRASH, alerts.config(retry="yes", mark=mark, name="calling.ini", **keys))
    pm.wait_until(lambda: is_claimed(alerts), what="the first to call")
    config = alerts.config(**keys)
    done = alerts.run(CRASH, config)
    assert done.status == -signal.SIGSEGV and done.seconds < 30
    assert alerts.told == [] and failures_in(alerts.file()) == 2
    with alerts.start(["sleep", "1000"], config) as run:
        run.host("alert")
        os.kill(calling.host("alert"), signal.SIGSTOP)
        calling.kill()
        alerts.wait_told([(EXITED, 2)])
        run.send(signal.SIGTERM)
        run.wait()
    assert alerts.told == [(EXITED, 2), (RECOVERED, 2)]


def test_each_failure_is_told_while_another_panicmon_calls(alerts):
    """Without a window nobody else tells of it. What the other one calls for is told by it alone."""
    mark = alerts.folder / "mark"
    mark.touch()
    keys = {"alert_window": "0", "stable_after": "1h"}
    calling = alerts.start(CRASH, alerts.config(retry="yes", mark=mark, name="calling.ini", **keys))
    pm.wait_until(lambda: is_claimed(alerts), what="the first to call")
    config = alerts.config(**keys)
    for _ in range(3):
        alerts.run(CRASH, config)
    assert alerts.told == [(EXITED, 1)] * 3
    mark.unlink()
    calling.wait()
    assert alerts.told == [(EXITED, 1)] * 4
    assert len({note.run for note in alerts.notes}) == 4 and failures_in(alerts.file()) == 4


def test_one_that_calls_is_stopped(alerts):
    """As a container is that is paused: for the others it calls no longer than a call counts."""
    mark = alerts.folder / "mark"
    mark.touch()
    keys = {"alert_window": "2s", "stable_after": "1h"}
    with alerts.start(CRASH, alerts.config(retry="yes", mark=mark, name="calling.ini", **keys)) as calling:
        pm.wait_until(lambda: is_claimed(alerts), what="the first to call")
        os.kill(calling.pid, signal.SIGSTOP)
        os.kill(calling.host("alert"), signal.SIGSTOP)
        config = alerts.config(**keys)
        alerts.run(CRASH, config)
        with alerts.start(["sleep", "1000"], config):
            alerts.wait_told([(EXITED, 2)])
        os.kill(calling.host("alert"), signal.SIGKILL)
