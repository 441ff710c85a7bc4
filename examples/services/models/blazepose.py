"""BlazePose: finds people, then 33 points of each one's body.

Weights: MediaPipe's, in PyPI mediapipe 0.10.14 (Apache 2.0). Runs on LiteRT.
"""

import math

import cv2
import numpy as np

import packaged
from boxes import Candidate, letterbox, without_duplicates
from images import Picture
from models.mediapipe_anchors import candidates, grid
from models.runtimes import LiteNetwork

THRESHOLD = 0.5
DUPLICATE_OVERLAP = 0.3
MAX_PEOPLE = 4
DETECTOR_SIZE = 224
BODY_SIZE = 256
BODY_MARGIN = 1.25

LANDMARKS = """
nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer
left_ear right_ear mouth_left mouth_right left_shoulder right_shoulder left_elbow
right_elbow left_wrist right_wrist left_pinky right_pinky left_index right_index
left_thumb right_thumb left_hip right_hip left_knee right_knee left_ankle right_ankle
left_heel right_heel left_foot_index right_foot_index
""".split()
JOINTS = {
    f"{side}_{joint}": tuple(f"{side}_{end}" for end in ends)
    for joint, ends in {
        "elbow": ("shoulder", "wrist"),
        "knee": ("hip", "ankle"),
    }.items()
    for side in ("left", "right")
}


class BlazePose:
    def __init__(self):
        self.info = {
            "name": "BlazePose full",
            "framework": "LiteRT",
            "weights": "PyPI mediapipe 0.10.14",
            "threshold": THRESHOLD,
            "max_people": MAX_PEOPLE,
        }

    def load(self) -> None:
        modules = packaged.path("mediapipe", "modules")
        self.detector = LiteNetwork(modules / "pose_detection/pose_detection.tflite")
        self.body = LiteNetwork(modules / "pose_landmark/pose_landmark_full.tflite")
        self.centers = grid(DETECTOR_SIZE, [(8, 2), (16, 2), (32, 6)])

    def predict(self, picture: Picture) -> list[dict]:
        framed = letterbox(picture.pixels, DETECTOR_SIZE, margin=0)
        outputs = self.detector.run(framed.square[None] / 127.5 - 1)
        found = candidates(outputs, self.centers, framed, 2, THRESHOLD)
        people = without_duplicates(found, DUPLICATE_OVERLAP)[:MAX_PEOPLE]
        poses = (self.pose(picture, person) for person in people)
        return [pose for pose in poses if pose]

    def pose(self, picture: Picture, person: Candidate) -> dict | None:
        to_picture = body_square(person)
        if to_picture is None:
            return None
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size = (BODY_SIZE, BODY_SIZE)
        square = cv2.warpAffine(picture.pixels, to_picture, size, flags=how)
        outputs = self.body.run(square[None] / 255)
        if outputs[1, 1].item() < THRESHOLD:
            return None
        landmarks = visible_landmarks(outputs[1, 195], to_picture, *picture.size)
        angles = joint_angles(landmarks, *picture.size)
        return {
            "landmarks": landmarks,
            "pose_analysis": {"joint_angles": angles},
            "confidence": round(person.confidence, 3),
        }


def body_square(person: Candidate) -> np.ndarray | None:
    """The way from the second network's square to the picture.

    The detector's two points are the middle of the hips and the top of a circle
    around the body: the square is turned so that the body stands upright in it.
    """
    (x, y), (top_x, top_y) = person.points
    radius = math.hypot(top_x - x, top_y - y)
    if radius < 2:
        return None
    scale = 2 * radius * BODY_MARGIN / BODY_SIZE
    sine, cosine = (top_x - x) / radius, (y - top_y) / radius
    turn = scale * np.array([[cosine, -sine], [sine, cosine]])
    shift = np.array([x, y]) - turn @ [BODY_SIZE / 2, BODY_SIZE / 2]
    return np.column_stack([turn, shift])


def visible_landmarks(output, to_picture, width: int, height: int) -> dict:
    """Points as fractions of the picture. Those it does not show are left out."""
    scale = math.hypot(*to_picture[:, 0])
    points = output.reshape(-1, 5)[: len(LANDMARKS)].astype(float)
    landmarks = {}
    for name, (x, y, z, visibility, _) in zip(LANDMARKS, points):
        x, y = to_picture @ [x, y, 1]
        if 0 <= x <= width and 0 <= y <= height:
            landmarks[name] = {
                "x": round(x / width, 3),
                "y": round(y / height, 3),
                "z": round(z * scale / width, 3),
                "visibility": round(1 / (1 + math.exp(-visibility)), 3),
            }
    return landmarks


def joint_angles(landmarks: dict, width: int, height: int) -> dict:
    """Degrees between the two limbs that meet, 180 for a straight arm or leg."""

    def point(name: str) -> np.ndarray:
        return np.array([landmarks[name]["x"] * width, landmarks[name]["y"] * height])

    angles = {}
    for joint, (upper, lower) in JOINTS.items():
        if {joint, upper, lower} <= landmarks.keys():
            a, b = point(upper) - point(joint), point(lower) - point(joint)
            turn = math.atan2(a[0] * b[1] - a[1] * b[0], float(a @ b))
            angles[joint] = round(abs(math.degrees(turn)), 1)
    return angles
