"""Writes object_values.h: what the real Keras gives for initializers, activations, regularizers and
constraints, and for layers whose seeds nobody gave.

    $(sh tests/interop/venv.sh | tail -n 1) src/nn/testdata/make_object_values.py
"""
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import keras
import numpy as np

A, I, R, C = keras.activations, keras.initializers, keras.regularizers, keras.constraints

# Away from kinks and joints, as differences need it; tests/support's own numbers are not.
points = np.array([[-7.5, -2.4, -1.3, -0.7], [-0.3, 0.2, 0.4, 0.9], [1.4, 2.6, 3.7, 6.5]], "float64")
activations = {
    "celu(alpha=0.7)": lambda x: A.celu(x, 0.7), "elu": A.elu, "elu(0.5)": lambda x: A.elu(x, 0.5),
    "exponential": A.exponential, "gelu": A.gelu, "gelu(approximate=true)": lambda x: A.gelu(x, True),
    "glu": A.glu, "hard_shrink": A.hard_shrink, "hard_sigmoid": A.hard_sigmoid, "hard_silu": A.hard_silu,
    "hard_tanh": A.hard_tanh, "leaky_relu": A.leaky_relu, "linear": A.linear, "log_sigmoid": A.log_sigmoid,
    "log_softmax": A.log_softmax, "mish": A.mish, "relu": A.relu, "relu6": A.relu6,
    "relu(0.1, 2, 0.5)": lambda x: A.relu(x, 0.1, 2.0, 0.5),
    "relu(0.1, threshold=0.5)": lambda x: A.relu(x, 0.1, None, 0.5),
    "relu(negative_slope=0.3)": lambda x: A.relu(x, 0.3), "selu": A.selu, "sigmoid": A.sigmoid, "silu": A.silu,
    "soft_shrink(0.6)": lambda x: A.soft_shrink(x, 0.6), "softmax": A.softmax, "softmax(0)": lambda x: A.softmax(x, 0),
    "softplus": A.softplus, "softsign": A.softsign, "sparse_plus": A.sparse_plus, "sparse_sigmoid": A.sparse_sigmoid,
    "sparsemax": A.sparsemax, "sparsemax(0)": lambda x: A.sparsemax(x, 0),
    "squareplus": A.squareplus, "swish": A.silu, "tanh": A.tanh, "tanh_shrink": A.tanh_shrink,
    "threshold(0.5, -1)": lambda x: A.threshold(x, 0.5, -1.0),
}
initializers = {
    "zeros": I.Zeros(), "ones": I.Ones(), "constant(-0.75)": I.Constant(-0.75), "identity(2)": I.Identity(2.0),
    "random_uniform(-1, 2, seed=3)": I.RandomUniform(-1.0, 2.0, 3), "random_normal(0.5, 2, seed=4)": I.RandomNormal(0.5, 2.0, 4),
    "truncated_normal(seed=5)": I.TruncatedNormal(seed=5),
    "variance_scaling(2, fan_out, untruncated_normal, seed=6)": I.VarianceScaling(2.0, "fan_out", "untruncated_normal", 6),
    "glorot_uniform(seed=7)": I.GlorotUniform(7), "glorot_normal(seed=8)": I.GlorotNormal(8),
    "he_uniform(seed=9)": I.HeUniform(9), "he_normal(seed=10)": I.HeNormal(10),
    "lecun_uniform(seed=11)": I.LecunUniform(11), "lecun_normal(seed=12)": I.LecunNormal(12),
    "orthogonal(0.5, seed=13)": I.Orthogonal(0.5, 13),
}
regularizers = {
    "l1": R.L1(), "l2(0.5)": R.L2(0.5), "l1l2(0.1, 0.2)": R.L1L2(0.1, 0.2), "l1_l2": R.L1L2(),
    "orthogonal_regularizer": R.OrthogonalRegularizer(),
    "orthogonal_regularizer(0.5, columns)": R.OrthogonalRegularizer(0.5, "columns"),
}
constraints = {
    "max_norm": C.MaxNorm(), "max_norm(3, axis=1)": C.MaxNorm(3.0, 1), "non_neg": C.NonNeg(), "unit_norm": C.UnitNorm(),
    "unit_norm((0, 1))": C.UnitNorm([0, 1]), "min_max_norm(0.5, 3, 0.8)": C.MinMaxNorm(0.5, 3.0, 0.8),
}


def seeded():
    """Seeds are drawn when layers are made, whatever is built first."""
    keras.utils.set_random_seed(5)
    layers = keras.layers
    first = layers.Dense(2)
    layers.BatchNormalization()
    dropout = layers.Dropout(0.5)
    second = layers.Dense(2, kernel_initializer="he_normal", bias_initializer="random_uniform")
    layers.Dense(2, kernel_initializer="zeros")
    third = layers.Dense(2, kernel_initializer=I.RandomNormal(seed=1))
    fourth = layers.Conv2D(1, 2)
    fourth.build((None, 2, 2, 1))
    for layer in (third, second, first):
        layer.build((None, 3))
    weights = [first.kernel, second.kernel, second.bias, third.kernel, fourth.kernel]
    values = np.concatenate([np.asarray(w).ravel() for w in weights])
    return values, int(np.asarray(dropout.seed_generator.state)[0])


def text(x):
    return repr(float(x)) if np.isfinite(x) else "NAN"


def listed(array):
    items = [text(x) for x in np.asarray(array).ravel()]
    lines = [", ".join(items[i : i + 6]) for i in range(0, len(items), 6)]
    return "{ " + ",\n      ".join(lines) + " }"


def table(out, name, entries, room):
    out.write("static const struct {\n    const char *text;\n    size_t count;\n    double value[%d];\n} %s[] = {\n" % (room, name))
    for key, array in entries.items():
        out.write('    { "%s", %d,\n      %s },\n' % (key, np.size(array), listed(array)))
    out.write("};\n")


def write(out):
    x = keras.ops.convert_to_tensor(points)
    out.write("/* object_values.h - what Keras %s gives; made by make_object_values.py. */\n" % keras.__version__)
    out.write("static const double points[] = %s;\n" % listed(points))
    table(out, "activation_values", {k: f(x) for k, f in activations.items()}, 12)
    table(out, "initializer_values", {k: f((3, 4)) for k, f in initializers.items()}, 12)
    w = keras.ops.convert_to_tensor((points / 4).astype("float32"))
    table(out, "regularizer_values", {k: f(w) for k, f in regularizers.items()}, 1)
    table(out, "constraint_values", {k: f(w) for k, f in constraints.items()}, 12)
    values, seed = seeded()
    out.write("static const double seeded_weights[] = %s;\nenum { SEEDED_DROPOUT = %d };\n" % (listed(values), seed))


here = pathlib.Path(__file__).parent
with open(here / "object_values.h", "w") as file:
    write(file)
