#!/usr/bin/env python3
"""Makes an image a crowded one: many boxes, all of them with answers of the crop services.

    crowd.py DATABASE IMAGE
"""

import json
import random
import sqlite3
import sys

FUSED = 40


def predictions(count, chance):
    return [
        {
            "label": chance.choice(["person", "chair", "car", "bottle"]), "emoji": "🧑", "confidence": round(chance.random(), 3),
            "bbox": {
                "x": chance.randint(0, 400), "y": chance.randint(0, 300), "width": chance.randint(10, 90),
                "height": chance.randint(10, 90),
            },
        }
        for _ in range(count)
    ]


def fused(number, x):
    bbox = {"x": x, "y": 10, "width": 30, "height": 40}
    seen = [{"service": service, "confidence": 0.8, "bbox": bbox} for service in ("rtdetr", "yolov8")]
    return {
        "cluster_id": f"person_{number}", "label": "person", "emoji": "🧑", "merged_bbox": bbox, "detection_count": 2,
        "avg_confidence": 0.8, "score": 0.8, "contributing_services": ["rtdetr", "yolov8"], "detections": seen,
        "harmonization_algorithm": "weighted_boxes_fusion_v1", "source_result_ids": [1, 2],
    }


def found_in_crop():
    landmarks = {f"point_{number}": {"x": 0.5, "y": 0.5, "z": -0.123, "visibility": 0.987} for number in range(33)}
    return {
        "colors": {"type": "color_analysis", "palette": {"colors": [{"hex": "#aa5500", "percent": 60}] * 8}},
        "face": {"label": "face", "confidence": 0.9, "bbox": {"x": 5, "y": 5, "width": 10, "height": 10}},
        "pose": {"landmarks": landmarks, "confidence": 0.8},
    }


def crowd(database, image):
    chance = random.Random(1)
    connection = sqlite3.connect(database, timeout=60)
    with connection:
        for service, count in (("yolov8", 60), ("rtdetr", 100), ("clip", 5), ("blip", 3)):
            answer = {"service": service, "status": "success", "predictions": predictions(count, chance)}
            connection.execute(
                "INSERT INTO results (image_id, service, data, status, processing_time) VALUES (?, ?, ?, 'success', 0.5)",
                (image, service, json.dumps(answer)),
            )
        for number in range(1, FUSED + 1):
            merged = connection.execute(
                "INSERT INTO merged_boxes (image_id, merged_data, status) VALUES (?, ?, 'success')",
                (image, json.dumps(fused(number, chance.randint(0, 400)))),
            ).lastrowid
            for service, found in found_in_crop().items():
                fails = service == "face" and number % 2 == 0
                data = {"error": {"kind": "timeout", "message": "no answer"}} if fails else {"service": service, "predictions": [found]}
                connection.execute(
                    "INSERT INTO postprocessing (merged_box_id, image_id, service, data, status) VALUES (?, ?, ?, ?, ?)",
                    (merged, image, service, json.dumps(data), "error" if fails else "success"),
                )
    connection.close()


if __name__ == "__main__":
    crowd(sys.argv[1], int(sys.argv[2]))
