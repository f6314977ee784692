"""How sync code is stopped when its time is up, and how far that goes.

``interrupt="none"``
    Stops nothing. The call runs to its end, unless it asks `current_deadline` itself; when that is too late,
    its result is dropped.
``interrupt="signal"``
    Raises the error in the main thread, which stops Python code, and system calls that a signal ends:
    sleeping, sockets, locks. It does not stop one long call into C (a regular expression, a matrix product)
    before that returns, nor anything in other threads, nor code that catches the error and goes on. Drivers
    that raise an error of their own instead (httpx's ReadTimeout) have it as the cause of ours.
``interrupt="thread"``
    Stops nothing either, but the caller goes on. The call runs to its end in a thread of its own; nobody sees
    its result, and the locks and sockets that it holds stay in its hands.

Signals and waiting for threads go by real time, whatever the policy's clock is.
"""

import contextvars
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

from workbench.reliability.deadline_limits import TimeLimit
from workbench.reliability.policy import PolicyError

__all__ = ["Interrupt", "abandoning", "alarm", "check_interrupt"]

Interrupt: TypeAlias = Literal["none", "signal", "thread"]
SOONEST_S = 1e-6  # zero would turn the timer off


def check_interrupt(interrupt: str) -> None:
    """Refuse what is no way to interrupt, here.

    Raises
    ------
    PolicyError
    """
    if interrupt not in ("none", "signal", "thread"):
        msg = f"interrupt is {interrupt!r}, expected 'none', 'signal' or 'thread'"
        raise PolicyError(msg)
    if interrupt == "signal" and not hasattr(signal, "setitimer"):
        msg = "interrupt='signal' needs the timers of POSIX, which this system has not: use 'thread'"
        raise PolicyError(msg)


@contextmanager
def alarm(limit: TimeLimit) -> Iterator[None]:
    """Raise the limit's error in the main thread when it comes, within the block.

    A timer around that was set by somebody else goes on after the block; where it comes first, it is left
    alone.

    Raises
    ------
    PolicyError
        In any other thread.
    """
    if threading.current_thread() is not threading.main_thread():
        msg = "interrupt='signal' works in the main thread only: use 'thread' or 'none' in others"
        raise PolicyError(msg)
    left_s = max(limit.left_s(), SOONEST_S)
    outer_s, _ = signal.getitimer(signal.ITIMER_REAL)
    if 0.0 < outer_s <= left_s:
        yield
        return
    armed, rung = True, False

    def ring(_number: int, _frame: object) -> None:
        nonlocal rung
        if armed:
            rung = True
            raise limit.error(started=True)

    handler = signal.signal(signal.SIGALRM, ring)
    started = time.monotonic()
    outer_s, interval_s = signal.setitimer(signal.ITIMER_REAL, left_s)
    try:
        try:
            yield
        finally:
            armed = False
    except Exception as error:
        late = limit.error(started=True)
        if not rung or (type(error) is type(late) and error.args == late.args):
            raise
        raise late from error
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler)
        if outer_s:
            rest_s = outer_s - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(rest_s, SOONEST_S), interval_s)


def abandoning(limit: TimeLimit, function: Callable[[], Any]) -> tuple[bool, Any]:
    """Call a function in a thread of its own, and wait no longer than a limit.

    It sees the caller's context variables. The thread is a daemon: it does not keep the program from ending.

    Returns
    -------
    bool, Any
        Whether it ended in time, and then what it returned.
    """
    ended = threading.Event()
    found: list[tuple[bool, Any]] = []
    context = contextvars.copy_context()

    def work() -> None:
        try:
            found.append((True, context.run(function)))
        except BaseException as error:  # noqa: BLE001 - it is raised in the caller's thread
            found.append((False, error))
        finally:
            ended.set()

    threading.Thread(target=work, name=f"timeout {limit.name}", daemon=True).start()
    ended.wait(max(0.0, limit.left_s()))
    if not found:
        return False, None
    returned, value = found[0]
    if returned:
        return True, value
    try:
        raise value
    finally:
        found.clear()  # the error's traceback holds this frame
        del value
