"""Sockets, child processes, workers and threads do real work while virtual time waits for them."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from workbench.clock import VirtualDeadlockError, virtual_time

PATIENCE_S = 60.0  # so that a wake-up that was missed would be seen as a very slow test


def run(function, **options):
    with virtual_time(**{"patience_s": PATIENCE_S} | options) as clock:
        return asyncio.run(function(clock)), clock.now()


def busy(seconds):
    """Really work for a while."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        time.sleep(0.001)
    return "worked"


def test_time_waits_for_a_worker():
    async def main(_):
        ticking = asyncio.create_task(asyncio.sleep(100))
        answer = await asyncio.wait_for(asyncio.to_thread(busy, 0.05), 0.001)
        return answer, ticking.done()

    assert run(main)[0] == ("worked", False)


def test_workers_that_sleep_by_the_clock_take_turns_with_timers():
    async def main(clock):
        log = []

        def work(seconds):
            clock.sleep(seconds)
            log.append(("worker", clock.now()))

        async def tick(seconds):
            await asyncio.sleep(seconds)
            log.append(("timer", clock.now()))

        await asyncio.gather(*(asyncio.to_thread(work, s) for s in (1, 3, 5)), *map(tick, (2, 4, 6)))
        return log

    log, now_s = run(main)
    assert log == [("worker", 1), ("timer", 2), ("worker", 3), ("timer", 4), ("worker", 5), ("timer", 6)]
    assert now_s == 6.0


@pytest.mark.parametrize("own_pool", [False, True])
def test_jobs_queue_behind_workers_that_sleep(own_pool):
    async def main(clock):
        with ThreadPoolExecutor(2) as pool:
            loop = asyncio.get_running_loop()
            loop.set_default_executor(pool)
            jobs = [loop.run_in_executor(pool if own_pool else None, clock.sleep, 5) for _ in range(7)]
            await asyncio.gather(*jobs)

    assert run(main)[1] == 20.0


def test_errors_of_jobs_arrive_and_time_goes_on():
    async def main(_):
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(1)
        pool.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            await loop.run_in_executor(pool, print)
        await asyncio.sleep(1)

    assert run(main)[1] == 1.0


def test_a_job_cancelled_in_the_queue_or_in_its_thread():
    async def main(clock):
        gate = threading.Event()
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as pool:
            running = loop.run_in_executor(pool, gate.wait)
            queued = loop.run_in_executor(pool, clock.sleep, 50)
            await asyncio.sleep(0)
            queued.cancel()
            running.cancel()
            await asyncio.sleep(0)  # asyncio tells the pool
            gate.set()
            await asyncio.gather(queued, running, return_exceptions=True)
        await asyncio.sleep(2)

    assert run(main)[1] == 2.0


def test_the_end_waits_for_workers_that_sleep():
    async def main(clock):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(clock.sleep, 100), 1)

    assert run(main)[1] == 100.0


def test_a_process_pool():
    async def main(_):
        loop = asyncio.get_running_loop()
        with ProcessPoolExecutor(1) as pool:
            return await asyncio.wait_for(loop.run_in_executor(pool, pow, 2, 10), 0.01)

    assert run(main) == (1024, 0.0)


def test_a_server_and_its_clients_on_loopback():
    async def main(_):
        async def serve(reader, writer):
            while line := await reader.readline():
                await asyncio.sleep(10)
                writer.write(line.upper())
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def ask(word):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            answers = []
            for _ in range(3):
                writer.write(word + b"\n")
                answers.append(await asyncio.wait_for(reader.readline(), 11))
            writer.close()
            await writer.wait_closed()
            return answers

        async with server:
            return await asyncio.gather(ask(b"a"), ask(b"b"))

    assert run(main) == ([[b"A\n"] * 3, [b"B\n"] * 3], 30.0)


def test_a_silent_peer_is_timed_out():
    async def main(_):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            _, writer = await asyncio.open_connection(*silent.getsockname())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.get_running_loop().create_future(), 30)
            writer.close()
            await writer.wait_closed()

    assert run(main, io_grace_s=0.001)[1] == 30.0


