"""People who work here: invited, signed in, kept in order.

`Accounts` is what an administrator does, `Invitations` what a link is good for, `SignIn` how
somebody gets in, `OwnAccount` what everybody does with their own, `StaffSessions` the browsers that
are signed in.
"""

from __future__ import annotations

from service.accounts.browsers import COOKIE as BROWSER_COOKIE
from service.accounts.browsers import KEPT
from service.accounts.invitations import Invitation, Invitations
from service.accounts.limits import AddressLimit
from service.accounts.own import OwnAccount
from service.accounts.people import Accounts
from service.accounts.second_factor import SecondFactor
from service.accounts.sessions import COOKIE, LONGEST, SignedIn, StaffSessions
from service.accounts.signing_in import SignIn

__all__ = [
    "BROWSER_COOKIE",
    "COOKIE",
    "KEPT",
    "LONGEST",
    "Accounts",
    "AddressLimit",
    "Invitation",
    "Invitations",
    "OwnAccount",
    "SecondFactor",
    "SignIn",
    "SignedIn",
    "StaffSessions",
]
