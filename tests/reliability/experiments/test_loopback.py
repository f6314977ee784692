"""A real HTTP service on this machine: servers, queue, faults, and clients that hang up."""

import asyncio
import http.client
import socket
import threading
from urllib.parse import urlsplit

import httpx
import pytest

from workbench.reliability import (
    Constant,
    Errors,
    Even,
    ExperimentError,
    Exponential,
    LoopbackService,
    Outage,
    Recorded,
    Service,
    ServiceError,
    Slowdown,
    Timeout,
    drive,
    retry_after_s,
)

QUICK = Service(servers=2, service_time=Constant(0.001))
STUCK = Constant(600.0)  # served never, as far as a test can tell
FOR_EVER = (0.0, 1e9)


def status(service, method="GET", **options):
    """Return the status and the outcome of one request."""
    response = httpx.request(method, service.url, trust_env=False, **options)
    return response.status_code, response.headers["x-outcome"]


async def until(condition):
    """Return when something is so; fail after a while."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - of another thread, which has no event of ours
            await asyncio.sleep(0.002)


def test_it_serves_any_request():
    """Of any method and path, with a body or without."""
    with LoopbackService(QUICK) as service:
        assert service.url.startswith("http://127.0.0.1:")
        assert status(service) == (200, "ok")
        assert status(service, "POST", content=b"x" * 300_000) == (200, "ok")
        assert httpx.get(f"{service.url}/any/path?a=1", trust_env=False).text == "ok"
        assert (service.requests, service.busy, service.queued) == (3, 0, 0)
    assert service.outcomes == {"ok": 3}
    assert repr(service) == "LoopbackService: 3 requests, 0 of 2 servers busy, 0 queued"


def test_a_connection_serves_many_requests():
    """By HTTP/1.1, as the standard library's client speaks it."""
    with LoopbackService(QUICK) as service:
        where = urlsplit(service.url)
        connection = http.client.HTTPConnection(where.hostname, where.port)
        places = set()
        for _ in range(5):
            connection.request("GET", "/")
            places.add(connection.sock.getsockname())
            assert connection.getresponse().read() == b"ok"
        connection.close()
    assert len(places) == 1


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (Outage(*FOR_EVER), (500, "failed")),
        (Errors(*FOR_EVER), (500, "failed")),
        (Outage(*FOR_EVER, share=0.0), (200, "ok")),
    ],
)
def test_faults_begin_with_start(fault, answer):
    """Before, there are none."""
    with LoopbackService(QUICK, faults=[fault]) as service:
        assert status(service) == (200, "ok")
        assert service.start() is service
        assert status(service) == answer


def test_faults_have_their_windows():
    """One that is to come, and one that is over, are none."""
    with LoopbackService(QUICK, faults=[Outage(1e6, 1e7)]) as service:
        assert status(service.start()) == (200, "ok")


def test_a_slowdown_lengthens_service_that_begins_in_it():
    """From 1 ms to ten minutes."""
    with LoopbackService(QUICK, faults=[Slowdown(*FOR_EVER, factor=600_000)]) as service:
        assert status(service) == (200, "ok")
        service.start()
        with pytest.raises(httpx.ReadTimeout):
            status(service, timeout=1.0)
        assert service.busy == 1
    assert service.outcomes == {"closed": 1, "ok": 1}


def test_a_full_queue_refuses_and_says_when_to_come_again():
    """One served, two waiting; the fourth is told, in words that our retries understand."""

    async def experiment(service):
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
            waiting = []
            for number in range(3):
                waiting.append(asyncio.create_task(client.get(service.url)))
                await until(lambda sent=number + 1: service.requests == sent)
            refused = await client.get(service.url)
            queued = service.queued
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            return refused, queued

    with LoopbackService(Service(service_time=STUCK, queue_limit=2), retry_after_s=2.5) as service:
        refused, queued = asyncio.run(experiment(service))
    assert (refused.status_code, refused.headers["x-outcome"], queued) == (503, "service_full", 2)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        refused.raise_for_status()
    assert retry_after_s(caught.value) == 3.0


