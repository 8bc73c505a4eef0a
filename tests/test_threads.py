"""Updates on several threads: the same bits, the same errors, the same settings."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from optimizers import ROWS, make

import autograd
import optim
from autograd import threads
from optim import packs


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.by_entry])
def test_the_number_of_threads_changes_nothing(name, monkeypatch):
    rng = np.random.default_rng(0)
    shapes = [(300, 400), (7,), (150, 150), *[(40, 50)] * 30]
    starts = [rng.standard_normal(s).astype("f") for s in shapes]
    gradients = [[rng.standard_normal(s).astype("f") for s in shapes] for _ in range(3)]
    monkeypatch.setattr(packs, "THREADED", 0)
    results = []
    for n in (1, 2, 5):
        monkeypatch.setattr(threads, "available", lambda n=n: n)
        params = [autograd.tensor(a, requires_grad=True) for a in starts]
        optimizer = make(name, params, **ROWS[name].variants[1])
        for step in gradients:
            for p, g in zip(params, step, strict=True):
                p.grad = autograd.tensor(g)
            optimizer.step()
        results.append([p.numpy() for p in params])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_an_error_on_another_thread_is_raised_here():
    def fail():
        raise ArithmeticError("there")

    done = []
    with pytest.raises(ArithmeticError, match="there"):
        threads.run([fail] * 50, 3)
    threads.run([lambda i=i: done.append(i) for i in range(100)], 3)
    assert sorted(done) == list(range(100))


def test_after_an_error_all_threads_have_stopped():
    ended, barrier = [], threading.Barrier(3)

    def fail():
        barrier.wait()
        raise ArithmeticError

    def finish():
        barrier.wait()
        time.sleep(0.1)
        ended.append(1)

    with pytest.raises(ArithmeticError):
        threads.run([fail, fail, finish], 3)
    assert ended == [1]


ENDING = """
import atexit, threading, time
from autograd import threads

def work():
    done = []
    threads.run([lambda i=i: done.append(i) for i in range(9)], 3)
    print(sorted(done) == list(range(9)))

def later():
    threading.main_thread().join()
    time.sleep(0.1)
    work()

if {before}:
    work()
atexit.register(work)
threading.Thread(target=later).start()
"""


def test_without_further_threads_this_one_does_all_the_work(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "_pool", threads._Pool())
    monkeypatch.setattr(threading.Thread, "start", start)
    done = []
    threads.run([lambda i=i: done.append(i) for i in range(9)], 4)
    assert done == list(range(9))
    assert not threads._pool.jobs


@pytest.mark.parametrize("before", [False, True])
def test_work_goes_on_while_the_program_ends(before):
    ended = subprocess.run([sys.executable, "-c", ENDING.format(before=before)], capture_output=True, text=True)
    assert ended.stdout.split() == ["True"] * (2 + before), ended.stderr


def test_settings_of_numpy_reach_the_threads(monkeypatch):
    monkeypatch.setattr(packs, "THREADED", 0)
    monkeypatch.setattr(threads, "available", lambda: 4)
    p = autograd.ones(1 << 18, requires_grad=True)
    p.grad = autograd.full((1 << 18,), 3e38)
    with np.errstate(over="ignore"):
        optim.Adam([p]).step()


def test_tasks_may_share_out_their_own_work():
    done = []
    threads.run(
        [lambda i=i: threads.run([lambda j=j: done.append((i, j)) for j in range(20)], 2) for i in range(20)], 2
    )
    assert sorted(done) == [(i, j) for i in range(20) for j in range(20)]


def test_several_threads_may_share_out_work_at_once(monkeypatch):
    monkeypatch.setattr(threads, "_limit", 3)
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    sums = [0] * 4

    def share_out(k):
        for _ in range(200):
            done = []
            threads.run([lambda i=i, done=done: done.append(i) for i in range(5)], 3)
            sums[k] += sorted(done) == list(range(5))

    users = [threading.Thread(target=share_out, args=(k,)) for k in range(4)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert sums == [200] * 4
    assert threads._pool.count <= 2 and not threads._pool.jobs


def test_work_for_different_numbers_of_threads_is_for_the_same_threads(monkeypatch):
    monkeypatch.setattr(threads, "_limit", 6)
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    took = set()
    for n in (2, 3, 4, 5, 6, 4):
        barrier = threading.Barrier(n)
        threads.run([lambda barrier=barrier: took.add((barrier.wait(), threading.get_ident())[1])] * n, n)
    assert len(took) <= 6


def test_the_number_of_threads_can_be_set(monkeypatch):
    monkeypatch.setattr(threads, "_limit", None)
    assert threads.available() >= 1
    threads.limit(7)
    assert threads.available() == 7
