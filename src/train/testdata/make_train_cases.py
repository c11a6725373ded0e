"""Records what the real Keras 3 does, for the tests of the train room: writes the headers beside it.

    $(sh tests/interop/venv.sh) src/train/testdata/make_train_cases.py
"""
import os
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import keras
import numpy as np
import tensorflow as tf

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = "/* %s - written by make_train_cases.py with Keras " + keras.__version__ + ". */\n"


def number(x):
    x = float(x)
    return "NAN" if x != x else ("%.9g" % x)


def numbers(values):
    return "{ " + ", ".join(number(v) for v in np.asarray(values).reshape(-1)) + " }"


def rows(count, width, step=7, shift=3):
    """Numbers that both sides compute exactly."""
    i, j = np.meshgrid(np.arange(count), np.arange(width), indexing="ij")
    return (((i * step + j * shift) % 11 - 5) / 8).astype("float32")


# --- optimizers: variables and slots after each of four steps from given gradients ------------------------------------------
OPTIMIZERS = [
    ("SGD", dict(learning_rate=0.1)),
    ("SGD", dict(learning_rate=0.1, momentum=0.9)),
    ("SGD", dict(learning_rate=0.1, momentum=0.9, nesterov=True)),
    ("SGD", dict(learning_rate=0.1, weight_decay=0.05, clipnorm=0.5)),
    ("SGD", dict(learning_rate=0.1, clipvalue=0.25, loss_scale_factor=4.0)),
    ("SGD", dict(learning_rate=0.1, global_clipnorm=0.75)),
    ("SGD", dict(learning_rate=0.1, momentum=0.5, use_ema=True, ema_momentum=0.8)),
    ("SGD", dict(learning_rate=0.1, gradient_accumulation_steps=2, momentum=0.9)),
    ("RMSprop", dict()),
    ("RMSprop", dict(learning_rate=0.01, rho=0.8, momentum=0.9)),
    ("RMSprop", dict(learning_rate=0.01, centered=True)),
    ("RMSprop", dict(learning_rate=0.01, centered=True, momentum=0.5, epsilon=1e-3)),
    ("Adam", dict()),
    ("Adam", dict(learning_rate=0.1, beta_1=0.8, beta_2=0.95, epsilon=1e-4)),
    ("Adam", dict(learning_rate=0.1, amsgrad=True)),
    ("Adam", dict(learning_rate=0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2)),
    ("Adam", dict(learning_rate=0.1, gradient_accumulation_steps=3, weight_decay=0.01)),
    ("AdamW", dict()),
    ("AdamW", dict(learning_rate=0.1, weight_decay=0.1, amsgrad=True, clipnorm=1.0)),
    ("Adagrad", dict(learning_rate=0.1, initial_accumulator_value=0.5)),
    ("Adadelta", dict(learning_rate=1.0, rho=0.9)),
    ("Adamax", dict(learning_rate=0.1)),
    ("Nadam", dict(learning_rate=0.1, gradient_accumulation_steps=2)),
    ("Ftrl", dict(learning_rate=0.1, l1_regularization_strength=0.1, l2_regularization_strength=0.2,
                  l2_shrinkage_regularization_strength=0.1, beta=0.3)),
    ("Adafactor", dict(learning_rate=0.1, clip_threshold=0.5)),
    ("Lion", dict(learning_rate=0.01)),
    ("Lamb", dict(learning_rate=0.1)),
    ("Muon", dict(learning_rate=0.1, adam_lr_ratio=0.5)),
    ("Muon", dict(learning_rate=0.1, nesterov=False, exclude_layers=["nothing", "^ker"], weight_decay=None)),
    ("ScheduleFreeAdamW", dict(learning_rate=0.1, warmup_steps=3)),
]
STEPS = 4


def argument(value):
    return "|".join(value) if isinstance(value, list) else "none" if value is None else str(value).lower()


def optimizer_case(name, arguments):
    optimizer = getattr(keras.optimizers, name)(**arguments)
    kernel = keras.Variable(rows(2, 3), name="kernel")
    bias = keras.Variable(rows(1, 3, 5, 2)[0], name="bias")
    bias.constraint = keras.constraints.NonNeg()
    steps = []
    for step in range(STEPS):
        gradients = [rows(2, 3, 3 + step, 5) * (1 + step), rows(1, 3, 2, 4 + step)[0]]
        optimizer.apply(gradients, [kernel, bias])
        steps.append(np.concatenate([np.asarray(v).reshape(-1) for v in [kernel, bias] + optimizer.variables]))
    text = ", ".join("%s=%s" % (k, argument(v)) for k, v in arguments.items())
    slots = " ".join(v.name for v in optimizer.variables)
    return '    { "%s(%s)",\n      "%s", %d,\n      { %s } },\n' % (
        name.lower(), text, slots, len(steps[0]), ",\n        ".join(numbers(s) for s in steps))


