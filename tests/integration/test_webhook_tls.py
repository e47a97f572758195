"""The webhook handler trusts no server that it should not."""
import socket
import ssl

import pytest

import webhooks
from ctl import Ctl


@pytest.fixture
def authority(tmp_path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    return webhooks.Authority(folder)


def refused(panicmon, receiver, **keys):
    """What is said by a handler that refuses the server."""
    section = webhooks.section(panicmon, receiver.url(), **keys)
    return webhooks.until_told(panicmon, webhooks.config(panicmon, section, drain="0"), "trying again", receiver)


def test_a_certificate_of_our_authority(panicmon, authority):
    with webhooks.Receiver(context=webhooks.server_context(*authority.certificate("server"))) as receiver:
        section = webhooks.section(panicmon, receiver.url(), ca_file=authority.ca)
        ended = panicmon.run(["true"], config=webhooks.config(panicmon, section))
        assert len(receiver.requests) == 2
    assert ended.stderr == ""


def test_one_that_is_unknown(panicmon, authority):
    with webhooks.Receiver(context=webhooks.server_context(*authority.certificate("server"))) as receiver:
        assert "certificate" in refused(panicmon, receiver)


def test_one_that_is_self_signed(panicmon, authority):
    with webhooks.Receiver(context=webhooks.server_context(*authority.self_signed())) as receiver:
        assert "self-signed certificate" in refused(panicmon, receiver, ca_file=authority.ca)


def test_one_for_another_host(panicmon, authority):
    certificate = authority.certificate("other", host="elsewhere.example")
    with webhooks.Receiver(context=webhooks.server_context(*certificate)) as receiver:
        assert "SSL: no alternative certificate subject name matches" in refused(panicmon, receiver, ca_file=authority.ca)


def test_one_that_has_expired(panicmon, authority):
    certificate = authority.certificate("old", days=-1)
    with webhooks.Receiver(context=webhooks.server_context(*certificate)) as receiver:
        assert "expired" in refused(panicmon, receiver, ca_file=authority.ca)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_below_1_2(panicmon, authority):
    """A client that allows for it gets a connection."""
    context = webhooks.server_context(*authority.certificate("server"))
    weak = ssl.create_default_context(cafile=authority.ca)
    for either in (context, weak):
        either.set_ciphers("ALL:@SECLEVEL=0")
        either.minimum_version = either.maximum_version = ssl.TLSVersion.TLSv1_1
    with webhooks.Receiver(context=context) as receiver:
        with socket.create_connection(("127.0.0.1", receiver.port)) as plain, \
                weak.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            assert connection.version() == "TLSv1.1"
        assert "alert protocol version" in refused(panicmon, receiver, ca_file=authority.ca)


def test_a_certificate_of_our_own(panicmon, authority):
    context = webhooks.server_context(*authority.certificate("server"), client_ca=authority.ca)
    certificate, key = authority.certificate("client", host="client.example")
    with webhooks.Receiver(context=context) as receiver:
        section = webhooks.section(panicmon, receiver.url(), ca_file=authority.ca, cert_file=certificate, key_file=key)
        ended = panicmon.run(["true"], config=webhooks.config(panicmon, section))
        assert len(receiver.requests) == 2
    assert ended.stderr == ""


def test_a_server_that_asks_for_one_in_vain(panicmon, authority):
    context = webhooks.server_context(*authority.certificate("server"), client_ca=authority.ca)
    with webhooks.Receiver(context=context) as receiver:
        refused(panicmon, receiver, ca_file=authority.ca)


def test_a_key_that_everybody_can_read(panicmon, authority):
    certificate, key = authority.certificate("client", host="client.example")
    key.chmod(0o644)
    ctl = Ctl(panicmon)
    text = webhooks.section(panicmon, "https://127.0.0.1/", cert_file=certificate, key_file=key)
    ended = ctl.run("check", config=ctl.config(text))
    assert ended.status == 1
    assert f"key_file: everybody may read or write '{key}' (mode 0644)" in ended.stderr
