"""Functional models with keras.ops directly in them, as the real Keras 3 writes them and what it computes: writes op_cases.h beside it.

    $(sh tests/interop/venv.sh) src/nn/testdata/make_op_cases.py
"""
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import json

import keras
import numpy as np
from keras import ops

HERE = os.path.dirname(os.path.abspath(__file__))

# Of x and w (batch, 2, 3), and n, whole numbers (batch, 2).
CASES = {
    "arithmetic": lambda x, w, n: ops.maximum(x + w * 2, 1 - x) / ops.minimum(-3, w - 4) - ops.subtract(2.5, ops.multiply(x, w)),
    "divide": lambda x, w, n: ops.divide(x, 4) + ops.true_divide(3, ops.absolute(w) + 1),
    "power": lambda x, w, n: x**2 + ops.power(ops.square(w) + 1, 0.5),
    "functions": lambda x, w, n: ops.exp(-x) + ops.log(ops.abs(w) + 1) + ops.sqrt(ops.square(x)) + ops.sin(w) * ops.cos(x) + ops.tanh(x),
    "activations": lambda x, w, n: ops.relu(x) + ops.sigmoid(w) + ops.softplus(x),
    "softmax": lambda x, w, n: ops.softmax(x) + ops.softmax(w, axis=1),
    "matmul": lambda x, w, n: ops.matmul(ops.matmul(x, ops.transpose(w, (0, 2, 1))), w),
    "reshape": lambda x, w, n: ops.reshape(x, (-1, 6)),
    "reductions": lambda x, w, n: ops.mean(x, axis=1, keepdims=True) + ops.expand_dims(ops.sum(w, axis=(1, 2)), -1)[:, None] - ops.max(x, -1, keepdims=True)
    * ops.min(w),
    "joined": lambda x, w, n: ops.concatenate([ops.stack([x, w], axis=1), ops.expand_dims(x, 1), ops.expand_dims(w, 1)], axis=-3),
    "squeezed": lambda x, w, n: ops.squeeze(ops.expand_dims(x, 1), axis=1) + ops.squeeze(w[:, :1])[:, None],
    "places": lambda x, w, n: x[:, 1] + w[:, 0, ...] + x[:, ::-1][:, -1],
    "steps": lambda x, w, n: x[:, :, ::2] + w[..., 1:],
    "whole numbers": lambda x, w, n: ops.cast(n, "float32") * 0.5 + n * 1.5 + n / 2 + ops.mean(n, axis=1, keepdims=True) + ops.sum(n * 2, axis=1, keepdims=True),
}


def model_of(name):
    keras.utils.clear_session()
    inputs = [keras.Input((2, 3), name="x"), keras.Input((2, 3), name="w"), keras.Input((2,), dtype="int32", name="n")]
    return keras.Model(inputs, CASES[name](*inputs))


def inputs():
    x = np.cos(np.arange(24) * 0.7).astype("float32").reshape(4, 2, 3)
    w = np.sin(np.arange(24) * 1.3).astype("float32").reshape(4, 2, 3)
    return [x, w, np.arange(8, dtype="int32").reshape(4, 2) - 3]


def floats(values):
    return "{ " + ", ".join("%.9g" % v for v in np.asarray(values, "float32").reshape(-1)) + " }"


def text(json_text):
    return "\n      ".join(json.dumps(json_text[i : i + 100]) for i in range(0, len(json_text), 100))


def main():
    out = "/* op_cases.h - written by make_op_cases.py with Keras " + keras.__version__ + ". */\n"
    for name, values in zip("xw", inputs()):
        out += f"static const float op_{name}[24] = {floats(values)};\n"
    out += "static const struct {\n    const char *name, *json;\n    size_t count;\n    float y[128];\n} op_cases[] = {\n"
    for name in CASES:
        y = np.asarray(model_of(name)(inputs()))
        out += f'    {{ "{name}",\n      {text(json.dumps(json.loads(model_of(name).to_json()), separators=(",", ":")))},\n      {y.size},\n      {floats(y)} }},\n'
    open(os.path.join(HERE, "op_cases.h"), "w").write(out + "};\n")


if __name__ == "__main__":
    main()