def write_optimizers():
    out = HEAD % "optimizer_cases.h"
    out += "static const struct {\n    const char *text, *names;\n    size_t count; /* of numbers: kernel (2, 3), bias (3), the optimizer's variables */\n"
    out += "    float after[%d][48];\n} optimizer_cases[] = {\n" % STEPS
    out += "".join(optimizer_case(*case) for case in OPTIMIZERS) + "};\n"
    open(os.path.join(HERE, "optimizer_cases.h"), "w").write(out)


# --- gradients of gathered rows, some of them twice: slices, which TensorFlow keeps as they are -------------------------------
SLICED = [
    ("SGD", dict(learning_rate=0.1, clipnorm=0.5)),
    ("SGD", dict(learning_rate=0.1, clipvalue=0.25, momentum=0.9)),
    ("SGD", dict(learning_rate=0.1, global_clipnorm=0.75)),
    ("RMSprop", dict(learning_rate=0.01, centered=True)),
    ("Adam", dict(learning_rate=0.1)),
    ("Adam", dict(learning_rate=0.1, clipvalue=0.25)),
    ("Adam", dict(learning_rate=0.1, global_clipnorm=0.75)),
    ("Adam", dict(learning_rate=0.1, gradient_accumulation_steps=2)),
    ("AdamW", dict(learning_rate=0.1, amsgrad=True)),
    ("Adagrad", dict(learning_rate=0.1)),
    ("Adadelta", dict(learning_rate=1.0)),
    ("Adamax", dict(learning_rate=0.1)),
    ("Nadam", dict(learning_rate=0.1)),
    ("Ftrl", dict(learning_rate=0.1)),
    ("Adafactor", dict(learning_rate=0.1)),
    ("Lion", dict(learning_rate=0.01)),
    ("Lamb", dict(learning_rate=0.1)),
    ("Muon", dict(learning_rate=0.1, exclude_layers=["table"])),
    ("ScheduleFreeAdamW", dict(learning_rate=0.1)),
]


def sliced_case(name, arguments, scaled=False):
    optimizer = getattr(keras.optimizers, name)(**arguments)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)
    table = keras.Variable(rows(5, 2), name="table")
    steps = []
    for step in range(STEPS):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.gather(table.value, [[1, 3, 1], [1, 4, 0]]) * rows(6, 2, 3 + step, 5).reshape(2, 3, 2))
            loss += tf.reduce_sum(tf.gather(table.value, [3, 3]) * rows(2, 2, 5, 4 + step))
            loss = optimizer.scale_loss(loss)
        optimizer.apply([tape.gradient(loss, table.value)], [table])
        steps.append(np.asarray(table))
    text = "%s(%s)" % (name.lower(), ", ".join("%s=%s" % (k, argument(v)) for k, v in arguments.items()))
    return '    { "%s", %s,\n      { %s } },\n' % (text, str(scaled).lower(), ",\n        ".join(numbers(s) for s in steps))


def write_sliced():
    out = HEAD % "sliced_cases.h"
    out += "static const struct {\n    const char *text;\n    bool scaled; /* within a LossScaleOptimizer */\n    float after[%d][10];\n} sliced_cases[] = {\n" % STEPS
    out += "".join(sliced_case(*case) for case in SLICED) + sliced_case("Adam", dict(learning_rate=0.1), True) + "};\n"
    open(os.path.join(HERE, "sliced_cases.h"), "w").write(out)


# --- fit: the history of small trainings, all from seeds --------------------------------------------------------------------
ROWS = 23


def data():
    x = rows(ROWS, 5)
    return x, (np.arange(ROWS) * 5 % 3).astype("int32")


def classifier(*, regularizer=None, constraint=None):
    keras.utils.set_random_seed(7)
    return keras.Sequential([keras.layers.Dense(4, activation="relu", kernel_regularizer=regularizer, kernel_constraint=constraint),
                             keras.layers.Dense(3, activation="softmax")])


def compiled(model, optimizer="adam", **arguments):
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", **{"metrics": ["accuracy"], **arguments})
    return model


