"""The limiters' machines in Lua: a script each, which the server runs as a whole.

Each script does in the same order what the machine of the same name in `machines` does, on the same
doubles, so it decides alike to the last bit. States are texts of numbers of 17 digits: as many as a double
needs.

KEYS[1] is the state. ARGV are the time in seconds (nothing: the server's), the cost, the patience, and the
machine's parameters. A script returns the seconds to wait and the states before and after, as texts.
"""

from hashlib import sha1
from types import MappingProxyType

__all__ = ["RESTORE", "SCRIPTS", "Script"]


class Script:
    """The text of a script, and the name that the server knows it by once it has seen it."""

    __slots__ = ("sha", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode()).hexdigest()  # noqa: S324 - the server's choice, no secret


# Server time is counted from 2026-01-01 UTC: smaller numbers have finer fractions; windows begin at midnight.
HEAD = """
local TOLERANCE = 9.5367431640625e-07
local function text(number) return string.format('%.17g', number) end
local now, margin_ms = tonumber(ARGV[1]), 60000
if not now then
  local clock = redis.call('TIME')
  now, margin_ms = (tonumber(clock[1]) - 1767225600) + tonumber(clock[2]) / 1000000, 1
end
local cost, patience_s = tonumber(ARGV[2]), tonumber(ARGV[3])
local a, b = tonumber(ARGV[4]), tonumber(ARGV[5])
local before = redis.call('GET', KEYS[1]) or ''
local state = {}
for number in string.gmatch(before, '%S+') do state[#state + 1] = tonumber(number) end
local function keep(wait_s, after, idle_s)
  if not (wait_s <= patience_s) then return {text(wait_s), before, before} end
  redis.call('SET', KEYS[1], after, 'PX', text(math.ceil(idle_s * 1000) + margin_ms))
  return {text(wait_s), before, after}
end
"""

GCRA = """
local rate_hz, burst = a, b
local interval_s = 1 / rate_hz
local time = now * rate_hz
local expected = state[1] or time
if expected < time then expected = time end
local following = expected + cost
local wait_s = 0
if not (following - time <= burst + TOLERANCE) then wait_s = (following - time - burst) * interval_s end
return keep(wait_s, text(following), (following - time) * interval_s)
"""

BUCKET_OF_TOKENS = """
local rate_hz, burst = a, b
local interval_s = 1 / rate_hz
local time = now * rate_hz
local tokens, updated = state[1] or burst, state[2] or time
if time > updated then
  tokens, updated = math.min(tokens + (time - updated), burst), time
end
local missing = cost - tokens + (updated - time)
local wait_s = 0
if missing > TOLERANCE then wait_s = missing * interval_s end
tokens = tokens - cost
return keep(wait_s, text(tokens) .. ' ' .. text(updated), (burst - tokens + (updated - time)) * interval_s)
"""

LEAKY_BUCKET = """
local rate_hz, burst = a, b
local interval_s = 1 / rate_hz
local time = now * rate_hz
local level, updated = state[1] or 0, state[2] or time
if time > updated then
  level, updated = math.max(level - (time - updated), 0), time
end
local over = level + (updated - time) + cost - burst
local wait_s = 0
if over > TOLERANCE then wait_s = over * interval_s end
level = level + cost
return keep(wait_s, text(level) .. ' ' .. text(updated), (level + (updated - time)) * interval_s)
"""

FIXED_WINDOW = """
local limit, window_s = a, b
local time = now / window_s + TOLERANCE
local window, count = math.floor(time), 0
if state[1] and state[1] >= window then window, count = state[1], state[2] end
if count + cost > limit + TOLERANCE then window, count = window + 1, 0 end
local wait_s = 0
if window > time then wait_s = (window - time + TOLERANCE) * window_s end
return keep(wait_s, text(window) .. ' ' .. text(count + cost), (window + 1 - time) * window_s)
"""

SLIDING_WINDOW = """
local limit, window_s = a, b
local time = now / window_s + TOLERANCE
local window, current, previous = math.floor(time), 0, 0
if state[1] and window <= state[1] then
  window, current, previous = state[1], state[2], state[3]
elseif state[1] and window == state[1] + 1 then
  previous = state[2]
end
local ready = math.max(time, window)
local room = limit - current - cost
if room < -TOLERANCE then
  window = window + 1
  ready, previous, current, room = window, current, 0, limit - cost
end
if previous * (window + 1 - ready) > room + TOLERANCE then
  ready = window + 1
  if room > 0 then ready = ready - room / previous end
end
local wait_s = 0
if ready > time then wait_s = (ready - time + TOLERANCE) * window_s end
local after = text(window) .. ' ' .. text(current + cost) .. ' ' .. text(previous)
return keep(wait_s, after, (window + 2 - time) * window_s)
"""

SLIDING_LOG = """
local limit, window_s = a, b
local time = now / window_s
local ready = time
local numbers = #state
if numbers > 0 and ready < state[numbers] then ready = state[numbers] end
local last = numbers + cost - limit
if cost > 0 and last > 0 and ready < state[last] + 1 then ready = state[last] + 1 end
local wait_s = 0
if ready - time > TOLERANCE then wait_s = (ready - time) * window_s end
local after = {}
for number = 1, numbers do
  if state[number] + 1 > time - TOLERANCE then after[#after + 1] = text(state[number]) end
end
for _ = 1, cost do after[#after + 1] = text(ready) end
return keep(wait_s, table.concat(after, ' '), (ready + 1 - time) * window_s)
"""

SCRIPTS = MappingProxyType(
    {
        name: Script(HEAD + body)
        for name, body in {
            "gcra": GCRA,
            "token_bucket": BUCKET_OF_TOKENS,
            "leaky_bucket": LEAKY_BUCKET,
            "fixed_window": FIXED_WINDOW,
            "sliding_window": SLIDING_WINDOW,
            "sliding_log": SLIDING_LOG,
        }.items()
    }
)

RESTORE = Script("""
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
if ARGV[1] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL') end
return 1
""")
