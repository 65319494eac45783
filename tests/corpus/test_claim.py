"""The folder of a set that is being built belongs to one request."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecglm.corpus.claim import claim
from ecglm.errors import UsageError

ASKED = {"seed": 1, "shares": (0.7, 0.3), "licence": None}


def test_only_the_same_request_goes_on_with_a_folder(tmp_path: Path) -> None:
    request = tmp_path / "set" / "request.json"
    claim(request, ASKED, resume=False)
    claim(request, ASKED, resume=True)
    with pytest.raises(UsageError, match="--resume"):
        claim(request, ASKED, resume=False)
    with pytest.raises(UsageError, match=r"another request \(seed, shares; see request.json\)"):
        claim(request, {**ASKED, "seed": 2, "shares": (0.6, 0.4)}, resume=True)
    request.write_text("half a li")
    with pytest.raises(UsageError, match=r"another request \(seed, shares, licence;"):
        claim(request, ASKED, resume=True)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("")
    with pytest.raises(UsageError, match="name a folder"):
        claim(tmp_path / "set" / "request.json", ASKED, resume=True)
