"""Where a provider's URL may lead: out, never in, whatever the address is dressed as."""

import socket
import time
from typing import Any

import pytest

from app.errors import Invalid
from app.services import provider_urls

NAME = "mem0.llm.config.ollama_base_url"


def answering(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Have every host name resolve to these."""

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        if not addresses:
            raise socket.gaierror("no such host")
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.100.100.200",
        "169.254.169.254",
        "2852039166",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "127.0.0.1.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_addresses_of_this_machine_and_its_network_are_refused(scheme: str, host: str) -> None:
    with pytest.raises(Invalid, match="ALLOWED_PROVIDER_HOSTS"):
        provider_urls.check(f"{scheme}://{host}:11434/v1", [], NAME)


@pytest.mark.parametrize("host", ["8.8.8.8", "1.1.1.1", "[2606:4700::1111]", "[::ffff:8.8.8.8]", "[64:ff9b::808:808]"])
def test_public_addresses_pass(host: str) -> None:
    provider_urls.check(f"https://{host}/v1", [], NAME)
    provider_urls.check(f"http://{host}:8080", [], NAME)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ollama",
        "localhost:11434",
        "//8.8.8.8",
        "http://",
        "http:///etc/passwd",
        "file:///etc/passwd",
        "ftp://8.8.8.8",
        "gopher://8.8.8.8",
        "unix:///var/run/docker.sock",
        "http://user@8.8.8.8",
        "http://user:secret@8.8.8.8",
        "http://@8.8.8.8",
        "http://8.8.8.8:0",
        "http://8.8.8.8:99999",
        "http://8.8.8.8:x",
        "http://[::1",
        "http://8.8.8.8\\@127.0.0.1",
        "http://8.8.8.8\t/",
        "http://8.8.8.8 /",
        "http://8.8.8.8\n",
        "http://①②⑦.⓪.⓪.①",
        "http://127。0。0。1",
    ],
)
def test_what_is_not_a_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match=NAME) as caught:
        provider_urls.check(url, ["8.8.8.8"], NAME)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("addresses", [("10.0.0.7",), ("8.8.8.8", "127.0.0.1"), ("::1",), ("fe80::1%eth0",)])
def test_a_name_is_judged_by_all_it_resolves_to(monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]) -> None:
    answering(monkeypatch, *addresses)
    with pytest.raises(Invalid, match=r"models\.example is not a public address"):
        provider_urls.check("https://models.example/v1", [], NAME)


def test_a_public_name_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, "8.8.8.8", "2606:4700::1111")
    provider_urls.check("https://models.example/v1", [], NAME)


def test_an_unknown_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch)
    with pytest.raises(Invalid, match="cannot be resolved"):
        provider_urls.check("https://models.example", [], NAME)


def test_a_slow_name_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_urls, "RESOLVE_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.5) or [])
    begin = time.monotonic()
    with pytest.raises(Invalid, match="not resolved within"):
        provider_urls.check("https://models.example", [], NAME)
    assert time.monotonic() - begin < 0.4


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:11434", "localhost"),
        ("http://localhost:11434", "localhost:11434"),
        ("http://LOCALHOST:11434/v1", "LocalHost:11434"),
        ("http://localhost.:11434", "localhost"),
        ("http://ollama", "ollama:80"),
        ("https://ollama", "ollama:443"),
        ("http://127.0.0.1:1234/v1", "127.0.0.1:1234"),
        ("http://[::1]:1234/v1", "[::1]:1234"),
        ("http://[::1]:1234/v1", "::1"),
    ],
)
def test_allowed_hosts_pass_unresolved(monkeypatch: pytest.MonkeyPatch, url: str, allowed: str) -> None:
    answering(monkeypatch)
    provider_urls.check(url, ["elsewhere", allowed], NAME)


@pytest.mark.parametrize("allowed", ["localhost:80", "localhost:1143", "host", "ocalhost", "*", "", "xlocalhost"])
def test_only_the_very_host_and_port_is_allowed(monkeypatch: pytest.MonkeyPatch, allowed: str) -> None:
    answering(monkeypatch, "127.0.0.1")
    with pytest.raises(Invalid):
        provider_urls.check("http://localhost:11434", [allowed], NAME)