def test_a_listening_socket_costs_no_grace():
    async def main(_):
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with server:
            for _ in range(50):
                await asyncio.sleep(1)

    before_s = time.monotonic()
    assert run(main, io_grace_s=100)[1] == 50.0
    assert time.monotonic() - before_s < 40


def test_an_answer_from_another_thread_within_the_grace_comes_before_the_time_out():
    async def main(_):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        thread = threading.Thread(target=lambda: (busy(0.05), theirs.send(b"late but in time")))
        with ours, theirs:
            thread.start()
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ours, 100), 3600)
            thread.join()
        return answer

    assert run(main, io_grace_s=30) == (b"late but in time", 0.0)


def test_a_child_process_has_the_time_that_it_really_needs():
    async def main(_):
        code = "import time; time.sleep(0.1); print('done')"
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
        output, _ = await asyncio.wait_for(child.communicate(), 3600)
        shell = await asyncio.create_subprocess_shell("exit 3")
        return output, await shell.wait()

    assert run(main) == ((b"done\n", 3), 0.0)


def test_a_child_process_that_hangs_is_timed_out_as_it_really_would_be():
    async def main(_):
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(child.wait(), 0.1)
        child.kill()
        await child.wait()
        await asyncio.sleep(1000)

    assert run(main)[1] == 1000.1


def test_a_thread_that_holds_the_clock_may_call_the_loop():
    async def main(clock):
        loop = asyncio.get_running_loop()
        answer, held = loop.create_future(), threading.Event()

        def work():
            with clock.hold():
                held.set()
                busy(0.05)
                loop.call_soon_threadsafe(answer.set_result, clock.now())

        thread = threading.Thread(target=work)
        thread.start()
        held.wait()
        result = await asyncio.wait_for(answer, 1)
        thread.join()
        return result

    assert run(main) == (0.0, 0.0)


def test_a_hold_in_a_coroutine_waits_for_a_thread_that_the_clock_does_not_know():
    async def main(clock):
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        thread = threading.Thread(
            target=lambda: (busy(0.05), loop.call_soon_threadsafe(answer.set_result, 1))
        )
        with clock.hold():
            thread.start()
            await asyncio.wait_for(answer, 0.001)
        thread.join()
        await asyncio.sleep(1)

    assert run(main)[1] == 1.0


def test_an_unknown_thread_is_given_patience_before_a_deadlock_is_called():
    async def main(_):
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        thread = threading.Thread(
            target=lambda: (busy(0.05), loop.call_soon_threadsafe(answer.set_result, 1))
        )
        thread.start()
        result = await answer
        thread.join()
        return result

    assert run(main)[0] == 1


def test_a_loop_that_may_be_signalled_is_not_deadlocked():
    async def main(_):
        loop, answer = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, answer.set)
        thread = threading.Thread(target=lambda: (busy(0.05), signal.raise_signal(signal.SIGUSR1)))
        thread.start()
        await answer.wait()
        thread.join()
        loop.remove_signal_handler(signal.SIGUSR1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 1)

    assert run(main, patience_s=0.001)[1] == 1.0


def test_a_deadlock_beside_idle_workers_is_found():
    async def main(_):
        await asyncio.to_thread(int)
        await asyncio.Event().wait()

    with pytest.raises(VirtualDeadlockError):
        run(main, patience_s=0.01)


@pytest.fixture
def _interruptible():
    """Also where the tests run in the background of a shell, which ignores interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupt_ends_the_program_as_usual():
    async def main(_):
        asyncio.get_running_loop().call_later(5, signal.raise_signal, signal.SIGINT)
        await asyncio.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        run(main)


def test_two_loops_in_two_threads_share_one_time():
    with virtual_time(patience_s=PATIENCE_S) as clock:
        log = []

        async def ticks(name, period_s):
            for _ in range(4):
                await asyncio.sleep(period_s)
                log.append((clock.now(), name))

        clock.run_threads(lambda: asyncio.run(ticks("a", 1)), lambda: asyncio.run(ticks("b", 0.75)))
    assert log == sorted(log, key=lambda event: event[0])
    assert log == [
        (0.75, "b"), (1, "a"), (1.5, "b"), (2, "a"), (2.25, "b"), (3, "a"), (3, "b"), (4, "a")
    ]  # fmt: skip
