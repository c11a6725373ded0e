"""Writes loss_scale_values.h: what Keras's LossScaleOptimizer does with gradients that are finite or not.

    $(sh tests/interop/venv.sh | tail -n 1) src/train/testdata/make_loss_scale_values.py
"""
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import keras
import numpy as np
import tensorflow as tf

inf, nan = float("inf"), float("nan")
GRADIENTS = [[8.0, -4.0], [inf, 1.0], [8.0, 2.0], [4.0, 4.0], [nan, 1.0], [1.0, 2.0], [2.0, -1.0]]
O = keras.optimizers
CASES = {
    "momentum": lambda: (O.SGD(0.1, momentum=0.9), 8.0, 2),
    "decayed": lambda: (O.Adam(0.1, weight_decay=0.1, clipnorm=1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2), 4.0, 2000),
    "gathered": lambda: (O.SGD(0.1, gradient_accumulation_steps=2), 4.0, 1),
    "scheduled": lambda: (O.SGD(O.schedules.ExponentialDecay(0.1, 2, 0.5), loss_scale_factor=64.0), 16.0, 3),
}


def run(inner, scale, steps):
    optimizer = O.LossScaleOptimizer(inner, initial_scale=scale, dynamic_growth_steps=steps)
    v = keras.Variable([1.0, 2.0])
    rows = []
    for gradient in GRADIENTS:
        optimizer.apply([tf.constant(gradient)], [v])
        rows.append(np.concatenate([np.asarray(x, "float64").ravel() for x in [v] + list(optimizer.variables)]))
    optimizer.finalize_variable_values([v])
    return rows, np.asarray(v, "float64")


def text(values):
    return ", ".join(repr(float(x)) for x in values)


def main():
    out = [f"/* loss_scale_values.h - what Keras {keras.__version__} gives; made by make_loss_scale_values.py. A row a step: the weight,",
           " * then the optimizer's variables. */"]
    for name, make in CASES.items():
        rows, final = run(*make())
        out.append(f"static const double {name}_rows[][{len(rows[0])}] = {{")
        out += ["    { " + text(row) + " }," for row in rows]
        out += ["};", f"static const double {name}_final[] = {{ {text(final)} }};"]
    pathlib.Path(__file__).with_name("loss_scale_values.h").write_text("\n".join(out) + "\n")


main()
