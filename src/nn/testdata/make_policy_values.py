"""Writes policy_values.h: what the real Keras gives under mixed dtype policies.

Inputs and weights are numbers that the C side makes by the same rule (tests/support/check_layer.c).

    $(sh tests/interop/venv.sh | tail -n 1) src/nn/testdata/make_policy_values.py
"""
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import keras
import numpy as np
import tensorflow as tf


def numbers(shape, seed, scale, offset):
    i = np.arange(int(np.prod(shape)), dtype=np.int64)
    return ((i * 37 + seed * 101) % 97 / scale + offset).reshape(shape).astype("float32")


def model(policy):
    return keras.Sequential([
        keras.Input((4,)),
        keras.layers.Dense(3, "tanh", dtype=policy),
        keras.layers.BatchNormalization(dtype=policy),
        keras.layers.Dense(2, "softmax", dtype="float32"),
    ])


def flat(tensors):
    return np.concatenate([np.asarray(t, dtype="float32").ravel() for t in tensors])


def run(policy):
    m = model(policy)
    for i, w in enumerate(m.weights):
        w.assign(numbers(w.shape, i + 1, 97.0, 0.1))
    x, target = numbers((5, 4), 0, 48.0, -1.0), numbers((5, 2), 3, 97.0, 0.0)
    inner = m.layers[0](x)
    with tf.GradientTape() as tape:
        y = m(x, training=True)
        loss = tf.reduce_sum(tf.square(y - target))
    gradients = tape.gradient(loss, [w.value for w in m.trainable_weights])
    assert all(g.dtype == "float32" for g in gradients)
    return inner, flat([y]), flat(gradients), flat(m.non_trainable_weights), flat([m(x)])


def write(out, name, values):
    out.append(f"static const double {name}[] = {{")
    words = [repr(float(v)) for v in np.asarray(values, dtype="float64").ravel()]
    for i in range(0, len(words), 6):
        out.append("    " + ", ".join(words[i:i + 6]) + ",")
    out.append("};")


def main():
    out = [f"/* policy_values.h - what Keras {keras.__version__} gives; made by make_policy_values.py. */"]
    for policy in ("mixed_float16", "mixed_bfloat16"):
        inner, trained, gradients, state, y = run(policy)
        write(out, f"{policy}_dense", inner)
        write(out, f"{policy}_trained", trained)
        write(out, f"{policy}_gradients", gradients)
        write(out, f"{policy}_state", state)
        write(out, f"{policy}_output", y)
    pathlib.Path(__file__).with_name("policy_values.h").write_text("\n".join(out) + "\n")


main()
