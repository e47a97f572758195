"""What the webhook handler is told in confidence stays with it."""
import pathlib
import signal

import pytest

import pm
import procfs
import webhooks
from ctl import Ctl

PATH = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
TOKEN = "bearer-5f4dcc3b5aa765d61d8327deb882cf99"
ROUTING_KEY = "e93facc04764012d7bfb002500d5d1a6"
SECRETS = [PATH, TOKEN, webhooks.SECRET, webhooks.SECRET.removeprefix("whsec_"), ROUTING_KEY]


def told(folder, receiver):
    """The options with all secrets in files."""
    return {"url_file": webhooks.secret_file(folder, receiver.url(path=PATH), "url"),
            "token_file": webhooks.secret_file(folder, TOKEN, "token"),
            "secret_file": webhooks.secret_file(folder, webhooks.SECRET, "signing"),
            "routing_key_file": webhooks.secret_file(folder, ROUTING_KEY, "key")}


def seen_in_proc(run):
    """What anybody of the same user sees of all processes of a run."""
    text = b""
    for pid in procfs.descendants(run.pid) | {run.pid}:
        for name in ("cmdline", "environ"):
            text += pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
    return text.decode(errors="replace")


def assert_nowhere(text):
    for secret in SECRETS:
        assert secret not in text


@pytest.mark.parametrize("status", [200, 404, 503])
def test_secrets_of_files_are_seen_nowhere(panicmon, tmp_path, status):
    """Not even where the server says them again."""
    echo = (status, {}, " ".join(SECRETS).encode())
    with webhooks.Receiver(echo, 200) as receiver:
        section = webhooks.section(panicmon, format="pagerduty", **told(tmp_path, receiver))
        run = panicmon.start(["sh", "-c", "env; echo ready; exec sleep 1000"],
                             config=webhooks.config(panicmon, section))
        run.wait_for_stdout("ready")
        assert_nowhere(seen_in_proc(run))
        run.send(signal.SIGTERM)
        run.wait()
        request = receiver.requests[0]
    assert request.path == PATH
    assert request.headers["authorization"] == "Bearer " + TOKEN
    assert request.json["routing_key"] == ROUTING_KEY
    assert request.headers["webhook-signature"].startswith("v1,")
    assert_nowhere(run.stderr + run.stdout)
    assert (str(status) in run.stderr) == (status != 200)


def test_secrets_of_the_environment(panicmon):
    """The host has them no longer in what others can see, and the command does not inherit them."""
    with webhooks.Receiver() as receiver:
        variables = {"HOOK_URL": receiver.url(path=PATH), "HOOK_TOKEN": TOKEN, "HOOK_SECRET": webhooks.SECRET}
        section = webhooks.section(panicmon, url_env="HOOK_URL", token_env="HOOK_TOKEN", secret_env="HOOK_SECRET")
        run = panicmon.start(["sh", "-c", "env; echo ready; exec sleep 1000"], env=variables,
                             config=webhooks.config(panicmon, section))
        run.wait_for_stdout("ready")
        receiver.wait_for(1)
        host = pathlib.Path(f"/proc/{run.host('hook')}/environ").read_text(errors="replace")
        run.send(signal.SIGTERM)
        run.wait()
        assert receiver.requests[0].path == PATH
        assert receiver.requests[0].headers["authorization"] == "Bearer " + TOKEN
    assert_nowhere(host)
    assert "PM_TEST_ID" in host
    assert_nowhere(run.stdout + run.stderr)


def test_a_secret_that_the_command_is_to_have_as_well(panicmon):
    with webhooks.Receiver() as receiver:
        section = webhooks.section(panicmon, receiver.url(), token_env="HOOK_TOKEN")
        run = panicmon.run(["sh", "-c", "env"], env={"HOOK_TOKEN": TOKEN},
                           config=webhooks.config(panicmon, "[process]\nenv.HOOK_TOKEN = of its own\n", section))
        assert "HOOK_TOKEN=of its own\n" in run.stdout
        assert receiver.requests[0].headers["authorization"] == "Bearer " + TOKEN


def test_a_host_that_is_started_again_still_knows_them(panicmon):
    with webhooks.Receiver() as receiver:
        section = webhooks.section(panicmon, url_env="HOOK_URL")
        run = panicmon.start(["sleep", "1000"], env={"HOOK_URL": receiver.url(path=PATH)},
                             config=webhooks.config(panicmon, section))
        receiver.wait_for(1)
        first = run.host("hook")
        pm.os.kill(first, signal.SIGKILL)
        run.host("hook", other_than=first)
        run.send(signal.SIGTERM)
        run.wait()
        assert {request.path for request in receiver.requests} == {PATH}
        assert len({request.json["id"] for request in receiver.requests}) == 4


