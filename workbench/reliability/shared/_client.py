"""Running scripts by a client of redis-py or valkey-py, of either kind, that the user has made."""

import inspect
from typing import Any

from workbench.reliability.policy import PolicyError
from workbench.reliability.shared._scripts import Script

__all__ = ["SharedClientError", "arun", "check_client", "is_async", "run"]


class SharedClientError(PolicyError, TypeError):
    """Raised for an object that is no client, and for one that is used in the other of the two worlds."""


def check_client(client: Any) -> Any:
    """Return what can run scripts."""
    if not callable(getattr(client, "evalsha", None)):
        msg = f"expected a client such as redis.Redis(...) or its asyncio twin, got {type(client).__name__}"
        raise SharedClientError(msg)
    return client


def is_async(client: Any) -> bool:
    """Tell whether a client's commands are awaited."""
    return inspect.iscoroutinefunction(client.execute_command)


def run(client: Any, script: Script, key: str, *arguments: Any) -> Any:
    """Run a script, by its name where the server knows it."""
    if is_async(client):
        msg = "the client is asynchronous: await atry_acquire, aacquire, areserve or an async function"
        raise SharedClientError(msg)
    try:
        return client.evalsha(script.sha, 1, key, *arguments)
    except Exception as error:
        if not _is_unknown(error):
            raise
    return client.eval(script.text, 1, key, *arguments)


async def arun(client: Any, script: Script, key: str, *arguments: Any) -> Any:
    """Do what `run` does, by an asynchronous client."""
    if not is_async(client):
        msg = "the client is synchronous and would block the event loop: use redis.asyncio.Redis(...)"
        raise SharedClientError(msg)
    try:
        return await client.evalsha(script.sha, 1, key, *arguments)
    except Exception as error:
        if not _is_unknown(error):
            raise
    return await client.eval(script.text, 1, key, *arguments)


def _is_unknown(error: Exception) -> bool:
    """Tell whether the server does not know a script; redis-py and valkey-py agree on the name."""
    return type(error).__name__ == "NoScriptError"
