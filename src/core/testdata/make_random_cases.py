"""Records random numbers of the real TensorFlow and Keras for random_test.c.

    python make_random_cases.py > random_cases.json

Needs tensorflow 2.21 and keras 3.15 (tests/interop/venv.sh makes such an environment). Every line
between the brackets is one case: what was called ("api" or "program"; "name" tells the kind), its
arguments, and "value". An array is {"dtype", "shape", "hex"}: its little-endian bytes; a long one
has "fnv" instead, the 64-bit FNV-1a hash of those bytes.
"""

import json
import os
import random

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
import tensorflow as tf

LONG = 2000  # bytes
cases = []


def pack(value):
    if isinstance(value, dict):
        return {key: pack(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [pack(part) for part in value]
    if isinstance(value, (int, float)):
        return value
    array = np.ascontiguousarray(np.asarray(value))
    data = array.tobytes()
    packed = {"dtype": array.dtype.name, "shape": list(np.shape(value))}
    if len(data) <= LONG:
        return packed | {"hex": data.hex()}
    fnv = 0xCBF29CE484222325
    for byte in data:
        fnv = (fnv ^ byte) * 0x100000001B3 % 2**64
    return packed | {"fnv": f"{fnv:016x}"}


def record(name, value, **arguments):
    cases.append({"name": f"{name}_{len(cases):03}"} | arguments | {"value": pack(value)})


def call(api, function, *args, **arguments):
    record(api.split(".")[-1], function(*args, **arguments), api=api, **arguments)


def without_global_seed():
    """Before anything sets one: an op seed alone is enough to be reproducible."""
    record(
        "op_seed_only",
        [
            tf.random.uniform([5], seed=7),
            tf.random.uniform([5], seed=7),
            tf.random.normal([5], seed=0),
        ],
        program="no global seed: uniform([5],seed=7) twice; normal([5],seed=0)",
    )


SEEDS = ([0, 0], [1, 0], [1337, 7], [2147483647, -1], [-5, 123456789], [2**40 + 3, -(2**62)])


def seed_tensor(seed):
    return tf.constant(seed, tf.int64)


def stateless(kind, shape, seed, dtype, **arguments):
    function = getattr(tf.random, f"stateless_{kind}")
    value = function(shape, seed=seed_tensor(seed), dtype=dtype, **arguments)
    record(
        f"stateless_{kind}_{dtype}",
        value,
        api=f"tf.random.stateless_{kind}",
        seed=seed,
        shape=shape,
        dtype=dtype,
        **arguments,
    )


def stateless_numbers():
    for kind in ("uniform", "normal", "truncated_normal"):
        for dtype in ("float32", "float64", "float16", "bfloat16"):
            for seed in SEEDS:
                stateless(kind, [13], seed, dtype)
            for count in (0, 1, 2, 3, 4, 5, 8, 50):
                stateless(kind, [count], [3, 4], dtype)
        stateless(kind, [400], [3, 4], "float32")
    # long enough that TensorFlow splits the work among threads
    stateless("uniform", [200003], [3, 4], "float32")
    stateless("uniform", [200003], [3, 4], "float64")
    ranges = {
        "int32": ((-3, 17), (0, 1), (-(2**31), 2**31 - 1), (-(2**31), 0), (5, 2**31 - 1)),
        "int64": ((0, 10**12), (-7, 7), (-(2**63), 2**63 - 1), (-(2**63), 0), (3, 4)),
    }
    for dtype, pairs in ranges.items():
        for low, high in pairs:
            for seed in ([0, 0], [-5, 123456789]):
                stateless("uniform", [13], seed, dtype, minval=low, maxval=high)
        stateless("uniform", [200003], [3, 4], dtype, minval=-100, maxval=1000)
    for dtype in ("int32", "uint32", "int64", "uint64"):
        for count in (1, 13):
            stateless("uniform", [count], [1337, 7], dtype, minval=None, maxval=None)


def seeds_from_seeds():
    for seed in SEEDS[:5]:
        for dtype in ("int32", "int64"):
            folded = tf.random.fold_in(tf.constant(seed, dtype), tf.constant(-12, dtype))
            record("fold_in", folded, api="tf.random.fold_in", seed=seed, data=-12)
            record(
                "split",
                tf.random.split(tf.constant(seed, dtype), 3),
                api="tf.random.split",
                seed=seed,
                num=3,
            )


def shuffles():
    for count in (1, 2, 3, 10, 101, 30000):
        value = tf.random.experimental.stateless_shuffle(tf.range(count), seed=[8, 9])
        record(
            "stateless_shuffle", value, api="tf.random.experimental.stateless_shuffle", seed=[8, 9]
        )
        # 30000 of 2**23 possible keys: many are equal
        value = keras.random.shuffle(tf.range(count), seed=77)
        record("keras_shuffle", value, api="keras.random.shuffle", seed=77)


def keras_numbers():
    for seed in (0, 1, 2147483646, 2147483647, 4294967295, 10**10, -7, 2**63 - 1):
        for api in ("normal", "truncated_normal"):
            value = getattr(keras.random, api)((2, 5), seed=seed)
            record(f"keras_{api}", value, api=f"keras.random.{api}", seed=seed, shape=[2, 5])
        value = keras.random.uniform((2, 5), -1.0, 3.0, seed=seed)
        record(
            "keras_uniform",
            value,
            api="keras.random.uniform",
            seed=seed,
            shape=[2, 5],
            minval=-1.0,
            maxval=3.0,
        )
        value = keras.random.randint((2, 5), 0, 10, seed=seed)
        record(
            "keras_randint",
            value,
            api="keras.random.randint",
            seed=seed,
            shape=[2, 5],
            minval=0,
            maxval=10,
        )
    for seed in (0, 42, 10**10, 2**63 - 1, -3):
        generator = keras.random.SeedGenerator(seed)
        draws = []
        for _ in range(3):
            before = np.array(generator.state)
            draws.append(
                {"state_before": before, "normal3": keras.random.normal((3,), seed=generator)}
            )
        value = {
            "draws": draws,
            "next": generator.next(),
            "next_unordered_1": generator.next(ordered=False),
        }
        value["next_unordered_2"] = generator.next(ordered=False)
        value["state_after"] = np.array(generator.state)
        program = "SeedGenerator(seed): 3 x normal((3,)), next(), next(ordered=False) x 2"
        record("keras_SeedGenerator", value, program=program, seed=seed)


def python_numbers():
    for seed in (0, 1, 42, -42, 2**31, 2**32 - 1, 2**32, 10**10, 2**63 - 1, -(2**63)):
        source = random.Random(seed)
        drawn = [source.randint(1, 10**9) for _ in range(8)]
        record("python_randint", np.array(drawn), program="randint(1, 10**9) x 8", seed=seed)
    ranges = [
        (0, 0),
        (0, 1),
        (-5, 5),
        (0, 2**31 - 1),
        (0, 2**32 - 1),
        (0, 2**32),
        (-(2**40), 2**40),
        (-(2**63), 2**63 - 1),
    ]
    for low, high in ranges:
        source = random.Random(5)
        drawn = [source.randint(low, high) for _ in range(300)]
        record(
            "python_range",
            np.array(drawn, np.int64),
            program="Random(5).randint(low, high) x 300",
            low=low,
            high=high,
        )
    for bits in (1, 5, 31, 32, 33, 63, 64):
        source = random.Random(6)
        drawn = [source.getrandbits(bits) for _ in range(8)]
        record(
            "python_bits",
            np.array(drawn, np.uint64),
            program="Random(6).getrandbits(bits) x 8",
            bits=bits,
        )
    source = random.Random(7)
    record(
        "python_random",
        np.array([source.random() for _ in range(1000)]),
        program="Random(7).random() x 1000",
    )


def stateful_numbers():
    for seed in (0, 1, 1234, 2**31, 2**31 - 1, -5, 2**40):
        tf.random.set_seed(seed)
        uniform, normal = tf.random.uniform, tf.random.normal
        value = [
            uniform([5]),
            uniform([5]),
            normal([5]),
            tf.random.truncated_normal([5]),
            uniform([5], 0, 100, tf.int32),
        ]
        program = (
            "tf.random.set_seed(gs); uniform([5]); uniform([5]); normal([5]); "
            "truncated_normal([5]); uniform([5], 0, 100, int32)"
        )
        record("set_seed_sequence", value, program=program, gs=seed)

        tf.random.set_seed(seed)
        value = [
            uniform([5], seed=7),
            uniform([5], seed=7),
            normal([5], seed=7),
            normal([5], seed=9),
        ]
        program = (
            "tf.random.set_seed(gs); uniform([5],seed=7) twice; normal([5],seed=7); "
            "normal([5],seed=9)"
        )
        record("set_seed_op_seed", value, program=program, gs=seed)

        tf.random.set_seed(seed)
        numbers = tf.range(10)
        value = [tf.random.shuffle(numbers) for _ in range(2)] + [
            tf.random.shuffle(numbers, seed=3) for _ in range(2)
        ]
        record(
            "set_seed_shuffles",
            value,
            program="tf.random.set_seed(gs); shuffle(range(10)) x 2; shuffle(range(10), seed=3) "
            "x 2",
            gs=seed,
        )

        tf.random.set_seed(seed)
        value = [
            distribution(seed=5)
            for distribution in (
                lambda seed: tf.random.gamma([4], 2.0, seed=seed),
                lambda seed: tf.random.poisson([4], 3.0, seed=seed),
                lambda seed: tf.random.categorical(
                    [[0.0, 1.0, 2.0], [0.5, 0.0, 0.0]], 9, seed=seed
                ),
            )
            for _ in range(2)
        ]
        program = (
            "tf.random.set_seed(gs); with seed=5, each twice: gamma([4], 2.); poisson([4], "
            "3.); categorical([[0,1,2],[.5,0,0]], 9)"
        )
        record("set_seed_distributions", value, program=program, gs=seed)

        tf.random.set_seed(seed)
        function = tf.function(lambda: (uniform([4]), normal([4])))
        program = (
            "tf.random.set_seed(gs); f=tf.function(lambda: (uniform([4]), normal([4]))); f(); f()"
        )
        record("set_seed_in_function", [function(), function()], program=program, gs=seed)

        with tf.Graph().as_default():
            tf.compat.v1.set_random_seed(seed)
            fetches = [uniform([4]), normal([4]), uniform([4], seed=5)]
            with tf.compat.v1.Session() as session:
                value = [session.run(fetches), session.run(fetches)]
        program = (
            "graph: tf.compat.v1.set_random_seed(gs); a=uniform([4]); b=normal([4]); "
            "c=uniform([4],seed=5); session.run twice"
        )
        record("v1_graph", value, program=program, gs=seed)


def keras_programs():
    for seed in (0, 1, 1337, 2**31 - 1, 2**32 - 1):
        keras.utils.set_random_seed(seed)
        dense = [keras.layers.Dense(4), keras.layers.Dense(2)]
        dense[0].build((None, 3))
        dense[1].build((None, 4))
        dropout = keras.layers.Dropout(0.5)
        value = {
            "dense0_kernel": np.array(dense[0].kernel),
            "dense1_kernel": np.array(dense[1].kernel),
        }
        value["dropout_out"] = dropout(tf.ones((2, 6)), training=True)
        value["dropout_state_after"] = np.array(dropout.seed_generator.state)
        value["global_normal_1"] = keras.random.normal((3,))
        value["global_normal_2"] = keras.random.normal((3,))
        value["tf_uniform"] = tf.random.uniform([3])
        value["py_randint"] = random.randint(1, 10**9)
        program = (
            "keras.utils.set_random_seed(seed); d=Dense(4).build((None,3)); "
            "e=Dense(2).build((None,4)); "
            "Dropout(.5)(ones((2,6)),training=True); keras.random.normal((3,)) x2; "
            "tf.random.uniform([3]); random.randint(1,1e9)"
        )
        record("set_random_seed_program", value, program=program, seed=seed)


class Watch(keras.Model):
    """Trains nothing, notes which rows come."""

    def __init__(self):
        super().__init__()
        self.rows = []

    def call(self, x):
        return x

    def train_step(self, data):
        self.rows.extend(int(row) for row in data[0].numpy()[:, 0])
        return {"loss": 0.0}


def fit_orders():
    for seed in (0, 1, 42, 2**31 - 1, 2**31, -5):
        for count in (1, 2, 12, 100):
            tf.random.set_seed(seed)
            model = Watch()
            model.compile(run_eagerly=True)
            x = np.arange(count, dtype="float32")[:, None]
            for _ in range(2):
                model.fit(x, x, batch_size=5, epochs=2, verbose=0)
            value = np.array(model.rows, np.int64).reshape(4, count)
            record(
                "fit_order",
                value,
                program="tf.random.set_seed(seed); twice: fit(range(count), epochs=2); rows "
                "as they came",
                seed=seed,
            )


def distributions():
    for seed in SEEDS[:5]:
        for dtype in ("float32", "float64"):
            alpha = [0.01, 0.5, 0.999, 1.0, 1.5, 3.0, 100.0, 1e6]
            value = tf.random.stateless_gamma(
                [6, 8], seed=seed_tensor(seed), alpha=tf.constant(alpha, dtype), dtype=dtype
            )
            record(
                "stateless_gamma",
                value,
                api="tf.random.stateless_gamma",
                seed=seed,
                alpha=alpha,
                shape=[6, 8],
            )
            lam = [0.0, 0.5, 3.0, 9.999, 10.0, 20.0, 300.0, 1e6]
            rate = tf.constant(lam, dtype)
            value = tf.random.stateless_poisson(
                [20, 8], seed=seed_tensor(seed), lam=rate, dtype=tf.int32
            )
            record(
                "stateless_poisson",
                value,
                api="tf.random.stateless_poisson",
                seed=seed,
                lam=lam,
                shape=[20, 8],
                rate=dtype,
            )
        for counts, probs in (
            (10.0, 0.3),
            (10.0, 0.75),
            (50.0, 0.1),
            (100.0, 0.3),
            (100.0, 0.8),
            (1e6, 0.5),
            (5.0, 0.0),
            (5.0, 1.0),
            (0.0, 0.5),
        ):
            value = tf.random.stateless_binomial(
                [8], seed=seed_tensor(seed), counts=counts, probs=probs
            )
            record(
                "stateless_binomial",
                value,
                api="tf.random.stateless_binomial",
                seed=seed,
                counts=counts,
                probs=probs,
                shape=[8],
            )
        logits = [[0.0, 1.0, 2.0], [3.0, 0.0, -1.0], [-100.0, 0.0, 100.0]]
        for samples in (1, 3, 10):
            value = tf.random.stateless_categorical(logits, samples, seed=seed_tensor(seed))
            record(
                "stateless_categorical",
                value,
                api="tf.random.stateless_categorical",
                seed=seed,
                logits=logits,
                num_samples=samples,
            )


def main():
    without_global_seed()
    stateless_numbers()
    seeds_from_seeds()
    shuffles()
    keras_numbers()
    python_numbers()
    stateful_numbers()
    keras_programs()
    fit_orders()
    distributions()
    lines = (json.dumps(case, separators=(",", ":")) for case in cases)
    print("[\n" + ",\n".join(lines) + "\n]")


main()
