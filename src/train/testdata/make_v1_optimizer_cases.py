"""Writes v1_optimizer_cases.h: weights and slots after five steps of each of tf.compat.v1.train's optimizers, in a graph with a session.

    $(sh tests/interop/venv.sh | tail -n 1) src/train/testdata/make_v1_optimizer_cases.py

The loss is the sum of (w x - y)² and of b² times gathered rows: w has a dense gradient, the table t one of rows, of which the last is
gathered twice and the first never.
"""
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
v1.disable_eager_execution()
T = v1.train
CASES = {
    "gradient_descent": lambda: T.GradientDescentOptimizer(0.05),
    "momentum": lambda: T.MomentumOptimizer(0.05, 0.9),
    "nesterov": lambda: T.MomentumOptimizer(0.05, 0.9, use_nesterov=True),
    "adam": lambda: T.AdamOptimizer(0.1, beta1=0.8, epsilon=0.01),
    "adam_defaults": lambda: T.AdamOptimizer(),
    "adagrad": lambda: T.AdagradOptimizer(0.3),
    "rms_prop": lambda: T.RMSPropOptimizer(0.1, decay=0.8, momentum=0.5),
    "rms_prop_centered": lambda: T.RMSPropOptimizer(0.1, decay=0.8, momentum=0.5, epsilon=1e-3, centered=True),
    "adadelta": lambda: T.AdadeltaOptimizer(2.0, rho=0.9, epsilon=1e-3),
    "ftrl": lambda: T.FtrlOptimizer(0.3, l1_regularization_strength=0.1, l2_regularization_strength=0.2),
    "ftrl_shrinking": lambda: T.FtrlOptimizer(0.3, learning_rate_power=-0.4, initial_accumulator_value=0.2,
                                              l2_shrinkage_regularization_strength=0.05, beta=0.1),
}
W, X, Y = [[1.0, -2.0], [0.5, 3.0]], [[0.5, 1.0], [-1.5, 0.25]], [[1.0, 0.0], [2.0, -1.0]]
TABLE, ROWS = [[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]], [2, 1, 2]


def run(make):
    v1.reset_default_graph()
    w = v1.get_variable("w", initializer=tf.constant(W), use_resource=True)
    t = v1.get_variable("t", initializer=tf.constant(TABLE), use_resource=True)
    step = v1.get_variable("step", initializer=tf.constant(0, tf.int64), use_resource=True, trainable=False)
    loss = tf.reduce_sum(tf.square(w * tf.constant(X) - tf.constant(Y))) + tf.reduce_sum(tf.square(tf.gather(t, ROWS)))
    train = make().minimize(loss, global_step=step)
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        for _ in range(5):
            session.run(train)
        variables = v1.global_variables()
        return train.name, [(v.op.name, np.asarray(session.run(v), "float64").ravel()) for v in variables]


def main():
    out = [f"/* v1_optimizer_cases.h - what TensorFlow {tf.__version__} gives; made by make_v1_optimizer_cases.py. Each global variable",
           " * in its order, after five steps. */", "typedef struct {", "    const char *name;", "    size_t count;", "    double value[6];",
           "} v1_value;"]
    names = {}
    for case, make in CASES.items():
        names[case], rows = run(make)
        out.append(f"static const v1_value {case}_values[] = {{")
        out += [f'    {{ "{name}", {len(x)}, {{ {", ".join(repr(float(y)) for y in x)} }} }},' for name, x in rows]
        out += ["};", f'static const char {case}_operation[] = "{names[case]}";']
    pathlib.Path(__file__).with_name("v1_optimizer_cases.h").write_text("\n".join(out) + "\n")


main()
