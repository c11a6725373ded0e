"""What the check_*.py share: comparisons, which are printed and counted, and the exit status at the end."""

import sys

import numpy as np

failures = 0


def check(what, good, text=""):
    global failures
    failures += not good
    print(f"{'ok  ' if good else 'FAIL'} {what}{': ' if text else ''}{text}")


def listed(value):
    """One array as a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


def difference(got, wanted, relative=False):
    """The largest of any element, infinite where the shapes are not the same; relative: of 1 + |wanted|."""
    got, wanted = np.asarray(got, "float64"), np.asarray(wanted, "float64")
    if got.shape != wanted.shape:
        return np.inf
    return float(np.max(np.abs(got - wanted) / (1 + np.abs(wanted) if relative else 1), initial=0))


def compare(what, got, wanted, tolerance, relative=False):
    compare_all(what, [got], [wanted], tolerance, relative)


def compare_all(what, got, wanted, tolerance, relative=False):
    """Lists of arrays."""
    worst = np.max([difference(a, b, relative) for a, b in zip(got, wanted)]) if len(got) == len(wanted) else np.inf
    check(what, bool(worst <= tolerance), f"largest difference {worst:.2e} (allowed {tolerance:g})")


def attempt(what, action):
    """An exception is a failure, and what follows is tried all the same."""
    try:
        action()
    except Exception as error:
        check(what, False, f"{type(error).__name__}: {str(error)[:600]}")


def finish(what):
    print(f"{'FAILED' if failures else 'passed'}: {what}")
    sys.exit(1 if failures else 0)
