"""What the programs here share: timing, and a line of JSON for each workload, as bench.c prints them."""
import json
import os
import sys
import time

THREADS = int(os.environ.get("BENCH_THREADS", "1"))
UNITS = {"ns": 1e9, "us": 1e6, "ms": 1e3}


def wanted(workload):
    """As the program's arguments say: names of workloads, or their beginnings; none: all."""
    return len(sys.argv) < 2 or any(workload.startswith(name) or name.startswith(workload) for name in sys.argv[1:])


def times(count, operation):
    """One function that calls another so many times."""
    def run():
        for _ in range(count):
            operation()
    return run


def show(workload, peer, metric, taken):
    taken.sort()
    print(json.dumps({"workload": workload, "peer": peer, "threads": THREADS, "metric": metric,
                      "min": float(f"{taken[0]:.6g}"), "median": float(f"{taken[len(taken) // 2]:.6g}"), "n": len(taken)}),
          flush=True)


def bench(workload, peer, metric, run, units=1, unseen=3, least=5):
    """Calls run for half a second, five times at least; three times before, unseen."""
    if not wanted(workload):
        return
    for _ in range(unseen):
        run()
    taken, begin = [], time.perf_counter()
    while len(taken) < least or time.perf_counter() - begin < 0.5:
        start = time.perf_counter()
        run()
        taken.append((time.perf_counter() - start) * UNITS[metric] / units)
    show(workload, peer, metric, taken)
