"""Who may ask over the web, how often, and once: what stands between a browser and the desk.

`Gate` is what the web channel talks to; `Cors` answers browsers that ask for another site; the rest
are its parts: `sites`, `sessions`, `limits`, `challenge`, `once`.
"""

from __future__ import annotations

from service.channels.gate.callers import Caller
from service.channels.gate.cors import Cors
from service.channels.gate.gate import CONSENT_VERSION, Admission, Gate
from service.channels.gate.limits import Buckets, Limited
from service.channels.gate.once import OnceOnly
from service.channels.gate.sites import OWN_SITE, Site, Sites

__all__ = [
    "CONSENT_VERSION",
    "OWN_SITE",
    "Admission",
    "Buckets",
    "Caller",
    "Cors",
    "Gate",
    "Limited",
    "OnceOnly",
    "Site",
    "Sites",
]
