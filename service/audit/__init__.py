"""What was done here, by whom: an append-only log that shows tampering, citizens' words left out.

`append` puts an event on record, `verify` checks that none was touched since, `AuditLog` reads.
"""

from __future__ import annotations

from service.audit.chain import Anchor, Chain, head, verify
from service.audit.events import CITIZEN, SYSTEM, append
from service.audit.log import AuditLog, Filters
from service.audit.readings import ONE_READING, Purpose, record_reading
from service.audit.wording import ACTIONS

__all__ = [
    "ACTIONS",
    "CITIZEN",
    "ONE_READING",
    "SYSTEM",
    "Anchor",
    "AuditLog",
    "Chain",
    "Filters",
    "Purpose",
    "append",
    "head",
    "record_reading",
    "verify",
]
