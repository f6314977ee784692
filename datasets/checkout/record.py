"""Records the telemetry of a small shop: `python datasets/checkout/record.py --help`.

Four services run as processes on loopback, take open-loop Poisson load, and send OTLP to a receiver in this
process. One of them is slow for a while and failing for another while. The recording appears, complete,
when all has ended; an interrupted one leaves nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import capture
import load
import processes
import readme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HOME = Path(__file__).resolve().parent
FILES = (*(f"{signal_name}.otlp.zst" for signal_name in capture.SIGNALS), "README.md")
CULPRITS = ("payment", "inventory", "cart", "none")
LEAST_SECONDS = 2.0
WATCH_INTERVAL_S = 0.5
LEAD_S = 1.0  # from the services being ready to the start of the recording

# By default the windows stand at these shares of the recording: 35-55 s and 80-95 s of 120 s.
DEFAULT_WINDOWS = {"slow": (35 / 120, 55 / 120), "failing": (80 / 120, 95 / 120)}


@dataclass(frozen=True, slots=True)
class Window:
    """A fault and its planned time in seconds since the start."""

    kind: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Order:
    """What to record, checked."""

    out: Path
    seconds: float
    rate_hz: float
    culprit: str
    windows: tuple[Window, ...]
    seed: int


def main(argv: Sequence[str]) -> int:
    """Record, and return the exit code."""
    order = parse(argv)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell had it ignored
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        _record(order, argv)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return 130
    except processes.ServiceError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


def parse(argv: Sequence[str]) -> Order:
    """Turn the command line into a checked order; leave with exit code 2 if it makes no sense."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        return Order(
            _free_folder(options.out),
            options.seconds,
            options.rate,
            options.culprit,
            _windows(options),
            options.seed,
        )
    except ValueError as problem:
        parser.error(str(problem))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="record.py", description=__doc__)
    parser.add_argument("--out", type=Path, default=HOME, metavar="DIR", help="where the recording goes")
    parser.add_argument(
        "--seconds", type=_at_least(LEAST_SECONDS), default=120.0, help="duration of the load"
    )
    parser.add_argument("--rate", type=_at_least(0.1), default=8.0, help="checkouts per second")
    parser.add_argument("--culprit", choices=CULPRITS, default="payment", help="the service with the faults")
    parser.add_argument("--slow", type=_span, metavar="START:END", help="when it is slow, in seconds")
    parser.add_argument("--failing", type=_span, metavar="START:END", help="when it is failing, in seconds")
    parser.add_argument("--seed", type=int, default=7, help="of the load, the carts and the faults")
    return parser


def _at_least(least: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and value >= least):
            msg = f"{text} is not a number of at least {least:g}"
            raise argparse.ArgumentTypeError(msg)
        return value

    return number


def _span(text: str) -> tuple[float, float]:
    with contextlib.suppress(ValueError):
        start, end = map(float, text.split(":"))
        if 0 <= start < end < math.inf:
            return start, end
    msg = f"{text!r} is not START:END in seconds with 0 <= START < END"
    raise argparse.ArgumentTypeError(msg)


def _windows(options: argparse.Namespace) -> tuple[Window, ...]:
    given = {"slow": options.slow, "failing": options.failing}
    if options.culprit == "none":
        if any(given.values()):
            msg = "--slow and --failing need a service that has the fault: give --culprit"
            raise ValueError(msg)
        return ()
    for kind, shares in DEFAULT_WINDOWS.items():
        given[kind] = given[kind] or tuple(round(share * options.seconds, 3) for share in shares)
    windows = sorted((Window(kind, *span) for kind, span in given.items()), key=lambda window: window.start_s)
    _check_windows(windows, options.seconds)
    return tuple(windows)


def _check_windows(windows: list[Window], seconds: float) -> None:
    for window in windows:
        if window.end_s > seconds:
            msg = f"--{window.kind} ends at {window.end_s:g} s, after the recording's {seconds:g} s"
            raise ValueError(msg)
    first, second = windows
    if first.end_s > second.start_s:
        msg = f"--{first.kind} and --{second.kind} overlap: {second.start_s:g} s is before {first.end_s:g} s"
        raise ValueError(msg)


def _free_folder(out: Path) -> Path:
    """Accept a folder that is absent, empty, this one, or holds an earlier recording."""
    out = out.resolve()
    if out.exists() and not out.is_dir():
        msg = f"--out {out} is not a folder"
        raise ValueError(msg)
    present = {path.name for path in out.iterdir()} if out.exists() else set()
    if present and out != HOME and not present.issuperset(FILES):
        msg = f"--out {out} holds files but no recording; give a new or empty folder"
        raise ValueError(msg)
    return out


def _record(order: Order, argv: Sequence[str]) -> None:
    load_average, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load_average > cores:
        print("warning: this machine is busy; the healthy part may not look healthy", file=sys.stderr)
    arrivals = load.plan(order.seconds, order.rate_hz, order.seed)
    with tempfile.TemporaryDirectory(prefix="checkout-") as name:
        folder = Path(name)
        with (
            capture.receiving(folder) as received,
            processes.running(folder, received.address, order.seed) as services,
        ):
            t0_s = time.time() + LEAD_S
            print(f"recording for {order.seconds:g} s", flush=True)
            seen = asyncio.run(_run(order, services, arrivals, t0_s))
        contents = {signal_name: received.frames(signal_name) for signal_name in capture.SIGNALS}
    story = readme.Story(
        argv=argv,
        machine=f"{cores} cores, load average {load_average:.1f} before the start",
        culprit=order.culprit,
        t0_s=t0_s,
        seconds=order.seconds,
        rate_hz=order.rate_hz,
        windows=_happened(services.switched),
        seen=seen,
        contents=contents,
    )
    _write(order.out, story)


async def _run(
    order: Order, services: processes.Services, arrivals: list[load.Arrival], t0_s: float
) -> list[load.Seen]:
    driving = load.drive(arrivals, services.addresses["gateway"], t0_s)
    switching = _switch(order, services, t0_s)
    seen, *_ = await asyncio.gather(driving, switching, _watch(services, t0_s + order.seconds))
    return seen


async def _switch(order: Order, services: processes.Services, t0_s: float) -> None:
    for window in order.windows:
        for at_s, fault in ((window.start_s, window.kind), (window.end_s, "none")):
            await asyncio.sleep(max(0.0, t0_s + at_s - time.time()))
            services.switch(order.culprit, fault)


async def _watch(services: processes.Services, until_s: float) -> None:
    while time.time() < until_s:
        services.check()
        await asyncio.sleep(WATCH_INTERVAL_S)


def _happened(switched: list[tuple[str, int]]) -> list[tuple[str, float, float]]:
    """Pair what the culprit reported into (kind, from, to), in seconds since 1970."""
    times = iter(switched)
    return [
        (kind, from_ns / 1e9, to_ns / 1e9) for (kind, from_ns), (_, to_ns) in zip(times, times, strict=True)
    ]


def _write(out: Path, story: readme.Story) -> None:
    files = {f"{name}.otlp.zst": capture.compress(frames) for name, frames in story.contents.items()}
    files["README.md"] = readme.write(story, {name: len(content) for name, content in files.items()}).encode()
    with _undisturbed():
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".recording-", dir=out) as aside:
            for name, content in files.items():
                Path(aside, name).write_bytes(content)
            for name in files:
                Path(aside, name).replace(out / name)
    total = sum(map(len, files.values()))
    print(f"{out}: {total / 1e6:.2f} MB")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Hold signals back, so that a recording appears whole or not at all."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
