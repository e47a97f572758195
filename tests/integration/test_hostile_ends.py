"""Handlers that hang while the command ends, and while panicmon is killed."""
import os
import signal

import pytest

import plugins
import pm
import procfs
from test_service_redis import stubborn

HANGS = ["hang", "hang-blocked", "spin", "stop"]


def wait_for_end(pids, what):
    pm.wait_until(lambda: not procfs.living(pids), what=what)


@pytest.mark.parametrize("where", ["event", "flush", "close"])
@pytest.mark.parametrize("how", HANGS)
def test_all_hosts_hang_when_the_command_ends(panicmon, where, how):
    """panicmon ends by its deadline, with the command's status."""
    text = "".join(plugins.section(f"bad{i}", "hostile", where=where, how=how) for i in range(3))
    # They are to come as far as to be closed.
    limit = 3000 if where == "close" else 300
    config = panicmon.config(f"[panicmon]\nstart_timeout = 60s\ndrain_timeout = {limit}ms\n" + text)
    done = panicmon.run(["sh", "-c", "exit 9"], config=config)
    assert done.status == 9
    for i in range(3):
        assert f"handler 'bad{i}' has not ended after {limit} ms; its host is killed" in done.stderr
    assert done.stderr.count("of 2 events were not delivered") == (0 if where == "close" else 3)


@pytest.mark.parametrize("how", HANGS)
def test_panicmon_is_killed_and_the_only_handler_hangs(panicmon, tmp_path, how):
    """Neither the command's group nor the host stays."""
    config = panicmon.config(plugins.section("bad", "hostile", how=how, path=tmp_path / "notes") +
                             "[panicmon]\ndrain_timeout = 300ms\n")
    run, group = stubborn(panicmon, tmp_path, config)
    pm.wait_until(lambda: plugins.seqs(tmp_path / "notes") == [1], what="the handler to hang")
    rest = {run.host("bad"), run.guard()}
    os.kill(run.pid, signal.SIGKILL)
    wait_for_end(group, "the end of the whole group")
    wait_for_end(rest, "the end of the host")


@pytest.mark.parametrize("where", ["check", "open"])
def test_panicmon_is_killed_as_a_handler_holds_up_the_start(panicmon, tmp_path, where):
    config = panicmon.config(plugins.section("bad", "hostile", where=where, how="hang-blocked", path=tmp_path / "notes") +
                             "[panicmon]\nstart_timeout = 60s\ndrain_timeout = 300ms\n")
    run = panicmon.start(["touch", tmp_path / "touched"], config=config)
    rest = {run.host("bad"), run.guard()}
    os.kill(run.pid, signal.SIGKILL)
    wait_for_end(rest, "the end of the host")
    assert not (tmp_path / "touched").exists()


def test_panicmon_is_killed_in_the_drain(panicmon, tmp_path):
    config = panicmon.config(plugins.section("bad", "hostile", where="close", how="hang-blocked", path=tmp_path / "notes") +
                             "[panicmon]\ndrain_timeout = 5s\n")
    run = panicmon.start(["true"], config=config)
    pm.wait_until(lambda: "close" in plugins.notes(tmp_path / "notes"), what="the handler to hang")
    rest = {run.host("bad"), run.guard()}
    assert run.is_draining()
    os.kill(run.pid, signal.SIGKILL)
    wait_for_end(rest, "the end of the host")


def test_what_a_handler_has_forked_ends_with_it(panicmon, tmp_path):
    """The host ends by itself when panicmon is killed, and its child blocks all signals."""
    config = panicmon.config(plugins.section("bad", "hostile", how="child", seq=1, path=tmp_path / "notes"))
    run = panicmon.start(["sleep", "1000"], config=config)
    host = run.host("bad")
    child = pm.wait_until(lambda: procfs.children(host), what="the child")
    rest = {host, *child, run.guard()}
    os.kill(run.pid, signal.SIGKILL)
    wait_for_end(rest, "the end of the host and of its child")
    assert plugins.seqs(tmp_path / "notes") == [1, 2]


def test_what_a_handler_has_forked_does_not_wait_for_one_that_hangs(panicmon, tmp_path):
    config = panicmon.config(plugins.section("hangs", "hostile", how="hang-blocked", path=tmp_path / "hangs") +
                             plugins.section("bad", "hostile", how="child", seq=1, path=tmp_path / "notes") +
                             "[panicmon]\ndrain_timeout = 60s\n")
    run = panicmon.start(["sleep", "1000"], config=config)
    host, hanging = run.host("bad"), run.host("hangs")
    child = pm.wait_until(lambda: procfs.children(host), what="the child")
    pm.wait_until(lambda: plugins.seqs(tmp_path / "hangs") == [1], what="the other to hang")
    guard = run.guard()
    os.kill(run.pid, signal.SIGKILL)
    wait_for_end({host, *child}, "the end of the host and of its child")
    assert procfs.living({hanging, guard}) == {hanging, guard}
    os.kill(hanging, signal.SIGKILL)
    wait_for_end({hanging, guard}, "the end of the guard")
