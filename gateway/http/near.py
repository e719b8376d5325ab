"""Which peers are on this machine."""

from ipaddress import IPv6Address, ip_address


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own loopback, IPv4 inside IPv6 included."""
    address = ip_address(host)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def is_near(peer: tuple[str, int] | None) -> bool:
    """Whether a connection comes from loopback, or through a socket of this machine (no peer)."""
    return peer is None or is_loopback(peer[0])
