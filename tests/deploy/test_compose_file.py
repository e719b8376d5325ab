"""The compose file by reading: what a running stack would be too late to tell."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings.load import load
from gateway.settings.overrides import variables
from gateway.settings.schema import Settings
from gateway.settings.units import seconds

COMPOSE = yaml.safe_load(Path("docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
EXAMPLE = Path(".env.example").read_text()
PINNED = re.compile(r"[a-z./-]+:v?\d+\.\d+\.\d+(-[a-z-]+)?")
LOCAL = "tiergate:local"


def variables_of(document: object) -> set[str]:
    """The variables compose takes from the environment, plain pass-through ones included."""
    passed = {name for name, value in SERVICES["gateway"]["environment"].items() if value is None}
    return passed | set(re.findall(r"\$\{([A-Z_]+)", str(document)))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_confined(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["healthcheck"]["test"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_to_a_patch_release(name: str) -> None:
    image = SERVICES[name]["image"]

    assert image == LOCAL or PINNED.fullmatch(image)


@pytest.mark.parametrize("name", [n for n, s in SERVICES.items() if s["image"] != LOCAL])
def test_an_image_of_others_runs_as_a_user_that_is_not_root(name: str) -> None:
    assert SERVICES[name]["user"] not in ("", "0", "root")


def test_ports_are_open_on_loopback_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]

    assert len(ports) == 4
    assert all(port.startswith("127.0.0.1:${") for port in ports)


def test_redis_is_reached_by_gateways_only() -> None:
    reaching = {name for name, service in SERVICES.items() if "store" in service["networks"]}

    assert COMPOSE["networks"]["store"] == {"internal": True}
    assert reaching == {"redis", "gateway", "replica"}
    assert SERVICES["redis"]["networks"] == ["store"]
    assert "ports" not in SERVICES["redis"]


def test_a_gateway_starts_with_the_variables_it_gets_where_nothing_is_set() -> None:
    given = SERVICES["gateway"]["environment"].items()
    usual = {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for name, value in given if value}

    settings = load(None, usual)

    assert settings.admin.enabled
    assert settings.admin.key
    assert usual["GATEWAY_ADMIN_KEY"] in Path("docs/deploy.md").read_text()


def test_variables_of_the_gateway_are_settings() -> None:
    ours = {n for n in SERVICES["gateway"]["environment"] if n.startswith("GATEWAY_")}

    assert ours <= set(variables())


def test_the_example_names_every_variable_and_no_other() -> None:
    named = set(re.findall(r"^#([A-Z_]+)=", EXAMPLE, re.MULTILINE))

    assert named == variables_of(COMPOSE)


def test_the_example_sets_nothing() -> None:
    assert [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")] == []


@pytest.mark.parametrize("name", ["gateway", "replica", "edge"])
def test_streams_in_flight_may_finish_before_a_container_is_killed(name: str) -> None:
    assert seconds(SERVICES[name]["stop_grace_period"]) > Settings().server.drain


def test_files_that_are_mounted_are_there() -> None:
    mounted = [v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", ())]

    assert all(Path(place).exists() for place in mounted if place.startswith("./"))


def test_the_image_is_built_from_what_is_named_and_runs_as_nobody() -> None:
    lines = Path("Dockerfile").read_text().splitlines()

    assert not any(line.startswith("# syntax") for line in lines)
    assert PINNED.fullmatch(lines[lines.index("") - 1].partition("=")[2])
    assert "USER 10001:10001" in lines
    assert any("--require-hashes" in line for line in lines)
    assert Path(".dockerignore").read_text().splitlines()[1] == "*"
