"""Fuses boxes with ensemble-boxes' weighted_boxes_fusion, the implementation of the method's authors.

stdin:  {"cases": [{"iou": t, "models": [[{"label": n, "score": s, "box": [x1, y1, x2, y2]}, ...], ...]}, ...]}
stdout: {"cases": [[{"label": n, "score": s, "box": [x1, y1, x2, y2]}, ...], ...]}
"""

import importlib.util
import json
import sys
from pathlib import Path


def load_weighted_boxes_fusion():
    """The module without its package, whose __init__ imports numba for other methods."""
    package = importlib.util.find_spec("ensemble_boxes")
    if package is None:
        sys.exit("no module ensemble_boxes")
    path = Path(package.submodule_search_locations[0]) / "ensemble_boxes_wbf.py"
    spec = importlib.util.spec_from_file_location("ensemble_boxes_wbf", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.weighted_boxes_fusion


def fused(case: dict, weighted_boxes_fusion) -> list[dict]:
    models = case["models"]
    boxes, scores, labels = weighted_boxes_fusion(
        [[p["box"] for p in model] for model in models],
        [[p["score"] for p in model] for model in models],
        [[p["label"] for p in model] for model in models],
        iou_thr=case["iou"],
        skip_box_thr=0.0,
        conf_type="avg",
    )
    return [
        {"label": int(label), "score": float(score), "box": [float(edge) for edge in box]}
        for box, score, label in zip(boxes, scores, labels)
    ]


def main() -> None:
    weighted_boxes_fusion = load_weighted_boxes_fusion()
    cases = json.load(sys.stdin)["cases"]
    json.dump({"cases": [fused(case, weighted_boxes_fusion) for case in cases]}, sys.stdout)


if __name__ == "__main__":
    main()
