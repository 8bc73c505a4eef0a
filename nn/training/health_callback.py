"""The health of a model over a training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..display import as_image
from ..model_health import Health, health
from .callbacks import Callback

if TYPE_CHECKING:
    from .run import Run

__all__ = ["HealthCallback"]


class HealthCallback(Callback):
    """Looks at the model's health on one batch again and again while it is trained, and keeps what it saw.

    The training is the same with it as without: ``nn.health`` leaves everything as it was. Checkpoints do not hold what
    it saw; in a run that goes on it begins anew.

    Arguments:
        batch: (input, target) or (input, input, …, target), always the same, so that what changes is the model.
        every_epochs: after how many epochs it looks; it looks before the first epoch too.
        every_steps: look also after each so many steps of the optimizer; None for not at all.

    Attributes:
        reports: a ``Health`` for each look.
        epochs: at which epoch each was; 0 is before the first, and a look after a step is at a fraction.
        warnings: the sentences of all looks, each once, with the epochs at which it came up, in words.

    >>> import autograd, nn, optim
    >>> x, model = autograd.randn(64, 4), nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
    >>> watch = HealthCallback((x, x[:, :1]))
    >>> _ = nn.training.fit(
    ...     model, nn.MSELoss(), optim.Adam(model.parameters(), lr=0.001), (x, x[:, :1]), epochs=3, callbacks=[watch],
    ...     progress=False)
    >>> watch.epochs, len(watch.reports), watch.warnings
    ([0.0, 1.0, 2.0, 3.0], 4, [])
    """

    def __init__(self, batch: Any, every_epochs: int = 1, every_steps: int | None = None) -> None:
        for name, every in (("every_epochs", every_epochs), ("every_steps", every_steps)):
            allowed = name == "every_steps" and every is None
            if not allowed and (isinstance(every, bool) or not hasattr(every, "__index__") or every < 1):  # type: ignore[operator]
                raise ValueError(f"HealthCallback: {name} must be a whole number, at least 1, got {every!r}")
        self.batch, self.every_epochs, self.every_steps = batch, every_epochs, every_steps
        self.reports: list[Health] = []
        self.epochs: list[float] = []

    def look(self, run: Run, epoch: float) -> None:
        """Looks now."""
        modes = [(module, module.training) for module in run.model.modules()]
        if not run.model.training:
            run.model.train()
        try:
            self.reports.append(health(run.model, self.batch, loss=run.loss, optimizer=run.optimizer))
        finally:
            for module, mode in modes:
                module.training = mode
        self.epochs.append(epoch)

    def on_epoch_begin(self, run: Run) -> None:
        if not self.reports:
            self.look(run, float(run.epoch - 1))

    def on_step_end(self, run: Run, loss: float) -> None:
        if self.every_steps is not None and run.step % self.every_steps == 0 and not run.at_last_batch():
            whole = run.train.length()
            self.look(run, run.epoch - 1 + (run.batch / whole if whole else 0.5))

    def on_epoch_end(self, run: Run, values: Mapping[str, float]) -> None:
        if run.epoch % self.every_epochs == 0:
            self.look(run, float(run.epoch))

    @property
    def warnings(self) -> list[str]:
        seen: dict[str, list[str]] = {}
        for epoch, report in zip(self.epochs, self.reports, strict=True):
            for sentence in report.warnings:
                seen.setdefault(sentence, []).append(f"{epoch:g}")
        return [
            f"epoch {at[0]}: {sentence}" if len(at) == 1 else f"epochs {', '.join(at)}: {sentence}"
            for sentence, at in seen.items()
        ]

    def plot(self) -> Any:
        """Draws how outputs, gradients, updates and silent units changed, a line for each layer; red: with warnings."""
        from ..model_health.pictures import plot_history

        if not self.reports:
            raise ValueError("HealthCallback: nothing was seen yet; give it to nn.training.fit as one of callbacks")
        return plot_history(self.epochs, self.reports)

    def __repr__(self) -> str:
        head = f"HealthCallback: {len(self.reports)} looks"
        if not self.reports:
            return head
        return "\n".join([f"{head}, at epochs {self.epochs[0]:g} to {self.epochs[-1]:g}", *self.warnings])

    def _repr_html_(self) -> str:
        import html

        text = f"<pre>{html.escape(repr(self))}</pre>"
        try:
            return (as_image(self.plot(), "health over the training") if self.reports else "") + text
        except ImportError:
            return text
