"""Builds EfficientNet-Lite0 as an ONNX network from its weights."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

# repeats, kernel, stride, expansion, channels: table 1 of the EfficientNet paper, B0
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM_CHANNELS = 32
CLASSES = 1000
NORM_EPSILON = 1e-3
OPSET = 13


class _Graph:
    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = weights
        self.nodes = []
        self.constants = []

    def constant(self, name: str, values) -> str:
        values = np.ascontiguousarray(values, np.float32)
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def add(self, operation: str, *inputs: str, **attributes) -> str:
        output = f"{operation}_{len(self.nodes)}"
        node = helper.make_node(operation, list(inputs), [output], **attributes)
        self.nodes.append(node)
        return output

    def convolution(self, x, name: str, norm: str, stride=1, groups=1) -> str:
        """A convolution with the batch normalisation after it folded in."""
        kernel = self.weights[f"{name}.weight"]
        gain, bias, mean, variance = (
            self.weights[f"{norm}.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + NORM_EPSILON)
        return self.add(
            "Conv",
            x,
            self.constant(f"{name}.kernel", kernel * scale[:, None, None, None]),
            self.constant(f"{name}.bias", bias - mean * scale),
            kernel_shape=kernel.shape[2:],
            strides=(stride, stride),
            group=groups,
            auto_pad="SAME_UPPER",
        )

    def relu6(self, x: str) -> str:
        return self.add("Clip", x, "zero", "six")

    def block(
        self, x: str, name: str, expansion: int, stride: int, channels: int
    ) -> str:
        """An inverted residual: widen, convolve each channel by itself, narrow."""
        if expansion > 1:
            x = self.convolution(x, f"{name}._expand_conv", f"{name}._bn0")
            x = self.relu6(x)
        depthwise, norm = f"{name}._depthwise_conv", f"{name}._bn1"
        x = self.convolution(x, depthwise, norm, stride, channels * expansion)
        x = self.relu6(x)
        return self.convolution(x, f"{name}._project_conv", f"{name}._bn2")


def efficientnet_lite0(weights: dict[str, np.ndarray], size: int) -> bytes:
    graph = _Graph(weights)
    graph.constant("zero", 0)
    graph.constant("six", 6)
    x = graph.relu6(graph.convolution("picture", "_conv_stem", "_bn0", stride=2))
    channels, number = STEM_CHANNELS, 0
    for repeats, _, first_stride, expansion, stage_channels in STAGES:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            before, name = x, f"_blocks.{number}"
            x = graph.block(x, name, expansion, stride, channels)
            if stride == 1 and channels == stage_channels:
                x = graph.add("Add", x, before)
            channels, number = stage_channels, number + 1
    x = graph.relu6(graph.convolution(x, "_conv_head", "_bn1"))
    x = graph.add("Flatten", graph.add("GlobalAveragePool", x))
    matrix = graph.constant("classes.matrix", weights["_fc.weight"])
    bias = graph.constant("classes.bias", weights["_fc.bias"])
    x = graph.add("Softmax", graph.add("Gemm", x, matrix, bias, transB=1), axis=1)
    return serialized(graph, x, size)


def serialized(graph: _Graph, output: str, size: int) -> bytes:
    def tensor(name: str, shape: list[int]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    whole = helper.make_graph(
        graph.nodes,
        "efficientnet_lite0",
        [tensor("picture", [1, 3, size, size])],
        [tensor(output, [1, CLASSES])],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(whole, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()
