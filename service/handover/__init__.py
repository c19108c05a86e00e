"""From the assistant to a person and back: tickets with their messages, and urgent answers.

A ticket goes waiting → claimed → closed. While it is claimed, the person owns the conversation.
"""

from service.handover.duty import Duty
from service.handover.live import Live
from service.handover.presence import Presence
from service.handover.tickets import Handovers, Referral, minutes_later
from service.handover.urgent import UrgentWatch

__all__ = [
    "Duty",
    "Handovers",
    "Live",
    "Presence",
    "Referral",
    "UrgentWatch",
    "minutes_later",
]