def plain():
    x, y = data()
    return compiled(classifier()).fit(x, y, batch_size=8, epochs=3, verbose=0).history


def weighted():
    x, y = data()
    model = compiled(classifier(), weighted_metrics=["accuracy"])
    weights = (np.arange(ROWS) % 4 / 2).astype("float32")
    return model.fit(x, y, batch_size=8, epochs=2, sample_weight=weights, verbose=0).history


def class_weights():
    x, y = data()
    model = compiled(classifier(), weighted_metrics=["sparse_categorical_crossentropy"])
    return model.fit(x, y, batch_size=8, epochs=2, class_weight={0: 0.5, 1: 2.0}, validation_split=0.3, verbose=0).history


def two_outputs():
    keras.utils.set_random_seed(7)
    x, y = data()
    inputs = keras.Input((5,))
    hidden = keras.layers.Dense(4, activation="tanh")(inputs)
    a = keras.layers.Dense(2, name="a")(hidden)
    b = keras.layers.Dense(3, activation="softmax", name="b")(hidden)
    model = keras.Model(inputs, [a, b])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=["mse", "categorical_crossentropy"], loss_weights=[0.5, 2.0],
                  metrics=[["mae"], ["mae"]])
    targets = [rows(ROWS, 2, 4, 1), np.eye(3, dtype="float32")[y]]
    history = model.fit(x, targets, batch_size=8, epochs=2, verbose=0).history
    history["evaluate"] = model.evaluate(x, targets, batch_size=8, verbose=0)
    return history


def continued_steps():
    x, y = data()
    return compiled(classifier()).fit(x, y, batch_size=8, epochs=4, steps_per_epoch=2, verbose=0).history


def steps_without_batch_size():
    x, y = data()
    return compiled(classifier()).fit(x, y, epochs=2, steps_per_epoch=3, verbose=0).history


def validated():
    x, y = data()
    weights = (np.arange(ROWS) % 3).astype("float32")
    return compiled(classifier()).fit(x, y, batch_size=8, epochs=4, validation_data=(x, y, weights), validation_freq=2, validation_steps=2,
                                      validation_batch_size=4, verbose=0).history


def regularized():
    x, y = data()
    model = compiled(classifier(regularizer=keras.regularizers.L2(0.02), constraint=keras.constraints.NonNeg()),
                     keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.8, loss_scale_factor=8.0))
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0).history
    history["evaluate"] = model.evaluate(x, y, batch_size=8, verbose=0)
    return history


def normalized():
    keras.utils.set_random_seed(7)
    x, y = data()
    model = compiled(keras.Sequential([keras.layers.Dense(4, use_bias=False), keras.layers.BatchNormalization(momentum=0.7),
                                       keras.layers.ReLU(), keras.layers.Dropout(0.25), keras.layers.Dense(3, activation="softmax")]),
                     keras.optimizers.SGD(0.2))
    history = model.fit(x, y, batch_size=8, epochs=3, verbose=0).history
    history["moving_mean"] = model.layers[1].moving_mean.numpy()
    history["moving_variance"] = model.layers[1].moving_variance.numpy()
    history["evaluate"] = model.evaluate(x, y, verbose=0)
    return history


def scheduled():
    x, y = data()
    model = compiled(classifier(), keras.optimizers.SGD(0.5))
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    return model.fit(x, y, batch_size=8, initial_epoch=2, epochs=5, callbacks=[schedule], verbose=0).history


def single_batches():
    x, y = data()
    model = compiled(classifier())
    history = {"train_on_batch": [], "test_on_batch": []}
    for begin in range(0, 18, 6):
        part = slice(begin, begin + 6)
        history["train_on_batch"] += model.train_on_batch(x[part], y[part], class_weight={0: 0.5, 1: 2.0})
        history["test_on_batch"] += model.test_on_batch(x[part], y[part], sample_weight=np.arange(6, dtype="float32"))
    return history


def frozen():
    x, y = data()
    model = classifier()
    model.layers[0].trainable = False
    return compiled(model).fit(x, y, batch_size=8, epochs=2, verbose=0).history


FITS = [plain, weighted, class_weights, two_outputs, continued_steps, steps_without_batch_size, validated, regularized, normalized, scheduled,
        single_batches, frozen]


