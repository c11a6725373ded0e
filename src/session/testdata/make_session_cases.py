"""Writes session_cases.h: what initializers draw in graphs of TensorFlow 1, each time they run.

    $(sh tests/interop/venv.sh | tail -n 1) src/session/testdata/make_session_cases.py

Every graph has one variable (2, 3) or so and a random op beside it; two sessions initialise it twice each and then run the op. Beside them,
BatchNormalization's updates.
"""
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_eager_execution()
scaling = v1.variance_scaling_initializer
# The initializer's text here, TensorFlow's, the graph's seed, the shape, the dtype.
CASES = [
    (None, None, 7, [2, 3], "float32"),
    ("glorot_uniform(seed=5)", v1.glorot_uniform_initializer(seed=5), None, [2, 3], "float32"),
    ("glorot_normal(seed=5)", v1.glorot_normal_initializer(seed=5), 7, [3, 2, 2], "float32"),
    ("random_uniform(minval=-1, maxval=3)", v1.random_uniform_initializer(-1, 3), 7, [2, 3], "float32"),
    ("random_normal(mean=1, stddev=2)", v1.random_normal_initializer(1, 2), 11, [5], "float32"),
    ("truncated_normal(stddev=0.5, seed=3)", v1.truncated_normal_initializer(stddev=0.5, seed=3), 11, [2, 3], "float64"),
    ("variance_scaling(scale=2, mode=fan_in, distribution=truncated_normal)", scaling(2.0, "fan_in", "truncated_normal"), 7, [2, 3], "float32"),
    ("he_uniform(seed=1)", scaling(2.0, "fan_in", "uniform", seed=1), 0, [4], "float32"),
    ("variance_scaling(scale=0.5, mode=fan_out, distribution=untruncated_normal)", scaling(0.5, "fan_out", "untruncated_normal"), 7, [2, 3], "float32"),
    ("orthogonal(gain=2)", v1.orthogonal_initializer(2.0), 7, [2, 3], "float32"),
    ("orthogonal(seed=9)", v1.orthogonal_initializer(seed=9), 7, [2, 2, 3], "float32"),
    ("ones", v1.ones_initializer(), 7, [3], "float32"),
]


def drawn(initializer, seed, shape, dtype):
    """Of two sessions: twice the variable, then the op beside it when the graph has a seed."""
    numbers = []
    with tf.Graph().as_default() as graph:
        if seed is not None:
            v1.set_random_seed(seed)
        v = v1.get_variable("v", shape, dtype, initializer=initializer)
        beside = tf.random.normal([2]) if seed is not None else None
        init = v1.global_variables_initializer()
        for _ in range(2):
            with v1.Session(graph=graph) as session:
                for _ in range(2):
                    session.run(init)
                    numbers += session.run(v).reshape(-1).tolist()
                if beside is not None:
                    numbers += session.run(beside).tolist()
    return numbers


def updated():
    """Two BatchNormalizations, one on the other: their moving means and variances after a run without updates, and two with."""
    data = np.array([[1, 2], [3, 5], [-1, 4], [0.5, 7]], np.float32)
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 2], "x")
        with v1.variable_scope("a"):
            y = v1.layers.batch_normalization(x, training=True, momentum=0.9)
        with v1.variable_scope("b"):
            y = v1.layers.batch_normalization(2 * y + 1, training=True, momentum=0.8)
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            after = tf.identity(y)
        moving = [v for v in v1.global_variables() if "moving" in v.name]
        numbers = []
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for fetch, rows in ((y, 4), (after, 4), (after, 3), (v1.get_collection(v1.GraphKeys.UPDATE_OPS, "b"), 4)):
                session.run(fetch, {x: data[:rows]})
                numbers += np.concatenate(session.run(moving)).tolist()
    return numbers


def listed(numbers):
    return "{ " + ", ".join(repr(float(x)) for x in numbers) + " }"


def main():
    out = ["/* session_cases.h - what TensorFlow %s gives; made by make_session_cases.py. */" % tf.__version__]
    out += ["typedef struct {", "    const char *initializer;", "    int64_t seed; /* the graph's */", "    tn_shape shape;", "    tn_dtype dtype;",
            "    size_t count;", "    double value[64];", "} drawn_case;", "static const drawn_case drawn_cases[] = {"]
    for text, initializer, seed, shape, dtype in CASES:
        numbers = drawn(initializer, seed, shape, dtype)
        out.append("    { %s, %s, { 1, %d, { %s } }, TN_%s, %d, %s }," % (
            '"%s"' % text if text else "NULL", "TN_NO_SEED" if seed is None else seed, len(shape), ", ".join(map(str, shape)), dtype.upper(),
            len(numbers), listed(numbers)))
    out.append("};")
    numbers = updated()
    out += ["/* Moving mean and variance of one, then of the other. */",
            "static const double updated_values[4][%d] = {" % (len(numbers) // 4),
            ", ".join(listed(numbers[i:i + len(numbers) // 4]) for i in range(0, len(numbers), len(numbers) // 4)), "};"]
    path = pathlib.Path(__file__).with_name("session_cases.h")
    path.write_text("\n".join(out) + "\n")
    os.system("clang-format-14 -i %s" % path)


main()
