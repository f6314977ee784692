"""The numbers that the simulator's kernels and their callers share."""

# What became of a call or an attempt
(
    OK,
    FAILED,
    RATE_LIMITED,
    CIRCUIT_OPEN,
    BULKHEAD_FULL,
    TIMED_OUT,
    SERVICE_FULL,
    SERVICE_DROPPED,
    OUT_OF_BUDGET,
    OUT_OF_TIME,
    LOAD_SHED,
    THROTTLED,
    CHAOS_FAILED,
    CANCELLED,
) = range(14)
RESULTS, EXCEPTIONS, REPLIES_END = 32, 48, 63  # replies of one's own: results, and exceptions

# Kinds of layers
LIMIT, BREAK, BULKHEAD, RETRY, TIMEOUT, FALLBACK = range(1, 7)
PASS = 0
CACHE, HEDGE = 10, 11
TOKEN_BUCKET, LEAKY_BUCKET, FIXED_WINDOW, SLIDING_WINDOW, SLIDING_LOG = range(20, 25)
THROTTLE, ADAPT, CHAOS = range(25, 28)

# Algorithms of adaptive limits, and kinds of injected faults
AIMD, VEGAS, GRADIENT2 = range(3)
LATENCY, ERROR, OUTCOME, BEHAVIOUR = range(4)

# Kinds of events
DEPARTURE, RESUMPTION, TIMER, WAIT_LIMIT, RETURN, NEXT_ATTEMPT = range(6)

# Directions of work. ADMITTED: down, to run in a place that became free; DUE: up, as time in a queue is
# over; CANCEL: up, when what it waits for is called off; RACE: in a hedge, as one of the three below says
DOWN, UP, ADMITTED, DUE, CANCEL, RACE = range(6)
LOOK, LATE, FINISH = range(3)

# A race of a hedge's attempts
OVER, RACING, ENDING = range(3)

# Kinds of distributions; GIVEN: each attempt's time and outcome are known
CONSTANT, EXPONENTIAL, UNIFORM, LOGNORMAL, PARETO, WEIBULL, EMPIRICAL, GIVEN = range(8)
GIVEN_ATTEMPTS = 16  # of each call; more repeat the last

# How clients arrive: at random times, evenly, at given times, or so many that wait for their answers
POISSON, EVEN, RECORDED, CLOSED = range(4)

# Flows of a queue: nobody has ever waited there, somebody does, nobody does now
NEW, ACTIVE, IDLE = range(3)

# Orders of queues; the service knows the first two
FIFO, LIFO, PRIORITY, FAIR = range(4)

# Kinds of faults
SLOWDOWN, ERRORS, OUTAGE, SURGE = range(4)

# Streams of random numbers
ARRIVALS, SERVICE_TIMES, FAILURES, LOSSES, THINKING, JITTER = range(6)  # JITTER + layer
LEVELS, TENANTS, KEYS, COSTS = range(1 << 20, (1 << 20) + 4)

# Columns of the time series
BIN_ARRIVED, BIN_ATTEMPTS, BIN_SUCCEEDED, BIN_ENDED, BIN_QUEUED, BIN_BUSY = range(6)

# Why the kernel returned
DONE, ROOM, LOG_FULL = 0, 1, 2

NONE = -1
SUSPENDED = -2  # what a layer answers that has a call wait
