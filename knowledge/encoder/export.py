"""Export a sentence-transformers folder to the ONNX files that the product runs (extra `models`).

    python -m knowledge.encoder.export FOLDER OUT [--questions FOLDER]

One graph takes token ids and mask and returns the pooled, L2-normalised vector, so that run time
needs only onnxruntime and tokenizers. The files keep their weights as float16 (half the size) and
compute in float32; `--int8` writes the dynamically quantised form instead (a quarter of the
size, faster, about one point of recall less, and not the same on processors without VNNI).
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from sentence_transformers import SentenceTransformer


class PooledEncoder(torch.nn.Module):
    """The transformer, mean pooling over the mask, and L2 normalisation as one graph."""

    def __init__(self, transformer: torch.nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = self.transformer(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=-1)


def export_float(folder: Path, target: Path) -> None:
    """Write the fp32 graph of the model in `folder` to `target`, its attention blocks fused.

    Plain attention and the tracing exporter give the patterns that the optimiser knows: 138 nodes
    instead of 552, a fifth faster, the same vectors to 2e-7.
    """
    model = SentenceTransformer(
        str(folder), device="cpu", model_kwargs={"attn_implementation": "eager"}
    )
    transformer = model[0].auto_model.float().eval()
    config = transformer.config
    graph = PooledEncoder(transformer)
    export_graph(graph, target, "vector", config.num_attention_heads, config.hidden_size)


def export_graph(
    network: torch.nn.Module, target: Path, output: str, heads: int, width: int
) -> None:
    """Write a network of token ids and mask, its attention blocks fused."""
    ids = torch.ones(2, 16, dtype=torch.int64)
    dynamic = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        network,
        (ids, torch.ones_like(ids)),
        str(target),
        input_names=["input_ids", "attention_mask"],
        output_names=[output],
        dynamic_axes={"input_ids": dynamic, "attention_mask": dynamic, output: {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    fused = optimizer.optimize_model(
        str(target), model_type="bert", num_heads=heads, hidden_size=width, opt_level=0
    )
    fused.save_model_to_file(str(target))


def halve_weights(source: Path, target: Path) -> None:
    """Store large float32 weights as float16 with a Cast that onnxruntime folds when it loads."""
    model = onnx.load(str(source))
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < 1024:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, str(target))


def export(folder: Path, target: Path, *, int8: bool = False) -> None:
    """Write the model in `folder` as one ONNX file `target`, and its tokenizer.json beside it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        full = Path(work) / "full.onnx"
        export_float(folder, full)
        if int8:
            quantize_dynamic(
                full,
                target,
                weight_type=QuantType.QInt8,
                per_channel=True,
                # Shapes cannot be inferred through the fused attention; everything is float.
                extra_options={"DefaultTensorType": TensorProto.FLOAT},
            )
        else:
            halve_weights(full, target)
    shutil.copyfile(folder / "tokenizer.json", target.with_name("tokenizer.json"))


def export_towers(question: Path, passage: Path, out: Path, *, int8: bool = False) -> None:
    """Write `query.onnx` and `passage.onnx`: two models with one tokenizer and one space."""
    export(passage, out / "passage.onnx", int8=int8)
    export(question, out / "query.onnx", int8=int8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the model, or that of passages")
    parser.add_argument("out", type=Path)
    parser.add_argument("--questions", type=Path, help="the model of questions, if another")
    parser.add_argument("--int8", action="store_true")
    arguments = parser.parse_args()
    if arguments.questions:
        export_towers(arguments.questions, arguments.folder, arguments.out, int8=arguments.int8)
    else:
        export(arguments.folder, arguments.out / "encoder.onnx", int8=arguments.int8)
