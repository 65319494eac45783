"""The secret from which pseudonyms, shifts of dates and identifiers of objects follow.

HMAC-SHA-256 of what is replaced: the same key gives the same replacement in every run and
format, and without the key nothing can be traced back or tried out.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ecglm.errors import UsageError

#: Days by which dates move, to either side: at least a year, so that no season or age gives the date away.
SHIFT_DAYS = (365, 3650)
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Key:
    """A secret of 32 bytes. kept: it is in a file, so that another run can use it again."""

    secret: bytes = field(repr=False)
    kept: bool = False

    @classmethod
    def random(cls) -> Key:
        """A key for this run only."""
        return cls(secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def of_file(cls, path: str | os.PathLike[str]) -> Key:
        """The key in a file, which is made (readable by its owner only) when there is none. Raises UsageError."""
        name = os.fspath(path)
        try:
            handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(secrets.token_hex(_SECRET_BYTES) + "\n")
        except FileExistsError:
            pass
        except OSError as problem:
            raise UsageError(f"{name}: no key can be written there ({problem.strerror}); name another place") from None
        if not os.path.isfile(name):
            raise UsageError(f"{name}: the key must be a file; name a new one, or one that an earlier run made")
        with open(name, "rb") as stream:
            text = stream.read(4 * _SECRET_BYTES)
        try:
            secret = bytes.fromhex(text.decode("ascii"))
        except ValueError:
            secret = b""
        if len(secret) != _SECRET_BYTES:
            raise UsageError(f"{name}: this is not a key ({2 * _SECRET_BYTES} hexadecimal digits); name a new file to make one")
        return cls(secret, kept=True)

    def days(self, patient: str) -> int:
        """The shift of every date of a patient: whole days within SHIFT_DAYS, forward or back."""
        low, high = SHIFT_DAYS
        number = int.from_bytes(self._digest("days", patient)[:8], "big") % (2 * (high - low + 1))
        back, beyond = divmod(number, high - low + 1)
        return -(low + beyond) if back else low + beyond

    def moved(self, when: datetime | None, patient: str) -> datetime | None:
        """A time after the patient's shift, its time of day kept; None where the calendar ends."""
        with contextlib.suppress(OverflowError):
            return None if when is None else when + timedelta(days=self.days(patient))
        return None

    def pseudonym(self, kind: str, text: str) -> str:
        """12 letters and digits (60 bits) that stand for a text: ``p`` for patients, ``r`` for recordings, first."""
        return kind + base64.b32encode(self._digest(kind, text)[:10]).decode("ascii").lower()[:12]

    def uid(self, old: str) -> str:
        """A DICOM UID for another one: a UUID under 2.25 (PS3.5 B.2)."""
        return f"2.25.{uuid.UUID(bytes=self._digest('uid', old)[:16], version=4).int}"

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.digest(self.secret, f"{kind}\0{text}".encode("utf-8", "surrogatepass"), hashlib.sha256)
