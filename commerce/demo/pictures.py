"""Pictures that we draw ourselves: a product's name decides its colours and shapes."""

from __future__ import annotations

import hashlib
import io
import math

from PIL import Image, ImageDraw

SIZE = 960


def draw(name: str, variant: int = 0) -> io.BytesIO:
    """A WebP picture of `name`, always the same one, as a file."""
    seed = hashlib.sha256(f"{name}:{variant}".encode()).digest()
    hue = seed[0] / 255
    picture = Image.new("RGB", (SIZE, SIZE), _colour(hue, 0.16, 0.96))
    pen = ImageDraw.Draw(picture)
    for ring in range(6):
        inset = 60 + ring * 70
        pen.ellipse(
            (inset, inset, SIZE - inset, SIZE - inset),
            fill=_colour((hue + ring * seed[1] / 2000) % 1, 0.25 + ring * 0.1, 0.94 - ring * 0.08),
        )
    corners = 3 + seed[2] % 6
    turn, radius = seed[3] / 255 * math.tau, 150 + seed[4] / 2
    points = [
        (
            SIZE / 2 + radius * math.cos(turn + corner * math.tau / corners),
            SIZE / 2 + radius * math.sin(turn + corner * math.tau / corners),
        )
        for corner in range(corners)
    ]
    pen.polygon(points, fill=_colour((hue + 0.5) % 1, 0.55, 0.75))
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=80)
    file.seek(0)
    return file


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    sector, rest = divmod(hue * 6, 1)
    low = value * (1 - saturation)
    down, up = value * (1 - saturation * rest), value * (1 - saturation * (1 - rest))
    red, green, blue = (
        (value, up, low),
        (down, value, low),
        (low, value, up),
        (low, down, value),
        (up, low, value),
        (value, low, down),
    )[int(sector) % 6]
    return round(red * 255), round(green * 255), round(blue * 255)
