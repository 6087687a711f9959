"""IP addresses and the networks that they are in."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import Any

from django import forms


@lru_cache(maxsize=4096)
def is_within(ip: str, networks: tuple[str, ...]) -> bool:
    """Whether an address is in one of the networks (CIDR). What isn't an address is in none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    # An IPv4 caller of a socket for both kinds.
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ipaddress.ip_network(network) for network in networks)


def normalised_network(text: str) -> str:
    """A network as CIDR, a single address as the network of one. Raises ValueError."""
    return str(ipaddress.ip_network(text.strip()))


class NetworksField(forms.CharField):
    """A list of networks, one a line; what isn't one, its service refuses."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return (super().to_python(value) or "").split()