def write_fits():
    out = HEAD % "fit_cases.h"
    out += "static const struct {\n    const char *name, *key; /* keys in the history's order */\n    size_t count;\n    double value[12];\n} fit_cases[] = {\n"
    for fit in FITS:
        for key, values in fit().items():
            out += '    { "%s", "%s", %d, %s },\n' % (fit.__name__, key, len(values), numbers(values))
    open(os.path.join(HERE, "fit_cases.h"), "w").write(out + "};\n")


# --- callbacks: values of the logs are set, what the callback does is recorded ----------------------------------------------
class Script(keras.callbacks.Callback):
    """Puts numbers into the logs of an epoch, and keeps the weight that the epoch ended with."""

    def __init__(self, key, values):
        super().__init__()
        self.key, self.values, self.weights = key, values, []

    def on_epoch_end(self, epoch, logs=None):
        logs[self.key] = self.values[epoch]
        self.weights.append(float(self.model.get_weights()[0][0, 0]))


def scripted(callback, key, values):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss="mse", metrics=["mae"])
    script = Script(key, values)
    history = model.fit(np.ones((2, 1)), np.zeros((2, 1)), epochs=len(values), verbose=0, callbacks=[script, callback])
    return model, script, history


FALLING = [1.0, 0.9, 0.95, 0.85, 0.86, 0.87, 0.88, 0.8]
RISING = [0.1, 0.3, 0.2, 0.25, 0.3, 0.35, 0.1, 0.1]
UNSURE = [1.0, float("nan"), 0.9, 0.9, 0.9, 0.5, 0.5, 0.4]
STOPS = [
    (dict(), FALLING), (dict(patience=1), FALLING), (dict(patience=3), FALLING), (dict(patience=2, min_delta=0.06), FALLING),
    (dict(patience=2, restore_best_weights=True), FALLING), (dict(patience=1, baseline=0.7, restore_best_weights=True), FALLING),
    (dict(patience=4, baseline=0.86, restore_best_weights=True), FALLING), (dict(start_from_epoch=4, restore_best_weights=True), FALLING),
    (dict(mode="max"), FALLING), (dict(mode="max", patience=2, restore_best_weights=True), RISING),
    (dict(monitor="val_mean_absolute_error", mode="min", patience=1), FALLING), (dict(monitor="mae", patience=1), RISING),
    (dict(patience=1, restore_best_weights=True), UNSURE), (dict(patience=20, restore_best_weights=True), FALLING),
]
PLATEAUS = [
    dict(patience=1), dict(factor=0.5, patience=2, cooldown=2), dict(factor=0.5, patience=1, min_lr=0.002), dict(patience=1, min_delta=0.1),
    dict(patience=0, factor=0.5, mode="max"), dict(factor=0.9, patience=1, cooldown=1, min_delta=0.0),
]
CHECKPOINTS = [
    (dict(filepath="{epoch:02d}-{val_loss:.2f}.weights.h5", save_weights_only=True), FALLING),
    (dict(filepath="best-{epoch}.weights.h5", save_weights_only=True, save_best_only=True), FALLING),
    (dict(filepath="{epoch}.weights.h5", save_weights_only=True, save_best_only=True, initial_value_threshold=0.88), FALLING),
    (dict(filepath="{epoch}.weights.h5", save_weights_only=True, save_best_only=True, mode="max"), FALLING),
    (dict(filepath="e{epoch}-b{batch}.weights.h5", save_weights_only=True, save_freq=3), FALLING),
    (dict(filepath="deep/{epoch}/m.weights.h5", save_weights_only=True), FALLING[:2]),
]
C_WORDS = {True: "true", False: "false"}


def options(arguments):
    return ", ".join(".%s = %s" % (k, C_WORDS[v] if isinstance(v, bool) else '"%s"' % v if isinstance(v, str) else v) for k, v in arguments.items())


def write_stops(out):
    out += "/* EarlyStopping: epochs that ran, and the epoch whose weights were there in the end. */\n"
    out += "static const struct {\n    tn_early_stopping_options options;\n    double script[8];\n    int64_t epochs, weights_of;\n} stop_cases[] = {\n"
    for arguments, values in STOPS:
        callback = keras.callbacks.EarlyStopping(**arguments)
        model, script, history = scripted(callback, arguments.get("monitor", "val_loss"), values)
        last = float(model.get_weights()[0][0, 0])
        out += "    { STOP(%s), %s, %d, %d },\n" % (options(arguments) or ".patience = 0", numbers(values), len(history.epoch), script.weights.index(last))
    return out + "};\n\n"


