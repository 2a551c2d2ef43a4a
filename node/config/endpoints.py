"""Addresses to listen on and to dial: a host and a port."""

import ipaddress
import re
from typing import NamedTuple

from pydantic_core import PydanticCustomError
from typing_extensions import override


class Endpoint(NamedTuple):
    """A host (name or address) and a port; 0 asks the system for a free one to listen on."""

    host: str
    port: int

    @override
    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: object) -> Endpoint:
    """Return the endpoint written as "host:port", "1.2.3.4:port" or "[v6]:port".

    Raises:
        ValueError: anything else.
    """
    if isinstance(text, Endpoint):
        return text
    match = isinstance(text, str) and re.fullmatch(r"(\[[^\[\]]+\]|[^\[\]:]+):(\d{1,5})", text)
    if not match or int(match[2]) > 65535:
        raise PydanticCustomError("endpoint", 'expected "host:port" with a port up to 65535')
    host = match[1]
    if host.startswith("["):
        try:
            host = str(ipaddress.IPv6Address(host[1:-1]))
        except ipaddress.AddressValueError:
            raise PydanticCustomError("endpoint", "no IPv6 address in the brackets") from None
    elif not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?", host):
        raise PydanticCustomError("endpoint", "no host name or address before the colon")
    return Endpoint(host, int(match[2]))
