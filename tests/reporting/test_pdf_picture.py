"""The drawn page stands whole on its page of the PDF, however wide it is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ecglm.reporting

TEMPLATE = Path(ecglm.reporting.__file__).parent / "templates" / "report.typ.j2"


@pytest.mark.parametrize("shape", [(200, 1400), (700, 1000), (1400, 700)])
def test_both_edges_of_the_picture_are_on_the_page(shape: tuple[int, int], tmp_path: Path) -> None:
    typst = pytest.importorskip("typst", reason="typst is not installed; pip install 'ecglm[report]'")
    page = next(line for line in TEMPLATE.read_text(encoding="utf8").splitlines() if "#image(" in line)
    drawn = re.sub(r"\{\{ picture \}\}", '"drawn.png"', re.sub(r", alt: \{\{.*?\}\}", "", page))
    pixels = np.full((*shape, 3), 255, np.uint8)
    pixels[:, :20], pixels[:, -20:] = (255, 0, 0), (0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "drawn.png")
    (tmp_path / "page.typ").write_text(f"{drawn}\n]]", encoding="utf8")
    typst.compile(str(tmp_path / "page.typ"), output=str(tmp_path / "page.png"), format="png", ppi=30.0)
    seen = np.asarray(Image.open(tmp_path / "page.png").convert("RGB")).astype(int)
    for edge, other in ((0, 2), (2, 0)):
        column = (seen[..., edge] > 200) & (seen[..., other] < 80)
        assert column.any(), "cut off"
        assert column.any(axis=1).sum() / seen.shape[0] > 0.1