def test_its_own_client_speaks_as_the_simulation_does():
    """By exceptions; its connections serve many calls, and none is left open."""

    async def outcomes(service):
        async with service.client() as call:
            return (await drive(None, call, Even(50), duration_s=0.5)).outcomes

    for fault, name in ((Outage(1e6, 1e7), "ok"), (Errors(*FOR_EVER), "failed")):
        with LoopbackService(QUICK, faults=[fault]) as service:
            assert asyncio.run(outcomes(service.start())).keys() == {name}
    with LoopbackService(Service(service_time=STUCK, queue_limit=0)) as service:
        assert asyncio.run(outcomes(service)).keys() == {"service_full"}


def test_its_own_client_tells_of_a_service_that_ends():
    """Those that wait are answered; then there is nobody to connect to."""

    async def experiment(service):
        async with service.client() as call:
            waiting = asyncio.create_task(call())
            await until(lambda: service.requests == 1)
            await asyncio.to_thread(service.__exit__, None, None, None)
            with pytest.raises(ServiceError, match="closed"):
                await waiting
            with pytest.raises(ConnectionError):
                await call()
        with pytest.raises(ExperimentError, match="not open"):
            await call()

    asyncio.run(experiment(LoopbackService(Service(service_time=STUCK)).__enter__()))


@pytest.mark.parametrize(("queue", "order"), [("fifo", [0, 1, 2, 3]), ("lifo", [0, 3, 2, 1])])
def test_the_queue_has_its_order(queue, order):
    """Who waits longest, or who came last."""
    ended = []

    async def one(client, service, number):
        await client.get(service.url)
        ended.append(number)

    async def experiment(service):
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client, asyncio.TaskGroup() as tasks:
            for number in range(4):
                tasks.create_task(one(client, service, number))
                await until(lambda sent=number + 1: service.requests == sent)

    slow = Service(service_time=Constant(0.15), queue=queue)
    with LoopbackService(slow) as service:
        asyncio.run(experiment(service))
    assert ended == order


def test_clients_that_hang_up_are_served_all_the_same():
    """Their attempts stay in the queue: which is what keeps a retry storm going."""

    async def experiment(service):
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client:

            async def call():
                await client.get(service.url)

            live = await drive(Timeout(0.02), call, Recorded([0.0] * 20), duration_s=0.3)
            seen = service.requests
            await until(lambda: service.outcomes.get("ok", 0) == seen)
            return live, seen

    with LoopbackService(Service(service_time=Constant(0.05))) as service:
        live, seen = asyncio.run(experiment(service))
    assert set(live.outcomes) == {"timed_out"}  # all that a busy machine sent in time
    assert 1 <= seen <= 20


def test_an_attempt_that_waited_too_long_is_dropped():
    """It is answered, and not served."""

    async def experiment(service):
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
            return await asyncio.gather(*(client.get(service.url) for _ in range(3)))

    with LoopbackService(Service(service_time=Constant(0.2), drop_after_s=0.05)) as service:
        answers = asyncio.run(experiment(service))
    assert sorted(each.headers["x-outcome"] for each in answers) == [
        "ok",
        "service_dropped",
        "service_dropped",
    ]


def test_an_answer_does_not_wait_for_the_clients_acknowledgement():
    """A head and a body are two segments: Nagle's algorithm would keep the second for 40 ms."""
    with LoopbackService(QUICK) as service, httpx.Client(trust_env=False) as client:
        client.get(service.url)
        (connection,) = service._server.server_state.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def served(heeds_deadlines, headers, callers=3):
    """Return what becomes of callers that come at once to a server that takes 0.3 s for each."""

    async def experiment(service):
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
            return await asyncio.gather(*(client.get(service.url, headers=headers) for _ in range(callers)))

    with LoopbackService(Service(service_time=Constant(0.3)), heeds_deadlines=heeds_deadlines) as service:
        answers = asyncio.run(experiment(service))
    return sorted(each.headers["x-outcome"] for each in answers)