def write_plateaus(out):
    out += "/* ReduceLROnPlateau: the learning rate that each epoch logs, and the last one. */\n"
    out += "static const struct {\n    tn_reduce_lr_on_plateau_options options;\n    double rate[8], last;\n} plateau_cases[] = {\n"
    for arguments in PLATEAUS:
        callback = keras.callbacks.ReduceLROnPlateau(**arguments)
        model, script, history = scripted(callback, "val_loss", FALLING)
        out += "    { PLATEAU(%s), %s, %s },\n" % (options(arguments), numbers(history.history["learning_rate"]), number(model.optimizer.learning_rate.numpy()))
    return out + "};\n\n"


def written_files(folder):
    found = []
    for path, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(path, name), folder) for name in names]
    return " ".join(sorted(found))


def write_checkpoints(out):
    out += "/* ModelCheckpoint: the files that are there in the end, two batches an epoch. */\n"
    out += "static const struct {\n    tn_model_checkpoint_options options;\n    int64_t epochs;\n    const char *files;\n} checkpoint_cases[] = {\n"
    for arguments, values in CHECKPOINTS:
        with tempfile.TemporaryDirectory() as folder:
            callback = keras.callbacks.ModelCheckpoint(**{**arguments, "filepath": os.path.join(folder, arguments["filepath"])})
            model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
            model.compile(optimizer="sgd", loss="mse")
            model.fit(np.ones((2, 1)), np.zeros((2, 1)), batch_size=1, epochs=len(values), verbose=0,
                      callbacks=[Script("val_loss", values), callback])
            out += '    { CHECKPOINT(%s), %d, "%s" },\n' % (options(arguments), len(values), written_files(folder))
    return out + "};\n\n"


def write_csv(out):
    out += "/* CSVLogger: the file. */\n"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "log.csv")
        for append in (False, True):
            model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
            model.compile(optimizer="sgd", loss="mse")
            model.fit(np.ones((2, 1)), np.zeros((2, 1)), epochs=3, verbose=0,
                      callbacks=[Script("loss", [0.1, 1e-7, float("inf")]), Script("a;b", [1 / 3, 2.0, 1e20]),
                                 keras.callbacks.CSVLogger(path, separator=";", append=append)])
        text = open(path, newline="").read()
    return out + "static const char csv_text[] =\n" + "\n".join('    "%s\\r\\n"' % line.replace('"', '\\"') for line in text.split("\r\n")[:-1]) + ";\n\n"


PATHS = ["plain", "{epoch}", "{epoch:02d}-{loss:.2f}", "{loss}", "{loss:8.3f}|{loss:<8.1f}|{loss:^9.2e}|{loss:+g}", "{epoch:>4}{{x}}{epoch:04}",
         "{loss:.1%}", "{small}", "{small:.3E}", "{negative:06.1f}", "{negative:*<9.1f}", "{epoch:.1f}", "{loss:=+9.3f}", "{batch}", "{epoch: d}"]


def write_paths(out):
    out += "/* str.format with epoch 7, batch 12, loss 0.123456789, small 1e-07, negative -2.5. */\n"
    out += "static const struct {\n    const char *pattern, *path;\n} path_cases[] = {\n"
    for pattern in PATHS:
        out += '    { "%s", "%s" },\n' % (pattern, pattern.format(epoch=7, batch=12, loss=0.123456789, small=1e-07, negative=-2.5))
    return out + "};\n"


def write_callbacks():
    out = HEAD % "callback_cases.h"
    out += "TN_DEFAULTS_ON /* defaults first, then what a case says over them */\n"
    out += "#define STOP(...) { .monitor = \"val_loss\", .mode = \"auto\", .baseline = TN_NOT_GIVEN, __VA_ARGS__ }\n"
    out += "#define PLATEAU(...) { .monitor = \"val_loss\", .mode = \"auto\", .factor = 0.1, .patience = 10, .min_delta = 1e-4, __VA_ARGS__ }\n"
    out += "#define CHECKPOINT(...) { .monitor = \"val_loss\", .mode = \"auto\", .initial_value_threshold = TN_NOT_GIVEN, __VA_ARGS__ }\n"
    out = write_paths(write_csv(write_checkpoints(write_plateaus(write_stops(out)))))
    open(os.path.join(HERE, "callback_cases.h"), "w").write(out + "TN_DEFAULTS_OFF\n")


if __name__ == "__main__":
    write_optimizers()
    write_sliced()
    write_fits()
    write_callbacks()
