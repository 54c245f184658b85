"""The one seam through which independent fits go: here, in processes, or on a cluster.

Whatever loops over fits (specs, placebos, a curve, bands, folds, simulated panels) calls
:func:`map_fits` with a function of the module level and items that can be pickled. Where they run
is up to a :class:`concurrent.futures.Executor`: :func:`process_pool`, or one that the user hands
in, e.g. ``dask.distributed.Client.get_executor()``::

    with using(client.get_executor()):
        bd.analyse(study, "curve.1", panel)

The numbers are the same wherever they run and however many workers there are: results come in the
order of the items, an item brings its seed with it (:func:`item_seed`), and linear algebra uses
one thread, here as there, because sums over threads are rounded differently.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock, Thread, Timer

import numpy as np
import scipy.linalg  # noqa: F401  (its BLAS is another than numpy's: both are held to one thread)
from threadpoolctl import threadpool_limits

from bayesdid.digest import digest
from bayesdid.exceptions import ResultError, reason
from bayesdid.logs import quiet

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
BEGINNING = 4.0  # seconds that two processes take to import what a fit needs
_executor: ContextVar[Executor | None] = ContextVar("executor", default=None)
_in_worker: ContextVar[bool] = ContextVar("in_worker", default=False)


def map_fits[I, R](
    function: Callable[[I], R],
    items: Iterable[I],
    *,
    executor: Executor | None = None,
    done: Callable[[I], object] = lambda _: None,
    chunk: int = 1,
) -> list[R]:
    """``[function(item) for item in items]``, side by side if there is an executor.

    Parameters
    ----------
    function
        Of the module level, or a :func:`functools.partial` of such a one.
    executor
        Default: the one of :func:`using`; without, everything runs here. A single item runs here
        too, and so do the first ones where processes have not begun (:class:`Workers`); their own
        items may then use the executor. An item that runs in a worker runs its own items one after
        the other: pools are never nested.
    done
        Called here with each item, in order.
    chunk
        Items sent to a worker together, where each takes a few milliseconds only.

    Raises
    ------
    ResultError
        If a worker died.
    Exception
        Whatever `function` raises, for the first item in order that raises; items not yet begun
        are then cancelled.
    """
    items = list(items)
    pool = executor or _executor.get()
    with one_thread():
        if pool is None or len(items) < 2:
            found = []
            with using(pool):
                for item in items:
                    found.append(function(item))
                    done(item)
            return found
        if isinstance(pool, Workers) and pool.left() > 0:
            return _here_first(function, items, pool, done, chunk)
        return _side_by_side(function, items, pool, done, chunk)


class Workers(ProcessPoolExecutor):
    """Processes that begin once the work here has lasted as long as it takes to begin them.

    Whoever waits so long and no longer pays at most twice what the better of the two choices would
    have cost: a command that takes two seconds is not made to wait for five seconds of imports.

    Parameters
    ----------
    count
        Processes.
    after
        Seconds of work here.
    """

    def __init__(self, count: int, after: float) -> None:
        context = multiprocessing.get_context("spawn")
        super().__init__(count, mp_context=context, initializer=_begin_worker)
        self._after = after
        self._since: float | None = None

    def left(self) -> float:
        """Seconds of work here before they begin."""
        now = time.perf_counter()
        return self._after - (0.0 if self._since is None else now - self._since)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the time of the block as work here; once, if blocks are nested."""
        outermost = self._since is None
        if outermost:
            self._since = time.perf_counter()
        try:
            yield
        finally:
            if outermost:
                self._after, self._since = self.left(), None


def _here_first[I, R](
    function: Callable[[I], R],
    items: Sequence[I],
    pool: Workers,
    done: Callable[[I], object],
    chunk: int,
) -> list[R]:
    """Items run here until it is time for the processes, which then take those not yet begun."""
    found: list[R] = []
    lock, begun = Lock(), 0
    rest: list[tuple[Sequence[I], Future[list[R]]]] | None = None

    def hand_over() -> None:
        nonlocal rest
        with lock:
            rest = _submitted(function, items[begun:], pool, chunk)

    timer = Timer(pool.left(), hand_over)
    timer.daemon = True
    timer.start()
    try:
        with pool.counted(), using(pool):
            for item in items:
                with lock:
                    if rest is not None:
                        break
                    begun += 1
                found.append(function(item))
                done(item)
    except BaseException:
        timer.cancel()
        with lock:
            begun = len(items)  # nothing is left for a timer that has gone off meanwhile
            for _, future in rest or ():
                future.cancel()
        raise
    timer.cancel()
    with lock:
        return found + _collected(rest or [], done)


