"""Draws models for random_models.py: layers that fit a tensor, and a graph of them."""

import math

import keras
import numpy as np

L = keras.layers
ACTIVATIONS = ["relu", "elu", "selu", "gelu", "tanh", "sigmoid", "softplus", "softsign", "silu", "leaky_relu", "hard_sigmoid", "mish", "linear"]
INITIALIZERS = ["glorot_uniform", "he_normal", "lecun_uniform", "orthogonal", "random_normal", "truncated_normal"]


# --- arguments -------------------------------------------------------------------------------------------------------------
def now_and_then(r, share, choices):
    return r.choice(choices)() if r.random() < share else None


def regularizer(r):
    k = keras.regularizers
    return now_and_then(r, 0.2, [lambda: k.L1(0.01), lambda: k.L2(0.02), lambda: k.L1L2(0.01, 0.03)])


def constraint(r):
    k = keras.constraints
    return now_and_then(r, 0.12, [lambda: k.MaxNorm(1.2), lambda: k.NonNeg(), lambda: k.UnitNorm(), lambda: k.MinMaxNorm(0.5, 1.5, 0.9)])


def weighted(r):
    """What layers with a kernel take."""
    return {"activation": r.choice(ACTIVATIONS) if r.random() < 0.6 else None, "use_bias": r.random() < 0.8,
            "bias_regularizer": regularizer(r), "bias_constraint": constraint(r),
            "activity_regularizer": now_and_then(r, 0.06, [lambda: keras.regularizers.L2(0.01)])}


def kernel(r, name="kernel"):
    return {f"{name}_initializer": r.choice(INITIALIZERS), f"{name}_regularizer": regularizer(r), f"{name}_constraint": constraint(r)}


def window(r, shape, largest=3):
    return tuple(r.randint(1, min(largest, d)) for d in shape)


def padding(r):
    return r.choice(["valid", "same"])


def seed(r):
    return r.randint(1, 10**6)


# --- layers that fit (batch, *shape); None: this one does not -------------------------------------------------------------
def dense(r, shape):
    return L.Dense(r.randint(2, 6), **weighted(r), **kernel(r))


def batch_normalization(r, shape):
    return L.BatchNormalization(axis=r.choice([-1, -1, 1]), momentum=r.choice([0.99, 0.9, 0.6]), epsilon=r.choice([1e-3, 1e-2]), center=r.random() < 0.8,
                                scale=r.random() < 0.8, gamma_regularizer=regularizer(r))


def normalization(r, shape):
    if r.random() < 0.5:
        return L.Normalization(mean=[0.1 * i for i in range(shape[-1])], variance=[1 + 0.2 * i for i in range(shape[-1])], invert=r.random() < 0.2)
    layer = L.Normalization(axis=r.choice([-1, None]))
    layer.adapt(np.reshape(np.cos(np.arange(4 * math.prod(shape))), (4, *shape)).astype("float32"))
    return layer


def softmax(r, shape):
    """Of more than one element (TensorFlow's softmax of one is 0.99999994, whose gradient of 1e-8 Adafactor makes whole steps of)."""
    axis = r.choice([-1, 1, [1, 2]] if len(shape) > 1 else [-1])
    size = {-1: shape[-1], 1: shape[0]}.get(axis) if isinstance(axis, int) else shape[0] * shape[1]
    return L.Softmax(axis=axis) if size > 1 else L.Identity()


