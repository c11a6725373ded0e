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


def bench(workload, peer, metric, run, units=1):
    """Calls run for half a second, five times at least; three times before, unseen."""
    if not wanted(workload):
        return
    for _ in range(3):
        run()
    taken, begin = [], time.perf_counter()
    while len(taken) < 5 or time.perf_counter() - begin < 0.5:
        start = time.perf_counter()
        run()
        taken.append((time.perf_counter() - start) * UNITS[metric] / units)
    taken.sort()
    print(json.dumps({"workload": workload, "peer": peer, "threads": THREADS, "metric": metric,
                      "min": float(f"{taken[0]:.6g}"), "median": float(f"{taken[len(taken) // 2]:.6g}"), "n": len(taken)}),
          flush=True)
