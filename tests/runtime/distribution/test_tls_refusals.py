"""The sentences about TLS."""

from __future__ import annotations

import _socket
import ssl
import time

import pytest

from runtime.distribution import tls_refusals
from runtime.distribution.transport import Closed, Transport


def _error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("WRONG_VERSION_NUMBER", "it does not speak TLS, and this node does; give both nodes tls=, or neither"),
        ("HTTP_REQUEST", "it does not speak TLS, and this node does; give both nodes tls=, or neither"),
        ("TLSV1_ALERT_UNKNOWN_CA", "TLS: it refused this node's certificate (unknown ca)"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "TLS: it refused this node's certificate (certificate expired)"),
        ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "TLS refused it: it has no certificate"),
        ("NO_SHARED_CIPHER", "TLS refused the other side: NO_SHARED_CIPHER"),
    ],
)
def test_what_tls_found_wrong_is_a_sentence(reason: str, told: str) -> None:
    assert tls_refusals.sentence_of(_error(reason)).startswith(told)


@pytest.mark.parametrize(
    ("data", "is_tls"),
    [(b"\x16\x03", True), (b"\x15\x03", True), (b"\x00\x10", False), (b"GE", False), (b"\x16", False)],
)
def test_tls_is_known_by_its_beginning(data: bytes, is_tls: bool) -> None:
    assert tls_refusals.is_tls(data) is is_tls


def test_an_end_without_a_reason_is_known_as_such_when_a_node_hangs_up() -> None:
    here, there = _socket.socketpair()
    transport = Transport(here)
    there.close()
    for broken_off in (lambda end: transport.recv_exactly(1, end), lambda end: transport.send_all(b"x", end)):
        with pytest.raises(Closed) as caught:
            broken_off(time.monotonic() + 60.0)
        assert "tls=" in tls_refusals.hint(str(caught.value), has_tls=False)
    transport.close()


def test_only_an_end_without_a_reason_needs_a_hint() -> None:
    assert tls_refusals.hint("it broke", has_tls=True) == ""
    assert "certificate" in tls_refusals.hint(tls_refusals.CLOSED, has_tls=True)
    assert "tls=" in tls_refusals.hint(tls_refusals.CLOSED, has_tls=False)