def reshape(r, shape):
    size = math.prod(shape)
    d = r.choice([k for k in range(1, size + 1) if size % k == 0])
    return L.Reshape(r.choice([(d, size // d), (-1, d), (size,), (d, 1, size // d)]))


def relu(r, shape):
    return L.ReLU(max_value=r.choice([None, 1.5]), negative_slope=r.choice([0, 0.1]), threshold=r.choice([0, 0.2]))


def dropout(r, shape):
    noise = (None, *(r.choice([None, 1]) for _ in shape)) if r.random() < 0.3 else None
    return L.Dropout(r.choice([0.2, 0.5]), noise_shape=noise, seed=seed(r))


def group_normalization(r, shape):
    return L.GroupNormalization(groups=r.choice([k for k in range(1, shape[-1] + 1) if shape[-1] % k == 0]), epsilon=r.choice([1e-3, 1e-2]),
                                gamma_regularizer=regularizer(r), beta_constraint=constraint(r))


def layer_normalization(r, shape):
    return L.LayerNormalization(axis=r.choice([-1, 1, [1, 2]] if len(shape) > 1 else [-1]), center=r.random() < 0.8, scale=r.random() < 0.8,
                                epsilon=r.choice([1e-3, 1e-2]), gamma_regularizer=regularizer(r))


def prelu(r, shape):
    return L.PReLU(alpha_initializer="random_uniform", alpha_regularizer=regularizer(r), alpha_constraint=constraint(r),
                   shared_axes=r.choice([None, [1]] if len(shape) == 1 else [None, [1], list(range(1, len(shape)))]))


ANY = [
    dense,
    dense,
    dense,
    batch_normalization,
    normalization,
    softmax,
    reshape,
    relu,
    dropout,
    lambda r, s: L.Activation(r.choice(ACTIVATIONS)),
    lambda r, s: L.Rescaling(r.choice([0.5, 1.5, [1 + 0.1 * i for i in range(s[-1])]]), offset=r.choice([0, 0.2])),
    lambda r, s: L.ActivityRegularization(l1=r.choice([0, 0.01]), l2=0.02),
    lambda r, s: L.Flatten(),
    group_normalization,
    layer_normalization,
    prelu,
    lambda r, s: L.RMSNormalization(axis=-1, epsilon=r.choice([1e-6, 1e-2])),
    lambda r, s: L.UnitNormalization(axis=r.choice([-1, 1])),
    lambda r, s: L.LeakyReLU(r.choice([0.3, 0.1])),
    lambda r, s: L.ELU(r.choice([1.0, 0.5])),
    lambda r, s: L.Identity(),
    lambda r, s: L.GaussianNoise(0.2, seed=seed(r)),
    lambda r, s: L.GaussianDropout(0.2, seed=seed(r)),
    lambda r, s: L.AlphaDropout(0.2, seed=seed(r)),
]


def conv2d(r, shape):
    strides = r.choice([1, 1, 2, (2, 1)])
    return L.Conv2D(r.randint(1, 5), window(r, shape[:2]), strides=strides, padding=padding(r), **weighted(r), **kernel(r))


def depthwise_conv2d(r, shape):
    return L.DepthwiseConv2D(window(r, shape[:2]), strides=r.choice([1, 1, 2]), padding=padding(r), depth_multiplier=r.randint(1, 2), **weighted(r),
                             **kernel(r, "depthwise"))


def separable_conv2d(r, shape):
    return L.SeparableConv2D(r.randint(1, 4), window(r, shape[:2]), strides=r.choice([1, 1, 2]), padding=padding(r), depth_multiplier=r.randint(1, 2),
                             **weighted(r), **kernel(r, "depthwise"), **kernel(r, "pointwise"))


def conv2d_transpose(r, shape):
    return L.Conv2DTranspose(r.randint(1, 3), window(r, shape[:2]), strides=r.choice([1, 2, (1, 2)]), padding=padding(r), **weighted(r), **kernel(r))


def conv1d(r, shape):
    return L.Conv1D(r.randint(1, 5), window(r, shape[:1]), padding=r.choice(["valid", "same", "causal"]), strides=r.choice([1, 1, 2]), **weighted(r),
                    **kernel(r))


def pairs(r, most):
    return r.choice([r.randint(0, most), (r.randint(0, most), r.randint(0, most)), ((r.randint(0, most), 1), (0, r.randint(0, most)))])


def max_pooling2d(r, shape):
    return L.MaxPooling2D(window(r, shape[:2]), strides=r.choice([None, 1, 2]), padding=padding(r))


def average_pooling2d(r, shape):
    return L.AveragePooling2D(window(r, shape[:2]), strides=r.choice([None, 1, 2]), padding=padding(r))


BY_RANK = {
    1: [lambda r, s: L.RepeatVector(r.randint(2, 4))],
    2: [
        lambda r, s: L.Masking(0.0),
        lambda r, s: L.Masking(0.0),
        lambda r, s: L.Permute((2, 1)),
        lambda r, s: L.SpatialDropout1D(0.3, seed=seed(r)),
        lambda r, s: L.GlobalAveragePooling1D(),
        conv1d,
    ],
    3: [
        conv2d,
        conv2d,
        conv2d,
        depthwise_conv2d,
        max_pooling2d,
        average_pooling2d,
        lambda r, s: L.GlobalAveragePooling2D(keepdims=r.random() < 0.4),
        lambda r, s: L.SpatialDropout2D(0.3, seed=seed(r)),
        separable_conv2d,
        conv2d_transpose,
        lambda r, s: L.GlobalMaxPooling2D(keepdims=r.random() < 0.4),
        lambda r, s: L.ZeroPadding2D(pairs(r, 2)),
        lambda r, s: L.Cropping2D(pairs(r, (min(s[:2]) - 1) // 2) if min(s[:2]) > 2 else 0),
        lambda r, s: L.UpSampling2D(r.choice([2, (1, 2), (2, 1)])),
        lambda r, s: L.Permute(r.choice([(2, 1, 3), (3, 1, 2), (1, 3, 2)])),
    ],
}

# Several tensors of one shape.
MERGING = [
    lambda r, s: L.Add(),
    lambda r, s: L.Concatenate(axis=r.choice([-1, 1])),
    lambda r, s: L.Subtract(),
    lambda r, s: L.Multiply(),
    lambda r, s: L.Average(),
    lambda r, s: L.Maximum(),
    lambda r, s: L.Minimum(),
    lambda r, s: L.Dot(axes=r.choice([-1, 1]), normalize=r.random() < 0.3),
]


# --- a graph -----------------------------------------------------------------------------------------------------------------
class Drawing:
    """Draws models; `nested` are those within the last one, `words` is how many an Embedding knows."""

    words = 20
    largest = 400  # elements of one sample

    def __init__(self, r, g):
        self.r, self.g, self.nested, self.made = r, g, [], []

    def input(self):
        r = self.r
        rank = r.choice([0, 1, 1, 2, 2, 3, 3, 3])
        if rank == 0:  # words
            return keras.Input((r.randint(2, 5),), dtype="int32")
        if rank == 1:
            return keras.Input((r.randint(2, 7),))
        if rank == 2:
            return keras.Input((r.randint(2, 5), r.randint(2, 5)))
        return keras.Input((r.randint(4, 8), r.randint(4, 8), r.randint(1, 4)))

    def layer(self, shape):
        """A new layer for a tensor of this shape, or an earlier one of this very model again."""
        r = self.r
        fitting = [layer for layer, known in self.made if known == shape]
        if fitting and r.random() < 0.2:
            return r.choice(fitting)
        layer = r.choice(ANY + BY_RANK.get(len(shape), []) * (2 if len(shape) > 1 else 1))(r, shape)
        if r.random() < 0.07:
            layer.trainable = False
        self.made.append((layer, shape))
        return layer

    def embedding(self):
        r = self.r
        fitting = [layer for layer, known in self.made if known == "words"]
        layer = r.choice(fitting) if fitting and r.random() < 0.5 else L.Embedding(
            self.words, r.randint(2, 4), mask_zero=r.random() < 0.5, embeddings_regularizer=regularizer(r), embeddings_constraint=constraint(r))
        self.made.append((layer, "words"))
        return layer

    def call(self, layer, x):
        y = layer(x)
        return y if math.prod(y.shape[1:]) <= self.largest else L.GlobalAveragePooling2D()(y) if len(y.shape) == 4 else x

    def chain(self, x, count):
        for _ in range(count):
            x = self.call(self.layer(tuple(x.shape[1:])), x)
        return x

    def inner(self, shape):
        """A Sequential or a small functional model of its own layers for tensors of this shape."""
        r, outer = self.r, self.made
        self.made = []
        if r.random() < 0.5:
            model = keras.Sequential([keras.Input(shape)])
            for _ in range(r.randint(1, 3)):
                self.made = []  # Keras writes a layer that stands in it twice as two
                model.add(self.layer(tuple(model.outputs[0].shape[1:]) if model.layers else shape))
        else:
            x = keras.Input(shape)
            y = self.chain(x, r.randint(1, 2))
            z = self.chain(x, r.randint(1, 2))
            model = keras.Model(x, L.Add()([y, z]) if y.shape == z.shape else [y, z] if r.random() < 0.3 else y)
        self.nested.append(model)
        self.made = outer if len(model.outputs) > 1 else [*outer, (model, shape)]
        return model

    def pick(self):
        unused = [x for x in self.tensors if id(x) not in self.used]
        x = self.r.choice(unused if unused and self.r.random() < 0.75 else self.tensors)
        self.used.add(id(x))
        return x

    def partner(self, x):
        """Another tensor of x's shape: one that is there, or one that a Dense makes."""
        same = [y for y in self.tensors if y is not x and tuple(y.shape) == tuple(x.shape)]
        if same:
            y = self.r.choice(same)
            self.used.add(id(y))
            return y
        return L.Dense(x.shape[-1], activation="tanh")(x)

    def grow(self):
        r, x = self.r, self.pick()
        if r.random() < 0.2:
            more = [x, self.partner(x)]
            y = r.choice(MERGING)(r, tuple(x.shape[1:]))(more)
        elif r.random() < 0.12:
            y = self.inner(tuple(x.shape[1:]))(x)
        else:
            y = self.call(self.layer(tuple(x.shape[1:])), x)
        self.tensors += [t for t in (y if isinstance(y, (list, tuple)) else [y]) if t is not x]

    def joined(self, tensors):
        flat = [x if len(x.shape) == 2 else L.GlobalAveragePooling2D()(x) if len(x.shape) == 4 and self.r.random() < 0.5 else L.Flatten()(x) for x in tensors]
        return flat[0] if len(flat) == 1 else L.Concatenate()(flat)

    def model(self, heads):
        """heads: activation and units of each output."""
        r = self.r
        inputs = [self.input() for _ in range(r.choice([1, 1, 1, 2, 3]))]
        self.tensors, self.used = [self.embedding()(x) if x.dtype == "int32" else x for x in inputs], set()
        for _ in range(r.randint(2, 9)):
            self.grow()
        ends = [x for x in self.tensors if id(x) not in self.used]
        outputs = []
        for i, (activation, units) in enumerate(heads):
            mine = ends[i :: len(heads)] or [r.choice(self.tensors)]
            x = mine[0] if len(mine) == 1 and len(mine[0].shape) == 3 and r.random() < 0.6 else self.joined(mine)
            outputs.append(L.Dense(units, activation)(x))
        if len(heads) == len(inputs) == 1 and r.random() < 0.15:
            return self.as_sequential(inputs[0], outputs[0])
        return keras.Model(inputs, outputs[0] if len(outputs) == 1 else outputs)

    @staticmethod
    def as_sequential(x, y):
        """The functional model as one layer of a Sequential."""
        return keras.Sequential([keras.Input(x.shape[1:], dtype=x.dtype), keras.Model(x, y)])
