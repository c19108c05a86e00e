"""Who calls: the page a request came from, and the address."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from service.accounts.limits import network_of

SESSION_HEADER = "X-Consult-Session"
PROOF_HEADER = "X-Consult-Proof"
KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Caller:
    """`origin` is the page's, empty when no browser names one; `own` when it is a page of ours."""

    address: str
    origin: str = ""
    own: bool = False
    browser: bool = False
    session: str = ""
    proof: str = ""

    @classmethod
    def of(cls, request: HTTPConnection) -> Caller:
        """Browsers send an Origin with every POST, and Sec-Fetch-… with every request; a program
        sends neither. Behind a proxy the address is that of `X-Forwarded-For` where the server
        trusts the proxy (CONSULT_TRUSTED_PROXIES)."""
        headers = request.headers
        origin = headers.get("origin", "")
        return cls(
            address=network_of(request.client.host if request.client else ""),
            origin=origin,
            own=_own(request, origin),
            browser=bool(origin) or "sec-fetch-site" in headers,
            session=headers.get(SESSION_HEADER, ""),
            proof=headers.get(PROOF_HEADER, ""),
        )


def _own(request: HTTPConnection, origin: str) -> bool:
    """By what the browser says of itself, or by the host, whatever the scheme: TLS may end at a
    proxy, and a proxy may rewrite the host."""
    if request.headers.get("sec-fetch-site") == "same-origin":
        return True
    _, _, host = origin.partition("://")
    return bool(host) and host == request.headers.get("host", "")
