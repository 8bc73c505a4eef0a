"""Races optimizers down a narrow bowl, off a saddle and through Beale's valley, and draws their paths.

    python examples/optimizers.py --seed 0 --out out

Writes bowl.png, momentum.png, saddle.png and beale.png, each with the paths on a map of the surface and the height
over the steps, and paths.gif, in which all of them move.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from tqdm import tqdm

import autograd
import optim

Route = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Race:
    """A surface, where to start on it, and the optimizers that run, each with its arguments."""

    title: str
    height: Callable[[Any, Any], Any]
    start: tuple[float, float]
    goal: tuple[float, float] | None
    x: tuple[float, float]
    y: tuple[float, float]
    steps: int
    routes: dict[str, Route]


def bowl(x: Any, y: Any) -> Any:
    """Thirty times as steep across as along: what is safe across is slow along."""
    return 0.5 * (x**2 + 30 * y**2)


def saddle(x: Any, y: Any) -> Any:
    """Level in the middle, where a gradient says nothing about the way down."""
    return x**2 - y**2


def beale(x: Any, y: Any) -> Any:
    """Steep walls around a bent and nearly level valley."""
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


NOISY = "SGD with gradient noise"

RACES = {
    "bowl": Race(
        "A narrow bowl, ½ (x² + 30 y²)", bowl, (-4.0, 1.4), (0.0, 0.0), (-4.6, 2.0), (-1.9, 1.9), 80,
        {
            "SGD": ("SGD", {"lr": 0.055}),
            "SGD, momentum 0.9": ("SGD", {"lr": 0.02, "momentum": 0.9}),
            "Adagrad": ("Adagrad", {"lr": 0.5}),
            "RMSprop": ("RMSprop", {"lr": 0.1}),
            "Adadelta": ("Adadelta", {"lr": 20.0}),
            "Adam": ("Adam", {"lr": 0.2}),
            "Lion": ("Lion", {"lr": 0.07}),
        },
    ),
    "momentum": Race(
        "Momentum in the narrow bowl, all with rate 0.02", bowl, (-4.0, 1.4), (0.0, 0.0), (-4.6, 2.0), (-1.9, 1.9), 80,
        {
            "SGD": ("SGD", {"lr": 0.02}),
            "SGD, momentum 0.5": ("SGD", {"lr": 0.02, "momentum": 0.5}),
            "SGD, momentum 0.9": ("SGD", {"lr": 0.02, "momentum": 0.9}),
            "SGD, Nesterov's momentum 0.9": ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": True}),
        },
    ),
    "saddle": Race(
        "A saddle, x² − y², from 0.00001 beside the ridge", saddle, (-1.5, 1e-5), None,
        (-1.7, 1.7), (-1.7, 1.7), 120,
        {
            "SGD": ("SGD", {"lr": 0.05}),
            "SGD, momentum 0.9": ("SGD", {"lr": 0.05, "momentum": 0.9}),
            NOISY: ("SGD", {"lr": 0.05}),
            "Adagrad": ("Adagrad", {"lr": 0.15}),
            "RMSprop": ("RMSprop", {"lr": 0.02}),
            "Adadelta": ("Adadelta", {"lr": 5.0}),
            "Adam": ("Adam", {"lr": 0.05}),
        },
    ),
    "beale": Race(
        "Beale's function", beale, (0.5, -0.9), (3.0, 0.5), (-0.4, 4.2), (-1.4, 1.4), 200,
        {
            "SGD": ("SGD", {"lr": 0.008}),
            "SGD, momentum 0.9": ("SGD", {"lr": 0.004, "momentum": 0.9}),
            "Adagrad": ("Adagrad", {"lr": 0.4}),
            "RMSprop": ("RMSprop", {"lr": 0.02}),
            "Adadelta": ("Adadelta", {"lr": 8.0}),
            "Adam": ("Adam", {"lr": 0.1}),
            "Lion": ("Lion", {"lr": 0.015}),
        },
    ),
}  # fmt: skip

# One colour for each optimizer in all pictures.
LABELS = list(dict.fromkeys(label for race in RACES.values() for label in race.routes))
COLOURS = dict(zip(LABELS, plt.get_cmap("tab10").colors, strict=True))


def run(race: Race, label: str, steps: int, seed: int) -> np.ndarray:
    """The points (steps + 1, 2) of one optimizer's path; not a number after it falls off a map without a minimum."""
    name, arguments = race.routes[label]
    point = autograd.tensor(race.start, dtype=autograd.float64, requires_grad=True)
    optimizer = getattr(optim, name)([point], **arguments)
    if label == NOISY:
        optim.GradientNoise(optimizer, eta=1e-2, generator=autograd.Generator().manual_seed(seed))
    path = [point.numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        race.height(point[0], point[1]).backward()
        optimizer.step()
        path.append(point.numpy().copy())
        if race.goal is None and abs(path[-1]).max() > max(*race.x, *race.y):
            path += [np.full(2, np.nan)] * (steps + 1 - len(path))
            break
    return np.array(path)


def draw_map(axes: Axes, race: Race) -> None:
    """Draws the surface as contour lines, close where it is low."""
    x, y = np.meshgrid(np.linspace(*race.x, 300), np.linspace(*race.y, 300))
    height = race.height(x, y)
    low = height.min()
    steps = np.geomspace(1e-4, 1, 28) if race.goal else np.linspace(0, 1, 25)[1:]
    levels = low + (height.max() - low) * np.concatenate([[0], steps])
    shade = np.searchsorted(levels, height)
    axes.imshow(shade, extent=(*race.x, *race.y), origin="lower", aspect="auto", cmap="Greys_r", alpha=0.35)
    axes.contour(x, y, height, levels=levels, colors="0.6", linewidths=0.5, linestyles="solid")
    axes.plot(*race.start, "ko", markersize=5, zorder=4)
    if race.goal:
        axes.plot(*race.goal, "k*", markersize=12, zorder=4)
    axes.set(xlim=race.x, ylim=race.y, xlabel="x", ylabel="y")


def draw_race(race: Race, paths: dict[str, np.ndarray], file: Path) -> None:
    """Draws the paths on the map, and the height over the steps."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5.2), layout="constrained")
    draw_map(left, race)
    for label, path in paths.items():
        style = {"color": COLOURS[label], "linewidth": 1.5, "label": label}
        left.plot(*path.T, marker=".", markersize=3, **style)
        right.plot(race.height(*path.T), **style)
    left.set(title="Paths from the dot" + (" to the star, the minimum" if race.goal else ""))
    right.set(title="Height", xlabel="step", ylabel="height")
    if race.goal:
        right.set(yscale="log", ylim=(1e-6, None))
    right.grid(alpha=0.3)
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=len(paths))
    figure.suptitle(race.title)
    figure.savefig(file, dpi=120)
    plt.close(figure)


def animate(races: dict[str, Race], paths: dict[str, dict[str, np.ndarray]], frames: int, file: Path) -> None:
    """Draws all races side by side as an animation of so many frames."""
    figure, row = plt.subplots(1, len(races), figsize=(5 * len(races), 4.8), layout="constrained")
    moving = []
    for axes, (name, race) in zip(np.atleast_1d(row), races.items(), strict=True):
        draw_map(axes, race)
        axes.set_title(race.title.split(",")[0])
        for label, path in paths[name].items():
            (line,) = axes.plot([], [], color=COLOURS[label], linewidth=1.5, label=label)
            (head,) = axes.plot([], [], "o", color=COLOURS[label], markersize=6, zorder=5)
            moving.append((path, line, head))
    handles = {line.get_label(): line for _, line, _ in moving}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))

    def show(frame: int) -> list[Any]:
        for path, line, head in moving:
            end = 1 + round(frame / max(frames - 1, 1) * (len(path) - 1))
            line.set_data(*path[:end].T)
            head.set_data(*path[end - 1 : end].T)
        return [artist for _, line, head in moving for artist in (line, head)]

    # Laid out once: it would be tried again, and be slow, for each frame.
    figure.canvas.draw()
    figure.set_layout_engine("none")
    with tqdm(total=frames, desc="animation", unit="frame") as progress:
        animation = FuncAnimation(figure, show, frames=frames, blit=False)
        animation.save(file, PillowWriter(fps=12), dpi=70, progress_callback=lambda *_: progress.update())
    plt.close(figure)


def main() -> None:
    """Reads the arguments, runs every race, and writes the pictures."""
    parser = argparse.ArgumentParser(description="Race optimizers down three surfaces and draw their paths.")
    parser.add_argument("--seed", type=int, default=0, help="of the gradient noise (default: 0)")
    parser.add_argument("--steps", type=int, default=None, help="of each race (default: each its own, 80 to 200)")
    parser.add_argument("--frames", type=int, default=60, help="of the animation (default: 60)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for the pictures (default: out)")
    arguments = parser.parse_args()
    if arguments.frames < 1 or (arguments.steps is not None and arguments.steps < 1):
        parser.error("--steps and --frames must be at least 1")
    arguments.out.mkdir(parents=True, exist_ok=True)

    paths: dict[str, dict[str, np.ndarray]] = {name: {} for name in RACES}
    runs = [(name, label) for name, race in RACES.items() for label in race.routes]
    with tqdm(runs, desc="races", unit="path") as progress:
        for name, label in progress:
            progress.set_postfix_str(f"{name}: {label}")
            race = RACES[name]
            paths[name][label] = run(race, label, arguments.steps or race.steps, arguments.seed)

    for name, race in RACES.items():
        file = arguments.out / f"{name}.png"
        draw_race(race, paths[name], file)
        heights = {label: float(np.nanmin(race.height(*path.T))) for label, path in paths[name].items()}
        best = min(heights, key=lambda label: heights[label])
        print(f"{race.title}: {best} went lowest, to {heights[best]:.3g}\n    {file}")
    moving = {name: RACES[name] for name in ("bowl", "saddle", "beale")}
    file = arguments.out / "paths.gif"
    animate(moving, paths, arguments.frames, file)
    print(f"All of them, moving\n    {file}")


if __name__ == "__main__":
    main()
