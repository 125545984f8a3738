"""The guard: what is not plainly public is never connected to, however it is spelt, seen from the sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviewqueue.outbound.addresses import is_public, networks_of
from reviewqueue.outbound.client import Client, Limits, NoAnswer
from reviewqueue.outbound.guard import Guard, Unreachable

from . import sockets

INNER = """
127.0.0.1 127.1 127.0.1 127.255.255.254 0.0.0.0 0 2130706433 0x7f000001 0x7f.1 0x7f.0.0.1 0177.0.0.1 017700000001
00000177.1 127.0.0.1. localhost localhost. LOCALHOST ip6-localhost 10.0.0.1 0xa.1 012.0.0.1 167772161 172.16.0.1
172.31.255.255 192.168.0.1 192.168.257 3232235521 169.254.169.254 0xa9fea9fe 2852039166 169.254.43518
0251.0376.0251.0376 192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
100.64.0.1 255.255.255.255 192.88.99.1 [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1]
[::ffff:10.0.0.1] [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::a00:1] [2002:7f00:1::]
[2002:a9fe:a9fe::1] [2001:0:7f00:1::1] [2001::1] [2001:db8::1] [fc00::1] [fd12:3456::1] [fe80::1] [fe80::1%25lo]
[fec0::1] [ff02::1] [100::1] [3fff::1] [5f00::1] [2a00:1450::5efe:10.0.0.1] １２７.0.0.1 127。0。0。1
""".split()


@pytest.fixture(scope="module")
def connections() -> Iterator[list[object]]:
    with sockets.connections() as seen:
        yield seen


@pytest.fixture
def listener() -> Iterator[int]:
    """A server on this machine's own addresses, which nobody may reach; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def post(guard: Guard, url: str) -> None:
    with Client(guard, Limits(connect=0.5, total=0.5)) as client:
        client.post(url, b"{}", {})


def test_sixty_spellings_and_more_of_inner_addresses_reach_no_socket(
    connections: list[object], listener: int
) -> None:
    assert len(INNER) >= 60
    connections.clear()
    for host in INNER:
        for scheme in ("http", "https"):
            url = f"{scheme}://{host}:{listener}/"
            with pytest.raises(Unreachable):
                Guard().require_url(url)
            with pytest.raises(NoAnswer):
                post(Guard(), url)
    assert connections == []


def test_a_name_that_is_public_when_saved_and_inner_when_sent_to_is_refused(
    connections: list[object], listener: int
) -> None:
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return answers.pop(0)

    guard = Guard(resolve=rebinding)
    url = f"https://rebinding.example:{listener}/"
    guard.require_url(url)
    connections.clear()
    with pytest.raises(NoAnswer, match="not on the public internet"):
        post(guard, url)
    assert connections == [] and len(asked) == 2


def test_the_address_that_was_checked_is_the_one_connected_to(
    connections: list[object], listener: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver that answers another thing each time is asked once."""
    answers = [["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"]]
    guard = Guard((ip_network("127.0.0.0/8"),), resolve=lambda *_: answers.pop(0))
    monkeypatch.setenv("http_proxy", "http://127.0.0.3:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.3:9")
    connections.clear()
    with pytest.raises(NoAnswer, match="in time"):
        post(guard, f"http://rebinding.example:{listener}/")
    assert connections == [("127.0.0.1", listener)] and len(answers) == 2


def test_a_name_with_one_inner_address_among_public_ones_is_refused() -> None:
    guard = Guard(resolve=lambda *_: ["93.184.215.14", "10.0.0.1"])
    with pytest.raises(Unreachable, match=r"10\.0\.0\.1"):
        guard.address_of("mixed.example", 443)


def test_only_the_networks_that_were_named_are_let_through() -> None:
    guard = Guard(networks_of("10.1.2.0/24, fd00:1::/32"))
    guard.require_url("http://10.1.2.3/hook")
    guard.require_url("http://[fd00:1::5]:8080/hook")
    for host in ("10.1.3.1", "[fd00:2::1]", "127.0.0.1", "[::ffff:10.1.2.3]"):
        with pytest.raises(Unreachable):
            guard.require_url(f"http://{host}/hook")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://93.184.215.14/", "https"),
        ("ftp://93.184.215.14/", "https"),
        ("https://ada:secret@93.184.215.14/", "a user"),
        ("https://@93.184.215.14/", "a user"),
        ("https://93.184.215.14/#part", "fragment"),
        ("https://93.184.215.14:99999/", "no URL"),
        ("https:///path", "https"),
        ("https://[::1/", "no URL"),
        ("https://93.184.215.14/\r\nHost: inner", "https"),
    ],
)
def test_a_url_that_cannot_be_meant_well_is_refused(url: str, why: str) -> None:
    with pytest.raises(Unreachable, match=why):
        Guard().require_url(url)


def test_a_resolver_that_never_answers_is_given_up() -> None:
    import threading

    stopped = threading.Event()
    guard = Guard(resolve=lambda *_: [str(stopped.wait(10))])
    with pytest.raises(Unreachable, match="in time"):
        guard.address_of("slow.example", 443, 0.05)
    stopped.set()


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e"]
)
def test_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_that_python_calls_private_is_public(address: object) -> None:
    found = ip_address(str(address))
    if (
        found.is_private
        or found.is_loopback
        or found.is_link_local
        or found.is_multicast
        or found.is_reserved
    ):
        assert not is_public(found)
