"""What a type checker sees: decorated functions keep their signatures, and calls are checked against them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = """
from collections.abc import AsyncIterator, Iterator
from workbench.reliability import BreakerRegistry, CircuitBreaker, Pipeline, RateLimiter, Retry

retry, pipeline, breaker = Retry(), Pipeline(Retry()), CircuitBreaker.consecutive(3)

@retry
def plain(a: int, *, b: str = "") -> float: return 1.0
@pipeline
async def later(a: int) -> bytes: return b""
@retry
def items(a: int) -> Iterator[int]: yield a
@retry.stream()
async def more_items(a: int) -> AsyncIterator[int]: yield a
class Shop:
    @retry
    def own(self, x: int) -> str: return ""
    @classmethod
    @pipeline
    def of_class(cls, x: int) -> set[int]: return set()
    @staticmethod
    @breaker
    def static(x: int) -> list[int]: return []
breakers: BreakerRegistry[str] = BreakerRegistry()
@breakers.by(lambda host, n: host)
def by_host(host: str, n: int) -> complex: return 1j

reveal_type(plain)  # def (a: int, *, b: str =) -> float
reveal_type(later)  # def (a: int) -> typing.Coroutine[Any, Any, bytes]
reveal_type(items)  # def (a: int) -> typing.Iterator[int]
reveal_type(more_items)  # def (a: int) -> typing.AsyncIterator[int]
reveal_type(Shop().own)  # def (x: int) -> str
reveal_type(Shop.of_class)  # def (x: int) -> set[int]
reveal_type(Shop.static)  # def (x: int) -> list[int]
reveal_type(by_host)  # def (host: str, n: int) -> complex
reveal_type(retry.call(plain, 1, b="x"))  # float
reveal_type(breaker)  # workbench.reliability.policies.breaker.CircuitBreaker
reveal_type(RateLimiter.gcra(rate_hz=1.0).try_acquire("k", cost=2))  # bool
async def main() -> None:
    reveal_type(await retry.acall(later, 1))  # bytes
    reveal_type(await pipeline.acall(later, 1))  # bytes
plain("no")  # error
retry.call(plain, "no")  # error
"""


@pytest.mark.slow
def test_a_type_checker_sees_through_every_policy(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SOURCE)
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(path)],
        capture_output=True,
        text=True,
        cwd=root,
        timeout=300,
        check=False,
    ).stdout
    said = {int(line.split(":")[1]): line for line in found.splitlines()}
    wanted = {
        number: line.partition("  # ")[2]
        for number, line in enumerate(SOURCE.splitlines(), 1)
        if "  # " in line
    }
    assert said.keys() == wanted.keys(), found
    for number, expected in wanted.items():
        if expected == "error":
            assert re.search(r"error: .*incompatible type \"str\"", said[number])
        else:
            assert f'Revealed type is "{expected}"' in said[number]
