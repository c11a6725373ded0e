"""jax: W2 to W4, W7, W8, compiled by XLA."""
import os

from peer import THREADS, bench, times

if THREADS == 1 and hasattr(os, "sched_setaffinity"):  # its flags for threads do not bind all that it makes
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import jax  # noqa: E402  (it counts the processors when it is loaded)
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

PEER = f"jax {jax.__version__}"
random = np.random.default_rng(0)


def normal(*shape):
    return jnp.asarray(random.standard_normal(shape, dtype="float32"))


def full_step(sizes, batch, rate):
    """One step of Adam over a network of dense layers, as one compiled function."""
    weights = [(normal(i, o) * (2 / i) ** 0.5, jnp.zeros(o)) for i, o in zip(sizes, sizes[1:])]
    x, y = normal(batch, sizes[0]), jax.nn.one_hot(random.integers(0, sizes[-1], batch), sizes[-1])

    def loss(weights, x, y):
        for i, (w, b) in enumerate(weights):
            x = x @ w + b
            if i < len(weights) - 1:
                x = jax.nn.relu(x)
        return -jnp.mean(jnp.sum(jax.nn.log_softmax(x) * y, 1))

    @jax.jit
    def step(weights, first, second, count, x, y):
        value, gradients = jax.value_and_grad(loss)(weights, x, y)
        count = count + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
        size = rate * jnp.sqrt(1 - 0.999 ** count) / (1 - 0.9 ** count)
        weights = jax.tree.map(lambda p, m, v: p - size * m / (jnp.sqrt(v) + 1e-7), weights, first, second)
        return weights, first, second, count, value

    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = [(weights, zeros, zeros, jnp.float32(0))]

    def run():
        *left, value = step(*state[0], x, y)
        state[0] = tuple(left)
        value.block_until_ready()
    return run


eight, one = jnp.ones(8), jnp.float32(1)
bench("W2_add_vec8", PEER, "ns", times(100, lambda: eight + eight), 100)
for n in (16, 64):
    a = normal(n, n)
    bench(f"W2_matmul_{n}", PEER, "ns", times(100, lambda: (a @ a).block_until_ready()), 100)
add = jax.jit(lambda a, b: a + b)
bench("W2_call_traced_fn", PEER, "ns", times(100, lambda: add(one, one)), 100)
bench("W3_seed_step", PEER, "us", full_step([10, 128, 10], 100, 0.01))
bench("W4_mlp_train", PEER, "ms", full_step([784, 512, 256, 10], 64, 1e-3))
for n in (16, 64, 128, 256, 512, 1024, 2048):
    b = normal(n, n)
    bench(f"W7_sgemm_{n}", PEER, "us", lambda: (b @ b).block_until_ready())
x = normal(16 << 20)
line = jax.jit(lambda v: jax.nn.relu(v * 1.5 - 0.3))
bench("W8_relu_axb_64MB", PEER, "ms", lambda: line(x).block_until_ready())
