"""Can this installation do its work? A list of checks, each with what to do when it fails."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ecglm.bench.provenance import versions


@dataclass(frozen=True)
class Check:
    """One thing that must hold; detail says what was found or what to do."""

    name: str
    ok: bool
    detail: str


def checks() -> list[Check]:
    """Libraries, base model, embedded checkpoint, cache folder, device. Downloads nothing."""
    return [*_libraries(), _base(), _checkpoint(), _cache(), _device(), *_reports()]


def _libraries() -> list[Check]:
    return [Check(name, version is not None, version or f"not installed; run `pip install {name}`")
            for name, version in versions().items()]


def _base() -> Check:
    from ecglm.models.base import find

    folder = find("smollm2-135m")
    return Check("base model", folder is not None,
                 str(folder) if folder else "not fetched yet; run `ecglm pull smollm2-135m` once while online")


def _checkpoint() -> Check:
    folder = Path(__file__).parent / "checkpoints" / "default"
    present = (folder / "config.json").is_file()
    return Check("default model", present, str(folder) if present else "missing; install ecglm again")


def _cache() -> Check:
    from ecglm.models.base import cache_dir

    folder = cache_dir()
    existing = next((p for p in (folder, *folder.parents) if p.exists()), Path("/"))
    free_gb = shutil.disk_usage(existing).free / 1e9
    ok = os.access(existing, os.W_OK) and free_gb > 1
    return Check("cache", ok, f"{folder}, {free_gb:.0f} GB free" if ok else
                 f"{folder}: not writable or under 1 GB free; set ECGLM_CACHE to another folder")


def _device() -> Check:
    try:
        import torch
    except ImportError as error:
        return Check("device", False, f"torch does not load ({error}); run `pip install 'torch>=2.10,<2.14'`")
    if torch.cuda.is_available():
        return Check("device", True, torch.cuda.get_device_name(0))
    return Check("device", True, f"CPU, {os.cpu_count()} cores, {torch.get_num_threads()} threads")


def _reports() -> list[Check]:
    """What formats of reports can be written. None is needed for anything else, so what is missing is said and is no failure."""
    from importlib.util import find_spec

    from ecglm.reporting import fonts
    from ecglm.reporting.language import language
    from ecglm.reporting.pdf import has_latex, has_typst

    engines = [name for name, there in (("Typst", has_typst()), ("latexmk with XeLaTeX", has_latex())) if there]
    pdf = ", ".join(engines) or "not possible; run `pip install 'ecglm[report]'`"
    if has_typst():
        chinese = not fonts.choose(language("zh").texts.title).lacking
        pdf += "; Chinese: " + ("yes" if chinese else "no font, `apt install fonts-noto-cjk` or "
                                                      "`pip install 'ecglm[chinese]'`")
    there = find_spec("highdicom") is not None
    return [Check("report as PDF", True, pdf),
            Check("report as DICOM SR", True, "highdicom" if there else "not possible; run `pip install 'ecglm[report]'`")]