@pytest.mark.parametrize("headers", [{"x-request-timeout-ms": "150"}, {"grpc-timeout": "150m"}])
def test_an_attempt_whose_caller_has_given_up_is_not_served(headers):
    """Its deadline came with it; the one that is served when it passes is served to its end."""
    assert served(True, headers) == ["ok", "service_dropped", "service_dropped"]


def test_a_deadline_that_has_passed_is_not_served_at_all():
    """Not even by a server that is free."""
    assert served(True, {"x-request-timeout-ms": "0"}, callers=1) == ["service_dropped"]


@pytest.mark.parametrize("headers", [{}, {"x-request-timeout-ms": "60000"}])
def test_an_attempt_that_is_waited_for_is_served(headers):
    """Without a deadline, or with one that is far."""
    assert served(True, headers, callers=2) == ["ok", "ok"]


def test_deadlines_are_heeded_where_that_is_asked_for():
    """Most services do not know of them."""
    assert served(False, {"x-request-timeout-ms": "0"}, callers=2) == ["ok", "ok"]


def test_a_deadline_that_is_not_understood_is_the_callers_fault():
    """It is told what is wrong, and not served."""
    with LoopbackService(QUICK, heeds_deadlines=True) as service:
        answer = httpx.get(service.url, headers={"grpc-timeout": "soon"}, trust_env=False)
        assert (answer.status_code, service.requests) == (400, 0)
    assert "grpc-timeout is 'soon'" in answer.text


def test_outcomes_have_the_services_names():
    """What a status says is told to the experiment."""

    async def experiment(service):
        async with httpx.AsyncClient(trust_env=False) as client:

            async def call():
                (await client.get(service.url)).raise_for_status()

            return await drive(None, call, Even(50), duration_s=0.5)

    full = Service(service_time=STUCK, queue_limit=0)
    with LoopbackService(full) as service:
        live = asyncio.run(experiment(service))
    assert set(live.outcomes) == {"service_full"}


def test_a_service_that_cannot_begin_says_so(monkeypatch):
    """At once, and its socket is closed."""
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)
    with pytest.raises(ExperimentError, match="did not start"), LoopbackService(QUICK):
        pass


def test_it_ends_with_all_that_waits():
    """Those that wait are answered; no thread is left."""
    answers = []
    threads = set(threading.enumerate())
    with LoopbackService(Service(service_time=STUCK)) as service:
        clients = [threading.Thread(target=lambda: answers.append(status(service))) for _ in range(3)]
        for each in clients:
            each.start()
        asyncio.run(until(lambda: service.requests == 3))
    for each in clients:
        each.join()
    assert answers == [(503, "closed")] * 3
    assert set(threading.enumerate()) == threads
    with pytest.raises(httpx.ConnectError):
        status(service)


def test_requests_take_the_simulations_service_times():
    """A hundred attempts end no sooner than the times of the seed allow."""
    from workbench.reliability.simulation._streams import ServiceDraws

    one = Service(service_time=Exponential(mean_s=0.002))

    async def experiment(service):
        loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(trust_env=False, timeout=None) as client:
            began = loop.time()
            await asyncio.gather(*(client.get(service.url) for _ in range(100)))
            return loop.time() - began

    with LoopbackService(one, seed=4) as service:
        took_s = asyncio.run(experiment(service))
    draws = ServiceDraws(one, 4)
    assert took_s >= sum(draws.time_s(number) for number in range(100)) * 0.999


def test_what_cannot_be_served_is_refused():
    """By name, and with what would be right."""
    with pytest.raises(ExperimentError, match="cancels=False"):
        LoopbackService(Service(service_time=STUCK, cancels=True))
    with pytest.raises(ExperimentError, match="retry_after_s"):
        LoopbackService(QUICK, retry_after_s=-1)
    with pytest.raises(ExperimentError, match="before it is entered"):
        _ = LoopbackService(QUICK).url
    with pytest.raises(ExperimentError, match="after it is entered"):
        LoopbackService(QUICK).start()
    with LoopbackService(QUICK) as service, pytest.raises(ExperimentError, match="serves once"):
        service.__enter__()
