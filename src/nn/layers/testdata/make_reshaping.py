"""Writes reshaping.h: what the real Keras gives for the layers that give elements another place.

    $(sh tests/interop/venv.sh | tail -n 1) src/nn/layers/testdata/make_reshaping.py
"""
from keras_layers import K, call, layer_input, write

cube, image, volume = layer_input(2, 3, 4), layer_input(1, 4, 5, 2), layer_input(1, 3, 3, 4, 1)
write("reshaping.h", {
    "padded1d": call(K.ZeroPadding1D((1, 2)), cube),
    "padded2d": call(K.ZeroPadding2D(((1, 0), (2, 1))), image),
    "padded2d_first": call(K.ZeroPadding2D((1, 0), data_format="channels_first"), image),
    "padded3d": call(K.ZeroPadding3D((0, 1, 0)), volume),
    "cropped1d": call(K.Cropping1D(1), cube),
    "cropped2d": call(K.Cropping2D(((1, 0), (2, 1))), image),
    "cropped3d": call(K.Cropping3D(), volume),
    "up_sampled1d": call(K.UpSampling1D(3), cube),
    "up_sampled2d": call(K.UpSampling2D((2, 3)), image),
    "up_sampled2d_first": call(K.UpSampling2D(data_format="channels_first"), image),
    "up_sampled2d_bilinear": call(K.UpSampling2D((2, 3), interpolation="bilinear"), image),
    "up_sampled2d_bicubic": call(K.UpSampling2D(2, "channels_first", "bicubic"), image),
    "up_sampled3d": call(K.UpSampling3D((2, 1, 2)), volume),
    "permuted": call(K.Permute((3, 1, 2)), image),
})
