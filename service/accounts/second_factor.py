"""The second thing that proves who somebody is: a code from a telephone, or one kept on paper."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime

import pyotp
import segno
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from service.auth import digest
from service.models.people import RecoveryCode, StaffCredentials

_ISSUER = "普陀法律咨询后台"
_STEP = 30  # seconds, as all apps have it
_SLACK = 1  # steps that a clock may be off, each way
_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike


class SecondFactor:
    """Secrets are encrypted with a key derived from the one that signs (`service.signing`)."""

    def __init__(self, key: str) -> None:
        derived = HKDF(SHA256(), 32, salt=None, info=b"staff totp secret").derive(key.encode())
        self._box = Fernet(base64.urlsafe_b64encode(derived))

    def new(self, login: str) -> tuple[str, dict[str, str]]:
        """A secret, encrypted to be stored, and what its owner needs to put it on a telephone."""
        secret = pyotp.random_base32()
        uri = pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=_ISSUER)
        picture = segno.make(uri, error="m").svg_data_uri(scale=5, border=3, light="white")
        shown = {"secret": secret, "uri": uri, "picture": picture}
        return self._box.encrypt(secret.encode()).decode(), shown

    def step_of(self, encrypted: str, code: str, at: datetime) -> int | None:
        """The time step in which this is the code, or None. A step must be used only once."""
        if not re.fullmatch(r"\d{6}", code, re.ASCII):
            return None
        try:
            totp = pyotp.TOTP(self._box.decrypt(encrypted.encode()).decode())
        except InvalidToken:  # stored under another key: nobody can have a code for it
            return None
        now = int(at.timestamp()) // _STEP
        found = None
        for step in range(now - _SLACK, now + _SLACK + 1):
            if hmac.compare_digest(totp.generate_otp(step), code):
                found = step
        return found

    def use(self, session: Session, row: StaffCredentials, code: str, at: datetime) -> str | None:
        """Use a code up in the caller's transaction: which kind it was, or None if it is wrong or
        was used before, be it a moment ago by somebody else."""
        code = re.sub(r"[\s-]", "", code).lower()
        step = self.step_of(row.totp_secret or "", code, at)
        if step is not None:
            used = session.execute(
                update(StaffCredentials)
                .where(
                    StaffCredentials.staff_id == row.staff_id,
                    StaffCredentials.totp_step < step,
                    StaffCredentials.totp_secret == row.totp_secret,
                )
                .values(totp_step=step)
                .returning(StaffCredentials.staff_id)
            ).first()
            return "totp" if used else None
        used = session.execute(
            update(RecoveryCode)
            .where(
                RecoveryCode.code_hash == digest(code),
                RecoveryCode.staff_id == row.staff_id,
                RecoveryCode.used_at.is_(None),
            )
            .values(used_at=at)
            .returning(RecoveryCode.staff_id)
        ).first()
        return "recovery_code" if used else None


def new_recovery_codes(session: Session, staff_id: str) -> list[str]:
    """Ten codes that replace those before; only their hashes are kept. 79 random bits each: a hash
    that is fast to compute gives none of them away."""
    forget_recovery_codes(session, staff_id)
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(16)) for _ in range(_CODES)]
    session.add_all(RecoveryCode(code_hash=digest(code), staff_id=staff_id) for code in codes)
    return ["-".join(code[i : i + 4] for i in range(0, 16, 4)) for code in codes]


def forget_recovery_codes(session: Session, staff_id: str) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))


def unused_recovery_codes(session: Session, staff_id: str) -> int:
    return len(
        session.scalars(
            select(RecoveryCode.code_hash).where(
                RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None)
            )
        ).all()
    )
