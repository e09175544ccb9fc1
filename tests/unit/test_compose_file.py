"""docker-compose.yml is valid, safe by default, and names only what exists."""

import configparser
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

import pytest
from compose_file import (
    COMPOSE_FILE,
    ROOT,
    WORKER_CONF,
    VariableMissingError,
    example_variables,
    health_command,
    is_one_shot,
    load,
    required_variables,
)

COMPOSE = load(example_variables())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OUR_IMAGE = SERVICES["api"]["image"]
LONG_RUNNING = [name for name, service in SERVICES.items() if not is_one_shot(service)]
DEPENDENCIES = [
    (name, needed, needs["condition"])
    for name, service in SERVICES.items()
    for needed, needs in service.get("depends_on", {}).items()
]


def our_commands() -> Iterator[list[str]]:
    """Every command line that starts one of our own programs."""
    for service in SERVICES.values():
        if service["image"] == OUR_IMAGE:
            yield service["command"]
    yield from supervised_commands()


def supervised_commands() -> Iterator[list[str]]:
    worker = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    worker.read(WORKER_CONF)
    for section in worker.sections():
        if section.startswith("program:"):
            yield shlex.split(worker[section]["command"])


def test_the_file_follows_the_compose_specification() -> None:
    check = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert check.returncode == 0, check.stdout + check.stderr


@pytest.mark.parametrize("secret", required_variables())
def test_a_missing_secret_is_refused_with_what_to_do(secret: str) -> None:
    variables = example_variables()
    del variables[secret]

    with pytest.raises(VariableMissingError, match=r"copy \.env\.example to \.env"):
        load(variables)


def test_every_secret_is_asked_for_in_the_example() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", COMPOSE_FILE.read_text()))

    assert required == set(required_variables())


def test_no_secret_is_on_a_command_line() -> None:
    lines = [service.get("command", []) for service in SERVICES.values()]
    lines += [health_command(SERVICES[name]) for name in LONG_RUNNING]

    assert not [line for line in lines if "canary-" in " ".join(line)]


@pytest.mark.parametrize(("service", "needed", "condition"), DEPENDENCIES)
def test_a_service_waits_for_something_that_can_happen(
    service: str, needed: str, condition: str
) -> None:
    assert needed in SERVICES, f"{service} waits for an unknown service"
    expected = (
        "service_completed_successfully" if is_one_shot(SERVICES[needed]) else "service_healthy"
    )
    assert condition == expected


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_that_runs_on_is_watched_and_restarted(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert health_command(SERVICES[name])


def test_ports_are_published_on_loopback_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert len(published) == 2
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_a_version(name: str) -> None:
    assert re.search(r":\d+\.\d+", SERVICES[name]["image"])


def test_our_image_carries_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert f"{project['name']}:{project['version']}" == OUR_IMAGE


def test_named_volumes_and_configs_are_declared() -> None:
    named = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith((".", "/"))
    }
    configs = {
        config["source"] for service in SERVICES.values() for config in service.get("configs", [])
    }
    assert named == set(COMPOSE["volumes"])
    assert configs == set(COMPOSE["configs"])


def test_all_our_processes_share_the_files() -> None:
    ours = [service for service in SERVICES.values() if service["image"] == OUR_IMAGE]
    for service in ours:
        assert f"files:{service['environment']['WTB_FILES__FOLDER']}" in service["volumes"]


@pytest.mark.parametrize("command", list(our_commands()), ids=" ".join)
def test_the_program_of_a_service_exists(command: list[str]) -> None:
    program, *arguments = command
    if program == "python":
        assert find_spec(arguments[arguments.index("-m") + 1])
    else:
        assert find_spec(entry_points(group="console_scripts")[program].module)


def test_the_applications_load_with_the_environment_that_the_services_get() -> None:
    load_all = "import api.app, workers.celery_app as celery; api.app.create_app; celery.app"

    loaded = subprocess.run(
        [sys.executable, "-c", load_all],
        cwd=ROOT,
        env=os.environ | SERVICES["api"]["environment"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert loaded.returncode == 0, loaded.stderr


def test_the_image_runs_as_an_ordinary_user_and_installs_only_hashed_packages() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    installs = re.findall(r"pip install (.*)", dockerfile)

    assert re.findall(r"^USER (.*)", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert all("--require-hashes" in line or "--no-deps --editable ." in line for line in installs)


def test_the_image_gets_what_it_needs_and_no_secrets() -> None:
    admitted = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert [name for name in admitted if not (ROOT / name).exists()] == []
    assert {"wtb_async", "api", "workers", "pyproject.toml", "requirements.lock"} <= set(admitted)
    assert ".env" not in admitted
