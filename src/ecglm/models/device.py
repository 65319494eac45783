"""Where models run and in which type of number."""

from __future__ import annotations

import torch


def best_device(wanted: str | torch.device | None = None) -> torch.device:
    """The device that is wanted, else the first GPU, else the CPU."""
    return torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))


def best_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it natively, else float32."""
    if device.type == "cuda":
        return torch.bfloat16
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return torch.bfloat16 if native else torch.float32
