"""Two processes share a batch: run by test_contrastive.py, writes the loss and the gradients that each ends up with."""

from __future__ import annotations

import sys

from accelerate import Accelerator
from safetensors.torch import save_file

from tests.training.test_contrastive import batch, contrastive_loss, tiny_towers, total_loss

if __name__ == "__main__":
    accelerator = Accelerator(cpu=True)
    objective = sys.argv[2]
    model = tiny_towers()
    shared = accelerator.prepare(model)
    loss = contrastive_loss(shared, batch(accelerator.process_index, accelerator.num_processes), objective)
    total_loss(shared, batch(accelerator.process_index, accelerator.num_processes), objective, accelerator.backward)
    grads = {name: parameter.grad.clone() for name, parameter in model.named_parameters() if parameter.grad is not None}
    save_file(grads, f"{sys.argv[1]}/{accelerator.process_index}.safetensors", {
        "processes": str(accelerator.num_processes), "loss": repr(float(loss))})
