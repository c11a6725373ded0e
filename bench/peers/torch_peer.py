"""torch, eager, with its fused Adam: W2 to W5, W7, W8."""
import torch
import torch.nn.functional as F
from peer import THREADS, bench, times
from torch import nn

torch.set_num_threads(THREADS)
torch.set_num_interop_threads(1)
torch.manual_seed(0)
PEER = f"torch {torch.__version__.split('+')[0]}"


def eager():
    eight, three = torch.ones(8), torch.tensor(3.0, requires_grad=True)
    with torch.inference_mode():
        bench("W2_add_vec8", PEER, "ns", times(300, lambda: eight + eight), 300)
        for n in (16, 64):
            a = torch.randn(n, n)
            bench(f"W2_matmul_{n}", PEER, "ns", times(300, lambda: a @ a), 300)
    bench("W2_tape_square_grad", PEER, "ns", times(100, lambda: torch.autograd.grad(three * three, three)), 100)


def dense(*sizes):
    layers = []
    for i, o in zip(sizes, sizes[1:]):
        layers += [nn.Linear(i, o), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10))


def training(workload, metric, model, x, rate):
    y = torch.randint(0, 10, (len(x),))
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
    bench(workload, PEER, metric, step)


def models():
    training("W3_seed_step", "us", dense(10, 128, 10), torch.randn(100, 10), 0.01)
    training("W4_mlp_train", "ms", dense(784, 512, 256, 10), torch.randn(64, 784), 1e-3)
    training("W5_cnn_train", "ms", cnn(), torch.randn(64, 1, 28, 28), 1e-3)
    with torch.inference_mode():
        small, one = nn.Sequential(dense(64, 128, 10), nn.Softmax(1)).eval(), torch.randn(1, 64)
        bench("W3_predict_b1", PEER, "us", lambda: small(one))
        model = nn.Sequential(cnn(), nn.Softmax(1)).eval()
        for batch in (1, 64):
            images = torch.randn(batch, 1, 28, 28)
            bench(f"W5_cnn_infer_b{batch}", PEER, "ms", lambda: model(images))


def arrays():
    for n in (16, 64, 128, 256, 512, 1024, 2048):
        a, out = torch.randn(n, n), torch.empty(n, n)
        bench(f"W7_sgemm_{n}", PEER, "us", lambda: torch.mm(a, a, out=out))
    x, z, y = torch.randn(16 << 20), torch.randn(4096, 1024), torch.empty(16 << 20)
    scale, offset = torch.ones(1024), torch.zeros(1024)

    def line():
        torch.mul(x, 1.5, out=y)
        y.add_(-0.3).relu_()
    bench("W8_relu_axb_64MB", PEER, "ms", line)
    bench("W8_reduce_sum_64MB", PEER, "ms", lambda: x.sum().item())
    bench("W8_softmax_4096x1024", PEER, "ms", lambda: torch.softmax(z, 1))
    bench("W8_layernorm_4096x1024", PEER, "ms", lambda: F.layer_norm(z, (1024,), scale, offset))


eager()
models()
with torch.inference_mode():
    arrays()
