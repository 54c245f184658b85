"""One seam: the same numbers here, in processes, and on an executor that is handed in."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from panels import make_design, request_for
from threadpoolctl import threadpool_info

from bayesdid.exceptions import ResultError
from bayesdid.inference.executor import Workers, item_seed, map_fits, process_pool, using
from bayesdid.inference.executor import threads as allowed
from bayesdid.inference.fit import fit as fit_design
from bayesdid.inference.store import fit_all, make_fit


class Cluster(Executor):
    """What a cluster does to its work, without a cluster: all that goes in or out is pickled."""

    def __init__(self):
        self.count = 0

    def submit(self, fn, /, *args, **kwargs):
        self.count += 1
        future = Future()
        fn, args, kwargs = pickle.loads(pickle.dumps((fn, args, kwargs)))
        try:
            future.set_result(pickle.loads(pickle.dumps(fn(*args, **kwargs))))
        except Exception as error:
            future.set_exception(error)
        return future


def square(x):
    return x * x


def threads(_):
    return [pool["num_threads"] for pool in threadpool_info()]


def where(_):
    return multiprocessing.parent_process() is not None


def nested(x):
    """What a worker does with items of its own: another pool must not begin there."""
    with process_pool(2) as pool:
        return pool is None, map_fits(square, [x, x + 1])


def fail_at(x, bad):
    if x in bad:
        raise ValueError(f"item {x}")
    return x


def die(x):
    os._exit(1)


@pytest.fixture(scope="module")
def pool():
    with process_pool(2, after=0) as executor:
        yield executor


def requests():
    return [
        request_for(make_design(k, N=12, T=5, unit="random"), draws=100, seed=k) for k in range(3)
    ]


def test_results_come_in_order_whatever_the_executor(pool):
    expected = [x * x for x in range(10)]
    for executor in (None, pool, ThreadPoolExecutor(3), Cluster()):
        for chunk in (1, 3, 100):
            seen = []
            assert (
                map_fits(square, range(10), executor=executor, done=seen.append, chunk=chunk)
                == expected
            )
            assert seen == list(range(10))
    assert map_fits(square, []) == []


def test_the_numbers_do_not_depend_on_the_workers(pool, tmp_path):
    """To the last bit, though the parent may use more threads than a worker."""
    here = [make_fit(request)["posterior"] for request in requests()]
    cluster = Cluster()
    for k, executor in enumerate((pool, cluster)):
        stored = fit_all(requests(), tmp_path / str(k), executor=executor)
        for fit, expected in zip(stored, here, strict=True):
            for name in ("tau", "beta", "sigma", "alpha"):
                assert np.array_equal(fit.load()["posterior"][name], expected[name])
    assert cluster.count == 3


def test_linear_algebra_uses_one_thread(pool):
    for executor in (None, pool, ThreadPoolExecutor(2)):
        found = map_fits(threads, range(3), executor=executor)
        assert all(count == 1 for counts in found for count in counts)


def test_chains_take_one_thread_in_a_worker_and_those_they_ask_for_here(pool):
    assert allowed(2) == 2
    with using(None):
        assert map_fits(allowed, [2, 3]) == [2, 3]
    for executor in (pool, Cluster(), ThreadPoolExecutor(2)):
        assert map_fits(allowed, [2, 3], executor=executor) == [1, 1]
    assert allowed(2) == 2  # a worker that ran here has left no trace


def test_samplers_ask_how_many_threads_they_may_take(monkeypatch):
    import bayesdid.inference.exact.scales as gibbs

    pools = []
    monkeypatch.setattr(
        gibbs, "ThreadPoolExecutor", lambda count: pools.append(count) or ThreadPoolExecutor(count)
    )
    design = make_design(0, N=8, T=5)
    run = partial(fit_design, errors="iid_unit", draws=50)
    run(design)
    map_fits(run, [design, design], executor=Cluster())
    assert pools == [2, 1, 1]


def test_pools_are_not_nested(pool):
    assert map_fits(nested, [1, 2], executor=pool) == [(True, [1, 4]), (True, [4, 9])]
    cluster = Cluster()
    with using(cluster):
        map_fits(partial(map_fits, square), [[1, 2], [3, 4]])
    assert cluster.count == 2  # the outer items; the inner ones ran inside of them


def test_a_single_item_runs_here_and_its_items_side_by_side(pool):
    with using(pool):
        assert map_fits(where, [0]) == [False]
        assert map_fits(partial(map_fits, where), [[0, 1]]) == [[True, True]]


def wait(x):
    time.sleep(x)
    return where(x)


def test_processes_begin_only_where_the_work_takes_longer_than_beginning_them(pool):
    """Before that items run here, then those that are left run there; all are done in order."""
    with process_pool(2, after=60) as executor:
        assert not any(map_fits(where, range(20)))
        assert not any(map_fits(partial(map_fits, where), [[1, 2], [3, 4]])[0])
        assert 0 < executor.left() < 60  # what was used up stays so
    seen = []
    with Workers(1, after=0.5) as executor, using(executor):
        found = map_fits(wait, [0.0, 0.0, 0.8, 0.0, 0.01], done=seen.append)
        assert found == [False, False, False, True, True]
        assert seen == [0.0, 0.0, 0.8, 0.0, 0.01]
        assert executor.left() <= 0
        assert all(map_fits(where, [1, 2]))


def test_an_error_here_stops_what_was_handed_over():
    with Workers(1, after=0.05) as executor, pytest.raises(ValueError, match="item 0"):
        map_fits(fail_late, range(3), executor=executor)


def fail_late(x):
    time.sleep(0.2)
    return fail_at(x, {0})


def test_the_executor_of_the_block_is_used_and_forgotten():
    cluster = Cluster()
    with using(cluster):
        map_fits(square, [1, 2])
    map_fits(square, [1, 2])
    assert cluster.count == 2


def test_the_first_error_in_order_is_raised(pool):
    for executor in (None, pool, Cluster()):
        with pytest.raises(ValueError, match="item 2"):
            map_fits(partial(fail_at, bad={2, 5}), range(8), executor=executor)
    assert map_fits(square, [1, 2], executor=pool) == [1, 4]  # the pool is as good as before


def test_a_worker_that_dies_is_an_error_with_a_remedy():
    with process_pool(2, after=0), pytest.raises(ResultError, match="--workers"):
        map_fits(die, [1, 2])


def test_one_worker_is_this_process():
    with process_pool(1) as executor:
        assert executor is None
    before = os.environ.get("OMP_NUM_THREADS")
    with process_pool(2):
        assert os.environ["OMP_NUM_THREADS"] == "1"
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_seeds_follow_from_what_an_item_is():
    seeds = {item_seed(s, name, k) for s in (0, 1) for name in ("a", "b") for k in range(50)}
    assert len(seeds) == 200
    assert item_seed(3, "a", 1) == item_seed(3, "a", 1)
    assert all(0 <= seed < 2**32 for seed in seeds)


_KILLED = """
import multiprocessing, os, signal
from bayesdid.inference.executor import Workers, map_fits

if __name__ == "__main__":
    with Workers(1, 0) as pool:
        map_fits(abs, [-1, -2], executor=pool)
        print(*[child.pid for child in multiprocessing.active_children()], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_with_a_command_that_is_killed(tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(_KILLED, encoding="utf-8")
    said = tmp_path / "said"
    with said.open("w") as out:  # workers that stay would hold a pipe open
        subprocess.run([sys.executable, script], stdout=out, check=False)
    workers = [int(word) for word in said.read_text(encoding="utf-8").split()]
    assert workers
    deadline = time.monotonic() + 20  # they have no more to do than to see it
    while (left := [pid for pid in workers if _alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
