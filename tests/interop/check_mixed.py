"""Does in Keras 3 what interop_mixed.c did, and goes on where it stopped; then saves a model for it to go on with.

usage: check_mixed.py FOLDER [continued]
"""

import pathlib
import sys
import warnings

import checks
import keras
import numpy as np
import tf_keras as keras2
from checks import check, compare

folder = pathlib.Path(sys.argv[1])
warnings.simplefilter("ignore")
ROWS, COLUMNS, CLASSES = 64, 8, 3
# Two or three of the type's last digits.
TOLERANCE = {"mixed_float16": 2e-3, "float16": 3e-3, "mixed_bfloat16": 1.5e-2, "bfloat16": 3e-2}

i = np.arange(ROWS * COLUMNS)
x = np.sin(0.37 * i + 0.002 * i * i).astype("float32").reshape(ROWS, COLUMNS)
r = np.arange(ROWS)
y = ((r * r + r // 5) % CLASSES).astype("int32")


def three_steps(model):
    return [float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(3)]


def state(model):
    return [np.asarray(v) for v in model.optimizer.variables]


def check_run(name, policy, last="float32"):
    tolerance = TOLERANCE[policy]
    scaled = policy == "mixed_float16"
    keras.config.set_dtype_policy(policy)
    model = keras.models.load_model(folder / f"{name}.keras")
    is_scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    check(f"{name}: the optimizer", is_scaled == scaled, type(model.optimizer).__name__)
    check(f"{name}: policies", [layer.dtype_policy.name for layer in model.layers] == 3 * [policy] + [last], "as they were")
    history = model.fit(x, y, epochs=4, batch_size=16, shuffle=False, verbose=0)
    compare(f"{name}: losses", history.history["loss"], np.load(folder / f"{name}_losses.npy"), tolerance)
    compare(f"{name}: accuracies", history.history["accuracy"], np.load(folder / f"{name}_accuracies.npy"), 2 / ROWS)
    compare(f"{name}: outputs", model.predict(x, verbose=0), np.load(folder / f"{name}_output.npy"), 3 * tolerance)
    trained = keras.models.load_model(folder / f"{name}_trained.keras")
    ours, own = state(trained), state(model)
    check(f"{name}: optimizer variables", [v.shape for v in ours] == [v.shape for v in own], f"{len(ours)} of the same shapes")
    counters = [k for k, v in enumerate(own) if v.ndim == 0]
    compare(f"{name}: counters and scale", [ours[k] for k in counters], [own[k] for k in counters], 0)
    compare(f"{name}: trained on", three_steps(trained), np.load(folder / f"{name}_next.npy"), tolerance)
    for end in ("_trained.h5", "_3.h5"):
        old = keras.models.load_model(folder / f"{name}{end}")
        compare(f"{name}{end}", old.predict(x, verbose=0), np.load(folder / f"{name}_output.npy"), tolerance)
        is_scaled = isinstance(old.optimizer, keras.optimizers.LossScaleOptimizer)
        check(f"{name}{end}: the optimizer", is_scaled == scaled, type(old.optimizer).__name__)


def check_keras_2(name, policy):
    keras2.mixed_precision.set_global_policy("float32")
    model = keras2.models.load_model(folder / f"{name}_trained.h5")
    got = [layer.dtype_policy.name for layer in model.layers]
    check(f"Keras 2 {name}: policies", got == 3 * [policy] + ["float32"], "as they were")
    compare(f"Keras 2 {name}", model.predict(x, verbose=0), np.load(folder / f"{name}_output.npy"), 2 * TOLERANCE[policy])


def save_for_tenon():
    keras.config.set_dtype_policy("mixed_float16")
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((COLUMNS,)), keras.layers.Dense(16, "relu"), keras.layers.BatchNormalization(),
                              keras.layers.Dense(CLASSES, "softmax", dtype="float32")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=2, batch_size=16, shuffle=False, verbose=0)
    model.save(folder / "keras_mixed.keras")
    model.reset_metrics()
    np.save(folder / "keras_mixed_wanted.npy", three_steps(model))


if len(sys.argv) > 2:
    compare("keras_mixed: trained on by tenon", np.load(folder / "keras_mixed_next.npy"), np.load(folder / "keras_mixed_wanted.npy"), 2e-3)
else:
    for name in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16"):
        check_run(name, name)
        check_keras_2(name, name)
    for policy in ("mixed_float16", "mixed_bfloat16"):
        check_run(policy.replace("mixed", "half"), policy, last=policy)
    for name in ("overflow", "averaged", "gathered"):
        check_run(name, "mixed_float16")
    save_for_tenon()
checks.finish(f"models of half types, Keras {keras.__version__} and {keras2.__version__}")
