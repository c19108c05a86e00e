"""From the assistant to a person and back: tickets with their messages, and urgent answers.

A ticket goes waiting → claimed → closed. While it is claimed, the person owns the conversation.
"""

from service.handover.tickets import Handovers, Owner, Referral, minutes_later
from service.handover.urgent import UrgentWatch

__all__ = ["Handovers", "Owner", "Referral", "UrgentWatch", "minutes_later"]
