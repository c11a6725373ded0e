"""TensorFlow and Keras 3: W1 to W5, W7 to W10. One thread pool for operations, as many threads as asked."""
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

from peer import THREADS, bench, show, times, wanted

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

tf.config.threading.set_intra_op_parallelism_threads(THREADS)
tf.config.threading.set_inter_op_parallelism_threads(THREADS)
L = keras.layers
random = np.random.default_rng(0)
PEER = f"TensorFlow {tf.__version__}"


def normal(*shape):
    return tf.constant(random.standard_normal(shape, dtype="float32"))


def labels(count):
    return tf.constant(np.eye(10, dtype="float32")[random.integers(0, 10, count)])


def eager():
    eight, one = tf.ones(8), tf.constant(3.0)
    bench("W2_add_vec8", PEER, "ns", times(100, lambda: tf.raw_ops.AddV2(x=eight, y=eight)), 100)
    for n in (16, 64):
        a = normal(n, n)
        bench(f"W2_matmul_{n}", PEER, "ns", times(100, lambda: tf.matmul(a, a)), 100)

    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(one)
            y = one * one
        tape.gradient(y, one)
    bench("W2_tape_square_grad", PEER, "ns", times(100, gradient), 100)
    add = tf.function(lambda a, b: a + b)
    bench("W2_call_traced_fn", PEER, "ns", times(100, lambda: add(one, one)), 100)


def step_of(model, rate):
    optimizer, loss_fn = keras.optimizers.Adam(rate), keras.losses.CategoricalCrossentropy()

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss
    return step


def seed_model(width):
    return keras.Sequential([keras.Input((width,)), L.Dense(128, activation="relu"), L.Dense(10, activation="softmax")])


def mlp():
    return keras.Sequential([keras.Input((784,)), L.Dense(512, activation="relu"), L.Dense(256, activation="relu"),
                             L.Dense(10, activation="softmax")])


def cnn():
    return keras.Sequential([keras.Input((28, 28, 1)), L.Conv2D(32, 3, activation="relu"), L.Conv2D(64, 3, activation="relu"),
                             L.MaxPooling2D(), L.Flatten(), L.Dense(128, activation="relu"), L.Dense(10, activation="softmax")])


def training(workload, metric, model, x, y, rate):
    step = tf.function(step_of(model, rate))
    bench(workload, PEER, metric, lambda: step(x, y))


def fitting(workload, model, x, y, batches):
    model.compile("adam", "categorical_crossentropy")
    x, y = x.numpy(), y.numpy()
    bench(workload, PEER, "ms", lambda: model.fit(x, y, batch_size=64, epochs=1, verbose=0), batches)


def models():
    x, y = normal(100, 10), labels(100)
    training("W3_seed_step", "us", seed_model(10), x, y, 0.01)
    if wanted("W3_seed_step_eager"):
        step = step_of(seed_model(10), 0.01)
        bench("W3_seed_step_eager", PEER, "us", lambda: step(x, y))
    if wanted("W3_predict_b1"):
        model, one = seed_model(64), normal(1, 64)
        call = tf.function(model)
        bench("W3_predict_b1", PEER, "us", lambda: call(one))
    training("W4_mlp_train", "ms", mlp(), normal(64, 784), labels(64), 1e-3)
    if wanted("W4_fit_overhead"):
        fitting("W4_fit_overhead", mlp(), normal(6400, 784), labels(6400), 100)
    training("W5_cnn_train", "ms", cnn(), normal(64, 28, 28, 1), labels(64), 1e-3)
    if wanted("W5_fit_overhead"):
        fitting("W5_fit_overhead", cnn(), normal(640, 28, 28, 1), labels(640), 10)
    call = tf.function(cnn())
    for batch in (1, 64):
        images = normal(batch, 28, 28, 1)
        bench(f"W5_cnn_infer_b{batch}", PEER, "ms", lambda: call(images))


def arrays():
    for n in (16, 64, 128, 256, 512, 1024, 2048):
        a = normal(n, n)
        bench(f"W7_sgemm_{n}", PEER, "us", lambda: tf.matmul(a, a))
    x, z = normal(16 << 20), normal(4096, 1024)
    line = tf.function(lambda v: tf.nn.relu(v * 1.5 - 0.3), jit_compile=True)
    bench("W8_relu_axb_64MB", PEER, "ms", lambda: line(x))
    bench("W8_reduce_sum_64MB", PEER, "ms", lambda: tf.reduce_sum(x).numpy())
    bench("W8_softmax_4096x1024", PEER, "ms", lambda: tf.nn.softmax(z))

    norm = keras.layers.LayerNormalization()
    norm.build(z.shape)
    call = tf.function(norm)
    bench("W8_layernorm_4096x1024", PEER, "ms", lambda: call(z))


def cold(folder):
    """Whole processes: of what they hold the kernel tells when they are over."""
    path = os.path.join(folder, "cold.keras")
    seed_model(64).save(path)
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cold.py")
    taken, held = [], []
    for _ in range(2):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, program, path], stdout=subprocess.PIPE, text=True, check=True)
        taken.append((time.perf_counter() - start) * 1e3)
        held.append(float(done.stdout.split()[-1]))
    show("W1_cold_predict", PEER, "ms", taken)
    show("W1_cold_predict_rss", PEER, "rss_MB", held)


def large(folder):
    model = keras.Sequential([keras.Input((2048,))] + [L.Dense(2048) for _ in range(25)])
    path = os.path.join(folder, "large.keras")

    def load():
        return [float(tf.reduce_sum(weight)) for weight in keras.models.load_model(path).weights]
    bench("W9_save_400MB", PEER, "ms", lambda: model.save(path), unseen=1, least=2)
    for workload in ("W9_load_400MB", "W9_load_400MB_mapped"):  # it has one way for both
        bench(workload, PEER, "ms", load, unseen=0, least=2)


def files():
    folder = tempfile.mkdtemp(prefix="tenon-bench-")
    try:
        if THREADS == 1 and wanted("W1_cold_predict"):
            cold(folder)
        if THREADS == 1 and wanted("W9_"):
            large(folder)
    finally:
        shutil.rmtree(folder)


def peak(workload):
    """Of training alone: a process that did nothing else."""
    if workload == "W10_rss_train_W4":
        model, x, y = mlp(), normal(6400, 784), labels(6400)
    else:
        model, x, y = cnn(), normal(640, 28, 28, 1), labels(640)
    model.compile("adam", "categorical_crossentropy")
    model.fit(x.numpy(), y.numpy(), batch_size=64, epochs=2, verbose=0)
    show(workload, PEER, "rss_MB", [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024])


if len(sys.argv) > 1 and sys.argv[1].startswith("W10_"):
    peak(sys.argv[1])
else:
    eager()
    models()
    arrays()
    files()
