"""The import rules of the design, and what no source file may contain."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src" / "ecglm"

#: Part -> top-level or ecglm modules that none of its files may import, anywhere in the file.
TORCH = ("torch", "transformers", "peft", "safetensors", "accelerate",
         "ecglm.models", "ecglm.training", "ecglm.inference")
FORBIDDEN: dict[str, tuple[str, ...]] = {
    "records": TORCH, "signal": TORCH, "paper": TORCH, "reporting": TORCH, "bench": TORCH,
    "errors.py": TORCH, "schema.py": TORCH, "answers.py": TORCH, "config.py": TORCH, "registry.py": TORCH,
    "models": ("ecglm.corpus", "ecglm.training"),
    "knowledge": ("ecglm.corpus", "ecglm.training", "ecglm.models", "ecglm.inference", "ecglm.bench"),
}
HEAVY = {"torch", "transformers", "peft", "numpy", "scipy", "pydicom", "cv2", "sklearn", "rich", "yaml", "jinja2"}
#: Code that runs what a file says; torch.load with weights_only builds nothing but tensors.
DANGEROUS = re.compile(
    r"\bpickle\b|\btorch\.load\b(?!\([^()]*weights_only=True\))|\bjoblib\b|(?<![\w.])eval\(|(?<![\w.])exec\(|\byaml\.(?:unsafe_|full_)?load\("
    r"|trust_remote_code\s*=\s*True|allow_pickle\s*=\s*True|shell\s*=\s*True")


def python_files(part: str = "") -> list[Path]:
    root = SRC / part
    return [root] if root.is_file() else sorted(root.rglob("*.py"))


def imported(tree: ast.AST, package: str = "ecglm") -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("part", FORBIDDEN)
def test_imports_point_one_way(part: str) -> None:
    for file in python_files(part):
        for name in imported(ast.parse(file.read_text(encoding="utf-8"))):
            banned = [b for b in FORBIDDEN[part] if f"{name}.".startswith(f"{b}.")]
            assert not banned, f"{file} imports {name}"


def test_commands_import_nothing_heavy_at_module_level() -> None:
    for file in (*python_files("cli"), SRC / "__init__.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        top = ast.Module([n for n in tree.body if isinstance(n, (ast.Import, ast.ImportFrom))], [])
        for name in imported(top):
            assert name.split(".")[0] not in HEAVY, f"{file} imports {name} at module level"
            assert not re.match(r"ecglm\.(records|signal|paper|corpus|models|training|inference|reporting)", name), file


def test_no_relative_imports() -> None:
    for file in python_files():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), f"{file}:{getattr(node, 'lineno', 0)}"


def test_nothing_in_src_runs_code_from_files() -> None:
    for file in python_files():
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            assert not DANGEROUS.search(line), f"{file}:{number}: {line.strip()}"


def test_what_the_cart_said_is_shown_and_never_used() -> None:
    for file in python_files():
        shown = file.relative_to(SRC).as_posix()
        if not shown.startswith("records/") and shown != "cli/info.py":
            assert not re.search(r"\.cart\b|CartReading", file.read_text(encoding="utf-8")), f"{file} uses the cart's reading"


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("module", [
    "ecglm.records", "ecglm.signal", "ecglm.paper", "ecglm.reporting", "ecglm.registry", "ecglm.config",
    "ecglm.knowledge.answer", "ecglm.knowledge.store", "ecglm.bench.studies.knowledge",
    "ecglm.bench.metrics", "ecglm.bench.stats", "ecglm.bench.runner", "ecglm.bench.report", "ecglm.bench.compare",
])
def test_this_part_works_without_torch(module: str) -> None:
    assert not modules_after(f"import {module}") & {"torch", "transformers", "peft"}


def test_help_loads_no_library() -> None:
    statement = ("import contextlib, io\nfrom ecglm.cli import main\n"
                 "with contextlib.redirect_stdout(io.StringIO()): main(['--help'])")
    assert not modules_after(statement) & (HEAVY | {"typer", "click"})


def test_the_public_names_are_all_there() -> None:
    import ecglm

    for name in ecglm.__all__:
        assert getattr(ecglm, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'raed'"):
        ecglm.raed  # noqa: B018