@dataclass(frozen=True, slots=True)
class Attempt[R]:
    """What came of an item that may fail alone: a value, or the reason why there is none."""

    value: R | None
    failed: str = ""


def attempt[I, R](function: Callable[[I], R], item: I) -> Attempt[R]:
    """``function(item)``, or why it failed: for :func:`map_fits` where the others go on."""
    try:
        return Attempt(function(item))
    except Exception as error:  # one bad spec fails alone, whatever it raises
        return Attempt(None, reason(error))


def _side_by_side[I, R](
    function: Callable[[I], R],
    items: Sequence[I],
    pool: Executor,
    done: Callable[[I], object],
    chunk: int,
) -> list[R]:
    return _collected(_submitted(function, items, pool, chunk), done)


def _submitted[I, R](
    function: Callable[[I], R], items: Sequence[I], pool: Executor, chunk: int
) -> list[tuple[Sequence[I], Future[list[R]]]]:
    """Parts of the items, and what will come of each."""
    parts = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    return [(part, pool.submit(_run, function, part)) for part in parts]


def _collected[I, R](
    parts: Sequence[tuple[Sequence[I], Future[list[R]]]], done: Callable[[I], object]
) -> list[R]:
    """All results in order."""
    found: list[R] = []
    try:
        for part, future in parts:
            found += future.result()
            for item in part:
                done(item)
    except BrokenExecutor as error:
        raise ResultError(
            "a worker process died, perhaps for want of memory. Remedy: use fewer --workers."
        ) from error
    finally:
        for _, future in parts:
            future.cancel()
    return found


def _run[I, R](function: Callable[[I], R], part: Sequence[I]) -> list[R]:
    """What a worker does with some items."""
    token = _in_worker.set(True)
    try:
        with using(None), one_thread():
            return [function(item) for item in part]
    finally:
        _in_worker.reset(token)


def _begin_worker() -> None:
    """Be quiet, and end when the command does, even one that was killed.

    A worker that waits for work holds both ends of the queue, so that nothing else tells it.
    """
    quiet()
    if (parent := multiprocessing.parent_process()) is not None:

        def leave() -> None:
            parent.join()
            os._exit(1)

        Thread(target=leave, daemon=True).start()


def threads(wanted: int) -> int:
    """How many threads or processes a fit may take for its chains: one inside a worker."""
    return 1 if _in_worker.get() else wanted


@contextmanager
def using(executor: Executor | None) -> Iterator[None]:
    """Let every :func:`map_fits` inside the block use this executor."""
    token = _executor.set(executor)
    try:
        yield
    finally:
        _executor.reset(token)


@contextmanager
def process_pool(
    workers: int | None = None, *, after: float = BEGINNING
) -> Iterator[Executor | None]:
    """Worker processes, one thread each, for every :func:`map_fits` inside the block.

    Processes begin when the work here has taken a while. Yields None, which means this process,
    for a single worker and inside of a worker.

    Parameters
    ----------
    workers
        How many; default one for each core that this process may use.
    after
        Seconds of work here before they begin (:class:`Workers`); 0 for at once.
    """
    count = workers or cores()
    if count <= 1 or multiprocessing.parent_process() is not None:
        with using(None):
            yield None
        return
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(before, "1"))
    try:
        with Workers(count, after) as pool, using(pool):
            yield pool
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # what a container grants; not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def one_thread() -> AbstractContextManager[object]:
    """Context in which linear algebra uses one thread: fits are many and small."""
    return threadpool_limits(limits=1)


def item_seed(seed: int, *item: object) -> int:
    """Seed of one item of a run, from the run's seed and what identifies the item.

    Independent between items and the same in any order and on any worker: the item's digest is
    the spawn key of a :class:`numpy.random.SeedSequence`.

    Examples
    --------
    >>> item_seed(0, "fold", 3) == item_seed(0, "fold", 3) != item_seed(0, "fold", 4)
    True
    """
    words = np.frombuffer(bytes.fromhex(digest(*item)), dtype="<u4").tolist()
    return int(np.random.SeedSequence(seed, spawn_key=words).generate_state(1)[0])
