"""A device that holds passkeys, as WebAuthn has it: keys of its own, real signatures."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

_FLAG = AuthenticatorData.FLAG
ORIGIN = "http://localhost:8000"


class Device:
    """One passkey. What a test changes on it (`origin`, `verifies`, `counter`) it then signs."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.owner = b""
        self.origin = ORIGIN
        self.rp = "localhost"
        self.verifies = True
        self.counter = 0

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create` gives, as `toJSON()`."""
        self.owner = websafe_decode(options["user"]["id"])
        public = ES256.from_cryptography_key(self.key.public_key())
        known = AttestedCredentialData.create(b"\0" * 16, self.id, public)
        attested = AttestationObject.create("none", self._data(_FLAG.AT, known), {})
        client = CollectedClientData.create("webauthn.create", options["challenge"], self.origin)
        return self._answer({"clientDataJSON": client, "attestationObject": attested})

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get` gives, as `toJSON()`."""
        data = self._data(_FLAG(0))
        client = CollectedClientData.create("webauthn.get", options["challenge"], self.origin)
        signature = self.key.sign(data + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": client,
                "authenticatorData": data,
                "signature": signature,
                "userHandle": self.owner,
            }
        )

    def _data(self, flags: AuthenticatorData.FLAG, credential: bytes = b"") -> AuthenticatorData:
        flags |= _FLAG.UP | (_FLAG.UV if self.verifies else _FLAG(0))
        digest = hashlib.sha256(self.rp.encode()).digest()
        return AuthenticatorData.create(digest, flags, self.counter, credential)

    def _answer(self, response: dict[str, bytes]) -> dict[str, Any]:
        name = websafe_encode(self.id)
        told = {key: websafe_encode(value) for key, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": told}
