"""Certificates that were brought to the box, in a folder of its own. Hides how files are named so that none that is in
use is ever overwritten, and that those nobody has use for go."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

from attrs import frozen

from concentrator.model.errors import WrongArguments
from concentrator.system.files import write_whole

FOLDER = "certificates"
SPARE_MOST = 8
"""How many files are kept that the configuration does not name: those of forms that are still open."""


@frozen
class Certificates:
    """The folder in `state_dir`; `used` gives the text of the configuration, which names those in use."""

    state_dir: Path
    used: Callable[[], str]

    def keep(self, name: str, pem: str) -> dict[str, object]:
        """See `actions.certificates.Keep`."""
        from cryptography.x509 import load_pem_x509_certificates
        from cryptography.x509.oid import NameOID

        if not re.fullmatch(r"[a-z0-9-]+", name):
            raise WrongArguments(f'name: found "{name}", expected small letters, digits and hyphens')
        content = pem.encode()
        try:
            first = load_pem_x509_certificates(content)[0]
        except ValueError:
            raise WrongArguments(
                "pem: found no certificate, expected PEM text, which begins with -----BEGIN CERTIFICATE-----"
            ) from None
        folder = self.state_dir / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}.pem"
        write_whole(path, content, 0o600)
        self._sweep(folder)
        subject, issuer = (
            next((str(each.value) for each in whose.get_attributes_for_oid(NameOID.COMMON_NAME)), "")
            for whose in (first.subject, first.issuer)
        )
        until = first.not_valid_after_utc.astimezone(UTC).date().isoformat()
        return {"file": str(path), "subject": subject, "issuer": issuer, "until": until}

    def _sweep(self, folder: Path) -> None:
        text = self.used()
        spare = [path for path in folder.glob("*.pem") if path.name not in text]
        for path in sorted(spare, key=lambda each: each.stat().st_mtime, reverse=True)[SPARE_MOST:]:
            path.unlink(missing_ok=True)
