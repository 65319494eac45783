"""Pictures of any shape through an encoder of square ones: LLaVA-1.6's tiles, by way of transformers' own processor.

The picture as a whole comes first, squeezed into a square. Then it is scaled into the best of the tilings, padded, and cut.
Of the tokens of the tiles those of the padding are left out, and every row of what is left ends with a vector that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Size = tuple[int, int]


def tiles(image: NDArray[np.uint8], side: int, tilings: Sequence[tuple[int, int]], mean: Sequence[float], std: Sequence[float],
          resample: int = 3) -> Tensor:
    """Pixels of the whole picture and of its tiles, [1 + tiles, 3, side, side]. image: uint8 ``[y, x, 3]``; resample: Pillow's
    number, 3 bicubic."""
    from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

    points = pinpoints(side, tilings) or [[side, side]]
    processor = LlavaNextImageProcessorPil(
        size={"height": side, "width": side}, crop_size={"height": side, "width": side}, image_grid_pinpoints=points,
        image_mean=list(mean), image_std=list(std), resample=resample)
    pixels: Tensor = processor(image, return_tensors="pt", input_data_format="channels_last")["pixel_values"][0]
    return pixels if tilings else pixels[:1]


def pinpoints(side: int, tilings: Sequence[tuple[int, int]]) -> list[list[int]]:
    """The tilings in pixels (height, width), as transformers wants them."""
    return [[rows * side, columns * side] for rows, columns in tilings]


def packed(tok_TND: Tensor, size: Size, side: int, tilings: Sequence[tuple[int, int]], newline_D: Tensor | None) -> Tensor:
    """The tokens of a picture in the order in which the language model reads them, tok_MD.

    tok_TND: of the whole picture and of each tile, N a square number; size: height and width of the picture.
    """
    from transformers.models.llava_next.modeling_llava_next import get_anyres_image_grid_shape, unpad_image

    whole, rest = tok_TND[0], tok_TND[1:]
    if not len(rest):
        return whole if newline_D is None else torch.cat([whole, newline_D[None].to(whole.dtype)])
    rows, columns = get_anyres_image_grid_shape(size, pinpoints(side, tilings), side)
    each = round(rest.shape[1] ** 0.5)
    grid: Any = rest.view(rows, columns, each, each, -1).permute(4, 0, 2, 1, 3).flatten(1, 2).flatten(2, 3)
    grid = unpad_image(grid, size)
    if newline_D is not None:
        grid = torch.cat([grid, newline_D[:, None, None].expand(*grid.shape[:-1], 1).to(grid.dtype)], dim=-1)
    return torch.cat([whole, grid.flatten(1, 2).transpose(0, 1)])
