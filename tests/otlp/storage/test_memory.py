"""Files are read in memory that does not grow with them: 300 MB, byte for byte, in a few batches' memory."""

import hashlib
import json
import subprocess
import sys

import pytest

from workbench import otlp

COPIES = 40
BATCH_BYTES = 8_000_000
MOST_GROWTH = 150_000_000  # where holding the file's tables takes more than 300 MB

READ = """
import hashlib, json, resource, sys
from workbench import otlp
small, large, batch_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
for _ in otlp.read_batches(small, batch_bytes=batch_bytes):
    pass
before, digest, batches = peak(), hashlib.sha256(), 0
for batch in otlp.read_batches(large, batch_bytes=batch_bytes):
    digest.update(batch.to_otlp())
    batches += 1
print(json.dumps({"growth": peak() - before, "digest": digest.hexdigest(), "batches": batches}))
"""


@pytest.fixture(scope="module")
def recording():
    return otlp.read("datasets/checkout/traces.otlp.zst")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pb", "otlp", "pb.gz", "parquet"])
def test_memory_is_bounded_by_the_batch(form, recording, tmp_path):
    small, large = tmp_path / f"small-traces.{form}", tmp_path / f"traces.{form}"
    otlp.write([recording] * 3, small)
    written = otlp.write((recording for _ in range(COPIES)), large)
    assert written.records == COPIES * len(recording)
    digest, message = hashlib.sha256(), recording.to_otlp()
    for _ in range(COPIES):
        digest.update(message)
    assert len(message) * COPIES > 300_000_000
    command = [sys.executable, "-c", READ, str(small), str(large), str(BATCH_BYTES)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert found["digest"] == digest.hexdigest()
    assert found["batches"] >= 10
    assert found["growth"] < MOST_GROWTH
