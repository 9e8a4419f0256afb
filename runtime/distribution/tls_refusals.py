"""What TLS found wrong between two nodes, in words that say what to do."""

from __future__ import annotations

import ssl

ONE_WITHOUT = "give both nodes tls=, or neither"

NO_TLS = f"it does not speak TLS, and this node does; {ONE_WITHOUT}"

WANTS_TLS = f"it speaks TLS, and this node does not; {ONE_WITHOUT}"

CLOSED = "it closed the connection"
"""What is known of a node that ends a handshake and gives no reason."""

PERHAPS_NO_TLS = f"{CLOSED} during the TLS handshake; where it does without TLS, {ONE_WITHOUT}"

ALERT, HANDSHAKE = 0x15, 0x16
"""What the first byte from a node that speaks TLS is."""

MAJOR = 0x03
"""The second byte: the version, SSL 3 or later."""

_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "UNKNOWN_PROTOCOL",
    "HTTP_REQUEST",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
)
_OF_CERTIFICATES = ("UNKNOWN_CA", "CERTIFICATE", "DECRYPT_ERROR")


def is_tls(beginning: bytes) -> bool:
    """Return whether what a node has sent first is TLS."""
    return len(beginning) >= 2 and beginning[0] in (ALERT, HANDSHAKE) and beginning[1] == MAJOR


def hint(told: str, has_tls: bool) -> str:
    """Return what to add to the reason why a handshake failed: the likely cause where the other node gave none.

    `told` is that reason, and `has_tls` says whether this node uses TLS. Empty where the reason says enough.
    """
    if told != CLOSED:
        return ""
    if has_tls:
        return "; it may have refused this node's certificate, which its log tells"
    return f"; it may want TLS: {ONE_WITHOUT}"


def sentence_of(error: ssl.SSLError) -> str:
    """Return what is wrong and what to do, in a sentence without its end."""
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"TLS refused its certificate: {error.verify_message.rstrip('.')}; its authority must be one that this "
            "node trusts (load_verify_locations), its dates and, where it is checked, its host must fit"
        )
    if reason in _NOT_TLS:
        return NO_TLS
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return "TLS refused it: it has no certificate; give its client context one (load_cert_chain)"
    if "ALERT" in reason and any(part in reason for part in _OF_CERTIFICATES):
        told = reason.partition("ALERT_")[2].replace("_", " ").lower()
        return f"TLS: it refused this node's certificate ({told}); that needs an authority which the other one trusts"
    return f"TLS refused the other side: {error.reason or error}"
