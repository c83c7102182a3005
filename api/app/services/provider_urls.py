"""Which addresses a provider's URL may name: this server must not be made to ask its own network (SSRF).

An address is checked when a configuration is saved and again when an engine is built from it. Between the check and
the connection a name may come to mean another address (DNS rebinding), and a public server may redirect to a private
one: the providers' clients resolve for themselves and follow redirects, so this keeps mistakes and simple attacks
out, not a name server that lies on purpose. Whoever fears that puts the server behind an egress proxy.
"""

import ipaddress
import queue
import socket
import threading
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import SplitResult, urlsplit

from app.errors import Invalid

RESOLVE_SECONDS = 3.0
PORTS = {"http": 80, "https": 443}

# Beyond what `ipaddress` calls not global: protocol assignments (Oracle's metadata is there), Azure's metadata and
# DNS, tunnels that carry an IPv4 address (Teredo, 6to4), NAT64 of a site's own, site-local.
REFUSED = tuple(
    ip_network(block)
    for block in ("192.0.0.0/24", "168.63.129.16/32", "2001::/32", "2002::/16", "64:ff9b:1::/48", "fec0::/10")
)
NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address


def check(url: str, allowed: Iterable[str], name: str) -> None:
    """Pass if `url` leads to the public internet, or to a host in `allowed` (`host` or `host:port`).

    Args:
        name: what the URL is called in the configuration, for the message.

    Raises:
        Invalid: it does not, or its host cannot be resolved within RESOLVE_SECONDS; the message says what to do.
    """
    parts = _split(url, name)
    host = _plain(parts.hostname or "")
    if {host, f"{host}:{parts.port or PORTS[parts.scheme]}"} & _names(allowed):
        return
    addresses = _addresses(host, name)
    if not addresses or not all(map(is_public, addresses)):
        raise Invalid(
            f"{name}: {host} is not a public address. If it is meant, "
            f"name it in the environment variable ALLOWED_PROVIDER_HOSTS (host or host:port)"
        )


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public internet, by what it finally leads to."""
    address = _carried(address)
    if any(address in block for block in REFUSED if block.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _carried(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def _split(url: str, name: str) -> SplitResult:
    # What one parser drops and another keeps (tabs, backslashes) makes the two see different hosts.
    if not url.isascii() or any(character <= " " or character in "\\\x7f" for character in url):
        raise Invalid(f"{name}: a URL has only printable ASCII characters, no spaces and no backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"{name}: this is not a URL") from error
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise Invalid(f"{name}: the URL must have the form http(s)://host[:port][/path]")
    if "@" in parts.netloc:
        raise Invalid(f"{name}: the URL must not carry a user name or password")
    return parts


def _plain(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")


def _names(allowed: Iterable[str]) -> set[str]:
    return {entry.lower().replace("[", "").replace("]", "") for entry in allowed}


def _addresses(host: str, name: str) -> list[Address]:
    literal = _literal(host)
    return [literal] if literal is not None else _resolve(host, name)


def _literal(host: str) -> Address | None:
    """The address that a host is written as, in any form that a C library takes: 127.1, 0x7f000001, 017700000001."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _resolve(host: str, name: str) -> list[Address]:
    answers: queue.Queue[list[Address]] = queue.Queue()
    # getaddrinfo knows no timeout; a thread that hangs in it is left to end by itself.
    threading.Thread(target=lambda: answers.put(_look_up(host)), name="resolve", daemon=True).start()
    try:
        found = answers.get(timeout=RESOLVE_SECONDS)
    except queue.Empty:
        raise Invalid(f"{name}: the host {host} was not resolved within {RESOLVE_SECONDS:.0f} seconds") from None
    if not found:
        raise Invalid(f"{name}: the host {host} cannot be resolved")
    return found


def _look_up(host: str) -> list[Address]:
    try:
        answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(answer[4][0])) for answer in answers]
