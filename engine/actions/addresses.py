"""Which addresses http.request may reach: decided on the address that is connected to.

A name is resolved once, its addresses are judged, and the connection goes to a judged address: a
name that answers differently the next moment gains nothing. Deny goes before allow; link-local
addresses, where clouds keep their metadata, are denied always (docs/authoring.md, http.request).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_METADATA: Final = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
    )
)
"""Link-local, and the metadata addresses of clouds that lie elsewhere."""
_NAT64: Final = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AddressRules:
    """`hosts`: names, `.example.com` for all below it; `networks`: addresses and CIDR ranges."""

    hosts: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> AddressRules:
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in entries:
            text = entry.strip().lower().rstrip(".")
            try:
                networks.append(ip_network(text.strip("[]"), strict=False))
            except ValueError:
                hosts.add(text.removeprefix("*"))
        return cls(frozenset(hosts), tuple(networks))

    def name(self, host: str) -> bool:
        host = host.lower().rstrip(".")
        parents = (host[index:] for index, sign in enumerate(host) if sign == ".")
        return host in self.hosts or any(parent in self.hosts for parent in parents)

    def address(self, address: Address) -> bool:
        return _within(address, self.networks)


class AddressPolicy:
    def __init__(
        self, *, allow: Sequence[str] = (), deny: Sequence[str] = (), production: bool = False
    ) -> None:
        self._allow = AddressRules.of(allow)
        self._deny = AddressRules.of(deny)
        self._production = production

    def refusal(self, host: str, address: str) -> str | None:
        """Why `host` must not be reached at `address`; None: it may."""
        found = ip_address(address.partition("%")[0])
        meanings = [found, *_embedded(found)]
        if any(_within(each, _METADATA) for each in meanings):
            return "link-local addresses and metadata services are never reached"
        if self._deny.name(host) or any(map(self._deny.address, meanings)):
            return "the installation denies it (HTTP_DENY)"
        if self._allow.name(host) or any(map(self._allow.address, meanings)):
            return None
        if self._production and not all(each.is_global for each in meanings):
            return "private and loopback addresses must be allowed by the installation (HTTP_ALLOW)"
        return None


def _embedded(address: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 one stands for: mapped, 6to4, Teredo, NAT64, compatible."""
    if isinstance(address, IPv4Address):
        return []
    inside = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or int(address) >> 32 == 0:
        inside.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in inside if each is not None]


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == net.version and address in net for net in networks)
