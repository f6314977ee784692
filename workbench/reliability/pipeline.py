"""`Pipeline`: policies around each other, fused into one function."""

import inspect
import linecache
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from workbench.clock import DEFAULT_CLOCK, Clock
from workbench.reliability.fusing.chain import Chain, way_in
from workbench.reliability.fusing.decorated import objection
from workbench.reliability.pipelines._labels import label
from workbench.reliability.pipelines.errors import PipelineError
from workbench.reliability.policy import Generator, Policy

if TYPE_CHECKING:
    from workbench.reliability.pipelines._probes import Observer
    from workbench.reliability.pipelines.explanation import Explanation
    from workbench.reliability.pipelines.findings import Findings
    from workbench.reliability.pipelines.reloading import Reloaded
    from workbench.reliability.pipelines.statistics import PipelineStatistics
    from workbench.reliability.pipelines.watching import Watch

__all__ = ["Pipeline"]

P = ParamSpec("P")
R = TypeVar("R")


class Pipeline:
    """Policies around each other, the first outermost, fused into one function.

    A decorator of functions and of async functions; `call` and `acall` do the same for one call. It is made
    of policies, or of a file (`from_file`), and may get others while calls run (`reload`).

    Parameters
    ----------
    *policies : Policy or Pipeline
        A pipeline within stands for its policies, those that it has now.
    name : str
        What telemetry and messages call it.

    Raises
    ------
    PipelineError
        When something is no policy.

    Examples
    --------
    >>> from workbench.clock import VirtualClock
    >>> from workbench.reliability.policies.deadline import Deadline
    >>> from workbench.reliability.policies.retry import Retry
    >>> clock = VirtualClock()
    >>> pipeline = Pipeline(Deadline(2.0, clock=clock), Retry(attempts=3, clock=clock))
    >>> pipeline.call(len, "abc")
    3
    >>> pipeline
    Pipeline(deadline > retry)
    """

    def __init__(self, *policies: "Policy | Pipeline", name: str = "pipeline") -> None:
        self.name = _checked_name(name)
        self._lock = threading.RLock()
        self._observers: tuple[Observer, ...] = ()
        self._decorated: weakref.WeakSet[Callable[..., Any]] = weakref.WeakSet()
        self._policies = _flattened(policies)
        self._chain = Chain(self._policies, vars(self))
        for policy in self._policies:
            policy.in_chain(self._chain)

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, the first outermost."""
        return self._policies

    @property
    def clock(self) -> Clock:
        """The clock of the outermost policy; the current one where there is none."""
        return self._policies[0].clock if self._policies else DEFAULT_CLOCK

    # Calling

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return a function that calls another through all policies; an async one for an async one.

        Raises
        ------
        PipelineError
            When it is no function, or one that returns at once and works later: a generator function.
        """
        if isinstance(function, classmethod | staticmethod):
            return type(function)(self(function.__func__))
        if problem := objection(function):
            raise PipelineError(problem)
        found = self._chain.wrap(function)
        self._decorated.add(found)
        return found

    @way_in("_chain")
    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function through all policies."""
        found: R = self._chain.call(function, *args, **kwargs)
        return found

    @way_in("_chain")
    async def acall(self, function: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Await an async function through all policies."""
        found: R = await self._chain.acall(function, *args, **kwargs)
        return found

    # Looking at it

    def __len__(self) -> int:
        return len(self._policies)

    def __bool__(self) -> bool:
        return True  # also one without policies calls

    def __iter__(self) -> Iterator[Policy]:
        """Yield the policies, the first outermost."""
        return iter(self._policies)

    def __getitem__(self, which: int | str) -> Policy:
        """Return a policy by its place, or the outermost one of a name.

        Raises
        ------
        KeyError
            When there is none of that name.
        """
        policies = self._policies
        if isinstance(which, int):
            return policies[which]
        for policy in policies:
            if policy.name == which:
                return policy
        msg = f"no policy is named {which!r}; there are {', '.join(each.name for each in policies) or 'none'}"
        raise KeyError(msg)

    @property
    def statistics(self) -> "PipelineStatistics":
        """What the policies have counted, in their order."""
        from workbench.reliability.pipelines.statistics import statistics_of  # noqa: PLC0415 - looked at seldom

        return statistics_of(self._policies)

    def reset(self) -> None:
        """Have all policies forget what they learnt and counted, one after the other."""
        for policy in dict.fromkeys(self._policies):
            policy.reset()

    def source(self, *, asynchronous: bool = False) -> str:
        """Return the source of the function that all policies become; it is what runs."""
        fused = self._chain.acall if asynchronous else self._chain.call
        return "".join(linecache.getlines(fused.__code__.co_filename))

    def lint(self, load: float | None = None, deadline_s: float | None = None) -> "Findings":
        """Return what the order and the numbers of the policies make likely to go wrong.

        Parameters
        ----------
        load : float, optional
            First attempts a second over what the callee can serve a second: finds retry storms.
        deadline_s : float, optional
            How long callers wait; without it, deadlines within the pipeline are looked at only.

        Raises
        ------
        PipelineError
            When a number is out of range.

        Examples
        --------
        >>> from workbench.reliability.policies.retry import Retry
        >>> findings = Pipeline(Retry(attempts=3)).lint(load=0.5)
        >>> findings.rules, findings.worst_attempts, findings[0].numbers["offered_load"]
        (('metastable', 'no_timeout'), 3.0, 1.5)
        """
        from workbench.reliability.pipelines._lint import lint  # noqa: PLC0415 - as above

        return lint(self._policies, load, deadline_s)

    def explain(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Explanation":
        """Call a function through all policies, and return what happened on the way: it draws itself.

        The call is a real one, with all its effects. What it raises is in the explanation; what is no
        `Exception`, such as KeyboardInterrupt, is raised. A function that this pipeline decorates is called
        once through it.

        Examples
        --------
        >>> from workbench.clock import VirtualClock
        >>> from workbench.reliability.policies.limiter import RateLimiter
        >>> limiter = RateLimiter.gcra(rate_hz=2, wait_s=1.0, clock=VirtualClock())
        >>> pipeline = Pipeline(limiter)
        >>> pipeline.call(len, "abc"), pipeline.explain(len, "abc")
        (3, Explanation(pipeline returned after 1 attempt, 500 ms))
        """
        from workbench.reliability.pipelines._explaining import explain  # noqa: PLC0415 - as above

        return explain(self, function, args, kwargs)

    async def aexplain(
        self, function: Callable[..., Awaitable[Any]], /, *args: Any, **kwargs: Any
    ) -> "Explanation":
        """Do what `explain` does, for an async function."""
        from workbench.reliability.pipelines._explaining import aexplain  # noqa: PLC0415 - as above

        return await aexplain(self, function, args, kwargs)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy its policies as they were made: they have learnt nothing, and nobody observes."""
        return _made_again, (type(self), self._policies, self.name)

    def __repr__(self) -> str:
        return f"Pipeline({' > '.join(map(label, self._policies))})"

    def _repr_html_(self) -> str:
        from workbench.reliability.pipelines._drawing import draw_layers  # noqa: PLC0415 - as above

        return draw_layers(self._policies, self.name)._repr_mimebundle_()["text/html"]

    # Configuration

    @classmethod
    def from_file(cls, path: str | Path, *, clock: Clock | None = None, rng: Generator | None = None) -> Self:
        """Return the pipeline that a YAML or TOML file describes; see `workbench.reliability.pipelines`.

        Raises
        ------
        ConfigError
            When it is not understood: it names the file and the place in it.
        OSError
            When it cannot be read.
        """
        from workbench.reliability.pipelines._config_files import read_spec  # noqa: PLC0415 - as above

        return cls._made(read_spec(path), clock, rng, source=str(path))

    @classmethod
    def from_dict(
        cls, spec: Mapping[str, Any], *, clock: Clock | None = None, rng: Generator | None = None
    ) -> Self:
        """Return the pipeline that a specification describes; see `workbench.reliability.pipelines`.

        Raises
        ------
        ConfigError
            When it is not understood: it names the place in it.

        Examples
        --------
        >>> layers = [{"kind": "deadline", "timeout_s": "2s"}, {"kind": "retry", "attempts": 4}]
        >>> Pipeline.from_dict({"layers": layers})
        Pipeline(deadline > retry)
        """
        return cls._made(spec, clock, rng, source="")

    @classmethod
    def _made(cls, spec: Any, clock: Clock | None, rng: Generator | None, *, source: str) -> Self:
        from workbench.reliability.pipelines._config import read_pipeline  # noqa: PLC0415 - as above

        read = read_pipeline(spec, clock=clock, rng=rng, source=source)
        return cls(*read.policies, name=read.name)

    def to_dict(self) -> dict[str, Any]:
        """Return a specification from which `from_dict` makes the same pipeline, but for the clock.

        Raises
        ------
        ConfigError
            When a policy was made with what cannot be written, such as a lambda.
        """
        from workbench.reliability.pipelines._config_writing import write_pipeline  # noqa: PLC0415 - as above

        return write_pipeline(self.name, self._policies)

    def reload(
        self,
        spec: "Mapping[str, Any] | str | Path | Pipeline",
        *,
        clock: Clock | None = None,
        rng: Generator | None = None,
    ) -> "Reloaded":
        """Take other policies, while calls run; return what became of each.

        Each call goes through the old policies or through the new ones, never through some of both. A layer
        of the same kind and name goes on with what it has learnt, as far as its parameters allow.

        Raises
        ------
        ConfigError, OSError
            As `from_dict` and `from_file`; the pipeline is then as before.
        """
        from workbench.reliability.pipelines.reloading import reload  # noqa: PLC0415 - as above

        return reload(self, spec, clock, rng)

    def watch(self, path: str | Path, interval_s: float = 1.0, **options: Any) -> "Watch":
        """Reload whenever a file changes, until the watch is closed; see `pipelines.watching`."""
        from workbench.reliability.pipelines.watching import Watch  # noqa: PLC0415 - as above

        return Watch(self, path, interval_s, **options)

    # What reloading and observing do to it

    def _install(self, policies: tuple[Policy, ...], observers: "tuple[Observer, ...] | None" = None) -> None:
        """Have calls that begin from now on go through other policies, or be observed by others."""
        with self._lock:
            before, seen_by = self._policies, self._observers
            observers = seen_by if observers is None else observers
            for policy in policies:
                policy.in_chain(self._chain)
            for observer in observers:
                observer.attach(policies)
            layers: tuple[Any, ...] = policies
            for observer in observers:
                layers = observer.around(layers)
            try:
                self._chain.change(layers)
            except BaseException:
                for observer in observers:
                    observer.attach(before if observer in seen_by else ())
                raise
            self._policies, self._observers = policies, observers
            for observer in seen_by:
                if observer not in observers:
                    observer.attach(())
            for policy in before:
                if policy not in policies:
                    policy.out_of_chain(self._chain)

    def _undecorated(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return what this pipeline decorates, where the function is one that it has made."""
        if inspect.ismethod(function) and function.__func__ in self._decorated:
            found: Callable[..., Any] = inspect.unwrap(function.__func__).__get__(function.__self__)
            return found
        try:
            own = function in self._decorated
        except TypeError:  # it cannot be referred to weakly: it is none of ours
            own = False
        return function.__wrapped__ if own else function  # type: ignore[attr-defined]


def _made_again(kind: type[Pipeline], policies: tuple[Policy, ...], name: str) -> Pipeline:
    return kind(*policies, name=name)


def _flattened(policies: "tuple[Policy | Pipeline, ...]") -> tuple[Policy, ...]:
    found: list[Policy] = []
    for number, each in enumerate(policies):
        if isinstance(each, Pipeline):
            found += each.policies
        elif isinstance(each, Policy):
            found.append(each)
        else:
            raise PipelineError(_not_a_policy(number, each))
    return tuple(found)


def _not_a_policy(number: int, given: object) -> str:
    what = f"policies[{number}] is {given!r:.120}, expected a policy or a pipeline"
    if isinstance(given, type) and issubclass(given, Policy | Pipeline):
        return f"{what}: it is the class; make one, as {given.__name__}(...)"
    if isinstance(given, list | tuple):
        return f"{what}: give them one by one, as Pipeline(*policies)"
    if callable(given):
        return f"{what}: give a function to the pipeline, as Pipeline(...)(function) or .call(function)"
    return what


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        msg = f"name is {name!r}, expected a text that is not empty"
        raise PipelineError(msg)
    return name
