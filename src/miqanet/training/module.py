"""One training step, one validation step and the optimizer, as a Lightning module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.nn import functional
from torchmetrics.functional.classification import binary_auroc

from miqanet.networks import judge, make_network
from miqanet.training.data import Sample
from miqanet.training.memory import keep_freed_memory

_WARM_UP = 0.05
"""Share of the steps over which the learning rate rises."""


class QualityModule(lightning.LightningModule):
    """A network, its losses and what is watched while it learns."""

    def __init__(
        self,
        kinds: Sequence[str],
        learning_rate: float,
        weight_decay: float,
        watched: Sequence[str],
        network: str = "miqanet",
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = make_network(network, artifact_kinds=kinds)
        self._rate, self._decay = learning_rate, weight_decay
        self.watched = tuple(watched)
        self._answers: dict[str, list[tuple[Tensor, Tensor]]] = {name: [] for name in watched}

    def on_fit_start(self) -> None:
        """Called in each process that trains."""
        keep_freed_memory()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Judge prepared images (N, 1, size, size): logits of quality (N, 2) and of artifacts (N, kinds)."""
        quality, artifacts = judge(self.network, image.contiguous(memory_format=torch.channels_last))
        return quality.float(), artifacts.float()

    def training_step(self, batch: Sample, _index: int) -> Tensor:
        """Cross entropy of the verdict, and binary cross entropy of each artifact where that head is there."""
        quality, artifacts = self(batch.image)
        loss = functional.cross_entropy(quality, torch.stack([1 - batch.low, batch.low], 1))
        self.log("loss", loss, prog_bar=True, on_step=False, on_epoch=True, sync_dist=True)
        if batch.kinds.shape[1]:
            # Summed over kinds: to name one of many artifacts tells the features far more than low or high does.
            known = ~batch.kinds.isnan()
            named = functional.binary_cross_entropy_with_logits(
                artifacts[known], batch.kinds[known], reduction="sum"
            ) / len(batch.kinds)
            self.log("artifact_loss", named, on_step=False, on_epoch=True, sync_dist=True)
            loss = loss + named
        return loss

    def validation_step(self, batch: Sample, _index: int, dataloader_idx: int = 0) -> None:
        """Collect probabilities for each watched set."""
        name = self.watched[dataloader_idx]
        probability = self(batch.image)[0].softmax(1)[:, 1]
        self._answers[name].append((probability, (batch.low >= 0.5).int()))

    def on_validation_epoch_end(self) -> None:
        """Log each set's area under the curve and its rate of high images called low at one half.

        Either is NaN where the set lacks the images that it is made of.
        """
        for name, answers in self._answers.items():
            probability, low = (torch.cat(parts) for parts in zip(*answers, strict=True))
            one_class = bool((low == low[0]).all())
            auc = torch.tensor(torch.nan) if one_class else binary_auroc(probability, low)
            false_alarms = (probability[low == 0] >= 0.5).float().mean()
            self.log(f"{name}_auc", auc, prog_bar=name == self.watched[0], sync_dist=True)
            self.log(f"{name}_false_alarms", false_alarms, sync_dist=True)
            answers.clear()

    def configure_optimizers(self) -> Any:
        """AdamW; the learning rate rises for a twentieth of the steps and falls along a cosine to zero."""
        plain = [p for p in self.network.parameters() if p.ndim < 2]
        decayed = [p for p in self.network.parameters() if p.ndim >= 2]
        optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": self._decay}, {"params": plain, "weight_decay": 0.0}],
            lr=self._rate,
            fused=True,
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=self._rate,
            total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=_WARM_UP,
            cycle_momentum=False,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
