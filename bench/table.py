#!/usr/bin/env python3
"""Runs bench and its peers in turns and writes what they took as a table.

    table.py BENCH PEERS_PYTHON OUT [WORKLOAD ...]

Each round runs tenon and every peer once with one thread and once with two, so that all of them see the same machine; of the rounds
the smallest time counts. PEERS_PYTHON is "-" where there are no peers."""
import datetime
import json
import os
import platform
import subprocess
import sys

ROUNDS = int(os.environ.get("ROUNDS", "3"))
HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = ["numpy_peer.py", "tensorflow_peer.py"]
# Peaks of memory, each with the one workload that it is of.
PEAKS = [["W4_mlp_train", "W10_rss_train_W4"], ["W5_cnn_train", "W10_rss_train_W5"]]


def lines_of(command, environment):
    """The lines of JSON that a program prints; they are shown, too."""
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for line in found:
        print(json.dumps(line), flush=True)
    return found


def measure(bench, python, workloads):
    """By workload and threads: what each peer took at least, in the workload's metric."""
    table = {}
    for _ in range(ROUNDS):
        for threads in (1, 2):
            found = lines_of([bench, *workloads], {"TN_NUM_THREADS": str(threads)})
            for peak in PEAKS if not workloads else []:
                found += lines_of([bench, *peak], {"TN_NUM_THREADS": str(threads)})
            for peer in PEERS if python != "-" else []:
                found += lines_of([python, os.path.join(HERE, "peers", peer), *workloads],
                                  {"BENCH_THREADS": str(threads)})
            for line in found:
                row = table.setdefault((line["workload"], threads), {"metric": line["metric"]})
                row[line["peer"]] = min(line["min"], row.get(line["peer"], line["min"]))
    return table


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            facts = dict(line.split(":", 1) for line in file if ":" in line)
        facts = {key.strip(): value.strip() for key, value in facts.items()}
        wide = [flag for flag in ("avx2", "fma", "avx512f") if flag in facts.get("flags", "").split()]
        return f"{facts.get('model name', platform.machine())} ({', '.join(wide)}), {os.cpu_count()} processors"
    except OSError:
        return platform.machine()


def write(table, out):
    peers = sorted({peer for row in table.values() for peer in row} - {"metric", "tenon"})
    with open(out, "w", encoding="utf-8") as file:
        file.write(f"# What the workloads take\n\n{datetime.date.today()}, {processor()}. The smallest of {ROUNDS} rounds, all programs in turns; "
                   "beside each peer how many times tenon's time it took. Made by `make bench`.\n\n")
        file.write("| workload | threads | tenon | " + " | ".join(peers) + " |\n|---|---|---|" + "---|" * len(peers) + "\n")
        for (workload, threads), row in table.items():
            own = row.get("tenon")
            cells = [f"{row[peer]:.4g} ({row[peer] / own:.2g})" if own and peer in row else "" for peer in peers]
            file.write(f"| {workload} | {threads} | {own:.4g} {row['metric']} | " + " | ".join(cells) + " |\n")


def main():
    bench, python, out, *workloads = sys.argv[1:]
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"): # which would slow numpy down
        os.environ.pop(name, None)
    write(measure(bench, python, workloads), out)


main()
