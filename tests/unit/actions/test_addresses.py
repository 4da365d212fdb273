"""Which addresses http.request may reach."""

from __future__ import annotations

import pytest

from engine.actions.addresses import AddressPolicy

METADATA = [
    "169.254.169.254",
    "169.254.0.1",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "100.100.100.200",
]
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1",
    "100.64.0.1", "0.0.0.0", "::", "fd12::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("production", [True, False])
def test_metadata_addresses_are_denied_always(address: str, production: bool) -> None:
    everything = AddressPolicy(allow=("0.0.0.0/0", "::/0", "meta.example"), production=production)
    assert everything.refusal("meta.example", address) is not None


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_denied_in_production_only(address: str) -> None:
    assert AddressPolicy(production=True).refusal("a.example", address) is not None
    assert AddressPolicy().refusal("a.example", address) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    assert AddressPolicy(production=True).refusal("a.example", address) is None


@pytest.mark.parametrize(
    "entry",
    [
        "10.1.2.3",
        "10.0.0.0/8",
        "10.1.2.3/8",
        "erp.example",
        "ERP.example.",
        ".example",
        "*.example",
    ],
)
def test_the_installation_allows_a_private_address_by_host_or_network(entry: str) -> None:
    policy = AddressPolicy(allow=(entry,), production=True)
    assert policy.refusal("erp.example", "10.1.2.3") is None
    assert policy.refusal("erp.other", "192.168.0.1") is not None


def test_an_allowed_ipv4_network_allows_its_mapped_form() -> None:
    policy = AddressPolicy(allow=("10.0.0.0/8",), production=True)
    assert policy.refusal("a", "::ffff:10.1.2.3") is None


def test_a_name_allows_only_itself_and_a_dotted_one_what_is_below() -> None:
    exact = AddressPolicy(allow=("erp.example",), production=True)
    below = AddressPolicy(allow=(".erp.example",), production=True)
    assert exact.refusal("a.erp.example", "10.0.0.1") is not None
    assert below.refusal("a.erp.example", "10.0.0.1") is None
    assert below.refusal("erp.example", "10.0.0.1") is not None
    assert below.refusal("aerp.example", "10.0.0.1") is not None


@pytest.mark.parametrize("entry", ["8.8.8.8", "8.0.0.0/8", "dns.example", ".example"])
def test_deny_goes_before_allow(entry: str) -> None:
    policy = AddressPolicy(allow=("8.8.8.8", "dns.example"), deny=(entry,))
    assert "HTTP_DENY" in str(policy.refusal("dns.example", "8.8.8.8"))
    assert policy.refusal("other.test", "9.9.9.9") is None


def test_a_denied_ipv4_network_denies_its_mapped_form() -> None:
    policy = AddressPolicy(deny=("8.8.8.0/24",))
    assert policy.refusal("a", "::ffff:8.8.8.8") is not None
