#!/usr/bin/env python3
"""Runs bench and its peers in turns and writes what they took as a table, and what of targets.py holds.

    table.py BENCH PYTHON OTHER_PYTHON OUT [WORKLOAD ...]

Each round runs tenon and every peer once with one thread and once with two, so that all of them see the same machine; of the rounds
the smallest time counts. PYTHON has TensorFlow, OTHER_PYTHON the other peers; "-" is none. A peer that does not load is left out and
named. ROUNDS in the environment: how many, 3."""
import ctypes
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile

from targets import BARE, OURS, STATIC, TARGETS

ROUNDS = int(os.environ.get("ROUNDS", "3"))
HERE = os.path.dirname(os.path.abspath(__file__))
# The program, what it cannot do without, and whether the first python or the other one runs it.
PEERS = [("numpy_peer.py", "numpy", 0), ("tensorflow_peer.py", "tensorflow", 0), ("torch_peer.py", "torch", 1),
         ("jax_peer.py", "jax", 1), ("onnxruntime_peer.py", "onnxruntime, onnx", 1),
         ("litert_peer.py", "ai_edge_litert.interpreter", 1)]
# Peaks of memory, each with the one workload that it is of.
PEAKS = [["W4_mlp_train", "W10_rss_train_W4"], ["W5_cnn_train", "W10_rss_train_W5"]]

# What the convolutions take without oneDNN, where that is installed.
CONVOLUTIONS = ["W5_cnn_train", "W5_cnn_infer_b1", "W5_cnn_infer_b64"]


def has_onednn():
    for name in ("libdnnl.so.3", "libdnnl.so.2"):
        try:
            return bool(ctypes.CDLL(name))
        except OSError:
            pass
    return False


def peer_program(name):
    return os.path.join(HERE, "peers", name)


def installed(pythons, models):
    """The commands of the peers that load, and the names of the others."""
    commands, missing = [], []
    for program, modules, which in PEERS:
        python = pythons[which]
        loads = python != "-" and subprocess.run([python, "-c", f"import {modules}"], stderr=subprocess.DEVNULL).returncode == 0
        if loads and program == "litert_peer.py":
            loads = pythons[0] != "-" and subprocess.run([pythons[0], peer_program("litert_models.py"), models],
                                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
        if loads:
            commands.append([python, peer_program(program)])
        else:
            missing.append(modules.split(",")[0])
    return commands, missing


def lines_of(command, environment):
    """The lines of JSON that a program prints; they are shown, too."""
    done = subprocess.run(command, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for line in found:
        print(json.dumps(line), flush=True)
    if done.returncode:  # what it measured before counts
        print(f"table.py: {' '.join(command)} ended with {done.returncode}", file=sys.stderr)
    return found


def commands_of(bench, peers, workloads, threads):
    """What one round runs, with as many threads."""
    commands = [[bench, *workloads]] + [[*peer, *workloads] for peer in peers]
    if not workloads:
        commands += [[bench, *peak] for peak in PEAKS]
        commands += [[*peer, peak[1]] for peak in PEAKS for peer in peers if peer[1].endswith("tensorflow_peer.py") and threads == 1]
    return commands


def note(table, threads, lines):
    for line in lines:
        row = table.setdefault((line["workload"], threads), {"metric": line["metric"]})
        row[line["peer"]] = min(line["min"], row.get(line["peer"], line["min"]))


def measure(bench, peers, workloads, models):
    """By workload and threads: what each peer took at least, in the workload's metric."""
    table = {}
    for _ in range(ROUNDS):
        for threads in (1, 2):
            environment = {"TN_NUM_THREADS": str(threads), "BENCH_THREADS": str(threads), "BENCH_MODELS": models}
            for command in commands_of(bench, peers, workloads, threads):
                note(table, threads, lines_of(command, environment))
            convolutions = [name for name in CONVOLUTIONS if not workloads or name in workloads]
            if convolutions and has_onednn():
                lines = lines_of([bench, *convolutions], {**environment, "TN_ONEDNN": "off"})
                note(table, threads, [{**line, "peer": BARE} for line in lines if line["peer"] == OURS])
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


def own_time(row):
    return row.get(OURS, row.get(BARE))


def is_peer(name):
    return name not in ("metric", "machine") and not name.startswith(("floor", OURS))


def reference(table, workload, threads, beside):
    """The name and the time of what a target is judged beside; None when it was not measured."""
    row = table.get((workload, threads), {})
    other = table.get((beside, threads))
    if other:
        return beside, other.get("machine", own_time(other))
    fitting = [(row[name], name) for name in row if is_peer(name) and (beside == "best" or name.startswith(beside))]
    return (min(fitting)[1], min(fitting)[0]) if fitting else (beside, None)


def judge(table, target):
    """A line for each number of threads: what is asked, what was measured, whether it holds."""
    workload, who, beside, ours, theirs = target
    for i, (reach, other) in enumerate(zip(ours, theirs)):
        row = table.get((workload, i + 1), {})
        own = row.get(who) if who == STATIC else row.get(who, own_time(row))
        name, time = reference(table, workload, i + 1, beside)
        label = workload + {BARE: " without oneDNN", STATIC: " linked statically"}.get(who, "")
        if own and time:
            verdict = "holds" if own / time <= reach / other else f"no, {own / time / (reach / other):.3g} times that"
            yield f"| {label} | {i + 1} | {name} | {reach / other:.3g} | {own / time:.3g} | {verdict} |"
        elif own:
            yield f"| {label} | {i + 1} | {name} | {reach / other:.3g} |  | not measured |"


def write_times(table, file):
    peers = sorted({peer for row in table.values() for peer in row} - {"metric", OURS})
    file.write("| workload | threads | tenon | " + " | ".join(peers) + " |\n|---|---|---|" + "---|" * len(peers) + "\n")
    for (workload, threads), row in table.items():
        own = row.get(OURS)
        cells = ["" if peer not in row else f"{row[peer]:.4g} ({row[peer] / own:.2g})" if own else f"{row[peer]:.4g} {row['metric']}"
                 for peer in peers]
        file.write(f"| {workload} | {threads} | {f'{own:.4g} ' + row['metric'] if own else ''} | " + " | ".join(cells) + " |\n")


def write_targets(table, file):
    lines = [line for target in TARGETS for line in judge(table, target)]
    held = sum(line.endswith("| holds |") for line in lines)
    file.write(f"\n## What is asked\n\ntenon's time over the other's, at most; {held} of {len(lines)} lines hold. The figures are in "
               "`targets.py`.\n\n| workload | threads | beside | asked | measured | |\n|---|---|---|---|---|---|\n")
    file.write("".join(line + "\n" for line in lines))


def write(table, missing, out):
    absent = f" Not installed here, so left out: {', '.join(missing)}." if missing else ""
    with open(out, "w", encoding="utf-8") as file:
        file.write(f"# What the workloads take\n\n{datetime.date.today()}, {processor()}, {platform.system()} {platform.release()}. The "
                   f"smallest of {ROUNDS} rounds, all programs in turns; beside each peer how many times tenon's time it took.{absent} "
                   "Made by `make bench`.\n\n")
        write_times(table, file)
        write_targets(table, file)


def main():
    bench, python, other, out, *workloads = sys.argv[1:]
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # which would slow numpy down
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="tenon-bench-") as models:
        peers, missing = installed((python, other), models)
        for name in missing:
            print(f"table.py: {name} is not installed: left out", file=sys.stderr)
        write(measure(bench, peers, workloads, models), missing, out)


main()
