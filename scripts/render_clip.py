#!/usr/bin/env python3
"""Render the bundled clip: 640x480, 30 frames a second, things passing over moving backgrounds, and what each frame shows.

Writes clip.mp4 (H.264) and clip.csv (first_frame,last_frame,label; frames from 0, both ends included). A frame is in a row
only where exactly one thing is in sight and it lies wholly in the centre 480x480 square, which is what the network sees.

Needs (Debian): ffmpeg python3-opencv python3-pil fonts-noto-color-emoji

  scripts/render_clip.py --out tests/data
  scripts/render_clip.py --out build/other-clip --seed 7 --frames 900
"""

import argparse
import csv
import os
import subprocess
from pathlib import Path

from model_export.interpreter import need
from model_export.problem import run


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for clip.mp4 and clip.csv")
    parser.add_argument("--seed", type=int, default=3, help="of paths and backgrounds (default %(default)s)")
    parser.add_argument("--frames", type=int, default=720, help="length (default %(default)s: 24 s)")
    parser.add_argument("--crf", type=int, default=26, help="x264's quality, smaller is better (default %(default)s)")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    need("cv2")
    from demo_model import clip

    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = clip.rows(clip.passages(arguments.seed, arguments.frames), arguments.frames)
    video = arguments.out / "clip.mp4"
    new = arguments.out / "clip.new.mp4"
    # One thread and bitexact: the same seed gives the same bytes. No B-frames and a key frame each second: seeking is exact.
    command = [
        "ffmpeg",
        "-loglevel",
        "error",
        "-y",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        f"{clip.WIDTH_PX}x{clip.HEIGHT_PX}",
        "-r",
        str(clip.FPS),
        "-i",
        "-",
        "-c:v",
        "libx264",
        "-preset",
        "slow",
        "-crf",
        str(arguments.crf),
        "-bf",
        "0",
        "-g",
        str(clip.FPS),
        "-threads",
        "1",
        "-pix_fmt",
        "yuv420p",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
        "-movflags",
        "+faststart",
        str(new),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        try:
            for picture in clip.pictures(arguments.seed, arguments.frames):
                encoder.stdin.write(picture.tobytes())
        finally:
            encoder.stdin.close()
    if encoder.returncode != 0:
        raise RuntimeError(f"ffmpeg ended with {encoder.returncode}")
    os.replace(new, video)
    with open(arguments.out / "clip.csv", "w", newline="", encoding="utf-8") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(["first_frame", "last_frame", "label"])
        table.writerows(rows)
    labelled = sum(last - first + 1 for first, last, _ in rows)
    print(
        f"{video}: {arguments.frames} frames, {video.stat().st_size} bytes; {labelled} frames in {len(rows)} rows of clip.csv"
    )


if __name__ == "__main__":
    run(main, "render_clip")
