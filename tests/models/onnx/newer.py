"""Operators of ONNX's later versions beside PyTorch: one network for each, its input and output.

Usage: newer.py OUT
"""
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
torch.manual_seed(1)
x = torch.randn(2, 6, 9, 7)
scale, shift = torch.randn(3), torch.randn(3)
wide, low = torch.randn(6), torch.randn(6)
cases = []


def case(name, opset, nodes, expected, weights=(), source=x, batch=None):
    if source.dim() == 3:  # comes in as a picture of one channel
        reshape = helper.make_node("Reshape", ["x", "sizes of x"], ["lines"])
        for each in nodes:
            each.input[:] = ["lines" if key == "x" else key for key in each.input]
        nodes = [reshape, *nodes]
        weights = [*weights, ("sizes of x", np.array(source.shape, np.int64))]
        source = source[:, None]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch or source.shape[0], *source.shape[1:]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    with open(f"{out}/{name}.onnx", "wb") as file:
        file.write(model.SerializeToString())
    source.contiguous().numpy().astype("<f4").tofile(f"{out}/{name}.in")
    expected.contiguous().numpy().astype("<f4").tofile(f"{out}/{name}.out")
    cases.append([name, list(source.shape), list(expected.shape)])


def node(kind, inputs=("x",), **attributes):
    return helper.make_node(kind, list(inputs), ["y"], **attributes)


i64 = lambda *values: np.array(values, np.int64)
grouped = F.group_norm(x, 3, eps=1e-3)
repeat = lambda value: value.repeat_interleave(2)[None, :, None, None]
case("group_norm_18", 18, [node("GroupNormalization", ("x", "s", "b"), num_groups=3, epsilon=1e-3)],
     grouped * repeat(scale) + repeat(shift), [("s", scale), ("b", shift)])
case("group_norm_21", 21, [node("GroupNormalization", ("x", "s", "b"), num_groups=3, epsilon=1e-3)],
     F.group_norm(x, 3, wide, low, 1e-3), [("s", wide), ("b", low)])
case("mish", 18, [node("Mish")], F.mish(x))
case("gelu", 20, [node("Gelu")], F.gelu(x))
case("gelu_tanh", 20, [node("Gelu", approximate="tanh")],
     x * 0.5 * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x ** 3))))
case("reduce_mean_18", 18, [node("ReduceMean", ("x", "axes"), keepdims=0)], x.mean((2, 3)),
     [("axes", i64(2, -1))])
case("reduce_max_18", 18, [node("ReduceMax", ("x", "axes"))], x.amax((1,), keepdim=True),
     [("axes", i64(1))])
case("split_18", 18, [helper.make_node("Split", ["x"], ["a", "b"], axis=1, num_outputs=2),
                      helper.make_node("Sub", ["a", "b"], ["y"])], x[:, :3] - x[:, 3:])
case("pad_18", 18, [node("Pad", ("x", "pads", "", "axes"), mode="reflect")],
     F.pad(x, (2, 1, 0, 3), mode="reflect"), [("pads", i64(0, 2, 3, 1)), ("axes", i64(-2, 3))])
case("pad_value", 13, [node("Pad", ("x", "pads", "value"))], F.pad(x, (1, 2, 3, 0), value=-2.5),
     [("pads", i64(0, 0, 3, 1, 0, 0, 0, 2)), ("value", np.float32(-2.5))])
for name, mode, size in [("linear", "bilinear", (4, 3)), ("cubic", "bicubic", (5, 3))]:
    case(f"resize_antialias_{name}", 18,
         [node("Resize", ("x", "", "", "sizes"), mode=name, antialias=1, axes=[2, 3],
               cubic_coeff_a=-0.5, coordinate_transformation_mode="half_pixel")],
         F.interpolate(x, size, mode=mode, antialias=True, align_corners=False), [("sizes", i64(*size))])
case("resize_pytorch", 13,
     [node("Resize", ("x", "", "", "sizes"), mode="cubic",
           coordinate_transformation_mode="pytorch_half_pixel")],
     F.interpolate(x, (13, 11), mode="bicubic", align_corners=False), [("sizes", i64(2, 6, 13, 11))])
case("upsample_9", 9, [node("Upsample", ("x", "scales"), mode="nearest")],
     F.interpolate(x, scale_factor=2), [("scales", np.array([1, 1, 2, 2], np.float32))])
case("layer_norm", 17, [node("LayerNormalization", ("x", "s", "b"), axis=-1, epsilon=1e-3)],
     F.layer_norm(x, (7,), torch.arange(7.0), torch.ones(7), 1e-3),
     [("s", np.arange(7, dtype=np.float32)), ("b", np.ones(7, np.float32))])
kernel = torch.randn(6, 2, 3, 3)
case("conv_transpose_groups", 13,
     [node("ConvTranspose", ("x", "w"), strides=[2, 3], group=2, pads=[1, 0, 1, 2], dilations=[1, 2],
           output_padding=[1, 0])],
     F.conv_transpose2d(x, kernel, stride=(2, 3), groups=2, padding=(1, 0), dilation=(1, 2),
                        output_padding=(1, 0))[..., :-2], [("w", kernel)])
flat = torch.randn(2, 5, 7)
weight = torch.randn(7, 4)
case("matmul_3d", 13, [node("MatMul", ("x", "w"))], flat @ weight, [("w", weight)], flat)
case("attention", 13, [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
                       helper.make_node("MatMul", ["x", "t"], ["m"]),
                       helper.make_node("Softmax", ["m"], ["a"], axis=-1),
                       helper.make_node("MatMul", ["a", "x"], ["y"])],
     torch.softmax(flat @ flat.transpose(1, 2), -1) @ flat, (), flat)
case("celu", 13, [node("Celu", alpha=0.7)], F.celu(x, 0.7))
last = torch.randn(378, 4)
# A graph made for one picture, run for two.
case("fixed_batch", 13, [helper.make_node("Reshape", ["x", "shape"], ["flat"]),
                         helper.make_node("MatMul", ["flat", "w"], ["y"])], x.reshape(2, -1) @ last,
     [("shape", i64(1, -1)), ("w", last)], batch=1)

with open(f"{out}/cases.json", "w") as file:
    json.dump(cases, file)
