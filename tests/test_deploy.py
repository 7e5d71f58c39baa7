"""The files that run the forwarder as a service: what they name exists, and says what it is to."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from servers import script
from subscribing import PATIENCE

from confd_events.cli import parser
from confd_events.forward import read_config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
UNIT = ROOT / "deploy" / "systemd" / "confd-events-forward.service"
CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"
SIDECAR = ROOT / "deploy" / "container" / "sidecar.yaml"
COMMAND = "/opt/confd-events/bin/confd-events"


def analyzed(*arguments: str) -> str:
    tool = shutil.which("systemd-analyze")
    assert tool, "systemd-analyze is missing: run ci/servers, or install Debian's package systemd"
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def installed(tmp_path: Path) -> str:
    """The unit, with the command of this environment."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace(COMMAND, script("confd-events")))
    return str(unit)


def settings(name: str) -> list[str]:
    return re.findall(rf"(?m)^{name}=(.*)$", UNIT.read_text())


def checked(arguments: list[str]) -> Any:
    """The arguments of the command, which have to be right."""
    return parser().parse_args(arguments)


# systemd


def test_systemd_finds_the_unit_right(tmp_path: Path) -> None:
    assert analyzed("verify", "--man=no", installed(tmp_path)) == ""


def test_the_unit_is_hardened(tmp_path: Path) -> None:
    said = analyzed("security", "--offline=true", "--threshold=20", installed(tmp_path))
    assert "Overall exposure level for confd-events-forward.service: 1." in said


def test_what_the_unit_calls_exists() -> None:
    for command in (*settings("ExecStart"), *settings("ExecStartPre")):
        program, *arguments = command.split()
        assert program == COMMAND
        assert checked(arguments).config == "/etc/confd-events/forward.toml"
    assert checked(settings("ExecStartPre")[0].split()[1:]).check
    assert settings("ExecReload") == ["/bin/kill -HUP $MAINPID"]
    assert settings("Documentation") == ["man:confd-events(1)"]
    assert settings("Type") == ["notify"]
    assert settings("StateDirectory") == settings("LogsDirectory") == ["confd-events"]


# Containers


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Containerfile, and what is behind each."""
    text = re.sub(r"(?m)^\s*#.*\n", "", CONTAINERFILE.read_text()).replace("\\\n", " ")
    pairs = (line.partition(" ") for line in text.splitlines() if line.strip())
    return [(word, " ".join(rest.split())) for word, _, rest in pairs]


KNOWN = "ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM RUN STOPSIGNAL USER VOLUME".split()


def test_the_containerfile_builds_what_there_is() -> None:
    found = instructions()
    assert {word for word, _ in found} <= set(KNOWN)
    stages = [rest.split(" AS ") for word, rest in found if word == "FROM"]
    assert [stage[1:] for stage in stages] == [["build"], []]
    # Both have the same Python, or the wheel does not fit.
    assert len({re.sub("slim-", "", stage[0]) for stage in stages}) == 1
    assert re.search(r"python:3\.(9|1[0-3])-", stages[0][0])
    copied = dict(rest.rsplit(" ", 1) for word, rest in found if word == "COPY")
    assert set(copied) == {"sdk", "confd_events-*.tar.gz", "--from=build /wheels"}
    (wheel,) = (rest for word, rest in found if word == "RUN" and "pip wheel" in rest)
    assert "NCS_DIR=/opt/nso " in wheel
    assert copied["sdk"] == "/opt/nso"
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (wanted,) = re.findall(r"\[(.+)\]", wheel)
    assert set(wanted.split(",")) <= set(extras["optional-dependencies"])


def test_the_image_runs_the_forwarder() -> None:
    found = dict(instructions())
    program, *arguments = json.loads(found["ENTRYPOINT"]) + json.loads(found["CMD"])
    assert program == "confd-events"
    assert checked(arguments).config == "/etc/confd-events/forward.toml"
    assert found["USER"] == "confd-events"


@pytest.fixture
def sidecar() -> dict[str, Any]:
    return {each["kind"]: each for each in yaml.safe_load_all(SIDECAR.read_text())}


def test_the_sidecar_and_nso_share_the_socket(sidecar: dict[str, Any]) -> None:
    spec = sidecar["StatefulSet"]["spec"]
    pod = spec["template"]["spec"]
    claims = [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]]
    volumes = {volume["name"] for volume in pod["volumes"]} | set(claims)
    containers = {each["name"]: each for each in pod["containers"]}
    mounts = {
        name: {mount["mountPath"]: mount["name"] for mount in each["volumeMounts"]}
        for name, each in containers.items()
    }
    assert {name for each in mounts.values() for name in each.values()} == volumes
    ours = containers["confd-events"]
    (path,) = (each["value"] for each in ours["env"] if each["name"] == "NCS_IPC_PATH")
    assert mounts["nso"][str(Path(path).parent)] == "ipc"
    assert mounts["confd-events"][str(Path(path).parent)] == "ipc"
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
    assert f"UID={pod['securityContext']['runAsUser']}" in dict(instructions())["ARG"]


def test_the_configuration_of_the_sidecar_is_right(sidecar: dict[str, Any], tmp_path: Path) -> None:
    (name, text), *others = sidecar["ConfigMap"]["data"].items()
    assert (name, others) == ("forward.toml", [])
    (tmp_path / name).write_text(text)
    config = read_config(str(tmp_path / name))
    pod = sidecar["StatefulSet"]["spec"]["template"]
    (ours,) = (each for each in pod["spec"]["containers"] if each["name"] == "confd-events")
    mounts = {mount["name"]: mount["mountPath"] for mount in ours["volumeMounts"]}
    assert str(config.spool.parent) == mounts["spool"]
    assert config.metrics is not None
    assert config.metrics.address is not None
    (port,) = ours["ports"]
    exposed = dict(instructions())["EXPOSE"]
    assert config.metrics.address[1] == port["containerPort"] == int(exposed)
    assert pod["metadata"]["annotations"]["prometheus.io/port"] == exposed
    assert ours["livenessProbe"]["httpGet"]["port"] == port["name"]
