#!/usr/bin/env python3
"""Writes resize_cases.h: what TensorFlow makes of an image of another size, and the gradient.

Needs TensorFlow 2.21: make_resize_cases.py > resize_cases.h"""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tensorflow as tf
from make_nn_cases import cotangent, image, show

raw = tf.raw_ops


def resized(name, forward, size, **attrs):
    x = image(1, 4, 5, 2)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = forward(images=x, size=size, **attrs)
        loss = tf.reduce_sum(y * cotangent(y))
    show(**{name + "_y": y, name + "_dx": tape.gradient(loss, x)})


def scaled(name, size, kernel, antialias):
    resized(name, raw.ScaleAndTranslate, size, scale=[size[0] / 4, size[1] / 5], translation=[0.0, 0.0],
            kernel_type=kernel, antialias=antialias)


def main():
    print("/* resize_cases.h - what TensorFlow %s gives; made by make_resize_cases.py. */" % tf.__version__)
    half, corners = dict(half_pixel_centers=True), dict(align_corners=True)
    resized("bilinear_half", raw.ResizeBilinear, [6, 3], **half)
    resized("bilinear_corners", raw.ResizeBilinear, [7, 2], **corners)
    resized("bilinear_plain", raw.ResizeBilinear, [2, 9])
    resized("bicubic_half", raw.ResizeBicubic, [6, 3], **half)
    resized("bicubic_corners", raw.ResizeBicubic, [7, 2], **corners)
    resized("nearest_half", raw.ResizeNearestNeighbor, [6, 3], **half)
    resized("nearest_corners", raw.ResizeNearestNeighbor, [7, 2], **corners)
    scaled("lanczos3", [6, 3], "lanczos3", False)
    scaled("lanczos5_smooth", [2, 3], "lanczos5", True)
    scaled("triangle_smooth", [2, 3], "triangle", True)
    scaled("keyscubic_smooth", [2, 12], "keyscubic", True)
    scaled("gaussian", [6, 3], "gaussian", False)
    scaled("box_smooth", [2, 3], "box", True)
    scaled("mitchell_smooth", [2, 3], "mitchellcubic", True)
    x = image(1, 4, 5, 2)
    show(area_y=raw.ResizeArea(images=x, size=[6, 3]), area_small_y=raw.ResizeArea(images=x, size=[2, 2]),
         moved_y=raw.ScaleAndTranslate(images=x, size=[4, 4], scale=[0.5, 2.0], translation=[1.0, -0.7],
                                       kernel_type="lanczos3", antialias=True),
         ratio_y=tf.image.resize(x, [8, 6], preserve_aspect_ratio=True))


main()
