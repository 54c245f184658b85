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
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import scipy.linalg  # noqa: F401  (its BLAS is another than numpy's: both are held to one thread)
from threadpoolctl import threadpool_limits

from bayesdid.digest import digest
from bayesdid.exceptions import ResultError, reason
from bayesdid.logs import quiet

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
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
        too, and its own items may then use the executor. An item that runs in a worker runs its
        own items one after the other: pools are never nested.
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
        return _side_by_side(function, items, pool, done, chunk)


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
    parts = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    futures = [pool.submit(_run, function, part) for part in parts]
    found: list[R] = []
    try:
        for part, future in zip(parts, futures, strict=True):
            found += future.result()
            for item in part:
                done(item)
    except BrokenExecutor as error:
        raise ResultError(
            "a worker process died, perhaps for want of memory. Remedy: use fewer --workers."
        ) from error
    finally:
        for future in futures:
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
def process_pool(workers: int | None = None) -> Iterator[Executor | None]:
    """Worker processes, one thread each, for every :func:`map_fits` inside the block.

    Processes start when there is work for them. Yields None, which means this process, for a
    single worker and inside of a worker.

    Parameters
    ----------
    workers
        How many; default one for each core that this process may use.
    """
    count = workers or cores()
    if count <= 1 or multiprocessing.parent_process() is not None:
        with using(None):
            yield None
        return
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(before, "1"))
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(count, mp_context=context, initializer=quiet) as pool, using(pool):
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