def test_the_credentials_directory(panicmon, tmp_path):
    webhooks.secret_file(tmp_path, TOKEN, "token", 0o400)
    with webhooks.Receiver() as receiver:
        section = webhooks.section(panicmon, receiver.url(), token_file="token")
        panicmon.run(["true"], config=webhooks.config(panicmon, section), env={"CREDENTIALS_DIRECTORY": str(tmp_path)})
        assert receiver.requests[0].headers["authorization"] == "Bearer " + TOKEN


@pytest.fixture
def complaint(panicmon, tmp_path):
    """What is said of a section; nothing of it is a secret."""
    def check(url="https://example.com" + PATH, env=None, **keys):
        ctl = Ctl(panicmon)
        ended = ctl.run("check", config=ctl.config(webhooks.section(panicmon, url, **keys)), env=env or {})
        assert ended.status == 1, ended
        assert_nowhere(ended.stderr)
        return ended.stderr
    return check


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_a_file_that_everybody_can_read_is_refused(complaint, tmp_path, mode):
    path = webhooks.secret_file(tmp_path, webhooks.SECRET, mode=mode)
    assert f"secret_file: everybody may read or write '{path}' (mode {mode:04o})" in complaint(secret_file=path)


def test_files_that_cannot_be_read(complaint, tmp_path):
    assert "No such file or directory" in complaint(token_file=tmp_path / "none")
    assert "is not a regular file" in complaint(token_file=tmp_path)
    assert "$CREDENTIALS_DIRECTORY, which is not set" in complaint(token_file="token")
    pm.os.mkfifo(tmp_path / "fifo", 0o600)
    assert "is not a regular file" in complaint(token_file=tmp_path / "fifo")
    assert "is empty" in complaint(token_file=webhooks.secret_file(tmp_path, ""))
    large = webhooks.secret_file(tmp_path, "x" * 70000)
    assert "has more than 65536 bytes" in complaint(token_file=large)
    large.write_bytes(b"a\0b")
    assert "it holds a NUL" in complaint(token_file=large)


@pytest.mark.parametrize("text", ["plain", "whsec_", "whsec_c2hvcnQ=", "whsec_" + "b" * 31 + "!", "whsec_" + "b2xk" * 40])
def test_signing_secrets_that_are_none(complaint, tmp_path, text):
    said = complaint(secret_file=webhooks.secret_file(tmp_path, text))
    assert "is not whsec_ and 24 to 64 bytes in base64" in said
    assert text not in said.replace("whsec_", "", 1) or text == "whsec_"


def test_mistakes_in_a_section(complaint, tmp_path):
    secret = webhooks.secret_file(tmp_path, TOKEN)
    assert "where to? write url, url_file or url_env" in complaint(url=None)
    for url in ("ftp://example.com" + PATH, "example" + PATH, "https://", "https://ex ample.com/", "https://u@:x"):
        assert "[handler:hook] the URL is" in complaint(url=url), url
    for url in ("http://example.com:0" + PATH, "https://example.com:000"):
        assert "[handler:hook] the URL has port 0" in complaint(url=url), url
    assert "url and url_file are both written" in complaint(url_file=secret)
    assert "there is no variable 'NONE' in the environment" in complaint(token_env="NONE")
    assert "token_file and token_env are both written" in complaint(token_file=secret, token_env="A")
    assert "the token has blanks" in complaint(token_env="A", env={"A": "a b"})
    assert "standard is always signed" in complaint(format="standard")
    assert "pagerduty wants routing_key_file" in complaint(url=None, format="pagerduty")
    assert "a routing key is for format = pagerduty" in complaint(routing_key_file=secret)
    assert "more than 2 signing secrets" in complaint(
        secret_file=webhooks.secret_file(tmp_path, " ".join([webhooks.SECRET] * 3)))
    assert "key_file without cert_file" in complaint(key_file=secret)
    assert "unix_socket 'relative' is not a path" in complaint(unix_socket="relative")
    assert "labels: '1a=b' is not NAME=VALUE" in complaint(labels="team=db, 1a=b")
    assert "labels: 'a' is not NAME=VALUE" in complaint(labels="a")
    assert "format: 'carrier-pigeon' is none of" in complaint(format="carrier-pigeon")
